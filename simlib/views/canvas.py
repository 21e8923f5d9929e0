"""The canvas: text, boxes, lines and paths at positions in inches. It holds no drawing code; three renderers draw it.

`png` draws it as pixels, for GitHub and untrusted notebooks. `svg` writes it as SVG, for live pages and where there is
no Pillow, as in a browser's Python. `figure` draws it with matplotlib, for files in other formats, such as PDF.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from simlib.views import style

PIXELS = 100  # per inch, at the size a still picture is shown
POINT = PIXELS / 72
CORNER = 0.05  # corner radius in inches
BASELINE = {"center": 0.36, "bottom": -0.24, "baseline": 0.0}  # below the point, in multiples of the size
HATCH = 5  # pixels between the lines that hatch a box
SMALL_PRINT = 118  # characters per line
HEADING = 76


@dataclass(frozen=True)
class Text:
    """Text at a point; `size` in points."""

    x: float
    y: float
    words: str
    size: float = 8.5
    color: str = style.INK
    ha: str = "left"
    va: str = "center"
    bold: bool = False
    mono: bool = False
    linespacing: float = 1.2  # times the size
    rotation: float = 0


@dataclass(frozen=True)
class Box:
    """A rectangle, from its upper left corner; `linewidth` in points, `dashes` in pixels."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    stroke: str = ""
    linewidth: float = 1 / POINT
    dashes: tuple[float, float] | None = None
    hatched: bool = False
    opacity: float = 1
    radius: float = CORNER


@dataclass(frozen=True)
class Line:
    """A horizontal line; `linewidth` in points."""

    x: float
    end: float
    y: float
    color: str
    linewidth: float


@dataclass(frozen=True)
class Path:
    """A line through these points, and what they enclose; `linewidth` in points, `dashes` in pixels, on and off."""

    points: tuple[tuple[float, float], ...]
    stroke: str = ""
    linewidth: float = 1 / POINT
    dashes: tuple[float, ...] | None = None
    fill: str = "none"
    opacity: float = 1  # of what is filled


Mark = Text | Box | Line | Path


class Canvas:
    """`canvas.text(x, y, "words", size=9)`, `canvas.box(...)`, `canvas.line(...)`; y increases downwards.

    A later mark covers an earlier one.
    """

    def __init__(self, width: float, height: float, theme: style.Theme = style.PRINT) -> None:
        self.width, self.height, self.theme = width, height, theme
        self.marks: list[Mark] = []

    def text(self, x: float, y: float, words: str, **how: Any) -> None:
        """Write text here. `how` has the other fields of Text."""
        self.marks.append(Text(x, y, words, **how))

    def box(self, x: float, y: float, width: float, height: float, **how: Any) -> None:
        """Draw a box here. `how` has the other fields of Box."""
        self.marks.append(Box(x, y, width, height, **how))

    def line(self, x: float, end: float, y: float, color: str, linewidth: float) -> None:
        """Draw a horizontal line from `x` to `end`."""
        self.marks.append(Line(x, end, y, color, linewidth))

    def path(self, points: Iterable[tuple[float, float]], **how: Any) -> None:
        """Draw a line through these points, or fill what they enclose. `how` has the other fields of Path."""
        self.marks.append(Path(tuple(points), **how))

    def notes(self, small_print: str, left: float, top: float) -> None:
        """Write the small print, wrapped."""
        for place, line in enumerate(wrapped_notes(small_print)):
            self.text(left, top + 0.15 * place, line, color=style.QUIET, size=7.5)


def lines_of(text: Text) -> Iterator[tuple[str, float]]:
    """The lines of a text that are not empty, and how far below its point each one's baseline is, in pixels."""
    lines, size = text.words.split("\n"), POINT * text.size
    step = size * text.linespacing
    first = BASELINE[text.va] * size - step * (len(lines) - 1) / (2 if text.va == "center" else 1)
    return ((line, first + step * row) for row, line in enumerate(lines) if line)


def hatches(width: float, height: float) -> Iterator[tuple[float, float, float]]:
    """The lines that hatch a box, in pixels: where each starts, from its lower left corner to the right and up, and how
    far it goes, as far to the right as up.
    """
    for start in range(HATCH - round(height / HATCH) * HATCH, math.ceil(width), HATCH):
        x, y = max(0, start), max(0, -start)
        if (far := min(width - x, height - y)) > 0:
            yield x, y, far


def wrapped_notes(small_print: str) -> list[str]:
    """The lines of the small print."""
    return [line for part in small_print.splitlines() for line in textwrap.wrap(part, SMALL_PRINT)]


def sheet(title: str, small_print: str, width: float, height: float, color: str = style.INK) -> tuple[Canvas, float]:
    """A canvas with a title above and small print below, and the y where the space between them starts."""
    headings = textwrap.wrap(title, max(HEADING, int(width / 0.1)))
    notes = wrapped_notes(small_print)
    top = 0.33 + 0.22 * len(headings)
    widths = [width, 0.1 * max(map(len, headings)) + 0.4, 0.06 * max(map(len, notes), default=0) + 0.4]
    canvas = Canvas(max(widths), top + height + 0.15 * len(notes) + 0.17)
    for place, line in enumerate(headings):
        canvas.text(0.2, 0.28 + 0.22 * place, line, size=11, bold=True, color=color)
    canvas.notes(small_print, 0.2, top + height + 0.16)
    return canvas, top
