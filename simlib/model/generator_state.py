"""Two histories that leave a worker in the same place with the same variables are one.

A worker's next step depends only on the answers it was given, so answers are a sound name for where it is. But a
worker that asks the same thing in a loop would then be somewhere new each time. Here a suspended generator is named by
what it holds: where it stands, its variables, and what lies on its frame's value stack (the iterator of a `for` loop, a
half-built list).

Only what is read completely has a name: an object of a type that is listed here, or of a class whose size shows that
its slots and its `__dict__` are all that there is to its objects. Anything else, anywhere in what the worker holds,
makes the answer None: key on the answers instead. What exists outside of the worker (a class, a module, a function) is
named by what it is; whoever asks says what that is, and watches that it stays as it was (`outside.py`).

Equal text, bytes, numbers and tuples count as one object or as two alike: a worker that asks `is` of them, or asks the
interpreter about itself (`id`, `sys.getsizeof`, `sys.getrefcount`), is left to the audit of the histories.

`gc.get_referents` lists what a suspended generator refers to: its function, its code, its variables in order and
then its value stack. That is how CPython 3.11 to 3.13 traverse it; `understood` tries it out before it is trusted.
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
from simlib.model.resource import Counted, Resource
from simlib.model.shape import shape_of
from simlib.model.values import ATOMS, KEYS, freeze

_SOME: tuple[Any, ...] = ([], (), range(0), "", b"", reversed([]))
ITERATORS: frozenset[Any] = frozenset((*(type(iter(one)) for one in _SOME), enumerate, zip, map, filter))
BY_WHAT_THEY_SAY = frozenset((Decimal, date, timedelta))
ALONE = frozenset((type(Ellipsis), type(NotImplemented), types.CodeType))
OF_A_CLASS = (types.MethodDescriptorType, types.WrapperDescriptorType)
MOST_OBJECTS = 10_000


_KEY_IDS = frozenset(map(id, KEYS))


class Opaque(Exception):
    """Something whose state cannot be read."""


class Itself:
    """A key equal only to that of the same object, which stays alive with it."""

    __slots__ = ("_thing",)

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __hash__(self) -> int:
        return id(self._thing)

    def __eq__(self, other: object) -> bool:
        return type(other) is Itself and self._thing is other._thing


def capture(generator: types.GeneratorType[Any, Any, Any], outside: Outside | None = None) -> Hashable | None:
    """A name for where the generator is, equal only for generators that will behave alike; None if there is none.

    `outside` knows what is not the generator's own; without it that is what can be imported.
    """
    if not understood():
        return None
    try:
        return _Reader(is_importable if outside is None else outside.knows).suspended(generator)
    except (Opaque, RecursionError):
        return None


class _Reader:
    """Reads what one generator holds. `seen` numbers what can change, so that it matters which name means which."""

    def __init__(self, is_outside: Callable[[Any], bool]) -> None:
        self._is_outside = is_outside
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # made while reading: as long as they are there, nothing else gets their ids
        self._left = MOST_OBJECTS

    def suspended(self, generator: types.GeneratorType[Any, Any, Any]) -> Hashable:
        """Where it stands and all that it holds."""
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

        They follow its code. What comes before that, after the first place (3.11 has the generator's code there), is a
        name, a function or a frame: none of it can be code.
        """
        code = frame.f_code
        place = next((place for place, held in enumerate(referents) if held is code and place), None)
        if place is None:
            raise Opaque(frame)
        values = referents[place + 1 :]
        # A generator that has handled an exception holds one None more, up to 3.12. How many values lie on the stack is
        # fixed at each instruction, so that without the Nones at its end it still says the same; but for a call, which
        # takes two places or one: a method and its object, or what is called.
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
        """A key for one value, and for all that it holds."""
        kind = type(value)
        if type(kind) is not type:  # a class of somebody's own, which may say that it is equal to any other
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
        """Of what can be changed, so that it matters whether two names mean one thing or two equal ones."""
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
        """Of what cannot be changed; None for all else."""
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
        """Of an object of a class, which is somewhere else and is watched."""
        shape = shape_of(kind)
        if shape is None or not self._is_outside(kind):
            raise Opaque(kind)
        self._left -= 1
        return (Itself(kind), *self._all(shape.content(value)), *self._all(shape.fields(value)))

    # What is read of each type of which there is more to say than its fields

    def _list(self, value: list[Any]) -> Iterable[Hashable]:
        return value if _KEY_IDS.issuperset(map(id, map(type, value))) else self._all(value)

    def _dict(self, value: dict[Any, Any]) -> Iterable[Hashable]:
        return ((self.held(key), self.held(item)) for key, item in value.items())

    def _deque(self, value: deque[Any]) -> Iterable[Hashable]:
        return (value.maxlen, *self._all(value))

    def _cell(self, value: types.CellType) -> Iterable[Hashable]:
        return self._all(gc.get_referents(value))  # none, where it is empty

    def _generator(self, value: types.GeneratorType[Any, Any, Any]) -> Iterable[Hashable]:
        return (self.suspended(value),)

    def _function(self, value: types.FunctionType) -> Iterable[Hashable]:
        yield Itself(value.__globals__)
        own: list[Any] = [value.__closure__, value.__defaults__, value.__kwdefaults__, vars(value)]
        yield from self._all(own)
        own += [value.__globals__, value.__globals__.get("__builtins__"), vars(builtins)]
        # What else there is (names, its text, annotations, type parameters) comes in an order of its own.
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
        if id(frame) not in self._seen:  # that of a helper, which has ended: what it held can still be asked for
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
        for one in some:  # noqa: UP028  a `yield from` would leave something else on the stack
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
