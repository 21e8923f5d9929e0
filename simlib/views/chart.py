"""What all charts share: a figure with two axes, a title that states the finding, and the parameters in small print."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from simlib.views import style
from simlib.views.drawing import SMALL_PRINT, draw_notes
from simlib.views.page import SANS, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = ("#0072B2", "#009E73", "#E69F00", "#CC79A7")  # told apart by their dashes too
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))


def new_chart(title: str, small_print: str, height: float = 2.6) -> tuple[Figure, Axes]:
    """A figure with room for a plot, 8 inches wide."""
    notes = textwrap.wrap(small_print, SMALL_PRINT)
    headings = textwrap.wrap(title, 82)
    below, above = 0.62 + 0.15 * len(notes), 0.24 + 0.22 * len(headings)
    page = Page(8, above + height + below)
    for place, line in enumerate(headings):
        page.text(0.2, 0.26 + 0.22 * place, line, size=11, weight="bold", color=style.INK)
    draw_notes(page, small_print, 0.2, above + height + 0.62)
    figure, whole = page.figure(), above + height + below
    axes = figure.add_axes((0.075, below / whole, 0.735, height / whole))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(style.LINE)
    axes.tick_params(colors=style.QUIET, labelsize=8, length=0)
    axes.grid(color=style.LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def label_ends(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Write each line's name at its right end, (height, name, colour), none on top of another."""
    low, high = axes.get_ylim()
    room = (high - low) * 0.085
    placed: list[float] = []
    for height, name, colour in sorted(ends):
        at = height if not placed else max(height, placed[-1] + room * (1 + name.count("\n")))
        placed.append(at)
        axes.text(
            1.015, (at - low) / (high - low), name, transform=axes.transAxes,
            size=8.5, va="center", color=colour, family=SANS,
        )  # fmt: skip


def name_axes(axes: Axes, x: str, y: str) -> None:
    """What is counted along both axes."""
    axes.set_xlabel(x, size=8.5, color=style.QUIET, family=SANS)
    axes.set_ylabel(y, size=8.5, color=style.QUIET, family=SANS)
