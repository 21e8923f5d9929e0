"""Escapes untrusted text for HTML and SVG."""

from __future__ import annotations

import html

from simlib.text import printable


def escape(text: str) -> str:
    """Escape text or an attribute's value. XML cannot hold most control characters or lone surrogates, so `repr` shows
    them.
    """
    return html.escape(printable(text, keep="\n\t"))
