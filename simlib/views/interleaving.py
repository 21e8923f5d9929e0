"""The interleaving map: where in the code it hurts to be overtaken by another worker."""

from __future__ import annotations

from dataclasses import dataclass

from simlib.arguments import named as described
from simlib.check import Report
from simlib.check.fault_matrix import overtakings
from simlib.errors import Mistake
from simlib.model.process import Worker
from simlib.model.system import called
from simlib.scenario import Scenario, about_a_scenario, one_question, system_of
from simlib.schedule.trace import Trace
from simlib.text import plural
from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.grid import LOOKS, Grid, aligned
from simlib.views.layout import verb_of
from simlib.views.picture import Drawn, Picture

SMALL_PRINT = (
    "2 workers. Each cell: A up to there, B up to there, then A to its end, then B; everything else in every way."
)
Reports = tuple[tuple[Report, ...], ...]


@dataclass(frozen=True, repr=False)
class InterleavingMap(Drawn):
    """A row for each step of A after which it is overtaken, a column for how far B gets before A resumes.

    Jupyter shows a picture, `print` the text. `report(2, 3)` is the search behind a cell and `trace(2, 3)` its
    schedule: A took 2 steps, then B 3.
    """

    steps: tuple[str, ...]
    reports: tuple[tuple[Report, ...], ...]
    picture: Picture

    def report(self, first: int, second: int) -> Report:
        """The verdict if A is overtaken after `first` steps by `second` steps of B. Raises Mistake for no such cell."""
        if not (1 <= first <= len(self.steps) and 1 <= second <= len(self.steps)):
            raise Mistake(f"({first}, {second}): there are {plural(len(self.steps), 'step')}, counted from 1.")
        return self.reports[first - 1][second - 1]

    def trace(self, first: int, second: int) -> Trace:
        """The run of a cell: the counterexample, or one without a violation. Raises Mistake if there is none."""
        report = self.report(first, second)
        trace = report.counterexample or next(iter(report.sample(1)), None)
        if trace is None:
            why = report.findings.interrupted
            raise Mistake(f"({first}, {second}): the search was stopped {why}, before it had a run to show.")
        return trace


@about_a_scenario()
@one_question
def interleaving_map(scenario: Scenario, worker: Worker) -> InterleavingMap:
    """Run two workers of this function, with every way in which B can overtake A once.

    Each cell is a search: A up to there, B up to there, A to its end, B to its end, with every outcome of whatever that
    leaves open, such as a random draw.
    """
    if not callable(worker):  # a list of one is accepted; several roles have no "B overtakes A"
        raise Mistake(f"{described(worker)}: this map is of one function: interleaving_map(scenario, charge).")
    alone = scenario.run(worker)
    steps = tuple(verb_of(event.op) for event in alone.events if event.op and event.worker == "A")
    reports = tuple(map(tuple, overtakings(system_of(scenario, worker, 2), len(steps))))
    title = _title(called(worker), reports)
    said = ([step, *(report.claim or report.verdict for report in row)] for step, row in zip(steps, reports))
    text = "\n".join([title, *aligned([["A stands after | B gets to", *steps], *said], indent=""), SMALL_PRINT])
    return InterleavingMap(steps, reports, Picture(text, lambda: _draw(title, steps, reports)))


def _title(name: str, reports: Reports) -> str:
    bad = sum(report.verdict == "violated" for row in reports for report in row)
    open_ = sum(report.verdict == "unfinished" for row in reports for report in row)
    total = len(reports) ** 2
    if bad:
        said = f"it hurts to be overtaken in {bad} of {total} places"
    else:
        said = f"no harm in {total - open_} of {total} places" if open_ else "overtaking does no harm"
    return f"{name}: {said}" + (f", {open_} unfinished" if open_ else "")


def _draw(title: str, steps: tuple[str, ...], reports: Reports) -> Canvas:
    labels = [style.wrapped(step) for step in steps]
    grid = Grid(labels, labels, [[LOOKS[report.verdict] for report in row] for row in reports], (0.62, 0.62))
    verdicts = {report.verdict for row in reports for report in row}
    mood = style.RED if "violated" in verdicts else style.QUIET if "unfinished" in verdicts else style.GREEN
    left, names = 1.5, 0.22  # inches: for the labels, and for the axis names
    canvas, top = sheet(title, SMALL_PRINT, left + grid.width + 0.3, names + grid.head + grid.height, mood)
    for x, words, side in ((left - 0.12, "A is overtaken after", "right"), (left, "B gets as far as", "left")):
        canvas.text(x, top + 0.06, words, ha=side, size=8, color=style.QUIET)
    grid.draw(canvas, left, top + names + grid.head)
    return canvas
