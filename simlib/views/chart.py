"""Charts: labelled curves over time with confidence bands, and bars; the title states the finding."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.picture import Picture

Z = 1.959964  # quantile of the normal distribution for 95 %
COLOURS = ("#0072B2", "#009E73", "#E69F00", "#CC79A7")  # the dashes differ too
DASHES = (None, (12.5, 5), (2.5, 3.75), (15, 5, 2.5, 5))  # pixels
HEIGHT, AXIS = 2.6, 0.5  # inches: the plot, and the text below it
LEFT, RIGHT = 0.075, 0.81  # of the sheet's width: where the plot begins and ends
X_TICKS, Y_TICKS = 8, 6  # at most
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
        return Picture("\n".join([self.title, *lines, self.small_print]), self._draw)

    def _draw(self) -> Canvas:
        canvas, top = sheet(self.title, self.small_print, 8, HEIGHT + AXIS)
        plot = _Plot(canvas, top, self.end, 1.04 if self.shares else 1.05 * _highest(self.curves) or 1)
        self._frame(plot)
        self._mark_trouble(plot)
        pairs = [(curve, _look(curve, place)) for place, curve in enumerate(self.curves)]
        for curve, look in pairs:
            if curve.band:
                low, high = (plot.points(curve.x, edge, curve.steps) for edge in curve.band)
                canvas.path([*low, *reversed(high)], fill=look["stroke"], opacity=0.15)
        for curve, look in pairs:
            canvas.path(plot.points(curve.x, curve.y, curve.steps), **look)
        (_name_aside if any(curve.note for curve in self.curves) else _name_at_ends)(plot, pairs)
        return canvas

    def _frame(self, plot: _Plot) -> None:
        """Draw the grid, the axes, and what is written along them."""
        how = {"size": 8, "color": style.QUIET}
        for at in ticks(self.end, X_TICKS):
            plot.rule((at, at), (0, plot.top), 0.6)
            plot.canvas.text(plot.x(at), plot.y(0) + 0.11, f"{at:,.10g}", ha="center", **how)
        for at in (0, 0.25, 0.5, 0.75, 1) if self.shares else ticks(plot.top, Y_TICKS):
            plot.rule((0, self.end), (at, at), 0.6)
            said = f"{100 * at:g} %" if self.shares else f"{at:,.10g}"
            plot.canvas.text(plot.left - 0.06, plot.y(at), said, ha="right", **how)
        plot.rule((0, self.end), (0, 0), 0.8)
        plot.rule((0, 0), (0, plot.top), 0.8)
        how |= {"size": 8.5, "ha": "center"}
        plot.canvas.text(plot.x(self.end / 2), plot.y(0) + 0.28, self.x, **how)
        plot.canvas.text(0.11, plot.y(plot.top / 2), self.y, rotation=90, **how)

    def _mark_trouble(self, plot: _Plot) -> None:
        if self.trouble is None:
            return
        what, since, until = self.trouble
        left, right = plot.x(since), plot.x(min(until, self.end))
        plot.canvas.box(left, plot.y(plot.top), right - left, HEIGHT, stroke=style.FAINT, hatched=True, radius=0)
        plot.canvas.text(
            (left + right) / 2, plot.y(plot.top) - 0.03, what, size=8, ha="center", va="bottom", color=style.QUIET
        )


@dataclass(frozen=True)
class _Plot:
    """The part of a canvas with the curves: from 0 to `end`, and from 0 to `top`."""

    canvas: Canvas
    above: float  # inches
    end: float
    top: float

    @property
    def left(self) -> float:
        return LEFT * self.canvas.width

    @property
    def right(self) -> float:
        return RIGHT * self.canvas.width

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * value / self.end

    def y(self, value: float) -> float:
        return self.above + HEIGHT * (1 - value / self.top)

    def points(self, xs: Sequence[float], ys: Sequence[float], steps: bool) -> list[tuple[float, float]]:
        """The curve's points on the canvas; of steps, their corners, too."""
        found = [(self.x(x), self.y(y)) for x, y in zip(xs, ys)]
        corners = [((x, y), (then, y)) for (x, y), (then, _) in itertools.pairwise(found)]
        return [*itertools.chain.from_iterable(corners), found[-1]] if steps else found

    def rule(self, xs: tuple[float, float], ys: tuple[float, float], linewidth: float) -> None:
        """Draw a line of the grid."""
        self.canvas.path(self.points(xs, ys, False), stroke=style.LINE, linewidth=linewidth)


def ticks(end: float, most: int) -> list[float]:
    """Round numbers from 0 to `end`, at equal distances, at most this many beside 0."""
    power = math.pow(10, math.floor(math.log10(end / most)))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if end / (power * one) <= most)
    return [step * number for number in range(1 + int(end / step + 1e-9))]


def _highest(curves: Sequence[Curve]) -> float:
    edges = [edge for curve in curves for edge in curve.band or ()]
    return max(max(values) for values in [*(curve.y for curve in curves), *edges])


def _look(curve: Curve, place: int) -> dict[str, Any]:
    if curve.is_formula:
        return {"stroke": style.INK, "dashes": (2, 3.2), "linewidth": 1.4}
    return {"stroke": COLOURS[place % 4], "dashes": DASHES[place % 4], "linewidth": 1.8}


def _name_at_ends(plot: _Plot, pairs: Sequence[tuple[Curve, dict[str, Any]]]) -> None:
    """Write each curve's name at its right end, without overlaps."""
    room = plot.top * 0.085
    names = [style.wrapped(curve.name.replace("_", " "), 16).replace(" ", "_") for curve, _ in pairs]
    ends = sorted((curve.y[-1], name, look["stroke"]) for (curve, look), name in zip(pairs, names))
    at = -room
    for place, (height, name, colour) in enumerate(ends):
        at = max(height, at + room * (1 + name.count("\n"))) if place else height
        plot.canvas.text(plot.right + 0.09, plot.y(at), name, size=8.5, color=colour)


def _name_aside(plot: _Plot, pairs: Sequence[tuple[Curve, dict[str, Any]]]) -> None:
    """Write the names beside the chart, each with a sample line and its note: for curves that end close together."""
    for place, (curve, look) in enumerate(pairs):
        y, x = plot.above + HEIGHT * (0.07 + 0.235 * place), plot.right + 0.09
        plot.canvas.path([(x, y), (x + 0.27, y)], **look)
        plot.canvas.text(x + 0.33, y, style.clipped(curve.name, 20), size=8.5)
        plot.canvas.text(x + 0.33, y + 0.085 * HEIGHT, curve.note, size=7.2, color=style.QUIET)


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
