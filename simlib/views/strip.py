"""Crash strip and failure matrix: each implementation's verdict for a fault at every step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simlib.check import Report
from simlib.check.fault_matrix import CONDITIONS, Cell, Condition, cells
from simlib.errors import Mistake
from simlib.model.system import by_name
from simlib.scenario import Scenario, Workers, about_a_scenario, one_question, system_of
from simlib.text import listed, plural, show
from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.grid import LOOKS, Grid, Look, aligned, save_icon
from simlib.views.layout import verb_of
from simlib.views.picture import Drawn, Picture

LINE = 12  # cells
STRIP_PRINT = (
    "1 worker, 1 crash, right after that step; each cell is a search of every order of all that follows. ∞: for ever."
)
MATRIX_PRINT = (
    "Each cell is a search: 1 such fault at that step of worker A, and every order of all that follows; 2 workers "
    "where it takes another one (run twice, overtaken, paused). ✖ a property breaks, ∞ stuck or going round for ever."
)
CRASH_AFTER = tuple(condition for condition in CONDITIONS if condition.name == "crash after")

Steps = Sequence[Sequence[Cell]]  # one implementation: by step, by condition


@dataclass(frozen=True, repr=False)
class FaultMatrix(Drawn):
    """Cells by implementation, step and condition. Jupyter shows a picture, `print` the text.

    `grid.report("charge", 2, "crash after")` is the search behind the cell of the worker's second step.
    """

    title: str
    rows: Mapping[str, list[list[Cell]]]  # by implementation, step and condition
    conditions: tuple[Condition, ...]
    picture: Picture

    def save_thumbnail(self, path: str) -> None:
        """Write only the cells to a small picture file: a lesson's icon."""
        looks = [[LOOKS[step[0].verdict] for step in steps] for steps in self.rows.values()]
        save_icon(looks, path)

    def report(self, worker: str, step: int, condition: str = "crash after") -> Report:
        """The verdict behind a cell. Raises Mistake if there is no such cell."""
        names = [one.name for one in self.conditions]
        if worker not in self.rows or condition not in names or not 1 <= step <= len(self.rows[worker]):
            raise Mistake(
                f"no cell for {show(worker)}, step {step}, {show(condition)}: there are "
                f"{listed(list(self.rows))}, steps from 1, and {listed(names)}."
            )
        return self.rows[worker][step - 1][names.index(condition)].report


@about_a_scenario()
def crash_strip(scenario: Scenario, *workers: Workers) -> FaultMatrix:
    """Draw a row per implementation and a cell per step: what happens if it crashes right after that step.

    Each cell is decided by `explore`: every schedule with one crash, exactly there.
    """
    rows = _rows(scenario, workers, CRASH_AFTER)
    title = _title(rows, "at", "crash point")
    lines = [title, "What if it crashes right after ..."]
    for name, steps in rows.items():
        lines += [f"{name}:", *aligned([verb_of(step[0].step), _word(step[0])] for step in steps)]
    return FaultMatrix(
        title, rows, CRASH_AFTER, Picture("\n".join([*lines, STRIP_PRINT]), lambda: _draw_strip(title, rows))
    )


@about_a_scenario()
def failure_matrix(scenario: Scenario, *workers: Workers) -> FaultMatrix:
    """Draw a matrix per implementation: a row per step, a column per condition, each cell decided by `explore`."""
    rows = _rows(scenario, workers, CONDITIONS)
    used = tuple(
        condition
        for place, condition in enumerate(CONDITIONS)
        if any(step[place].verdict for steps in rows.values() for step in steps)
    )
    shown = {
        name: [[cell for cell in step if cell.condition in used] for step in steps] for name, steps in rows.items()
    }
    title = _title(shown, "in", "place")
    tables = []
    for name, steps in shown.items():
        head = [name, *(condition.name for condition in used)]
        said = ([verb_of(step[0].step), *map(_word, step)] for step in steps)
        tables.append("\n".join(aligned([head, *said])))
    text = "\n\n".join([title, *tables, MATRIX_PRINT])
    return FaultMatrix(title, shown, used, Picture(text, lambda: _draw_matrix(title, shown, used)))


