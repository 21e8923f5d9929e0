"""Colours and text sizes shared by all pictures. Okabe and Ito's palette is safe for the colour-blind and in grey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

RESOURCES = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2")
RED = "#D1293D"  # violations only
GREEN = "#1E7B57"
INK = "#1F2430"
QUIET = "#7A808C"
FAINT = "#BCBFC5"  # QUIET, half as strong
LINE = "#E3E5E8"
PAPER = "#FFFFFF"
GOOD_CELL = "#D9EEE4"
CHANGED = "#FFF1CC"


@dataclass(frozen=True)
class Theme:
    """The differences between paper and a live page: every colour that is not a resource's, and the text."""

    ink: str = INK
    quiet: str = QUIET
    line: str = LINE
    paper: str = PAPER
    bad: str = RED
    good: str = GREEN
    family: str = "'DejaVu Sans', Verdana, sans-serif"
    letter: float = 0.064  # inches per character of a bar's text
    still: bool = True  # drawn on its own sheet of paper


PRINT = Theme()
JUPYTER = Theme(
    ink="var(--jp-content-font-color1, #1F2430)", quiet="var(--jp-content-font-color2, #6B7280)",
    line="var(--jp-border-color2, #E3E5E8)", paper="var(--jp-layout-color0, #FFFFFF)",
    family="system-ui, sans-serif", letter=0.062, still=False,
)  # fmt: skip
PLAYER = replace(
    JUPYTER, ink="var(--mfp-ink)", quiet="var(--mfp-quiet)", line="var(--mfp-line)", paper="var(--mfp-paper)",
    bad="var(--mfp-red)",
)  # fmt: skip


def colour(resource: str, numbers: Mapping[str, int]) -> str:
    """The resource's colour: the same in every picture of its scenario."""
    return RESOURCES[numbers.get(resource, 0) % len(RESOURCES)]


def tint(hex_colour: str) -> str:
    """The colour mixed with white."""
    parts = [int(hex_colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * 0.22):02X}" for part in parts)


def ink_on(hex_colour: str) -> str:
    """Black or white, whichever is easier to read on this colour."""
    red, green, blue = (int(hex_colour[place : place + 2], 16) for place in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else PAPER


def wrapped(text: str, width: int = 11, lines: int = 2) -> str:
    """Wrap a block's text to at most `lines` lines of `width` characters; `…` ends what does not fit."""
    words = text.replace("_", "_ ").split(" ") if " " not in text else text.split(" ")
    rows = [""]
    for word in words:
        glue = "" if not rows[-1] or rows[-1].endswith("_") else " "
        if rows[-1] and len(rows[-1] + glue + word) > width:
            rows.append(word)
        else:
            rows[-1] += glue + word
    kept = rows[:lines]
    if len(rows) > lines:
        kept[-1] += "…"
    return "\n".join(clipped(row, width) for row in kept)


def clipped(text: str, width: int) -> str:
    """At most `width` characters."""
    return text if len(text) <= width else text[: max(0, width - 1)].rstrip("…") + "…"
