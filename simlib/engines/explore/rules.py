"""What can happen next in a state of the whole system.

A state is a tuple of small numbers: for each worker the node it is at, for each resource its state, and the budget
that is left.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from simlib.engines.budget import KINDS, MASKS, UNITS
from simlib.engines.explore.histories import ENDED, Histories
from simlib.engines.explore.ledger import Ledger
from simlib.engines.explore.spot import Overtaking, Spot
from simlib.ops import Outcome
from simlib.system import System
from simlib.trace import WORKERS_FAULTS, Kind, Move

Numbers = tuple[int, ...]
NOBODY, EVERYBODY = -1, -2


# A cost is one number: faults, then preemptions, then steps, and to break ties the rank of the faults.
FAULT, PREEMPTION, STEP = 1 << 56, 1 << 36, 1 << 12
COSTS: dict[str | None, int] = {None: STEP, **{kind: FAULT + STEP + rank for rank, kind in enumerate(KINDS)}}


class Way(NamedTuple):
    """One thing that can happen, wherever it does."""

    move: Move
    worker: int  # whom it concerns
    steps: bool  # whether it is that worker's own step, so that taking it may overtake somebody
    over: bool  # whether that worker's run is over with it, so that going on with another overtakes nobody
    cost: int  # without a preemption


class Step(NamedTuple):
    """A worker's step, looked up: how the worker and its resource are afterwards, and what it takes."""

    way: Way
    place: int  # of the resource, in the state
    state: int
    node: int
    unit: int  # what is taken from the budget
    mask: int


Next = tuple[int, Way]  # one thing that can happen in a state: the number of the state that it leads to, and how


