"""Databases, queues and locks on PostgreSQL, in SERIALIZABLE transactions; and its advisory locks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure, UniqueViolation
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composed, Identifier, Literal

from simlib.errors import OperationError, Unavailable
from simlib.live.stores.base import Facts
from simlib.live.stores.servers import PATIENCE, alive, unreachable, wait_until
from simlib.live.stores.sessions import SessionLock
from simlib.model.operation import Blocked

IMPATIENCE = 0.05  # seconds to wait for a lock if the step is meant to fail
ATTEMPTS = 50
# PostgreSQL raises these when it cannot serialize a transaction: retry. The last one may be how it notices that two
# transactions have inserted the same key; none of our statements raises it otherwise.
BEGIN_AGAIN = (SerializationFailure, DeadlockDetected, UniqueViolation)
OPEN = {
    "lock_timeout": 0, "enable_seqscan": "off", "enable_bitmapscan": "off", "enable_indexonlyscan": "off", "jit": "off"
}  # fmt: skip
PATIENT = {"deadlock_timeout": "1h"}  # who is a deadlock's victim is for the schedule to say
T = TypeVar("T")


class PostgreSQL:
    """One schema for each resource of a run, one connection a process.

    A step is several statements (the fence, then the row), and the model says that they are atomic. READ COMMITTED is
    not enough: row locks protect existing rows but not missing ones, and each statement sees a new snapshot. So every
    transaction is SERIALIZABLE and retried when PostgreSQL aborts it. A `kill -9` of everything may leave a schema
    `midflight_...` behind.
    """

    kind = "PostgreSQL"
    level = "SERIALIZABLE"

    def __init__(self, url: str, tag: str, name: str) -> None:
        self.url = url
        self.tag = tag
        self.schema = f"{tag}_{name}"
        self._open: psycopg.Connection[Any] | None = None

    @property
    def connection(self) -> psycopg.Connection[Any]:
        if self._open is None:
            known_as = f"{self.tag} {os.getpid()}"
            try:
                self._open = psycopg.connect(
                    self.url, autocommit=True, connect_timeout=int(PATIENCE), application_name=known_as
                )
            except psycopg.Error as error:
                raise unreachable(self.url, error) from None
            self._say(f"SET lock_timeout = {int(1000 * PATIENCE)}; SET search_path TO {{}}")
        return self._open

    def _say(self, statement: LiteralString) -> None:
        """Execute a statement about the schema."""
        self._execute(SQL(statement).format(Identifier(self.schema)))

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._execute(sql.replace("?", "%s").encode(), values)

    def _execute(self, statement: bytes | Composed, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        done = self.connection.execute(statement, values or None)
        return done.fetchall() if done.description else []

    def begin(self, level: str, known_as: str) -> None:
        """BEGIN a transaction that stays open, during which the server's list of sessions has this name for it.

        It takes no snapshot yet, and reads by the index, which remembers what a serializable one has read.
        """
        settings = {
            "application_name": f"{self.tag} {os.getpid()} {known_as}",
            **OPEN,
            **(PATIENT if self.is_free else {}),
        }
        said = [SQL("SET LOCAL {} = {}").format(Identifier(name), Literal(value)) for name, value in settings.items()]
        self._execute(SQL("; ").join([SQL("BEGIN ISOLATION LEVEL " + level), *said]))

    @property
    def is_free(self) -> bool:
        """Whether it may set what only a superuser may: when to look for deadlocks."""
        return self.connection.info.parameter_status("is_superuser") == "on"

    @property
    def has_failed(self) -> bool:
        """Whether a statement of the open transaction has failed."""
        return self.connection.info.transaction_status == TransactionStatus.INERROR

    @property
    def backend(self) -> int:
        """The process id of this connection's session on the server."""
        return self.connection.info.backend_pid

    def commit(self) -> bool:
        """COMMIT. Whether the server has: it answers ROLLBACK if a statement had failed."""
        return self.connection.execute("COMMIT").statusmessage == "COMMIT"

    def cancel(self) -> None:
        """Cancel the statement that is under way."""
        self.connection.cancel()

    def make(self) -> None:
        self._say("CREATE SCHEMA {}")

    def transaction(self, name: str, work: Callable[[], T], impatient: bool = False) -> T:
        for _ in range(ATTEMPTS):
            try:
                return self._once(work, impatient)
            except BEGIN_AGAIN:
                pass
            except LockNotAvailable:
                break
            except psycopg.OperationalError as error:  # the server is really gone
                raise unreachable(self.url, error) from None
        raise Unavailable(name)

    def _once(self, work: Callable[[], T], impatient: bool) -> T:
        self.run(f"BEGIN ISOLATION LEVEL {self.level}; SAVEPOINT step")
        try:
            if impatient:
                self.run(f"SET LOCAL lock_timeout = {int(1000 * IMPATIENCE)}")
                self._lock_tables("ACCESS SHARE")  # the lock that the step's first statement would wait for
            try:
                result = work()
            except (OperationError, Blocked):
                # Undo the writes but commit: only a commit proves that the reads were serializable.
                self.run("ROLLBACK TO SAVEPOINT step; COMMIT")
                raise
            self.run("COMMIT")
        except BaseException:
            if not self.connection.closed:
                self.run("ROLLBACK")
            raise
        return result

    def _lock_tables(self, mode: str) -> None:
        for (table,) in self.run("SELECT tablename FROM pg_tables WHERE schemaname = ?", self.schema):
            self.run(f'LOCK TABLE "{table}" IN {mode} MODE')

    @contextmanager
    def down(self) -> Iterator[None]:
        """Lock the tables exclusively, as a migration would, for longer than any worker waits."""
        self.run("BEGIN")
        try:
            self._lock_tables("ACCESS EXCLUSIVE")
            yield
        finally:
            self.run("ROLLBACK")

    def settle(self) -> None:
        busy = f"{self.kind} is still busy with what a process sent that has been killed"
        wait_until(lambda: not self._bury(), busy)

    def _bury(self) -> bool:
        """Whether there are backends whose clients are dead. One that waits for a lock does not notice it: end it."""
        dead = self._of_the_dead()
        for (waiting,) in self.run("SELECT DISTINCT pid FROM pg_locks WHERE NOT granted") if dead else ():
            if waiting in dead:
                self.run("SELECT pg_terminate_backend(?)", waiting)
        return bool(dead)

    def _of_the_dead(self) -> list[int]:
        """Backends whose clients are dead: each first finishes its statement, and may commit it."""
        backends = self.run(
            "SELECT pid, split_part(application_name, ' ', 2) FROM pg_stat_activity "
            "WHERE split_part(application_name, ' ', 1) = ? AND pid <> pg_backend_pid()",
            self.tag,
        )
        return [backend for backend, process in backends if not alive(process)]

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None

    def drop(self) -> None:
        for backend in self._of_the_dead():  # it may hold a table until its statement ends
            self.run("SELECT pg_terminate_backend(?)", backend)
        self._say("DROP SCHEMA IF EXISTS {} CASCADE")
        self.close()


