"""Escapes untrusted text for HTML and SVG."""

from __future__ import annotations

import html

from simlib.text import printable


def escape(text: str) -> str:
    """Escape text for content or attributes. Characters that XML cannot hold are shown as `repr` shows them."""
    return html.escape(printable(text, keep="\n\t"))
