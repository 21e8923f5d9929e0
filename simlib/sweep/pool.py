"""Where runs happen: our own pool of processes, or an executor that was given."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, TypeVar

from simlib.errors import Mistake
from simlib.text import show

T = TypeVar("T")
MOST_PROCESSES = 61  # the most that Windows can wait for


class Processes(Executor):
    """A pool of processes that end with the process that made them, however it ends. They start when needed.

    They are spawned, because a forked notebook kernel (which has threads) can deadlock. They do not run the caller's
    script again, since everything they need from it is sent: so no script needs `if __name__ == "__main__":`.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Raises BrokenExecutor if a process has died; after `shutdown` there are new ones."""
        if self._pool is None:
            context = get_context("spawn")
            far, self._leash = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(self.count, context, _begin, (far,))
        main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            return self._pool.submit(call, *args, **kwargs)
        finally:
            sys.modules["__main__"] = main

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End them at once, whatever they are doing, and do not wait."""
        if self._pool is not None:
            self._leash.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _begin(leash: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; only the parent acts on it
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    wait([leash])  # nothing is ever sent: ready means closed
    os._exit(0)


class Here(Executor):
    """Runs in the calling thread, where there are no processes, as in a browser."""

    def submit(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run it now, and return its future."""
        future: Future[T] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def open_executor(given: Executor | int | None) -> AbstractContextManager[Executor]:
    """The given executor, which is left open, or so many processes. Raises Mistake for anything else."""
    if isinstance(given, Executor):
        return nullcontext(given)
    if isinstance(given, int) and (given < 1 or isinstance(given, bool)):
        raise Mistake(f"executor={show(given)}: give a number of processes, 1 or more.")
    if given is not None and not isinstance(given, int):
        with_dask = " a Dask client has one: client.get_executor()." if hasattr(given, "get_executor") else ""
        raise Mistake(f"executor={show(given)} is no concurrent.futures.Executor.{with_dask}")
    return Here() if sys.platform == "emscripten" else Processes(min(given or processors(), MOST_PROCESSES))


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
