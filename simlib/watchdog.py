"""Keeps a learner's code from hanging, from filling the machine, and an interrupt from losing what is known.

All of it is one handler of SIGINT, which is there while simlib works. A thread looks now and then at what runs and at
the memory, and sends the same signal: it wakes a sleep, and it is handled where the learner's code runs.
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
LOOKS = 10  # while the patience lasts


class Hanging(BaseException):
    """Raised inside a learner's code that runs and runs, or takes and takes; `why` in words."""

    why = ""
    full = False  # it takes too much memory, not time


class _Signal(int):
    """`number.again` has the handler called once more, at the next instruction that looks for signals.

    An attribute, for a call looks for signals itself: the handler would be called again before it has raised.
    """

    again = property(_thread.interrupt_main)


INTERRUPT = _Signal(signal.SIGINT)


class Interrupt:
    """What an interrupt does while simlib works: it is noted, and raised in a learner's code alone.

    Raised anywhere, it could leave a lock of a library locked for good. Whatever takes long looks at `came`. The thread
    is its own, too: one for all that is asked within, for to start one takes as long as many a search.
    """

    def __init__(self) -> None:
        self.came = False
        self.watchdogs: list[Watchdog] = []
        self._ours = False  # a signal of our own is on its way
        # Two bare locks. Those of `threading` are partly written in Python: where there is no memory left, a thread can
        # die in the middle of one and leave it locked for good.
        self._watching = _thread.allocate_lock()
        self._gone = _thread.allocate_lock()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        for watchdog in self.watchdogs:
            watchdog.strike()
        if self._ours:
            self._ours = False  # what it was about has come to its end
            return
        self.came = True
        for watchdog in self.watchdogs:
            watchdog.called_off = True
        if any(watchdog.stretch % 2 for watchdog in self.watchdogs):
            raise KeyboardInterrupt

    def add(self, watchdog: Watchdog) -> None:
        """Look after this one as well."""
        if not self._watching.locked():
            self._start()
        if self._watching.locked():  # where there are no threads, nobody asks for it either
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
        """Look after nobody any more; no signal of our own is on its way then."""
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
        """Now and then, until `_watching` is let go of."""
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
            except MemoryError:  # there is none left: whoever takes more will be told
                continue

    def _signal(self, watched: int) -> None:
        self._ours = True
        if watched != threading.main_thread().ident:  # signals are handled in the main thread alone
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(watched), ctypes.py_object(Hanging))
        elif hasattr(signal, "pthread_kill"):
            signal.pthread_kill(watched, INTERRUPT)
        else:
            _thread.interrupt_main()


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """All that is asked in here is cut short together by an interrupt. The outermost one counts."""
    in_main = threading.current_thread() is threading.main_thread()  # only that one is ever interrupted
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
    """`with watchdog:` around what runs a learner's code, as often nested as you like; `watchdog.run(code)` runs it.

    Stopped is what runs for longer than `patience`, or while the process has grown by more than `megabytes`; that a
    search or a simulation has grown by so much is noted as `full`. A call that computes in C is stopped only when that
    returns. Where there are no threads (a browser) nobody watches.
    """

    patience = 1.0  # seconds
    megabytes = 1_500.0

    def __init__(self) -> None:
        self.stretch = 0  # odd while a learner's code runs
        self.full = False
        self.called_off = False  # it is time to end: interrupted, or full
        self.asked: Hanging | None = None  # what the thread wants to be raised
        self._asked_in = 0  # this stretch, and no later one
        self.endless: set[CodeType] = set()  # workers that do not end when they are closed
        self._seen, self._looks = -1, 0  # which stretch it was at the last look, and at how many before
        self.least = 0  # bytes of memory that the process had when this began
        self._depth = 0
        self._interrupt = Interrupt()

    @property
    def interrupted(self) -> bool:
        return self._interrupt.came

    def heed(self) -> None:
        """Raise KeyboardInterrupt here, where it can be dealt with, if somebody has interrupted."""
        if self._interrupt.came:
            raise KeyboardInterrupt

    def run(self, code: Callable[[Unpack[Args]], T], *args: *Args) -> T:
        """What the learner's code answers. Raises Hanging, whatever the code itself makes of that."""
        try:
            self.stretch += 1
            try:
                return code(*args)
            finally:
                self.stretch += 1  # at once: from here on nothing may be raised
        finally:
            if self._asked_in == self.stretch - 1 and self.asked is not None:
                hanging, self.asked = self.asked, None
                raise hanging

    def strike(self) -> None:
        """Raise what was asked for, if the same code still runs; and again, should it be caught.

        In CPython 3.12 a loop that catches everything and does nothing about it catches that, too.
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
        changed = self._put_back()  # first of all: what follows needs them
        self._interrupt.watchdogs.remove(self)
        self._within.__exit__(None, None, None)
        if changed:
            raise Mistake(
                f"a worker or a property replaced the builtin {listed([f'`{name}`' for name in changed])}, which "
                "everything in this kernel uses. It has been put back. Give your own function another name."
            ) from None

    def _put_back(self) -> list[str]:
        """Undo what a learner's code did to the builtins: nothing in the kernel would work any more."""
        now = vars(builtins)
        changed = [name for name, thing in self._builtins.items() if now.get(name) is not thing]
        now.update(self._builtins)
        return changed

    def stops(self, taken: int) -> bool:
        """Whether what runs is to be stopped, as the thread sees it now, with so many bytes of memory taken."""
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
    """Bytes of memory that this process has; the most that it ever had where the system tells no more; else 0."""
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
