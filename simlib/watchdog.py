"""Stops learners' code that hangs or takes too much memory, and makes an interrupt keep the results so far.

One SIGINT handler does all of it; it is installed while simlib works. A thread polls the running code and the process's
memory, and sends the same signal: that wakes a sleep, and is handled in the thread that runs the learner's code.
"""

from __future__ import annotations

import _thread
import builtins
import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import CodeType, FrameType
from typing import TypeVar, TypeVarTuple, Unpack

from simlib.errors import Mistake
from simlib.text import listed

Args = TypeVarTuple("Args")
T = TypeVar("T")
MEGABYTE = 1 << 20
LOOKS = 10  # within the patience


class Hanging(BaseException):
    """Raised inside learners' code that does not end or takes too much memory; `why` says which."""

    why = ""
    full = False  # too much memory, not time


class _Signal(int):
    """`number.again` schedules the handler once more, at the next instruction that checks for signals.

    It is an attribute because a call checks for signals itself: the handler would run again before it has raised.
    """

    again = property(_thread.interrupt_main)


INTERRUPT = _Signal(signal.SIGINT)


class Interrupt:
    """The SIGINT handler while simlib works: notes the interrupt, and raises only inside learners' code.

    Raised elsewhere, it could leave a library's lock locked forever, so slow code polls `came` instead. The handler has
    the thread, one for all nested calls, because starting one takes as long as many a search.
    """

    def __init__(self) -> None:
        self.came = False
        self.watchdogs: list[Watchdog] = []
        self._ours = False  # our own thread has sent a signal
        # Two bare locks. Those of `threading` are partly written in Python: out of memory, a thread can die inside
        # one and leave it locked forever.
        self._watching = _thread.allocate_lock()
        self._gone = _thread.allocate_lock()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        for watchdog in self.watchdogs:
            watchdog.strike()
        if self._ours:
            self._ours = False  # the code that it was meant for has ended
            return
        self.came = True
        for watchdog in self.watchdogs:
            watchdog.called_off = True
        if any(watchdog.stretch % 2 for watchdog in self.watchdogs):
            raise KeyboardInterrupt

    def add(self, watchdog: Watchdog) -> None:
        """Watch for this watchdog too."""
        if not self._watching.locked():
            self._start()
        if self._watching.locked():  # without threads, nothing reads it
            watchdog.least = memory()
        self.watchdogs.append(watchdog)

    def _start(self) -> None:
        self._watching.acquire()
        self._gone.acquire()
        try:
            _thread.start_new_thread(self._watch, (threading.get_ident(),))
        except RuntimeError:
            self._gone.release()
            self._watching.release()

    def end(self) -> None:
        """Stop the thread; after that, none of our own signals is pending."""
        if self._watching.locked():
            self._watching.release()
            with self._gone:
                pass

    def _watch(self, watched: int) -> None:
        try:
            self._look(watched)
        finally:
            self._gone.release()

    def _look(self, watched: int) -> None:
        """Poll until `_watching` is released."""
        over, pause = self._watching.acquire, Watchdog.patience / LOOKS
        while True:
            try:
                if over(True, pause):
                    self._watching.release()
                    return
                taken = memory()
                for watchdog in (*self.watchdogs,):
                    if watchdog.stops(taken):
                        self._signal(watched)
            except MemoryError:  # out of memory: the next allocation elsewhere will fail and say so
                continue

    def _signal(self, watched: int) -> None:
        self._ours = True
        if watched != threading.main_thread().ident:  # signals are handled in the main thread only
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(watched), ctypes.py_object(Hanging))
        elif hasattr(signal, "pthread_kill"):
            signal.pthread_kill(watched, INTERRUPT)
        else:
            _thread.interrupt_main()


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """One interrupt cuts short everything in here. Only the outermost of nested blocks counts."""
    in_main = threading.current_thread() is threading.main_thread()  # the only one that gets SIGINT
    before = signal.getsignal(signal.SIGINT)
    if in_main and isinstance(before, Interrupt):
        yield before
        return
    interrupt = Interrupt()
    if in_main:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupt
    finally:
        interrupt.end()
        if in_main:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)


