"""A database and a lock as SQL tables: each step is one real transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from simlib.errors import AlreadyExists, StaleToken
from simlib.live.stores.base import Facts, Mutex, Store, lasting
from simlib.live.stores.deadlines import Deadlines, deadline
from simlib.model.fault import OUTAGES
from simlib.model.operation import Op, Outcome
from simlib.model.values import freeze, same
from simlib.resources.database_state import DatabaseState
from simlib.resources.lock import Lease
from simlib.text import show

Row = tuple[Any, ...]
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
    """Rows by key. A row written under a fence remembers the newest token, as long as there is the row."""

    layout = (
        "CREATE TABLE rows (key TEXT PRIMARY KEY, row TEXT NOT NULL, deadline DOUBLE PRECISION)",
        "CREATE TABLE fences (key TEXT PRIMARY KEY, token BIGINT NOT NULL)",
        "CREATE TABLE sequences (name TEXT PRIMARY KEY, last INTEGER NOT NULL)",
    )

    def fill(self, state: DatabaseState) -> None:
        for key, row in state.rows.items():
            self.run("INSERT INTO rows (key, row) VALUES (?, ?)", self.signer.write(key), self.signer.write(row))

    def on_read(self, who: str, key: Any, fence: int | None = None) -> Any:
        self._fence(key, fence)
        found = self.run("SELECT row FROM rows WHERE key = ?", self.signer.write(key))
        return self.signer.read(found[0][0]) if found else None

    def on_scan(self, who: str, prefix: str) -> list[tuple[Any, Any]]:
        rows = [(self.signer.read(key), self.signer.read(row)) for key, row in self.run("SELECT key, row FROM rows")]
        return sorted(pair for pair in rows if isinstance(pair[0], str) and pair[0].startswith(prefix))

    def on_write(self, who: str, key: Any, row: Any, fence: int | None = None, ttl: float | None = None) -> None:
        self._fence(key, fence)
        upsert = (
            "INSERT INTO rows VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET row = excluded.row, deadline = excluded.deadline"
        )
        self.run(upsert, self.signer.write(key), self.signer.write(row), deadline(ttl))
        self._fence(key, fence)  # a new row has now one, too

    def on_insert(self, who: str, key: Any, row: Any, fence: int | None = None, ttl: float | None = None) -> None:
        self._fence(key, fence)
        insert = "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING RETURNING key"
        if not self.run(insert, self.signer.write(key), self.signer.write(row), deadline(ttl)):
            raise AlreadyExists(key)
        self._fence(key, fence)

    def on_delete(self, who: str, key: Any, fence: int | None = None) -> bool:
        self._fence(key, fence)
        self.run("DELETE FROM fences WHERE key = ?", self.signer.write(key))
        return bool(self.run("DELETE FROM rows WHERE key = ? RETURNING key", self.signer.write(key)))

    def on_compare_and_set(self, who: str, key: Any, expected: Any, row: Any, fence: int | None = None) -> bool:
        self._fence(key, fence)
        if not same(self.on_read(who, key), expected):  # compared in Python, where a missing row is None
            return False
        self.on_write(who, key, row, fence)
        return True

    def on_next_id(self, who: str, sequence: str) -> int:
        count = (
            "INSERT INTO sequences VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET last = sequences.last + 1 RETURNING last"
        )
        return int(self.run(count, sequence)[0][0])

    def on_transaction(self, who: str, *writes: Op) -> bool:
        self.run("SAVEPOINT writes")
        for write in writes:
            done = getattr(self, f"on_{write.verb}")(who, *write.args, **write.kwargs)
            if done is False and write.verb == "compare_and_set":
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
