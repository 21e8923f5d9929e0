"""Resources that serve only so many requests at a time; the others wait their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simlib.simulate.worker import Due

After = Callable[[float, Callable[[Any], None], Any], None]


@dataclass
class Server:
    """One resource's line: first come, first served. It serves also those who have gone away meanwhile.

    While it is stalled it takes requests in and begins none.
    """

    free: int
    after: After
    happen: Callable[[Due], None]  # to be called when a request has been served
    stalled: bool = False
    line: deque[tuple[float, Due]] = field(default_factory=deque)

    def request(self, seconds: float, due: Due) -> None:
        """Serve a request that takes so many seconds."""
        if self.free and not self.stalled:
            self._serve(seconds, due)
        else:
            self.line.append((seconds, due))

    def stall(self, since: float, until: float) -> None:
        """Let it stall between two moments, in seconds from now."""
        self.after(since, self._set, True)
        self.after(until, self._set, False)

    def _set(self, stalled: bool) -> None:
        self.stalled = stalled
        self._next()

    def _next(self) -> None:
        while self.line and self.free and not self.stalled:
            self._serve(*self.line.popleft())

    def _serve(self, seconds: float, due: Due) -> None:
        self.free -= 1
        self.after(seconds, self._served, due)

    def _served(self, due: Due) -> None:
        self.free += 1
        self._next()
        self.happen(due)
