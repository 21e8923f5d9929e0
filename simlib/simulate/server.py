"""A server of limited capacity: it serves so many requests at a time, and the others queue."""

from __future__ import annotations

from collections import deque

from simlib.simulate.clock import Alarm, Clock


class Server:
    """First come, first served, even after a client has gone. A request's alarm is called when it has been served.

    While stalled, it accepts requests and serves none.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock = clock
        self._free = capacity
        self._stalled = False
        self._line: deque[tuple[float, Alarm]] = deque()

    def request(self, alarm: Alarm, seconds: float) -> None:
        """Queue a request with a service time of `seconds`."""
        self._line.append((seconds, alarm))
        self._begin()

    def stall(self, since: float, until: float) -> None:
        """Stall between two moments, in seconds from now."""
        self._clock.after(since, self._set_stalled, True)
        self._clock.after(until, self._set_stalled, False)

    def _set_stalled(self, stalled: bool) -> None:
        self._stalled = stalled
        self._begin()

    def _begin(self) -> None:
        while self._line and self._free and not self._stalled:
            seconds, alarm = self._line.popleft()
            self._free -= 1
            self._clock.after(seconds, self._end, alarm)

    def _end(self, alarm: Alarm) -> None:
        self._free += 1
        self._begin()
        alarm.call(alarm.about)
