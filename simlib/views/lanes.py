"""Lanes: one or more runs. A block is a step, a cross a crash, a square a stop, a bar a state, a gap a pause."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from simlib.arguments import named as described
from simlib.arguments import public
from simlib.check import Report
from simlib.errors import Mistake
from simlib.scenario import Scenario
from simlib.schedule.trace import Trace
from simlib.text import listed, show
from simlib.views import style
from simlib.views.canvas import PIXELS, POINT, Canvas, wrapped_notes
from simlib.views.layout import GAP, Mark, Panel, Scene, describe, scene
from simlib.views.picture import Picture
from simlib.views.svg import svg_of

UNIT, LANE, TITLE, PANEL_GAP = 0.84, 0.58, 0.4, 0.14  # inches: a step, a lane, a panel's title, the gap between panels
LABELS = 1.15  # inches for the lanes' names, if short
MOST_UNITS = 14.0  # per row; a longer run continues below
LONGEST_LABEL = 22  # characters
WORDS, BAR, SMALL, SIGN, HEADING = (pixels / POINT for pixels in (12, 11, 10, 20, 15))  # sizes in points


@public()
def lanes(*what: Report | Trace, watch: Sequence[str] = ()) -> Picture:
    """Draw runs as lanes: a lane per worker, a block per step, and below them the resources whose state tells the
    story.

    Takes traces and reports; a report shows its counterexample, or a run without a violation. `watch` names the
    resources with a lane. Raises Mistake if there is nothing to draw.
    """
    for one in what:
        if not isinstance(one, (Report, Trace)):
            raise Mistake(f"lanes({described(one)}): give reports or traces, such as lanes(scenario.explore(charge)).")
    if not what:
        raise Mistake("give a report or a trace: lanes(scenario.explore(charge)).")
    reports = [one for one in what if not isinstance(one, Trace)]
    traces = [one if isinstance(one, Trace) else run_of(one) for one in what]
    names = [*traces[0].initial]
    if not isinstance(watch, (list, tuple)) or not all(name in names for name in watch):
        raise Mistake(f"watch={show(watch)}: give a list of resources. There are {listed(names)}.")
    real = list(dict.fromkeys(trace.note for trace in traces if trace.note))
    return picture_of(scene(traces, watch, "\n".join([*(report.small_print for report in reports[:1]), *real])))


def run_of(report: Report, to: str = "draw") -> Trace:
    """A report's counterexample, or a run without a violation. Raises Mistake if it has neither."""
    trace = report.counterexample or next(iter(report.sample(1)), None)
    if trace is None:
        raise Mistake(f"there is no run to {to}: the search ended before any run did.")
    return trace


def watched(scenario: Scenario, also: Iterable[str] = ()) -> tuple[str, ...]:
    """The resources that the scenario's properties depend on, and `also`: they keep their lanes in every run."""
    claims = (*scenario.always, *scenario.eventually, *scenario.sometimes)
    about = {*also, *(name for claim in claims for name in claim.parameters)}
    return tuple(name for name in scenario.resources if name in about)


def picture_of(scene: Scene) -> Picture:
    """Lanes as a picture."""
    text = "\n\n".join(f"{panel.title}\n{panel.text}" for panel in scene.panels)
    if scene.small_print:
        text += f"\n\n{scene.small_print}"
    return Picture(text, lambda: draw_scene(scene), " ".join(map(describe, scene.panels)))


def live_svg(scene: Scene, columns: float | None = None) -> str:
    """The lanes as one SVG element in the page's theme; `columns` keeps the width the same for several scenes."""
    width = round(PIXELS * (1.28 + UNIT * (columns or scene.width))) / PIXELS
    canvas = Canvas(width, panels_height(scene), style.JUPYTER)
    draw_panels(canvas, scene, (0.08, 0), 1.04, width - 0.12, letters=14)
    return svg_of(canvas, " ".join(map(describe, scene.panels)))


