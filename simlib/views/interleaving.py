"""Interleaving map: where in the code does it hurt to be overtaken?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simlib.arguments import named as described
from simlib.check import Report
from simlib.check.fault_matrix import overtakings
from simlib.errors import Mistake
from simlib.model.process import Worker
from simlib.model.system import called
from simlib.scenario import Scenario, about_a_scenario, system_of
from simlib.schedule.trace import Trace
from simlib.text import plural
from simlib.views import style
from simlib.views.drawing import Drawn, Picture, draw_notes
from simlib.views.layout import verb_of
from simlib.views.page import Page
from simlib.watchdog import interruptible

CELL, GAP = 0.62, 0.06  # inches
SMALL_PRINT = (
    "2 workers. Each cell: A up to there, B up to there, then A to its end, then B; everything else in every way."
)
Reports = tuple[tuple[Report, ...], ...]


@dataclass(frozen=True, repr=False)
class InterleavingMap(Drawn):
    """A row for each step of A after which it is overtaken, a column for how far B gets before A goes on.

    Jupyter shows a picture, `print` the text; `report(2, 3)` is the search behind a cell, `trace(2, 3)` its schedule: A
    took 2 steps, then B 3.
    """

    steps: tuple[str, ...]
    reports: tuple[tuple[Report, ...], ...]
    picture: Picture

    def report(self, first: int, second: int) -> Report:
        """The verdict on A being overtaken after `first` steps by `second` steps of B. Raises Mistake."""
        if not (1 <= first <= len(self.steps) and 1 <= second <= len(self.steps)):
            raise Mistake(f"({first}, {second}): there are {plural(len(self.steps), 'step')}, counted from 1.")
        return self.reports[first - 1][second - 1]

    def trace(self, first: int, second: int) -> Trace:
        """The run of a cell: the counterexample, or one that went well. Raises Mistake."""
        report = self.report(first, second)
        trace = report.counterexample or next(iter(report.sample(1)), None)
        if trace is None:
            why = report.findings.interrupted
            raise Mistake(f"({first}, {second}): the search was stopped {why}, before it had a run to show.")
        return trace


@about_a_scenario()
@interruptible()
def interleaving_map(scenario: Scenario, worker: Worker) -> InterleavingMap:
    """Two workers with this function, and every way in which B can overtake A once.

    Each cell is a search: A up to there, B up to there, A to its end, B to its end, and everything that this leaves
    open, such as a random draw, in every way.
    """
    if not callable(worker):  # a list of one is one, and a list of several has no "B overtakes A"
        raise Mistake(f"{described(worker)}: this map is of one function: interleaving_map(scenario, charge).")
    alone = scenario.run(worker)
    steps = tuple(verb_of(event.op) for event in alone.events if event.op and event.worker == "A")
    reports = tuple(map(tuple, overtakings(system_of(scenario, worker, 2), len(steps))))
    text = _text(called(worker), steps, reports)
    picture = Picture(text, text.replace("\n", ". "), lambda: _draw(called(worker), steps, reports))
    return InterleavingMap(steps, reports, picture)


def _title(name: str, reports: Reports) -> str:
    bad = sum(report.verdict == "violated" for row in reports for report in row)
    open_ = sum(report.verdict == "unfinished" for row in reports for report in row)
    total = len(reports) ** 2
    if bad:
        said = f"it hurts to be overtaken in {bad} of {total} places"
    else:
        said = f"no harm in {total - open_} of {total} places" if open_ else "overtaking does no harm"
    return f"{name}: {said}" + (f", {open_} unfinished" if open_ else "")


def _text(name: str, steps: tuple[str, ...], reports: Reports) -> str:
    rows = [["A stands after | B gets to", *steps]]
    rows += [[step, *(report.claim or report.verdict for report in row)] for step, row in zip(steps, reports)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    table = ["  ".join(f"{word:<{width}}" for word, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([_title(name, reports), *table, SMALL_PRINT])


def _draw(name: str, steps: tuple[str, ...], reports: Reports) -> Page:
    left, top, title = 1.5, 1.15, _title(name, reports)
    size = (CELL + GAP) * len(steps)
    page = Page(max(left + size + 0.3, 0.105 * len(title) + 0.4, 0.06 * len(SMALL_PRINT) + 0.4), top + size + 0.45)
    verdicts = {report.verdict for row in reports for report in row}
    mood = style.RED if "violated" in verdicts else style.QUIET if "unfinished" in verdicts else style.GREEN
    page.text(0.2, 0.26, title, size=11, weight="bold", color=mood)
    quiet: dict[str, Any] = {"size": 8, "color": style.QUIET}
    page.text(left - 0.1, 0.66, "A is overtaken after", ha="right", **quiet)
    page.text(left, 0.66, "B gets as far as", ha="left", **quiet)
    for place, step in enumerate(steps):
        middle = (CELL + GAP) * place + CELL / 2
        label = style.wrapped(step)
        page.text(left - 0.1, top + middle, label, size=8.5, ha="right", color=style.INK)
        page.text(left + middle, top - 0.2, label, size=7.5, ha="center", color=style.INK)
        for column, report in enumerate(reports[place]):
            corner = (left + (CELL + GAP) * column, top + (CELL + GAP) * place)
            face = {"violated": style.RED, "unfinished": style.LINE}.get(report.verdict, style.GOOD_CELL)
            page.box(*corner, CELL, CELL, facecolor=face)
            sign = {"violated": "✖", "unfinished": "?"}.get(report.verdict, "")
            page.text(
                corner[0] + CELL / 2, corner[1] + CELL / 2, sign,
                size=11, ha="center", color=style.PAPER,
            )  # fmt: skip
    draw_notes(page, SMALL_PRINT, 0.2, top + size + 0.2)
    return page
