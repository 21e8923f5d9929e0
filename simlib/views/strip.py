"""Crash strip and failure matrix: what becomes of each implementation if something goes wrong exactly there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simlib.check import Report
from simlib.check.fault_matrix import CONDITIONS, Cell, Condition, cells
from simlib.errors import Mistake
from simlib.model.system import by_name
from simlib.scenario import Scenario, Workers, about_a_scenario, system_of
from simlib.text import listed, plural, show
from simlib.views import style
from simlib.views.drawing import DOTS_PER_INCH, SMALL_PRINT, Drawn, Picture, draw_notes
from simlib.views.layout import verb_of
from simlib.views.page import Page
from simlib.watchdog import interruptible

CELL, HEIGHT, GAP = 1.0, 0.5, 0.07  # inches
LINE = 12  # cells
STRIP_PRINT = (
    "1 worker, 1 crash, right after that step; each cell is a search of every order of all that follows. ∞: for ever."
)
MATRIX_PRINT = (
    "Each cell is a search: 1 such fault at that step of worker A, and every order of all that follows; 2 workers "
    "where it takes another one (run twice, overtaken, paused). ✖ a property breaks, ∞ stuck or going round for ever."
)
CRASH_AFTER = tuple(condition for condition in CONDITIONS if condition.name == "crash after")


@dataclass(frozen=True, repr=False)
class Grid(Drawn):
    """Cells by implementation, step and condition. Jupyter shows a picture, `print` the text.

    `grid.report("charge", 2, "crash after")` is the search behind a cell: of the worker's second step.
    """

    title: str
    rows: Mapping[str, list[list[Cell]]]  # implementation: by step, by condition
    conditions: tuple[Condition, ...]
    picture: Picture

    def save_thumbnail(self, path: str) -> None:
        """Write the cells alone, small, to a file: of a crash strip, the icon of a lesson."""
        _draw_thumbnail(self.rows).figure().savefig(path, dpi=DOTS_PER_INCH)

    def report(self, worker: str, step: int, condition: str = "crash after") -> Report:
        """The verdict behind a cell. Raises Mistake where there is no such cell."""
        names = [one.name for one in self.conditions]
        if worker not in self.rows or condition not in names or not 1 <= step <= len(self.rows[worker]):
            raise Mistake(
                f"no cell for {show(worker)}, step {step}, {show(condition)}: there are "
                f"{listed(list(self.rows))}, steps from 1, and {listed(names)}."
            )
        return self.rows[worker][step - 1][names.index(condition)].report


@about_a_scenario()
def crash_strip(scenario: Scenario, *workers: Workers) -> Grid:
    """A row an implementation, a cell a step: what happens if it crashes right after that step.

    Each cell is decided by `explore`: every schedule with one crash, there and nowhere else.
    """
    rows = _rows(scenario, workers, CRASH_AFTER)
    text = _strip_text(rows)
    picture = Picture(text, text.replace("\n", ". "), lambda: _draw_strip(rows))
    return Grid(_strip_title(rows), rows, CRASH_AFTER, picture)


@about_a_scenario()
def failure_matrix(scenario: Scenario, *workers: Workers) -> Grid:
    """A row a step, a column a condition, a matrix an implementation; each cell decided by `explore`."""
    rows = _rows(scenario, workers, CONDITIONS)
    used = tuple(
        condition
        for place, condition in enumerate(CONDITIONS)
        if any(step[place].verdict for steps in rows.values() for step in steps)
    )
    shown = {
        name: [[cell for cell in step if cell.condition in used] for step in steps] for name, steps in rows.items()
    }
    tables = [_matrix_text(name, steps, used) for name, steps in shown.items()]
    text = "\n\n".join([_matrix_title(shown), *tables, MATRIX_PRINT])
    picture = Picture(text, text.replace("\n", ". "), lambda: _draw_matrix(shown, used))
    return Grid(_matrix_title(shown), shown, used, picture)


@interruptible()
def _rows(
    scenario: Scenario, workers: tuple[Workers, ...], conditions: tuple[Condition, ...]
) -> dict[str, list[list[Cell]]]:
    return {
        name: cells({count: system_of(scenario, worker, count) for count in (1, 2)}, conditions)
        for name, worker in by_name(workers).items()
    }


def _word(cell: Cell) -> str:
    """What a cell says: the property that breaks, or that nothing does."""
    return {"": "-", "holds": "holds", "unfinished": "unfinished"}.get(cell.verdict, cell.report.claim or "")


def _strip_title(rows: Mapping[str, list[list[Cell]]]) -> str:
    """The finding: at how many of its crash points each one breaks."""
    firsts = {name: [step[0] for step in steps] for name, steps in rows.items()}
    return "; ".join(_finding(name, struck, "at", "crash point") for name, struck in firsts.items())


def _finding(name: str, cells: list[Cell], preposition: str, noun: str) -> str:
    struck = [cell for cell in cells if cell.verdict]
    open_ = sum(cell.verdict == "unfinished" for cell in struck)
    bad = sum(cell.verdict not in ("holds", "unfinished") for cell in struck)
    points = plural(len(struck), noun)
    said = f"{name} breaks {preposition} {bad} of {points}" if bad else f"{name} {preposition} none of {points}"
    return f"{said}, {open_} unfinished" if open_ else said


def _matrix_title(rows: Mapping[str, list[list[Cell]]]) -> str:
    flat = {name: [cell for step in steps for cell in step] for name, steps in rows.items()}
    return "; ".join(_finding(name, cells, "in", "place") for name, cells in flat.items())


def _strip_text(rows: Mapping[str, list[list[Cell]]]) -> str:
    lines = [_strip_title(rows), "What if it crashes right after ..."]
    for name, steps in rows.items():
        lines.append(f"{name}:")
        lines += _table([[verb_of(step[0].step), _word(step[0])] for step in steps])
    return "\n".join([*lines, STRIP_PRINT])


def _matrix_text(name: str, steps: list[list[Cell]], conditions: tuple[Condition, ...]) -> str:
    rows = [[name, *(condition.name for condition in conditions)]]
    rows += [[verb_of(step[0].step), *map(_word, step)] for step in steps]
    return "\n".join(_table(rows))


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  " + "  ".join(f"{word:<{width}}" for word, width in zip(row, widths)).rstrip() for row in rows]


def _draw_strip(rows: Mapping[str, list[list[Cell]]]) -> Page:
    left = 0.35 + 0.085 * max(map(len, rows))
    lines = [line for name, steps in rows.items() for line in _lines(name, steps)]
    names = [tuple(verb_of(step[0].step) for step in steps) for _, steps in lines]
    shared = len(set(names)) == 1
    each = HEIGHT + GAP + (0 if shared else 0.3)
    bottom = 0.55 + each * len(lines) + (0.35 if shared else 0.1)
    width = max(left + (CELL + GAP) * max(map(len, names)) + 0.2, _text_width(_strip_title(rows), STRIP_PRINT))
    page = Page(width, bottom + 0.2)
    _write_title(page, _strip_title(rows))
    for place, (name, steps) in enumerate(lines):
        y = 0.55 + each * place
        page.text(left - 0.12, y + HEIGHT / 2, name, size=9.5, ha="right", color=style.INK)
        for column, step in enumerate(steps):
            x = left + (CELL + GAP) * column
            _draw_cell(page, step[0], x, y, CELL, HEIGHT, words=True)
            if not shared or place == len(lines) - 1:
                _label(page, x + CELL / 2, y + HEIGHT + 0.16, style.clipped(verb_of(step[0].step), 15))
    draw_notes(page, STRIP_PRINT, 0.2, bottom + 0.05)
    return page


def _lines(name: str, steps: list[list[Cell]]) -> list[tuple[str, list[list[Cell]]]]:
    """A long strip goes on below, in lines of about equal length."""
    each = math.ceil(len(steps) / math.ceil(len(steps) / LINE))
    return [(name if start == 0 else "", steps[start : start + each]) for start in range(0, len(steps), each)]


def _draw_thumbnail(rows: Mapping[str, list[list[Cell]]]) -> Page:
    """The cells alone, small: a lesson's icon."""
    size, most = 0.2, max(map(len, rows.values()))
    page = Page((size + 0.04) * most + 0.08, (size + 0.04) * len(rows) + 0.08)
    for place, steps in enumerate(rows.values()):
        for column, step in enumerate(steps):
            corner = (0.06 + (size + 0.04) * column, 0.06 + (size + 0.04) * place)
            _draw_cell(page, step[0], *corner, size, size, words=False, sign_size=7)
    return page


