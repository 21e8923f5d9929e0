"""A database and a lock as SQL tables: each step is one real transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from simlib.errors import AlreadyExists, Mistake, StaleToken
from simlib.live.stores.base import Facts, Mutex, Store, lasting
from simlib.live.stores.deadlines import Deadlines, deadline
from simlib.model.fault import OUTAGES
from simlib.model.operation import Op, Outcome
from simlib.model.values import freeze, same
from simlib.resources.database_state import GUARDS, DatabaseState
from simlib.resources.lock import Lease
from simlib.text import show

Row = tuple[Any, ...]
ON_POSTGRESQL = 'live(..., on={{"{}": "postgresql://..."}})'
T = TypeVar("T")


class Connection(Protocol):
    """A connection to a database server or a database file. The process that uses it opens it."""

    kind: str

    def make(self) -> None:
        """Create the place for the tables."""

    def transaction(self, name: str, work: Callable[[], T], impatient: bool = False) -> T:
        """The result of `work`, whose statements all take effect or none does. `work` may be called more than once.

        Raises Unavailable if nothing took effect.
        """

    def run(self, sql: str, *values: Any) -> list[Row]:
        """Execute one statement, with `?` for its values, and return its rows."""

    def down(self) -> AbstractContextManager[Any]:
        """Keep everybody else out."""

    def settle(self) -> None:
        """Wait until nothing sent by a dead process is still on its way."""

    def close(self) -> None:
        """Disconnect. The next use connects again."""

    def drop(self) -> None:
        """Remove whatever is outside the run's folder."""


class Table(Store):
    """A store of one or more tables, one connection a process."""

    layout: tuple[str, ...]

    def __init__(self, name: str, connection: Connection) -> None:
        super().__init__(name)
        self.connection = connection
        self.kind = connection.kind  # type: ignore[misc]

    def run(self, sql: str, *values: Any) -> list[Row]:
        return self.connection.run(sql, *values)

    def prepare(self, state: Any) -> None:
        self.connection.make()
        self.connection.transaction(self.name, lambda: self._fill(state))

    def _fill(self, state: Any) -> None:
        for statement in self.layout:
            self.run(statement)
        self.fill(state)

    def fill(self, state: Any) -> None:
        """Insert the initial state."""

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        impatient = outcome.fault == OUTAGES
        return self.connection.transaction(op.name, lambda: self.step(op, who, outcome), impatient)

    def step(self, op: Op, who: str, outcome: Outcome) -> Any:
        """Carry out the step, inside its transaction."""
        return super().carry_out(op, who, outcome)

    def down(self) -> AbstractContextManager[Any]:
        return self.connection.down()

    def look(self) -> Facts:
        self.connection.settle()
        return self.connection.transaction(self.name, self.seen)

    def seen(self) -> Facts:
        raise NotImplementedError

    def close(self) -> None:
        self.connection.close()

    def drop(self) -> None:
        self.connection.drop()


