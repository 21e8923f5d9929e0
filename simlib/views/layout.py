"""Where everything goes in a picture of lanes: pure data, computed from traces, drawn by the renderers.

Time is ordinal: a column an event, the second printed below. A unit is the width of a step's block.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from simlib.errors import OperationError, OutcomeUnknown
from simlib.model.operation import Op
from simlib.model.resource import State
from simlib.resources.lock import LockState
from simlib.schedule.trace import FAULT_NAMES, Event, Trace
from simlib.text import bare, listed, show

Mood = Literal["bad", "good", "plain"]
WIDTHS = {
    "step": 1.0,
    "crash": 0.62,
    "node loss": 0.62,
    "power loss": 0.62,
    "timer": 0.62,
    "again": 0.45,
    "arrival": 0.62,
}
GAP = 0.08
MOST_LANES = 3  # of resources


@dataclass(frozen=True)
class Mark:
    """Something drawn on a lane, from `x` on, `width` wide."""

    kind: Literal["block", "cross", "bar", "pause", "tick"]
    lane: int
    x: float
    width: float
    text: str
    resource: str = ""  # gives the colour
    below: str = ""
    above: str = ""
    bad: bool = False
    failed: bool = False  # a step that did not take effect
    event: int = -1
    said: str = ""  # what an error says: there is no room to draw it, and the alternative text has it


@dataclass(frozen=True)
class Panel:
    """One trace: its title, its lanes from top to bottom, and what is on them. `people` of them are workers."""

    title: str
    mood: Mood
    lanes: tuple[str, ...]
    people: int
    marks: tuple[Mark, ...]
    text: str  # the same story in words

    @property
    def workers(self) -> list[str]:
        """The letters of those whose lanes come first."""
        return [lane.removeprefix("worker ")[0] for lane in self.lanes[: self.people]]


@dataclass(frozen=True)
class Scene:
    """Panels under each other with the same columns, `width` units wide; `colours` gives each resource its number."""

    panels: tuple[Panel, ...]
    width: float
    colours: Mapping[str, int]
    small_print: str = ""
    columns: tuple[float, ...] = field(default=())


def scene(traces: Sequence[Trace], watch: Sequence[str] = (), small_print: str = "") -> Scene:
    """Lay out traces under each other, aligned event by event.

    `watch` names the resources that get a lane; left out, those that the broken property is about and the locks
    that are held, or else those that change.
    """
    shown = tuple(watch) or _telling(traces)
    columns = _columns(traces)
    colours = {name: place for place, name in enumerate(traces[0].initial)}
    workers = sorted({worker for trace in traces for worker in trace.workers})
    panels = tuple(_panel(trace, workers, shown, columns, first=traces[0]) for trace in traces)
    return Scene(panels, columns[-1], colours, small_print, columns)


def _columns(traces: Sequence[Trace]) -> tuple[float, ...]:
    """Where each event begins; the last one is where the picture ends."""
    places = [0.0]
    for row in range(max(len(trace.events) for trace in traces)):
        kinds = [trace.events[row].kind for trace in traces if row < len(trace.events)]
        places.append(places[-1] + max(WIDTHS[kind] for kind in kinds) + GAP)
    return tuple(places)


def _telling(traces: Sequence[Trace]) -> tuple[str, ...]:
    """The resources whose state tells the story."""
    changes = {
        name
        for trace in traces
        for world in trace.worlds()
        for name, state in world.items()
        if state.summary() != trace.initial[name].summary()
    }
    about = {name for trace in traces for name in trace.about}
    held = {name for name, state in traces[0].initial.items() if isinstance(state, LockState)}
    chosen = [name for name in traces[0].initial if name in about or (name in changes and (name in held or not about))]
    return tuple(chosen[:MOST_LANES])


def _panel(trace: Trace, workers: list[str], shown: tuple[str, ...], columns: tuple[float, ...], first: Trace) -> Panel:
    marks: list[Mark] = []
    worlds = list(trace.worlds())
    lane_of = {name: place for place, name in enumerate((*workers, *shown))}
    culprit = _culprit(trace, worlds)
    for place, event in enumerate(trace.events):
        before = worlds[place - 1] if place else dict(trace.initial)
        bad = place == culprit
        marks += _event_marks(event, place, columns, lane_of, before, worlds[place], bad, trace.events)
    for name in shown:
        marks += _bars(trace, worlds, name, lane_of[name], columns)
    labels = (*(_who(trace, worker) for worker in workers), *shown)
    mood: Mood = "bad" if trace.broken else "good" if trace is not first and (trace.faults or first.broken) else "plain"
    return Panel(_title(trace, first), mood, labels, len(workers), tuple(marks), trace.but(note="").text(titled=True))


def _who(trace: Trace, worker: str) -> str:
    """A worker's lane: its letter, and what it runs where that is not the same for all."""
    several = len(set(trace.roles.values())) > 1
    return f"{worker} {trace.roles[worker]}" if several and worker in trace.roles else f"worker {worker}"


