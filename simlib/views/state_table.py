"""What the player shows at each moment of a run, as plain data.

Each resource's state is a small table: what properties see of it, with what has just changed marked. Beside it, in
which line of the source each worker is.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, singledispatch
from typing import Any, Literal, NamedTuple

from simlib.model.resource import State
from simlib.model.system import System
from simlib.resources.clock import ClockState
from simlib.resources.collection import CollectionState
from simlib.resources.database import DatabaseState
from simlib.resources.disk import DiskState
from simlib.resources.lock import LockState
from simlib.resources.queue import QueueState
from simlib.resources.service import ServiceState
from simlib.schedule.trace import Event, Trace
from simlib.text import bare, show
from simlib.views.markup import escape

WIDTH = 48  # letters of a value
MOST_ITEMS = 3  # of a list of messages
LETTER, LINE, WIDEST = 7, 19, 330  # pixels: of the page's tables

CRASHES = ("crash", "node loss", "power loss")
START, PAST, NOW, AGAIN = range(4)  # a worker is about to begin, was last seen there, just acted, is started again

Change = Literal["", "new", "gone"]


class Row(NamedTuple):
    """A name and its value. `change` is what the last event did to it: a new value, or the end of the row."""

    name: str
    value: str
    change: Change = ""


def table(state: State) -> tuple[Row, ...]:
    """What properties see of this state now; nothing for a resource that has nothing to see."""
    return tuple(Row(name, value) for name, value in _rows(state))


def tables(states: Mapping[str, State]) -> dict[str, tuple[Row, ...]]:
    """The table of each resource that has something to see."""
    found = {name: table(state) for name, state in states.items()}
    return {name: rows for name, rows in found.items() if rows}


def marked(before: Sequence[Row], after: Sequence[Row]) -> tuple[Row, ...]:
    """The rows after an event, with what it changed marked; a row that has gone is shown once more, at its end."""
    old, new = ({row.name: row.value for row in rows} for rows in (before, after))
    gone = [Row(row.name, row.value, "gone") for row in before if row.name and row.name not in new]
    return (*(Row(row.name, row.value, _change(row, old)) for row in after), *gone)


def html_of(name: str, rows: Sequence[Row], ever: Iterable[Sequence[Row]], colour: str) -> str:
    """A table with its caption, and room for all that it will `ever` hold: a change of it moves nothing on the page."""
    body = "".join(
        f'<tr class="mfp-{row.change}"><td>{"●" if row.change else ""}</td><td>{escape(row.name)}</td>'
        f"<td>{escape(row.value)}</td></tr>"
        for row in rows
    )
    wide = [[LETTER * (len(row.name) + len(row.value)) + 36 for row in held] for held in ever]
    width = min(WIDEST, max((width for held in wide for width in held), default=0))
    height = LINE * max(sum(-(-each // width) for each in held) for held in wide) + 24
    caption = f'<span style="color:{colour}">■</span> {escape(name)}'
    return (
        f'<div class="mfp-box" style="flex:1 1 {max(width, 110)}px;min-height:{height}px">'
        f'<table data-resource="{escape(name)}"><caption>{caption}</caption><tbody>{body}</tbody></table></div>'
    )


def _change(row: Row, old: Mapping[str, str]) -> Change:
    return "new" if row.name and old.get(row.name) != row.value else ""


@singledispatch
def _rows(state: State) -> Iterable[tuple[str, str]]:
    """A resource that this page does not know: what it says that properties see."""
    for name in state.sees:
        value = getattr(state, name, None)
        if not callable(value):
            yield name.replace("_", " "), show(value, WIDTH)


@_rows.register
def _queue(state: QueueState) -> Iterable[tuple[str, str]]:
    yield "ready", _items(state.ready)
    yield "in flight", _items(state.in_flight)
    yield "acked", _items([*state.acked])
    if state.max_receives is not None or state.dead_letters:
        yield "dead letters", _items(state.dead_letters)


@_rows.register
def _database(state: DatabaseState) -> Iterable[tuple[str, str]]:
    for key, row in sorted(state.rows.items(), key=str):
        yield bare(key), show(row, WIDTH)
    if not state.rows:
        yield "", "no rows"


@_rows.register
def _collection(state: CollectionState) -> Iterable[tuple[str, str]]:
    for name in sorted(state.items):
        yield name, show(state.items[name], WIDTH)
    if not state.items:
        yield "", "no items"


@_rows.register
def _service(state: ServiceState) -> Iterable[tuple[str, str]]:
    """A row for each action with its arguments; with several, the question is which of them was done twice."""
    told = dict.fromkeys(state.totals, 0)
    for effect, times in state.effects.items():
        if isinstance(effect, tuple) and effect and effect[0] in told:
            told[effect[0]] += times
            yield " ".join([bare(effect[0]), *(show(arg, 24) for arg in effect[1:])]), _times(times)
    for action, total in state.totals.items():
        if total > told[action]:  # its arguments are no plain key, and are kept in another form
            yield bare(action), _times(total - told[action])
    if not state.totals:
        yield "", "nothing done"


@_rows.register
def _lock(state: LockState) -> Iterable[tuple[str, str]]:
    yield "holder", "nobody" if state.holder is None else bare(state.holder, WIDTH)
    yield "token", str(state.token)


@_rows.register
def _disk(state: DiskState) -> Iterable[tuple[str, str]]:
    for name in state.files:
        yield bare(name), show(state.contents(name), WIDTH)
    if not state.files:
        yield "", "no files"


@_rows.register
def _clock(state: ClockState) -> Iterable[tuple[str, str]]:
    yield "seconds", f"{state.seconds:g}"


def _items(items: Sequence[Any]) -> str:
    shown = ", ".join(map(repr, items[:MOST_ITEMS]))
    more = f" and {len(items) - MOST_ITEMS} more" if len(items) > MOST_ITEMS else ""
    return shown + more or "–"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


# A run


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

    def row(self, worker: str, number: int) -> int | None:
        """Where this line of the worker's function stands; None for one that is not on the page."""
        there = [
            row for row, line in enumerate(self.lines) if (line.pane, line.number) == (self.pane_of[worker], number)
        ]
        return there[0] if there and number else None

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
        if event is None or event.kind not in CRASHES:
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
            row = self.source.row(event.worker, event.line)
            number = list(self.trace.initial).index(event.op.resource)
            return [Place(event.worker, -1 if row is None else row, NOW, number)]
        started = {"crash": [event.worker], "again": [event.worker], "power loss": running}.get(event.kind, [])
        return [Place(worker, self.source.first(worker), AGAIN) for worker in started]


def _said(event: Event | None) -> str:
    if event is None:
        return "Nothing has happened yet."
    return " · ".join(part for part in (f"{event.at:g} s", event.worker or event.move.resource, event.story()) if part)


def functions_of(system: System) -> list[Any]:
    """The functions that an implementation's workers run, each once."""
    return list(dict.fromkeys(role.function for role in system.cast.values()))
