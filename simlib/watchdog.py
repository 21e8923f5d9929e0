"""Interrupts a learner's function that runs and runs: a worker without a `yield`, a property without an answer."""

from __future__ import annotations

import ctypes
import threading


class Hanging(BaseException):
    """Raised inside the function by the watching thread; no `except Exception` of its own stops it."""


class Watchdog:
    """`with watchdog:` around whatever runs a learner's code, as often nested as you like.

    The code's runner adds one to `stretch` before and after each stretch of it. A thread looks now and then whether
    the same stretch still runs. It stops a loop of Python code; a call that sleeps in C (`time.sleep`) it stops only
    when that returns. Where there are no threads (a browser) nobody watches.
    """

    patience = 1.0  # seconds

    def __init__(self) -> None:
        self.stretch = 0  # odd while a learner's code runs
        self._depth = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Watchdog:
        self._depth += 1
        if self._depth == 1:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        self._over.clear()
        thread = threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread

    def _watch(self, watched: int) -> None:
        before = -1
        while not self._over.wait(self.patience):
            now = self.stretch
            if now == before and now % 2:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(watched), ctypes.py_object(Hanging))
            before = now
