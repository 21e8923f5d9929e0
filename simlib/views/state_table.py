"""A resource's state as a small table: what properties see of it, with the latest changes marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any, Literal, NamedTuple

from simlib.model.state import State
from simlib.resources.advisory_lock import AdvisoryLockState
from simlib.resources.clock import ClockState
from simlib.resources.collection import CollectionState
from simlib.resources.database_state import DatabaseState
from simlib.resources.disk import DiskState
from simlib.resources.lock import LockState
from simlib.resources.queue import QueueState
from simlib.resources.service_state import ServiceState
from simlib.resources.transaction import GONE
from simlib.text import bare, show
from simlib.views.markup import escape

WIDTH = 48  # characters of a value
MOST_ITEMS = 3  # in a list of messages
LETTER, LINE, WIDEST = 7, 19, 330  # pixels, in the page's tables


Change = Literal["", "new", "gone"]


class Row(NamedTuple):
    """A name and its value. `change` is what the last event did: a new value, or removed."""

    name: str
    value: str
    change: Change = ""


def table(state: State) -> tuple[Row, ...]:
    """What properties see of this state; empty if they see nothing."""
    return tuple(Row(name, value) for name, value in _rows(state))


def tables(states: Mapping[str, State]) -> dict[str, tuple[Row, ...]]:
    """The table of each resource that has one."""
    found = {name: table(state) for name, state in states.items()}
    return {name: rows for name, rows in found.items() if rows}


def marked(before: Sequence[Row], after: Sequence[Row]) -> tuple[Row, ...]:
    """The rows after an event, with its changes marked; a removed row is shown once more, at the end."""
    old, new = ({row.name: row.value for row in rows} for rows in (before, after))
    gone = [row._replace(change="gone") for row in before if row.name and row.name not in new]
    changed = (row.name and old.get(row.name) != row.value for row in after)
    return (*(row._replace(change="new" if new else "") for row, new in zip(after, changed)), *gone)


def html_of(name: str, rows: Sequence[Row], ever: Iterable[Sequence[Row]], colour: str) -> str:
    """A table with its caption, and room for every row it will `ever` hold, so that changes do not move the page."""
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


@singledispatch
def _rows(state: State) -> Iterable[tuple[str, str]]:
    """The rows of an unknown kind of resource: everything that it lets properties see."""
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
    yield from _all(((bare(key), row) for key, row in sorted(state.rows.items(), key=str)), "no rows")
    for who, transaction in sorted(state.open.items()):
        for key, row in sorted(transaction.writes.items(), key=str):
            yield f"{bare(key)}, by {who}", f"{'deleted' if row is GONE else show(row, WIDTH)}, not committed"


@_rows.register
def _collection(state: CollectionState) -> Iterable[tuple[str, str]]:
    return _all(((name, state.items[name]) for name in sorted(state.items)), "no items")


@_rows.register
def _service(state: ServiceState) -> Iterable[tuple[str, str]]:
    """A row per action and arguments, since the question is which of them happened twice."""
    told = dict.fromkeys(state.totals, 0)
    for effect, times in state.effects.items():
        if isinstance(effect, tuple) and effect and effect[0] in told:
            told[effect[0]] += times
            yield " ".join([bare(effect[0]), *(show(arg, 24) for arg in effect[1:])]), _times(times)
    for action, total in state.totals.items():
        if total > told[action]:  # its arguments are not plain keys, and are stored in another form
            yield bare(action), _times(total - told[action])
    if not state.totals:
        yield "", "nothing done"


@_rows.register
def _lock(state: LockState) -> Iterable[tuple[str, str]]:
    yield "holder", "nobody" if state.holder is None else bare(state.holder, WIDTH)
    yield "token", str(state.token)


@_rows.register
def _advisory_lock(state: AdvisoryLockState) -> Iterable[tuple[str, str]]:
    yield "holder", state.holder or "nobody"


@_rows.register
def _disk(state: DiskState) -> Iterable[tuple[str, str]]:
    return _all(((bare(name), state.contents(name)) for name in state.files), "no files")


@_rows.register
def _clock(state: ClockState) -> Iterable[tuple[str, str]]:
    yield "seconds", f"{state.seconds:g}"


def _all(values: Iterable[tuple[str, Any]], nothing: str) -> list[tuple[str, str]]:
    return [(name, show(value, WIDTH)) for name, value in values] or [("", nothing)]


def _items(items: Sequence[Any]) -> str:
    shown = ", ".join(map(repr, items[:MOST_ITEMS]))
    more = f" and {len(items) - MOST_ITEMS} more" if len(items) > MOST_ITEMS else ""
    return shown + more or "–"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