class Rules:
    """The states, by number, and what can happen in each."""

    def __init__(
        self,
        system: System,
        histories: Histories,
        ledger: Ledger,
        kinds: list[str],
        spot: Spot | Overtaking | None = None,
    ) -> None:
        self.states: list[Numbers] = []
        self._numbers: dict[Numbers, int] = {}
        self._system = system
        self._histories = histories
        self._ledger = ledger
        self._workers = list(system.cast)
        self._count = len(self._workers)
        self._steps: dict[tuple[int, int, int], tuple[Step, ...]] = {}
        self._timeouts: dict[tuple[int, int, Hashable, bool], Way] = {}
        self._endings = {
            (kind, worker): Way(Move(kind, name, fault=fault), worker, False, True, COSTS[fault])
            for kind, fault in WORKERS_FAULTS.items()
            for worker, name in enumerate(self._workers)
        }
        self._timed = [self._count + place for place in ledger.timed]
        self._clocks = [self._count + place for place in ledger.clocks]
        self._blackouts: list[Way] = []
        self._spot = spot
        self.struck: dict[str, set[int]] = {kind: set() for kind in kinds}  # at which nodes each fault had its place

    def initial(self, packed_budget: int) -> int:
        roots = tuple(self._histories.root(worker) for worker in self._workers)
        return self._number((*roots, *self._ledger.initial, packed_budget))

    def _number(self, state: Numbers) -> int:
        number = self._numbers.get(state)
        if number is None:
            number = self._numbers[state] = len(self.states)
            self.states.append(state)
        return number

    def successors(self, state: Numbers) -> tuple[list[Next], set[int], bool]:
        """Everything that may happen, nothing's going wrong first; the workers who can take a step; and whether
        nothing more can happen if nothing goes wrong.
        """
        found: list[Next] = []
        able: set[int] = set()
        for worker in range(self._count):
            for step in self._steps_of(worker, state):
                if not step.mask:
                    able.add(worker)
                elif not state[-1] & step.mask:
                    continue
                found.append(self._step(state, worker, step))
        if self._timed:
            self._timers(state, bool(able), found)
        if state[-1]:
            self._mishaps(state, found)
        free = any(way.cost < FAULT for _, way in found)  # who is held back by the spot alone is not at rest
        if self._spot:
            found = self._spot.kept(found, state, self._system, self._histories)
        for _, way in found:
            if way.cost >= FAULT:
                self.struck[way.move.fault or ""].add(state[way.worker] if way.worker >= 0 else NOBODY)
        return found, able, not free

    def _steps_of(self, worker: int, state: Numbers) -> tuple[Step, ...]:
        node = state[worker]
        op = self._histories.op[node]
        if op == ENDED:
            return ()
        place = self._ledger.place[self._histories.ops.things[op].resource]
        key = (worker, node, state[self._count + place])
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = tuple(self._look_up(worker, node, op, place, key[2]))
        return found

    def _look_up(self, worker: int, node: int, op: int, place: int, number: int) -> list[Step]:
        name = self._workers[worker]
        steps = []
        for effect in self._ledger.effects(place, number, op, name):
            fault = effect.outcome.fault
            child = self._histories.child(node, effect.answer)
            over = self._histories.op[child] == ENDED
            move = Move("step", name, outcome=effect.outcome, fault=fault)
            unit, mask = (UNITS[fault], MASKS[fault]) if fault else (0, 0)
            after = self._after_run(worker, child) if over else child
            way = Way(move, worker, True, over, COSTS[fault])
            steps.append(Step(way, self._count + place, effect.state, after, unit, mask))
        return steps

    def _after_run(self, worker: int, node: int) -> int:
        """A consumer starts again for the next message, a failed process is started again; others have ended."""
        name = self._workers[worker]
        if self._histories.error[node] is None:
            again = name in self._system.consumers
            return self._histories.root(name, self._histories.start[node][1]) if again else node
        return node if node in self._histories.bugs else self._histories.next_root(name, node)

    def _step(self, state: Numbers, worker: int, step: Step) -> Next:
        way, place, resource, node, unit, _ = step
        after = list(state)
        after[worker] = node
        after[place] = resource
        after[-1] -= unit
        if way.over:
            self._orphan(after, worker)
        return self._number(tuple(after)), way

    def _orphan(self, state: list[int], worker: int) -> None:
        for place in self._timed:
            state[place] = self._ledger.after(place - self._count, state[place], "owner_gone", self._workers[worker])

    def _timers(self, state: Numbers, somebody_can_step: bool, found: list[Next]) -> None:
        """A timer runs out for free when its owner is dead or everyone waits; else somebody must have stalled."""
        for place in self._timed:
            for timer in self._ledger.timers(place - self._count, state[place]):
                early = somebody_can_step and timer.owner is not None
                if early and not state[-1] & MASKS["pauses"]:
                    continue
                after = list(state)
                after[place] = self._ledger.after(place - self._count, state[place], "expire", timer.id)
                if early:
                    after[-1] -= UNITS["pauses"]
                for clock in self._clocks:
                    after[clock] = self._ledger.after(clock - self._count, after[clock], "advance", timer.seconds)
                key = (place, state[place], timer.id, early)
                way = self._timeouts.get(key)
                if way is None:
                    fault = "pauses" if early else None
                    move = Move("timer", "", self._ledger.names[place - self._count], timer.id, fault=fault)
                    way = self._timeouts[key] = Way(move, NOBODY, False, False, COSTS[fault])
                found.append((self._number(tuple(after)), way))

    def _mishaps(self, state: Numbers, found: list[Next]) -> None:
        left, everybody = state[-1], range(self._count)
        if left & MASKS["crashes"]:
            found += [self._end(state, worker, "crash") for worker in everybody if self._can_crash(state, worker)]
        if left & MASKS["node_losses"]:
            found += [self._end(state, worker, "node loss") for worker in everybody if self._can_crash(state, worker)]
        if left & MASKS["power_losses"]:
            found += self._power_losses(state)
        if left & MASKS["redeliveries"]:
            found += [self._end(state, worker, "again") for worker in everybody if self._is_done(state, worker)]

    def _can_crash(self, state: Numbers, worker: int) -> bool:
        """Before its first step a process has nothing to lose; one that has returned has done its task."""
        node = state[worker]
        return self._histories.op[node] != ENDED and self._histories.parent[node][0] != ENDED

    def _is_done(self, state: Numbers, worker: int) -> bool:
        node = state[worker]
        return self._histories.op[node] == ENDED and node not in self._histories.bugs

    def _end(self, state: Numbers, worker: int, kind: Kind) -> Next:
        """Something that ends a worker's process: it is started again, unless its node is lost."""
        way = self._endings[kind, worker]
        node, name = state[worker], self._workers[worker]
        after = list(state)
        after[worker] = self._histories.gone(node) if kind == "node loss" else self._histories.next_root(name, node)
        after[-1] -= UNITS[WORKERS_FAULTS[kind]]
        if kind != "again":
            self._orphan(after, worker)
        return self._number(tuple(after)), way

    def _power_losses(self, state: Numbers) -> list[Next]:
        running = [worker for worker in range(self._count) if self._can_crash(state, worker)]
        worlds = list(self._ledger.power_losses(state[self._count : -1]))
        if not running and len(worlds) == 1:
            return []
        everybody = tuple(self._restarted(worker, state[worker]) for worker in range(self._count))
        left = state[-1] - UNITS["power_losses"]
        return [
            (self._number((*everybody, *world, left)), self._power_loss(choice)) for choice, world in enumerate(worlds)
        ]

    def _restarted(self, worker: int, node: int) -> int:
        return node if self._histories.op[node] == ENDED else self._histories.next_root(self._workers[worker], node)

    def _power_loss(self, choice: int) -> Way:
        while choice >= len(self._blackouts):
            move = Move("power loss", outcome=Outcome(None, len(self._blackouts)), fault="power_losses")
            self._blackouts.append(Way(move, EVERYBODY, False, True, COSTS["power_losses"]))
        return self._blackouts[choice]
