"""Plain values: what workers may send, store and be told. Compared, copied and shown in one way everywhere."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import difflib
import enum
import functools
import operator
import textwrap
import types
import uuid
from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from simlib.errors import Mistake
from simlib.text import name_of, printable

ATOMS = frozenset((str, int, float, bool, bytes, type(None)))
KEYS = frozenset((str, int, type(None)))  # equal only to what a worker cannot tell from them
SCALARS = frozenset((Decimal, Fraction, datetime.date, datetime.datetime, datetime.time, datetime.timedelta, uuid.UUID))
UNCHANGING = ATOMS | SCALARS


def fresh(value: Any) -> Any:
    """A copy that shares nothing mutable with `value`: what is written is copied, and so is what is read.

    Raises Mistake for what cannot be copied.
    """
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is list and ATOMS.issuperset(map(type, value)):  # a million numbers: deepcopy would take a second
        return value.copy()
    try:
        if kind is list and all(map(unchanging, value)):
            return value.copy()
        return value if unchanging(value) else copy.deepcopy(value)
    except Exception:  # an open file, a generator, a lock: each refuses in its own way
        raise Mistake(_not_plain(value)) from None


def unchanging(value: Any) -> bool:
    """Whether nobody can change it: then it need not be copied, which is most of the time of a simulation."""
    kind = type(value)
    if kind in UNCHANGING:
        return True
    parts = value if kind is tuple else _parts(kind)(value)  # type: ignore[arg-type]
    return parts is not None and (ATOMS.issuperset(map(type, parts)) or all(map(unchanging, parts)))


@functools.lru_cache(maxsize=64)
def _parts(kind: Hashable) -> Callable[[Any], tuple[Any, ...] | None]:
    """What gives the parts of a value of this kind, if that cannot be changed itself."""
    how = getattr(kind, "__dataclass_params__", None)
    if how is None or not how.frozen:
        return lambda value: None
    names = [*kind.__dataclass_fields__]  # type: ignore[attr-defined]
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def freeze(value: Any) -> Hashable:
    """A hashable key, equal for values that no worker could tell apart.

    Types are part of the key (`1`, `1.0` and `True` are equal in Python, and a worker can tell them apart), and so
    is the order of a dict. Raises Mistake for what is not plain data.
    """
    kind = type(value)
    if kind in KEYS:
        return value  # type: ignore[no-any-return]
    if kind is float:
        return ("float", repr(value))  # as text, nan equals itself
    if kind in ATOMS:
        return (kind.__name__, value)
    if kind in SCALARS:
        return (kind.__name__, repr(value))  # as text: a time is equal to the same moment in another zone
    if kind in (tuple, list):
        return (kind.__name__, *(value if KEYS.issuperset(map(type, value)) else map(freeze, value)))
    if kind is dict:
        return ("dict", *((freeze(key), freeze(item)) for key, item in value.items()))
    if kind in (set, frozenset):
        return (kind.__name__, frozenset(map(freeze, value)))
    if kind is range:
        return ("range", value.start, value.stop, value.step)
    if isinstance(value, enum.Enum):
        return (kind, value.name)
    if hasattr(kind, "__dataclass_fields__"):
        return (kind, *[freeze(getattr(value, name)) for name in _fields(kind)])  # type: ignore[arg-type]
    if isinstance(value, BaseException):
        return (kind, *map(freeze, value.args))
    if isinstance(value, tuple):  # a named one
        return (kind, *map(freeze, value))
    raise Mistake(_not_plain(value))


@functools.lru_cache(1_000)
def _fields(kind: Hashable) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]


def _not_plain(value: Any) -> str:
    what = show(value)
    kind = f"{what} is a {type(value).__name__}, which" if what != f"a {type(value).__name__}" else what
    return (
        f"{kind} cannot be stored, sent or compared. "
        "Use plain data: text, numbers, None, tuples, lists, dicts, sets, dataclasses."
    )


def unordered(mapping: dict[Any, Any]) -> Hashable:
    """A key for bookkeeping whose order nobody can see."""
    return frozenset((freeze(key), freeze(item)) for key, item in mapping.items())


def in_order(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """Its items, by how their keys read."""
    try:
        return sorted(mapping.items(), key=lambda item: repr(item[0]))
    except Exception:  # one of them cannot say what it is
        return sorted(mapping.items(), key=lambda item: show(item[0]))


def show(value: Any, width: int | None = None) -> str:
    """As a reader would write it: text in double quotes, nothing longer than `width`, never an address.

    Left out, that is 60 letters for a value; of an error, which is a sentence with its point at the end, 1,000.
    Whatever the value is, the text can be printed, and obeys nobody: see `printable`.
    """
    width = width or (1_000 if isinstance(value, BaseException) else 60)
    inner = min(60, width - 1)  # letters of a part: of more than that nothing would be seen
    if isinstance(value, str):
        value = value[: 2 * width]  # of what is longer no more is shown, and it may be a gigabyte
        text = '"' + value.replace('"', '\\"') + '"' if value.isprintable() else repr(value)
    elif type(value) in (tuple, list, dict, set, frozenset) and inner < 1:
        text = "…"  # a part of a part of a part
    elif type(value) is tuple:
        text = "(" + _some(value, inner, width) + ("," if len(value) == 1 else "") + ")"
    elif type(value) is list:
        text = "[" + _some(value, inner, width) + "]"
    elif type(value) is dict:
        items = (f"{show(key, inner)}: {show(item, inner)}" for key, item in value.items())
        text = "{" + _joined(items, width) + "}"
    elif type(value) in (set, frozenset):
        text = "{" + ", ".join(sorted(show(item, inner) for item in value)) + "}" if value else "set()"
    elif isinstance(value, BaseException):
        text = type(value).__name__ + (f": {said(value)}" if said(value) else "")
    elif isinstance(value, enum.Enum):
        text = f"{type(value).__name__}.{value.name}"
    elif isinstance(value, (type, types.FunctionType, types.MethodType)):
        text = name_of(value)
    else:
        try:
            text = repr(value)
        except Exception:  # a learner's own
            text = ""
        if not text or text.startswith("<") or " at 0x" in text:  # it says nothing of its own, or an address
            text = f"a {type(value).__name__}"
    text = printable(text[: 2 * width])
    return text if len(text) <= width else text[: width - 1] + "…"


def _some(values: Iterable[Any], inner: int, width: int) -> str:
    return _joined((show(value, inner) for value in values), width)


def _joined(parts: Iterable[str], width: int) -> str:
    """The first parts, until there is no room for more: a value may be large, and share its parts many times."""
    found, length = [], 0
    for part in parts:
        found.append(part)
        length += len(part) + 2
        if length > width:
            break
    return ", ".join(found)


def bare(value: Any, width: int = 60) -> str:
    """As `show` does it, and text without quotes: a key, a file's name, a holder."""
    return printable(value) if isinstance(value, str) else show(value, width)


def said(error: BaseException) -> str:
    """What it says; nothing where it cannot say it."""
    try:
        return str(error)
    except Exception:
        return ""


def plural(count: int, noun: str) -> str:
    """`1 crash`, `2 crashes`, `1,234 states`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}{'es' if noun.endswith(('s', 'sh', 'ch', 'x')) else 's'}"


def span(seconds: float) -> str:
    """`12 s`, `5 min`, `3.5 h`, `20 days`."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def ordinal(number: int) -> str:
    """`first`, `second`, ..., `11th`."""
    words = ("first", "second", "third", "fourth", "fifth")
    return words[number - 1] if number <= len(words) else f"{number}th"


def listed(words: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else "none"


def wrapped(text: str) -> str:
    """A sentence on as many lines as it needs."""
    return textwrap.fill(text, 100, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """` Did you mean `crashes`?`, or nothing when none of the words is near."""
    near = nearest(word, words)
    return f" Did you mean `{near}`?" if near else ""


def nearest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The word that this one was probably meant to be, in whatever case it is; None when none is near."""
    folded = {one.casefold(): one for one in words}
    near = difflib.get_close_matches(word[:100].casefold(), folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None
