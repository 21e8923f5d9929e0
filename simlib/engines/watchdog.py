"""Interrupts a worker that runs and runs without reaching its next `yield`."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from simlib.errors import WorkerHangs


class Watchdog:
    """Used around an engine's run. A thread looks now and then whether the same stretch of a worker still runs.

    It stops a loop of Python code; a call that sleeps in C (`time.sleep`) it stops only when that returns. Where
    there are no threads (a browser) nobody watches.
    """

    def __init__(self, patience: float = 1.0) -> None:
        self.patience = patience  # seconds
        self._stretch = 0  # which stretch of worker code runs now: odd while one does
        self._name = ""
        self._engine = threading.get_ident()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Watchdog:
        thread = threading.Thread(target=self._watch, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return self
        self._thread = thread
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    @contextmanager
    def watching(self, name: str) -> Iterator[None]:
        """Worker code runs inside."""
        self._name = name
        self._stretch += 1
        try:
            yield
        except _Hanging:
            raise WorkerHangs(
                f"{name} ran for more than {self.patience:g} s without reaching a `yield`: a loop with no step in it? "
                "To wait, yield a step: `yield clock.sleep(1)`."
            ) from None
        finally:
            self._stretch += 1

    def _watch(self) -> None:
        before = -1
        while not self._over.wait(self.patience):
            now = self._stretch
            if now == before and now % 2:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._engine), ctypes.py_object(_Hanging))
            before = now


class _Hanging(BaseException):
    """Raised inside the worker by the watching thread; no `except Exception` of a worker stops it."""
