"""Words for people: a value as a reader would write it, counts and lists, and text of strangers made safe to show."""

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

    Those are control characters, which a terminal obeys and XML forbids; marks that turn the direction of what follows;
    and lone surrogates, which no encoding takes. Spaces stay, and so does what is in `keep`.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep or _is_space(one) else repr(one)[1:-1] for one in text)


def _is_space(character: str) -> bool:
    return unicodedata.category(character) == "Zs"


def name_of(function: Any) -> str:
    """What a function is called, wherever it is shown or looked up: a name that was assigned can be any text."""
    return printable(str(function.__name__))


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
        text = f"{type(value).__name__}.{vars(value).get('_name_')}"
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
