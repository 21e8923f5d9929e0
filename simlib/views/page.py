"""A blank page measured in inches, and what stands on it: words, boxes, lines. Two thin renderers draw it.

Matplotlib's is what GitHub, paper and an untrusted clone show. The SVG is for where there is no matplotlib, as in a
browser's Python: the same marks at the same places, in the page's own fonts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views import style
from simlib.views.markup import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS = 100  # an inch, as large as a still picture is shown
POINT = PIXELS / 72
SANS, MONO = "DejaVu Sans", "DejaVu Sans Mono"
FAMILIES = {SANS: "'DejaVu Sans', Verdana, sans-serif", MONO: "'DejaVu Sans Mono', Menlo, Consolas, monospace"}
ANCHORS = {"left": "start", "center": "middle", "right": "end"}
CORNER = 0.05  # inches of rounding
HATCH = 5  # pixels between its lines


def write(axes: Axes, x: float, y: float, words: str, **how: Any) -> None:
    """Write by matplotlib, just what the words say: to it, what stands between two `$` would be a formula."""
    axes.text(x, y, printable(words, keep="\n"), parse_math=False, **how)


@dataclass(frozen=True)
class Words:
    """Text at a point; `size` in points."""

    x: float
    y: float
    text: str
    size: float = 8.5
    color: str = style.INK
    ha: str = "left"
    va: str = "center"
    weight: str = "normal"
    family: str = SANS
    linespacing: float | None = None  # in sizes; the font's own if none is given
    rotation: float = 0
    zorder: int = 3

    def put(self, axes: Axes) -> None:
        own = ("x", "y", "text")
        how = {name: value for name, value in vars(self).items() if value is not None and name not in own}
        write(axes, self.x, self.y, self.text, rotation_mode="anchor" if self.rotation else None, **how)

    def svg(self) -> str:
        if not self.text:
            return ""
        x, size, lines = self.x * PIXELS, self.size * POINT, self.text.split("\n")
        step = size * (self.linespacing or 1.2)
        first = self.y * PIXELS + {"center": 0.36 * size - step * (len(lines) - 1) / 2}.get(
            self.va, -0.24 * size - step * (len(lines) - 1)
        )
        turned = f' transform="rotate({-self.rotation:g} {x:.1f} {self.y * PIXELS:.1f})"' if self.rotation else ""
        look = f'fill="{self.color}" font-size="{size:.1f}" font-family="{FAMILIES[self.family]}"'
        place = f'text-anchor="{ANCHORS[self.ha]}" font-weight="{self.weight}"{turned}'
        rows = "".join(
            f'<tspan x="{x:.1f}" y="{first + step * row:.1f}">{escape(line)}</tspan>' for row, line in enumerate(lines)
        )
        return f'<text {look} {place} style="white-space:pre">{rows}</text>'


@dataclass(frozen=True)
class Box:
    """A rectangle from its upper left corner on; `linewidth` in points, `dashes` in line widths."""

    x: float
    y: float
    width: float
    height: float
    facecolor: str = "none"
    edgecolor: str | None = None
    linewidth: float = 0
    dashes: tuple[float, float] | None = None
    hatch: str | None = None
    rounded: bool = True
    zorder: int = 1

    def put(self, axes: Axes) -> None:
        from matplotlib.patches import FancyBboxPatch, Rectangle

        how: dict[str, Any] = {"facecolor": self.facecolor, "linewidth": self.linewidth, "zorder": self.zorder}
        how |= {"edgecolor": self.edgecolor} if self.edgecolor else {}
        how |= {"linestyle": (0, self.dashes)} if self.dashes else {}
        corner = (self.x, self.y)
        if self.rounded:
            shape = f"round,pad=0,rounding_size={CORNER}"
            axes.add_patch(FancyBboxPatch(corner, self.width, self.height, boxstyle=shape, hatch=self.hatch, **how))
        else:
            axes.add_patch(Rectangle(corner, self.width, self.height, hatch=self.hatch, **how))

    def svg(self) -> str:
        x, y, width, height = (PIXELS * one for one in (self.x, self.y, self.width, self.height))
        thick = self.linewidth * POINT
        edge = f' stroke="{self.edgecolor}" stroke-width="{thick:.1f}"' if self.edgecolor and thick else ""
        if edge and self.dashes:
            edge += f' stroke-dasharray="{" ".join(f"{one * thick:.1f}" for one in self.dashes)}"'
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        corner = f' rx="{PIXELS * CORNER:g}"' if self.rounded else ""
        drawn = f'<rect {place}{corner} fill="{self.facecolor}"{edge}/>'
        if not self.hatch:
            return drawn
        starts = [x + HATCH * step for step in range(1 + max(0, int((width - height) / HATCH)))]
        lines = "".join(f"M{start:.1f} {y + height:.1f}l{height:.1f} {-height:.1f}" for start in starts)
        return f'{drawn}<path d="{lines}" stroke="{self.edgecolor}" stroke-width="0.8" fill="none"/>'


@dataclass(frozen=True)
class Line:
    """A level line; `linewidth` in points."""

    x: float
    end: float
    y: float
    color: str
    linewidth: float
    zorder: int = 2

    def put(self, axes: Axes) -> None:
        from matplotlib.lines import Line2D

        look: dict[str, Any] = {"color": self.color, "linewidth": self.linewidth, "zorder": self.zorder}
        axes.add_line(Line2D([self.x, self.end], [self.y, self.y], **look))

    def svg(self) -> str:
        ends = f'x1="{self.x * PIXELS:.1f}" x2="{self.end * PIXELS:.1f}"'
        level = f'y1="{self.y * PIXELS:.1f}" y2="{self.y * PIXELS:.1f}"'
        return f'<line {ends} {level} stroke="{self.color}" stroke-width="{self.linewidth * POINT:.1f}"/>'


class Page:
    """`page.text(x, y, "words", size=9)`, `page.box(...)`, `page.line(...)`; y counts from the top down."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.marks: list[Words | Box | Line] = []

    def text(self, x: float, y: float, words: str, **how: Any) -> None:
        """Write here. `how` is what Words has."""
        self.marks.append(Words(x, y, words, **how))

    def box(self, x: float, y: float, width: float, height: float, **how: Any) -> None:
        """Draw a box here. `how` is what Box has."""
        self.marks.append(Box(x, y, width, height, **how))

    def line(self, x: float, end: float, y: float, **how: Any) -> None:
        """Draw a line from x to its end. `how` is what Line has."""
        self.marks.append(Line(x, end, y, **how))

    def figure(self) -> Figure:
        """The page by matplotlib, with no axes, no grid, and no trace of pyplot. Raises Mistake without matplotlib."""
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise Mistake(
                "pictures need matplotlib: pip install 'midflight[notebooks]'. The text form needs nothing."
            ) from None
        figure = Figure(figsize=(self.width, self.height), facecolor=style.PAPER)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        axes.axis("off")
        for mark in self.marks:
            mark.put(axes)
        return figure

    def svg(self, alt: str) -> str:
        """The page as one SVG element, with this alternative text."""
        width, height = round(self.width * PIXELS), round(self.height * PIXELS)
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" style="max-width:100%;height:auto"'
        marks = "".join(mark.svg() for mark in sorted(self.marks, key=lambda mark: mark.zorder))
        paper = f'<rect width="{width}" height="{height}" fill="{style.PAPER}"/>'
        return f'<svg {size} role="img" aria-label="{escape(alt)}">{paper}{marks}</svg>'
