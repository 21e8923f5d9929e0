"""Draws a canvas with matplotlib, imported only when a picture is saved in a format that the others do not write."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views.canvas import POINT, Box, Canvas, Line, Path, Text

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
            "a picture in this format needs matplotlib: pip install 'midflight[notebooks]'. SVG needs nothing."
        ) from None
    figure = Figure(figsize=(canvas.width, canvas.height), facecolor=canvas.theme.paper)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, canvas.width)
    axes.set_ylim(canvas.height, 0)
    axes.axis("off")
    draw: dict[type, Callable[..., None]] = {Text: _text, Box: _box, Line: _line, Path: _path}
    for place, mark in enumerate(canvas.marks):
        draw[type(mark)](axes, mark, place)
    return figure


def _text(axes: Axes, mark: Text, zorder: int) -> None:
    look: dict[str, Any] = {"size": mark.size, "color": mark.color, "weight": "bold" if mark.bold else "normal"}
    look |= {"family": MONO if mark.mono else SANS, "linespacing": mark.linespacing, "zorder": zorder}
    place: dict[str, Any] = {"ha": mark.ha, "va": mark.va, "rotation": mark.rotation}
    look |= {"rotation_mode": "anchor" if mark.rotation else None}
    words = printable(mark.words, keep="\n")
    axes.text(mark.x, mark.y, words, parse_math=False, **look, **place)  # or text between two `$` were a formula


def _box(axes: Axes, mark: Box, zorder: int) -> None:
    from matplotlib.patches import FancyBboxPatch, Rectangle

    look: dict[str, Any] = {"facecolor": mark.fill, "linewidth": mark.linewidth if mark.stroke else 0, "zorder": zorder}
    look |= {"edgecolor": mark.stroke} if mark.stroke else {}
    look |= {"alpha": mark.opacity} if mark.opacity < 1 else {}
    look |= {"hatch": "////"} if mark.hatched else {}
    look |= _dashed(mark)
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


def _path(axes: Axes, mark: Path, zorder: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Polygon

    if mark.fill != "none":
        look: dict[str, Any] = {"facecolor": mark.fill, "alpha": mark.opacity, "linewidth": 0, "zorder": zorder}
        axes.add_patch(Polygon(mark.points, **look))
    if mark.stroke:
        look = {"color": mark.stroke, "linewidth": mark.linewidth, "zorder": zorder, **_dashed(mark)}
        axes.add_line(Line2D(*zip(*mark.points), **look))


def _dashed(mark: Box | Path) -> dict[str, Any]:
    """Matplotlib measures dashes in line widths."""
    return {"linestyle": (0, [one / POINT / mark.linewidth for one in mark.dashes])} if mark.dashes else {}
