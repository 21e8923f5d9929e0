"""Draws a canvas with matplotlib, imported only when a picture is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views.canvas import POINT, Box, Canvas, Line, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SANS, MONO = "DejaVu Sans", "DejaVu Sans Mono"


def figure_of(canvas: Canvas) -> Figure:
    """The canvas as a figure without axes, grid or pyplot. Raises Mistake without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Mistake(
            "pictures need matplotlib: pip install 'midflight[notebooks]'. The text form needs nothing."
        ) from None
    figure = Figure(figsize=(canvas.width, canvas.height), facecolor=canvas.theme.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, canvas.width)
    axes.set_ylim(canvas.height, 0)
    axes.axis("off")
    draw: dict[type, Callable[..., None]] = {Text: _text, Box: _box, Line: _line}
    for place, mark in enumerate(canvas.marks):
        draw[type(mark)](axes, mark, place)
    return figure


def write(axes: Axes, x: float, y: float, words: str, **how: Any) -> None:
    """Write the text literally: matplotlib would render anything between two `$` as a formula."""
    axes.text(x, y, printable(words, keep="\n"), parse_math=False, **{"family": SANS, **how})


def _text(axes: Axes, mark: Text, zorder: int) -> None:
    look = {"size": mark.size, "color": mark.color, "weight": "bold" if mark.bold else "normal"}
    look |= {"family": MONO if mark.mono else SANS, "linespacing": mark.linespacing, "zorder": zorder}
    place = {"ha": mark.ha, "va": mark.va, "rotation": mark.rotation}
    write(axes, mark.x, mark.y, mark.words, rotation_mode="anchor" if mark.rotation else None, **look, **place)


def _box(axes: Axes, mark: Box, zorder: int) -> None:
    from matplotlib.patches import FancyBboxPatch, Rectangle

    look: dict[str, Any] = {"facecolor": mark.fill, "linewidth": mark.linewidth if mark.stroke else 0, "zorder": zorder}
    look |= {"edgecolor": mark.stroke} if mark.stroke else {}
    look |= {"alpha": mark.opacity} if mark.opacity < 1 else {}
    look |= {"hatch": "////"} if mark.hatched else {}
    if mark.dashes:  # matplotlib measures dashes in line widths
        look["linestyle"] = (0, [one / POINT / mark.linewidth for one in mark.dashes])
    corner = (mark.x, mark.y)
    if mark.radius:
        shape = f"round,pad=0,rounding_size={mark.radius}"
        axes.add_patch(FancyBboxPatch(corner, mark.width, mark.height, boxstyle=shape, **look))
    else:
        axes.add_patch(Rectangle(corner, mark.width, mark.height, **look))


def _line(axes: Axes, mark: Line, zorder: int) -> None:
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"color": mark.color, "linewidth": mark.linewidth, "zorder": zorder}
    axes.add_line(Line2D([mark.x, mark.end], [mark.y, mark.y], **look))
