"""Player: runs to go through event by event, and a crash at any moment, with no kernel behind it.

All of it is worked out here and embedded as data; the script only shows a moment. The first paint is the last moment,
so that a page whose scripts are stripped still has the finding.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from typing import Any

from simlib.engines.explore import Report
from simlib.engines.replay import fork, play
from simlib.engines.schedule import points
from simlib.errors import Mistake
from simlib.resources.lock import LockState
from simlib.scenario import Scenario, Workers
from simlib.system import System
from simlib.trace import Event, Trace
from simlib.values import listed, plural, show
from simlib.views import style, svg
from simlib.views.layout import MOST_LANES, Panel, Scene, describe, scene
from simlib.views.source import side_by_side, source_of
from simlib.views.state_table import AGAIN, CRASHES, NOW, Line, Moment, Place, Run, Source, functions_of, html_of

TOP, WORKER, RESOURCE, BOTTOM = 34, 50, 34, 22  # pixels: above the first lane, a lane of each kind, below the last
MOST_FORKED = 4000  # events of the runs with a crash that are worked out in advance
MOST_LETTERS = 22  # of a lane's name
THEME = {svg.INK: "var(--mfp-ink)", svg.QUIET: "var(--mfp-quiet)", svg.LINE: "var(--mfp-line)"}
THEME |= {svg.PAPER: "var(--mfp-paper)", style.RED: "var(--mfp-red)", style.GREEN: "var(--mfp-green)"}


@dataclass(frozen=True)
class Story:
    """Runs under one scrubber, laid out under each other. `note` says which crash was added, if one was."""

    runs: tuple[Run, ...]
    scene: Scene
    note: str = ""

    @property
    def length(self) -> int:
        return max(len(run.trace.events) for run in self.runs)

    @cached_property
    def parted(self) -> int | None:
        """The first event at which the two part ways: in what happens, in the answer, or in what properties see.

        A step with the same name, answer and effect is the same step, also when it is called with one argument more.
        """
        told = ([(*_told(event), seen) for event, seen in zip(run.trace.events, run.shown[1:])] for run in self.runs)
        pairs = enumerate(itertools.zip_longest(*told))
        return next((number for number, pair in pairs if any(one != pair[0] for one in pair)), None)


def _told(event: Event) -> tuple[Any, ...]:
    what = event.op.name if event.op else (event.move.resource, event.label)
    return event.kind, event.worker, what, type(event.answer), show(event.answer, 1000), event.ended


@dataclass(frozen=True)
class Player:
    """What `player` makes. Jupyter shows it as a page that plays; `print` and `repr` give the traces as text.

    `stories[0]` is what it was asked for; `forks[m]` is that with a crash after the m-th event, None where a crash
    takes nothing, and `why[m]` then says why.
    """

    stories: tuple[Story, ...]
    forks: tuple[int | None, ...]
    why: tuple[str, ...]
    small_print: str

    def __repr__(self) -> str:
        panels = (f"{panel.title}\n{panel.text}" for panel in self.stories[0].scene.panels)
        return "\n\n".join([*panels, self.small_print])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self.html()}

    def html(self, standalone: bool = False) -> str:
        """The player as a block of HTML; as a whole page with `standalone=True`. It needs no network and no kernel."""
        block = _Page(self).html()
        if not standalone:
            return block
        title = escape(self.stories[0].scene.panels[0].title)
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
        return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body class="mfp-page">{block}</body></html>\n'


def player(scenario: Scenario, *workers: Workers, failure: Report | Trace | None = None) -> Player:
    """Go through the runs of one or two implementations event by event; at any moment, add a crash.

    `failure` is played on each of them, as `scenario.replay` does; without one, a run in which nothing goes wrong. A
    list of functions is one implementation with several roles. Raises Mistake.
    """
    if not 1 <= len(workers) <= 2:
        raise Mistake(f"a player shows one or two implementations, and got {len(workers)}: player(scenario, charge).")
    played = [_played(scenario, worker, failure) for worker in workers]
    sources = _sources([system for system, _ in played])
    runs = tuple(Run(system, trace, source) for (system, trace), source in zip(played, sources))
    watch = _watched(scenario, [run.trace for run in runs])
    no_fork: list[int | None] = [None]
    told = Story(runs, scene([run.trace for run in runs], watch))
    stories, forks, why, room = [told], no_fork, ["nobody has begun"], MOST_FORKED
    for number in range(1, told.length + 1):
        branch, reason = _fork(told, number, watch) if room > 0 else (None, "this run is too long to have them all")
        forks.append(len(stories) if branch else None)
        why.append(reason)
        if branch:
            stories.append(branch)
            room -= sum(len(run.trace.events) - number for run in branch.runs)
    return Player(tuple(stories), tuple(forks), tuple(why), _small_print(runs, failure))


def _played(scenario: Scenario, worker: Workers, failure: Report | Trace | None) -> tuple[System, Trace]:
    """The failure on this implementation."""
    if failure is None:
        return scenario.system(worker, 1), scenario.run(worker)
    if isinstance(failure, Trace):
        return scenario.system(worker), play(scenario.system(worker), points(failure))
    trace = failure.counterexample or next(iter(failure.sample(1)), None)
    if trace is None:
        raise Mistake("there is no run to play: the search ended before any run did.")
    names = [role.__name__ for role in ([worker] if callable(worker) else worker)]
    counts = Counter(role.name for role in failure.system.cast.values()).values()
    system = scenario.system(worker, dict(zip(names, counts)))
    return system, play(system, points(trace))


def _sources(systems: Sequence[System]) -> list[Source]:
    """The sources of both, line by line beside each other where each is one function."""
    functions = [functions_of(system) for system in systems]
    if [len(each) for each in functions] != [1, 1]:
        panes = [[[(line, False) for line in source_of(function)] for function in each] for each in functions]
        return [Source(system, each) for system, each in zip(systems, panes)]
    rows = side_by_side(functions[0][0], functions[1][0])
    halves = ([(row.left, row.changed) for row in rows], [(row.right, row.changed) for row in rows])
    return [Source(system, [half]) for system, half in zip(systems, halves)]


def _watched(scenario: Scenario, traces: Sequence[Trace]) -> tuple[str, ...]:
    """The resources with a lane: those that the properties are about, and the locks; none means those that change."""
    claims = (*scenario.always, *scenario.eventually, *scenario.sometimes)
    about = {name for claim in claims for name in claim.parameters} | {name for one in traces for name in one.about}
    about |= {name for name, state in traces[0].initial.items() if isinstance(state, LockState)}
    return tuple(name for name in scenario.resources if name in about)[:MOST_LANES]


def _fork(told: Story, number: int, watch: tuple[str, ...]) -> tuple[Story | None, str]:
    """The same runs with a crash after so many events, each of the worker that acts there; or why there is none."""
    runs, notes, reasons = [], [], []
    for run in told.runs:
        events = run.trace.events[:number]
        actors = (event.worker or (event.stalled or ("",))[0] for event in reversed(events))
        actor = next((worker for worker in actors if worker), "")
        over = len(events) < number or (run.trace.broken and number == len(run.trace.events))
        trace = fork(run.system, [event.move for event in events], actor) if actor and not over else None
        runs.append(Run(run.system, trace, run.source) if trace else run)
        notes += [trace.failure[sum(bool(event.move.fault) for event in events)]] if trace else []
        reasons += [] if over else [f"{actor or 'nobody'} has nothing to lose here"]
    if not notes:
        return None, (*reasons, "it is over")[0]
    return Story(tuple(runs), scene([run.trace for run in runs], watch), listed(list(dict.fromkeys(notes)))), ""


def _small_print(runs: Sequence[Run], failure: Report | Trace | None) -> str:
    trace, faults = runs[0].trace, runs[0].trace.describe_faults()
    where = f": {listed(trace.failure)}" if trace.failure else ""
    token = f' Again: replay("{failure.token}").' if isinstance(failure, Report) else ""
    return f"{plural(len(runs[0].system.cast), 'worker')}, {faults}{where}.{token} Each run is the engine's own."


class _Shared:
    """The table of everything that is shown more than once. Number 0 is the empty text."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.add("")

    def add(self, value: Any) -> int:
        return self._numbers.setdefault(json.dumps(value, separators=(",", ":")), len(self._numbers))

    def json(self) -> str:
        return f"[{','.join(self._numbers)}]"