def _title(trace: Trace, first: Trace) -> str:
    """The finding, not the topic."""
    faults, name = trace.describe_faults(), f"{trace.title}, for real" if trace.note else trace.title
    if trace.broken in ("stuck", "livelock", "error"):
        return f"{name}: {'a worker fails' if trace.broken == 'error' else trace.broken} after {faults}"
    if trace.broken:
        under = "the same failure breaks" if trace is not first and first.broken else "breaks"
        return f"{name}: {under} “{trace.broken.replace('_', ' ')}” with {faults}"
    if trace is not first and first.broken:
        return f"{name}: the same {_kinds(trace) or 'schedule'}, and it holds"
    return f"{name}: with {faults}, it holds" if trace.faults else f"{name}: nothing goes wrong"


def _kinds(trace: Trace) -> str:
    return listed(list(dict.fromkeys(trace.faults))) if trace.faults else ""


def _event_marks(
    event: Event,
    place: int,
    columns: tuple[float, ...],
    lane_of: Mapping[str, int],
    before: Mapping[str, State],
    after: Mapping[str, State],
    bad: bool,
    events: Sequence[Event],
) -> list[Mark]:
    x, width = columns[place], columns[place + 1] - columns[place] - GAP
    second = f"{event.at:.3g} s" if event.at < 100 else f"{event.at:.0f} s"
    if event.kind == "step" and event.op:
        above = _note(event, before, after)
        lane = lane_of[event.worker]
        failed = isinstance(event.answer, BaseException) and not isinstance(event.answer, OutcomeUnknown)
        what = (verb_of(event.op), event.op.resource, second, above, bad, failed, place, _error(event))
        return [Mark("block", lane, x, WIDTHS["step"], *what)]
    if event.kind in ("timer", "arrival"):
        marks, lane_name = [], event.move.resource or event.worker
        if lane_name in lane_of:
            text = "runs out" if event.kind == "timer" else "arrives"
            marks.append(Mark("tick", lane_of[lane_name], x, width, text, event.move.resource, event=place))
        if event.stalled:
            marks.append(_pause(event, place, columns, lane_of, events))
        return marks
    everyone = range(min(lane_of.values()), len(lane_of)) if event.kind == "power loss" else [lane_of[event.worker]]
    lanes = [lane for lane in everyone if lane < sum(len(name) == 1 and name.isupper() for name in lane_of)]
    text = "again" if event.kind == "again" else event.kind
    return [Mark("cross", lane, x, width, text, below=text, bad=bad, event=place) for lane in lanes or everyone]


def _pause(
    event: Event, place: int, columns: tuple[float, ...], lane_of: Mapping[str, int], events: Sequence[Event]
) -> Mark:
    """A hatched gap from the stalled worker's last step to its next one, or to the end."""
    worker, seconds = event.stalled or ("", 0.0)
    own = [row for row, other in enumerate(events) if other.worker == worker]
    start = max((row for row in own if row < place), default=-1)
    end = min((row for row in own if row > place), default=len(events))
    text = f"stalls {seconds:g} s"
    return Mark(
        "pause", lane_of[worker], columns[start + 1], columns[end] - columns[start + 1] - GAP, text, event=place
    )


def verb_of(op: Op) -> str:
    """What a step's block says: the verb, or of a service the action that is called."""
    return bare(op.args[0]) if op.verb == "call" and op.args else op.verb.replace("_", " ")


