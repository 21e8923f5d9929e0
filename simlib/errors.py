"""The errors: an operation's failure, which workers may catch, and a mistake in a learner's own code."""

from __future__ import annotations

import builtins
from typing import Any

from simlib.text import printable


class OperationError(Exception):
    """An operation failed. Workers may catch it. Uncaught, it ends the process, which then restarts from its first
    step, as under a supervisor (systemd, Kubernetes).
    """


class Rejected(OperationError):
    """Permanent and definite: it did not happen, and a retry gets the same answer (HTTP 4xx)."""


class Unavailable(OperationError):
    """Transient and definite: it did not happen, and a retry may succeed (connection refused, HTTP 503)."""


class OutcomeUnknown(OperationError):
    """Indefinite: no reply came. It may or may not have happened (a timeout, a connection cut after the request)."""


class AlreadyExists(OperationError):
    """`insert` found a row under this key (a unique violation)."""


class SerializationFailure(OperationError):
    """The transaction was rolled back: it could not look as if it had run alone. Begin it again (SQLSTATE 40001)."""


class Deadlock(OperationError):
    """Transactions waited for one another in a circle; this one was rolled back: begin it again (SQLSTATE 40P01)."""


class LockNotAvailable(OperationError):
    """The row is locked, and the statement was told not to wait: NOWAIT (SQLSTATE 55P03)."""


class TransactionAborted(OperationError):
    """An earlier statement of this transaction failed: nothing but a rollback is possible (SQLSTATE 25P02)."""


class NotFound(OperationError):
    """There is no such file, no such item of a REST collection, or nothing done under this key (ENOENT, HTTP 404)."""


class Conflict(OperationError):
    """It did not happen, since something is there already: a REST collection has an item of this name (HTTP 409)."""


class StaleToken(OperationError):
    """A fenced operation carried an older token than the newest that the resource has seen."""


class DiskFull(OperationError):
    """ENOSPC. Part of the data may have been written."""


class Terminated(SystemExit):
    """SIGTERM: the worker was told to stop (the fault `stops`). Raised in place of its step, which was not sent.

    The worker may catch it to finish, or to hand back what it holds; in its `finally` blocks a yielded step does
    happen. When the run ends, by `return` or by this, its process ends; see the fault `stops` of `explore`.

    Python runs a signal handler in the main thread, between two bytecodes, and what the handler raises is raised there;
    the usual one calls `sys.exit`. Celery's `WorkerShutdown` is a SystemExit, too. So `except Exception` lets it pass,
    and a bare `except` swallows it. Source: Python documentation, `signal`, "Execution of Python signal handlers", and
    `SystemExit`; Celery, `celery.exceptions`. Left out: a signal that interrupts a request which is under way, a second
    SIGTERM, and how long the grace period is (a SIGKILL at its end is a crash).
    """


ENDS_A_RUN = (OperationError, Terminated)  # uncaught, they end a process; anything else is an error of the worker's own


class Mistake(Exception):
    """An error in the learner's own code: what happened, where, and what to write instead.

    Jupyter shows the message alone: a traceback through the engine would be longer than the learner's code. The message
    may quote untrusted text, so it is made safe for a terminal.
    """

    def __str__(self) -> str:
        return printable(super().__str__(), keep="\n")

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class NotHere(Mistake):
    """This platform cannot do that.

    A notebook in the browser prints the sentence, skips the rest of the cell and runs the next one, so that the lesson
    can continue. Other kernels treat it as an error and stop. An IPython handler decides that, set when the error is
    made.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        get_ipython = getattr(builtins, "get_ipython", None)  # IPython defines this builtin
        if get_ipython is not None:
            get_ipython().set_custom_exc((NotHere,), _sentence_alone)


def _sentence_alone(shell: Any, kind: type, error: NotHere, traceback: Any, tb_offset: int | None = None) -> None:
    print(error)


class NotDeterministic(Mistake):
    """A worker took two different steps after the same answers."""


class Hangs(Mistake):
    """A learner's code ran too long, or took too much memory, without ending."""


class WorkerHangs(Hangs):
    """A worker ran too long, or took too much memory, before its next `yield`."""


class DoesNotHold(AssertionError):
    """Raised by `report.assert_holds()`. pytest and unittest count it as a failed test, not as an error.

    Jupyter shows the message alone, as for a Mistake.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class Unfinished(Exception):
    """Raised by `report.assert_holds()` if the search stopped early: that does not mean that something is wrong.

    So it is not an AssertionError: pytest and unittest count it as an error in the test, not as a failure. Jupyter
    shows the message alone.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]
