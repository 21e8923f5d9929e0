"""What is to happen when: SimPy's clock, and what the simulation asks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy
from simpy.events import NORMAL, EventPriority

from simlib.errors import Mistake
from simlib.progress import Progress
from simlib.simulate.worker import Due
from simlib.watchdog import Watchdog

MOST_AT_ONCE = 20_000  # events without any time passing: a loop
OFTEN = 4096  # events


class Full(Exception):
    """The process has grown too large."""


class Alarm(simpy.Event):
    """Something to call when its time has come."""

    _ok = True

    def __init__(self, call: Callable[[Any], None], about: Any) -> None:
        self.call, self.about = call, about


class Clockwork:
    """SimPy's environment, with `happen` to be called for each step that is due. `now` in seconds since the start.

    The heap is SimPy's, and so is the loop. A step that is due at once goes past the heap where it would come out of it
    next: that is the same order, and of many systems a third of the steps take no time.
    """

    def __init__(self, happen: Callable[[Due], None], watchdog: Watchdog) -> None:
        self.now = 0.0
        self._happen = happen
        self._watchdog = watchdog
        self._environment = simpy.Environment()
        self._over = self._environment.event()
        self._schedule: Callable[[simpy.Event, EventPriority, float], None] = self._environment.schedule
        self._sounds: list[Callable[[Any], None]] = [self._sound]  # of every alarm: one list for all
        self._falls_due: list[Callable[[Any], None]] = [self._fall_due]
        self._next: Due | None = None
        self._going = False  # something is happening just now
        self._events = self._at_once = 0
        self._instant = -1.0

    def run(self, progress: Progress) -> None:
        """Let everything happen until `end` is called. Raises KeyboardInterrupt and Full."""
        self._progress = progress
        self._environment.run(until=self._over)

    def end(self) -> None:
        """Let it end, once what is due at this moment is done."""
        if not self._over.triggered:
            self._over.succeed()

    @property
    def ended(self) -> bool:
        return self._over.triggered

    def after(self, seconds: float, call: Callable[[Any], None], about: Any = None) -> None:
        """Call it when so many seconds have passed, with what it is about."""
        if not seconds:
            self._count_at_once()
        alarm = Alarm(call, about)
        alarm.callbacks = self._sounds
        self._schedule(alarm, NORMAL, seconds)

    def take(self, due: Due, seconds: float) -> None:
        """Let the step take so many seconds."""
        if not seconds:
            self._count_at_once()
            if self._going and self._next is None and self._environment.peek() > self.now:
                self._next = due
                return
        due.callbacks = self._falls_due
        self._schedule(due, NORMAL, seconds)

    def _count_at_once(self) -> None:
        self._at_once = self._at_once + 1 if self.now == self._instant else 0
        self._instant = self.now
        if self._at_once > MOST_AT_ONCE:
            raise Mistake(
                f"{MOST_AT_ONCE:,} steps and no time has passed: a loop whose steps take 0 s. Give it a latency."
            )

    def _sound(self, alarm: Any) -> None:
        self.now = self._environment.now
        self._going = True
        alarm.call(alarm.about)
        self._go_on()

    def _fall_due(self, due: Any) -> None:
        self.now = self._environment.now
        self._going = True
        self._happen(due)
        self._go_on()

    def _go_on(self) -> None:
        """Do what is due at once, and look whether it is time to end."""
        while True:
            if self._watchdog.called_off:
                self._call_off()
            self._events += 1
            if not self._events % OFTEN:
                self._progress.reached(self.now)
            due = self._next
            if due is None:
                break
            self._next = None
            self._happen(due)
        self._going = False

    def _call_off(self) -> None:
        self._watchdog.heed()
        raise Full