def _write_title(page: Page, title: str) -> None:
    page.text(0.2, 0.28, title, size=11, weight="bold", color=style.INK)


def _text_width(title: str, small_print: str) -> float:
    """Inches that these take on one line, or the small print on as many as it needs."""
    return max(0.1 * len(title) + 0.4, 0.057 * min(SMALL_PRINT, len(small_print)) + 0.4)


def _draw_matrix(rows: Mapping[str, list[list[Cell]]], conditions: tuple[Condition, ...]) -> Page:
    cell, height = 0.58, 0.36
    left = 0.3 + 0.075 * max(len(verb_of(step[0].step)) for steps in rows.values() for step in steps)
    one = left + (cell + GAP) * len(conditions) + 0.25
    tall = max(map(len, rows.values()))
    bottom = 1.25 + (height + GAP) * tall
    page = Page(max(one * len(rows) + 0.1, _text_width(_matrix_title(rows), MATRIX_PRINT)), bottom + 0.42)
    _write_title(page, _matrix_title(rows))
    draw_notes(page, MATRIX_PRINT, 0.2, bottom + 0.12)
    for number, (name, steps) in enumerate(rows.items()):
        start = one * number
        verdicts = {found.verdict for step in steps for found in step} - {"", "holds"}
        mood = style.GREEN if not verdicts else style.QUIET if verdicts == {"unfinished"} else style.RED
        page.text(start + left, 0.6, name, size=10, weight="bold", color=mood)
        for column, condition in enumerate(conditions):
            _label(page, start + left + (cell + GAP) * column + cell / 2, 0.98, "\n".join(condition.name.split(" ")), 7)
        for place, step in enumerate(steps):
            y = 1.2 + (height + GAP) * place
            page.text(
                start + left - 0.1, y + height / 2, verb_of(step[0].step),
                size=8.5, ha="right", color=style.INK,
            )  # fmt: skip
            for column, found in enumerate(step):
                _draw_cell(page, found, start + left + (cell + GAP) * column, y, cell, height, words=False)
    return page


