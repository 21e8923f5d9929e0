"""Lanes as hand-made SVG: redrawn in well under a millisecond, equal everywhere, and needs no matplotlib."""

from __future__ import annotations

from simlib.views import style
from simlib.views.layout import Mark, Panel, Scene, describe
from simlib.views.markup import escape

UNIT, LABELS, LANE, TITLE, GAP = 84, 104, 58, 40, 14  # pixels
INK = "var(--jp-content-font-color1, #1F2430)"  # follows JupyterLab's theme
QUIET = "var(--jp-content-font-color2, #6B7280)"
LINE = "var(--jp-border-color2, #E3E5E8)"
PAPER = "var(--jp-layout-color0, #FFFFFF)"


def svg_of(scene: Scene, columns: float | None = None) -> str:
    """The scene as one SVG element; `columns` keeps the width the same over several scenes."""
    width = round(LABELS + UNIT * (columns or scene.width) + 24)
    parts, top = [], 0
    for panel in scene.panels:
        parts += _panel(scene, panel, top, width)
        top += TITLE + LANE * len(panel.lanes) + GAP
    label = escape(" ".join(map(describe, scene.panels)))
    return (
        f'<svg viewBox="0 0 {width} {top}" width="{width}" height="{top}" style="max-width:100%;height:auto" '
        f'role="img" '
        f'aria-label="{label}" font-family="system-ui, sans-serif" text-anchor="middle">{"".join(parts)}</svg>'
    )


def _panel(scene: Scene, panel: Panel, top: float, width: int) -> list[str]:
    mood = {"bad": style.RED, "good": style.GREEN, "plain": INK}[panel.mood]
    parts = [text_svg(8, top + 22, panel.title, fill=mood, size=15, anchor="start", weight=600)]
    for lane, label in enumerate(panel.lanes):
        y = top + TITLE + LANE * (lane + 0.42)
        parts.append(
            f'<line x1="{LABELS - 8}" x2="{width - 12}" y1="{y:g}" y2="{y:g}" stroke="{LINE}" stroke-width="1.5"/>'
        )
        parts.append(text_svg(LABELS - 16, y + 4, style.clipped(label, 14), fill=INK, size=12, anchor="end"))
    for mark in panel.marks:
        y = top + TITLE + LANE * (mark.lane + 0.42)
        parts += mark_svg(scene, mark, LABELS + UNIT * mark.x, y, UNIT * mark.width)
    return parts


def mark_svg(scene: Scene, mark: Mark, x: float, y: float, width: float) -> list[str]:
    """One mark, `y` being the middle of its lane."""
    centre = x + width / 2
    place = f'x="{x:g}" y="{y - 10:g}" width="{width:g}" height="20" rx="4"'  # of what is no step
    fill = style.colour(mark.resource, scene.colours)
    if mark.kind == "block":
        edge = f' stroke="{style.RED}" stroke-width="4"' if mark.bad else ""
        ink = style.ink_on(fill)
        if mark.failed:  # hollow: it did not take effect
            edge = edge or f' stroke="{fill}" stroke-width="2" stroke-dasharray="5 3"'
            fill, ink = PAPER, INK
        lines = style.wrapped(mark.text).split("\n")
        start = y + 4 - 6 * (len(lines) - 1)
        words = [text_svg(centre, start + 12 * row, line, fill=ink, size=12) for row, line in enumerate(lines)]
        return [
            f'<rect x="{x:g}" y="{y - 16:g}" width="{width:g}" height="32" rx="5" fill="{fill}"{edge}/>',
            *words,
            text_svg(centre, y + 29, mark.below, fill=QUIET, size=10),
            text_svg(centre, y - 21, mark.above, fill=style.RED if mark.bad else QUIET, size=10),
        ]
    if mark.kind == "cross":
        sign = "↻" if mark.text == "again" else "✖"
        return [
            text_svg(centre, y + 7, sign, fill=INK, size=20),
            text_svg(centre, y + 29, mark.below, fill=INK, size=10),
        ]
    if mark.kind == "bar":
        base = style.RED if mark.bad else fill
        return [
            f'<rect {place} fill="{PAPER}"/>',  # else the lane's line would strike through the words
            f'<rect {place} fill="{base}" fill-opacity="0.25"/>',
            text_svg(
                centre,
                y + 4,
                style.clipped(mark.text, max(1, int(width / 6.2))),
                fill=style.RED if mark.bad else INK,
                size=11,
            ),
        ]
    if mark.kind == "pause":
        box = f'<rect {place} fill="{PAPER}" stroke="{QUIET}" stroke-dasharray="4 4"/>'
        return [box, text_svg(centre, y + 4, mark.text, fill=QUIET, size=10)]
    return [text_svg(centre, y + 18, mark.text, fill=QUIET, size=10)]


def text_svg(x: float, y: float, text: str, *, fill: str, size: int, anchor: str = "", weight: int = 0) -> str:
    """A text element, nothing for no text."""
    if not text:
        return ""
    more = (f' text-anchor="{anchor}"' if anchor else "") + (f' font-weight="{weight}"' if weight else "")
    return f'<text x="{x:g}" y="{y:g}" fill="{fill}" font-size="{size}"{more}>{escape(text)}</text>'
