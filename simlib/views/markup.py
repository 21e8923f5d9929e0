"""Text as it may stand in HTML and SVG, whoever wrote it."""

from __future__ import annotations

import html

from simlib.text import printable


def escape(text: str) -> str:
    """Text or an attribute's value. XML has no way to write most control characters, and none for a lone surrogate:
    they are shown as `repr` shows them."""
    return html.escape(printable(text, keep="\n\t"))
