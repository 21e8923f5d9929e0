"""A table of coloured cells with row and column labels, on a canvas and as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import radians, sin

from simlib.views import style
from simlib.views.canvas import CORNER, Canvas
from simlib.views.picture import Picture

GAP = 0.07  # inches between cells
SLANT = 40  # degrees
LETTER = 0.075  # inches per character of a label


@dataclass(frozen=True)
class Look:
    """How a cell looks. Several `fills` are stacked in it; `stroke` is the colour of its outline."""

    fills: tuple[str, ...]
    words: str = ""
    ink: str = style.QUIET
    stroke: str = ""


LOOKS = {  # calm if it holds, red with a sign if not, an outline if nothing can happen
    "holds": Look((style.GOOD_CELL,)),
    "violated": Look((style.RED,), "✖", style.PAPER),
    "stuck": Look((style.tint(style.RED),), "∞", style.RED, stroke=style.RED),
    "unfinished": Look((style.LINE,), "?"),
    "": Look((style.PAPER,), stroke=style.LINE),
}


@dataclass(frozen=True)
class Grid:
    """Cells by row and column. Column labels stand above them, or `below`; they may be `slanted`.

    `cell` is the width and height of a cell in inches, `size` its text size in points.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    looks: Sequence[Sequence[Look]]
    cell: tuple[float, float]
    size: float = 10
    gap: float = GAP
    below: bool = False
    slanted: bool = False

    @property
    def width(self) -> float:
        """The width of its columns in inches."""
        return (self.cell[0] + self.gap) * max(map(len, self.looks), default=0)

    @property
    def height(self) -> float:
        """The height of its rows in inches."""
        return (self.cell[1] + self.gap) * len(self.looks)

    @property
    def left(self) -> float:
        """The width of its row labels in inches."""
        return LETTER * max(map(len, self.rows), default=0) + 0.32

    @property
    def head(self) -> float:
        """The height of its column labels in inches."""
        if self.slanted:
            return sin(radians(SLANT)) * LETTER * max(map(len, self.columns), default=0) + 0.2
        return 0.14 * max((1 + label.count("\n") for label in self.columns), default=0) + 0.1

    def draw(self, canvas: Canvas, left: float, top: float) -> None:
        """Draw the cells from this corner on, with the labels around them."""
        width, height = self.cell
        for place, row in enumerate(self.looks):
            for column, look in enumerate(row):
                x, y = left + (width + self.gap) * column, top + (height + self.gap) * place
                self._draw_cell(canvas, look, x, y)
        for place, label in enumerate(self.rows):
            y = top + (height + self.gap) * place + height / 2
            canvas.text(left - 0.12, y, label, ha="right", linespacing=0.95)
        for column, label in enumerate(self.columns):
            self._draw_head(canvas, label, left + (width + self.gap) * column + width / 2, top)

    def _draw_cell(self, canvas: Canvas, look: Look, x: float, y: float) -> None:
        width, height = self.cell
        each, radius = height / len(look.fills), CORNER if len(look.fills) == 1 else 0
        for place, fill in enumerate(look.fills):
            canvas.box(x, y + each * place, width, each, fill=fill, stroke=look.stroke, radius=radius)
        canvas.text(x + width / 2, y + height / 2, look.words, size=self.size, ha="center", color=look.ink)

    def _draw_head(self, canvas: Canvas, label: str, x: float, top: float) -> None:
        if self.slanted:
            canvas.text(x + 0.03, top - 0.06, label, size=7.5, va="baseline", rotation=SLANT)
        elif self.below:
            canvas.text(x, top + self.height - self.gap + 0.16, label, size=8, ha="center")
        else:
            canvas.text(x, top - 0.08, label, size=8, ha="center", va="bottom", linespacing=0.95)


def aligned(rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    """A table as lines of text with aligned columns."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table)]
    return [indent + "  ".join(f"{word:<{width}}" for word, width in zip(row, widths)).rstrip() for row in table]


def save_icon(looks: Sequence[Sequence[Look]], path: str) -> None:
    """Write only the cells to a small picture file: a lesson's icon."""
    icon = Grid([], [], looks, (0.2, 0.2), size=7, gap=0.04)
    canvas = Canvas(icon.width + 0.08, icon.height + 0.08)
    icon.draw(canvas, 0.06, 0.06)
    Picture("", lambda: canvas).save(path)
