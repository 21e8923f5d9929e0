"""A database in which every step is atomic."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.errors import AlreadyExists, Mistake, StaleToken
from simlib.model.operation import Op
from simlib.model.resource import Count, Renumber, Resource, State
from simlib.model.values import KEYS, NAMES, freeze, fresh, in_order, same, unordered
from simlib.model.view import Value, asked
from simlib.text import bare, listed, show

WRITES = ("write", "insert", "delete", "compare_and_set")


@dataclass
class DatabaseState(State):
    """Rows, sequences and fences; a property sees what Database says."""

    sees = ("rows",)
    rows: dict[Any, Any] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    fences: dict[Any, int] = field(default_factory=dict)  # the newest token that each row has seen

    def __getitem__(self, key: Any) -> Any:
        return self.rows.get(_key(key))

    def __contains__(self, key: Any) -> bool:
        return _key(key) in self.rows

    def on_read(self, who: str, key: Any, fence: int | None = None) -> Any:
        self._fence(key, fence)
        return self.rows.get(key)

    def on_scan(self, who: str, prefix: str) -> list[tuple[Any, Any]]:
        return sorted((key, row) for key, row in self.rows.items() if isinstance(key, str) and key.startswith(prefix))

    def on_write(self, who: str, key: Any, row: Any, fence: int | None = None) -> None:
        self._fence(key, fence)
        self.rows[key] = row

    def on_insert(self, who: str, key: Any, row: Any, fence: int | None = None) -> None:
        self._check(key, fence)
        if key in self.rows:
            raise AlreadyExists(key)
        self.on_write(who, key, row, fence)

    def on_delete(self, who: str, key: Any, fence: int | None = None) -> bool:
        self._fence(key, fence)
        found = key in self.rows
        self.rows.pop(key, None)
        return found

    def on_compare_and_set(self, who: str, key: Any, expected: Any, row: Any, fence: int | None = None) -> bool:
        self._fence(key, fence)
        if not same(self.rows.get(key), expected):
            return False
        self.rows[key] = row
        return True

    def on_next_id(self, who: str, sequence: str) -> int:
        self.sequences[sequence] = self.sequences.get(sequence, 0) + 1
        return self.sequences[sequence]

    def on_transaction(self, who: str, *writes: Op) -> bool:
        draft = self.copy()
        for write in writes:
            if draft.perform(write, who) is False and write.verb == "compare_and_set":
                return False  # a delete that finds no row has succeeded
        self.rows, self.fences = draft.rows, draft.fences
        return True

    def _fence(self, key: Any, token: int | None) -> None:
        self._check(key, token)
        if token is not None:
            self.fences[key] = token

    def _check(self, key: Any, token: int | None) -> None:
        if token is not None and token < self.fences.get(key, 0):
            raise StaleToken(f"{show(key)} has seen token {self.fences[key]}, this is {token}")

    def key(self) -> Hashable:
        return (unordered(self.rows), unordered(self.sequences), unordered(self.fences))

    def counted(self) -> Hashable:
        fences = ((freeze(key), Count("token", token)) for key, token in in_order(self.fences))
        return (unordered(self.rows), unordered(self.sequences), tuple(fences))

    def recounted(self, number: Renumber) -> DatabaseState:
        state = self.copy()
        state.fences = {key: number(Count("token", token)) for key, token in self.fences.items()}
        return state

    def summary(self) -> str:
        return ", ".join(f"{bare(key)} = {bare(row)}" for key, row in in_order(self.rows)) or "empty"

    def outcome(self) -> Hashable:
        return tuple((freeze(key), freeze(row)) for key, row in in_order(self.rows))


class Database(Resource):
    """A database of rows by key, in which each step is atomic and durable.

    Modelled on a table of a relational database at isolation level serializable, used one statement at a time
    (PostgreSQL's INSERT under a unique index, UPDATE ... WHERE value = expected, nextval). `rows` are the initial rows.
    Reads answer a copy, writes store one.

    `fence=` on an operation is a lock's token (`lease.token`): the row remembers the newest that it has seen, and
    rejects an older one with StaleToken (Kleppmann, "How to do distributed locking", 2016).

    1, 1.0 and True are three values, as in a typed column or in the text of a request, but one key of a dict. So a
    row's key is text, bytes, a whole number, a date, a UUID, None, or a tuple of these. Rows are plain data that a
    store could hold: no sets, no exceptions, no instances that hold more than their fields. Raises Mistake for anything
    else.

    Left out: transactions that stay open between steps, and so isolation levels, deadlocks and serialization failures
    (`live` retries such a step); the gaps of nextval, which also counts what is rolled back; replication lag; queries
    other than by key or key prefix.
    """

    def __init__(self, rows: dict[Any, Any] | None = None) -> None:
        if not isinstance(rows or {}, dict):
            raise Mistake(f'Database({show(rows)}): give the first rows as a dict, such as Database({{"key": 1}}).')
        self._rows: dict[Any, Any] = {_key(key): fresh(row) for key, row in (rows or {}).items()}

    def initial(self, name: str) -> DatabaseState:
        return DatabaseState(fresh(self._rows))

    @asked
    def __getitem__(self, key: Any) -> Value:
        """For a property: the row, None if there is none."""
        raise NotImplementedError

    @asked
    def __contains__(self, key: Any) -> bool:
        """For a property: whether there is such a row."""
        raise NotImplementedError

    @property
    def rows(self) -> Mapping[Any, Value]:
        """For a property: all rows by key."""
        raise NotImplementedError

    def read(self, key: Any, *, fence: int | None = None) -> Op:
        """Answers the row, None if there is none."""
        return Op(self._name, "read", (_key(key),), _fence(fence))

    def scan(self, prefix: str = "") -> Op:
        """Answers the (key, row) pairs whose key is text that begins with `prefix`, sorted by key."""
        if not isinstance(prefix, str):
            raise Mistake(f"scan({show(prefix)}): give the beginning of the keys as text.")
        return Op(self._name, "scan", (prefix,))

    def write(self, key: Any, row: Any, *, fence: int | None = None) -> Op:
        """Store the row, whatever was there before."""
        return Op(self._name, "write", (_key(key), row), _fence(fence))

    def insert(self, key: Any, row: Any, *, fence: int | None = None) -> Op:
        """Store a new row. Raises AlreadyExists if there is already one under this key."""
        return Op(self._name, "insert", (_key(key), row), _fence(fence))

    def delete(self, key: Any, *, fence: int | None = None) -> Op:
        """Remove the row. Answers whether there was one: as in SQL, deleting a missing row is no error."""
        return Op(self._name, "delete", (_key(key),), _fence(fence))

    def compare_and_set(self, key: Any, expected: Any, row: Any, *, fence: int | None = None) -> Op:
        """Store the row only if the current one is `expected` (None: there is none). Answers whether it did.

        Types matter: 1 is neither 1.0 nor True. The order of a dict's keys does not.
        """
        return Op(self._name, "compare_and_set", (_key(key), expected, row), _fence(fence))

    def next_id(self, sequence: str = "id") -> Op:
        """Answers 1, 2, 3, ... from this sequence: each number once, even if its caller crashes and never uses it."""
        if not isinstance(sequence, str):
            raise Mistake(f"next_id({show(sequence)}): give the name of a sequence, as text.")
        return Op(self._name, "next_id", (sequence,))

    def transaction(self, *writes: Op) -> Op:
        """Several writes to this database as one step: all happen, or none.

        Answers True; False, with nothing written, if a `compare_and_set` among them found another row. An error of one
        of them (AlreadyExists, StaleToken) undoes all and is raised. Raises Mistake for anything but a write to this
        database.
        """
        for write in writes:
            if not isinstance(write, Op) or write.resource != self._name or write.verb not in WRITES:
                raise Mistake(
                    f"transaction(...) takes {listed(list(WRITES), 'or')} of the same database, and got {show(write)}. "
                    "Read before it, as a step of its own, and guard with compare_and_set."
                )
        if self._built is not None:  # part of this step, not forgotten yields
            self._built[:] = [op for op in self._built if not any(op is write for write in writes)]
        return Op(self._name, "transaction", writes)


def _key(key: Any) -> Any:
    """Check a row's key: keys that are equal in Python must be one row in every store. Raises Mistake for others."""
    kind = type(key)
    if kind in KEYS:
        return key
    if kind is tuple:
        return tuple(map(_key, key))
    if kind in NAMES:
        return fresh(key)
    why = "1, 1.0 and True are one key of a dict, and three in a store. " if kind in (bool, float) else ""
    raise Mistake(f"{show(key)} cannot be a row's key. {why}Use text, a whole number or a tuple of them.")


def _fence(fence: Any) -> dict[str, int]:
    if fence is None:
        return {}
    if type(fence) is int:
        return {"fence": fence}
    raise Mistake(f"fence={show(fence)}: a fence is a number that grows: fence=lease.token.")
