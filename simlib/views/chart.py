"""What all charts share: a figure with two axes, a title that states the finding, and the parameters in small print."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simlib.views import style
from simlib.views.drawing import SMALL_PRINT, draw_notes
from simlib.views.page import SANS, Page, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Z = 1.959964  # of the normal distribution, for 95 %
LINES = ("#0072B2", "#009E73", "#E69F00", "#CC79A7")  # told apart by their dashes too
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share that was `hits` out of `of`.

    Wilson's (Journal of the American Statistical Association 22:209, 1927), which stays between 0 and 1 and says
    something also when it was all of them, or none.
    """
    share, weight = hits / of, Z**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = Z / (1 + weight) * (share * (1 - share) / of + weight / (4 * of)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def new_chart(title: str, small_print: str, height: float = 2.6) -> tuple[Figure, Axes]:
    """A figure with room for a plot, 8 inches wide."""
    notes = textwrap.wrap(small_print, SMALL_PRINT)
    headings = textwrap.wrap(title, 82)
    below, above = 0.62 + 0.15 * len(notes), 0.32 + 0.22 * len(headings)
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


def draw_shares(axes: Axes, lines: Sequence[tuple[Sequence[float], Sequence[int], int]], longest: float) -> None:
    """A line of steps for each: from which moment on how many are left, out of how many; each in its 95 % band."""
    for (at, left, of), colour, dashes in zip(lines, LINES * 3, DASHES * 3):
        lows, highs = zip(*(wilson(count, of) for count in left))
        axes.fill_between(at, lows, highs, step="post", color=colour, alpha=0.15, linewidth=0)
        axes.step(at, [count / of for count in left], where="post", color=colour, linestyle=dashes, linewidth=1.8)
    axes.set_xlim(0, longest)
    axes.set_ylim(0, 1.04)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])


def label_ends(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Write each line's name at its right end, (height, name, colour), none on top of another."""
    low, high = axes.get_ylim()
    room = (high - low) * 0.085
    placed: list[float] = []
    for height, name, colour in sorted(ends):
        at = height if not placed else max(height, placed[-1] + room * (1 + name.count("\n")))
        placed.append(at)
        write(
            axes, 1.015, (at - low) / (high - low), name, transform=axes.transAxes,
            size=8.5, va="center", color=colour, family=SANS,
        )  # fmt: skip


def name_axes(axes: Axes, x: str, y: str) -> None:
    """What is counted along both axes."""
    axes.set_xlabel(x, size=8.5, color=style.QUIET, family=SANS)
    axes.set_ylabel(y, size=8.5, color=style.QUIET, family=SANS)
