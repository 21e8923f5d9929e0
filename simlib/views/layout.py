"""Layout of lanes: pure data, computed from traces, for the renderers to draw.

Time is ordinal: one column per event, with the second printed below. A unit is the width of a step's block.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from simlib.errors import OperationError, OutcomeUnknown, Terminated
from simlib.model.fault import FAULT_NAMES
from simlib.model.operation import Op
from simlib.resources.advisory_lock import AdvisoryLockState
from simlib.resources.lock import LockState
from simlib.schedule.trace import Event, Trace
from simlib.text import bare, listed, show

Mood = Literal["bad", "good", "plain"]
NARROW = ("crash", "node loss", "power loss", "timer", "arrival", "stop")
WIDTHS = {"step": 1.0, **dict.fromkeys(NARROW, 0.62), "again": 0.45}
GAP = 0.08
MOST_LANES = 3  # for resources
NOTHING = ("empty", "nothing done", "free", "")  # states that get no bar

Summaries = dict[str, str]  # each resource's state in words, by name


@dataclass(frozen=True)
class Mark:
    """Something drawn on a lane, `width` units wide from `x` on."""

    kind: Literal["block", "cross", "bar", "pause", "tick"]
    lane: int
    x: float
    width: float
    text: str
    resource: str = ""  # sets the colour
    below: str = ""
    above: str = ""
    bad: bool = False
    failed: bool = False  # a step that did not take effect
    event: int = -1
    said: str = ""  # an error's message: only the alternative text has room for it


@dataclass(frozen=True)
class Panel:
    """One trace: its title, its lanes from top to bottom, and their marks. The first `people` lanes are workers."""

    title: str
    mood: Mood
    lanes: tuple[str, ...]
    people: int
    marks: tuple[Mark, ...]
    text: str  # the same story in words

    @property
    def workers(self) -> list[str]:
        """The names of the workers, whose lanes come first."""
        return [lane.removeprefix("worker ")[0] for lane in self.lanes[: self.people]]


@dataclass(frozen=True)
class Scene:
    """Panels below each other with the same columns, `width` units wide; `colours` numbers the resources."""

    panels: tuple[Panel, ...]
    width: float
    colours: Mapping[str, int]
    small_print: str = ""
    columns: tuple[float, ...] = field(default=())


def scene(traces: Sequence[Trace], watch: Sequence[str] = (), small_print: str = "") -> Scene:
    """Lay out traces below each other, aligned event by event.

    `watch` names the resources that get a lane. By default those are the ones that the violated property depends on and
    the locks that are held, or else those that change.
    """
    summaries = [_summaries(trace) for trace in traces]
    shown = tuple(watch) or _telling(traces, summaries)
    columns = _columns(traces)
    colours = {name: place for place, name in enumerate(traces[0].initial)}
    workers = sorted({worker for trace in traces for worker in trace.workers})
    layouts = [_Layout(trace, told, workers, shown, columns) for trace, told in zip(traces, summaries)]
    panels = tuple(layout.panel(first=traces[0]) for layout in layouts)
    return Scene(panels, columns[-1], colours, small_print, columns)


def _summaries(trace: Trace) -> list[Summaries]:
    """Each resource's state in words, at the start and after each event."""
    return [{name: state.summary() for name, state in world.items()} for world in (trace.initial, *trace.worlds())]


def _columns(traces: Sequence[Trace]) -> tuple[float, ...]:
    """Where each event begins; the last entry is the end of the picture."""
    places = [0.0]
    for row in range(max(len(trace.events) for trace in traces)):
        kinds = [trace.events[row].kind for trace in traces if row < len(trace.events)]
        places.append(places[-1] + max(WIDTHS[kind] for kind in kinds) + GAP)
    return tuple(places)


def _telling(traces: Sequence[Trace], summaries: Sequence[Sequence[Summaries]]) -> tuple[str, ...]:
    """The resources whose state tells the story."""
    changes = {name for told in summaries for now in told for name in now if now[name] != told[0][name]}
    about = {name for trace in traces for name in trace.about}
    held = {name for name, state in traces[0].initial.items() if isinstance(state, (LockState, AdvisoryLockState))}
    chosen = [name for name in traces[0].initial if name in about or (name in changes and (name in held or not about))]
    return tuple(chosen[:MOST_LANES])


