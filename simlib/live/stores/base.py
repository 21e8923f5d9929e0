"""The base classes of real storage: one process carries out steps, another reads the facts."""

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
    """A real part holds something that the run did not put there."""


class Store:
    """The real storage behind one resource, as each process that uses it sees it.

    An instance is plain data until it is used: processes are forked with it, and each opens its own connection.
    """

    kind: ClassVar[str]  # its name in a picture's small print: "SQLite"
    life = ""  # the process's incarnation and task
    how = ""  # how it was set up here, if machines differ

    def __init__(self, name: str) -> None:
        self.name = name
        self.signer = Signer()

    def prepare(self, state: Any) -> None:
        """Create it with the initial state."""

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out `op` for worker `who`. Raises the operation's OperationError, and Tampered."""
        with self.untouched():
            return self.answer(op, who, outcome)

    def answer(self, op: Op, who: str, outcome: Outcome) -> Any:
        if outcome.fault != LOST_REPLIES:
            return self.carry_out(op, who, outcome)
        try:
            self.carry_out(op, who, OK)
        except OperationError:
            pass
        raise OutcomeUnknown(op.name)  # the connection is cut before the answer arrives

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        return getattr(self, f"on_{op.verb}")(who, *op.args, **op.kwargs)

    def owner(self, who: str) -> str:
        """The identity by which a lock knows its owner: one attempt of a worker."""
        return f"{who}.{self.life}"

    def fall_victim(self) -> None:
        """This step waits in a circle, and is the one that is to fail."""

    def waiting(self) -> set[str]:
        """The workers whose steps wait there now for another worker's."""
        return set()

    def cancel(self) -> None:
        """The worker was told to stop: give up a step that is under way."""

    def end_run(self) -> None:
        """The worker's run in this process is over: end what ends with it."""

    def down(self) -> AbstractContextManager[Any]:
        """Make it unreachable: somebody else holds it."""
        return nullcontext()

    def facts(self) -> Facts:
        """Its real state, once nothing sent by a dead process is still on its way. Raises Tampered."""
        with self.untouched():
            return self.look()

    def look(self) -> Facts:
        raise NotImplementedError

    def expire(self, timer: Hashable) -> None:
        """Move this timer's deadline to now. The storage itself then acts on it."""

    def lose_power(self, state: Any) -> None:
        """Become `state`: what the machine finds when it comes up again."""

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Raise Tampered for every unexpected error in here. The run writes nothing that it cannot read, and the model
        has taken the same step without an error, so somebody else has changed the storage.
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
        """Close everything, so that processes forked from here share nothing."""

    def drop(self) -> None:
        """Remove whatever is outside the run's own folder."""


class Mutex:
    """What every lock has besides its store. It shares no code with the model, since a shared bug would not show."""

    def on_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease:
        lease = self.on_try_acquire(who, value, ttl)
        if lease is None:
            raise Blocked
        return lease

    def on_try_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease | None:
        raise NotImplementedError


def lasting(seconds: float) -> float:
    """How long a real timer runs: long enough that the supervisor ends it, and not a slow machine."""
    return max(seconds, LEAST)
