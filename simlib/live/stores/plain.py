"""Plain values as text and back: every kind that a row, a message or a lock's value can have, and no code.

The text is JSON. Kinds that JSON lacks are lists that begin with the kind's name: `["tuple", 1, 2]`. Equal values have
equal text, so that a store can compare them; values that a worker can tell apart have different text. An object is its
class's name and its parts. `loads` looks the class up, which may import its module, so it must only be given text that
the run has signed (see signed.py).
"""

from __future__ import annotations

import dataclasses
import datetime as clock
import enum
import importlib
import json
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from simlib.errors import Mistake
from simlib.text import show

BIG = 2**53  # beyond that, not as decimals: Python limits those to some thousand digits


class Kind(NamedTuple):
    """How to take a value of this kind apart, and how to rebuild it."""

    parts: Callable[[Any], Iterable[Any]]
    made: Callable[..., Any]


def dumps(value: Any) -> str:
    """The value as text. Raises Mistake if it would not come back the same."""
    try:
        text = _written(value)
        if _written(loads(text)) == text:
            return text
    except RecursionError:
        raise Mistake(f"a {type(value).__name__} is nested too deeply to be stored for real.") from None
    raise Mistake(f"{show(value)} would not be read as it was written. Store its parts, as plain data.")


def loads(text: str) -> Any:
    """The value of this text."""
    return _made(json.loads(text))


def _written(value: Any) -> str:
    return json.dumps(_taken_apart(value), separators=(",", ":"))


def _taken_apart(value: Any) -> Any:
    kind = type(value)
    if kind in (str, bool, float, type(None)) or (kind is int and -BIG < value < BIG):
        return value
    name = kind.__name__ if EXACTLY.get(kind.__name__, (None,))[0] is kind else _sort(value)
    return [name, *map(_taken_apart, _kind(name).parts(value))]


def _made(data: Any) -> Any:
    if type(data) is not list:
        return data
    name, *parts = data
    return _kind(name).made(*map(_made, parts))


def _kind(name: str) -> Kind:
    return EXACTLY[name][1] if name in EXACTLY else OBJECTS[name]


def _sort(value: Any) -> str:
    """The kind of this object, tested in the same order as in `freeze`."""
    if isinstance(value, type):
        return "type"
    if isinstance(value, enum.Enum):
        return "Enum"
    if dataclasses.is_dataclass(value):
        return "dataclass"
    if isinstance(value, tuple):
        return "namedtuple"
    raise Mistake(f"{show(value)} is a {type(value).__name__}, which cannot be stored for real. Use plain data.")


def _moment(value: clock.datetime) -> list[Any]:
    return [*value.timetuple()[:6], value.microsecond, value.tzinfo, value.fold]


def _hour(value: clock.time) -> list[Any]:
    return [value.hour, value.minute, value.second, value.microsecond, value.tzinfo, value.fold]


EXACTLY: dict[str, tuple[type, Kind]] = {
    kind.__name__: (kind, Kind(parts, made))
    for kind, parts, made in (
        (int, lambda value: [hex(value)], lambda text: int(text, 16)),
        (bytes, lambda value: [value.hex()], bytes.fromhex),
        (tuple, iter, lambda *items: items),
        (list, iter, lambda *items: [*items]),
        (dict, lambda value: value.items(), lambda *items: dict(items)),
        (range, lambda value: [value.start, value.stop, value.step], range),
        (Decimal, lambda value: [str(value)], Decimal),
        (Fraction, lambda value: [value.numerator, value.denominator], Fraction),
        (uuid.UUID, lambda value: [value.hex], uuid.UUID),
        (clock.date, lambda value: [value.year, value.month, value.day], clock.date),
        (clock.datetime, _moment, lambda *parts: clock.datetime(*parts[:-1], fold=parts[-1])),
        (clock.time, _hour, lambda *parts: clock.time(*parts[:-1], fold=parts[-1])),
        (clock.timedelta, lambda value: [value.days, value.seconds, value.microseconds], clock.timedelta),
        (clock.timezone, lambda value: value.__getinitargs__(), clock.timezone),
    )
}  # fmt: skip


# Objects of a class


def _address(kind: type) -> list[str]:
    """The names under which another process of the run finds this class."""
    names = [kind.__module__, kind.__qualname__]
    if _class(*names) is not kind:
        raise Mistake(_nowhere(kind.__qualname__))
    return names


def _nowhere(name: str) -> str:
    return (
        f"an object of {name} cannot be stored for real: another process does not find the same class. "
        "Define it once, outside of the worker."
    )


def _class(module: str, name: str) -> Any:
    """The class of this name. Raises Mistake if there is none, or more than one."""
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found
    except (ImportError, AttributeError):  # defined in a notebook or a function: it came with the workers
        found = [kind for kind in _sent() if (kind.__module__, kind.__qualname__) == (module, name)]
        if len(found) != 1:
            raise Mistake(_nowhere(name)) from None
        return found[0]


def _sent() -> list[type]:
    """The classes that cloudpickle has sent or received; a class keeps its identity on the way."""
    try:
        from cloudpickle.cloudpickle import _DYNAMIC_CLASS_TRACKER_BY_CLASS as sent
    except ImportError:
        return []
    return [*sent]


def _attributes(value: Any) -> dict[str, Any]:
    fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
    return {**{field.name: getattr(value, field.name) for field in fields}, **getattr(value, "__dict__", {})}


def _object(kind: Any, attributes: dict[str, Any]) -> Any:
    return _with(kind.__new__(kind), attributes)


def _with(made: Any, attributes: dict[str, Any]) -> Any:
    for name, value in attributes.items():
        object.__setattr__(made, name, value)
    return made


def _member(kind: Any, name: str | None, value: Any) -> Any:
    return kind(value) if name is None else kind[name]  # a combination of flags has no name


def _member_parts(member: enum.Enum) -> list[Any]:
    named = member.name in type(member).__members__
    return [type(member), member.name, None] if named else [type(member), None, member.value]


def _row(kind: Any, *items: Any) -> Any:
    try:
        return tuple.__new__(kind, items)
    except TypeError:  # a built-in one, such as time.struct_time
        return kind(items)


OBJECTS: dict[str, Kind] = {
    "type": Kind(_address, _class),
    "Enum": Kind(_member_parts, _member),
    "dataclass": Kind(lambda value: [type(value), _attributes(value)], _object),
    "namedtuple": Kind(lambda value: [type(value), *value], _row),
}
