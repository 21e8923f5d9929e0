"""Rows with a time to live: when it runs out, the row is deleted, as by a statement of somebody else's."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from simlib.model.operation import Op
from simlib.model.timing import JUST_NOW, Elapsed, Slept, Timer
from simlib.model.values import freeze, in_order
from simlib.resources.transaction import GONE, Transaction
from simlib.resources.transactional import TransactionalState
from simlib.text import show


@dataclass(frozen=True, slots=True)
class Life:
    """A row's time to live. `over` if it has run out while somebody had locked the row."""

    seconds: float
    owner: str | None  # the worker that has set it, None if its process is gone
    armed: int
    elapsed: Elapsed = JUST_NOW
    over: bool = False


@dataclass
class ExpiringState(TransactionalState):
    """Rows, some of which have a time to live."""

    arms = True
    lives: dict[Any, Life] = field(default_factory=dict)  # by the row's key
    armings: int = 0  # how often one was set; it only tells a clock which timer is stale

    def depends_on_who(self, op: Op) -> bool:
        return super().depends_on_who(op) or sets_a_life(op)

    def _expires(self, who: str, key: Any, ttl: float | None = None) -> None:
        """The row that was just written has this time to live from its commit on; None takes away what it had."""
        transaction = self.open.get(who)
        if transaction is None:
            if ttl is not None or self.lives:
                self._set_life(who, key, ttl)
        elif ttl is not None or key in self.lives or key in transaction.lives:
            transaction.lives[key] = ttl

    def _set_life(self, who: str, key: Any, ttl: float | None) -> None:
        self.lives.pop(key, None)
        if ttl is not None and key in self.rows:
            self.armings += 1
            self.lives[key] = Life(ttl, who, self.armings)

    def _store(self, key: Any, row: Any) -> None:
        super()._store(key, row)
        if row is GONE:
            self.lives.pop(key, None)

    def _end(self, who: str, commit: bool) -> None:
        transaction = self.open.get(who)
        super()._end(who, commit)
        if transaction is None:
            return
        for key, ttl in transaction.lives.items() if commit else ():
            self._set_life(who, key, ttl)
        for key in [key for key, life in self.lives.items() if life.over]:
            self._delete_unless_locked(key)

    def expire(self, timer: Hashable) -> None:
        self.lives[timer] = replace(self.lives[timer], over=True)
        self._delete_unless_locked(timer)

    def _delete_unless_locked(self, key: Any) -> None:
        """Delete the row. As any other statement, this one waits for whoever has locked it."""
        if not any(key in transaction.locks for transaction in self.open.values()):
            self._publish(Transaction(writes={key: GONE}, deleted={key}))

    @property
    def has_timers(self) -> bool:
        return bool(self.lives)

    def timers(self) -> tuple[Timer, ...]:
        if not self.lives:
            return ()
        return tuple(
            Timer(key, life.owner, life.seconds, f"time to live of {show(key)}", life.elapsed, life.armed)
            for key, life in in_order(self.lives)
            if not life.over
        )

    def fell_asleep(self, who: str) -> None:
        self._elapse({key: life.elapsed.fell_asleep(who) for key, life in self.lives.items()})

    def woke(self, sleep: Slept) -> None:
        self._elapse({key: life.elapsed.woke(sleep, life.owner, life.seconds) for key, life in self.lives.items()})

    def advance(self, seconds: float) -> None:
        self._elapse({key: life.elapsed.later(seconds, life.seconds) for key, life in self.lives.items()})

    def _elapse(self, elapsed: Mapping[Any, Elapsed]) -> None:
        self.lives = {key: replace(life, elapsed=elapsed[key]) for key, life in self.lives.items()}

    def owner_gone(self, who: str | None) -> None:
        super().owner_gone(who)
        for key, life in self.lives.items():
            owner = None if who in (None, life.owner) else life.owner
            self.lives[key] = replace(life, owner=owner, elapsed=life.elapsed.gone(who))

    def renamed(self, names: Mapping[str, str]) -> Self:
        other = super().renamed(names)
        for key, life in self.lives.items():
            owner = None if life.owner is None else names.get(life.owner, life.owner)
            other.lives[key] = replace(life, owner=owner, elapsed=life.elapsed.renamed(names))
        return other

    def _lives_key(self) -> tuple[Hashable, ...]:
        """What is to be added to the key of a state in which rows have a time to live."""
        lives = ((freeze(key), one.seconds, one.owner, one.elapsed, one.over) for key, one in self.lives.items())
        return (frozenset(lives),) if self.lives else ()


def sets_a_life(op: Op) -> bool:
    """Whether this step can give a row a time to live."""
    return (op.verb != "update" and "ttl" in op.kwargs) or (op.verb == "transaction" and any(map(sets_a_life, op.args)))
