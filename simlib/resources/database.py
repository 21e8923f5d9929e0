"""A database of rows, with transactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simlib.arguments import whole_number
from simlib.errors import Mistake
from simlib.model.builders import Fits
from simlib.model.operation import Op
from simlib.model.resource import Resource, positive
from simlib.model.values import KEYS, SURE, fresh
from simlib.model.view import Value, asked
from simlib.resources.database_state import GUARDS, DatabaseState, key_of
from simlib.resources.transaction import LEVELS, Level
from simlib.text import did_you_mean, listed, show

WRITES = ("write", "insert", "update", "add", "delete", "expire", *GUARDS)
MISSING: Any = object()


class Database(Resource):
    """A database of rows by key: each step is one statement, which is atomic, and durable once it is committed.

    Modelled on a table of PostgreSQL with a primary key. A step by itself commits by itself. Between `begin` and
    `commit`, steps belong to one transaction at the level that `begin` names; what that level lets through is as in
    Hermitage (Kleppmann, github.com/ept/hermitage) and in PostgreSQL's manual, chapter "Transaction Isolation":

    - at READ COMMITTED each statement sees what was committed when it began; at REPEATABLE READ all statements see what
      was committed when the first of them began; at SERIALIZABLE a transaction fails that could not have run alone;
    - a statement that changes or locks a row waits for whoever has changed or locked it, and `insert` for whoever has
      inserted its key. Then, at READ COMMITTED, it takes the row as it is by then; above, if that has changed, it
      raises SerializationFailure. Of those who wait for one another in a circle, one gets Deadlock: any of them here,
      and in PostgreSQL whoever has first waited for `deadlock_timeout`;
    - after an error everything up to `rollback` raises TransactionAborted, and `commit` rolls back and answers False;
    - a transaction belongs to its worker's process, as to its connection: it is rolled back, and its locks are free,
      when the worker's run ends or is killed. A lost reply or an outage costs the connection: then everything raises
      Unavailable until `rollback` or `begin`.

    `rows` are the initial rows. Reads answer a copy, writes store one. A property sees what is committed.

    `fence=` on an operation is a lock's token (`lease.token`): the row remembers the newest that it has seen, and
    rejects an older one with StaleToken (Kleppmann, "How to do distributed locking", 2016).

    A row with a time to live (`ttl=`, `expire`) is deleted when that is over, as a key of Redis is (commands EXPIRE and
    SET): whoever looks then finds none. Storing the row again without one takes it off, as SET does; `add` and an
    `update` of columns keep it, as INCR and HSET do. It begins at the commit. A row that somebody has locked by then is
    deleted when the lock is free, as by a statement of a job that deletes old rows, which is what one has in PostgreSQL
    (and whose delay is left out here; DynamoDB's is up to some days, Developer Guide, "Working with expired items").

    1, 1.0 and True are three values, as in a typed column or in the text of a request, but one key of a dict. So a
    row's key is text, bytes, a whole number, a date, a UUID, None, or a tuple of these. Rows are plain data that a
    store could hold: no sets, no exceptions, no instances that hold more than their fields. Raises Mistake for anything
    else.

    A row that a transaction inserts, although its snapshot has one under this key that somebody else has deleted since,
    is there twice: `read` answers the old one, `scan` both.

    Left out: savepoints; table locks and FOR SHARE; serialization failures without need (PostgreSQL remembers reads by
    page of an index); who of two serializable transactions fails so that a third can commit, if either will do
    (PostgreSQL: who has read first); a statement that still takes effect although its connection was lost while it
    waited; replication lag; queries other than by key or key prefix.
    """

    def __init__(self, rows: dict[Any, Any] | None = None) -> None:
        if not isinstance(rows or {}, dict):
            raise Mistake(f'Database({show(rows)}): give the first rows as a dict, such as Database({{"key": 1}}).')
        self._rows: dict[Any, Any] = {key_of(key): fresh(row) for key, row in (rows or {}).items()}

    def initial(self, name: str) -> DatabaseState:
        return DatabaseState(fresh(self._rows))

    def _usual(self, name: str) -> Mapping[str, Fits]:
        return {"read": (KEYS,), "write": (KEYS, SURE), "insert": (KEYS, SURE), "delete": (KEYS,)}

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

    def begin(self, level: Level = "read committed") -> Op:
        """BEGIN a transaction: "read committed", "repeatable read" or "serializable".

        Inside of one it changes nothing (PostgreSQL warns). Raises TransactionAborted after an error, and Mistake for
        another level.
        """
        if level not in LEVELS:
            near = did_you_mean(str(level), LEVELS)
            raise Mistake(f"begin({show(level)}): the levels are {listed([show(one) for one in LEVELS])}.{near}")
        return Op(self._name, "begin", (level,))

    def commit(self) -> Op:
        """COMMIT. Answers whether it did: False if a statement had failed, so that all was rolled back (PostgreSQL then
        answers ROLLBACK, and no error). Without a transaction it changes nothing, and answers True.

        Raises SerializationFailure at SERIALIZABLE, and Unavailable if the connection was lost before.
        """
        return Op(self._name, "commit")

    def rollback(self) -> Op:
        """ROLLBACK: undo what the transaction wrote, and free its locks."""
        return Op(self._name, "rollback")

    def read(
        self,
        key: Any,
        *,
        fence: int | None = None,
        for_update: bool = False,
        skip_locked: bool = False,
        nowait: bool = False,
    ) -> Op:
        """Answers the row, None if there is none. A plain read never waits.

        `for_update` also locks the row up to the end of the transaction (SELECT ... FOR UPDATE); a row that is not
        there cannot be locked. If somebody else has locked it, it waits; with `skip_locked` it answers None, with
        `nowait` it raises LockNotAvailable. Raises SerializationFailure and Deadlock, see Database.
        """
        return Op(self._name, "read", (key_of(key),), {**_fence(fence), **_locking(for_update, skip_locked, nowait)})

    def scan(
        self,
        prefix: str = "",
        *,
        limit: int | None = None,
        for_update: bool = False,
        skip_locked: bool = False,
        nowait: bool = False,
    ) -> Op:
        """Answers the (key, row) pairs whose key is text that begins with `prefix`, sorted by key; at most `limit`.

        `for_update` and the others are as in `read`: `limit=1, for_update=True, skip_locked=True` takes the first row
        that nobody else has taken, as job queues in PostgreSQL do.
        """
        if not isinstance(prefix, str):
            raise Mistake(f"scan({show(prefix)}): give the beginning of the keys as text.")
        most = {} if limit is None else {"limit": whole_number("limit", limit, 1)}
        return Op(self._name, "scan", (prefix,), {**most, **_locking(for_update, skip_locked, nowait)})

    def write(self, key: Any, row: Any, *, ttl: float | None = None, fence: int | None = None) -> Op:
        """Store the row, whatever was there before (INSERT ... ON CONFLICT DO UPDATE; Redis's SET). `ttl` is its time
        to live in seconds, see Database; without one it lives for good. Raises Mistake if that is not above 0.
        """
        return Op(self._name, "write", (key_of(key), row), {**_fence(fence), **_ttl(ttl)})

    def insert(self, key: Any, row: Any, *, ttl: float | None = None, fence: int | None = None) -> Op:
        """Store a new row. Raises AlreadyExists if there is already one under this key. `ttl` is as in `write`."""
        return Op(self._name, "insert", (key_of(key), row), {**_fence(fence), **_ttl(ttl)})

    def expire(self, key: Any, ttl: float, *, fence: int | None = None) -> Op:
        """Give a row that is there a time to live of so many seconds from now on (Redis's EXPIRE). Answers whether
        there was one. Raises Mistake, as `write` does.
        """
        if ttl is None:
            raise Mistake(
                "expire(..., None): give a number of seconds above 0. To keep a row for good, write it again."
            )
        return Op(self._name, "expire", (key_of(key),), {**_fence(fence), **_ttl(ttl)})

    def update(self, key: Any, row: Any = MISSING, /, *, fence: int | None = None, **columns: Any) -> Op:
        """Change a row that is there: store another one, or change columns of a dict. Answers whether there was one.

        Raises Mistake if it is given both or neither.
        """
        if (row is MISSING) == (not columns):
            raise Mistake(
                'update(...): give a new row, update(key, row), or columns of it, update(key, status="paid").'
            )
        new = () if columns else (row,)
        return Op(self._name, "update", (key_of(key), *new), {**columns, **_fence(fence)})

    def add(self, key: Any, n: Any, column: str | None = None, *, fence: int | None = None) -> Op:
        """Add to a number, or to a column of a row that is a dict (UPDATE ... SET n = n + 1 RETURNING n; Redis's
        INCRBY, but for a missing row, which that takes for 0). Answers the new value, None if there is no such row.
        """
        args = (key_of(key), n) if column is None else (key_of(key), n, column)
        return Op(self._name, "add", args, _fence(fence))

    def delete(self, key: Any, *, fence: int | None = None) -> Op:
        """Remove the row. Answers whether there was one: as in SQL, deleting a missing row is no error."""
        return Op(self._name, "delete", (key_of(key),), _fence(fence))

    def compare_and_set(self, key: Any, expected: Any, row: Any, *, fence: int | None = None) -> Op:
        """Store the row only if the current one is `expected` (None: there is none). Answers whether it did.

        Types matter: 1 is neither 1.0 nor True. The order of a dict's keys does not.
        """
        return Op(self._name, "compare_and_set", (key_of(key), expected, row), _fence(fence))

    def compare_scan(self, prefix: str, expected: list[tuple[Any, Any]]) -> Op:
        """Answers whether `scan(prefix)` still answers what it did: a guard in `transaction`.

        What SERIALIZABLE does for a transaction that scans and then writes, said in one step.
        """
        if not isinstance(prefix, str) or not isinstance(expected, list):
            raise Mistake(
                f"compare_scan({show(prefix)}, {show(expected)}): give a prefix, and what scan answered for it."
            )
        return Op(self._name, "compare_scan", (prefix, expected))

    def next_id(self, sequence: str = "id") -> Op:
        """Answers 1, 2, 3, ... from this sequence: each number once, even if its caller crashes and never uses it, or
        rolls back.
        """
        if not isinstance(sequence, str):
            raise Mistake(f"next_id({show(sequence)}): give the name of a sequence, as text.")
        return Op(self._name, "next_id", (sequence,))

    def transaction(self, *writes: Op) -> Op:
        """Several writes to this database as one step: all happen, or none.

        As at SERIALIZABLE, tried again until it succeeds. Answers True; False, with nothing written, if a
        `compare_and_set` or `compare_scan` among them answered False. An error of one of them (AlreadyExists,
        StaleToken) undoes all and is raised. Raises Mistake for anything but a write to this database, and between
        `begin` and `commit`.
        """
        for write in writes:
            if not isinstance(write, Op) or write.resource != self._name or write.verb not in WRITES:
                raise Mistake(
                    f"transaction(...) takes {listed(list(WRITES), 'or')} of the same database, and got {show(write)}. "
                    "Read before it, as a step of its own, and guard with compare_and_set."
                )
        if self._built is not None:  # part of this step, not forgotten yields
            self._built[:] = [op for op in self._built if not any(op is write for write in writes)]
        return Op(self._name, "transaction", tuple([write.become_a_part() for write in writes]))


def _locking(for_update: bool, skip_locked: bool, nowait: bool) -> dict[str, bool]:
    asked = for_update, skip_locked, nowait
    if (skip_locked and nowait) or ((skip_locked or nowait) and not for_update):
        raise Mistake(
            "skip_locked=True and nowait=True say what for_update=True does about a locked row: give one of them."
        )
    return {name: True for name, on in zip(("for_update", "skip_locked", "nowait"), asked) if on}


def _ttl(ttl: float | None) -> dict[str, Any]:
    return {} if ttl is None else {"ttl": positive("ttl", ttl)}


def _fence(fence: Any) -> dict[str, int]:
    if fence is None:
        return {}
    if type(fence) is int:
        return {"fence": fence}
    raise Mistake(f"fence={show(fence)}: a fence is a number that grows: fence=lease.token.")
