"""A lock that ends with its holder's session, and never by a timer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simlib.model.fault import LOST_REPLIES, OUTAGES
from simlib.model.operation import OK, Blocked, Op, Outcome
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.model.view import Value


@dataclass
class AdvisoryLockState(State):
    """Whose session holds it, and how often; a property sees what AdvisoryLock says."""

    sees = ("holder",)
    holder: str | None = None  # the worker whose session holds it
    times: int = 0  # that it was acquired and not released
    anonymous: bool = False  # whether its holder stands for every worker that is like it

    def on_acquire(self, who: str) -> None:
        if not self.on_try_acquire(who):
            raise Blocked

    def on_try_acquire(self, who: str) -> bool:
        if self.holder not in (None, who):
            return False
        self.holder = who
        self.times += 1
        return True

    def on_release(self, who: str) -> bool:
        if self.holder != who:
            return False
        self.times -= 1
        if not self.times:
            self.holder = None
        return True

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        try:
            return super().perform(op, who, outcome)
        finally:
            if outcome.fault in (OUTAGES, LOST_REPLIES):  # the connection is gone, and the session with it
                self.owner_gone(who)

    def awaited(self, op: Op, who: str) -> str | None:
        return self.holder

    @property
    def frees(self) -> bool:
        return self.holder is not None

    def owner_gone(self, who: str | None) -> None:
        if who in (None, self.holder):
            self.holder, self.times = None, 0

    def renamed(self, names: Mapping[str, str]) -> AdvisoryLockState:
        state = self.copy()
        state.holder = None if self.holder is None else names.get(self.holder, self.holder)
        return state

    def key(self) -> tuple[str | None, int]:
        return (self.holder, self.times)

    def summary(self) -> str:
        if self.holder is None:
            return "free"
        return f"held by {self.holder}" + (f", {self.times} times" if self.times > 1 else "")

    def outcome(self) -> str:
        return "free" if self.holder is None else "held"


class AdvisoryLock(Resource):
    """A lock that belongs to a session: it is freed by its release and by the end of the session, and by nothing else.

    Modelled on PostgreSQL's session-level advisory lock (its documentation, "Explicit Locking", 13.3.5, and "Advisory
    Lock Functions"). A worker's run is a session. However the run ends (it returns, an error ends it, its process
    crashes, its machine is lost), what it held is free again; a stalled holder keeps the lock, for there is no time to
    live. Requests stack: whoever acquires twice must release twice. A lost reply or an outage at one of its steps means
    that the connection is gone, and with it the session: all that this worker held of this lock is freed, although the
    worker goes on. What it acquires next is in a new session. There is no fencing token.

    flock(2) on a file is the same, except that it does not stack, and that its session is the open file, so that no
    network can end it. A ZooKeeper ephemeral node is not: its session also ends by time, when its client stalls for
    longer than the session timeout (ZooKeeper Programmer's Guide, "ZooKeeper Sessions"); so does a Lock with a `ttl`.

    Left out: shared locks, locks that end with a transaction (pg_advisory_xact_lock), a list of who holds what
    (pg_locks), the time until a server notices that a client has gone without a word (by TCP keepalives), and a pool
    that gives one session to several clients in turn: for that, write the pooled connection as a role of its own.
    """

    def initial(self, name: str) -> AdvisoryLockState:
        return AdvisoryLockState()

    @property
    def holder(self) -> Value:
        """For a property: the letter of the worker whose session holds it, None if it is free."""
        raise NotImplementedError

    def acquire(self) -> Op:
        """Waits while another session holds the lock. Answers None."""
        return Op(self._name, "acquire")

    def try_acquire(self) -> Op:
        """Answers at once whether this session holds the lock now: False if another does."""
        return Op(self._name, "try_acquire")

    def release(self) -> Op:
        """Undo one `acquire`. Answers whether this session held the lock: if not, nothing happens (pg_advisory_unlock
        answers false, and warns).
        """
        return Op(self._name, "release")