def draw_scene(scene: Scene) -> Canvas:
    """Only the lanes, on a canvas of their own, in as many rows as needed."""
    rows, notes = rows_of(scene, MOST_UNITS), wrapped_notes(scene.small_print)
    widths = [lanes_width(row) for row in rows] + [0.4 + 0.058 * len(note) for note in notes]
    widths += [0.4 + 0.105 * len(panel.title) for panel in scene.panels]
    canvas = Canvas(max(widths), sum(map(panels_height, rows)) + 0.15 * len(notes) + (0.18 if notes else 0.1))
    top = 0.1
    for row in rows:
        labels = labels_width(row)
        draw_panels(canvas, row, (0.2, top), labels, labels + UNIT * row.width)
        top += panels_height(row)
    canvas.notes(scene.small_print, 0.2, top)
    return canvas


def rows_of(scene: Scene, most: float) -> list[Scene]:
    """Cut the scene into rows of about equal length, as in sheet music, each of at most `most` units.

    A row grows if that keeps a panel whole: a short run stays in one piece beside a long one.
    """
    about = min(most, scene.width / math.ceil(scene.width / most) + 0.6)
    rows, start = [], 0.0
    while start < scene.width - GAP:
        end = _last(scene.columns, start, about) or scene.width
        end = max(end, _last(map(_end, scene.panels), start, most))
        panels = tuple(one for panel in scene.panels if (one := _cut(panel, start, end)).marks)
        rows.append(replace(scene, panels=panels, width=end - start, columns=()))
        start = end
    return rows or [scene]


def _last(places: Iterable[float], start: float, most: float) -> float:
    """The last of the places after `start` and at most `most` beyond it; 0 if there is none."""
    return max((place for place in places if start < place <= start + most), default=0.0)


def _end(panel: Panel) -> float:
    """Where the panel's next column would begin."""
    return max((mark.x + mark.width for mark in panel.marks if mark.kind != "bar"), default=0.0) + GAP


def _cut(panel: Panel, start: float, end: float) -> Panel:
    """The part of a panel between two places; a bar that crosses a cut continues after it."""
    marks = []
    for mark in panel.marks:
        left, right = max(mark.x, start), min(mark.x + mark.width, end - GAP / 2)
        if right - left > GAP:
            marks.append(replace(mark, x=left - start, width=right - left))
    title = panel.title if start == 0 else f"{panel.title.partition(':')[0]}, continued"
    return replace(panel, marks=tuple(marks), title=title)


def labels_width(scene: Scene) -> float:
    """Inches for the lanes' names."""
    longest = max(len(label) for panel in scene.panels for label in panel.lanes)
    return max(LABELS, 0.074 * min(LONGEST_LABEL, longest) + 0.35) + 0.2


def panels_height(scene: Scene) -> float:
    """The height in inches of the panels together."""
    return sum(TITLE + LANE * len(panel.lanes) + PANEL_GAP for panel in scene.panels)


def lanes_width(scene: Scene) -> float:
    """The width in inches of the lanes and their names."""
    return labels_width(scene) + UNIT * scene.width + 0.25


def draw_panels(
    canvas: Canvas, scene: Scene, corner: tuple[float, float], labels: float, end: float, unit: float = UNIT,
    letters: int = LONGEST_LABEL,
) -> None:  # fmt: skip
    """Draw the panels below each other, from this corner on.

    The lanes run from `labels` to `end`, their names (at most `letters` characters) to the left; a step is `unit` wide.
    """
    left, top = corner
    for panel in scene.panels:
        ink = {"bad": canvas.theme.bad, "good": canvas.theme.good, "plain": canvas.theme.ink}[panel.mood]
        canvas.text(left, top + 0.22, panel.title, va="baseline", color=ink, size=HEADING, bold=True)
        top += TITLE
        middles = [top + LANE * (lane + 0.42) for lane in range(len(panel.lanes))]
        for y, label in zip(middles, panel.lanes):
            canvas.line(labels - 0.08, end, y, canvas.theme.line, 1.5 / POINT)
            draw_label(canvas, labels - 0.16, y, style.clipped(label, letters))
        for mark in panel.marks:
            draw_mark(canvas, scene, mark, labels + unit * mark.x, middles[mark.lane], unit * mark.width)
        top += LANE * len(panel.lanes) + PANEL_GAP


