"""The player's HTML: its initial state, and the data for its script."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from simlib.model.fault import CRASHES
from simlib.views import style
from simlib.views.canvas import PIXELS, Canvas
from simlib.views.lanes import LONGEST_LABEL, UNIT, draw_label, draw_mark
from simlib.views.layout import Mark, Panel, Scene, describe
from simlib.views.markup import escape
from simlib.views.moments import AGAIN, ENDINGS, NOW, Line, Moment, Place, Run, Story
from simlib.views.state_table import html_of
from simlib.views.style import PLAYER
from simlib.views.svg import elements

TOP, WORKER, RESOURCE, BOTTOM = 34, 50, 34, 22  # pixels: above the lanes, a lane of each kind, below the lanes


class _Shared:
    """A table of everything that is shown more than once. Index 0 is the empty text."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.add("")

    def add(self, value: Any) -> int:
        return self._numbers.setdefault(json.dumps(value, separators=(",", ":")), len(self._numbers))

    def json(self) -> str:
        return f"[{','.join(self._numbers)}]"


class PlayerPage:
    """Builds the player's HTML: the initial state and the script's data, from the same pieces."""

    def __init__(
        self, stories: Sequence[Story], forks: Sequence[int | None], why: Sequence[str], small_print: str
    ) -> None:
        self.stories, self.forks, self.why, self.small_print = stories, forks, why, small_print
        self.told, self.shared = stories[0], _Shared()
        self.colours = [style.colour(name, self.told.scene.colours) for name in self.told.scene.colours]
        self.ever = [moment for story in stories for run in story.runs for moment in run.moments]
        longest = max(len(lane) for story in stories for panel in story.scene.panels for lane in panel.lanes)
        self.labels = 26 + round(6.6 * min(LONGEST_LABEL, longest))

    def html(self) -> str:
        """The block: style, initial state, script."""
        told, folder = self.told, files("simlib.views")
        css, script = (folder.joinpath(f"player.{ending}").read_text(encoding="utf-8") for ending in ("css", "js"))
        panels = "".join(map(self._panel_html, told.runs, told.scene.panels))
        sides = "".join(map(self._side_html, told.runs))
        shown = (
            f"<style>{css}</style>{panels}"
            f'<div class="mfp-sides">{sides}</div><p class="mfp-small">{escape(self.small_print)}</p>'
        )
        data = self._data()
        name = hashlib.sha256(f"{shown}{script}{data}".encode()).hexdigest()[:12]
        label = escape("Player. " + " ".join(f"{panel.title}." for panel in told.scene.panels))
        workers = max(len(run.trace.workers) for story in self.stories for run in story.runs)
        return (
            f'<div class="mfp" data-mfp="{name}" data-lm-suppress-shortcuts="true" tabindex="0" role="group" '
            f'aria-label="{label}" style="--mfp-who:{14 + 16 * workers}px">{shown}'
            f'<script>{script.rstrip()}("{name}",\n{data}\n);</script></div>'
        )

    # Lanes

    def _pieces(self, told: Story, panel: Panel) -> dict[str, Any]:
        """A panel's parts: its fixed background, and each mark with its position."""
        right, lanes = self._width(told), [(_y(panel, lane), name) for lane, name in enumerate(panel.lanes)]
        ground = "".join(f'<path d="M0 {y}H{right}" stroke="{PLAYER.line}" stroke-width="1.5"/>' for y, _ in lanes)
        names = Canvas(0, 0, PLAYER)
        for y, name in lanes:
            draw_label(names, (self.labels - 10) / PIXELS, y / PIXELS, style.clipped(name, LONGEST_LABEL))
        return {
            "ground": ground,
            "labels": elements(names),
            "height": lanes[-1][0] + (BOTTOM if len(lanes) > panel.people else WORKER - 14),
            "marks": [(_drawn(told.scene, mark), _x(mark.x), _y(panel, mark.lane)) for mark in panel.marks],
        }

    def _width(self, told: Story) -> int:
        return _x(told.scene.width) + 4

    def _panel_html(self, run: Run, panel: Panel) -> str:
        pieces, told, last = self._pieces(self.told, panel), self.told, len(run.trace.events)
        height, columns = pieces["height"], [_x(column) for column in told.scene.columns]
        acts = 0 < last == told.length
        left, band = (columns[last - 1] - 4, columns[last] - columns[last - 1] - 2) if acts else (0, 0)
        marks = "".join(f'<g transform="translate({x} {y})">{drawn}</g>' for drawn, x, y in pieces["marks"])
        text = 'font-family="system-ui, sans-serif" text-anchor="middle"'
        return (
            f'<div class="mfp-panel"><div class="mfp-title mfp-{panel.mood}" role="heading" aria-level="4">'
            f'{escape(panel.title)}</div><div class="mfp-lanes">'
            f'<svg class="mfp-labels" width="{self.labels}" height="{height}" aria-hidden="true" {text}>'
            f'{pieces["labels"]}</svg><div class="mfp-scroll" tabindex="0">'
            f'<svg class="mfp-svg" width="{self._width(told)}" height="{height}" role="img" '
            f'aria-label="{escape(describe(panel))}" {text}><g class="mfp-ground">{pieces["ground"]}</g>'
            f'<rect class="mfp-band" x="{left}" width="{band}" y="2" height="{height - 4}" rx="6" fill="#7A808C" '
            f'fill-opacity=".16"/><g class="mfp-marks">{marks}</g>'
            f'<path class="mfp-dim" stroke="var(--mfp-paper)" stroke-width="{WORKER - 6}" stroke-opacity=".7"/>'
            f'<rect class="mfp-veil" x="0" width="0" y="0" height="{height}" fill="var(--mfp-paper)" '
            f'fill-opacity=".74"/></svg></div></div></div>'
        )

    # Source and state

    def _side_html(self, run: Run) -> str:
        end = run.moments[len(run.trace.events) + (len(run.trace.events) < self.told.length)]
        lines = [(line.pane, self._line_html(row, line, end.places)) for row, line in enumerate(run.source.lines)]
        panes = itertools.groupby(lines, key=lambda line: line[0])
        code = "".join(f'<pre class="mfp-code">{"".join(text for _, text in pane)}</pre>' for _, pane in panes)
        state = "".join(
            html_of(
                name, rows, [moment.tables[number] for moment in self.ever], style.colour(name, self.told.scene.colours)
            )
            for number, (name, rows) in enumerate(zip(run.shown[0], end.tables))
        )
        letters = 124 // len(self.told.runs)
        said, verdict = (1.45 * max(-(-len(moment[part]) // letters) for moment in self.ever) for part in (0, 1))
        return (
            f'<div class="mfp-side"><p class="mfp-said" style="min-height:{said:g}em">{escape(end.said)}</p>'
            f'<p class="mfp-verdict mfp-{"bad" if run.trace.broken else "quiet"}" style="min-height:{verdict:g}em">'
            f'{escape(end.verdict)}</p>{code}<div class="mfp-tables">{state}</div></div>'
        )

    def _line_html(self, row: int, line: Line, places: Sequence[Place]) -> str:
        here = [place for place in places if place.row == row]
        acting = [self.colours[place.resource] for place in here if place.mode == NOW]
        now = f' mfp-now" aria-current="step" style="--mfp-c:{acting[0]}' if acting else ""
        chips = "".join(f'<b class="mfp-chip{place.mode}">{_chip(place)}</b>' for place in here)
        tilde = "~" if line.changed and line.text is not None else " "
        return (
            f'<span class="mfp-line{now}"><span class="mfp-who">{chips}</span><span class="mfp-number">'
            f"{line.number or '':>3}{tilde} </span>{escape(line.text or '')}\n</span>"
        )

    # Data

    def _data(self) -> str:
        """Everything that the script shows, as JSON that is safe inside a page."""
        stories = [self._story(told) for told in self.stories]
        for told in stories[1:]:
            for panel, base in zip(told["panels"], stories[0]["panels"]):
                panel.update({part: _since(base[part], panel[part]) for part in ("marks", "moments")})
        why = list(map(self.shared.add, self.why))
        data = {"colours": self.colours, "forks": self.forks, "why": why, "stories": stories}
        text = json.dumps(data, separators=(",", ":"))[:-1] + f',"shared":{self.shared.json()}}}'
        return text.replace("<", "\\u003c")

    def _story(self, told: Story) -> dict[str, Any]:
        events = [pair for run in told.runs for pair in enumerate(run.trace.events, start=1)]
        return {
            "length": told.length,
            "x": list(map(_x, told.scene.columns)),
            "width": self._width(told),
            "parted": None if told.parted is None else told.parted + 1,
            CRASHES: sorted({number for number, event in events if event.kind in ENDINGS}),
            "note": self.shared.add(told.note and f"And if {told.note}:"),
            "panels": [self._panel(told, run, panel) for run, panel in zip(told.runs, told.scene.panels)],
        }

    def _panel(self, told: Story, run: Run, panel: Panel) -> dict[str, Any]:
        add, pieces = self.shared.add, self._pieces(told, panel)
        return {
            "title": add(panel.title),
            "mood": panel.mood,
            "height": pieces["height"],
            "labels": add(pieces["labels"]),
            "ground": add(pieces["ground"]),
            "lanes": [_y(panel, lane) for lane in range(panel.people)],
            "marks": [[add(drawn), x, y] for drawn, x, y in pieces["marks"]],
            "moments": [self._moment(moment, run, panel) for moment in run.moments],
        }

    def _moment(self, moment: Moment, run: Run, panel: Panel) -> int:
        add = self.shared.add
        lanes = [place for place, who in enumerate(panel.workers) if who in moment.dark]
        panes = sorted({run.source.pane_of[worker] for worker in moment.dark})
        places = [[_chip(place), place.row, place.mode, place.resource] for place in moment.places]
        return add(
            [add(moment.said), add(moment.verdict), add(places), add(list(map(add, moment.tables))), lanes, panes]
        )


def _chip(place: Place) -> str:
    return ("↻" if place.mode == AGAIN else "") + place.worker


def _x(units: float) -> int:
    return 8 + round(PIXELS * UNIT * units)


def _y(panel: Panel, lane: int) -> int:
    return TOP + WORKER * min(lane, panel.people) + RESOURCE * max(0, lane - panel.people)


def _drawn(scene: Scene, mark: Mark) -> str:
    """A mark, drawn at the origin, in colours that adapt to a dark page."""
    canvas = Canvas(0, 0, PLAYER)
    draw_mark(canvas, scene, mark, 0, 0, UNIT * mark.width)
    return elements(canvas)


def _since(base: list[Any], own: list[Any]) -> list[Any]:
    """The length of the common prefix, then the remaining entries of `own`."""
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(base, own)))
    return [same, *own[same:]]
