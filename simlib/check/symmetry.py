"""Symmetry reduction: states that differ only by swapping identical workers count once.

A worker that does not ask for its own name is a function of its answers, and the world knows it by name alone, as the
owner of a lease or of a delivery. Swap the names of two workers of one role everywhere, and what can happen is the same
with the names swapped. So of all such states only one is visited: the one in which the workers of each role are in the
order of their nodes (Ip and Dill 1996, "Better verification through symmetry").

One name does get into an answer: the value that a lock makes up for a lease says who took it. It is left out while
workers are not told apart. Afterwards everything is asked again with each name put in: what a worker does with such a
lease (`minds_names`), and what a property says of such a lock. If an answer differs, the workers are not alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from simlib.check.behaviour import ENDED, op_key
from simlib.check.encoding import FIELD, MASK, Encoding
from simlib.check.local_states import LocalStates
from simlib.check.resource_states import Names, ResourceStates
from simlib.model.operation import Op
from simlib.model.state import State
from simlib.model.system import System
from simlib.resources.lock import Lease, Lock, LockState


class NotAlike(Exception):
    """Raised if workers of one role can be told apart, or a finding has to name each of them."""


class Symmetry:
    """Which of the states that differ only in names stands for all. The workers of one role are adjacent."""

    def __init__(self, system: System, encoding: Encoding, resource_states: ResourceStates) -> None:
        self._encoding = encoding
        self._resource_states = resource_states
        self._workers = list(system.cast)
        self.groups = alike(system)
        self._last = {worker: group[-1] for group in self.groups for worker in group}
        self._rotations: dict[tuple[int, int], Names] = {}
        # For each worker, its neighbours in its group; in place of none, the index of the lowest or the highest node
        count = len(self._workers)
        first = {group[0] for group in self.groups}
        self.neighbours = [
            (
                worker,
                worker - 1 if worker in self._last and worker not in first else count,
                worker + 1 if worker < self.last(worker) else count + 1,
            )
            for worker in range(count)
        ]
        # Times the difference of their nodes, this swaps a worker with the next one
        self._exchange = [(1 << FIELD * worker) - (1 << FIELD * (worker + 1)) for worker in range(count)]

    def last(self, worker: int) -> int:
        """The last worker of this one's group; itself if it has none."""
        return self._last.get(worker, worker)

    def check(self, state: State, op: Op) -> None:
        """Raise NotAlike for a step that is told the name of a lock's holder, or would be if it were not left out."""
        if isinstance(state, LockState) and state.is_made_up and op.verb == "read":
            raise NotAlike

    def overtaken(self, state: int, nodes: list[int], worker: int, node: int) -> int:
        """The state that stands for this one, in which a worker has moved to `node`, out of the order of `nodes`."""
        rank = worker
        while rank < self._last[worker] and nodes[rank + 1] < node:
            state += (nodes[rank + 1] - node) * self._exchange[rank]
            rank += 1
        while rank <= worker and self.neighbours[rank][1] < rank and nodes[rank - 1] > node:
            rank -= 1
            state += (node - nodes[rank]) * self._exchange[rank]
        return self._renamed(state, self.names(worker, rank)) if self._resource_states.owned else state

    def names(self, worker: int, rank: int) -> Names:
        """Who gets whose name when this worker moves to this rank, and those between make room."""
        found = self._rotations.get((worker, rank))
        if found is None:
            step = 1 if rank < worker else -1
            between = range(rank, worker) if rank < worker else range(worker + 1, rank + 1)
            moved = [*((at, at + step) for at in between), (worker, rank)]
            called = self._workers
            found = self._rotations[worker, rank] = tuple((called[was], called[now]) for was, now in moved)
        return found

    def sorted(self, state: int) -> int:
        """The state that stands for this one."""
        for group in self.groups:
            nodes = self._encoding.nodes(state)
            ranks = sorted(group, key=nodes.__getitem__)
            if ranks == [*group]:
                continue
            for worker, other in zip(group, ranks):
                state += nodes[other] - nodes[worker] << FIELD * worker
            state = self._renamed(
                state, tuple((self._workers[one], self._workers[at]) for at, one in zip(group, ranks))
            )
        return state

    def _renamed(self, state: int, names: Names) -> int:
        for resource in self._resource_states.owned:
            number = state >> self._encoding.resources[resource] & MASK
            state += (
                self._resource_states.renamed(resource, number, names) - number << self._encoding.resources[resource]
            )
        return state


def alike(system: System) -> list[range]:
    """Each group of two or more workers, by index, that run the same and do not ask for their own name."""
    roles = list(system.cast.values())
    groups = [range(roles.index(role), roles.index(role) + roles.count(role)) for role in dict.fromkeys(roles)]
    return [group for group in groups if len(group) > 1 and not roles[group[0]].knows_itself]


def renamings(system: System, workers: Collection[str]) -> Iterator[dict[str, str]]:
    """Every way in which these workers can have the names of workers who are like them, and those have theirs."""
    cast, ways = [*system.cast], []
    for group in alike(system):
        names = [cast[worker] for worker in group]
        old = sorted(names, key=lambda name: name not in workers)
        chosen = itertools.permutations(names, sum(name in workers for name in names))
        ways.append([dict(zip(old, (*new, *(name for name in names if name not in new)))) for new in chosen])
    return ({old: new for names in way for old, new in names.items()} for way in itertools.product(*ways))


def minds_names(local_states: LocalStates, names: Iterable[str]) -> bool:
    """Whether a worker behaves differently if the leases that it gets carry one of these names."""
    leases = {number for number, answer in enumerate(local_states.answers.things) if isinstance(answer, Lease)}
    edges = [
        (node, answer, child)
        for node, answers in enumerate(local_states.children)
        for answer, child in answers.items()
        if any(told in leases for _, told in (*local_states.history(node), (node, answer)))
    ]
    return any(_minds_name(local_states, who, edges) for who in names)


def _minds_name(local_states: LocalStates, who: str, edges: list[tuple[int, int, int]]) -> bool:
    held: dict[int, Hashable] = {}
    for node, answer, child in edges:
        local_states.system.watchdog.heed()
        process = local_states.system.start(*local_states.start[node])
        for _, told in (*local_states.history(node), (node, answer)):
            process.answer(_named(local_states.answers.things[told], who))
        remembered = local_states.behaviour.remembered(process)
        op = None if local_states.op[child] == ENDED else local_states.ops.things[local_states.op[child]]
        process.discard()
        if (
            _with_name(local_states, op, who) != _with_name(local_states, process.op, "")
            or held.setdefault(child, remembered) != remembered
        ):
            return True
    return False


def _with_name(local_states: LocalStates, op: Op | None, who: str) -> Hashable:
    """A key for this step, with the holder's name in a lease that it hands back to its lock."""
    if op is not None and isinstance(local_states.system.resources[op.resource], Lock):
        op = replace(op, args=tuple(_named(arg, who) for arg in op.args))
    return op and op_key(op)


def _named(thing: Any, who: str) -> Any:
    return thing.held_by(who) if isinstance(thing, Lease) else thing
