"""One transaction of a database, between BEGIN and COMMIT: what it sees, what it has locked, and what it waits for."""

from __future__ import annotations

import enum
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from simlib.model.state import copy_of
from simlib.model.values import unordered

Level = Literal["read committed", "repeatable read", "serializable"]
LEVELS: tuple[Level, ...] = get_args(Level)
Locked = Literal["wait", "skip locked", "nowait"]  # what FOR UPDATE does about a row that somebody else has locked


class Gone(enum.Enum):
    """In place of a row that is not there."""

    GONE = "gone"


GONE = Gone.GONE


@dataclass
class Transaction:
    """An open transaction of one worker, or a single statement that waits in one of its own."""

    level: Level = "read committed"
    single: bool = False  # one statement, which commits by itself
    failed: Literal["", "aborted", "lost"] = ""  # a statement of it failed, or its connection was lost
    snapshot: dict[Any, Any] | None = None  # all rows when its first statement began; at READ COMMITTED there is none
    changed: dict[Any, bool] = field(default_factory=dict)  # rows that others have changed since: was the first of
    # these others serializable?
    writes: dict[Any, Any] = field(default_factory=dict)
    fences: dict[Any, int] = field(default_factory=dict)
    locks: set[Any] = field(default_factory=set)
    deleted: set[Any] = field(default_factory=set)  # of the rows that were there before
    lives: dict[Any, float | None] = field(default_factory=dict)  # times to live that it has set, or taken away
    # Of a statement that waits:
    waits_for: tuple[Any, ...] = ()  # the key of the row
    found: tuple[Any, ...] | None = None  # the keys of the rows that it found when it began
    missed: set[Any] = field(default_factory=set)  # rows that have been deleted since it began
    done: int = 0  # how many writes of `transaction(...)` have been carried out

    def copy(self) -> Transaction:
        return copy_of(self)

    def key(self) -> Hashable:
        """Without the fences. A row's key is a key as it is, see `key_of`."""
        snapshot = None if self.snapshot is None else unordered(self.snapshot)
        sets = (*map(frozenset, (self.locks, self.deleted, self.missed)),)
        statement = (self.waits_for, self.found, self.done, frozenset(self.lives.items()))
        changed = unordered(self.changed)
        return (self.level, self.single, self.failed, snapshot, changed, unordered(self.writes), sets, statement)

    def sees(self, key: Any) -> bool:
        """Whether it sees this row as its snapshot has it."""
        return key in (self.snapshot or ()) and (key not in self.writes or key in self.changed)

    def versions(self, key: Any, committed: Mapping[Any, Any]) -> list[Any]:
        """The row as this transaction sees it, GONE if there is none. There are two if it has inserted the key of a row
        that its snapshot has and somebody else has deleted since.
        """
        if key not in self.writes:
            return [(committed if self.snapshot is None else self.snapshot).get(key, GONE)]
        return [*([self.snapshot[key]] if self.snapshot and self.sees(key) else []), self.writes[key]]

    def has_lost(self, key: Any) -> bool:
        """Whether somebody else has replaced or deleted the version of this row that it sees, or would have to see."""
        return key in self.changed and (key not in self.writes or self.sees(key))

    def rows(self, committed: Mapping[Any, Any]) -> dict[Any, Any]:
        """All rows that it sees."""
        rows = {**(committed if self.snapshot is None else self.snapshot), **self.writes}
        return {key: row for key, row in rows.items() if row is not GONE}

    def end_statement(self, done: int = 0) -> None:
        """The statement that waited is over."""
        self.waits_for, self.found, self.done = (), None, done
        self.missed.clear()


def when_locked(for_update: bool = True, skip_locked: bool = False, nowait: bool = False) -> Locked:
    """What a read `for_update` does about a row that somebody else has locked."""
    return "skip locked" if skip_locked else "nowait" if nowait else "wait"