class Watchdog:
    """`with watchdog:` around anything that runs learners' code, nested as deep as you like; `watchdog.run(code)` runs
    it.

    Stops code that runs for longer than `patience`, or while the process has grown by more than `megabytes`; `full`
    notes such growth in a search or a simulation. A call into C is stopped only when it returns. Without threads (in a
    browser) nothing is watched.
    """

    patience = 1.0  # seconds
    megabytes = 1_500.0

    def __init__(self) -> None:
        self.stretch = 0  # odd while a learner's code runs
        self.full = False
        self.called_off = False  # stop: interrupted, or full
        self.asked: Hanging | None = None  # what the thread wants raised
        self._asked_in = 0  # the stretch to raise it in
        self.endless: set[CodeType] = set()  # workers that do not end when closed
        self._seen, self._looks = -1, 0  # the stretch at the last look, and for how many looks so far
        self.least = 0  # bytes of memory at the start
        self._depth = 0
        self._interrupt = Interrupt()

    @property
    def interrupted(self) -> bool:
        return self._interrupt.came

    def heed(self) -> None:
        """Raise KeyboardInterrupt here, where it can be handled, if there was an interrupt."""
        if self._interrupt.came:
            raise KeyboardInterrupt

    def run(self, code: Callable[[Unpack[Args]], T], *args: *Args) -> T:
        """The result of the learner's code. Raises Hanging even if that code caught it."""
        try:
            self.stretch += 1
            try:
                return code(*args)
            finally:
                self.stretch += 1  # at once: nothing may be raised from here on
        finally:
            if self.asked is not None:
                self.settle()

    def settle(self) -> None:
        """Raise Hanging if it was meant for the stretch that has just ended, even if that has caught it."""
        if self._asked_in == self.stretch - 1 and self.asked is not None:
            hanging, self.asked = self.asked, None
            raise hanging

    def strike(self) -> None:
        """Raise the pending Hanging if the same code still runs; and again if the code catches it.

        In CPython 3.12 a loop that catches everything and ignores it would swallow it otherwise.
        """
        if self.asked is not None and self.stretch == self._asked_in:
            INTERRUPT.again  # noqa: B018
            raise self.asked

    def __enter__(self) -> Watchdog:
        self._depth += 1
        if self._depth == 1:
            self._within: AbstractContextManager[Interrupt] = interruptible()
            self._interrupt = self._within.__enter__()
            self._builtins = dict(vars(builtins))
            self.full = self.called_off = False
            self._interrupt.add(self)
            if self._interrupt.came:
                self.called_off = True
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth:
            return
        changed = self._put_back()  # first: what follows needs them
        self._interrupt.watchdogs.remove(self)
        self._within.__exit__(None, None, None)
        if changed:
            raise Mistake(
                f"a worker or a property replaced the builtin {listed([f'`{name}`' for name in changed])}, which "
                "everything in this kernel uses. It has been put back. Give your own function another name."
            ) from None

    def _put_back(self) -> list[str]:
        """Restore the builtins that a learner's code replaced: nothing else in the kernel would work."""
        now = vars(builtins)
        changed = [name for name, thing in self._builtins.items() if now.get(name) is not thing]
        now.update(self._builtins)
        return changed

    def stops(self, taken: int) -> bool:
        """Whether to stop the running code, as the thread sees it, at `taken` bytes of memory."""
        now = self.stretch
        self._looks = self._looks + 1 if now == self._seen else 0
        self._seen = now
        if not self.full and taken - self.least > self.megabytes * MEGABYTE:
            self.full = self.called_off = True
        if not now % 2 or self._looks < (1 if self.full else LOOKS):
            return False
        if self.asked is None or self._asked_in != now:
            hanging = Hanging()
            hanging.why, hanging.full = self._why(), self.full
            self._asked_in, self.asked = now, hanging
        return True

    def _why(self) -> str:
        if self.full:
            return f"more than {self.megabytes:,.0f} MB of memory taken"
        return f"more than {self.patience:g} s"


def memory() -> int:
    """This process's memory in bytes; its peak if the system tells no more; else 0."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _most_memory()


def _most_memory() -> int:
    try:
        import resource
    except ImportError:  # Windows, a browser
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if os.uname().sysname == "Darwin" else most * 1024
