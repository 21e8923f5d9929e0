"""Who computes: processes of our own, or an executor that was given."""

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
MOST_PROCESSES = 61  # which Windows can wait for


class Processes(Executor):
    """Processes that end with the one that made them, however that ends. They begin when they are needed.

    They are spawned: a kernel has threads, and a fork of it can lock up. But none runs the caller's script once more:
    what it needs of it is sent to it. Otherwise each script would need `if __name__ == "__main__":`.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Raises BrokenExecutor where one of them has died; after `shutdown` there are new ones."""
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
        """End them at once, whatever they are doing, and wait for nobody."""
        if self._pool is not None:
            self._leash.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _begin(leash: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches all processes of a terminal; the first one decides
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    wait([leash])  # nothing is ever sent: it is closed
    os._exit(0)


class Here(Executor):
    """This very thread: where there are no processes, as in a browser."""

    def submit(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run it, and return when it is done."""
        future: Future[T] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def open_executor(given: Executor | int | None) -> AbstractContextManager[Executor]:
    """What was given, which is left as it is; or so many processes. Raises Mistake for what is neither."""
    if isinstance(given, Executor):
        return nullcontext(given)
    if isinstance(given, int) and (given < 1 or isinstance(given, bool)):
        raise Mistake(f"executor={show(given)}: give a number of processes, 1 or more.")
    if given is not None and not isinstance(given, int):
        with_dask = " a Dask client has one: client.get_executor()." if hasattr(given, "get_executor") else ""
        raise Mistake(f"executor={show(given)} is no concurrent.futures.Executor.{with_dask}")
    return Here() if sys.platform == "emscripten" else Processes(min(given or processors(), MOST_PROCESSES))


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