class _Layout:
    """Lays out one trace: a lane per worker, then one per resource shown."""

    def __init__(
        self, trace: Trace, summaries: Sequence[Summaries], workers: list[str], shown: tuple[str, ...],
        columns: tuple[float, ...],
    ) -> None:  # fmt: skip
        self.trace, self.summaries, self.columns = trace, summaries, columns
        self.workers, self.shown = workers, shown
        self.lanes = {name: lane for lane, name in enumerate((*workers, *shown))}
        self.culprit = self._culprit() if trace.broken else -1

    def panel(self, first: Trace) -> Panel:
        """The trace as a panel; `first` is the trace of the first panel."""
        trace = self.trace
        labels = (*map(self._who, self.workers), *self.shown)
        marks = [mark for place, event in enumerate(trace.events) for mark in self._event(event, place)]
        marks += [mark for name in self.shown for mark in self._bars(name)]
        well = trace is not first and (trace.faults or first.broken)
        mood: Mood = "bad" if trace.broken else "good" if well else "plain"
        text = trace.but(note="").text(titled=True)
        return Panel(_title(trace, first), mood, labels, len(self.workers), tuple(marks), text)

    def _who(self, worker: str) -> str:
        """A worker's label: its letter, and its role if roles differ."""
        roles = self.trace.roles
        return f"{worker} {roles[worker]}" if len(set(roles.values())) > 1 and worker in roles else f"worker {worker}"

    def _culprit(self) -> int:
        """The event that violated the property: the last one to change what the property depends on."""
        about = [name for name in self.trace.about if name in self.summaries[0]]
        told = [[summary[name] for name in about] for summary in self.summaries]
        changes = [place for place in range(len(told) - 1) if told[place] != told[place + 1]]
        return changes[-1] if changes else len(told) - 2

    def _event(self, event: Event, place: int) -> list[Mark]:
        """An event's marks: a block, a cross on each lane that it ends, or a timer's tick."""
        x, width = self.columns[place], self.columns[place + 1] - self.columns[place] - GAP
        if event.begins:
            return [self._gap(event.worker, place, place, event.answer)]
        if event.kind == "step" and event.op:
            return [self._block(event, event.op, place)]
        if event.kind in ("timer", "arrival"):
            name, text = event.move.resource or event.worker, "runs out" if event.kind == "timer" else "arrives"
            lane = self.lanes.get(name) if name in (*self.shown, *self.workers) else None
            ticks = [] if lane is None else [Mark("tick", lane, x, width, text, event.move.resource, event=place)]
            return [*ticks, self._pause(*event.stalled, place)] if event.stalled else ticks
        everyone = range(len(self.workers) or len(self.lanes))
        lanes = everyone if event.kind == "power loss" else [self.lanes[event.worker]]
        said = f"SIGTERM{', and it ends' * bool(event.ended)}" if event.kind == "stop" else ""
        bad, kind = place == self.culprit, event.kind
        mark = Mark("cross", 0, x, width, kind, below=kind, bad=bad, event=place, said=said)
        return [replace(mark, lane=lane) for lane in lanes]

    def _block(self, event: Event, op: Op, place: int) -> Mark:
        second = f"{event.at:.3g} s" if event.at < 100 else f"{event.at:.0f} s"
        failed = isinstance(event.answer, BaseException) and not isinstance(event.answer, OutcomeUnknown)
        without_effect = self.summaries[place][op.resource] == self.summaries[place + 1][op.resource]
        return Mark(
            "block", self.lanes[event.worker], self.columns[place], WIDTHS["step"], verb_of(op), op.resource,
            below=second, above=_note(event, op, without_effect), bad=place == self.culprit, failed=failed,
            event=place, said=_error(event),
        )  # fmt: skip

    def _pause(self, worker: str, seconds: float, place: int) -> Mark:
        """A hatched gap from the stalled worker's last step to its next one, or to the end."""
        own = (row for row, other in enumerate(self.trace.events) if other.worker == worker and row < place)
        return self._gap(worker, max(own, default=-1) + 1, place, f"stalls {seconds:g} s")

    def _gap(self, worker: str, start: int, place: int, text: str) -> Mark:
        """A hatched gap on a worker's lane, from an event to its own next one after `place`, or to the end."""
        events = self.trace.events
        own = (row for row in range(place + 1, len(events)) if events[row].worker in (worker, ""))
        end = next((row for row in own if events[row].worker or events[row].kind == "power loss"), len(events))
        x, width = self.columns[start], self.columns[end] - self.columns[start] - GAP
        return Mark("pause", self.lanes[worker], x, width, text, event=place)

    def _bars(self, name: str) -> list[Mark]:
        """A bar for each stretch in which the resource's state does not change."""
        told, lane, bars = [summary[name] for summary in self.summaries], self.lanes[name], []
        starts = [place for place in range(len(told)) if place == 0 or told[place] != told[place - 1]]
        for start, end in itertools.pairwise([*starts, len(told)]):
            # A state begins where the event that caused it begins; the initial one at the left edge.
            left, right = self.columns[max(0, start - 1)], self.columns[end - 1]
            if told[start] not in NOTHING and right > left:
                bars.append(Mark("bar", lane, left, right - left - GAP / 2, told[start], name))
        if self.trace.broken and name in self.trace.about:
            if not bars:  # the defect is that nothing happened
                bars = [Mark("bar", lane, 0.0, self.columns[len(told) - 1] - GAP / 2, told[0], name)]
            bars[-1] = replace(bars[-1], bad=True)
        return bars


