"""The graph of states: its schedules are counted without running them, and where it can be gone round for ever."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence


class Graph(Sequence[Sequence[int]]):
    """The states that each state leads to. Filled state by state, in any order."""

    def __init__(self) -> None:
        self._targets = array("I")  # of all that were filled in, one after the other
        self._begins = array("Q")
        self._ends = array("Q")

    def __len__(self) -> int:
        return len(self._begins)

    def __getitem__(self, state: int) -> Sequence[int]:  # type: ignore[override]
        return self._targets[self._begins[state] : self._ends[state]]

    def __iter__(self) -> Iterator[Sequence[int]]:
        return (self._targets[begin:end] for begin, end in zip(self._begins, self._ends))

    def grow(self, states: int) -> None:
        """So many states more, which lead nowhere so far."""
        self._begins.frombytes(bytes(8 * states))
        self._ends.frombytes(bytes(8 * states))

    def fill(self, state: int, targets: Iterable[int]) -> None:
        self._begins[state] = len(self._targets)
        self._targets.extend(targets)
        self._ends[state] = len(self._targets)


def schedules(successors: Sequence[Sequence[int]], ends: set[int]) -> int | None:
    """How many ways lead from state 0 to a state where the system rests; None when some go in circles.

    Dynamic programming over the acyclic graph of states, in topological order (Kahn's algorithm).
    """
    unmet = [0] * len(successors)
    for state in itertools.chain.from_iterable(successors):
        unmet[state] += 1
    edges = [0] * len(successors)
    edges[0] = 1
    ready, passed = [state for state, count in enumerate(unmet) if count == 0], 0
    while ready:
        state = ready.pop()
        passed += 1
        here = edges[state]
        for after_state in successors[state]:
            edges[after_state] += here
            unmet[after_state] -= 1
            if unmet[after_state] == 0:
                ready.append(after_state)
    if passed < len(successors):
        return None
    return sum(edges[state] for state in ends)


def circles(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """The sets of states that a system never leaves once it is in, going round in them for ever.

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
