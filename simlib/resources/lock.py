"""A lock with a lease."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from simlib.errors import Mistake
from simlib.model.operation import Blocked, Op
from simlib.model.resource import Resource, positive
from simlib.model.state import Count, Counted, Renumber, State
from simlib.model.timing import JUST_NOW, Elapsed, Slept, Timer
from simlib.model.values import ATOMS, freeze, same
from simlib.model.view import Value
from simlib.text import bare, show


@dataclass(frozen=True, slots=True)
class Lease(Counted):
    """What `acquire` answers. `token` is the fencing token: it grows with every acquisition."""

    value: Any
    token: int

    def held_by(self, who: str) -> Lease:
        """The same lease, but a made-up value that names nobody now names this holder."""
        return Lease(f"{who}{self.value}", self.token) if self.value == f"#{self.token}" else self

    def parts(self, held: Callable[[Any], Hashable]) -> tuple[Hashable, ...]:
        whose = self.whose() if type(self.value) in ATOMS else held(self.value)
        return (whose, Count("token", self.token))

    def whose(self) -> Hashable:
        """Its value's key; for a made-up value, the worker that it was made up for."""
        made_up = _made_up_for(self.value, self.token)
        return freeze(self.value) if made_up is None else ("made up", made_up)

    def recounted(self, number: Renumber) -> Lease:
        """A copy with another token, and another value if that was made up."""
        made_up, token = _made_up_for(self.value, self.token), number(Count("token", self.token))
        return Lease(self.value if made_up is None else f"{made_up}#{token}", token)

    def __repr__(self) -> str:
        return f"lease {show(self.value)}, token {self.token}"


@dataclass
class LockState(State):
    """Who holds it, and until when; a property sees what Lock says."""

    sees = ("holder", "token", "freed_by_others")
    holder: Any = None
    token: int = 0
    ttl: float | None = None
    renewals: int = 0
    owner: str | None = None  # the worker whose process holds it, None if that is gone
    freed_by_others: int = 0
    elapsed: Elapsed = JUST_NOW  # of the lease
    anonymous: bool = False  # whether the values that it makes up leave out the holder's name

    def on_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease:
        lease = self.on_try_acquire(who, value, ttl)
        if lease is None:
            raise Blocked
        return lease

    def on_try_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease | None:
        if self.holder is not None:
            return None
        self.token += 1
        self.holder = self._made_up("" if self.anonymous else who) if value is None else value
        self.ttl, self.renewals, self.owner, self.elapsed = ttl, 0, who, JUST_NOW
        return Lease(self.holder, self.token)

    def _made_up(self, who: str) -> str:
        return f"{who}#{self.token}"

    def on_read(self, who: str) -> Any:
        return self.holder

    def on_delete(self, who: str) -> None:
        self._freed_by(who)

    def on_release(self, who: str, lease: Lease) -> bool:
        if self.holder is None or not same(self.holder, lease.value):
            return False
        self._freed_by(who)
        return True

    def on_renew(self, who: str, lease: Lease, ttl: float) -> bool:
        if self.holder is None or not same(self.holder, lease.value):
            return False
        self.ttl, self.owner, self.elapsed = ttl, who, JUST_NOW
        self.renewals += 1
        return True

    def _freed_by(self, who: str) -> None:
        self.freed_by_others += self.holder is not None and self.owner != who
        self._free()

    def _free(self) -> None:
        self.holder, self.ttl, self.renewals, self.owner, self.elapsed = None, None, 0, None, JUST_NOW

    def awaited(self, op: Op, who: str) -> str | None:
        return self.owner

    def timers(self) -> tuple[Timer, ...]:
        if self.holder is None or self.ttl is None:
            return ()
        return (Timer("lease", self.owner, self.ttl, "lease", self.elapsed, (self.token, self.renewals)),)

    def fell_asleep(self, who: str) -> None:
        if self.timers():
            self.elapsed = self.elapsed.fell_asleep(who)

    def woke(self, sleep: Slept) -> None:
        for timer in self.timers():
            self.elapsed = self.elapsed.woke(sleep, self.owner, timer.seconds)

    def advance(self, seconds: float) -> None:
        for timer in self.timers():
            self.elapsed = self.elapsed.later(seconds, timer.seconds)

    def expire(self, timer: Hashable) -> None:
        self._free()

    def owner_gone(self, who: str | None) -> None:
        if who in (None, self.owner):
            self.owner = None
        self.elapsed = self.elapsed.gone(who)

    def renamed(self, names: Mapping[str, str]) -> LockState:
        state = self.copy()
        state.owner = None if self.owner is None else names.get(self.owner, self.owner)
        state.elapsed = self.elapsed.renamed(names)
        return state

    @property
    def is_made_up(self) -> bool:
        """Whether its value was made up and leaves out its holder."""
        return self.anonymous and self.holder == self._made_up("")

    def held_by(self, who: str) -> LockState:
        """A copy whose value names this holder."""
        state = self.copy()
        state.holder = self._made_up(who)
        return state

    def key(self) -> Hashable:
        # Renewals only tell a clock which timer is stale; counting them would keep a renewing loop from ever closing.
        return (freeze(self.holder), self.token, self.ttl, self.owner, self.freed_by_others, self.elapsed)

    def counted(self) -> Hashable:
        made_up = _made_up_for(self.holder, self.token)
        holder = freeze(self.holder) if made_up is None else ("made up", made_up)
        freed = Count("freed", self.freed_by_others)
        return (holder, Count("token", self.token), self.ttl, self.owner, freed, self.elapsed)

    def recounted(self, number: Renumber) -> LockState:
        state, made_up = self.copy(), _made_up_for(self.holder, self.token)
        state.token = number(Count("token", self.token))
        state.freed_by_others = number(Count("freed", self.freed_by_others)) if self.freed_by_others else 0
        if made_up is not None:
            state.holder = f"{made_up}#{state.token}"
        return state

    def summary(self) -> str:
        return "free" if self.holder is None else f"held: {bare(self.holder)}"

    def outcome(self) -> Hashable:
        return "free" if self.holder is None else "held"


