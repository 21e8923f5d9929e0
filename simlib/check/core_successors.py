"""What the compiled core asks about a system: each method is called once for each thing that is new to it.

There, a state is a row of numbers: each worker's node, each resource's state, what is left of the budget. Prices, what
is left, edges and events are numbered as they come; NONE stands for what there is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, cast

from simlib.check import core
from simlib.check.behaviour import ENDED
from simlib.check.edges import FAULT, Edge
from simlib.check.encoding import Numbers
from simlib.check.local_states import LocalStates
from simlib.check.resource_states import ResourceStates
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.check.successors import Following, Successors
from simlib.model.fault import POWER_LOSSES
from simlib.model.system import System
from simlib.schedule.budget import Budget
from simlib.schedule.transition import RULES, STRIKES, Kind

NONE = 0xFFFFFFFF
STEPS, OVER, IS_FAULT = 1, 2, 4  # of an edge
ASLEEP, BUG, RUNNING = 1, 2, 4  # of a node
WORKERS_EVENTS = ("owner_gone", "fell_asleep", "cancelled")  # their numbers are 3 * worker + 0, 1, 2
KINDS = [*RULES]


class Numbered:
    """Numbers for things: equal things get equal numbers."""

    def __init__(self, things: Iterable[Any]) -> None:
        self.things: list[Any] = []
        self._numbers: dict[Hashable, int] = {}
        for thing in things:
            self.number(thing)

    def number(self, thing: Any) -> int:
        number = self._numbers.setdefault(thing, len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


class States(Sequence[int]):
    """The core's states, each as one number; see Encoding."""

    def __init__(self, successors: CoreSuccessors) -> None:
        self._successors = successors

    def __len__(self) -> int:
        return int(self._successors.space.so_far()[0])

    def __getitem__(self, number: int) -> int:  # type: ignore[override]
        return self._successors.packed(self._successors.space.row(number))


