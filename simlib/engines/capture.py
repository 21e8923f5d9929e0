"""Two histories that leave a worker in the same place with the same variables are one.

A worker's next step depends only on the answers it was given, so answers are a sound name for where it is. But a
worker that asks the same thing in a loop would then be somewhere new each time. Here a suspended generator is
named by what it holds: where it stands, its variables, and what lies on its frame's value stack (the iterator of a
`for` loop, a half-built list). Anything that is not understood makes the answer None: key on the answers instead.

`gc.get_referents` lists what a suspended generator refers to: its function, its code, its variables in order and
then its value stack. That is how CPython 3.11 to 3.13 traverse it; `understood` tries it out before it is trusted.
"""

from __future__ import annotations

import dataclasses
import gc
import types
from collections.abc import Generator, Hashable
from functools import cache
from typing import Any

from simlib.ops import Op
from simlib.resources.base import Count, Resource
from simlib.resources.lock import Lease
from simlib.resources.queue import Message
from simlib.values import ATOMS, KEYS, freeze

_SOME: tuple[Any, ...] = ([], (), range(0), "", reversed([]))
ITERATORS = (*(type(iter(one)) for one in _SOME), enumerate, zip)
CONSTANTS = (type, types.ModuleType, types.CodeType)


class Opaque(Exception):
    """Something whose state cannot be read."""


def capture(generator: Generator[Any, Any, Any]) -> Hashable | None:
    """A name for where the generator is, equal only for generators that will behave alike; None if there is none."""
    if not understood():
        return None
    try:
        return _suspended(generator, {})
    except (Opaque, RecursionError):
        return None


def _suspended(generator: Generator[Any, Any, Any], seen: dict[int, int]) -> Hashable:
    frame: types.FrameType | None = getattr(generator, "gi_frame", None)
    if frame is None:
        return "ended"
    bound = tuple(frame.f_locals)
    referents = gc.get_referents(generator)
    code = max(place for place, held in enumerate(referents) if held is frame.f_code)
    values = referents[code + 1 :]
    # A generator that has handled an exception holds one None more, up to 3.12. How many values lie on the stack is
    # fixed at each instruction, so that without the Nones at its end it still says the same.
    while values and values[-1] is None:
        values.pop()
    return (frame.f_code, frame.f_lasti, bound, *(_held(value, seen) for value in values))


def _held(value: Any, seen: dict[int, int]) -> Hashable:
    kind = type(value)
    if kind in ATOMS or kind is range:
        return freeze(value)
    if kind is tuple:
        return ("tuple", *(_held(item, seen) for item in value))
    if isinstance(value, CONSTANTS):
        return ("itself", value)
    if isinstance(value, Resource):
        return ("resource", value._name)
    if kind is frozenset:
        return ("frozenset", *(_held(item, seen) for item in value))
    if kind is types.BuiltinFunctionType:
        return ("builtin", value.__name__, _held(value.__self__, seen))
    # From here on things can be changed, so that it matters whether two names mean one thing or two equal ones.
    if id(value) in seen:
        return ("the same as", seen[id(value)])
    seen[id(value)] = len(seen)
    return _changeable(value, kind, seen)


def _changeable(value: Any, kind: type, seen: dict[int, int]) -> Hashable:
    if kind is list:
        return ("list", *(value if KEYS.issuperset(map(type, value)) else (_held(item, seen) for item in value)))
    if kind is dict:
        return ("dict", *((_held(key, seen), _held(item, seen)) for key, item in value.items()))
    if kind is set:
        return ("set", *(_held(item, seen) for item in value))  # in the order in which a loop would meet them
    if kind is types.CellType:
        return ("cell", *(_held(value.cell_contents, seen) for _ in gc.get_referents(value)))
    if kind is types.GeneratorType:
        return ("generator", _suspended(value, seen))
    if kind is types.FunctionType:
        parts = (value.__closure__, value.__defaults__, value.__kwdefaults__, vars(value))
        return ("function", value.__code__, *(_held(part, seen) for part in parts))
    if kind is types.MethodType:
        return ("method", _held(value.__self__, seen), _held(value.__func__, seen))
    if kind in ITERATORS:
        return ("iterator", kind, *(_held(part, seen) for part in value.__reduce__()))
    if kind is Lease:
        return value.counted()  # type: ignore[no-any-return]
    if kind is Message:
        return ("message", value.id, _held(value.body, seen), value.number, Count("deliveries", value.deliveries))
    if kind is Op:
        return ("op", value.resource, value.verb, _held(value.args, seen), _held(value.kwargs, seen))
    if isinstance(value, BaseException):
        return ("exception", kind, _held(value.args, seen), _held(vars(value), seen))
    if dataclasses.is_dataclass(value):
        names = dict.fromkeys([*(field.name for field in dataclasses.fields(value)), *getattr(value, "__dict__", ())])
        return ("dataclass", kind, *((name, _held(getattr(value, name), seen)) for name in names))
    raise Opaque(kind)


@cache
def understood() -> bool:
    """Whether this interpreter shows a suspended generator's variables and value stack as described above."""

    def looping(first: int) -> Generator[int, None, None]:
        for second in (first, first):  # noqa: UP028  a `yield from` would leave something else on the stack
            yield second

    def building(first: int) -> Generator[int, None, None]:
        _ = [first, (yield first), (yield first)]

    try:
        one, two = _two_stops(looping(7)), _two_stops(building(7))
        return one[0] != one[1] and two[0][:2] != two[1][:2] and one[0][3:4] == (7,) and len(one[0]) == 6
    except (Opaque, ValueError, TypeError):
        return False


def _two_stops(generator: Generator[int, None, None]) -> tuple[Any, Any]:
    next(generator)
    first = _suspended(generator, {})
    next(generator)
    second = _suspended(generator, {})
    generator.close()
    return first, second
