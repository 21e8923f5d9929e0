"""Workers that are alike: who of them is where makes no difference, so that all ways to name them are one state.

A worker that does not ask who it is is a function of its answers, and the world knows it by name alone, as the owner
of a lease or of a delivery. Exchange the names of two workers of one role, everywhere, and what can happen is the same
with the names exchanged. So of all states that differ in that alone, one is visited: the one in which the workers of
each role stand in the order of their nodes (Ip and Dill 1996, "Better verification through symmetry").
"""

from __future__ import annotations

from simlib.engines.explore.layout import MASK, Layout
from simlib.engines.explore.ledger import Ledger
from simlib.ops import Op
from simlib.resources.base import State
from simlib.system import System


class NotAlike(Exception):
    """Workers of one role can be told apart, or what was found is to be told of each by name."""


class Symmetry:
    """The workers of one role stand side by side. False where no two are alike."""

    def __init__(self, system: System, layout: Layout, ledger: Ledger) -> None:
        self._layout = layout
        self._ledger = ledger
        self._workers = list(system.cast)
        self.groups = alike(system)
        count = len(self._workers)
        inside = [any(worker in group and worker + 1 in group for group in self.groups) for worker in range(count)]
        self._before = [worker > 0 and inside[worker - 1] for worker in range(count)]
        self._after = inside

    def __bool__(self) -> bool:
        return bool(self.groups)

    def check(self, worker: int, state: State, op: Op) -> None:
        """Raise NotAlike where this step tells one of several workers who are alike who it is."""
        if state.tells_names(op) and any(worker in group for group in self.groups):
            raise NotAlike

    def disorders(self, nodes: list[int], worker: int, node: int) -> bool:
        """Whether this worker, if it goes to this node, has overtaken one like it."""
        return (self._before[worker] and nodes[worker - 1] > node) or (self._after[worker] and node > nodes[worker + 1])

    def sorted(self, state: int) -> int:
        """The state that stands for this one."""
        for group in self.groups:
            nodes = [state >> self._layout.workers[worker] & MASK for worker in group]
            ranks = sorted(range(len(nodes)), key=nodes.__getitem__)
            if ranks == list(range(len(nodes))):
                continue
            for worker, rank in zip(group, ranks):
                state += nodes[rank] - nodes[worker - group[0]] << self._layout.workers[worker]
            names = {self._workers[group[rank]]: self._workers[worker] for worker, rank in zip(group, ranks)}
            state = self._renamed(state, names)
        return state

    def _renamed(self, state: int, names: dict[str, str]) -> int:
        for place in self._ledger.owned:
            number = state >> self._layout.resources[place] & MASK
            state += self._ledger.renamed(place, number, names) - number << self._layout.resources[place]
        return state


def alike(system: System) -> list[range]:
    """The places of those workers who run the same and do not ask who they are, where these are two or more."""
    roles = list(system.cast.values())
    groups = [range(roles.index(role), roles.index(role) + roles.count(role)) for role in dict.fromkeys(roles)]
    return [group for group in groups if len(group) > 1 and not roles[group[0]].knows_itself]
