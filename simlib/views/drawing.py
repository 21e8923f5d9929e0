"""How lanes are drawn on a canvas: a block a step, a cross a crash, a bar a state, a gap a pause."""

from __future__ import annotations

from simlib.views import style
from simlib.views.canvas import PIXELS, POINT, Canvas, wrapped_notes
from simlib.views.layout import Mark, Scene, describe, rows_of
from simlib.views.picture import Picture
from simlib.views.svg import svg_of

UNIT, LANE, TITLE, PANEL_GAP = 0.84, 0.58, 0.4, 0.14  # inches: a step, a lane, a panel's title, between panels
LABELS = 1.15  # inches for the lanes' names, if they are short
MOST_UNITS = 14.0  # a row; a longer run goes on below
LONGEST_LABEL = 22  # letters
WORDS, BAR, SMALL, SIGN, HEADING = (pixels / POINT for pixels in (12, 11, 10, 20, 15))  # sizes in points


def picture_of(scene: Scene) -> Picture:
    """Lanes as a picture."""
    text = "\n\n".join(f"{panel.title}\n{panel.text}" for panel in scene.panels)
    if scene.small_print:
        text += f"\n\n{scene.small_print}"
    return Picture(text, lambda: draw_scene(scene), " ".join(map(describe, scene.panels)))


def live_svg(scene: Scene, columns: float | None = None) -> str:
    """The lanes as one SVG element for a page, in its theme; `columns` keeps the width the same over several scenes."""
    width = round(PIXELS * (1.28 + UNIT * (columns or scene.width))) / PIXELS
    canvas = Canvas(width, panels_height(scene), style.JUPYTER)
    draw_panels(canvas, scene, (0.08, 0), 1.04, width - 0.12, letters=14)
    return svg_of(canvas, " ".join(map(describe, scene.panels)))


def draw_scene(scene: Scene) -> Canvas:
    """The lanes alone, on a canvas of their own, in as many rows as it takes."""
    rows = rows_of(scene, MOST_UNITS)
    sizes = [scene_size(row) for row in rows]
    longest = max(len(panel.title) for panel in scene.panels) * 0.105 + 0.4
    note = 0.058 * max(map(len, wrapped_notes(scene.small_print)), default=0) + 0.4
    canvas = Canvas(max(longest, note, *(width for width, _ in sizes)), sum(height for _, height in sizes) + 0.1)
    top = 0.1
    for row, (_, height) in zip(rows, sizes):
        labels = labels_width(row)
        draw_panels(canvas, row, (0.2, top), labels, labels + UNIT * row.width)
        canvas.notes(row.small_print, 0.2, top + panels_height(row))
        top += height
    return canvas


def labels_width(scene: Scene) -> float:
    """Inches for the lanes' names."""
    longest = max(len(label) for panel in scene.panels for label in panel.lanes)
    return max(LABELS, 0.074 * min(LONGEST_LABEL, longest) + 0.35) + 0.2


def panels_height(scene: Scene) -> float:
    """Inches that the panels take under each other."""
    return sum(TITLE + LANE * len(panel.lanes) + PANEL_GAP for panel in scene.panels)


def scene_size(scene: Scene) -> tuple[float, float]:
    """Width and height of the lanes and their small print, in inches."""
    notes = len(wrapped_notes(scene.small_print))
    width = labels_width(scene) + UNIT * scene.width + 0.25
    return width, panels_height(scene) + (0.08 + 0.15 * notes if notes else 0)


def draw_panels(
    canvas: Canvas, scene: Scene, corner: tuple[float, float], labels: float, end: float, unit: float = UNIT,
    letters: int = LONGEST_LABEL,
) -> None:  # fmt: skip
    """The panels under each other, from this corner on.

    The lanes go from `labels` to `end`, with names of at most so many `letters` left of that; a step is `unit` wide.
    """
    left, top = corner
    for panel in scene.panels:
        ink = getattr(canvas.theme, panel.mood)
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
    """A lane's name, left of it."""
    canvas.text(right, y + 0.04, name, va="baseline", color=canvas.theme.ink, size=WORDS, ha="right")


def draw_mark(canvas: Canvas, scene: Scene, mark: Mark, x: float, y: float, width: float) -> None:
    """One mark, `y` being the middle of its lane."""
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
    size = SMALL if theme.still and len(lines) > 1 else WORDS  # its letters are wider than a page's
    for row, line in enumerate(lines):
        _write(canvas, centre, y + 0.04 - 0.06 * (len(lines) - 1) + 0.12 * row, line, ink, size)
    _write(canvas, centre, y + 0.29, mark.below, theme.quiet)
    _write(canvas, centre, y - 0.21, mark.above, theme.bad if mark.bad else theme.quiet)


def _cross(canvas: Canvas, mark: Mark, _: str, x: float, y: float, width: float) -> None:
    sign = "↻" if mark.text == "again" else "✖"
    _write(canvas, x + width / 2, y + 0.07, sign, canvas.theme.ink, SIGN)
    _write(canvas, x + width / 2, y + 0.29, mark.below, canvas.theme.ink)


def _bar(canvas: Canvas, mark: Mark, fill: str, x: float, y: float, width: float) -> None:
    theme, room = canvas.theme, int(width / canvas.theme.letter)
    base = theme.bad if mark.bad else fill
    canvas.box(x, y - 0.1, width, 0.2, fill=theme.paper, radius=0.04)  # else the lane's line would strike the words
    canvas.box(x, y - 0.1, width, 0.2, fill=base, opacity=0.25, radius=0.04)
    text = style.clipped(mark.text, room) if room > 2 else ""
    _write(canvas, x + width / 2, y + 0.04, text, theme.bad if mark.bad else theme.ink, BAR)


def _pause(canvas: Canvas, mark: Mark, _: str, x: float, y: float, width: float) -> None:
    theme, place = canvas.theme, (x, y - 0.1, width, 0.2)
    if theme.still:
        canvas.box(*place, stroke=theme.quiet, hatched=True, radius=0.04)
        room = 0.065 * len(mark.text) + 0.06  # its words on it: below, another worker's remark may come as high
        canvas.box(x + width / 2 - room / 2, y - 0.08, room, 0.16, fill=theme.paper)
    else:
        canvas.box(*place, fill=theme.paper, stroke=theme.quiet, dashes=(4, 4), radius=0.04)
    _write(canvas, x + width / 2, y + 0.04, mark.text, theme.quiet)


def _tick(canvas: Canvas, mark: Mark, _: str, x: float, y: float, width: float) -> None:
    _write(canvas, x + width / 2, y + 0.18, mark.text, canvas.theme.quiet)
