"""Who computes: processes of our own, or an executor that was given."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from simlib.errors import Mistake
from simlib.text import show

P = ParamSpec("P")
T = TypeVar("T")
MOST_PROCESSES = 61  # which Windows can wait for


class _Process(SpawnProcess):
    """A process that does not run the caller's script once more. What it needs of it is sent to it.

    Otherwise each script would need `if __name__ == "__main__":`, and would be run again up to there.
    """

    def start(self) -> None:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            super().start()
        finally:
            sys.modules["__main__"] = main


class _Context(SpawnContext):
    """Spawned: a kernel has threads, and a fork of it can lock up."""

    Process = _Process


class Processes(ProcessPoolExecutor):
    """Processes that end with the one that made them, however that ends, and at once when `kill` is called."""

    def __init__(self, count: int) -> None:
        context = _Context()
        far, self._leash = context.Pipe(duplex=False)
        super().__init__(count, mp_context=context, initializer=_begin, initargs=(far,))

    def kill(self) -> None:
        """End them, whatever they are doing."""
        self._leash.close()
        self.shutdown(wait=False, cancel_futures=True)


def _begin(leash: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches all processes of a terminal; the first one decides
    threading.Thread(target=_hold, args=(leash,), daemon=True).start()


def _hold(leash: Connection) -> None:
    with suppress(EOFError, OSError):
        leash.recv()
    os._exit(0)


class Here(Executor):
    """This very thread: where there are no processes, as in a browser."""

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run it, and return when it is done."""
        future: Future[T] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Hands:
    """An executor, and another one when it breaks, if it is one of ours."""

    def __init__(self, given: Executor | None, count: int) -> None:
        self._given, self.count = given, count
        self._own: Executor | None = None
        self.lasting = given is not None

    def submit(self, call: Callable[..., T], *args: Any) -> Future[T]:
        """Raises what the executor raises when it takes no more."""
        if self._given is not None:
            return self._given.submit(call, *args)
        if self._own is None:
            self._own = Here() if sys.platform == "emscripten" else Processes(self.count)
        return self._own.submit(call, *args)

    def drop(self) -> None:
        """Stop what it is doing; the next call gets new processes. What was given is left alone."""
        if isinstance(self._own, Processes):
            self._own.kill()
        self._own = None


@contextmanager
def crew(executor: Executor | int | None) -> Iterator[Hands]:
    """Whoever computes, until this ends. Raises Mistake for what is no executor."""
    count = processors() if executor is None else executor
    given = None if isinstance(count, int) else count
    if isinstance(executor, bool) or (isinstance(count, int) and count < 1):
        raise Mistake(f"executor={show(executor)}: give a number of processes, 1 or more.")
    if given is not None and not isinstance(given, Executor):
        with_dask = "a Dask client has one: client.get_executor()." if hasattr(given, "get_executor") else ""
        raise Mistake(f"executor={show(executor)} is no concurrent.futures.Executor. {with_dask}".rstrip())
    hands = Hands(given, min(count, MOST_PROCESSES) if isinstance(count, int) else processors())
    try:
        yield hands
    finally:
        hands.drop()


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
