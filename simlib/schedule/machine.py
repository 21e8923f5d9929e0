"""A running system with real generators and real states, which makes one transition at a time.

The searches are built for speed and keep no generator alive for long. This is their slow and obvious twin: it replays
what a search found before anyone is shown it, plays a failure on another implementation, and writes the trace.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from simlib.errors import ENDS_A_RUN, OperationError, Terminated
from simlib.model import timing
from simlib.model.generator_state import capture
from simlib.model.operation import BEGUN, OK, Blocked, Op, Outcome
from simlib.model.process import Process
from simlib.model.state import State
from simlib.model.system import System, queued
from simlib.model.timing import Timer
from simlib.schedule import transition
from simlib.schedule.trace import Event, copied
from simlib.schedule.transition import RULES, Fate, Standing, Transition

STEP_SECONDS = 1.0  # in a trace without a clock of its own, every step takes a second


@dataclass
class Slot:
    """One worker's place: the process that runs there now, and how it got there."""

    process: Process
    incarnation: int = 1
    steps: Counter[str] = field(default_factory=Counter)  # in this run, by name
    last_at: float = 0.0  # when it last did something
    slept_at: float | None = None  # since when it sleeps; None if it does not
    queued: str = ""  # what this run asked of a queue first
    begun: bool = False  # its step is under way
    lost: bool = False  # its machine is gone: it gets no more tasks
    dead: bool = False  # its process is gone, and is not restarted
    stopped: bool = False  # its process was told to stop

    @property
    def op(self) -> Op | None:
        return None if self.lost or self.dead else self.process.op

    @property
    def standing(self) -> Standing:
        op, error = self.op, self.process.error
        switched_off = self.stopped and self.queued == "receive"  # a queue has its tasks
        done = op is None and not (self.lost or switched_off) and (error is None or isinstance(error, ENDS_A_RUN))
        return Standing(op, op is not None and (self.begun or self.stopped or bool(self.steps)), done, self.stopped)


