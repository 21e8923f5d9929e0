"""The debrief of an incident: which boundaries each check left possible, on your path and on the best one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simlib.course.catalogue import BOUNDARIES, Fault
from simlib.course.incident import Incident
from simlib.course.plans import Path, Plans, Step
from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.chart import Bar, draw_bars
from simlib.views.grid import Look
from simlib.views.grid import save_icon as save_cells
from simlib.views.picture import Drawn, Picture

SHORT = ("logic", "configuration", "routing", "lifecycle", "storage", "platform")
POSSIBLE = style.RESOURCES[0]
ROW, COLUMN, LABELS, HEADINGS = 0.25, 0.48, 2.75, 0.62  # inches
BLOCK = LABELS + COLUMN * len(BOUNDARIES)
SMALL = (
    "A filled square is a fault that is still possible, of those of its boundary; the underlined boundary is the one "
    "that failed. ◆ committed to, ✖ a fix that did not help, ✔ the one that did."
)


@dataclass(frozen=True)
class Row:
    """A row of a block: what was done, and either how many faults it left by boundary, or a sign."""

    label: str
    left: Mapping[str, int] | None = None
    sign: str = ""
    boundary: str = ""

    def __str__(self) -> str:
        if self.left is None:
            return f"{self.sign} {self.label}"
        said = [f"{short} {self.left[one]}" for short, one in zip(SHORT, BOUNDARIES) if self.left[one]]
        return f"{self.label}: {', '.join(said)}"


@dataclass(frozen=True, repr=False)
class Debrief(Drawn):
    """An incident in retrospect. `paths` has each player's path, `alone` each check's findings by itself.

    Jupyter shows a picture, `print` the text.
    """

    paths: Mapping[str, Path]
    alone: Mapping[str, Step]
    picture: Picture


def debrief(incident: Incident) -> Debrief | Picture:
    """Your path through the incident beside the best plan's, and what each check would have ruled out by itself.

    While the incident is open, it says only that.
    """
    if not incident.over:
        text = f"Incident {incident.seed} is still open. Check, commit, fix; then run this cell again."
        return Picture(text, lambda: sheet(text, "", 0, 0)[0])
    plans, truth = incident.plans, incident.truth
    paths = {
        "your way": incident.path,
        "the best plan": incident.instead(plans.best),
        "fix first": incident.instead(plans.fix_first),
    }
    alone = {
        check.name: incident.instead(lambda world, check=check: plans.after(world, [check])).steps[0]  # type: ignore[misc]
        for check in plans.catalogue.checks
    }
    blocks = {
        _headed("Your way", incident.path): rows_of(plans, incident.path),
        _headed("The best plan", paths["the best plan"]): rows_of(plans, paths["the best plan"]),
        "Each check, if it were the only one": [
            Row(f"{step.check.minutes:g} min  {name}", plans.catalogue.left(step.left)) for name, step in alone.items()
        ],
    }
    title = _title(truth, paths)
    lines = [title]
    for heading, rows in blocks.items():
        lines += [heading, *(f"  {row}" for row in rows)]
    text = "\n".join(lines)
    bars = [Bar(name, path.minutes, f"{path.minutes:g}") for name, path in paths.items()]
    return Debrief(paths, alone, Picture(text, lambda: _draw(title, blocks, bars, truth.boundary, plans)))


def _headed(who: str, path: Path) -> str:
    return f"{who}: {path.minutes:g} minutes"


def _title(truth: Fault, paths: Mapping[str, Path]) -> str:
    first = paths["your way"].commits[0]
    committed = "you committed to it" if first == truth.boundary else f"you committed to {first} first"
    cost = f"fix first would have taken {paths['fix first'].minutes:g} minutes"
    return f"It was {truth.name} ({truth.boundary}), and {committed}; {cost}"


def rows_of(plans: Plans, path: Path) -> list[Row]:
    """The rows of a path: the start, each check, then commits and fixes in order."""
    rows = [Row("before", plans.catalogue.left(plans.everything))]
    for step in path.steps:
        label = f"{step.check.minutes:g} min  {step.check.name}: {step.finding}"
        rows.append(Row(label, plans.catalogue.left(step.left)))
    for boundary in path.commits:
        rows.append(Row(f"committed to {boundary}", sign="◆", boundary=boundary))
        for fix in path.fixes:
            if fix.boundary == boundary:
                sign = "✔" if fix is path.fixes[-1] else "✖"
                rows.append(Row(f"{fix.minutes:g} min  {fix.fix}", sign=sign, boundary=boundary))
    return rows


def _draw(title: str, blocks: Mapping[str, Sequence[Row]], bars: Sequence[Bar], truth: str, plans: Plans) -> Canvas:
    heights = [0.3 + HEADINGS + ROW * len(rows) for rows in blocks.values()]
    canvas, top = sheet(title, SMALL, 0.2 + 2 * BLOCK + 0.65, max(heights[:2]) + 0.2 + heights[2] + 0.1)
    top += 0.07
    right, below = 0.2 + BLOCK + 0.4, top + max(heights[:2]) + 0.2
    for (heading, rows), corner in zip(blocks.items(), [(0.2, top), (right, top), (0.2, below)]):
        _draw_block(canvas, heading, rows, corner, truth, plans)
    canvas.text(right, below, "Minutes of outage", size=10, bold=True)
    draw_bars(canvas, right + 1.1, below + 0.42, bars, BLOCK - 1.6)
    return canvas


def _draw_block(
    canvas: Canvas, heading: str, rows: Sequence[Row], corner: tuple[float, float], truth: str, plans: Plans
) -> None:
    """Draw a heading, the six boundaries, and the rows below them, from this corner on."""
    left, top = corner
    canvas.text(left, top, heading, size=10, bold=True)
    y = top + 0.16 + HEADINGS
    for column, (short, boundary) in enumerate(zip(SHORT, BOUNDARIES)):
        x = left + LABELS + COLUMN * column
        ours = boundary == truth
        ink = style.GREEN if ours else style.QUIET
        how: dict[str, Any] = {"size": 7.5, "rotation": 32, "ha": "left", "va": "bottom"}
        canvas.text(x + 0.12, y - 0.06, short, color=ink, bold=ours, **how)
        if ours:
            canvas.line(x + 0.02, x + COLUMN - 0.08, y, color=style.GREEN, linewidth=2)
    for place, row in enumerate(rows):
        _draw_row(canvas, row, left, y + ROW * (place + 0.55), plans)


def _draw_row(canvas: Canvas, row: Row, left: float, y: float, plans: Plans) -> None:
    label = style.clipped(row.label, 46)
    canvas.text(left, y, label, size=7.5)
    for column, boundary in enumerate(BOUNDARIES):
        x = left + LABELS + COLUMN * column
        if row.left is None:
            if boundary == row.boundary:
                canvas.text(x + 0.2, y, row.sign, size=9, ha="center")
            continue
        of = sum(one.boundary == boundary for one in plans.catalogue.faults)
        for number in range(of):
            filled = number < row.left[boundary]
            fill = POSSIBLE if filled else style.LINE
            corner = (x + 0.03 + 0.125 * number, y - 0.055)
            canvas.box(*corner, 0.105, 0.11, fill=fill, radius=0)


def narrowing(path: Path) -> list[list[bool]]:
    """Which boundaries, in order, a path left possible: before its first check, and after each."""
    left = [{world.fault.boundary for world in step.left} for step in path.steps]
    return [[True] * len(BOUNDARIES), *([boundary in one for boundary in BOUNDARIES] for one in left)]


def save_icon(path: Path, file: str) -> None:
    """Write a path's narrowing to a small picture file: a lesson's icon."""
    looks = []
    for row in narrowing(path):
        fill = style.GREEN if sum(row) == 1 else POSSIBLE
        looks.append([Look((fill if possible else style.LINE,)) for possible in row])
    save_cells(looks, file)
