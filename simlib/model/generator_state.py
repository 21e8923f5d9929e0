"""Fingerprints of suspended generators: two histories that leave a worker in the same state count as one.

A worker's next step depends only on the answers it was given, so its answers identify its state. But then a worker that
polls in a loop would be in a new state each time round. Here a suspended generator is identified by what it holds: its
current instruction, its variables, and its frame's value stack (the iterator of a `for` loop, a half-built list).

Only what can be read completely has a fingerprint: an object of a type that is listed here, or of a class whose object
size shows that its slots and its `__dict__` are all there is. If the worker holds anything else, anywhere, the answer
is None: key on the answers instead. Objects outside the worker (a class, a module, a function) are identified by object
identity; the caller says which these are, and watches that they do not change (`outside_memory.py`).

Equal text, bytes, numbers and tuples are not told apart by identity: a worker that uses `is` on them, or asks the
interpreter about itself (`id`, `sys.getsizeof`, `sys.getrefcount`), is left to the audit of the histories.

`gc.get_referents` lists what a suspended generator refers to: its function, its code, its variables in order and then
its value stack. That is how CPython 3.11 to 3.13 traverse it; `understood` tests this before it is relied on.
"""

from __future__ import annotations

import builtins
import gc
import struct
import types
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

from simlib.model.operation import Op
from simlib.model.outside_memory import Outside, is_importable
from simlib.model.resource import Resource
from simlib.model.shape import shape_of
from simlib.model.state import Counted
from simlib.model.values import ATOMS, KEYS, freeze

_SOME: tuple[Any, ...] = ([], (), range(0), "", b"", reversed([]))
ITERATORS: frozenset[Any] = frozenset((*(type(iter(one)) for one in _SOME), enumerate, zip, map, filter))
BY_WHAT_THEY_SAY = frozenset((Decimal, date, timedelta))
ALONE = frozenset((type(Ellipsis), type(NotImplemented), types.CodeType))
OF_A_CLASS = (types.MethodDescriptorType, types.WrapperDescriptorType)
MOST_OBJECTS = 10_000


_KEY_IDS = frozenset(map(id, KEYS))


class Opaque(Exception):
    """Raised for an object whose state cannot be read."""


class Itself:
    """A key that equals only another key of the same object, and keeps that object alive."""

    __slots__ = ("_thing",)

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __hash__(self) -> int:
        return id(self._thing)

    def __eq__(self, other: object) -> bool:
        return type(other) is Itself and self._thing is other._thing


def capture(generator: types.GeneratorType[Any, Any, Any], outside: Outside | None = None) -> Hashable | None:
    """A fingerprint of the generator, equal only for generators that will behave alike; None if it cannot be read.

    `outside` knows which objects are not the generator's own; by default, those that can be imported.
    """
    if not understood():
        return None
    try:
        return _Reader(is_importable if outside is None else outside.knows).suspended(generator)
    except (Opaque, RecursionError):
        return None


