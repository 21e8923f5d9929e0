"""The still pictures: what Jupyter shows of one, and how lanes are drawn."""

from __future__ import annotations

import io
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views import style
from simlib.views.layout import Mark, Panel, Scene, describe, rows_of
from simlib.views.page import PIXELS, Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DOTS_PER_INCH = 160
DENSITY = DOTS_PER_INCH / PIXELS  # dots for each one that is shown, for sharp screens
UNIT = 0.86  # inches a step
LABELS = 1.15  # inches for the lanes' names
LANE = 0.56
TITLE = 0.42
MOST_UNITS = 14.0  # a row; a longer run goes on below
LONGEST_LABEL = 22  # letters
SMALL_PRINT = 118  # letters a line
PANEL_GAP = 0.16
INSTALL = "There is a chart of this where matplotlib is: pip install 'midflight[notebooks]'."
NO_CHART = {
    "emscripten": "There is a chart of this where matplotlib is. Online, run `import matplotlib` in a cell of "
    "its own, then this one again."
}


@dataclass(frozen=True)
class Picture:
    """A still picture with its text form. Jupyter shows the picture; `print`, `repr` and nbval see the text.

    Without matplotlib a page is shown as SVG, and a chart as its text.
    """

    text: str
    alt: str
    draw: Callable[[], Page | Figure]

    def __post_init__(self) -> None:
        for name in ("text", "alt"):
            object.__setattr__(self, name, printable(getattr(self, name), keep="\n"))

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            png = self.png()
        except Mistake:
            return self._without_matplotlib(), {}
        return {"text/plain": self.text, "image/png": png}, {"image/png": {"alt": self.alt, **size_of(png)}}

    def _without_matplotlib(self) -> dict[str, str]:
        try:
            drawn = self.draw()
        except Mistake:
            return {"text/plain": f"{self.text}\n\n{NO_CHART.get(sys.platform, INSTALL)}"}
        return {"text/plain": self.text, **({"text/html": drawn.svg(self.alt)} if isinstance(drawn, Page) else {})}

    def _figure(self) -> Figure:
        drawn = self.draw()
        return drawn.figure() if isinstance(drawn, Page) else drawn

    def png(self) -> bytes:
        """The picture as a PNG file, the same bytes on every run of one matplotlib version."""
        buffer = io.BytesIO()
        self._figure().savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()

    def save(self, path: str) -> None:
        """Write the picture to a file; the ending says how (png, svg, pdf)."""
        self._figure().savefig(path, dpi=DOTS_PER_INCH)