def _label(page: Page, x: float, y: float, text: str, size: float = 8.5) -> None:
    page.text(x, y, text, size=size, ha="center", color=style.QUIET, linespacing=0.95)


def _draw_cell(
    page: Page, cell: Cell, x: float, y: float, width: float, height: float, *, words: bool, sign_size: float = 10
) -> None:
    """Calm where it holds, red with a sign where it does not, an outline where nothing can strike."""
    looks: dict[str, dict[str, Any]] = {
        "": {"facecolor": style.PAPER, "edgecolor": style.LINE, "linewidth": 1},
        "holds": {"facecolor": style.GOOD_CELL},
        "violated": {"facecolor": style.RED},
        "stuck": {"facecolor": style.tint(style.RED), "edgecolor": style.RED, "linewidth": 1.5},
        "unfinished": {"facecolor": style.LINE},
    }
    page.box(x, y, width, height, **looks[cell.verdict])
    signs = {"violated": "✖", "stuck": "∞", "unfinished": "?", "": "over" if words else ""}
    sign = signs.get(cell.verdict, "")
    if words and cell.verdict in ("violated", "stuck"):
        sign = style.wrapped((cell.report.claim or "").replace("_", " "), 15, lines=3)
    ink = {"violated": style.PAPER, "stuck": style.RED}.get(cell.verdict, style.QUIET)
    size = 6.8 if words else sign_size
    page.text(x + width / 2, y + height / 2, sign, size=size, ha="center", color=ink)
