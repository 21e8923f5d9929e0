"""Transactions on PostgreSQL that stay open from one step of a worker to the next, and statements that wait."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
from psycopg import errors

from simlib.errors import (
    Deadlock,
    LockNotAvailable,
    Mistake,
    OperationError,
    SerializationFailure,
    StaleToken,
    TransactionAborted,
    Unavailable,
)
from simlib.live.stores.base import Facts
from simlib.live.stores.postgres import PostgreSQL
from simlib.live.stores.servers import PATIENCE, unreachable, wait_until
from simlib.live.stores.statements import Placed, Statements
from simlib.model.fault import LOST_REPLIES, OUTAGES
from simlib.model.operation import BEGUN, Op, Outcome
from simlib.resources.transactional import ABORTED, LOST
from simlib.text import said

POLL = 0.001  # seconds until it is looked again whether a statement is over, or waits
WHO = r"regexp_replace(application_name, '^(\S+ ){3}', '')"  # the worker, of a session in a transaction
OURS = (
    "FROM pg_stat_activity WHERE split_part(application_name, ' ', 1) = ? AND split_part(application_name, ' ', 3) = ?"
)


class Statement(threading.Thread):
    """A step that may have to wait on the server."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._answer: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._answer = self._work()
        except BaseException as error:
            self._error = error

    def over(self, seconds: float) -> bool:
        """Whether it has its answer within so many seconds."""
        self.join(seconds)
        return not self.is_alive()

    def answer(self) -> Any:
        """Its answer, or raise its error."""
        if self._error is not None:
            raise self._error
        return self._answer