class _Reader:
    """Reads what one generator holds. `_seen` numbers mutable objects, since it matters which names share one."""

    def __init__(self, is_outside: Callable[[Any], bool]) -> None:
        self._is_outside = is_outside
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # made while reading, and kept so that no other object gets their ids
        self._left = MOST_OBJECTS

    def suspended(self, generator: types.GeneratorType[Any, Any, Any]) -> Hashable:
        """The key of a suspended generator: where it stands, and all that it holds."""
        frame: types.FrameType | None = generator.gi_frame
        if frame is None:
            return ("ended", generator.__qualname__)
        if generator.gi_running:
            raise Opaque(generator)
        self._seen[id(frame)] = len(self._seen)
        names = (generator.__name__, generator.__qualname__)
        return (names, frame.f_lasti, *self._framed(frame, gc.get_referents(generator)))

    def _framed(self, frame: types.FrameType, referents: list[Any]) -> Iterator[Hashable]:
        """The variables and the value stack of a frame, which are the last of these referents.

        They follow its code. What comes before, apart from the first item (the generator's code, in 3.11), is a name, a
        function or a frame, never code.
        """
        code = frame.f_code
        place = next((place for place, held in enumerate(referents) if held is code and place), None)
        if place is None:
            raise Opaque(frame)
        values = referents[place + 1 :]
        # Up to 3.12, a generator that has handled an exception holds an extra None. The stack depth is fixed at each
        # instruction, so dropping trailing Nones loses nothing; except in a call, which takes two slots or one: a
        # method and its object, or the callable.
        while values and values[-1] is None and not callable(values[-2] if len(values) > 1 else None):
            values.pop()
        present, own = frame.f_locals, {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        yield Itself(code)
        yield tuple(present)
        yield from (self.held(present[name]) for name in present if name not in own)
        yield Itself(frame.f_trace)
        yield from self._all(values)

    def _all(self, things: Iterable[Any]) -> Iterator[Hashable]:
        return map(self.held, things)

    def held(self, value: Any) -> Hashable:
        """A key for one value and everything that it holds."""
        kind = type(value)
        if type(kind) is not type:  # a metaclass may make its class equal to any other
            return self._other(value, kind)
        if kind in KEYS:
            return value  # type: ignore[no-any-return]
        if kind is float or kind is complex:
            return Itself(value) if value != value else (kind.__name__, struct.pack("dd", value.real, value.imag))
        if kind in ATOMS or kind is range:
            return freeze(value)
        self._left -= 1
        if self._left < 0:
            raise Opaque("too much of it")
        if kind is tuple:
            return ("tuple", *self._all(value))
        simple = self._simple(value, kind)
        return self._other(value, kind) if simple is None else simple

    def _other(self, value: Any, kind: type) -> Hashable:
        """The key of a mutable object: it matters whether two names share one object or hold two equal ones."""
        if id(value) in self._seen:
            return ("the same as", self._seen[id(value)])
        if self._is_outside(value):
            return Itself(value)
        if issubclass(kind, Resource):
            if not (self._is_outside(kind) and value.untouched()):
                raise Opaque(value)
            return ("resource", Itself(kind), value._name)
        self._seen[id(value)] = len(self._seen)
        read = _READ.get(kind) if type(kind) is type else None
        if read is None and issubclass(kind, Counted) and "parts" in vars(kind):
            read = _Reader._counted
        return self._instance(value, kind) if read is None else (kind.__name__, *read(self, value))

    def _simple(self, value: Any, kind: type) -> Hashable | None:
        """The key of an immutable object; None for any other."""
        if kind in BY_WHAT_THEY_SAY or (kind in (datetime, time) and type(value.tzinfo) in (type(None), timezone)):
            return (kind.__name__, repr(value))
        if kind is slice:
            return ("slice", self.held(value.start), self.held(value.stop), self.held(value.step))
        if kind is types.BuiltinFunctionType and not isinstance(value.__self__, (types.ModuleType, type(None))):
            return ("builtin", value.__qualname__, self.held(value.__self__))
        if kind in ALONE or kind is types.BuiltinFunctionType:
            return Itself(value)
        if kind in OF_A_CLASS and self._is_outside(value.__objclass__):
            return Itself(value)
        return None

    def _instance(self, value: Any, kind: type) -> Hashable:
        """The key of an instance of a class that is outside the worker, and watched."""
        shape = shape_of(kind)
        if shape is None or not self._is_outside(kind):
            raise Opaque(kind)
        self._left -= 1
        return (Itself(kind), *self._all(shape.content(value)), *self._all(shape.fields(value)))

    # Types of which more than the fields is read

    def _list(self, value: list[Any]) -> Iterable[Hashable]:
        return value if _KEY_IDS.issuperset(map(id, map(type, value))) else self._all(value)

    def _dict(self, value: dict[Any, Any]) -> Iterable[Hashable]:
        return ((self.held(key), self.held(item)) for key, item in value.items())

    def _deque(self, value: deque[Any]) -> Iterable[Hashable]:
        return (value.maxlen, *self._all(value))

    def _cell(self, value: types.CellType) -> Iterable[Hashable]:
        return self._all(gc.get_referents(value))  # none, if it is empty

    def _generator(self, value: types.GeneratorType[Any, Any, Any]) -> Iterable[Hashable]:
        return (self.suspended(value),)

    def _function(self, value: types.FunctionType) -> Iterable[Hashable]:
        yield Itself(value.__globals__)
        own: list[Any] = [value.__closure__, value.__defaults__, value.__kwdefaults__, vars(value)]
        yield from self._all(own)
        own += [value.__globals__, value.__globals__.get("__builtins__"), vars(builtins)]
        # The rest (names, docstring, annotations, type parameters) comes in a fixed order.
        yield from self._all(part for part in gc.get_referents(value) if not any(part is one for one in own))

    def _method(self, value: types.MethodType) -> Iterable[Hashable]:
        return (self.held(value.__self__), self.held(value.__func__))

    def _iterator(self, value: Any) -> Iterable[Hashable]:
        parts = value.__reduce__()
        self._kept.append(parts)
        return self._all(parts)

    def _op(self, value: Op) -> Iterable[Hashable]:
        return self._all((value.resource, value.verb, value.args, value.kwargs, value.line, value.function))

    def _counted(self, value: Counted) -> Iterable[Hashable]:
        return value.parts(self.held)

    def _traceback(self, value: types.TracebackType) -> Iterable[Hashable]:
        frame = value.tb_frame
        if id(frame) not in self._seen:  # a helper's, which has ended: its variables can still be read
            self._seen[id(frame)] = len(self._seen)
            yield from self._framed(frame, gc.get_referents(frame))
        yield (self._seen[id(frame)], value.tb_lasti, value.tb_lineno)
        yield self.held(value.tb_next)


_READ: dict[type, Callable[[_Reader, Any], Iterable[Hashable]]] = {
    list: _Reader._list,
    dict: _Reader._dict,
    deque: _Reader._deque,
    types.CellType: _Reader._cell,
    types.GeneratorType: _Reader._generator,
    types.FunctionType: _Reader._function,
    types.MethodType: _Reader._method,
    types.TracebackType: _Reader._traceback,
    Op: _Reader._op,
    **dict.fromkeys(ITERATORS, _Reader._iterator),
}


@cache
def understood() -> bool:
    """Whether this interpreter shows a suspended generator's variables and value stack as described above."""

    def looping(some: Iterable[int]) -> Generator[int, None, None]:
        for one in some:  # noqa: UP028  a `yield from` would leave another stack
            yield one

    def building(first: int) -> Generator[int, None, None]:
        _ = [first, (yield first), (yield first)]

    def calling(first: int) -> Generator[int, None, None]:
        _ = str((yield first)), str((yield first))

    def handling(first: int) -> Generator[int, None, None]:
        while True:
            try:
                raise ValueError(first)
            except ValueError:
                yield first
            first += 1

    try:
        loops = [_two_stops(looping(some)) for some in ((7, 7), [7, 7], range(7, 9), b"77")]
        built, called, handled = _two_stops(building(7)), _two_stops(calling(7)), _two_stops(handling(7))
    except (Opaque, ValueError, TypeError):
        return False
    alike = all(one[:2] == two[:2] and one != two and len(one) == len(two) == 8 for one, two in loops)
    return alike and all(one != two for one, two in (built, called, handled))


def _two_stops(generator: Any) -> tuple[Any, Any]:
    next(generator)
    first = _Reader(is_importable).suspended(generator)
    next(generator)
    second = _Reader(is_importable).suspended(generator)
    generator.close()
    return first, second
