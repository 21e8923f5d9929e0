"""Plain values: what workers may send, store and get back. Compared and copied in one way everywhere.

Plain is what a store or a message could hold, and what can be read completely: text, numbers, None, bytes, dates,
UUIDs, enums, and tuples, lists, dicts, dataclasses and named tuples of these. Exactly these types: an instance of a
subclass may hold more.
"""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from simlib.errors import Mistake, OperationError
from simlib.model.records import Record, Unread, record_of
from simlib.text import show

if TYPE_CHECKING:

    class Fields(Protocol):
        """A dataclass."""

        __dataclass_fields__: ClassVar[dict[str, Any]]

    Scalar = str | float | bytes | Decimal | Fraction | datetime.date | datetime.time | datetime.timedelta | uuid.UUID
    Plain = None | Scalar | enum.Enum | Fields | Sequence["Plain"] | Mapping[Any, "Plain"]
else:
    Plain = Any

SURE = frozenset((str, int, bool, bytes, type(None)))  # nothing to check or copy
ATOMS = SURE | {float}
KEYS = frozenset((str, int, type(None)))  # equal only to values that a worker cannot tell apart
NAMES = KEYS | {bytes, datetime.date, uuid.UUID}  # what can be a row's key, for the same reason
DEEPEST = 50  # levels of nesting


def fresh(value: Any, depth: int = DEEPEST) -> Any:
    """A copy that shares nothing mutable with `value`: values are copied when written, and again when read.

    As in a store, one list in two places becomes two lists. Raises Mistake for a value that is not plain, and says what
    to use instead.
    """
    kind = type(value)
    if kind in SURE:
        return value
    copy = _COPIES.get(kind) or _copy_of(value, kind)
    if not depth:
        what = f"a value that contains itself, or {DEEPEST} levels of others,"
        raise Mistake(f"{what} cannot be stored, sent or compared.")
    return copy(value, depth - 1)


def _tuple(value: tuple[Any, ...], depth: int) -> tuple[Any, ...]:
    return value if SURE.issuperset(map(type, value)) else tuple([fresh(item, depth) for item in value])


def _list(value: list[Any], depth: int) -> list[Any]:
    return value.copy() if SURE.issuperset(map(type, value)) else [fresh(item, depth) for item in value]


def _dict(value: dict[Any, Any], depth: int) -> dict[Any, Any]:
    return {fresh(key, depth): fresh(item, depth) for key, item in value.items()}


def _number(value: Any, depth: int) -> Any:
    if value.is_nan() if type(value) is Decimal else value != value:
        raise Mistake(
            f"{show(value)} cannot be stored, sent or compared: it is not even equal to itself, and JSON and SQLite "
            "have no such number. Use None."
        )
    return value


def _time(value: Any, depth: int) -> Any:
    zone = value.tzinfo
    if zone is not None and (type(zone) is not datetime.timezone or type(zone.tzname(None)) is not str):
        raise Mistake(
            f"{show(value)} cannot be stored, sent or compared: its zone is a {type(zone).__name__}, which a store "
            "does not keep. Use datetime.timezone.utc."
        )
    return value


def _uuid(value: uuid.UUID, depth: int) -> uuid.UUID:
    return uuid.UUID(int=value.int)  # `is_safe` is not part of the value


def _same(value: Any, depth: int) -> Any:
    return value


_COPIES: dict[type, Callable[[Any, int], Any]] = {
    float: _number, Decimal: _number, Fraction: _same, range: _same,
    datetime.date: _same, datetime.timedelta: _same, datetime.datetime: _time, datetime.time: _time,
    uuid.UUID: _uuid, tuple: _tuple, list: _list, dict: _dict,
}  # fmt: skip
SCALARS = frozenset((Decimal, Fraction, datetime.date, datetime.datetime, datetime.time, datetime.timedelta, uuid.UUID))


def _copy_of(value: Any, kind: type) -> Callable[[Any, int], Any]:
    """How to copy an instance of a learner's class. Raises Mistake if it is not plain."""
    if isinstance(value, enum.Enum) and _is_member(value):
        return _same
    record = record_of(kind)
    if record is None or not getattr(kind, "is_data", True):
        raise Mistake(_not_plain(value))
    known = record

    def copy(value: Any, depth: int) -> Any:
        return known.make(tuple([fresh(part, depth) for part in _read(known, value)]))

    return copy