class PostgreSQLSessionLock(SessionLock):
    """An advisory lock of the server: of a number that is made of the run's and the resource's name.

    The connection is the session. Its name says whose it is, and the server's list of locks who holds this one.
    """

    kind = "PostgreSQL"
    HOLDER = (
        "SELECT split_part(application_name, ' ', 3) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = ? AND objsubid = 1"
    )

    def __init__(self, name: str, connection: PostgreSQL) -> None:
        super().__init__(name)
        self.connection = connection
        self.number = int.from_bytes(hashlib.sha256(connection.schema.encode()).digest()[:8], "big", signed=True)
        self._session: int | None = None  # the backend's process id

    def _run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self.connection.run(sql, *values)
        except psycopg.OperationalError as error:
            raise unreachable(self.connection.url, error) from None

    def prepare(self, state: Any) -> None:
        self.connection.make()

    def on_try_acquire(self, who: str) -> bool:
        self._begin(who)
        return bool(self._run("SELECT pg_try_advisory_lock(?)", self.number)[0][0])

    def on_release(self, who: str) -> bool:
        self._begin(who)
        return bool(self._run("SELECT pg_advisory_unlock(?)", self.number)[0][0])

    def _begin(self, who: str) -> None:
        if self._session is None:
            known_as = f"{self.connection.tag} {os.getpid()} {who}"
            named = self._run("SELECT pg_backend_pid(), set_config('application_name', ?, false)", known_as)
            self._session = named[0][0]

    def end_run(self) -> None:
        """Disconnect, and wait until the server has noticed."""
        ended, self._session = self._session, None
        self.connection.close()
        if ended is not None:
            gone = "SELECT 1 FROM pg_stat_activity WHERE pid = ?"
            wait_until(lambda: not self._run(gone, ended), f"{self.kind} keeps a session whose client has gone")

    def look(self) -> Facts:
        self.connection.settle()
        holders = self._run(self.HOLDER, self.number)
        return {"holder": holders[0][0] if holders else None}

    def drop(self) -> None:
        self.connection.drop()
