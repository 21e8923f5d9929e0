"""Merges states that differ in numbers that only grow: a lock's tokens, a message's deliveries.

In a loop, such numbers would make each round a new state. Workers hand them back and let resources compare them; a
worker that does nothing else with them cannot tell apart two states with different numbers in the same order. So only
one of these is visited. Afterwards that is tested: every history is run again with other numbers, and every
property is asked about them too. If that changes a step or an answer, the search starts again, and distinguishes the
numbers up to `floor`, or all of them.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from simlib.check.behaviour import ENDED
from simlib.check.encoding import Encoding
from simlib.check.local_states import LocalStates
from simlib.check.resource_states import ResourceStates
from simlib.model.operation import Op
from simlib.model.properties import Property
from simlib.model.state import Count, Renumber
from simlib.model.system import System
from simlib.model.values import freeze

NOTHING, VALUES, STEPS = range(3)
Shape = tuple[Hashable, tuple[Count, ...]]  # a key without its counts, and the counts
MOST_CONSTANTS = 6
NEXT = 40  # how many of the next numbers are tried, one by one, if that takes few steps
FEW_STEPS = 500
LARGEST_FLOOR = 50


def shape_of(key: Hashable) -> Shape:
    """A key with placeholders for its counts, and the counts."""
    counts: list[Count] = []

    def without(part: Hashable) -> Hashable:
        if type(part) is Count:
            counts.append(part)
            return part.of
        return tuple(map(without, part)) if type(part) is tuple else part

    return without(key), tuple(counts)


def counted_op(op: Op) -> Hashable:
    """A key for the step, with its counts."""
    fences = {name: Count("token", arg) if name == "fence" else counted(arg) for name, arg in op.kwargs.items()}
    return (op.resource, op.verb, tuple(map(counted, op.args)), tuple(fences.items()))


def counted(value: Any) -> Hashable:
    """A key for the value; with counts for a lease or a message."""
    if type(value) is Op:
        return counted_op(value)
    return value.counted() if hasattr(value, "counted") else freeze(value)


class Counters:
    """Names for states, equal for those that differ only in counts above `floor`, and not in their order."""

    def __init__(
        self, local_states: LocalStates, resource_states: ResourceStates, encoding: Encoding, floor: float
    ) -> None:
        self._local_states, self._resource_states, self._encoding = local_states, resource_states, encoding
        self._floor = floor
        self._ids: dict[Hashable, int] = {}
        self._nodes: dict[int, tuple[int, tuple[Count, ...]] | None] = {}
        self._resources: dict[tuple[int, int], tuple[int, tuple[Count, ...]]] = {}

    def name(self, state: int) -> Hashable:
        """The state's name; the state itself if what a worker remembers is not known."""
        encoding = self._encoding
        parts = []
        for node in encoding.nodes(state):
            known = self._nodes[node] if node in self._nodes else self._of_node(node)
            if known is None:
                return state
            parts.append(known)
        for at in enumerate(encoding.numbers(encoding.world(state))):
            parts.append(self._resources.get(at) or self._of_resource(*at))
        counts = [count for _, held in parts for count in held]
        return (state >> encoding.budget, *(shape for shape, _ in parts), *self._ranks(counts))

    def _ranks(self, counts: list[Count]) -> Iterator[float]:
        """Each count as it is, up to the floor; above that, only its rank."""
        floor, high = self._floor, {}
        for of in {count.of for count in counts}:
            above = sorted({count.value for count in counts if count.of == of and count.value > floor})
            high.update({(of, value): floor + rank for rank, value in enumerate(above, start=1)})
        return (high.get(count, count.value) for count in counts)

    def _interned(self, key: Hashable) -> tuple[int, tuple[Count, ...]]:
        shape, counts = shape_of(key)
        return self._ids.setdefault(shape, len(self._ids)), counts

    def _of_node(self, node: int) -> tuple[int, tuple[Count, ...]] | None:
        local_states = self._local_states
        op, held = local_states.op[node], local_states.held[node]
        known: tuple[int, tuple[Count, ...]] | None = None
        if op == ENDED or local_states.depth[node] == 0:
            known = self._interned(("node", node))
        elif held is not None:
            known = self._interned((held, counted_op(local_states.ops.things[op])))
        self._nodes[node] = known
        return known

    def _of_resource(self, resource: int, number: int) -> tuple[int, tuple[Count, ...]]:
        found = self._resources[resource, number] = self._interned(
            self._resource_states.state(resource, number).counted()
        )
        return found

    # Testing whether the numbers matter to anybody

    def matter(self, in_time: Callable[[], bool]) -> int:
        """How workers react if the counts they are given are others in the same order: NOTHING changes; they take the
        same steps with other VALUES, such as the name of a file; or they take other STEPS, which is also the answer for
        what cannot be tested `in_time`. What was tested before is not tested again.
        """
        local_states = self._local_states
        paths = [path for path in _told_counts(local_states) if path[-2] not in local_states.tried]
        constants = {one for role in local_states.system.cast.values() for one in constants_of(role.function)}
        thorough, most = sum(map(len, paths)) <= FEW_STEPS, NOTHING
        for number in self.numberings(constants, thorough):
            for path in paths:
                most = max(most, self._difference(path, number) if in_time() else STEPS)
                if most == STEPS:
                    return STEPS
        if most == NOTHING:
            local_states.tried.update(path[-2] for path in paths)
        return most

    def numberings(self, constants: Iterable[int], thorough: bool = False) -> list[Renumber]:
        """Other numbers in the same order: some that meet a program's constants, the next ones, some far away."""
        near = [int(one - self._floor) - more for one in sorted(constants)[:MOST_CONSTANTS] for more in (1, 2)]
        shifts = {*range(1, NEXT if thorough else 4), 1_000, 1_000_000, *near}
        return [_stretch(self._floor), *(_shift(by, self._floor) for by in sorted(shifts) if by > 0)]

    def _difference(self, path: list[tuple[int, int]], number: Renumber) -> int:
        local_states, most = self._local_states, NOTHING
        local_states.system.watchdog.heed()
        process = local_states.system.start(*local_states.start[path[0][0]])
        try:
            for node, answer in path:
                most = max(most, self._compare(local_states.op[node], process.op, number))
                if most == STEPS:
                    break
                if answer != ENDED:
                    told = local_states.answers.things[answer]
                    process.answer(told.recounted(number) if hasattr(told, "recounted") else told)
            return most
        finally:
            process.discard()

    def _compare(self, known: int, op: Op | None, number: Renumber) -> int:
        if op is None or known == ENDED:
            return NOTHING if op is None and known == ENDED else STEPS
        before = self._local_states.ops.things[known]
        shape, counts = shape_of(counted_op(before))
        other, others = shape_of(counted_op(op))
        if shape == other and all(number(one) == two.value for one, two in zip(counts, others)):
            return NOTHING
        return VALUES if before.name == op.name else STEPS

    def change(self, claim: Property, seen: dict[str, Any], ask: Callable[[Property, dict[str, Any]], bool]) -> bool:
        """Whether the property answers differently if the counts that it may see are others in the same order."""
        looks_at = [name for name in claim.parameters if hasattr(seen[name], "recounted")]
        verdict = ask(claim, seen)
        return any(
            ask(claim, {**seen, **{name: seen[name].recounted(number) for name in looks_at}}) != verdict
            for number in self.numberings(constants_of(claim.function))
        )