def _is_member(value: enum.Enum) -> bool:
    """Whether it is the very member that its class knows by this name or value."""
    kind, held = type(value), vars(value)
    named = kind._member_map_.get(held.get("_name_", ""))
    return named is value or kind._value2member_map_.get(held.get("_value_")) is value


def _read(record: Record, value: Any) -> tuple[Any, ...]:
    try:
        return record.read(value)
    except Unread as unread:
        raise Mistake(f"{show(value)} cannot be stored, sent or compared: it {unread}.") from None


def freeze(value: Any) -> Hashable:
    """A hashable key, equal for values that no worker could tell apart.

    Types are part of the key (`1`, `1.0` and `True` are equal in Python, and a worker can tell them apart), and so is
    the order of a dict. An answer may also be an operation's error. Raises Mistake for a value that is not plain.
    """
    kind = type(value)
    if kind in KEYS:
        return value  # type: ignore[no-any-return]
    if kind is float:
        return ("float", repr(value))  # as text, 0.0 is not -0.0
    if kind in ATOMS:
        return (kind.__name__, value)
    if kind in (tuple, list):
        return (kind.__name__, *(value if KEYS.issuperset(map(type, value)) else map(freeze, value)))
    if kind is dict:
        return ("dict", *((freeze(key), freeze(item)) for key, item in value.items()))
    if kind in SCALARS:
        return (kind.__name__, repr(value))  # as text: a time equals the same moment in another zone
    if kind is range:
        return ("range", value.start, value.stop, value.step)
    if isinstance(value, enum.Enum) and _is_member(value):
        return (kind, value._name_, value._value_ if isinstance(value, enum.Flag) else None)
    record = record_of(kind)  # type: ignore[arg-type]
    if record is not None:
        return (kind, *map(freeze, _read(record, value)))
    if isinstance(value, OperationError) and kind.__module__ == OperationError.__module__:
        return (kind, *map(freeze, value.args))
    raise Mistake(_not_plain(value))


def same(one: Any, other: Any) -> bool:
    """Whether a store would take them for equal: they have the same type and content. 1, 1.0 and True are three values;
    the order of a dict's keys does not matter.
    """
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in SURE:
        return bool(one == other)
    if kind is dict:
        items = {freeze(key): item for key, item in other.items()}
        pairs = [(item, items.get(freeze(key), items)) for key, item in one.items()]
        return len(one) == len(other) and all(same(item, match) for item, match in pairs)
    if kind in (tuple, list):
        return len(one) == len(other) and all(map(same, one, other))
    return freeze(one) == freeze(other)


PLAIN = "Use plain data: text, numbers, None, tuples, lists, dicts, dataclasses."


def _not_plain(value: Any) -> str:
    what = show(value)
    kind = f"{what} is a {type(value).__name__}, which" if what != f"a {type(value).__name__}" else what
    return f"{kind} cannot be stored, sent or compared. {_instead(value)}"


def _instead(value: Any) -> str:
    """What to use instead of a value that is not plain."""
    if isinstance(value, (set, frozenset)):
        why = "A set has no order, or another one in each run, and JSON and SQL have no sets"
        return f"{why}. Use a sorted list, or a dict with True for each of them."
    if isinstance(value, BaseException):
        return "Use what it says, `str(error)`, or what kind it is, `type(error).__name__`."
    if isinstance(value, (bytearray, memoryview)):
        return "Use bytes(...)."
    if isinstance(value, Iterator) and not hasattr(value, "read"):
        return "Use list(...)."
    for plain in (str, bytes, int, float, dict, list, tuple):
        if isinstance(value, plain):
            return f"It is a {plain.__name__} that may hold more than one. Use {plain.__name__}(...), or a dataclass."
    if any("__dataclass_fields__" in vars(one) for one in type(value).__mro__):
        return "It is a dataclass over something else. Give it that as a field."
    return PLAIN


def unordered(mapping: dict[Any, Any]) -> Hashable:
    """A key for bookkeeping whose order nobody can see."""
    return frozenset((freeze(key), freeze(item)) for key, item in mapping.items())


def in_order(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """Its items, sorted by the repr of their keys."""
    try:
        return sorted(mapping.items(), key=lambda item: repr(item[0]))
    except Exception:  # one of them has no repr
        return sorted(mapping.items(), key=lambda item: show(item[0]))