class DatabaseTable(Deadlines, Table):
    """Rows by key. A row written under a fence remembers the newest token, as long as there is the row.

    No transaction stays open from one step to the next, so nobody waits for a row.
    """

    ASIDE = (
        "CREATE TABLE fences (key TEXT PRIMARY KEY, token BIGINT NOT NULL)",
        "CREATE TABLE sequences (name TEXT PRIMARY KEY, last INTEGER NOT NULL)",
    )
    layout: tuple[str, ...] = (
        "CREATE TABLE rows (key TEXT PRIMARY KEY, row TEXT NOT NULL, deadline DOUBLE PRECISION)",
        *ASIDE,
    )
    unique = "key"
    COUNT = (
        "INSERT INTO sequences VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = sequences.last + 1 RETURNING last"
    )

    def on_begin(self, who: str, level: str) -> None:
        raise Mistake(
            f"{self.name}.begin({show(level)}): {self.kind} has one writer at a time (BEGIN IMMEDIATE), and no "
            f"level but serializable. Run it where the levels are: {ON_POSTGRESQL.format(self.name)}."
        )

    def on_commit(self, who: str) -> bool:
        return True  # there is none to commit

    def on_rollback(self, who: str) -> None:
        """There is none to roll back."""

    def fill(self, state: DatabaseState) -> None:
        for key, row in state.rows.items():
            self.run("INSERT INTO rows (key, row) VALUES (?, ?)", self.signer.write(key), self.signer.write(row))

    def on_read(self, who: str, key: Any, fence: int | None = None, **locking: bool) -> Any:
        self._fence(key, fence)
        return next(iter(self._rows(key, **locking)), None)

    def _rows(self, key: Any, **locking: bool) -> list[Any]:
        """The row, if there is one. There is nobody else to lock it for."""
        found = self.run(f"SELECT row FROM rows WHERE {self.unique} = ?", self._found_by(key))
        return [self.signer.read(row) for (row,) in found]

    def on_scan(self, who: str, prefix: str, limit: int | None = None, **locking: bool) -> list[tuple[Any, Any]]:
        rows = [(self.signer.read(key), self.signer.read(row)) for key, row in self.run("SELECT key, row FROM rows")]
        found = [pair for pair in rows if isinstance(pair[0], str) and pair[0].startswith(prefix)]
        return sorted(found, key=lambda pair: pair[0])[:limit]

    def on_write(self, who: str, key: Any, row: Any, fence: int | None = None, ttl: float | None = None) -> None:
        self._fence(key, fence)
        upsert = (
            "INSERT INTO rows VALUES (?, ?, ?) "
            f"ON CONFLICT ({self.unique}) DO UPDATE SET row = excluded.row, deadline = excluded.deadline"
        )
        self.run(upsert, self.signer.write(key), self.signer.write(row), deadline(ttl))
        self._fence(key, fence)  # a new row has now one, too

    def on_insert(self, who: str, key: Any, row: Any, fence: int | None = None, ttl: float | None = None) -> None:
        self._fence(key, fence)
        insert = f"INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT ({self.unique}) DO NOTHING RETURNING key"
        if not self.run(insert, self.signer.write(key), self.signer.write(row), deadline(ttl)):
            raise AlreadyExists(key)
        self._fence(key, fence)

    def on_update(self, who: str, key: Any, row: Any = None, /, *, fence: int | None = None, **columns: Any) -> bool:
        self._fence(key, fence)
        if not columns:
            return self._set(key, row)
        return any(self._set(key, {**found, **columns}, "deadline") for found in self._rows(key, for_update=True))

    def on_add(self, who: str, key: Any, n: Any, column: str | None = None, fence: int | None = None) -> Any:
        self._fence(key, fence)
        for found in self._rows(key, for_update=True):
            value = (found if column is None else found[column]) + n
            self._set(key, value if column is None else {**found, column: value}, "deadline")
            return value
        return None

    def _set(self, key: Any, row: Any, keeps: str = "NULL") -> bool:
        """Store another row, if there is one; its deadline is gone unless it keeps it."""
        update = f"UPDATE rows SET row = ?, deadline = {keeps} WHERE {self.unique} = ? RETURNING key"
        return bool(self.run(update, self.signer.write(row), self._found_by(key)))

    def _found_by(self, key: Any) -> str:
        """What the column `unique` has for this key."""
        return self.signer.write(key)

    def on_delete(self, who: str, key: Any, fence: int | None = None) -> bool:
        self._fence(key, fence)
        self.run("DELETE FROM fences WHERE key = ?", self.signer.write(key))
        return bool(self.run(f"DELETE FROM rows WHERE {self.unique} = ? RETURNING key", self._found_by(key)))

    def on_compare_and_set(self, who: str, key: Any, expected: Any, row: Any, fence: int | None = None) -> bool:
        self._fence(key, fence)
        if not same(self.on_read(who, key), expected):  # compared in Python, where a missing row is None
            return False
        self.on_write(who, key, row, fence)
        return True

    def on_compare_scan(self, who: str, prefix: str, expected: list[tuple[Any, Any]]) -> bool:
        return same(self.on_scan(who, prefix), expected)

    def on_next_id(self, who: str, sequence: str) -> int:
        return int(self.run(self.COUNT, sequence)[0][0])

    def on_transaction(self, who: str, *writes: Op) -> bool:
        self.run("SAVEPOINT writes")
        for write in writes:
            done = getattr(self, f"on_{write.verb}")(who, *write.args, **write.kwargs)
            if done is False and write.verb in GUARDS:
                self.run("ROLLBACK TO SAVEPOINT writes")
                return False
        return True

    def _fence(self, key: Any, token: int | None) -> None:
        if token is None:
            return
        advance = (
            "INSERT INTO fences SELECT ?, ? WHERE EXISTS (SELECT 1 FROM rows WHERE key = ?) "
            "ON CONFLICT (key) DO UPDATE SET token = excluded.token "
            "WHERE fences.token <= excluded.token RETURNING token"
        )
        name = self.signer.write(key)
        if self.run(advance, name, token, name):
            return
        for (newest,) in self.run("SELECT token FROM fences WHERE key = ?", name):
            raise StaleToken(f"{show(key)} has seen token {newest}, this is {token}")

    def seen(self) -> Facts:
        self.delete_old()
        read = self.signer.read
        return {
            "mortal": {freeze(read(key)) for (key,) in self.run("SELECT key FROM rows WHERE deadline IS NOT NULL")},
            "rows": {freeze(read(key)): read(row) for key, row in self.run("SELECT key, row FROM rows")},
            "sequences": dict(self.run("SELECT name, last FROM sequences")),
            "fences": {freeze(read(key)): token for key, token in self.run("SELECT key, token FROM fences")},
        }


