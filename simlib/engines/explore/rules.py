"""What can happen next in a state of the whole system.

A state is a tuple of small numbers: for each worker the node it is at, for each resource its state, and the budget
that is left.
"""

from __future__ import annotations

from typing import NamedTuple

from simlib.engines.budget import KINDS, MASKS, UNITS
from simlib.engines.explore.histories import ENDED, Histories
from simlib.engines.explore.ledger import Ledger
from simlib.engines.explore.spot import Overtaking, Spot
from simlib.ops import Outcome
from simlib.system import System
from simlib.trace import Move

Numbers = tuple[int, ...]
NOBODY, EVERYBODY = -1, -2


# A cost is one number: faults, then preemptions, then steps, and to break ties the rank of the faults.
FAULT, PREEMPTION, STEP = 1 << 56, 1 << 36, 1 << 12
COSTS: dict[str | None, int] = {None: STEP, **{kind: FAULT + STEP + rank for rank, kind in enumerate(KINDS)}}


class Way(NamedTuple):
    """A worker's step, looked up: how the worker and its resource are afterwards, and what it takes."""

    move: Move
    place: int  # of the resource, in the state
    state: int
    node: int
    over: bool  # the run has ended, so that what it held is orphaned
    unit: int  # what is taken from the budget
    mask: int


