"""The graph of states: counts its schedules without running them, and finds where it can loop forever."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence


class Graph(Sequence[Sequence[int]]):
    """The successors of each state. Filled state by state, in any order."""

    def __init__(self) -> None:
        self._targets = array("I")  # of all filled states, one after another
        self._begins = array("Q")
        self._ends = array("Q")

    def __len__(self) -> int:
        return len(self._begins)

    def __getitem__(self, state: int) -> Sequence[int]:  # type: ignore[override]
        return self._targets[self._begins[state] : self._ends[state]]

    def __iter__(self) -> Iterator[Sequence[int]]:
        return (self._targets[begin:end] for begin, end in zip(self._begins, self._ends))

    def grow(self, states: int) -> None:
        """Add so many states, without successors so far."""
        self._begins.frombytes(bytes(8 * states))
        self._ends.frombytes(bytes(8 * states))

    def fill(self, state: int, targets: Iterable[int]) -> None:
        self._begins[state] = len(self._targets)
        self._targets.extend(targets)
        self._ends[state] = len(self._targets)


def schedules(successors: Sequence[Sequence[int]], ends: set[int]) -> int | None:
    """The number of paths from state 0 to a state where the system rests; None if some paths loop.

    Dynamic programming over the acyclic state graph, in topological order (Kahn's algorithm).
    """
    unmet = [0] * len(successors)
    for state in itertools.chain.from_iterable(successors):
        unmet[state] += 1
    paths = [0] * len(successors)
    paths[0] = 1
    ready, passed = [state for state, count in enumerate(unmet) if count == 0], 0
    while ready:
        state = ready.pop()
        passed += 1
        here = paths[state]
        for target in successors[state]:
            paths[target] += here
            unmet[target] -= 1
            if unmet[target] == 0:
                ready.append(target)
    if passed < len(successors):
        return None
    return sum(paths[state] for state in ends)


def circles(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """The sets of states that a system never leaves once it is in, looping in them forever.

    They are the strongly connected components that have an edge and no way out (Tarjan 1972, without recursion).
    """
    index = [-1] * len(successors)
    low = [0] * len(successors)
    component = [-1] * len(successors)
    stack: list[int] = []
    found: list[list[int]] = []
    count = 0
    for first in range(len(successors)):
        if index[first] >= 0:
            continue
        work = [(first, 0)]
        while work:
            state, edge = work.pop()
            if edge == 0:
                index[state] = low[state] = count
                count += 1
                stack.append(state)
            if edge < len(successors[state]):
                work.append((state, edge + 1))
                after = successors[state][edge]
                if index[after] < 0:
                    work.append((after, 0))
                elif component[after] < 0:
                    low[state] = min(low[state], index[after])
                continue
            if low[state] == index[state]:
                members = stack[stack.index(state) :] if stack[-1] != state else [state]
                del stack[-len(members) :]
                for member in members:
                    component[member] = len(found)
                found.append(members)
            if work:
                above = work[-1][0]
                low[above] = min(low[above], low[state])
    return [
        members
        for number, members in enumerate(found)
        if any(successors[state] for state in members)
        and all(component[after] == number for state in members for after in successors[state])
    ]
