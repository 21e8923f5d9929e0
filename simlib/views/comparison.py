"""The comparison sheet: two implementations with their sources, their verdicts, and the same failure on both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from simlib.model.system import called
from simlib.scenario import Workers
from simlib.schedule.trace import Trace
from simlib.views import style
from simlib.views.canvas import Canvas
from simlib.views.lanes import draw_panels, labels_width, lanes_width, panels_height
from simlib.views.layout import Scene, describe, scene
from simlib.views.picture import Picture
from simlib.views.source import Row, side_by_side

CODE_LINE = 0.185
CODE_LETTER = 0.0735
LETTER = 0.068
VERDICT_LINE = 0.27
WIDEST = 1.25  # inches per step


@dataclass(frozen=True)
class Column:
    """One implementation: its heading, its source, a (verdict, summary) for each question, the run of the failure."""

    heading: str
    worker: Workers
    verdicts: tuple[tuple[str, str], ...]
    trace: Trace


@dataclass(frozen=True)
class Sheet:
    """The content of the sheet."""

    columns: tuple[Column, ...]
    questions: tuple[str, ...]
    small_print: str

    @cached_property
    def rows(self) -> list[Row]:
        return side_by_side(self.columns[0].worker, self.columns[1].worker)

    @cached_property
    def scene(self) -> Scene:
        return scene([column.trace for column in self.columns])


def text(sheet: Sheet) -> str:
    """The sheet as text; `~` marks a changed line."""
    left, right = sheet.columns
    rows = sheet.rows
    width = max(len(row.left or "") for row in rows) + 3
    lines = [f"  {left.heading.capitalize():<{width}}  {right.heading.capitalize()}"]
    for row in rows:
        marks = ["~" if row.changed and line is not None else " " for line in row[:2]]
        lines.append(f"{marks[0]} {row.left or '':<{width}}{marks[1]} {row.right or ''}".rstrip())
    for question, ours, theirs in zip(sheet.questions, left.verdicts, right.verdicts):
        lines += ["", f"If it {question}:"]
        lines += [f"  {called(column.worker)}: {short}" for column, (_, short) in ((left, ours), (right, theirs))]
    for panel in sheet.scene.panels:
        lines += ["", panel.title, panel.text]
    return "\n".join([*lines, "", sheet.small_print])


def picture(sheet: Sheet) -> Picture:
    """The sheet as a picture."""
    return Picture(text(sheet), lambda: _draw(sheet), " ".join(map(describe, sheet.scene.panels)))


def _draw(sheet: Sheet) -> Canvas:
    lanes, rows = sheet.scene, sheet.rows
    code = max(len(line or "") for row in rows for line in row[:2]) * CODE_LETTER + 0.5
    said = max(len(short) for column in sheet.columns for _, short in column.verdicts)
    half = max(code, 3.6, 0.55 + LETTER * (max(map(len, sheet.questions)) + said))
    code_height = 0.55 + CODE_LINE * len(rows) + 0.2
    verdicts_height = VERDICT_LINE * len(sheet.questions) + 0.25
    width = max(2 * half + 0.6, lanes_width(lanes))
    canvas = Canvas(width, code_height + verdicts_height + panels_height(lanes) + 0.3)
    for column, lines, left in zip(sheet.columns, zip(*(row[:2] for row in rows)), (0.2, 0.4 + half)):
        canvas.text(left, 0.28, column.heading.capitalize(), size=11, bold=True)
        _source(canvas, [(line, row.changed) for line, row in zip(lines, rows)], left, half)
        _verdicts(canvas, sheet.questions, column, left, code_height)
    labels, top = labels_width(lanes), code_height + verdicts_height
    unit = min(WIDEST, (width - labels - 0.25) / lanes.width)
    draw_panels(canvas, lanes, (0.2, top), labels, labels + unit * lanes.width, unit)
    canvas.text(0.2, top + panels_height(lanes) + 0.1, sheet.small_print, color=style.QUIET, size=7.5)
    return canvas


def _source(canvas: Canvas, lines: list[tuple[str | None, bool]], left: float, width: float) -> None:
    """Draw one side's lines, the changed ones on a background."""
    for place, (line, changed) in enumerate(lines):
        y = 0.62 + CODE_LINE * place
        if changed and line is not None:
            canvas.box(left - 0.05, y - CODE_LINE / 2, width - 0.1, CODE_LINE, fill=style.CHANGED, radius=0)
        canvas.text(left, y, line or "", size=8.4, mono=True)


def _verdicts(canvas: Canvas, questions: tuple[str, ...], column: Column, left: float, top: float) -> None:
    """Draw a line per question with the verdict on this implementation."""
    answer = left + 0.35 + LETTER * max(map(len, questions))
    for place, (question, (verdict, short)) in enumerate(zip(questions, column.verdicts)):
        y = top + VERDICT_LINE * place + 0.1
        colour = {"violated": style.RED, "holds": style.GREEN}.get(verdict, style.INK)
        sign = {"violated": "✖", "holds": "✔"}.get(verdict, "…")
        canvas.text(left, y, sign, color=colour, size=11)
        canvas.text(left + 0.22, y, question, color=style.QUIET)
        canvas.text(answer, y, short, color=colour)
