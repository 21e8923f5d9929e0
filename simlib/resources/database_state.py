"""What a database holds, and what each of its statements does."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from simlib.errors import AlreadyExists, Mistake, StaleToken
from simlib.model.operation import Op
from simlib.model.state import Count, Renumber
from simlib.model.values import KEYS, NAMES, freeze, fresh, in_order, same, unordered
from simlib.resources.expiring import ExpiringState
from simlib.resources.transaction import GONE, Transaction, when_locked
from simlib.text import bare, show

GUARDS = ("compare_and_set", "compare_scan")  # a transaction is not made when one of these answers False


@dataclass
class DatabaseState(ExpiringState):
    """Rows, sequences, fences and open transactions; a property sees what has been committed."""

    sequences: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, key: Any) -> Any:
        return self.rows.get(key_of(key))

    def __contains__(self, key: Any) -> bool:
        return key_of(key) in self.rows

    def direct(self, verb: str) -> Callable[..., Any]:
        return self._write_alone if verb == "write" else super().direct(verb)

    def _write_alone(self, who: str, key: Any, row: Any, **options: Any) -> None:
        """`on_write`, which has little to do where no transaction is open and no row has a time to live."""
        if self.open or self.lives or options:
            self.handler("write")(who, key, row, **options)
        else:
            self.rows[key] = row

    def on_read(self, who: str, key: Any, fence: int | None = None, **locking: bool) -> Any:
        self._fence(who, key, fence)
        row = self._take(who, key, when_locked(**locking)) if locking else self._look(who, key)
        return None if row is GONE else row

    def on_scan(self, who: str, prefix: str, limit: int | None = None, **locking: bool) -> list[tuple[Any, Any]]:
        rows: list[tuple[Any, Any]] = []
        locked = when_locked(**locking) if locking else None
        for key in self._find(who, prefix):
            found = [self._locked(who, key, locked)] if locked else self._versions(who, key)
            rows += [(key, row) for row in found if row is not GONE]
            if limit and len(rows) >= limit:
                break  # it has not read the index any further
        return rows[:limit]

    def on_write(self, who: str, key: Any, row: Any, fence: int | None = None, ttl: float | None = None) -> None:
        self._fence(who, key, fence)
        if self._has_found(who, key):
            self._lock_newest(who, key)
        if self._is_taken(who, key):
            self._lock_newest(who, key)
            self._change(who, key, row)
        else:
            self._insert(who, key, row)
            self._fence(who, key, fence)
        self._expires(who, key, ttl)

    def on_insert(self, who: str, key: Any, row: Any, fence: int | None = None, ttl: float | None = None) -> None:
        self._check(who, key, fence)
        if self._is_taken(who, key):
            self.conflicts.inserts(who, key)
            raise AlreadyExists(key)
        self._insert(who, key, row)
        self._fence(who, key, fence)
        self._expires(who, key, ttl)

    def on_expire(self, who: str, key: Any, ttl: float, fence: int | None = None) -> bool:
        self._fence(who, key, fence)
        found = self._take(who, key)
        if found is not GONE:
            self._change(who, key, found)
            self._expires(who, key, ttl)
        return found is not GONE

    def on_update(self, who: str, key: Any, row: Any = None, /, *, fence: int | None = None, **columns: Any) -> bool:
        self._fence(who, key, fence)
        found = self._take(who, key)
        if found is not GONE:
            self._change(who, key, {**found, **columns} if columns else row)
            if not columns:
                self._expires(who, key)
        return found is not GONE

    def on_add(self, who: str, key: Any, n: Any, column: str | None = None, fence: int | None = None) -> Any:
        self._fence(who, key, fence)
        found = self._take(who, key)
        if found is GONE:
            return None
        value = (found if column is None else found[column]) + n
        self._change(who, key, value if column is None else {**found, column: value})
        return value

    def on_delete(self, who: str, key: Any, fence: int | None = None) -> bool:
        self._fence(who, key, fence)
        found = self._take(who, key) is not GONE
        if found:
            self._change(who, key, GONE)
        return found

    def on_compare_and_set(self, who: str, key: Any, expected: Any, row: Any, fence: int | None = None) -> bool:
        self._fence(who, key, fence)
        if expected is None and self._row(who, key) is not None:
            return self._insert_unless_taken(who, key, row, fence)
        self._look(who, key)
        versions, waited = self._versions(who, key), self._waited(who, key)
        if not waited and not any(same(version, expected) for version in versions):
            return False
        if (waited or same(versions[0], expected)) and not same(self._locked(who, key), expected):
            return False  # somebody else has changed it in the meantime; now it is locked
        self._change(who, key, row)
        self._expires(who, key)
        return True

    def _insert_unless_taken(self, who: str, key: Any, row: Any, fence: int | None) -> bool:
        """INSERT ... ON CONFLICT DO NOTHING."""
        if self._is_taken(who, key):
            self._heed_newest(who, key)  # PostgreSQL does not answer from a row that its snapshot cannot see
            return False
        self._insert(who, key, row)
        self._fence(who, key, fence)
        self._expires(who, key)
        return True

    def on_compare_scan(self, who: str, prefix: str, expected: list[tuple[Any, Any]]) -> bool:
        return same(self.on_scan(who, prefix), expected)

    def on_next_id(self, who: str, sequence: str) -> int:
        self.sequences[sequence] = self.sequences.get(sequence, 0) + 1
        return self.sequences[sequence]

    def on_transaction(self, who: str, *writes: Op) -> bool:
        draft, transaction = self, self.open.get(who)
        if transaction is None:
            draft = self.copy()
        elif not transaction.single:
            raise Mistake("it is a transaction of its own. Between begin and commit, yield its writes one by one")
        for write in writes[transaction.done if transaction else 0 :]:
            done = getattr(draft, f"on_{write.verb}")(who, *write.args, **write.kwargs)
            if done is False and write.verb in GUARDS:
                return False  # a delete that finds no row has succeeded
            if transaction:
                transaction.end_statement(transaction.done + 1)
        self.rows, self.fences, self.lives, self.armings = draft.rows, draft.fences, draft.lives, draft.armings
        return True

    def _fence(self, who: str, key: Any, token: int | None) -> None:
        self._check(who, key, token)
        if token is not None and self._row(who, key) is not GONE:  # the fence lives in the row
            (self.open[who].fences if who in self.open else self.fences)[key] = token

    def _check(self, who: str, key: Any, token: int | None) -> None:
        if token is None:
            return
        seen = {**self.fences, **(self.open[who].fences if who in self.open else {})}.get(key, 0)
        if token < seen:
            raise StaleToken(f"{show(key)} has seen token {seen}, this is {token}")

    def key(self) -> Hashable:
        rows = (unordered(self.rows), unordered(self.sequences), unordered(self.fences), *self._lives_key())
        return (*rows, self._transactions(unordered)) if self.open else rows

    def _transactions(self, fences: Callable[[dict[Any, int]], Hashable]) -> Hashable:
        each = [(who, one.key(), fences(one.fences)) for who, one in in_order(self.open)]
        return tuple(each), self.conflicts.key()

    def counted(self) -> Hashable:
        rows = (unordered(self.rows), unordered(self.sequences), _as_counts(self.fences), *self._lives_key())
        return (*rows, self._transactions(_as_counts)) if self.open else rows

    @property
    def grown(self) -> int:
        fences = [self.fences, *(transaction.fences for transaction in self.open.values())]
        return max((token for held in fences for token in held.values()), default=0)

    def recounted(self, number: Renumber) -> DatabaseState:
        state = self.copy()
        holders: list[DatabaseState | Transaction] = [state, *state.open.values()]
        for holder in holders:
            holder.fences = {key: number(Count("token", token)) for key, token in holder.fences.items()}
        return state

    def summary(self) -> str:
        said = ", ".join(f"{bare(key)} = {bare(row)}{self._for(key)}" for key, row in in_order(self.rows)) or "empty"
        return "; ".join(
            [said, *(f"{who}: {self._uncommitted(one)}" for who, one in in_order(self.open) if one.writes)]
        )

    def _for(self, key: Any) -> str:
        return f" for {self.lives[key].seconds:g} s" if key in self.lives else ""

    @staticmethod
    def _uncommitted(transaction: Transaction) -> str:
        return (
            ", ".join(
                f"{bare(key)} deleted" if row is GONE else f"{bare(key)} = {bare(row)}"
                for key, row in in_order(transaction.writes)
            )
            + " not committed"
        )

    def outcome(self) -> Hashable:
        return tuple((freeze(key), freeze(row)) for key, row in in_order(self.rows))


def _as_counts(fences: dict[Any, int]) -> Hashable:
    return tuple((freeze(key), Count("token", token)) for key, token in in_order(fences))


def key_of(key: Any) -> Any:
    """Check a row's key: keys that are equal in Python must be one row in every store. Raises Mistake for others."""
    kind = type(key)
    if kind in KEYS:
        return key
    if kind is tuple:
        return tuple(map(key_of, key))
    if kind in NAMES:
        return fresh(key)
    why = "1, 1.0 and True are one key of a dict, and three in a store. " if kind in (bool, float) else ""
    raise Mistake(f"{show(key)} cannot be a row's key. {why}Use text, a whole number or a tuple of them.")