class Drawn:
    """Findings that have a picture: Jupyter shows it, `print` gives its text."""

    picture: Picture

    def __repr__(self) -> str:
        return self.picture.text

    def _repr_mimebundle_(self, **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.picture._repr_mimebundle_(**how)

    def save(self, path: str) -> None:
        """Write the picture to a file; the ending says how (png, svg, pdf)."""
        self.picture.save(path)


def size_of(png: bytes) -> dict[str, int]:
    """Width and height to show a picture at: its letters as large as the text around it."""
    return {name: round(int.from_bytes(png[at : at + 4]) / DENSITY) for name, at in (("width", 16), ("height", 20))}


def picture_of(scene: Scene) -> Picture:
    """Lanes as a picture."""
    text = "\n\n".join(f"{panel.title}\n{panel.text}" for panel in scene.panels)
    if scene.small_print:
        text += f"\n\n{scene.small_print}"
    return Picture(text, " ".join(map(describe, scene.panels)), lambda: draw_scene(scene))


def labels_width(scene: Scene) -> float:
    """Inches for the lanes' names."""
    return max(
        LABELS, 0.074 * min(LONGEST_LABEL, max(len(label) for panel in scene.panels for label in panel.lanes)) + 0.35
    )


def scene_size(scene: Scene) -> tuple[float, float]:
    """Width and height of the lanes, in inches."""
    height = sum(TITLE + LANE * len(panel.lanes) + PANEL_GAP for panel in scene.panels)
    notes = len(noted(scene.small_print))
    return labels_width(scene) + UNIT * scene.width + 0.45, height + (0.08 + 0.15 * notes if notes else 0)


def draw_scene(scene: Scene) -> Page:
    """The lanes alone, as a figure of their own, in as many rows as it takes."""
    rows = rows_of(scene, MOST_UNITS)
    sizes = [scene_size(row) for row in rows]
    longest = max(len(panel.title) for panel in scene.panels) * 0.105 + 0.4
    note = 0.058 * max(map(len, noted(scene.small_print)), default=0) + 0.4
    page = Page(max(longest, note, *(width for width, _ in sizes)), sum(height for _, height in sizes) + 0.1)
    top = 0.1
    for row, (_, height) in zip(rows, sizes):
        draw_panels(page, row, 0.2, top)
        top += height
    return page


def draw_panels(page: Page, scene: Scene, left: float, top: float, unit: float = UNIT) -> None:
    """The panels under each other, from this corner on; a step's block is `unit` inches wide."""
    for panel in scene.panels:
        page.text(
            left,
            top + 0.2,
            panel.title,
            color=style.MOODS[panel.mood],
            size=11,
            weight="bold",
        )
        top += TITLE
        _Pen(page, scene, panel, left + labels_width(scene), top, unit).draw()
        top += LANE * len(panel.lanes) + PANEL_GAP
    draw_notes(page, scene.small_print, left, top)


def draw_notes(page: Page, small_print: str, left: float, top: float) -> float:
    """The small print, wrapped; the height that it took."""
    notes = noted(small_print)
    for place, line in enumerate(notes):
        page.text(left, top + 0.15 * place, line, color=style.QUIET, size=7.5)
    return 0.15 * len(notes)


def noted(small_print: str) -> list[str]:
    """The small print's lines, wrapped."""
    return [line for part in small_print.splitlines() for line in textwrap.wrap(part, SMALL_PRINT)]


class _Pen:
    """Draws one panel's marks."""

    def __init__(self, page: Page, scene: Scene, panel: Panel, left: float, top: float, unit: float) -> None:
        self.page, self.scene, self.panel = page, scene, panel
        self.left, self.top, self.unit = left, top, unit

    def draw(self) -> None:
        for lane, label in enumerate(self.panel.lanes):
            y = self._y(lane)
            right = self.left + self.unit * self.scene.width
            self.page.line(self.left - 0.08, right, y, color=style.LINE, linewidth=1.2, zorder=1)
            self._write(self.left - 0.16, y, style.clipped(label, LONGEST_LABEL), ha="right", size=9)
        for mark in self.panel.marks:
            getattr(self, f"_{mark.kind}")(mark)

    def _y(self, lane: int) -> float:
        return self.top + LANE * (lane + 0.42)

    def _x(self, mark: Mark) -> tuple[float, float]:
        return self.left + self.unit * mark.x, self.unit * mark.width

    def _write(self, x: float, y: float, text: str, **how: Any) -> None:
        how = {"ha": "center", "zorder": 5, **how}
        self.page.text(x, y, text, **how)

    def _box(self, x: float, y: float, width: float, height: float, **how: Any) -> None:
        self.page.box(x, y, width, height, **{"zorder": 3, **how})

    def _block(self, mark: Mark) -> None:
        (x, width), y = self._x(mark), self._y(mark.lane)
        fill = style.colour(mark.resource, self.scene.colours)
        edge: dict[str, Any] = {"edgecolor": style.RED, "linewidth": 2.6} if mark.bad else {}
        if mark.failed:  # hollow: it did not take effect
            edge = {"edgecolor": fill, "linewidth": 1.6, "dashes": (3, 1.5), **edge}
            fill = style.PAPER
        self._box(x, y - 0.16, width, 0.32, facecolor=fill, **edge)
        text = style.wrapped(mark.text)
        self._write(
            x + width / 2, y, text, color=style.ink_on(fill), size=8.5 if "\n" not in text else 7.2, linespacing=0.95
        )
        self._write(x + width / 2, y + 0.26, mark.below, color=style.QUIET, size=7)
        self._write(x + width / 2, y - 0.235, mark.above, color=style.RED if mark.bad else style.QUIET, size=7)

    def _cross(self, mark: Mark) -> None:
        (x, width), y = self._x(mark), self._y(mark.lane)
        sign = "↻" if mark.text == "again" else "✖"
        self._write(x + width / 2, y, sign, size=14, color=style.INK)
        self._write(x + width / 2, y + 0.26, mark.below, size=7)

    def _pause(self, mark: Mark) -> None:
        (x, width), y = self._x(mark), self._y(mark.lane)
        self._box(
            x, y - 0.1, width, 0.2, facecolor="none", edgecolor=style.QUIET, hatch="////", linewidth=0.5, zorder=2
        )
        room = 0.055 * len(mark.text) + 0.06  # its words on it: below, another worker's remark may come as high
        self._box(x + width / 2 - room / 2, y - 0.08, room, 0.16, facecolor=style.PAPER, zorder=2)
        self._write(x + width / 2, y, mark.text, color=style.QUIET, size=7)

    def _tick(self, mark: Mark) -> None:
        (x, width), y = self._x(mark), self._y(mark.lane)
        self._write(x + width / 2, y + 0.2, "runs out", color=style.QUIET, size=6.5)

    def _bar(self, mark: Mark) -> None:
        (x, width), y = self._x(mark), self._y(mark.lane)
        base = style.RED if mark.bad else style.colour(mark.resource, self.scene.colours)
        self._box(x, y - 0.1, width, 0.2, facecolor=style.tint(base), zorder=2)
        room = int(width / 0.068)
        text = style.clipped(mark.text, room) if room > 2 else ""
        self._write(x + width / 2, y, text, color=style.RED if mark.bad else style.INK, size=7.5)