def _told_counts(local_states: LocalStates) -> list[list[tuple[int, int]]]:
    """Every history in which an answer holds counts, as (node, answer) pairs; the last answer is ENDED."""
    counting = {number for number, answer in enumerate(local_states.answers.things) if hasattr(answer, "counted")}
    inner = {parent for parent, _ in local_states.parent}
    ends = [
        (node, ENDED) for node in range(len(local_states.op)) if node not in inner and node not in local_states.vacant
    ]
    for node, answers in enumerate(local_states.children):
        merged = [answer for answer, child in answers.items() if local_states.parent[child] != (node, answer)]
        ends += [(node, answer) for answer in merged]
    paths = []
    for node, answer in ends:
        path = [*local_states.history(node), (node, answer)]
        if answer != ENDED:
            path.append((local_states.children[node][answer], ENDED))
        if any(told in counting for _, told in path):
            paths.append(path)
    return paths


def _shift(by: int, floor: float) -> Renumber:
    return lambda count: count.value if count.value <= floor else count.value + by


def _stretch(floor: float) -> Renumber:
    """Renumber each kind differently, since nothing says how counts of two kinds compare."""

    def number(count: Count) -> int:
        apart = 1 + zlib.crc32(count.of.encode()) % 7
        return count.value if count.value <= floor else int(floor + 3 * (count.value - floor) + apart)

    return number


def floors(system: System) -> Iterator[float]:
    """Up to which count a system may look at the number itself: the limits of its queues, the constants in its workers
    and properties, any.
    """
    most = max((getattr(state, "max_receives", None) or 0 for state in system.states().values()), default=0)
    yield most
    claims = (*system.always, *system.eventually, *system.sometimes)
    functions = [*(role.function for role in system.cast.values()), *(claim.function for claim in claims)]
    written = [one for function in functions for one in constants_of(function) if most <= one <= LARGEST_FLOOR]
    if written:
        yield max(written) + 1
    yield math.inf


def constants_of(function: Callable[..., Any]) -> list[int]:
    """The positive whole numbers written in a function, and in those that it calls by name."""
    known: set[CodeType] = set()
    found: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        thing = waiting.pop()
        code = getattr(thing, "__code__", thing)
        if code in known:
            continue
        known.add(code)
        held = [*code.co_consts, *_named_by(thing)]
        found.update(one for one in held if type(one) is int and one > 0)
        waiting += [one for one in held if isinstance(one, (CodeType, FunctionType))]
    return sorted(found)


def _named_by(function: Any) -> Iterator[Any]:
    """The values that a function names: globals, closure variables and defaults."""
    if isinstance(function, FunctionType):
        yield from filter(None, map(function.__globals__.get, function.__code__.co_names))
        yield from (cell.cell_contents for cell in function.__closure__ or () if cell != CellType())
        yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