def _note(event: Event, before: Mapping[str, State], after: Mapping[str, State]) -> str:
    """A quiet remark over a block: what went wrong with it, or why it changed nothing."""
    assert event.op is not None
    end = [] if event.error is None or event.uncaught else [f"raises {type(event.error).__name__}"]
    end += ["restarts"] if isinstance(event.error, OperationError) else []
    failed = isinstance(event.answer, BaseException)
    wrong = FAULT_NAMES[event.move.fault] if event.move.fault else type(event.answer).__name__ if failed else ""
    if wrong or end:
        return ", ".join([*filter(None, [wrong]), *end])
    if event.answer is False:
        return "answers False"
    if "idempotency_key" in event.op.kwargs:
        name = event.op.resource
        if before[name].summary() == after[name].summary():
            return "same key: no effect"
    if event.op.verb == "receive" and getattr(event.answer, "deliveries", 1) > 1:
        return f"delivery {event.answer.deliveries}"
    return ""


def _error(event: Event) -> str:
    """What an error says that a step was answered with, or that ended its worker."""
    answered = show(event.answer) if isinstance(event.answer, BaseException) else ""
    return ", ".join(filter(None, [answered, event.ending]))


def _bars(
    trace: Trace, worlds: Sequence[Mapping[str, State]], name: str, lane: int, columns: tuple[float, ...]
) -> list[Mark]:
    """A bar for each stretch in which the resource looks the same."""
    bars: list[Mark] = []
    nothing = {"empty", "nothing done", "free", ""}
    text, start = trace.initial[name].summary(), 0.0
    for place, world in enumerate([*worlds, None]):
        now = world[name].summary() if world is not None else None
        if now == text:
            continue
        end = columns[place] if world is not None else columns[len(worlds)]
        if text not in nothing and end > start:
            bars.append(Mark("bar", lane, start, end - start - GAP / 2, text, name))
        text, start = now or "", columns[place] if place < len(columns) else 0.0
    if trace.broken and name in trace.about:
        if not bars:  # what is wrong is that nothing happened
            bars = [Mark("bar", lane, 0.0, columns[len(worlds)] - GAP / 2, trace.initial[name].summary(), name)]
        bars[-1] = replace(bars[-1], bad=True)
    return bars


def _culprit(trace: Trace, worlds: Sequence[Mapping[str, State]]) -> int:
    """The event that broke it: the last one to change what the broken property is about."""
    if not trace.broken:
        return -1
    for place in range(len(worlds) - 1, -1, -1):
        before = worlds[place - 1] if place else trace.initial
        if any(before[name].summary() != worlds[place][name].summary() for name in trace.about if name in before):
            return place
    return len(worlds) - 1


def rows_of(scene: Scene, most: float) -> list[Scene]:
    """The scene cut into rows of about the same length, as music is, none of more than `most` units.

    A panel that would be cut and need not be makes its row longer: a short run stays whole beside a long one.
    """
    about = min(most, scene.width / math.ceil(scene.width / most) + 0.6)
    rows, start = [], 0.0
    while start < scene.width - GAP:
        end = _last(scene.columns, start, about) or scene.width
        end = max(end, _last(map(_end, scene.panels), start, most))
        panels = tuple(one for panel in scene.panels if (one := _cut(panel, start, end)).marks)
        rows.append(replace(scene, panels=panels, width=end - start, columns=(), small_print=""))
        start = end
    return [*rows[:-1], replace(rows[-1], small_print=scene.small_print)] if rows else [scene]


def _last(places: Iterable[float], start: float, most: float) -> float:
    """The last of the places that is after `start`, and no more than `most` behind it; 0 where there is none."""
    return max((place for place in places if start < place <= start + most), default=0.0)


def _end(panel: Panel) -> float:
    """Where the next column would begin."""
    return max((mark.x + mark.width for mark in panel.marks if mark.kind != "bar"), default=0.0) + GAP


def _cut(panel: Panel, start: float, end: float) -> Panel:
    """What of a panel lies between two places; a bar that crosses a cut goes on behind it."""
    marks = []
    for mark in panel.marks:
        left, right = max(mark.x, start), min(mark.x + mark.width, end - GAP / 2)
        if right - left > GAP:
            marks.append(replace(mark, x=left - start, width=right - left))
    title = panel.title if start == 0 else f"{panel.title.partition(':')[0]}, continued"
    return replace(panel, marks=tuple(marks), title=title)


def describe(panel: Panel) -> str:
    """An alternative text for one panel."""
    steps = [
        f"{panel.lanes[mark.lane]} {mark.text}{f' ({mark.said})' if mark.said else ''}"
        for mark in panel.marks
        if mark.kind in ("block", "cross", "pause")
    ]
    return f"{panel.title}. {', then '.join(steps)}. {show(len(steps))} marks."
