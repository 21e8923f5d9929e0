"""How one worker's step, one resource's timers or one strike can go: what a search works out once, and looks up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simlib.check.behaviour import ENDED
from simlib.check.edges import COSTS, EVERYBODY, NOBODY, Edge
from simlib.check.local_states import LocalStates
from simlib.check.prices import FREE, Prices
from simlib.check.resource_states import ResourceStates
from simlib.check.symmetry import Symmetry
from simlib.model.fault import PAUSES
from simlib.model.operation import BEGUN
from simlib.model.system import System
from simlib.model.timing import Timer, waits
from simlib.schedule.transition import RULES, STRIKES, Kind, Transition, power_loss, step, strike, timeout

Price = tuple[int, int]  # the bits of the budget of which one has to be set, and what it adds to the budget


class Way(NamedTuple):
    """One way in which a step can go: the state of its resource afterwards, and the worker's node."""

    price: Price
    state: int
    node: int
    edge: Edge


class Expiry(NamedTuple):
    """A running timer, the seconds it has left, and the state after it has run out; `price` is that of running out too
    early, None if nobody can pay.
    """

    timer: Timer
    left: float
    state: int
    free: Edge
    price: Price | None
    early: Edge


class Strike(NamedTuple):
    """What strikes a worker from outside, and its node afterwards."""

    price: Price
    node: int
    edge: Edge


class Ways:
    """Works them out. `left` is what is left of the budget; it matters only if slots are shared."""

    def __init__(
        self, system: System, local_states: LocalStates, resource_states: ResourceStates, prices: Prices
    ) -> None:
        self._workers = list(system.cast)
        self._local_states, self._resource_states, self._prices = local_states, resource_states, prices
        self._power_losses: list[Edge] = []
        self.symmetry: Symmetry | None = None

    def of_step(self, worker: int, left: int, node: int, number: int) -> Iterator[Way]:
        """How the worker's step at this node can go, if its resource is in the state with this number."""
        name, op, resource = self._workers[worker], self._local_states.op[node], self._local_states.resource_of[node]
        asked = self._local_states.ops.things[op]
        if self.symmetry:
            self.symmetry.check(self._resource_states.state(resource, number), asked)
        waiting = waits(asked) and self._resource_states.state(resource, number).lasts(asked)
        for effect in self._resource_states.effects(resource, number, op, name):
            fault = effect.outcome.fault
            payers, price = self._prices.of(fault, left, self._resource_states.names[resource], name) if fault else FREE
            if price is None:
                continue
            begins = effect.outcome == BEGUN
            child = self._local_states.begun(node) if begins else self._local_states.child(node, effect.answer)
            over, after = self._local_states.op[child] == ENDED, self._local_states.after_run(name, child)
            gives_up, strikes = waiting and not fault, node if fault else None
            edge = Edge(step(name, effect.outcome), worker, True, over, COSTS[fault], strikes, gives_up, payers=payers)
            yield Way(price, effect.state, after, edge)

    def of_timers(self, resource: int, number: int, left: int) -> Iterator[Expiry]:
        """How each timer that runs in this state of a resource can run out."""
        name = self._resource_states.names[resource]
        for timer in self._resource_states.timers(resource, number):
            after = self._resource_states.after(resource, number, "expire", timer.id)
            payers, price = self._prices.of(PAUSES, left, name, timer.owner)
            free = _for_all(timeout(name, timer, early=False))
            early = _for_all(timeout(name, timer, early=True), payers)
            yield Expiry(timer, max(0, timer.seconds - timer.elapsed.aged), after, free, price, early)

    def of_strike(self, kind: Kind, worker: int, node: int, left: int) -> Strike | None:
        """What this does to a worker at this node; None if it cannot happen there."""
        name = self._workers[worker]
        payers, price = self._prices.of(RULES[kind].fault or "", left, who=name)
        if price is None or not STRIKES[kind](self._local_states.standing(node)):
            return None
        after = self._local_states.meet(RULES[kind].fate, name, node)
        # Unless it goes on from where it was told to stop, its run is over.
        over = RULES[kind].fate != "told" or self._ends(node, self._local_states.told_to_stop)
        move = strike(kind, name)
        return Strike(price, after, Edge(move, worker, False, over, COSTS[move.fault], node, payers=payers))

    def _ends(self, node: int, answer: int) -> bool:
        return self._local_states.op[self._local_states.child(node, answer)] == ENDED

    def restarted(self, worker: int, node: int) -> int:
        """The worker's node after a power loss."""
        if self._local_states.op[node] == ENDED:
            return node
        return self._local_states.meet("killed", self._workers[worker], node)

    def power_losses(self, count: int, payers: tuple[int, ...]) -> list[Edge]:
        """The edges of so many ways to lose power."""
        for choice in range(len(self._power_losses), count):
            move = power_loss(choice)
            self._power_losses.append(Edge(move, EVERYBODY, False, True, COSTS[move.fault], NOBODY, payers=payers))
        return self._power_losses[:count]


def _for_all(move: Transition, payers: tuple[int, ...] = ()) -> Edge:
    """The edge of a move that is no single worker's."""
    return Edge(move, NOBODY, False, False, COSTS[move.fault], NOBODY if move.fault else None, payers=payers)