def _title(trace: Trace, first: Trace) -> str:
    """The finding, not the topic."""
    faults, name = trace.describe_faults(), f"{trace.title}, for real" if trace.note else trace.title
    beside = trace is not first and first.broken
    if trace.broken in ("stuck", "livelock", "error"):
        return f"{name}: {'a worker fails' if trace.broken == 'error' else trace.broken} after {faults}"
    if trace.broken:
        under = "the same failure breaks" if beside else "breaks"
        return f"{name}: {under} “{trace.broken.replace('_', ' ')}” with {faults}"
    if beside:
        kinds = listed(list(dict.fromkeys(trace.faults))) if trace.faults else "schedule"
        return f"{name}: the same {kinds}, and it holds"
    return f"{name}: with {faults}, it holds" if trace.faults else f"{name}: nothing goes wrong"


def verb_of(op: Op) -> str:
    """The text of a step's block: the verb, or the action called on a service."""
    return bare(op.args[0]) if op.verb == "call" and op.args else op.verb.replace("_", " ")


def _note(event: Event, op: Op, without_effect: bool) -> str:
    """A note above a block: what went wrong with it, or why it changed nothing."""
    end = [] if event.error is None or event.uncaught else [f"raises {type(event.error).__name__}"]
    end = ["ends"] if isinstance(event.error, Terminated) else end
    end += ["restarts"] if isinstance(event.error, OperationError) else []
    failed = isinstance(event.answer, BaseException)
    wrong = FAULT_NAMES[event.move.fault] if event.move.fault else type(event.answer).__name__ if failed else ""
    if wrong or end:
        return ", ".join([*filter(None, [wrong]), *end])
    if event.answer is False:
        return "answers False"
    if op.verb == "begin":
        return str(op.args[0])
    if "idempotency_key" in op.kwargs and without_effect:
        return "same key: no effect"
    if op.verb == "receive" and getattr(event.answer, "deliveries", 1) > 1:
        return f"delivery {event.answer.deliveries}"
    return ""


def _error(event: Event) -> str:
    """The error that answered a step or ended its worker."""
    answered = show(event.answer) if isinstance(event.answer, BaseException) else ""
    return ", ".join(filter(None, [answered, event.ending]))


def describe(panel: Panel) -> str:
    """An alternative text for one panel."""
    steps = [
        f"{panel.lanes[mark.lane]} {mark.text}{f' ({mark.said})' if mark.said else ''}"
        for mark in panel.marks
        if mark.kind in ("block", "cross", "pause")
    ]
    return f"{panel.title}. {', then '.join(steps)}. {show(len(steps))} marks."