def draw_label(canvas: Canvas, right: float, y: float, name: str) -> None:
    """Write a lane's name to its left."""
    canvas.text(right, y + 0.04, name, va="baseline", color=canvas.theme.ink, size=WORDS, ha="right")


def draw_mark(canvas: Canvas, scene: Scene, mark: Mark, x: float, y: float, width: float) -> None:
    """Draw one mark; `y` is the middle of its lane."""
    draw = {"block": _block, "cross": _cross, "bar": _bar, "pause": _pause, "tick": _tick}[mark.kind]
    draw(canvas, mark, style.colour(mark.resource, scene.colours), x, y, width)


def _write(canvas: Canvas, x: float, y: float, words: str, color: str, size: float = SMALL) -> None:
    if words:
        canvas.text(x, y, words, va="baseline", color=color, size=size, ha="center")


def _block(canvas: Canvas, mark: Mark, fill: str, x: float, y: float, width: float) -> None:
    theme, centre, ink = canvas.theme, x + width / 2, style.ink_on(fill)
    edge = {"stroke": theme.bad, "linewidth": 4 / POINT} if mark.bad else {}
    if mark.failed:  # hollow: it did not take effect
        edge = edge or {"stroke": fill, "linewidth": 2 / POINT, "dashes": (5, 3)}
        fill, ink = theme.paper, theme.ink
    canvas.box(x, y - 0.16, width, 0.32, fill=fill, **edge)
    lines = style.wrapped(mark.text).split("\n")
    size = SMALL if theme.still and len(lines) > 1 else WORDS  # its characters are wider than a page's
    for row, line in enumerate(lines):
        _write(canvas, centre, y + 0.04 - 0.06 * (len(lines) - 1) + 0.12 * row, line, ink, size)
    _write(canvas, centre, y + 0.29, mark.below, theme.quiet)
    _write(canvas, centre, y - 0.21, mark.above, theme.bad if mark.bad else theme.quiet)


def _cross(canvas: Canvas, mark: Mark, _: str, x: float, y: float, width: float) -> None:
    sign = {"again": "↻", "stop": "■"}.get(mark.text, "✖")
    _write(canvas, x + width / 2, y + 0.07, sign, canvas.theme.ink, SIGN)
    _write(canvas, x + width / 2, y + 0.29, mark.below, canvas.theme.ink)


def _bar(canvas: Canvas, mark: Mark, fill: str, x: float, y: float, width: float) -> None:
    theme, room = canvas.theme, int(width / canvas.theme.letter)
    base = theme.bad if mark.bad else fill
    canvas.box(x, y - 0.1, width, 0.2, fill=theme.paper, radius=0.04)  # or the lane's line would cross the text
    canvas.box(x, y - 0.1, width, 0.2, fill=base, opacity=0.25, radius=0.04)
    text = style.clipped(mark.text, room) if room > 2 else ""
    _write(canvas, x + width / 2, y + 0.04, text, theme.bad if mark.bad else theme.ink, BAR)


def _pause(canvas: Canvas, mark: Mark, _: str, x: float, y: float, width: float) -> None:
    theme, place = canvas.theme, (x, y - 0.1, width, 0.2)
    if theme.still:
        canvas.box(*place, stroke=theme.quiet, hatched=True, radius=0.04)
        room = 0.065 * len(mark.text) + 0.06  # text on it: below, it could meet another worker's note
        canvas.box(x + width / 2 - room / 2, y - 0.08, room, 0.16, fill=theme.paper)
    else:
        canvas.box(*place, fill=theme.paper, stroke=theme.quiet, dashes=(4, 4), radius=0.04)
    _write(canvas, x + width / 2, y + 0.04, mark.text, theme.quiet)


def _tick(canvas: Canvas, mark: Mark, _: str, x: float, y: float, width: float) -> None:
    _write(canvas, x + width / 2, y + 0.18, mark.text, canvas.theme.quiet)