class CoreSuccessors(Successors):
    """The same states and edges as Successors, kept and looked up in the core."""

    def __init__(
        self,
        system: System,
        local_states: LocalStates,
        resource_states: ResourceStates,
        budget: Budget,
        location: FaultLocation | Overtaking | None = None,
    ) -> None:
        super().__init__(system, local_states, resource_states, budget, location)
        self.space: Any = None
        self.states = cast(list[int], States(self))  # nobody writes to it
        self._plain = Successors(system, local_states, resource_states, budget, location)
        self._left, self._price, self._edge = Numbered([0]), Numbered([(0, 0)]), Numbered([])
        self._event = Numbered((event, worker) for worker in self._workers for event in WORKERS_EVENTS)

    def tell_nobody_apart(self) -> None:
        super().tell_nobody_apart()
        self._plain.tell_nobody_apart()

    def begin(self, claimed: Iterable[int]) -> int:
        """Hand the system over; no property looks at resources other than those `claimed`. The first state's number."""
        first, resource_states, symmetry = self._first(), self._resource_states, self.symmetry
        workers, neighbours = range(len(self._workers)), self._neighbours
        self.space = core.module().Space(
            len(self._workers),
            len(resource_states.names),
            self._prices.shared,
            symmetry is not None,
            self._location is not None,
            tuple(resource_states.owning),
            tuple(resource_states.owned),
            tuple(self._world.clocks),
            tuple(claimed),
            tuple(low for _, low, _ in neighbours),
            tuple(high for _, _, high in neighbours),
            tuple(symmetry.last(worker) if symmetry else worker for worker in workers),
            tuple(map(tuple, symmetry.groups)) if symmetry else (),
            tuple(_kind(at, kind) for at, kind in enumerate(KINDS) if RULES[kind].fault),
            resource_states.timed,
        )  # fmt: skip
        return int(self.space.add(self._row(first)))

    def in_state(self, number: int) -> Following:
        targets, edges, able, rests = self.space.following(self, number)
        return [*targets], [self.edge(edge) for edge in edges], able, bool(rests)

    def edge(self, number: int) -> Edge:
        """The edge with this number."""
        return cast(Edge, self._edge.things[number])

    def note_struck(self) -> None:
        """Note where faults could strike so far."""
        self._prices.note(map(self.edge, self.space.struck() if self.space else ()))
        for mine, more in zip(self.struck, self._plain.struck):
            mine |= more

    def packed(self, row: Numbers) -> int:
        """A state as one number."""
        return self.encoding.pack(row[:-1], self._left.things[row[-1]])

    def _row(self, state: int) -> Numbers:
        encoding = self.encoding
        numbers = encoding.numbers(encoding.world(state))
        return (*encoding.nodes(state), *numbers, self._left.number(state >> encoding.budget))

    # What is new

    def steps(self, worker: int, node: int, number: int, left: int) -> tuple[Numbers, ...]:
        """How a worker's step can go: its price, the worker's node and the resource's state afterwards, the edge."""
        ways = self._ways.of_step(worker, self._left.things[left], node, number)
        price, edge = self._price.number, self._edge.number
        return tuple((price(way.price), way.node, way.state, edge(way.edge)) for way in ways)

    def timers(self, resource: int, number: int, left: int) -> tuple[Numbers, ...]:
        """Of each running timer: whether it has an owner, the state after it, the event of the time that passes, the
        price of being early, and the edges.
        """
        found = []
        for timer, seconds, after, free, price, early in self._ways.of_timers(
            resource, number, self._left.things[left]
        ):
            passing = self._event.number(("advance", seconds)) if seconds and self._world.clocks else NONE
            cost = NONE if price is None else self._price.number(price)
            edges = self._edge.number(free), self._edge.number(early)
            found.append((timer.owner is not None, after, passing, cost, *edges))
        return tuple(found)

    def ending(self, kind: int, worker: int, node: int, left: int) -> Numbers | None:
        """What strikes a worker: its price, the worker's node afterwards, the edge; None if it cannot."""
        found = self._ways.of_strike(KINDS[kind], worker, node, self._left.things[left])
        return found and (self._price.number(found.price), found.node, self._edge.number(found.edge))

    def power_price(self, left: int) -> int:
        """The price of a power loss."""
        _, price = self._prices.of(POWER_LOSSES, self._left.things[left])
        return NONE if price is None else self._price.number(price)

    def power_edges(self, count: int, left: int) -> Numbers:
        """The edges of so many ways to lose power."""
        payers, _ = self._prices.of(POWER_LOSSES, self._left.things[left])
        return tuple(map(self._edge.number, self._ways.power_losses(count, payers)))

    def worlds_after_power_loss(self, numbers: Numbers) -> tuple[Numbers, ...]:
        """Every world that can follow this one on a power loss."""
        return tuple(self._resource_states.power_losses(numbers))

    def restarted(self, worker: int, node: int) -> int:
        """The worker's node after a power loss."""
        return self._ways.restarted(worker, node)

    def after(self, event: int, resource: int, number: int) -> int:
        """The resource's state after an event."""
        name, argument = self._event.things[event]
        if name == "renamed":
            return self._resource_states.renamed(resource, number, argument)
        return self._resource_states.after(resource, number, name, argument)

    def rotation(self, worker: int, rank: int) -> int:
        """The event of the new names when this worker moves to this rank."""
        assert self.symmetry is not None
        return self._event.number(("renamed", self.symmetry.names(worker, rank)))

    def permutation(self, group: Numbers, ranks: Numbers) -> int:
        """The event of the new names when these ranks take the places of this group."""
        called = self._workers
        return self._event.number(("renamed", tuple((called[one], called[at]) for at, one in zip(group, ranks))))

    def pay(self, price: int, left: int) -> int:
        """What is left after this price; NONE if it cannot be paid."""
        (mask, cost), before = self._price.things[price], self._left.things[left]
        return self._left.number(before + cost) if before & mask else NONE

    def kinds_on(self, left: int) -> int:
        """A bit for each kind of strike of which something is left."""
        masks, before = self._prices.masks, self._left.things[left]
        on = (at for at, kind in enumerate(KINDS) if before & masks.get(RULES[kind].fault or "", 0))
        return sum(1 << at for at in on)

    def nodes_from(self, first: int) -> tuple[Numbers, ...]:
        """Of each node from this one on: its step's resource, and its flags."""
        return tuple(map(self._node, range(first, len(self._local_states.op))))

    def _node(self, node: int) -> Numbers:
        resource, local_states = self._local_states.resource_of[node], self._local_states
        running = local_states.standing(node).running
        flags = ASLEEP * local_states.asleep[node] + BUG * (node in local_states.bugs) + RUNNING * running
        return NONE if resource == ENDED else resource, flags

    def edges_from(self, first: int) -> tuple[Numbers, ...]:
        """Of each edge from this one on: its price and cost to the search, its worker, and its flags."""
        edges: list[Edge] = self._edge.things[first:]
        return tuple(
            (
                edge.price,
                edge.cost,
                edge.worker,
                STEPS * edge.steps + OVER * edge.over + IS_FAULT * (edge.cost >= FAULT),
            )
            for edge in edges
        )

    def everything(self, row: Numbers) -> tuple[tuple[Numbers, ...], Numbers, int, bool]:
        """All that can happen where somebody sleeps or waits: the next rows, edges, who is able, whether it rests."""
        targets, edges, able, rests = self._plain.in_one_state(self.packed(row))
        return tuple(map(self._row, targets)), tuple(map(self._edge.number, edges)), able, rests

    def allowed(self, nodes: Numbers, edges: Numbers) -> Numbers:
        """Which of these edges may be taken in a search that is restricted to one place."""
        assert self._location is not None
        found = [(place, self.edge(edge)) for place, edge in enumerate(edges)]
        kept = self._location.kept(found, [*nodes], self._system, self._local_states)
        return tuple(place for place, _ in kept)


def _kind(number: int, kind: Kind) -> Numbers:
    """What the core knows of a kind: whether it is a power loss, is told to the worker, starts it."""
    return number, kind not in STRIKES, RULES[kind].fate == "told", RULES[kind].fate == "started"
