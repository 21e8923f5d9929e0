"""Runs moment by moment, as plain data: each worker's line of source and each resource's state."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from simlib.model.system import System
from simlib.schedule.trace import Event, Trace
from simlib.text import show
from simlib.views.layout import Scene
from simlib.views.state_table import Row, marked, tables

ENDINGS = ("crash", "node loss", "power loss")
START, PAST, NOW, AGAIN = range(4)  # not begun, last step there, just acted, restarted


class Place(NamedTuple):
    """Where a worker is: the row in the source, START, PAST, NOW or AGAIN, and the index of its step's resource."""

    worker: str
    row: int
    mode: int
    resource: int = 0


class Moment(NamedTuple):
    """What the page shows of one run after some number of events."""

    said: str  # the event as a sentence
    verdict: str  # at the end: the violation, or that it is over
    places: tuple[Place, ...]
    tables: tuple[tuple[Row, ...], ...]  # with the event's changes marked
    dark: tuple[str, ...]  # workers that lose their memory now


class Line(NamedTuple):
    """A line of source: its function's index, its line number in the file (0: unknown), its text."""

    pane: int
    number: int
    text: str | None  # None if only the other implementation has this line
    changed: bool


class Source:
    """An implementation's functions as the page shows them, and the row of each line."""

    def __init__(self, system: System, panes: Sequence[Sequence[tuple[str | None, bool]]]) -> None:
        functions = functions_of(system)
        self.pane_of = {worker: functions.index(role.function) for worker, role in system.cast.items()}
        self.lines: list[Line] = []
        for pane, (function, rows) in enumerate(zip(functions, panes)):
            known = inspect.unwrap(function) is function  # otherwise the page shows other source than runs
            numbers = itertools.count(function.__code__.co_firstlineno)
            for text, changed in rows:
                self.lines.append(Line(pane, next(numbers) if known and text is not None else 0, text, changed))

    def row(self, worker: str, number: int) -> int:
        """The row of this line of the worker's function; -1 if it is not on the page."""
        own = [line.number if line.pane == self.pane_of[worker] else 0 for line in self.lines]
        return own.index(number) if number and number in own else -1

    def first(self, worker: str) -> int:
        """The row of the worker's `def`."""
        own = [row for row, line in enumerate(self.lines) if line.pane == self.pane_of[worker] and line.text]
        return next((row for row in own if (self.lines[row].text or "").startswith("def ")), own[0])


@dataclass(frozen=True)
class Run:
    """One implementation's run, and its source."""

    system: System
    trace: Trace
    source: Source

    @cached_property
    def shown(self) -> list[dict[str, tuple[Row, ...]]]:
        """What properties see of each resource, at the start and after each event."""
        return [tables(world) for world in (self.trace.initial, *self.trace.worlds())]

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """Before the first event, after each, and one more for when it is over but another run continues."""
        events = (None, *self.trace.events)
        shown = [tuple(one.values()) for one in self.shown]
        before = [shown[0], *shown]
        found = [
            Moment(_said(event), "", places, tuple(map(marked, old, new)), self._dark(event))
            for event, places, old, new in zip(events, self._places(), before, shown)
        ]
        found[-1] = found[-1]._replace(verdict=self._verdict())
        still = tuple(place._replace(mode=PAST) if place.mode == NOW else place for place in found[-1].places)
        return (*found, found[-1]._replace(places=still, tables=shown[-1], dark=()))

    def _verdict(self) -> str:
        broken = (self.trace.broken or "").replace("_", " ")
        return f"✖ {broken}: {self.trace.because}" if broken else "Nothing more happens."

    def _dark(self, event: Event | None) -> tuple[str, ...]:
        if event is None or event.kind not in ENDINGS:
            return ()
        return (event.worker,) if event.worker else tuple(self.trace.workers)

    def _places(self) -> Iterator[tuple[Place, ...]]:
        """Where each worker is: at the line of its last step, or at its start."""
        at = {worker: Place(worker, self.source.first(worker), START) for worker in self.trace.workers}
        yield tuple(at.values())
        for event in self.trace.events:
            at = {worker: place._replace(mode=PAST) if place.mode == NOW else place for worker, place in at.items()}
            at |= {place.worker: place for place in self._moved(event, list(at))}
            yield tuple(place for _, place in sorted(at.items()) if place.row >= 0)
            if event.kind == "node loss":
                del at[event.worker]
            if event.ended:
                del at[event.worker]
                if event.ended == "raised" or event.worker in self.system.consumers:
                    at[event.worker] = Place(event.worker, self.source.first(event.worker), START)

    def _moved(self, event: Event, running: list[str]) -> list[Place]:
        """The workers whose place this event changes."""
        if event.op:
            number = list(self.trace.initial).index(event.op.resource)
            return [Place(event.worker, self.source.row(event.worker, event.line), NOW, number)]
        started = {"crash": [event.worker], "again": [event.worker], "power loss": running}.get(event.kind, [])
        return [Place(worker, self.source.first(worker), AGAIN) for worker in started]


def _said(event: Event | None) -> str:
    if event is None:
        return "Nothing has happened yet."
    return " · ".join(part for part in (f"{event.at:g} s", event.worker or event.move.resource, event.story()) if part)


def functions_of(system: System) -> list[Any]:
    """The distinct functions of an implementation's workers."""
    return list(dict.fromkeys(role.function for role in system.cast.values()))


@dataclass(frozen=True)
class Story:
    """Runs that share one scrubber, laid out below each other. `note` names the crash that was added, if any."""

    runs: tuple[Run, ...]
    scene: Scene
    note: str = ""

    @property
    def length(self) -> int:
        return max(len(run.trace.events) for run in self.runs)

    @cached_property
    def parted(self) -> int | None:
        """The first event at which the runs differ: in the event, its answer, or what properties see.

        Steps with the same name, answer and effect count as the same, even if one is called with an extra argument.
        """
        told = ([(*_told(event), seen) for event, seen in zip(run.trace.events, run.shown[1:])] for run in self.runs)
        pairs = enumerate(itertools.zip_longest(*told))
        return next((number for number, pair in pairs if any(one != pair[0] for one in pair)), None)


def _told(event: Event) -> tuple[Any, ...]:
    what = event.op.name if event.op else (event.move.resource, event.label)
    return event.kind, event.worker, what, type(event.answer), show(event.answer, 1000), event.ended
