"""What simlib says: to a worker whose operation failed, and to an engineer who wrote something that cannot work."""

from __future__ import annotations

import builtins
from typing import Any

from simlib.text import printable


class OperationError(Exception):
    """An operation's answer when it did not go as asked. Workers may catch it; uncaught, it ends the process,
    which is restarted from its first step, as a supervisor (systemd, Kubernetes) would."""


class Rejected(OperationError):
    """Permanent and definite: it did not happen, and asking the same again gets the same answer (HTTP 4xx)."""


class Unavailable(OperationError):
    """Transient and definite: it did not happen, and may work later (connection refused, HTTP 503)."""


class OutcomeUnknown(OperationError):
    """Indefinite: no reply came. It may or may not have happened (a timeout, a connection cut after the request)."""


class AlreadyExists(OperationError):
    """`insert` found a row under this key (a unique violation)."""


class NotFound(OperationError):
    """A file, or an item of a REST collection, that is not there (ENOENT, HTTP 404)."""


class StaleToken(OperationError):
    """A fenced operation came with an older token than one that the resource has already seen."""


class DiskFull(OperationError):
    """ENOSPC. Part of the data may be down."""


class Mistake(Exception):
    """Something in the learner's own code that cannot work: what happened, where, and what to write instead.

    Jupyter shows the message alone: a traceback through the engine would be longer than the learner's code. What it
    quotes may be anybody's, so no terminal takes orders from it.
    """

    def __str__(self) -> str:
        return printable(super().__str__(), keep="\n")

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class NotHere(Mistake):
    """Something that this kind of machine cannot do.

    A browser's notebook prints the sentence, leaves the cell and runs the next one: a lesson goes on without it. (Other
    kernels call that an error, and stop.) That is a matter of the shell, which is told when there is something to say.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        get_ipython = getattr(builtins, "get_ipython", None)  # IPython's own way to say that it is there
        if get_ipython is not None:
            get_ipython().set_custom_exc((NotHere,), _sentence_alone)


def _sentence_alone(shell: Any, kind: type, error: NotHere, traceback: Any, tb_offset: int | None = None) -> None:
    print(error)


class NotDeterministic(Mistake):
    """A worker took two different steps after the same answers."""


class Hangs(Mistake):
    """A learner's code ran for a long time, or took a lot of memory, and came to no end."""


class WorkerHangs(Hangs):
    """A worker did so before it reached its next `yield`."""


class DoesNotHold(AssertionError):
    """What `report.assert_holds()` raises. pytest and unittest count it as a failed test, not as an error in one.

    Jupyter shows the message alone, as for a Mistake.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class Unfinished(Exception):
    """What `report.assert_holds()` raises where the search was stopped: it does not say that something is wrong.

    So it is no AssertionError: pytest and unittest count it as an error in the test, not as a failed one. Jupyter shows
    the message alone.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]
