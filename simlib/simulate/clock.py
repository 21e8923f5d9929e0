"""The simulation's clock: schedules callbacks on the event heap of a SimPy environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy
from simpy.events import NORMAL, EventPriority

from simlib.errors import Mistake
from simlib.progress import Progress
from simlib.watchdog import Watchdog

MOST_AT_ONCE = 20_000  # events at one instant: more is a loop
OFTEN = 4096  # events between two updates of the progress bar


class Full(Exception):
    """The process has grown too large."""


class Alarm(simpy.Event):
    """A SimPy event that calls `call(about)` when its moment comes."""

    _ok = True

    def __init__(self, call: Callable[[Any], None], about: Any) -> None:
        self.call, self.about = call, about

    def cancel(self) -> None:
        """Do nothing when the moment comes. It stays in the heap or queue, which is cheaper than searching for it."""
        self.call = _nothing


def _nothing(about: Any) -> None: ...


class Clock:
    """`now` is in seconds since the start.

    A step that takes no time bypasses the heap if it would be the next event anyway: the order is the same, and in many
    systems a third of the steps take no time.
    """

    def __init__(self, watchdog: Watchdog) -> None:
        self.now = 0.0
        self._watchdog = watchdog
        self._at_once = 0
        self._instant = -1.0

    def run(self, progress: Progress) -> None:
        """Process events until `end` is called. Raises KeyboardInterrupt and Full."""
        raise NotImplementedError

    def end(self) -> bool:
        """Stop after the events of this moment. False if it is already stopping."""
        raise NotImplementedError

    def after(self, seconds: float, call: Callable[[Any], None], about: Any = None) -> None:
        """Call `call(about)` in `seconds`."""
        raise NotImplementedError

    def schedule(self, step: Alarm, seconds: float) -> None:
        """Let this step take `seconds`."""
        raise NotImplementedError

    def repeat(self, between: Callable[[], float], call: Callable[[Any], None], about: Any = None) -> None:
        """Call it over and over, each time after an interval drawn anew: a renewal process."""

        def again(_: Any) -> None:
            self.after(between(), again)
            call(about)

        self.after(between(), again)

    def _count_at_once(self) -> None:
        self._at_once = self._at_once + 1 if self.now == self._instant else 0
        self._instant = self.now
        if self._at_once > MOST_AT_ONCE:
            raise Mistake(
                f"{MOST_AT_ONCE:,} steps and no time has passed: a loop whose steps take 0 s. Give it a latency."
            )


class SimPyClock(Clock):
    """The heap and the loop are those of a SimPy environment, which may have processes of the user's own.

    Its clock may have run before; what is still in its heap when the run is over happens to nobody.
    """

    def __init__(self, watchdog: Watchdog, environment: simpy.Environment) -> None:
        super().__init__(watchdog)
        self._environment = environment
        self._began = environment.now
        self._over = environment.event()
        self._is_over = False
        self._push: Callable[[simpy.Event, EventPriority, float], None] = self._environment.schedule
        self._callbacks: list[Callable[[Any], None]] = [self._happen]  # shared by all alarms
        self._next: Alarm | None = None  # bypasses the heap
        self._happening = False
        self._events = 0

    def run(self, progress: Progress) -> None:
        self._progress = progress
        try:
            self._environment.run(until=self._over)
        finally:
            self._is_over = True

    def end(self) -> bool:
        if self._over.triggered:
            return False
        self._over.succeed()
        return True

    def after(self, seconds: float, call: Callable[[Any], None], about: Any = None) -> None:
        if not seconds:
            self._count_at_once()
        alarm = Alarm(call, about)
        alarm.callbacks = self._callbacks
        self._push(alarm, NORMAL, seconds)

    def schedule(self, step: Alarm, seconds: float) -> None:
        if not seconds:
            self._count_at_once()
            if self._happening and self._next is None and self._environment.peek() > self._environment.now:
                self._next = step
                return
        step.callbacks = self._callbacks
        self._push(step, NORMAL, seconds)

    def _happen(self, alarm: Any) -> None:
        """Run this alarm, then the steps that take no time. Stop if the watchdog says so."""
        if self._is_over:
            return
        self.now = self._environment.now - self._began
        self._happening = True
        while alarm is not None:
            alarm.call(alarm.about)
            if self._watchdog.called_off:
                self._watchdog.heed()
                raise Full
            self._events += 1
            if not self._events % OFTEN:
                self._progress.reached(self.now)
            alarm = self._next
            self._next = None
        self._happening = False
