"""Rows that transactions read, lock and write, as PostgreSQL does it; see Database for what is modelled.

Each step of a worker is one statement: in the transaction that the worker has open, or in one of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from simlib.errors import (
    Deadlock,
    LockNotAvailable,
    OperationError,
    SerializationFailure,
    TransactionAborted,
    Unavailable,
)
from simlib.model.fault import LOST_REPLIES, OUTAGES
from simlib.model.operation import OK, Blocked, Op, Outcome
from simlib.model.state import State
from simlib.resources.read_set import Range
from simlib.resources.serializable import Conflicts
from simlib.resources.transaction import GONE, Level, Locked, Transaction
from simlib.text import show

NEVER_WAIT = ("begin", "commit", "rollback", "next_id", "compare_scan")
ABORTED = "a statement before it failed: roll back first"
LOST = "the connection was lost, and the transaction with it: begin again"
CHANGED = "somebody else has changed {} since this transaction took its snapshot"


@dataclass
class TransactionalState(State):
    """Committed rows, and the transactions that are open."""

    sees = ("rows",)
    one_line = False  # whoever waits for one row is in nobody's way at another
    rows: dict[Any, Any] = field(default_factory=dict)
    fences: dict[Any, int] = field(default_factory=dict)  # the newest token that each row has seen
    open: dict[str, Transaction] = field(default_factory=dict)  # by worker
    conflicts: Conflicts = field(default_factory=Conflicts)  # among those that are serializable

    def copy(self) -> Self:
        other = super().copy()
        other.open = {who: transaction.copy() for who, transaction in self.open.items()} if self.open else {}
        other.conflicts = self.conflicts.copy()
        return other

    def renamed(self, names: Mapping[str, str]) -> Self:
        other = self.copy()
        other.open = {names.get(who, who): transaction for who, transaction in other.open.items()}
        other.conflicts = self.conflicts.renamed(names)
        return other

    def depends_on_who(self, op: Op) -> bool:
        return bool(self.open) or op.verb == "begin"

    def undone(self, who: str) -> str:
        return "its transaction is rolled back" if who in self.open and self.open[who].writes else ""

    @property
    def frees(self) -> bool:
        return bool(self.open)

    def can_begin(self, op: Op) -> bool:
        if op.verb in NEVER_WAIT or (op.verb in ("read", "scan") and "for_update" not in op.kwargs):
            return False
        return any(transaction.locks for transaction in self.open.values())

    # Statements

    def handler(self, verb: str) -> Callable[..., Any]:
        return functools.partial(self._statement, super().handler(verb), verb)

    def _statement(self, method: Callable[..., Any], verb: str, who: str, /, *args: Any, **kwargs: Any) -> Any:
        """Carry out one statement, in this worker's transaction or in one of its own."""
        if not self.open or verb == "begin":
            return method(who, *args, **kwargs)
        transaction = self.open.setdefault(who, Transaction(single=True))
        if transaction.failed and not (verb == "rollback" or (verb == "commit" and transaction.failed == "aborted")):
            raise Unavailable(LOST) if transaction.failed == "lost" else TransactionAborted(ABORTED)
        if verb not in ("commit", "rollback"):
            self._take_snapshot(who, transaction)
        try:
            answer = method(who, *args, **kwargs)
            if transaction.single:
                self._end(who, commit=answer is not False or verb != "transaction")
        except OperationError:
            if verb == "commit" or transaction.single:
                self._end(who, commit=False)
            else:
                self._fail(who, "aborted")
            raise
        transaction.end_statement()
        return answer

    def _take_snapshot(self, who: str, transaction: Transaction) -> None:
        """A transaction takes its snapshot at its first statement, not at BEGIN; at READ COMMITTED, none."""
        if transaction.level == "read committed" or transaction.snapshot is not None:
            return
        transaction.snapshot = self.rows.copy()
        if transaction.level == "serializable":
            self.conflicts.begin(who)

    def on_begin(self, who: str, level: Level) -> None:
        transaction = self.open.get(who)
        if transaction is not None and transaction.failed == "aborted":
            raise TransactionAborted(ABORTED)
        if transaction is None or transaction.failed:  # else PostgreSQL warns, and stays in the one that is open
            self.open[who] = Transaction(level)

    def on_commit(self, who: str) -> bool:
        transaction = self.open.get(who)
        committed = transaction is None or not transaction.failed
        self._end(who, commit=committed)
        return committed

    def on_rollback(self, who: str) -> None:
        self._end(who, commit=False)

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        mine = self.open.get(who)
        try:
            return super().perform(op, who, outcome)
        except OperationError:
            if mine is not None and outcome.fault in (OUTAGES, LOST_REPLIES):
                self.open[who] = mine  # which a lost reply to COMMIT has ended
                self._fail(who, "lost")
            raise

    def owner_gone(self, who: str | None) -> None:
        for worker in [*self.open] if who is None else [who]:
            self._end(worker, commit=False)

    def cancelled(self, who: str) -> None:
        """A statement that waits is cancelled: its transaction is aborted (PostgreSQL: 57014, query_canceled)."""
        if who in self.open and self.open[who].waits_for:
            self._fail(who, "aborted")

    def _end(self, who: str, commit: bool) -> None:
        """End this worker's transaction, if it has one: publish what it wrote, or forget it."""
        transaction = self.open.get(who)
        if transaction is None:
            return
        if commit:
            self.conflicts.commit(who)
            self._publish(transaction)
        del self.open[who]
        self.conflicts.forget(who)

    def _fail(self, who: str, how: Literal["aborted", "lost"]) -> None:
        """Roll this worker's transaction back; if it is more than a single statement, it is to end it itself."""
        transaction = self.open[who]
        self._end(who, commit=False)
        if not transaction.single:
            self.open[who] = Transaction(transaction.level, failed=how)

    def _publish(self, done: Transaction) -> None:
        for key, row in done.writes.items():
            self._store(key, row)
        self.fences.update(done.fences)
        self.conflicts.replaced(done.writes)
        for other in self.open.values():
            if other.snapshot is not None:
                other.changed = {**dict.fromkeys(done.writes, done.level == "serializable"), **other.changed}
            if other.waits_for:
                other.missed |= done.deleted

    def _store(self, key: Any, row: Any) -> None:
        if row is GONE:
            self.rows.pop(key, None)
            self.fences.pop(key, None)
        else:
            self.rows[key] = row

    # Rows

    def _versions(self, who: str, key: Any) -> list[Any]:
        """The row as this worker sees it, or GONE; seldom two, see Transaction.versions."""
        transaction = self.open.get(who)
        return [self.rows.get(key, GONE)] if transaction is None else transaction.versions(key, self.rows)

    def _row(self, who: str, key: Any) -> Any:
        """The first of them."""
        return self._versions(who, key)[0]

    def _heed_change(self, who: str, key: Any) -> None:
        """Raise SerializationFailure if somebody else has changed this row since this worker's snapshot."""
        transaction = self.open.get(who)
        if transaction is not None and transaction.has_lost(key):
            raise SerializationFailure(CHANGED.format(show(key)))

    def _heed_newest(self, who: str, key: Any) -> None:
        """The same, for a row to which a unique index has led: it may be this worker's own."""
        if who in self.open and key not in self.open[who].writes:
            self._heed_change(who, key)

    def _look(self, who: str, key: Any) -> Any:
        """The row as this worker sees it, on record: a serializable transaction has now read it."""
        row = self._row(who, key)
        if not self._waited(who, key):
            self._on_record(who, ("key", key, None), key)
        return row

    def _on_record(self, who: str, range_: Range, key: Any, passed: Any = None) -> None:
        """A statement has read the index up to the end of this range, from `passed` on, and may have found this key."""
        transaction = self.open.get(who)
        if transaction is not None and transaction.level == "serializable":
            there = [key] if transaction.sees(key) else []
            written = [key for other in self.open.values() for key in other.writes]
            self.conflicts.reads(who, range_, there, written, transaction.changed, passed)

    def _waited(self, who: str, key: Any) -> bool:
        """Whether this worker's statement has found this row, and waited for it."""
        return who in self.open and self.open[who].waits_for == (key,)

    def _find(self, who: str, prefix: str) -> Iterator[Any]:
        """The keys that begin with this text, in order; those that a statement found when it began to wait. It has read
        the index up to the key that it has come to.
        """
        transaction = self.open.get(who)
        if transaction is None:
            yield from sorted(key for key in self.rows if isinstance(key, str) and key.startswith(prefix))
            return
        if transaction.found is None:
            keys = transaction.rows(self.rows)
            transaction.found = tuple(sorted(key for key in keys if isinstance(key, str) and key.startswith(prefix)))
        passed, waited = None, transaction.waits_for
        for key in transaction.found:
            if not waited or key > waited[0]:
                self._on_record(who, ("prefix", prefix, key), key, passed)
            passed = key
            yield key
        self._on_record(who, ("prefix", prefix, None), GONE, passed)

    def _take(self, who: str, key: Any, locked: Locked | None = None) -> Any:
        """The row, read and locked, or GONE: what a statement does not see it does not lock."""
        self._look(who, key)
        return self._locked(who, key, locked)

    def _locked(self, who: str, key: Any, locked: Locked | None = None) -> Any:
        """The row, locked, or GONE."""
        if self._row(who, key) is GONE or not self._lock(who, key, locked):
            return GONE
        return self._row(who, key)

    def _lock(self, who: str, key: Any, locked: Locked | None) -> bool:
        """Lock a row, or wait for whoever has. False if it has been deleted by then, or is to be skipped.

        `locked` is of FOR UPDATE alone. This one, if it has waited, locks the newer versions before it looks at them.
        """
        transaction = self.open.get(who)
        if transaction is None:
            return True
        holder = self._holder(who, key)
        if not (holder and locked and self._waited(who, key)):
            self._heed_change(who, key)
        if key in transaction.locks:
            return True
        if holder:
            if locked == "skip locked":
                return False
            if locked == "nowait":
                raise LockNotAvailable(f"{show(key)} is locked")
            self._wait(who, key)
        if key in transaction.missed:
            return False
        transaction.locks.add(key)
        return True

    def _lock_newest(self, who: str, key: Any) -> None:
        """Lock a row to which a unique index has led, whatever this worker sees of it."""
        transaction = self.open.get(who)
        if transaction is not None and key not in transaction.locks:
            if self._holder(who, key):
                transaction.found = (key,)
                self._wait(who, key)
            self._heed_newest(who, key)
            transaction.locks.add(key)

    def _has_found(self, who: str, key: Any) -> bool:
        """Whether an index has led this statement to the row that it now waits for, as its snapshot has it."""
        transaction = self.open.get(who)
        return transaction is not None and transaction.snapshot is not None and transaction.found == (key,)

    def _is_taken(self, who: str, key: Any) -> bool:
        """Whether a unique index has this key. Waits for whoever is about to add it, change it or remove it."""
        transaction = self.open.get(who)
        if transaction is None:
            return key in self.rows
        if any(key in other.writes for name, other in self.open.items() if name != who):
            self._wait(who, key)
        transaction.missed.discard(key)  # the index leads to the newest version
        return transaction.writes.get(key, self.rows.get(key, GONE)) is not GONE

    def _insert(self, who: str, key: Any, row: Any) -> None:
        self.conflicts.inserts(who, key)
        self._write(who, key, row)
        self.conflicts.inserted(who, key)

    def _change(self, who: str, key: Any, row: Any) -> None:
        """Change a row that this worker has locked, or delete it."""
        self.conflicts.overwrites(who, key)
        self._write(who, key, row)

    def _write(self, who: str, key: Any, row: Any) -> None:
        transaction = self.open.get(who)
        if transaction is None:
            self._store(key, row)
            return
        if row is GONE and key in self.rows:
            transaction.deleted.add(key)
        transaction.writes[key] = row
        transaction.locks.add(key)
        self.conflicts.wrote(who, key)

    # Waiting

    def _wait(self, who: str, key: Any) -> None:
        """Wait for a row. Raises Blocked, or Deadlock for one of those who wait for one another in a circle."""
        transaction = self.open[who]
        if transaction.waits_for == (key,) and self._waits_for_itself(who):
            raise Deadlock(f"{show(key)} is held by somebody who waits for this transaction")
        transaction.waits_for = (key,)
        raise Blocked

    def _holder(self, who: str, key: Any) -> str | None:
        """Who has locked this row, if somebody else has."""
        return next((name for name, other in self.open.items() if name != who and key in other.locks), None)

    def _waits_for_itself(self, who: str) -> bool:
        passed: set[str] = set()
        other: str | None = who
        while other is not None and other not in passed:
            passed.add(other)
            waits_for = self.open[other].waits_for
            other = self._holder(other, waits_for[0]) if waits_for else None
        return other == who

    def awaited(self, op: Op, who: str) -> str | None:
        transaction = self.open.get(who)
        return self._holder(who, transaction.waits_for[0]) if transaction and transaction.waits_for else None
