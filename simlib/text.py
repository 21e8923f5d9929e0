"""Text for people: values as a reader would write them, counts, lists, and untrusted text made safe to show."""

from __future__ import annotations

import difflib
import enum
import textwrap
import types
import unicodedata
from collections.abc import Iterable
from typing import Any


def printable(text: str, keep: str = "") -> str:
    """The text, with every character that cannot be seen written as `repr` writes it: `\\x1b`, `\\u202e`, `\\ud800`.

    Those are control characters, which a terminal obeys and XML forbids; marks that change the text's direction; and
    lone surrogates, which cannot be encoded. Spaces stay, and so does every character in `keep`.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep or _is_space(one) else repr(one)[1:-1] for one in text)


def _is_space(character: str) -> bool:
    return unicodedata.category(character) == "Zs"


def name_of(function: Any) -> str:
    """A function's name, to show or to look up. It may be any text, because anybody can assign `__name__`."""
    return printable(str(function.__name__))


def show(value: Any, width: int | None = None) -> str:
    """The value as a reader would write it: text in double quotes, at most `width` characters, never a memory address.

    The default width is 60 for a value and 1,000 for an error, which is a full sentence. The result is always safe to
    print: see `printable`.
    """
    width = width or (1_000 if isinstance(value, BaseException) else 60)
    inner = min(60, width - 1)  # characters of one part: more would never show
    if isinstance(value, str):
        value = value[: 2 * width]  # no more will show, and it may be a gigabyte
        text = '"' + value.replace('"', '\\"') + '"' if value.isprintable() else repr(value)
    elif type(value) in (tuple, list, dict, set, frozenset) and inner < 1:
        text = "…"  # three levels deep
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
        text = f"{type(value).__name__}.{vars(value).get('_name_')}"
    elif isinstance(value, (type, types.FunctionType, types.MethodType)):
        text = name_of(value)
    else:
        try:
            text = repr(value)
        except Exception:  # from a learner's own __repr__
            text = ""
        if not text or text.startswith("<") or " at 0x" in text:  # a default repr, or one with an address
            text = f"a {type(value).__name__}"
    text = printable(text[: 2 * width])
    return text if len(text) <= width else text[: width - 1] + "…"


def _some(values: Iterable[Any], inner: int, width: int) -> str:
    return _joined((show(value, inner) for value in values), width)


def _joined(parts: Iterable[str], width: int) -> str:
    """The first parts that fit: a value may be large, and may contain the same part many times."""
    found, length = [], 0
    for part in parts:
        found.append(part)
        length += len(part) + 2
        if length > width:
            break
    return ", ".join(found)


def bare(value: Any, width: int = 60) -> str:
    """Like `show`, but text without quotes: a key, a file's name, a holder."""
    return printable(value) if isinstance(value, str) else show(value, width)


def said(error: BaseException) -> str:
    """The error's message; empty if the error cannot produce it."""
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
    """A sentence, wrapped into lines."""
    return textwrap.fill(text, 100, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """` Did you mean `crashes`?`, or nothing if no word is close."""
    near = nearest(word, words)
    return f" Did you mean `{near}`?" if near else ""


def nearest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The word that was probably meant, ignoring case; None if no word is close."""
    folded = {one.casefold(): one for one in words}
    near = difflib.get_close_matches(word[:100].casefold(), folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None