class Machine:
    """A running system: `with Machine(system) as machine:`. `now` is in seconds; `events` are those so far."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.states = system.states()
        self.slots: dict[str, Slot] = {}
        self.events: list[Event] = []
        self.now = 0.0
        self._armed: dict[tuple[str, Hashable, Hashable], float] = {}
        self._dead: list[Process] = []  # kept: dropping a suspended generator would run its `finally` blocks

    def __enter__(self) -> Machine:
        with contextlib.ExitStack() as watched:
            watched.enter_context(self.system.watchdog)
            self.slots = {worker: Slot(self._start(worker, 1)) for worker in self.system.cast}
            [*self._fall_asleep()]
            self._watched = watched.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self._dead, *(slot.process for slot in self.slots.values())]:
            process.discard()
        self._watched.close()

    def _start(self, worker: str, incarnation: int) -> Process:
        """A new process of this worker."""
        return self.system.start(worker, incarnation)

    def here(self, worker: str) -> Hashable:
        """A fingerprint of this worker's state; None if it has none."""
        return capture(self.slots[worker].process.generator)

    # What can happen next

    def standing(self, worker: str) -> Standing:
        """Where this worker stands."""
        return self.slots[worker].standing

    def enabled(self) -> Iterator[Transition]:
        """Every transition that can happen next, whatever the budget."""
        return transition.enabled(self, self.slots)

    def can_step(self, worker: str, outcome: Outcome = OK) -> bool:
        """Whether the worker's next step can go this way now."""
        op = self.slots[worker].op
        if op is None:
            return False
        state = self.states[op.resource]
        if outcome not in state.outcomes(op):
            return False
        if state.lasts(op) and outcome.fault is None:  # timers that end sooner run out first
            timers, seconds = (timer for _, timer in self.timers()), timing.seconds(op)
            return not transition.oversleeps(timers, worker, seconds, self.busy())
        try:
            self.answer(transition.step(worker, outcome), {op.resource: state.copy()})
        except Blocked:
            return False
        return True

    def busy(self) -> list[str]:
        """The workers that can do something now other than sleep on."""
        return [worker for worker in self.slots if not self.lasts(worker) and self.can_act(worker)]

    def can_act(self, worker: str) -> bool:
        """Whether the worker can do something now, if only to begin to wait."""
        return self.can_step(worker) or self.can_step(worker, BEGUN)

    def lasts(self, worker: str) -> bool:
        """Whether this worker can do nothing now but sleep or wait on."""
        op = self.slots[worker].op
        return op is not None and self.states[op.resource].lasts(op)

    def gives_up(self, worker: str) -> bool:
        """Whether all that this worker can do now is to give up a wait for a message."""
        return timing.waits(self.slots[worker].op) and self.lasts(worker)

    def answer(self, move: Transition, states: Mapping[str, State]) -> Any:
        """The answer to this worker's next step, which takes effect in `states`; it may be an error.

        Raises Blocked if the worker has to wait.
        """
        op = self.slots[move.worker].op
        assert op is not None, f"{move.worker} has no step to take"
        try:
            return self.system.perform(states[op.resource], op, move.worker, move.outcome)
        except OperationError as error:
            return error

    def ready(self) -> list[str]:
        """The workers that can do something now."""
        return [worker for worker in self.slots if self.can_act(worker)]

    def free_step(self, worker: str, outcome: Outcome = OK) -> Transition:
        """The step of a worker that is ready: if it has to wait, it begins to."""
        return transition.step(worker, outcome if self.can_step(worker, outcome) else BEGUN)

    def timers(self) -> Iterator[tuple[str, Timer]]:
        for name, state in self.states.items():
            for timer in state.timers():
                yield name, timer

    def expiry(self, resource: str, timer: Timer) -> Transition:
        """The transition in which this timer runs out: a fault if it beats an owner that is alive."""
        asleep = transition.sleepers(self.states, {worker: slot.op for worker, slot in self.slots.items()})
        early = transition.is_early(timer, bool(self.ready()), asleep, self.busy())
        return transition.timeout(resource, timer, early)

    # Making it happen

    def perform(self, move: Transition) -> Event:
        """Make this transition, and record it."""
        act = {"step": self._step, "timer": self._timer, "power loss": self._power_loss}.get(move.kind, self._strike)
        event = act(move)
        event.asleep = tuple(self._fall_asleep())
        self._record(event)
        return event

    def _record(self, event: Event) -> None:
        event.after = copied(self.states)
        self.events.append(event)
        self._arm()

    def _fall_asleep(self) -> Iterator[str]:
        """The workers that start to sleep now."""
        for worker, slot in self.slots.items():
            if slot.slept_at is None and timing.sleeps(slot.op):
                slot.slept_at = self.now
                transition.fall_asleep(self.states, worker)
                yield worker

    def _step(self, move: Transition) -> Event:
        slot = self.slots[move.worker]
        event = self._take(move)
        assert event.op is not None
        if event.begins:
            return event
        slot.process.answer(event.answer)
        slot.queued = queued(slot.queued, event.op)
        return self._ended(event)

    def _ended(self, event: Event) -> Event:
        """The event, with how it ended its worker's run, if it did."""
        slot = self.slots[event.worker]
        if slot.op is not None:
            return event
        error, undone = slot.process.error, self._undone(event.worker)
        self._end(event.worker)
        ended: Literal["raised", "returned"] = "raised" if error else "returned"
        return replace(event, ended=ended, error=error, raised=slot.process.where, undone=undone)

    def _undone(self, worker: str) -> str:
        """What the end of this worker's process undoes, in words."""
        return ", ".join(filter(None, (state.undone(worker) for state in self.states.values())))

    def _take(self, move: Transition) -> Event:
        """Let the step take effect; its worker has not been told yet."""
        slot = self.slots[move.worker]
        op, where = slot.op, slot.process.where
        assert op is not None, f"{move.worker} has no step to take"
        lasts = self.lasts(move.worker)
        if slot.slept_at is None or not lasts:
            self.now += STEP_SECONDS
        else:
            self.now = max(self.now, slot.slept_at + max(timing.seconds(op), STEP_SECONDS))
        busy = tuple(self.busy()) if lasts else ()
        answer = self._carry_out(move, busy)
        slot.begun = move.outcome == BEGUN
        slot.steps[op.name] += not slot.begun
        slot.last_at, slot.slept_at = self.now, None
        return Event(move, self.now, op, answer, where, slot.steps[op.name] + slot.begun, busy=busy)

    def _carry_out(self, move: Transition, busy: Sequence[str]) -> Any:
        """Let the step take effect. Returns its answer, which may be an error. `busy` matters only to a sleep."""
        op = self.slots[move.worker].op
        if op and op.verb == "sleep":
            transition.sleep(self.states, op, move.worker, busy)
            return None
        answer = self.answer(move, self.states)
        if op and timing.waits(op):
            transition.end_wait(self.states, op, move.worker, answer, busy)
        return answer

    def _end(self, worker: str) -> None:
        """End a run: what it held is orphaned."""
        slot, error = self.slots[worker], self.slots[worker].process.error
        transition.end_process(self.states, worker)
        if self.system.starts_again(worker, error, slot.queued, slot.stopped):
            self._restart(worker, slot.incarnation + (slot.stopped or error is not None))

    def _restart(self, worker: str, incarnation: int) -> None:
        self._dead.append(self.slots[worker].process)
        self.slots[worker] = Slot(self._start(worker, incarnation), incarnation, last_at=self.now)

    def _strike(self, move: Transition) -> Event:
        """Let something happen to one worker's process."""
        fate, worker = RULES[move.kind].fate, move.worker
        if fate == "told":
            return self._tell_to_stop(move)
        for_good = fate == "killed" and not self.system.cast[worker].restarts
        undone = self._undone(worker) if fate != "started" else ""
        event = Event(move, self.now, ended="killed" if for_good else "", undone=undone)
        event.apply(self.states)
        self._meet(fate, worker)
        return event

    def _tell_to_stop(self, move: Transition) -> Event:
        slot = self.slots[move.worker]
        assert slot.op is not None, f"{move.worker} has no process"
        event = Event(move, self.now, where=slot.process.where)
        event.act(self.states)
        slot.queued, slot.stopped, slot.slept_at, slot.begun = queued(slot.queued, slot.op), True, None, False
        slot.process.answer(Terminated())
        return self._ended(event)

    def _meet(self, fate: Fate, worker: str) -> None:
        slot = self.slots[worker]
        if fate == "lost":
            slot.lost = True
        elif fate == "started" or self.system.cast[worker].restarts:
            self._restart(worker, slot.incarnation + 1)
        else:
            slot.dead = True

    def _power_loss(self, move: Transition) -> Event:
        event = Event(move, self.now)
        event.apply(self.states)
        for worker, slot in [*self.slots.items()]:
            if slot.op is not None:
                self._meet("killed", worker)
        return event

    def _timer(self, move: Transition) -> Event:
        timer = next(timer for timer in self.states[move.resource].timers() if timer.id == move.timer)
        due = self._armed[move.resource, timer.id, timer.armed] + timer.seconds
        self.now = max(self.now, due)
        stalled = None
        if move.fault and timer.owner:
            stalled = (timer.owner, due - self.slots[timer.owner].last_at)
        event = Event(move, self.now, label=timer.label, seconds=timer.seconds, stalled=stalled)
        event.apply(self.states)
        return event

    def _arm(self) -> None:
        """Remember since when each timer runs."""
        running = {(name, timer.id, timer.armed) for name, timer in self.timers()}
        self._armed = {known: self._armed.get(known, self.now) for known in running}
