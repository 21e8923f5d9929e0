"""Interleaving map: where in the code does it hurt to be overtaken?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.engines.replay import interleave
from simlib.errors import Mistake
from simlib.process import Worker
from simlib.scenario import Scenario
from simlib.trace import Trace
from simlib.values import plural
from simlib.views import style
from simlib.views.drawing import FONT, Drawn, Picture, new_figure
from simlib.views.layout import verb_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, GAP = 0.62, 0.06  # inches


@dataclass(frozen=True, repr=False)
class InterleavingMap(Drawn):
    """A row for each step of A after which it is overtaken, a column for how far B gets before A goes on.

    Jupyter shows a picture, `print` the text; `trace(2, 3)` is the schedule of a cell: A took 2 steps, then B 3.
    """

    steps: tuple[str, ...]
    traces: tuple[tuple[Trace, ...], ...]
    picture: Picture

    def trace(self, first: int, second: int) -> Trace:
        """The run in which A is overtaken after `first` steps by `second` steps of B. Raises Mistake."""
        if not (1 <= first <= len(self.steps) and 1 <= second <= len(self.steps)):
            raise Mistake(f"trace({first}, {second}): there are {plural(len(self.steps), 'step')}, counted from 1.")
        return self.traces[first - 1][second - 1]


def interleaving_map(scenario: Scenario, worker: Worker) -> InterleavingMap:
    """Two workers with this function, and every way in which B can overtake A once.

    Each cell is one schedule, played by the engine: A up to there, B up to there, A to its end, B to its end.
    """
    system = scenario.system(worker, 2)
    alone = scenario.run(worker)
    steps = tuple(verb_of(event.op) for event in alone.events if event.op and event.worker == "A")
    count = range(1, len(steps) + 1)
    traces = tuple(tuple(interleave(system, first, second) for second in count) for first in count)
    text = _text(worker.__name__, steps, traces)
    return InterleavingMap(steps, traces, Picture(text, text, lambda: _draw(worker.__name__, steps, traces)))


def _title(name: str, traces: tuple[tuple[Trace, ...], ...]) -> str:
    bad = sum(trace.broken is not None for row in traces for trace in row)
    total = len(traces) ** 2
    return f"{name}: it hurts to be overtaken in {bad} of {total} places" if bad else f"{name}: overtaking does no harm"


def _text(name: str, steps: tuple[str, ...], traces: tuple[tuple[Trace, ...], ...]) -> str:
    rows = [["A stands after | B gets to", *steps]]
    rows += [[step, *(trace.broken or "holds" for trace in row)] for step, row in zip(steps, traces)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    table = ["  ".join(f"{word:<{width}}" for word, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([_title(name, traces), *table])


def _draw(name: str, steps: tuple[str, ...], traces: tuple[tuple[Trace, ...], ...]) -> Figure:
    from matplotlib.patches import FancyBboxPatch

    left, top, title = 1.5, 1.15, _title(name, traces)
    size = (CELL + GAP) * len(steps)
    figure, axes = new_figure(max(left + size + 0.3, 0.105 * len(title) + 0.4), top + size + 0.2)
    sound = all(trace.broken is None for row in traces for trace in row)
    mood = style.GREEN if sound else style.RED
    axes.text(0.2, 0.26, title, size=11, weight="bold", va="center", color=mood, **FONT)
    quiet: dict[str, Any] = {"size": 8, "color": style.QUIET, "va": "center", **FONT}
    axes.text(left - 0.1, 0.66, "A is overtaken after", ha="right", **quiet)
    axes.text(left, 0.66, "B gets as far as", ha="left", **quiet)
    for place, step in enumerate(steps):
        middle = (CELL + GAP) * place + CELL / 2
        label = style.wrapped(step)
        axes.text(left - 0.1, top + middle, label, size=8.5, ha="right", va="center", color=style.INK, **FONT)
        axes.text(left + middle, top - 0.2, label, size=7.5, ha="center", va="center", color=style.INK, **FONT)
        for column, trace in enumerate(traces[place]):
            corner = (left + (CELL + GAP) * column, top + (CELL + GAP) * place)
            face = style.RED if trace.broken else style.GOOD_CELL
            axes.add_patch(
                FancyBboxPatch(
                    corner, CELL, CELL, boxstyle="round,pad=0,rounding_size=0.05", facecolor=face, linewidth=0
                )
            )
            sign = "✖" if trace.broken else ""
            axes.text(
                corner[0] + CELL / 2, corner[1] + CELL / 2, sign,
                size=11, ha="center", va="center", color=style.PAPER, **FONT,
            )  # fmt: skip
    return figure
