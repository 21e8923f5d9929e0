"""Runs moment by moment, as plain data: where in its source each worker is, and what each resource's state is then."""

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
START, PAST, NOW, AGAIN = range(4)  # a worker is about to begin, was last seen there, just acted, is started again


class Place(NamedTuple):
    """Where a worker is: the row of the source, START, PAST, NOW or AGAIN, and the number of its step's resource."""

    worker: str
    row: int
    mode: int
    resource: int = 0


class Moment(NamedTuple):
    """What the page shows of one run after so many of its events."""

    said: str  # the event as a sentence
    verdict: str  # at the end: what is broken, or that it is over
    places: tuple[Place, ...]
    tables: tuple[tuple[Row, ...], ...]  # what the event changed is marked
    dark: tuple[str, ...]  # the workers that lose their memory now


class Line(NamedTuple):
    """A line of source: which of the implementation's functions, its number in the file (0: unknown), its text."""

    pane: int
    number: int
    text: str | None  # None where only the other implementation has a line
    changed: bool


class Source:
    """The functions of one implementation as they stand on the page, and which row a worker's line is in."""

    def __init__(self, system: System, panes: Sequence[Sequence[tuple[str | None, bool]]]) -> None:
        functions = functions_of(system)
        self.pane_of = {worker: functions.index(role.function) for worker, role in system.cast.items()}
        self.lines: list[Line] = []
        for pane, (function, rows) in enumerate(zip(functions, panes)):
            known = inspect.unwrap(function) is function  # else the source on the page is not the one that runs
            numbers = itertools.count(function.__code__.co_firstlineno)
            for text, changed in rows:
                self.lines.append(Line(pane, next(numbers) if known and text is not None else 0, text, changed))

    def row(self, worker: str, number: int) -> int:
        """Where this line of the worker's function stands; -1 for one that is not on the page."""
        own = [line.number if line.pane == self.pane_of[worker] else 0 for line in self.lines]
        return own.index(number) if number and number in own else -1

    def first(self, worker: str) -> int:
        """The row of the worker's `def`."""
        own = [row for row, line in enumerate(self.lines) if line.pane == self.pane_of[worker] and line.text]
        return next((row for row in own if (self.lines[row].text or "").startswith("def ")), own[0])


@dataclass(frozen=True)
class Run:
    """One implementation's run, and the source that it ran."""

    system: System
    trace: Trace
    source: Source

    @cached_property
    def shown(self) -> list[dict[str, tuple[Row, ...]]]:
        """What properties see of each resource, in the beginning and after each event."""
        return [tables(world) for world in (self.trace.initial, *self.trace.worlds())]

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """Before the first event, after each, and one more for when it is over and another run goes on."""
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
        """Where each worker is: at the line of its last step, or at its beginning."""
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
        """The workers that this event has put somewhere."""
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
    """The functions that an implementation's workers run, each once."""
    return list(dict.fromkeys(role.function for role in system.cast.values()))


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