class Next(NamedTuple):
    """One thing that can happen in a state. `state` is the number of the state that it leads to."""

    state: int
    move: Move
    worker: int  # whom it concerns
    steps: bool  # whether it is that worker's own step, so that taking it may overtake somebody
    over: bool  # whether that worker's run is over with it, so that going on with another overtakes nobody
    cost: int  # without a preemption


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
        self._on = set(kinds)
        self._ways: dict[tuple[int, int, int], tuple[Way, ...]] = {}
        self._timed = [self._count + place for place in ledger.timed]
        self._clocks = [self._count + place for place in ledger.clocks]
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
            for way in self._ways_of(worker, state):
                if not way.mask:
                    able.add(worker)
                elif not state[-1] & way.mask:
                    continue
                found.append(self._step(state, worker, way))
        self._timers(state, bool(able), found)
        self._crashes(state, found)
        everything = found  # who is held back by the order of an overtaking is not at rest
        if self._spot:
            found = self._spot.kept(found, state, self._system, self._histories)
        for one in found:
            if one.move.fault:
                self.struck[one.move.fault].add(state[one.worker] if one.worker >= 0 else NOBODY)
        rests = all(one.move.fault for one in (everything if isinstance(self._spot, Overtaking) else found))
        return found, able, rests

    def _ways_of(self, worker: int, state: Numbers) -> tuple[Way, ...]:
        node = state[worker]
        op = self._histories.op[node]
        if op == ENDED:
            return ()
        place = self._ledger.place[self._histories.ops.things[op].resource]
        key = (worker, node, state[self._count + place])
        found = self._ways.get(key)
        if found is None:
            found = self._ways[key] = tuple(self._look_up(worker, node, op, place, key[2]))
        return found

    def _look_up(self, worker: int, node: int, op: int, place: int, number: int) -> list[Way]:
        name = self._workers[worker]
        ways = []
        for effect in self._ledger.effects(place, number, op, name):
            fault = effect.outcome.fault
            child = self._histories.child(node, effect.answer)
            over = self._histories.op[child] == ENDED
            move = Move("step", name, outcome=effect.outcome, fault=fault)
            unit, mask = (UNITS[fault], MASKS[fault]) if fault else (0, 0)
            after = self._after_run(worker, child) if over else child
            ways.append(Way(move, self._count + place, effect.state, after, over, unit, mask))
        return ways

    def _after_run(self, worker: int, node: int) -> int:
        """A consumer starts again for the next message, a failed process is started again; others have ended."""
        name = self._workers[worker]
        if self._histories.error[node] is None:
            again = name in self._system.consumers
            return self._histories.root(name, self._histories.start[node][1]) if again else node
        return node if node in self._histories.bugs else self._histories.next_root(name, node)

    def _step(self, state: Numbers, worker: int, way: Way) -> Next:
        after = list(state)
        after[worker] = way.node
        after[way.place] = way.state
        after[-1] -= way.unit
        if way.over:
            self._orphan(after, worker)
        return Next(self._number(tuple(after)), way.move, worker, True, way.over, COSTS[way.move.fault])

    def _orphan(self, state: list[int], worker: int) -> None:
        for place in self._timed:
            state[place] = self._ledger.after(place - self._count, state[place], "owner_gone", self._workers[worker])

    def _timers(self, state: Numbers, somebody_can_step: bool, found: list[Next]) -> None:
        """A timer runs out for free when its owner is dead or everyone waits; else somebody must have stalled."""
        for place in self._timed:
            for timer in self._ledger.timers(place - self._count, state[place]):
                early = somebody_can_step and timer.owner is not None
                if early and not ("pauses" in self._on and state[-1] & MASKS["pauses"]):
                    continue
                after = list(state)
                after[place] = self._ledger.after(place - self._count, state[place], "expire", timer.id)
                if early:
                    after[-1] -= UNITS["pauses"]
                for clock in self._clocks:
                    after[clock] = self._ledger.after(clock - self._count, after[clock], "advance", timer.seconds)
                resource = self._ledger.names[place - self._count]
                fault = "pauses" if early else None
                move = Move("timer", "", resource, timer.id, fault=fault)
                found.append(Next(self._number(tuple(after)), move, NOBODY, False, False, COSTS[fault]))

    def _crashes(self, state: Numbers, found: list[Next]) -> None:
        if "crashes" in self._on and state[-1] & MASKS["crashes"]:
            found += [self._crash(state, worker) for worker in range(self._count) if self._can_crash(state, worker)]
        if "node_losses" in self._on and state[-1] & MASKS["node_losses"]:
            found += [self._lose(state, worker) for worker in range(self._count) if self._can_crash(state, worker)]
        if "power_losses" in self._on and state[-1] & MASKS["power_losses"]:
            found += self._power_losses(state)
        if "redeliveries" in self._on and state[-1] & MASKS["redeliveries"]:
            found += [self._again(state, worker) for worker in range(self._count) if self._is_done(state, worker)]

    def _can_crash(self, state: Numbers, worker: int) -> bool:
        """Before its first step a process has nothing to lose; one that has returned has done its task."""
        node = state[worker]
        return self._histories.op[node] != ENDED and self._histories.parent[node][0] != ENDED

    def _is_done(self, state: Numbers, worker: int) -> bool:
        node = state[worker]
        return self._histories.op[node] == ENDED and node not in self._histories.bugs

    def _crash(self, state: Numbers, worker: int) -> Next:
        after = list(state)
        after[worker] = self._histories.next_root(self._workers[worker], state[worker])
        after[-1] -= UNITS["crashes"]
        self._orphan(after, worker)
        return self._gone(after, Move("crash", self._workers[worker], fault="crashes"), worker)

    def _lose(self, state: Numbers, worker: int) -> Next:
        after = list(state)
        after[worker] = self._histories.gone(state[worker])
        after[-1] -= UNITS["node_losses"]
        self._orphan(after, worker)
        return self._gone(after, Move("node loss", self._workers[worker], fault="node_losses"), worker)

    def _again(self, state: Numbers, worker: int) -> Next:
        after = list(state)
        after[worker] = self._histories.next_root(self._workers[worker], state[worker])
        after[-1] -= UNITS["redeliveries"]
        return self._gone(after, Move("again", self._workers[worker], fault="redeliveries"), worker)

    def _gone(self, after: list[int], move: Move, whose: int) -> Next:
        """Something that ends a process."""
        return Next(self._number(tuple(after)), move, whose, False, True, COSTS[move.fault])

    def _power_losses(self, state: Numbers) -> list[Next]:
        running = [worker for worker in range(self._count) if self._can_crash(state, worker)]
        numbers = state[self._count : -1]
        ways = self._ledger.power_losses(numbers)
        if not running and ways == 1:
            return []
        after = list(state)
        for worker in range(self._count):
            if self._histories.op[state[worker]] != ENDED:
                after[worker] = self._histories.next_root(self._workers[worker], state[worker])
        after[-1] -= UNITS["power_losses"]
        found = []
        for choice in range(ways):
            after[self._count : -1] = self._ledger.lose_power(numbers, choice)
            move = Move("power loss", outcome=Outcome(None, choice), fault="power_losses")
            found.append(self._gone(after, move, EVERYBODY))
        return found
