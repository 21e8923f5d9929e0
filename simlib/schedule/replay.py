"""Plays runs move by move with real generators: what a search found, or one failure on two implementations."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Sequence
from typing import Any

from simlib.errors import ENDS_A_RUN, Mistake
from simlib.model.operation import BEGUN, OK, Outcome
from simlib.model.properties import Property
from simlib.model.system import System
from simlib.resources.clock import ClockState
from simlib.schedule.machine import Machine
from simlib.schedule.token import Point, letters
from simlib.schedule.trace import Event, Trace, copied
from simlib.schedule.transition import STRIKES, Schedule, Transition, power_loss, step, strike, timeout
from simlib.text import listed

Broken = tuple[str, str, tuple[str, ...]]  # a claim, why it is false, and which resources it is about
MOST_STEPS = 500  # of a replay, past its schedule


def follow(system: System, moves: Sequence[Transition]) -> Trace:
    """Play these moves with real generators, and record what happens."""
    with Machine(system) as machine:
        initial = copied(machine.states)
        for move in moves:
            machine.perform(move)
        return Trace(system.title, tuple(machine.events), initial, roles=system.names)


def play(system: System, named: Sequence[Point]) -> Trace:
    """Play a schedule, as far as it fits, then let the workers finish. Stops when a property breaks.

    A step is found by its name: an implementation with more steps takes its own on the way. If it has no such step, it
    takes its next one; `parted` marks the first event that differs from the schedule. Raises Mistake if the schedule
    has a worker that the system has not.
    """
    with Machine(system) as machine:
        playback = Playback(machine)
        return playback.play(playback.scheduled(named))


def run_once(system: System, crash_after: int | None = None) -> Trace:
    """One run without a fault, or with one crash: of worker A, right after so many of its steps."""
    with Machine(system) as machine:
        playback = Playback(machine)
        return playback.play(playback.crash_of("A", crash_after) if crash_after else iter(()))


def fork(system: System, moves: Sequence[Transition], worker: str) -> Trace | None:
    """These moves, then a crash of this worker, then everybody runs to the end.

    None if the crash loses nothing: the worker has taken no step since it was started, or is done, or a property breaks
    before.
    """
    with Machine(system) as machine:
        playback = Playback(machine)
        trace = playback.play(playback.moves_and_crash(moves, worker))
    struck = len(trace.events) > len(moves) and trace.events[len(moves)].kind == "crash"
    return trace if struck else None


class Playback:
    """Plays a given schedule, and lets everybody finish from there."""

    def __init__(self, machine: Machine, most: int = MOST_STEPS, names: dict[str, set[str]] | None = None) -> None:
        self.machine = machine
        self._most = most
        self.parted: int | None = None
        self._choices = 1  # the most options of any draw
        self._names = step_names(machine.system) if names is None else names
        self._initial = copied(machine.states)

    def play(self, schedule: Iterator[Any]) -> Trace:
        """Make these moves, then let everybody finish; stop when a property breaks."""
        before = self.machine.system.memories()
        broken = self.broken()
        while not broken and (move := next(schedule, None)) is not None:
            self.machine.perform(move)
            broken = self.broken()
        broken = broken or self.finish()
        self.machine.system.compare_memories(before)
        trace = self.so_far()
        return trace.but(broken=broken[0], because=broken[1], about=broken[2]) if broken else trace

    def so_far(self) -> Trace:
        """The trace so far, wherever it stopped."""
        system, events = self.machine.system, tuple(self.machine.events)
        return Trace(system.title, events, self._initial, parted=self.parted, roles=system.names)

    def crash_of(self, worker: str, steps: int) -> Schedule:
        """So many steps, then a crash. A run that has ended by then has nothing to lose."""
        for _ in range(steps):
            move = self._step(worker, 0)
            if move is None:
                return
            yield move
            if self.machine.events[-1].ended:
                return
        yield strike("crash", worker)

    def moves_and_crash(self, moves: Sequence[Transition], worker: str) -> Schedule:
        """Exactly these moves, then a crash if there is memory to lose."""
        yield from moves
        if STRIKES["crash"](self.machine.standing(worker)):
            yield strike("crash", worker)

    def broken(self) -> Broken | None:
        machine, system = self.machine, self.machine.system
        for worker, slot in machine.slots.items():
            error = slot.process.error
            if error is not None and not isinstance(error, ENDS_A_RUN):
                return "error", system.failed(worker, error, slot.process.where), ()
        return self._false(system.always)

    def _false(self, claims: Sequence[Property]) -> Broken | None:
        system, states = self.machine.system, self.machine.states
        claim = system.broken(claims, states)
        return (claim.name, system.because(claim, states), claim.parameters) if claim else None

    def _part(self) -> None:
        if self.parted is None:
            self.parted = len(self.machine.events)

    def scheduled(self, named: Sequence[Point]) -> Schedule:
        """Each move of a token's schedule that can be made."""
        for point in named:
            if point.kind == "step":
                yield from self._steps_to(point)
            else:
                move = self._other(point)
                if move is None:
                    self._part()
                else:
                    yield move

    def _steps_to(self, point: Point) -> Schedule:
        """The worker's steps up to and including the named one."""
        worker = point.worker
        if worker not in self.machine.slots:
            raise Mistake(f"the schedule has a worker {worker}; replay with as many workers as it was found with.")
        known = point.step in self._names[worker]
        for _ in range(MOST_STEPS):
            slot = self.machine.slots[worker]
            there = slot.op is not None and letters(slot.op.name) == point.step
            move = self._step(worker, point.way if there else 0)
            if move is None:
                self._part()
                return
            if not there:
                self._part()
            yield move
            if there or self.machine.events[-1].ended or not known:
                return

    def _step(self, worker: str, way: int) -> Transition | None:
        op = self.machine.slots[worker].op
        if op is None:
            return None
        outcomes = list(self.machine.states[op.resource].outcomes(op))
        outcome: Outcome = outcomes[way] if way < len(outcomes) else OK
        for one in (outcome, OK) if outcome != BEGUN else (BEGUN,):
            if self.machine.can_step(worker, one):
                return step(worker, one)
        return None

    def _other(self, point: Point) -> Transition | None:
        if point.kind == "timer":
            return self._timer(point)
        if point.kind == "power loss":
            return power_loss(point.way)
        known = point.worker in self.machine.slots
        if not known or not STRIKES[point.kind](self.machine.standing(point.worker)):
            return None
        return strike(point.kind, point.worker)

    def _timer(self, point: Point) -> Transition | None:
        names = list(self.machine.states)
        if point.resource >= len(names):
            return None
        name = names[point.resource]
        timers = self.machine.states[name].timers()
        if not timers:
            return None
        return self.machine.expiry(name, timers[min(point.way, len(timers) - 1)])

    def finish(self) -> Broken | None:
        """Let everybody run, one after another, until nothing more happens.

        A worker that loops (it polls, say) has to let the others go first, and gets other draws; when that leads
        nowhere new, the run is over.
        """
        machine, order, idle = self.machine, list(self.machine.slots), set[str]()
        been = {self._here(): len(machine.events)}
        stale = lap = 0  # how many steps have led nowhere new, and how many one lap takes
        for _ in range(self._most):
            move = self._anything(order, stale // lap if lap else 0, idle)
            if move is None:
                return self._at_rest()
            before = self._here(timed=False) if move.worker and self.machine.gives_up(move.worker) else None
            machine.perform(move)
            broken = self.broken()
            if broken:
                return broken
            if before is not None and before == self._here(timed=False):
                del machine.events[-1]  # nobody can tell that it has waited
                idle.add(move.worker)
                continue
            idle.clear()
            here = self._here()
            if here is None or here not in been:
                been[here], stale, lap = len(machine.events), 0, 0
                continue
            stale, lap = stale + 1, lap or len(machine.events) - been[here]
            if stale % lap == 0 and move.worker:
                order = [worker for worker in order if worker != move.worker] + [move.worker]
            if stale > lap * (len(order) + self._choices):
                broken = self._goes_round(machine.events[max(been.values()) :])
                del machine.events[max(been.values()) + (lap if broken else 0) :]
                return broken
        return "livelock", f"no end after {self._most} steps", ()

    def _here(self, timed: bool = True) -> Hashable | None:
        """A fingerprint of the whole system; None if there is none. Unless `timed`, it leaves out the clocks."""
        slots = self.machine.slots
        held = [slot.op and self.machine.here(worker) for worker, slot in slots.items()]
        if any(slot.op and one is None for slot, one in zip(slots.values(), held)):
            return None
        # The time matters only if somebody was told it.
        told = timed and any(event.op and event.op.verb == "now" for event in self.machine.events)
        states = self.machine.states.values()
        return (*held, *(state.key() for state in states if told or not isinstance(state, ClockState)))

    def _anything(self, order: Sequence[str], turn: int, idle: Container[str]) -> Transition | None:
        """The next move. `turn` counts the laps: after the first, timers without an owner run out first, since somebody
        may be waiting for that, and draws vary. To give up a wait for a message comes last, and not from an `idle` one.
        """
        timers = list(self.machine.timers())
        waiting = [worker for worker in self.machine.ready() if self.machine.gives_up(worker)]
        ready = sorted(
            {*self.machine.ready()}.difference(waiting),
            key=lambda worker: (not self._waited(worker), order.index(worker)),
        )
        patient = [worker for worker in waiting if worker not in idle] if not ready else []
        orphans = [(name, timer) for name, timer in timers if (turn or patient) and timer.owner is None]
        ready = ready or patient
        if ready and not orphans:
            return self._next_of(ready, turn)
        for name, timer in orphans or timers:
            return timeout(name, timer, early=False)
        return None

    def _waited(self, worker: str) -> bool:
        """Whether its step has waited and need not any more: nobody overtakes it, as in a database's queue."""
        return self.machine.slots[worker].begun and self.machine.can_step(worker)

    def _next_of(self, ready: list[str], turn: int) -> Transition:
        """The next step of the first of these workers; whoever has to wait begins to."""
        return self.machine.free_step(ready[0], self._drawn(ready[0], turn))

    def _drawn(self, worker: str, turn: int) -> Outcome:
        """The first of a step's outcomes without a fault, or another one on each lap."""
        op = self.machine.slots[worker].op
        assert op is not None
        outcomes = self.machine.states[op.resource].outcomes(op)
        draws = [one for one in outcomes if one.fault is None and one != BEGUN]
        self._choices = max(self._choices, len(draws))
        return draws[turn % len(draws)]

    def _goes_round(self, lap: Sequence[Event]) -> Broken | None:
        """What is wrong when all that is left is this lap, for ever: nothing, if that is all there is to do."""
        going = {event.worker for event in lap if event.worker}
        claims = self.machine.system.eventually
        unmet = self._false(claims)
        if not unmet and (claims or going == {event.worker for event in lap if event.gave_up or self._retries(event)}):
            return self._stuck(going)
        return "livelock", "it goes round for ever" + (f", and {unmet[0]} stays false" if unmet else ""), ()

    def _retries(self, event: Event) -> bool:
        """Whether this hands out what somebody sends again, but not for ever."""
        op = event.op
        return op is not None and op.verb == "receive" and self.machine.states[op.resource].retries_end

    def _at_rest(self) -> Broken | None:
        """What is wrong when nothing more happens."""
        return self._stuck(set()) or self._false(self.machine.system.eventually)

    def _stuck(self, going: set[str]) -> Broken | None:
        """Which workers wait forever, while those `going` loop."""
        machine, slots = self.machine, self.machine.slots.items()
        blocked = {name: (slot.op, slot.process.where) for name, slot in slots if slot.op and name not in going}
        stuck = machine.system.stuck(blocked, machine.states, going)
        return ("stuck", f"{listed(stuck)}, for ever" + ", while others go round" * bool(going), ()) if stuck else None


def step_names(system: System) -> dict[str, set[str]]:
    """By worker, the steps of a run without a fault, by their letters."""
    return {worker: _names(system, worker) for worker in system.cast}


def _names(system: System, worker: str) -> set[str]:
    """The steps of a run without a fault, by their letters."""
    found = set()
    with Machine(system) as machine:
        for _ in range(MOST_STEPS):
            ready = machine.ready()
            if not ready:
                break
            event = machine.perform(machine.free_step(worker if worker in ready else ready[0]))
            if event.worker == worker and event.op:
                found.add(letters(event.op.name))
                if event.ended:
                    break
    return found
