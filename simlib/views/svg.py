"""Writes a canvas as SVG: in well under a millisecond, the same everywhere, without dependencies."""

from __future__ import annotations

from collections.abc import Callable

from simlib.views.canvas import PIXELS, POINT, Box, Canvas, Line, Path, Text, hatches, lines_of
from simlib.views.markup import escape

MONO = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
ANCHORS = {"left": ' text-anchor="start"', "center": "", "right": ' text-anchor="end"'}  # centred by the parent


def svg_of(canvas: Canvas, alt: str) -> str:
    """The canvas as one SVG element, with this alternative text."""
    width, height = round(PIXELS * canvas.width), round(PIXELS * canvas.height)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" style="max-width:100%;height:auto"'
    paper = f'<rect width="{width}" height="{height}" fill="{canvas.theme.paper}"/>' if canvas.theme.still else ""
    look = f'font-family="{canvas.theme.family}" text-anchor="middle"'
    return f'<svg {size} role="img" aria-label="{escape(alt)}" {look}>{paper}{elements(canvas)}</svg>'


def elements(canvas: Canvas) -> str:
    """Only the marks, in order, for a parent element that sets the font and centres text."""
    write: dict[type, Callable[..., str]] = {Text: _text, Box: _box, Line: _line, Path: _path}
    return "".join(write[type(mark)](mark) for mark in canvas.marks)


def _text(mark: Text) -> str:
    """One element per line: browsers agree on the position of single lines only."""
    x, y = PIXELS * mark.x, PIXELS * mark.y
    look = f'fill="{mark.color}" font-size="{POINT * mark.size:g}"{ANCHORS[mark.ha]}'
    look += ' font-weight="600"' if mark.bold else ""
    look += f' font-family="{MONO}"' if mark.mono else ""
    look += ' style="white-space:pre"' if mark.mono or "  " in mark.words else ""
    look += f' transform="rotate({-mark.rotation:g} {x:g} {y:g})"' if mark.rotation else ""
    return "".join(f'<text x="{x:g}" y="{y + below:g}" {look}>{escape(line)}</text>' for line, below in lines_of(mark))


def _box(mark: Box) -> str:
    x, y, width, height = (PIXELS * one for one in (mark.x, mark.y, mark.width, mark.height))
    corner = f' rx="{PIXELS * mark.radius:g}"' if mark.radius else ""
    fill = f'fill="{mark.fill}"' + (f' fill-opacity="{mark.opacity:g}"' if mark.opacity < 1 else "")
    edge = f' stroke="{mark.stroke}"{_thick(mark.linewidth)}' if mark.stroke else ""
    if mark.stroke and mark.dashes:
        edge += f' stroke-dasharray="{mark.dashes[0]:g} {mark.dashes[1]:g}"'
    drawn = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{corner} {fill}{edge}/>'
    if not mark.hatched:
        return drawn
    lines = "".join(f"M{x + start:g} {y + height - up:g}l{far:g} {-far:g}" for start, up, far in hatches(width, height))
    return f'{drawn}<path d="{lines}" stroke="{mark.stroke}" stroke-width="0.8" fill="none"/>'


def _line(mark: Line) -> str:
    x, end, y = (PIXELS * one for one in (mark.x, mark.end, mark.y))
    ends = f'x1="{x:g}" x2="{end:g}" y1="{y:g}" y2="{y:g}"'
    return f'<line {ends} stroke="{mark.color}"{_thick(mark.linewidth)}/>'


def _path(mark: Path) -> str:
    d = "M" + "L".join(f"{PIXELS * x:g} {PIXELS * y:g}" for x, y in mark.points)
    look = f'fill="{mark.fill}"' + (f' fill-opacity="{mark.opacity:g}"' if mark.opacity < 1 else "")
    look += f' stroke="{mark.stroke}"{_thick(mark.linewidth)}' if mark.stroke else ""
    look += f' stroke-dasharray="{" ".join(f"{one:g}" for one in mark.dashes)}"' if mark.dashes else ""
    return f'<path d="{d}" {look}/>'


def _thick(points: float) -> str:
    pixels = f"{POINT * points:g}"
    return "" if pixels == "1" else f' stroke-width="{pixels}"'
