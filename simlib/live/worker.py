"""One worker in an operating-system process: runs its generator one step at a time against the real parts.

It tells the supervisor its next step, waits for permission, takes the step, reports the answer, and resumes the
generator only once that was acknowledged. So the supervisor can stop or kill it before, during or after a step.
"""

from __future__ import annotations

import signal
from collections.abc import Hashable, Mapping
from itertools import count
from typing import Any, NamedTuple

from simlib.errors import (
    ENDS_A_RUN,
    Deadlock,
    LockNotAvailable,
    Mistake,
    OperationError,
    SerializationFailure,
    Terminated,
)
from simlib.live.pipe import Pipe
from simlib.live.stores import Store
from simlib.model.generator_state import capture
from simlib.model.operation import BEGUN, Blocked, Op, Outcome, Where
from simlib.model.process import Process
from simlib.model.system import System
from simlib.text import show

WORDED = (SerializationFailure, Deadlock, LockNotAvailable)  # a server has words of its own for them


class Told(NamedTuple):
    """Where a worker stands. `raised` is what may end a run; `failed` the name and text of any other error."""

    op: Op | None
    where: Where
    raised: OperationError | Terminated | None = None
    failed: tuple[str, str] | None = None
    here: Hashable = None


def work(channel: Pipe, system: System, worker: str, incarnation: int, stores: Mapping[str, Store]) -> None:
    """Run until the supervisor is gone or the worker has failed."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGTERM, _terminate)
    with system.watchdog:
        try:
            for task in count(1):
                for store in stores.values():
                    store.life = f"{incarnation}.{task}"
                _task(channel, system, worker, incarnation, stores)
        except Mistake as mistake:
            channel.send(mistake)


def _task(channel: Pipe, system: System, worker: str, incarnation: int, stores: Mapping[str, Store]) -> None:
    """Run the worker from its first step to its last; then wait for the next task."""
    process = system.start(worker, incarnation)
    channel.send(_told(process))
    while process.op is not None:
        permitted = _permission(channel)
        if permitted is None:
            if process.op.resource in stores:
                stores[process.op.resource].cancel()
            process.answer(Terminated())
            channel.send(_told(process))
            continue
        outcome, answer = permitted
        if process.op.resource in stores:
            answer = _performed(stores[process.op.resource], process.op, worker, outcome, answer)
        channel.send(answer)
        if outcome == BEGUN:
            continue  # the worker is answered when its step ends
        channel.recv()
        if not isinstance(answer, Blocked):
            process.answer(answer)
        if process.op is None:
            for store in stores.values():
                store.end_run()
        channel.send(_told(process))
    if process.error is not None or process.stopped:
        raise SystemExit(1)  # the supervisor restarts it
    channel.recv()


def _performed(store: Store, op: Op, worker: str, outcome: Outcome, modelled: Any) -> Any:
    """What the real part answers to this step, which may be an error."""
    if isinstance(modelled, Deadlock):
        store.fall_victim()
    try:
        return store.perform(op, worker, outcome)
    except WORDED as error:
        return modelled if type(modelled) is type(error) else error
    except (OperationError, Blocked) as error:
        return error


def _permission(channel: Pipe) -> tuple[Outcome, Any] | None:
    """How the next step is to go, and the answer of a part that is not real; None if a SIGTERM came instead.

    The signal is blocked everywhere else, so that its handler raises here and nowhere in between.
    """
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return channel.recv()  # type: ignore[no-any-return]
    except Terminated:
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _terminate(_: int, __: object) -> None:
    raise Terminated


def _told(process: Process) -> Told:
    error = process.error
    if error is None or isinstance(error, ENDS_A_RUN):
        here = None if process.op is None else capture(process.generator)
        return Told(process.op, process.where, error, None, None if here is None else hash(here))
    name, _, text = show(error).partition(": ")
    return Told(None, process.where, None, (name, text))