@one_question
def _rows(
    scenario: Scenario, workers: tuple[Workers, ...], conditions: tuple[Condition, ...]
) -> dict[str, list[list[Cell]]]:
    return {
        name: cells({count: system_of(scenario, worker, count) for count in (1, 2)}, conditions)
        for name, worker in by_name(workers).items()
    }


def _word(cell: Cell) -> str:
    """What a cell says: the property that is violated, or that none is."""
    return {"": "-", "holds": "holds", "unfinished": "unfinished"}.get(cell.verdict, cell.report.claim or "")


def _title(rows: Mapping[str, Steps], preposition: str, noun: str) -> str:
    """The finding: at how many steps each implementation breaks."""
    said = []
    for name, steps in rows.items():
        verdicts = [cell.verdict for step in steps for cell in step if cell.verdict]
        bad = len(verdicts) - verdicts.count("holds") - verdicts.count("unfinished")
        where = f"{preposition} {bad or 'none'} of {plural(len(verdicts), noun)}"
        open_ = f", {verdicts.count('unfinished')} unfinished" if "unfinished" in verdicts else ""
        said.append(f"{name} {'breaks ' if bad else ''}{where}{open_}")
    return "; ".join(said)


def _draw_strip(title: str, rows: Mapping[str, Steps]) -> Canvas:
    lines = [line for name, steps in rows.items() for line in _lines(name, steps)]
    names = [[style.clipped(verb_of(step[0].step), 15) for step in steps] for _, steps in lines]
    # If all have the same steps, label only the last line.
    shared = all(one == names[0] for one in names)
    labels = [*([[]] * (len(lines) - 1)), names[-1]] if shared else names
    looks = [[_look_in_words(step[0]) for step in steps] for _, steps in lines]
    grids = [
        Grid([name], label, [look], (1.0, 0.5), size=6.8, below=True)
        for (name, _), label, look in zip(lines, labels, looks)
    ]
    left = max(one.left for one in grids)
    heights = [one.height + (one.head if one.columns else 0) for one in grids]
    canvas, y = sheet(title, STRIP_PRINT, left + max(one.width for one in grids) + 0.2, sum(heights))
    for one, height in zip(grids, heights):
        one.draw(canvas, left, y)
        y += height
    return canvas


def _lines(name: str, steps: Steps) -> list[tuple[str, Steps]]:
    """Wrap a long strip into lines of about equal length."""
    each = math.ceil(len(steps) / math.ceil(len(steps) / LINE))
    return [(name if start == 0 else "", steps[start : start + each]) for start in range(0, len(steps), each)]


def _look_in_words(cell: Cell) -> Look:
    """A cell with room for the name of the violated property."""
    look = LOOKS[cell.verdict]
    if cell.verdict in ("violated", "stuck"):
        return replace(look, words=style.wrapped((cell.report.claim or "").replace("_", " "), 15, lines=3))
    return look if cell.verdict else replace(look, words="over")


def _looks(steps: Steps) -> list[list[Look]]:
    return [[LOOKS[cell.verdict] for cell in step] for step in steps]


def _draw_matrix(title: str, rows: Mapping[str, Steps], conditions: tuple[Condition, ...]) -> Canvas:
    heads = [condition.name.replace(" ", "\n") for condition in conditions]
    grids = [
        Grid([verb_of(step[0].step) for step in steps], heads, _looks(steps), (0.58, 0.36)) for steps in rows.values()
    ]
    names = 0.3  # inches for the implementations' names
    height = names + max(one.head + one.height for one in grids)
    canvas, top = sheet(title, MATRIX_PRINT, sum(one.left + one.width + 0.2 for one in grids), height)
    x = 0.0
    for (name, steps), one in zip(rows.items(), grids):
        verdicts = {cell.verdict for step in steps for cell in step} - {"", "holds"}
        mood = style.GREEN if not verdicts else style.QUIET if verdicts == {"unfinished"} else style.RED
        canvas.text(x + one.left, top + 0.05, name, size=10, bold=True, color=mood)
        one.draw(canvas, x + one.left, top + names + one.head)
        x += one.left + one.width + 0.2
    return canvas