class Lock(Resource):
    """A lock that is a key in a store: set if absent, with an optional time to live.

    Modelled on the single-instance lock of the Redis documentation ("Distributed Locks with Redis": SET resource value
    NX PX ttl; release by a script that compares the value and deletes). Whoever deletes the key frees the lock, and
    after `ttl` seconds the key expires, whatever its holder is doing: the holder learns of it only by asking.
    `lease.token` is a fencing token, which Redis does not provide (ZooKeeper's zxid or a sequence does); on a real
    Redis, `live` has the acquiring script count.

    Left out: several instances (Redlock), loss of the key in a failover or a restart, a server's clock that jumps,
    values as bytes (of which 1 and "1" are one), and client polling: `acquire` just waits its turn.
    """

    def initial(self, name: str) -> LockState:
        return LockState()

    @property
    def holder(self) -> Value:
        """For a property: the value that it was acquired with, None if it is free."""
        raise NotImplementedError

    @property
    def token(self) -> int:
        """For a property: how often it was acquired."""
        raise NotImplementedError

    @property
    def freed_by_others(self) -> int:
        """For a property: how often it was freed by a process that had not acquired it."""
        raise NotImplementedError

    def acquire(self, value: Any = None, *, ttl: float | None = None) -> Op:
        """Answers a Lease; waits while the lock is held. Raises Mistake if `ttl` is not a number of seconds above 0.

        `value` is what the key holds (1, 1.0 and True are three values); by default, one that nobody else has ever
        used. `ttl` is in seconds; without one, a holder that dies keeps the lock forever.
        """
        return Op(self._name, "acquire", _given(value), _lasting(ttl))

    def try_acquire(self, value: Any = None, *, ttl: float | None = None) -> Op:
        """Answers a Lease, or None at once if the lock is held. Otherwise the same as `acquire`."""
        return Op(self._name, "try_acquire", _given(value), _lasting(ttl))

    def release(self, lease: Lease) -> Op:
        """Delete the key if it holds this lease's value, in one step. Answers whether it did.

        Raises Mistake if `lease` is not a Lease, such as the None of `try_acquire`.
        """
        return Op(self._name, "release", (self._a_lease("release", lease),))

    def renew(self, lease: Lease, *, ttl: float) -> Op:
        """Restart the time to live, at `ttl` seconds, if the key holds this lease's value. Answers whether it did."""
        if ttl is None:
            raise Mistake("renew(..., ttl=None): give a number of seconds above 0.")
        return Op(self._name, "renew", (self._a_lease("renew", lease),), _lasting(ttl))

    def read(self) -> Op:
        """Answers the value that the key holds, None if the lock is free."""
        return Op(self._name, "read")

    def delete(self) -> Op:
        """Delete the key, whoever set it."""
        return Op(self._name, "delete")

    def _a_lease(self, verb: str, lease: Any) -> Lease:
        if isinstance(lease, Lease):
            return lease
        if lease is None:
            raise Mistake(
                f"{verb}(None): there is no lease, since try_acquire answers None while the lock is held. "
                "Ask first: `if lease is not None: ...`."
            )
        raise Mistake(
            f"{verb}({show(lease)}): that is not a lease. Write `lease = yield {self._name}.acquire(ttl=10)` first, "
            f"then `yield {self._name}.{verb}(lease{', ttl=10' if verb == 'renew' else ''})`."
        )


def _made_up_for(value: Any, token: int) -> str | None:
    """The worker for whom this value was made up; None if it was not."""
    who, mark, number = value.rpartition("#") if isinstance(value, str) else ("", "", "")
    return who if mark and number == str(token) and len(who) <= 1 else None


def _given(value: Any) -> tuple[Any, ...]:
    return () if value is None else (value,)


def _lasting(ttl: float | None) -> dict[str, Any]:
    return {} if ttl is None else {"ttl": positive("ttl", ttl)}
