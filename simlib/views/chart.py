"""Charts: labelled curves over time with confidence bands, and bars; the title states the finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.figure import SANS, figure_of, write
from simlib.views.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Z = 1.959964  # quantile of the normal distribution for 95 %
COLOURS = ("#0072B2", "#009E73", "#E69F00", "#CC79A7")  # the dashes differ too
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
HEIGHT, AXIS = 2.6, 0.5  # inches: the plot, and the text below it
BAR = 0.26  # inches from one bar to the next


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share of `hits` out of `of`.

    Wilson's (Journal of the American Statistical Association 22:209, 1927), which stays between 0 and 1 and works even
    for all or none.
    """
    share, weight = hits / of, Z**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = Z / (1 + weight) * (share * (1 - share) / of + weight / (4 * of)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Curve:
    """A line with a band around it; `steps` draws it as a step function. `note` is written below its name."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    band: tuple[Sequence[float], Sequence[float]] | None = None  # lower and upper edge
    steps: bool = False
    note: str = ""
    is_formula: bool = False


def shares_left(name: str, at: Sequence[float], left: Sequence[int], of: int, note: str = "") -> Curve:
    """A survival curve: the share of `of` that is left from each moment on, with 95 % bands."""
    lows, highs = zip(*(wilson(count, of) for count in left))
    return Curve(name, at, [count / of for count in left], (lows, highs), True, note)


@dataclass(frozen=True)
class Chart:
    """Curves from 0 to `end`. `x` and `y` label the axes; with `shares`, y runs from 0 to 100 %.

    `trouble` names what is wrong, and from when to when.
    """

    title: str
    small_print: str
    x: str
    y: str
    curves: Sequence[Curve]
    end: float
    shares: bool = False
    trouble: tuple[str, float, float] | None = None

    def picture(self, lines: Sequence[str]) -> Picture:
        """The chart as a picture; its text has these lines between the title and the small print."""
        return Picture("\n".join([self.title, *lines, self.small_print]), self._figure)

    def _figure(self) -> Figure:
        canvas, top = sheet(self.title, self.small_print, 8, HEIGHT + AXIS)
        figure = figure_of(canvas)
        bottom = canvas.height - top - HEIGHT
        axes = figure.add_axes((0.075, bottom / canvas.height, 0.735, HEIGHT / canvas.height))
        self._frame(axes)
        pairs = [(curve, _look(curve, place)) for place, curve in enumerate(self.curves)]
        for curve, look in pairs:
            drawstyle = "steps-post" if curve.steps else "default"
            axes.plot(curve.x, curve.y, drawstyle=drawstyle, **look)
            if curve.band:
                band: dict[str, Any] = {"step": "post"} if curve.steps else {}
                axes.fill_between(curve.x, *curve.band, color=look["color"], alpha=0.15, linewidth=0, **band)
        if self.shares:
            axes.set_ylim(0, 1.04)
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        self._mark_trouble(axes)
        axes.set_xlim(0, self.end)
        axes.set_ylim(bottom=0)
        (_name_aside if any(curve.note for curve in self.curves) else _name_at_ends)(axes, pairs)
        return figure

    def _frame(self, axes: Axes) -> None:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(style.LINE)
        axes.tick_params(colors=style.QUIET, labelsize=8, length=0)
        axes.grid(color=style.LINE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(self.x, size=8.5, color=style.QUIET, family=SANS)
        axes.set_ylabel(self.y, size=8.5, color=style.QUIET, family=SANS)

    def _mark_trouble(self, axes: Axes) -> None:
        if self.trouble is None:
            return
        what, since, until = self.trouble
        axes.axvspan(since, until, facecolor="none", edgecolor=style.QUIET, hatch="////", linewidth=0, alpha=0.5)
        top = axes.get_ylim()[1]
        write(axes, (since + until) / 2, top, what, size=8, ha="center", va="bottom", color=style.QUIET)


def _look(curve: Curve, place: int) -> dict[str, Any]:
    if curve.is_formula:
        return {"color": style.INK, "linestyle": ":", "linewidth": 1.4}
    return {"color": COLOURS[place % 4], "linestyle": DASHES[place % 4], "linewidth": 1.8}


def _name_at_ends(axes: Axes, pairs: Sequence[tuple[Curve, dict[str, Any]]]) -> None:
    """Write each curve's name at its right end, without overlaps."""
    low, high = axes.get_ylim()
    room = (high - low) * 0.085
    names = [style.wrapped(curve.name.replace("_", " "), 16).replace(" ", "_") for curve, _ in pairs]
    ends = sorted((curve.y[-1], name, look["color"]) for (curve, look), name in zip(pairs, names))
    at = -room
    for place, (height, name, colour) in enumerate(ends):
        at = max(height, at + room * (1 + name.count("\n"))) if place else height
        how: dict[str, Any] = {"transform": axes.transAxes, "va": "center", "color": colour}
        write(axes, 1.015, (at - low) / (high - low), name, size=8.5, **how)


def _name_aside(axes: Axes, pairs: Sequence[tuple[Curve, dict[str, Any]]]) -> None:
    """Write the names beside the chart, each with a sample line and its note: for curves that end close together."""
    from matplotlib.lines import Line2D

    how: dict[str, Any] = {"transform": axes.transAxes, "va": "center"}
    for place, (curve, look) in enumerate(pairs):
        y = 0.93 - 0.235 * place
        axes.add_line(Line2D([1.015, 1.06], [y, y], transform=axes.transAxes, clip_on=False, **look))
        write(axes, 1.07, y, style.clipped(curve.name, 20), size=8.5, color=style.INK, **how)
        write(axes, 1.07, y - 0.085, curve.note, size=7.2, color=style.QUIET, **how)


@dataclass(frozen=True)
class Bar:
    """A bar, and the text at its end."""

    name: str
    length: float
    said: str
    colour: str = style.RESOURCES[0]


def draw_bars(canvas: Canvas, left: float, top: float, bars: Sequence[Bar], room: float) -> None:
    """Draw bars below each other, with names left of `left`; the longest is `room` inches long."""
    most = max(bar.length for bar in bars)
    for place, bar in enumerate(bars):
        y, length = top + BAR * place, room * bar.length / most if most else 0.0
        canvas.text(left - 0.1, y, bar.name, ha="right")
        canvas.box(left, y - 0.09, length, 0.18, fill=bar.colour, radius=0)
        canvas.text(left + length + 0.08, y, bar.said)