class LockTable(Mutex, Table):
    """One row: the holder, the deadline and the token."""

    layout = (
        """CREATE TABLE lock (
            holder TEXT, token INTEGER NOT NULL, deadline DOUBLE PRECISION, owner TEXT, freed_by_others INTEGER NOT NULL
        )""",
        "INSERT INTO lock VALUES (NULL, 0, NULL, NULL, 0)",
    )
    FREE = "holder = NULL, deadline = NULL, owner = NULL"

    def step(self, op: Op, who: str, outcome: Outcome) -> Any:
        self.run(f"UPDATE lock SET {self.FREE} WHERE deadline <= ?", time.time())
        return super().step(op, who, outcome)

    def on_try_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease | None:
        taken = self.run(
            "UPDATE lock SET holder = '', token = token + 1, deadline = ?, owner = ? WHERE holder IS NULL "
            "RETURNING token",
            None if ttl is None else time.time() + lasting(ttl),
            self.owner(who),
        )
        if not taken:
            return None
        token = taken[0][0]
        holder = f"{who}#{token}" if value is None else value
        self.run("UPDATE lock SET holder = ?", self.signer.write(holder))
        return Lease(holder, token)

    def on_read(self, who: str) -> Any:
        holder = self.run("SELECT holder FROM lock")[0][0]
        return None if holder is None else self.signer.read(holder)

    def on_delete(self, who: str) -> None:
        self._free(who, "holder IS NOT NULL")

    def on_release(self, who: str, lease: Lease) -> bool:
        return self._free(who, "holder = ?", self.signer.write(lease.value))

    def _free(self, who: str, which: str, *values: Any) -> bool:
        stranger = "freed_by_others = freed_by_others + CASE WHEN owner = ? THEN 0 ELSE 1 END"
        freed = self.run(
            f"UPDATE lock SET {stranger}, {self.FREE} WHERE {which} RETURNING token", self.owner(who), *values
        )
        return bool(freed)

    def on_renew(self, who: str, lease: Lease, ttl: float) -> bool:
        renew = "UPDATE lock SET deadline = ?, owner = ? WHERE holder = ? RETURNING token"
        return bool(self.run(renew, time.time() + lasting(ttl), self.owner(who), self.signer.write(lease.value)))

    def expire(self, timer: Hashable) -> None:
        now = time.time()

        def hasten() -> None:
            self.run("UPDATE lock SET deadline = ?", now)
            self.run(f"UPDATE lock SET {self.FREE} WHERE deadline <= ?", now)

        self.connection.transaction(self.name, hasten)

    def seen(self) -> Facts:
        holder, token, freed = self.run("SELECT holder, token, freed_by_others FROM lock")[0]
        value = None if holder is None else self.signer.read(holder)
        return {"holder": value, "token": token, "freed_by_others": freed}
