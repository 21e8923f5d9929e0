"""What every real storage is: steps carried out by one process, and facts for another one to look at."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar

from simlib.errors import Mistake, OperationError, OutcomeUnknown
from simlib.live.stores.signed import Signer
from simlib.model.fault import LOST_REPLIES
from simlib.model.operation import OK, Blocked, Op, Outcome
from simlib.resources.lock import Lease
from simlib.text import said, show

Facts = dict[str, Any]
LEAST = 60.0  # seconds
CHANGED = "somebody else has changed it. Give the run a place to which nobody else writes."


class Tampered(Mistake):
    """A real part holds something that the run did not leave there."""


class Store:
    """The real thing behind one resource, as each process that uses it has it.

    An instance is plain data until it is used: the processes are forked with it, and each opens its own connection.
    """

    kind: ClassVar[str]  # what it is, for a picture's small print: "SQLite"
    life = ""  # which run of its worker a process is at
    how = ""  # how it was done here, where machines differ

    def __init__(self, name: str) -> None:
        self.name = name
        self.signer = Signer()

    def prepare(self, state: Any) -> None:
        """Make it, with what is there before anything has happened."""

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out `op` for worker `who`. Raises OperationError as its answer, and Tampered."""
        with self.untouched():
            return self.answer(op, who, outcome)

    def answer(self, op: Op, who: str, outcome: Outcome) -> Any:
        if outcome.fault != LOST_REPLIES:
            return self.carry_out(op, who, outcome)
        try:
            self.carry_out(op, who, OK)
        except OperationError:
            pass
        raise OutcomeUnknown(op.name)  # the connection is cut between the answer and its caller

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        return getattr(self, f"on_{op.verb}")(who, *op.args, **op.kwargs)

    def owner(self, who: str) -> str:
        """By what a lock knows who acquired it: one and the same run of a worker."""
        return f"{who}.{self.life}"

    def down(self) -> AbstractContextManager[Any]:
        """While it is not to be had: somebody else holds it."""
        return nullcontext()

    def facts(self) -> Facts:
        """What is really there, once nothing that a dead process sent is still on its way. Raises Tampered."""
        with self.untouched():
            return self.look()

    def look(self) -> Facts:
        raise NotImplementedError

    def expire(self, timer: Hashable) -> None:
        """Bring this timer's deadline forward to now. What happens then is the storage's own doing."""

    def lose_power(self, state: Any) -> None:
        """Be as `state` is: what the machine found when it came up again."""

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Inside of it each error that is no answer is somebody else's doing: the run itself leaves nothing behind that
        it cannot read, and the model has taken the same step without one.
        """
        try:
            yield
        except (OperationError, Blocked, Mistake):
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {show(said(error), 200)}"
            what = f"{self.name}: {self.kind} has something that the run did not leave there"
            raise Tampered(f"{what} ({why}): {CHANGED}") from error

    def close(self) -> None:
        """Let go of what is open, so that no process that is forked now has a part in it."""

    def drop(self) -> None:
        """Leave nothing behind that does not lie in the run's own folder."""


class Mutex:
    """What every lock adds to its store. The model has its own: a fault in one that both shared would not show."""

    def on_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease:
        lease = self.on_try_acquire(who, value, ttl)
        if lease is None:
            raise Blocked
        return lease

    def on_try_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease | None:
        raise NotImplementedError


def lasting(seconds: float) -> float:
    """How long a real timer runs: it ends when the supervisor says so, and not because the machine is slow."""
    return max(seconds, LEAST)
