"""What every real storage is: steps carried out by one process, and facts for another one to look at."""

from __future__ import annotations

import ast
import base64
import pickle
from collections.abc import Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from simlib.errors import OperationError, OutcomeUnknown
from simlib.ops import OK, Blocked, Op, Outcome
from simlib.resources.lock import Lease
from simlib.values import freeze

Facts = dict[str, Any]
LEAST = 60.0  # seconds


class Store:
    """The real thing behind one resource, as each process that uses it has it.

    An instance is plain data until it is used: the processes are forked with it, and each opens its own connection.
    """

    kind: ClassVar[str]  # what it is, for a picture's small print: "SQLite"
    life = ""  # which run of its worker a process is at
    how = ""  # how it was done here, where machines differ

    def __init__(self, name: str) -> None:
        self.name = name

    def prepare(self, state: Any) -> None:
        """Make it, with what is there before anything has happened."""

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out `op` for worker `who`. Raises OperationError as its answer."""
        if outcome.fault != "lost_replies":
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
        """What is really there, once nothing that a dead process sent is still on its way."""
        raise NotImplementedError

    def expire(self, timer: Hashable) -> None:
        """Bring this timer's deadline forward to now. What happens then is the storage's own doing."""

    def lose_power(self, state: Any) -> None:
        """Be as `state` is: what the machine found when it came up again."""

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


def written(value: Any) -> str:
    """A plain value as text: as Python writes it where that reads back the same, else pickled."""
    text = repr(value)
    try:
        if freeze(ast.literal_eval(text)) == freeze(value):
            return text
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    return "pickle:" + base64.b64encode(pickle.dumps(value)).decode()


def read(text: str) -> Any:
    """The value that was written."""
    if text.startswith("pickle:"):
        return pickle.loads(base64.b64decode(text.removeprefix("pickle:")))
    return ast.literal_eval(text)
