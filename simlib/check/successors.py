"""What can happen next in a state of the whole system. States are encoded as numbers, and indexed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from simlib.check.behaviour import ENDED
from simlib.check.counters import Counters
from simlib.check.edges import FAULT, Edge
from simlib.check.encoding import FIELD, MASK, Encoding
from simlib.check.local_states import LocalStates
from simlib.check.prices import Prices
from simlib.check.resource_states import ResourceStates
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.check.symmetry import Symmetry
from simlib.check.ways import Ways
from simlib.check.world import World
from simlib.model.fault import POWER_LOSSES
from simlib.model.system import System
from simlib.model.timing import Slept, Timer
from simlib.schedule.budget import Budget
from simlib.schedule.transition import RULES, STRIKES, Kind, is_early, matters

NO_ONE: frozenset[str] = frozenset()
# A step, memoised: the bits of the budget of which one has to be set, what it adds to the state, the worker's next
# node, and the edge.
Step = tuple[int, int, int, Edge]
# What a worker's step can come to: its bit if it can take it; the ways without a fault; and all ways.
Steps = tuple[int, list[Step], list[Step]]
# What ends a worker's process, memoised in the same way.
Ending = Step
# All that can happen: the next states and the edges; a bit for each worker that can take a step; and whether, without
# a fault, nothing more can happen.
Following = tuple[list[int], list[Edge], int, bool]


class RunningTimer(NamedTuple):
    """A running timer, the seconds it has left, and what is added when it runs out for free; with how it runs out too
    early: the bits of the budget of which one has to be set, and what is added besides.
    """

    timer: Timer
    left: float
    change: int
    free: Edge
    mask: int
    price: int
    early: Edge


class Successors:
    """The states, by number, and what can happen in each."""

    def __init__(
        self,
        system: System,
        local_states: LocalStates,
        resource_states: ResourceStates,
        budget: Budget,
        location: FaultLocation | Overtaking | None = None,
    ) -> None:
        self.states: list[int] = []
        self._numbers: dict[int, int] = {}
        self._system = system
        self._local_states = local_states
        self._resource_states = resource_states
        self._workers = list(system.cast)
        self.encoding = Encoding(len(self._workers), len(resource_states.names))
        self._steps: list[dict[int, Steps]] = [{} for _ in self._workers]
        self._endings: dict[Kind, list[dict[int, Ending | None]]] = {
            kind: [{} for _ in system.cast] for kind in STRIKES
        }
        self._running_timers: dict[tuple[int, int, int], list[RunningTimer]] = {}
        self._location = location
        self.symmetry: Symmetry | None = None
        self._neighbours = [(worker, 0, 0) for worker in range(len(self._workers))]  # as in Symmetry
        self._world = World(self._workers, local_states, resource_states, self.encoding)
        self.counts: Counters | None = None
        self._named: dict[Hashable, int] = {}  # the states by name, where counts are merged
        self._prices = Prices(system, budget)
        self.struck = self._prices.struck
        self._ways = Ways(system, local_states, resource_states, self._prices)

    def tell_nobody_apart(self) -> None:
        """From now on, one state stands for all that differ only by swapping identical workers."""
        self.symmetry = Symmetry(self._system, self.encoding, self._resource_states)
        self._neighbours, self._ways.symmetry = self.symmetry.neighbours, self.symmetry

    def initial(self) -> int:
        return self._number(self._first())

    def _first(self) -> int:
        roots = tuple(self._local_states.root(worker) for worker in self._workers)
        state = self.encoding.pack((*roots, *self._resource_states.initial), self._prices.whole)
        for worker, node in enumerate(roots):
            state = self._world.fall_asleep(state, worker, node)
        return state

    def _number(self, state: int) -> int:
        number = self._numbers.get(state)
        if number is None:
            number = len(self.states)
            if self.counts is not None:
                number = self._named.setdefault(self.counts.name(state), number)
            self._numbers[state] = number
            if number == len(self.states):
                self.states.append(state)
        return number

    def in_state(self, number: int) -> Following:
        """Everything that makes a difference: `of`, without a wait for a message that ends where it began.

        Whoever can do nothing else is idle, as if it waited without an end: no clock moves for it, either.
        """
        following = self.of(self.states[number])
        if not self._local_states.waits:
            return following
        found = [*zip(following[0], following[1])]
        kept = [(target, edge) for target, edge in found if not (edge.gives_up and self._alike(target, number))]
        idle = {edge.worker for target, edge in found if edge.gives_up and self._alike(target, number)}
        able = following[2] & ~sum(1 << worker for worker in idle)
        rests = not able and all(edge.cost >= FAULT for _, edge in kept)
        return [target for target, _ in kept], [edge for _, edge in kept], able, rests

    def in_one_state(self, state: int) -> Following:
        """The same for a single state, with the next states themselves in place of their numbers; none is kept."""
        self.states.clear()
        self._numbers.clear()
        targets, edges, able, rests = self.in_state(self._number(state))
        return [self.states[target] for target in targets], edges, able, rests

    def _alike(self, one: int, other: int) -> bool:
        """Whether these states are one but for what the clocks show."""
        apart = self.states[one] ^ self.states[other]
        for clock in self._resource_states.clocks if apart else ():
            apart &= ~(MASK << self.encoding.resources[clock])
        return one == other or not apart

    def of(self, state: int) -> Following:
        """Everything that may happen, in the order in which to try it."""
        encoding, resource_of, owning = self.encoding, self._local_states.resource_of, self._resource_states.owning
        world, symmetry, sleepy, asleep = self._world, self.symmetry, self._world.sleepy, self._local_states.asleep
        states, number_of, resources = self.states, self._numbers.setdefault, encoding.resources
        nodes, left, able = [state >> shift & MASK for shift in encoding.workers], state >> encoding.budget, 0
        bounds, counts, priced = [*nodes, 0, MASK], self.counts, left << 2 * FIELD if self._prices.shared else 0
        busy = self._busy(state, nodes) if sleepy and True in [asleep[node] for node in nodes] else NO_ONE
        targets, edges = list[int](), list[Edge]()
        for worker, low, high in self._neighbours:
            node = nodes[worker]
            resource = resource_of[node]
            if resource == ENDED:
                continue
            key = priced | node << FIELD | state >> resources[resource] & MASK
            bit, free, every = self._steps[worker].get(key) or self._look_up(worker, key)
            sleepy = sleepy or self._local_states.waits  # that may have come to the first wait
            nap = self._nap(state, worker, node, busy) if sleepy and asleep[node] else None
            if nap and world.lasts(state, node) and world.oversleeps(state, nap):
                bit, free, every = 0, [], [one for one in every if one[0]]
            able |= bit
            for mask, change, goes_to, edge in every if left else free:
                if mask and not left & mask:
                    continue
                after = state + change
                if nap:
                    after = world.end_nap(after, state, node, nap._replace(seconds=0) if mask else nap)
                if owning and edge.over:
                    after = world.end_process(after, worker)
                if sleepy and asleep[goes_to]:
                    after = world.fall_asleep(after, worker, goes_to)
                if symmetry and not bounds[low] <= goes_to <= bounds[high]:
                    after = symmetry.overtaken(after, nodes, worker, goes_to)
                # `_number`, inlined: a call costs as much as all the rest.
                number = number_of(after, len(states)) if counts is None else self._number(after)
                if number == len(states):
                    states.append(after)
                targets.append(number)
                edges.append(edge)
        if self._resource_states.timed:
            self._timers(state, nodes, bool(able), busy, targets, edges)
        if left:
            self._strikes(state, nodes, bounds, targets, edges)
        # A worker that the location holds back is not at rest.
        rests = not able and all(edge.cost >= FAULT for edge in edges)
        if self._location:
            targets, edges = self._restricted(targets, edges, nodes)
        if left:
            self._prices.note(edges)
        return targets, edges, able, rests

    def _restricted(self, targets: list[int], edges: list[Edge], nodes: list[int]) -> tuple[list[int], list[Edge]]:
        """Only what may happen in a search that is restricted to one place."""
        assert self._location is not None
        kept = self._location.kept([*zip(targets, edges)], nodes, self._system, self._local_states)
        return [target for target, _ in kept], [edge for _, edge in kept]

    def _busy(self, state: int, nodes: list[int]) -> frozenset[str]:
        """The workers that can do something now other than sleep on."""
        found = set()
        for worker, node in enumerate(nodes):
            resource = self._local_states.resource_of[node]
            if resource != ENDED and not self._world.lasts(state, node):
                key = node << FIELD | self._world.number(state, resource)
                if (self._steps[worker].get(key) or self._look_up(worker, key))[0]:
                    found.add(self._workers[worker])
        return frozenset(found)

    def _nap(self, state: int, worker: int, node: int, busy: frozenset[str]) -> Slept:
        """This worker's sleep or wait, at its end; one of no time if it waits for a message and there is one."""
        lasts = self._world.lasts(state, node)
        return Slept(self._workers[worker], self._world.seconds(node) if lasts else 0, busy)

    def _look_up(self, worker: int, key: int) -> Steps:
        left, node, number = key >> 2 * FIELD, key >> FIELD & MASK, key & MASK
        resource, every = self._local_states.resource_of[node], list[Step]()
        for (mask, cost), state, after, edge in self._ways.of_step(worker, left, node, number):
            change = (after - node << self.encoding.workers[worker]) + self._world.change(resource, number, state)
            every.append((mask, change + (cost << self.encoding.budget), after, edge))
        free = [step for step in every if not step[0]]
        steps = self._steps[worker][key] = (1 << worker if free else 0), free, every
        return steps

    def _timers(
        self, state: int, nodes: list[int], able: bool, busy: frozenset[str], targets: list[int], edges: list[Edge]
    ) -> None:
        asleep, left = self._world.sleepers(state, nodes), state >> self.encoding.budget
        priced = left if self._prices.shared else 0
        for resource in self._resource_states.timed:
            number = self._world.number(state, resource)
            key = resource, number, priced
            found = self._running_timers.get(key) or self._timers_of(*key)
            for timer, seconds, change, free, mask, price, stalled in found:
                early = is_early(timer, able, asleep, busy)
                if early and not left & mask:
                    continue
                after = state + change + (price if early else 0)
                targets.append(self._number(self._world.pass_time(after, seconds)))
                edges.append(stalled if early else free)

    def _timers_of(self, resource: int, number: int, priced: int) -> list[RunningTimer]:
        found = self._running_timers[resource, number, priced] = []
        for timer, seconds, after, free, price, early in self._ways.of_timers(resource, number, priced):
            change, (mask, cost) = self._world.change(resource, number, after), price or (0, 0)
            found.append(RunningTimer(timer, seconds, change, free, mask, cost << self.encoding.budget, early))
        return found

    def _strikes(self, state: int, nodes: list[int], bounds: list[int], targets: list[int], edges: list[Edge]) -> None:
        """What strikes workers from outside, as far as the budget allows."""
        left, symmetry, owning = state >> self.encoding.budget, self.symmetry, self._resource_states.owning
        priced = left << FIELD if self._prices.shared else 0
        for kind, rule in RULES.items():
            if rule.fault is None or not left & self._prices.masks[rule.fault]:
                continue
            if kind not in STRIKES:
                self._power_losses(state, nodes, targets, edges)
                continue
            endings = self._endings[kind]
            for worker, low, high in self._neighbours:
                key, known = nodes[worker] | priced, endings[worker]
                ending = known[key] if key in known else self._ending(kind, worker, key)
                if ending is None or not left & ending[0]:
                    continue
                _, change, goes_to, edge = ending
                after = state + change
                if rule.fate == "told":
                    after = self._world.interrupt(after, worker, nodes[worker])
                if owning and edge.over and rule.fate != "started":
                    after = self._world.end_process(after, worker)
                after = self._world.fall_asleep(after, worker, goes_to)
                if symmetry and not bounds[low] <= goes_to <= bounds[high]:
                    after = symmetry.overtaken(after, nodes, worker, goes_to)
                targets.append(self._number(after))
                edges.append(edge)

    def _ending(self, kind: Kind, worker: int, key: int) -> Ending | None:
        """What this does to a worker at this node; None if it cannot happen there."""
        node, ending = key & MASK, None
        found = self._ways.of_strike(kind, worker, node, key >> FIELD)
        if found:
            (mask, cost), after, edge = found
            change = (after - node << self.encoding.workers[worker]) + (cost << self.encoding.budget)
            ending = mask, change, after, edge
        self._endings[kind][worker][key] = ending
        return ending

    def _power_losses(self, state: int, nodes: list[int], targets: list[int], edges: list[Edge]) -> None:
        left = state >> self.encoding.budget
        payers, price = self._prices.of(POWER_LOSSES, left)
        worlds = list(self._resource_states.power_losses(self.encoding.numbers(self.encoding.world(state))))
        if price is None or not matters(len(worlds), map(self._local_states.standing, nodes)):
            return
        everybody = tuple(self._ways.restarted(worker, node) for worker, node in enumerate(nodes))
        after = [self.encoding.pack((*everybody, *world), left + price[1]) for world in worlds]
        for worker, node in enumerate(everybody):
            after = [self._world.fall_asleep(one, worker, node) for one in after]
        targets += map(self._number, map(self.symmetry.sorted, after) if self.symmetry else after)
        edges += self._ways.power_losses(len(worlds), payers)