class InteractiveTable(Placed):
    """Rows on PostgreSQL. A worker's transaction is open on its own connection, and its steps are statements in it.

    So is a step of its own while somebody else has a transaction open; while nobody has, it is as in every table. A
    step that begins to wait really waits. Its answer is fetched when the schedule says that it ends; what it did in a
    transaction of its own is committed then. The schedule decides, too, which one of a circle is the deadlock's victim:
    if the server sees the circle, that one's statement is cancelled. So that it does not choose one itself, it looks
    for deadlocks after an hour; but only for a superuser.
    """

    def __init__(self, name: str, url: str, tag: str) -> None:
        self.server = PostgreSQL(url, tag, name)
        super().__init__(name, self.server)
        self.statements = Statements(name, self.server, PostgreSQL(url, tag, name))
        self.statements.signer = self.signer
        self._level = ""  # of the transaction that the worker has begun
        self._lost = False  # whether it has lost its connection since
        self._statement: Statement | None = None  # the step that waits
        self._falls = False  # whether that is to be a deadlock's victim

    # Steps

    def answer(self, op: Op, who: str, outcome: Outcome) -> Any:
        inside = self._level or self._lost
        try:
            return super().answer(op, who, outcome)
        except OperationError:
            if inside and outcome.fault in (OUTAGES, LOST_REPLIES):
                self._cut()
            raise

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        shared = bool(self._level or self._lost or self._statement) or self._others_are_open()
        ends = op.verb in ("begin", "commit", "rollback")
        if outcome.fault == OUTAGES and (shared or ends):
            self._give_up()
            raise Unavailable(op.name)
        if ends:
            with self._named():
                return getattr(self, f"on_{op.verb}")(who, *op.args)
        if self._lost:
            raise Unavailable(LOST)
        return self._sent(op, who, outcome) if shared else super().carry_out(op, who, outcome)

    def on_begin(self, who: str, level: str) -> None:
        self._lost = False
        if self._level:
            self.run("BEGIN")  # a warning; an error after an error
        else:
            self._begin(who, level)
            self._level = level

    def on_commit(self, who: str) -> bool:
        if self._lost:
            raise Unavailable(LOST)
        begun, self._level = self._level, ""
        return self.server.commit() if begun else True

    def on_rollback(self, who: str) -> None:
        self._lost = False
        begun, self._level = self._level, ""
        if begun:
            self.run("ROLLBACK")

    def _begin(self, who: str, level: str) -> None:
        self.server.begin(level.upper(), f"{self._mark} {who}")

    # Statements

    def _sent(self, op: Op, who: str, outcome: Outcome) -> Any:
        """Send the step, or take up the one that waits; then await its answer, or that it waits."""
        if self._level == "serializable" and op.verb != "next_id":
            self.statements.make_room(op)
        statement = self._statement or Statement(lambda: self._work(op, who))
        self._statement = statement
        while not statement.over(POLL if outcome == BEGUN else PATIENCE):
            holder = self._holder(self.server.backend)
            if outcome != BEGUN:
                self._give_up()
                raise Mistake(
                    f"{op} waits for {holder or 'nobody'}, and in this schedule it does not. PostgreSQL gives a row to "
                    "whoever has waited for it first; the model, to anybody."
                )
            if holder:
                return f"waits for {holder}"
        return self._ended(statement)

    def _work(self, op: Op, who: str) -> Any:
        if not self._level:
            self._begin(who, "read committed")
        with self._named():
            if self.server.has_failed:
                self.run("SELECT")  # and be told so
            return self._step(op, who)

    def _step(self, op: Op, who: str) -> Any:
        try:
            return getattr(self.statements, f"on_{op.verb}")(who, *op.args, **op.kwargs)
        except StaleToken:
            self._abort()
            raise

    def _abort(self) -> None:
        """Let the transaction fail."""
        with contextlib.suppress(psycopg.Error):
            self.run("SELECT 1 / 0")

    def _ended(self, statement: Statement) -> Any:
        self._statement, self._falls = None, False
        try:
            answer = statement.answer()
        except BaseException:
            if not self._level:
                self.run("ROLLBACK")
            raise
        if not self._level:
            self.server.commit()
        return answer

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Raise the server's errors by the model's names."""
        try:
            yield
        except errors.SerializationFailure as error:
            raise SerializationFailure(said(error)) from None
        except errors.DeadlockDetected as error:
            raise Deadlock(said(error)) from None
        except errors.LockNotAvailable as error:
            raise LockNotAvailable(said(error)) from None
        except errors.InFailedSqlTransaction:
            raise TransactionAborted(ABORTED) from None
        except errors.QueryCanceled as error:
            if self._falls:
                raise Deadlock(said(error)) from None
            raise
        except psycopg.OperationalError as error:
            raise unreachable(self.server.url, error) from None

    # Waiting, and giving up

    def _holder(self, session: int) -> str:
        """Whom this session waits for; "" if it does not wait. Who queues for a row waits for whoever has it."""
        look = self.statements.side.run
        for kind, others in look(
            "SELECT locktype, pg_blocking_pids(pid) FROM pg_locks WHERE pid = ? AND NOT granted", session
        ):
            if kind == "tuple" and others:
                return self._holder(others[0])
            for (name,) in look(f"SELECT {WHO} FROM pg_stat_activity WHERE pid = ANY(?)", others):
                return str(name)
        return ""

    def waiting(self) -> set[str]:
        sessions = (
            f"SELECT {WHO}, state = 'active', EXISTS (SELECT 1 FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid "
            f"AND NOT granted) {OURS}"
        )
        found: list[tuple[Any, ...]] = []

        def at_rest() -> bool:
            found[:] = self.run(sessions, self.server.tag, self._mark)
            return all(waits or not active for _, active, waits in found)

        wait_until(at_rest, f"{self.kind} neither answers nor waits")
        return {who for who, _, waits in found if waits}

    def fall_victim(self) -> None:
        if self._statement is not None and self._waits_for_itself():
            self._falls = True
            self.server.cancel()

    def _waits_for_itself(self) -> bool:
        circle = (
            "WITH RECURSIVE others(pid) AS (SELECT unnest(pg_blocking_pids(?)) UNION "
            "SELECT unnest(pg_blocking_pids(pid)) FROM others) SELECT 1 FROM others WHERE pid = ?"
        )
        return bool(self.statements.side.run(circle, self.server.backend, self.server.backend))

    def cancel(self) -> None:
        if self._statement is not None:
            self._give_up()
            if self._level:
                self._abort()

    def _give_up(self) -> None:
        """Cancel the statement that waits."""
        statement, self._statement = self._statement, None
        if statement is None:
            return
        self.server.cancel()
        wait_until(lambda: statement.over(POLL), f"{self.kind} does not cancel a statement")
        if not self._level:
            self.run("ROLLBACK")

    def _cut(self) -> None:
        """Lose the connection, and wait until the server has noticed."""
        self._give_up()
        session = self.server.backend
        self.server.close()
        self._level, self._lost = "", True
        gone = "SELECT 1 FROM pg_stat_activity WHERE pid = ?"
        wait_until(lambda: not self.run(gone, session), f"{self.kind} keeps a session whose client has gone")

    def end_run(self) -> None:
        self._give_up()
        self.on_rollback("")

    # What others do

    @property
    def _mark(self) -> str:
        """By which the server's list of sessions knows one that has a transaction open here."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:6]

    def _others_are_open(self) -> bool:
        return bool(self.run(f"SELECT 1 {OURS}", self.server.tag, self._mark))

    def down(self) -> AbstractContextManager[Any]:
        """Nobody can lock a table in which transactions are open: then it is the worker that is cut off."""
        return nullcontext() if self._others_are_open() else super().down()

    def look(self) -> Facts:
        with self._as_stranger():
            return super().look()

    def expire(self, timer: Hashable) -> None:
        with self._as_stranger():
            super().expire(timer)

    @contextmanager
    def _as_stranger(self) -> Iterator[None]:
        """In no serializable transaction, so that those of the workers are in conflict with nobody else."""
        self.server.level = "REPEATABLE READ"
        try:
            yield
        finally:
            self.server.level = PostgreSQL.level

    def close(self) -> None:
        super().close()
        self.statements.side.close()
