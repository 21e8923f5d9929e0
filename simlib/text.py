"""Text that may come from anybody, made safe to show."""

from __future__ import annotations

import unicodedata
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