class _Page:
    """Writes a player as HTML: the first paint, and the data of the script, from the same pieces."""

    def __init__(self, player: Player) -> None:
        self.player, self.told, self.shared = player, player.stories[0], _Shared()
        self.colours = [style.colour(name, self.told.scene.colours) for name in self.told.scene.colours]
        self.ever = [moment for story in player.stories for run in story.runs for moment in run.moments]
        longest = max(len(lane) for story in player.stories for panel in story.scene.panels for lane in panel.lanes)
        self.labels = 26 + round(6.6 * min(MOST_LETTERS, longest))

    def html(self) -> str:
        """The block: style, first paint, script."""
        told, folder = self.told, files("simlib.views")
        css, script = (folder.joinpath(f"player.{ending}").read_text(encoding="utf-8") for ending in ("css", "js"))
        panels = "".join(map(self._panel_html, told.runs, told.scene.panels))
        sides = "".join(map(self._side_html, told.runs))
        shown = (
            f"<style>{css}</style>{panels}"
            f'<div class="mfp-sides">{sides}</div><p class="mfp-small">{escape(self.player.small_print)}</p>'
        )
        data = self._data()
        name = hashlib.sha256(f"{shown}{script}{data}".encode()).hexdigest()[:12]
        label = escape("Player. " + " ".join(f"{panel.title}." for panel in told.scene.panels))
        workers = max(len(run.trace.workers) for story in self.player.stories for run in story.runs)
        return (
            f'<div class="mfp" data-mfp="{name}" data-lm-suppress-shortcuts="true" tabindex="0" role="group" '
            f'aria-label="{label}" style="--mfp-who:{14 + 16 * workers}px">{shown}'
            f'<script>{script.rstrip()}("{name}",\n{data}\n);</script></div>'
        )

    # Lanes

    def _pieces(self, told: Story, panel: Panel) -> dict[str, Any]:
        """A panel as the page puts it together: what stands still, and each mark with its corner."""
        right, lanes = self._width(told), [(_y(panel, lane), name) for lane, name in enumerate(panel.lanes)]
        ground = "".join(f'<path d="M0 {y}H{right}" stroke="{svg.LINE}" stroke-width="1.5"/>' for y, _ in lanes)
        short = [(y, name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…") for y, name in lanes]
        left = self.labels - 10
        names = "".join(svg.text_svg(left, y + 4, name, fill=svg.INK, size=12, anchor="end") for y, name in short)
        drawn = (svg.mark_svg(told.scene, mark, 0, 0, svg.UNIT * mark.width) for mark in panel.marks)
        return {
            "ground": _themed(ground),
            "labels": _themed(names),
            "height": lanes[-1][0] + (BOTTOM if len(lanes) > panel.people else WORKER - 14),
            "marks": [
                (_themed("".join(parts)), _x(mark.x), _y(panel, mark.lane)) for parts, mark in zip(drawn, panel.marks)
            ],
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
        stories = [self._story(told) for told in self.player.stories]
        for told in stories[1:]:
            for panel, base in zip(told["panels"], stories[0]["panels"]):
                panel.update({part: _since(base[part], panel[part]) for part in ("marks", "moments")})
        why = list(map(self.shared.add, self.player.why))
        data = {"colours": self.colours, "forks": self.player.forks, "why": why, "stories": stories}
        text = json.dumps(data, separators=(",", ":"))[:-1] + f',"shared":{self.shared.json()}}}'
        return text.replace("<", "\\u003c")

    def _story(self, told: Story) -> dict[str, Any]:
        events = [pair for run in told.runs for pair in enumerate(run.trace.events, start=1)]
        return {
            "length": told.length,
            "x": list(map(_x, told.scene.columns)),
            "width": self._width(told),
            "parted": None if told.parted is None else told.parted + 1,
            "crashes": sorted({number for number, event in events if event.kind in CRASHES}),
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
    return 8 + round(svg.UNIT * units)


def _y(panel: Panel, lane: int) -> int:
    return TOP + WORKER * min(lane, panel.people) + RESOURCE * max(0, lane - panel.people)


def _themed(drawn: str) -> str:
    """In colours that the page can turn dark, wherever it stands."""
    return functools.reduce(lambda text, pair: text.replace(*pair), THEME.items(), drawn)


def _since(base: list[Any], own: list[Any]) -> list[Any]:
    """How many entries are those of the base, then the other ones."""
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(base, own)))
    return [same, *own[same:]]
