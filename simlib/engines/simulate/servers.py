"""Resources that serve only so many requests at a time; the others wait their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Call = Callable[..., None]
After = Callable[[float, Call, Any], None]


@dataclass
class Server:
    """One resource's line: first come, first served. It serves also those who have gone away meanwhile.

    While it is stalled it takes requests in and begins none.
    """

    free: int
    after: After
    stalled: bool = False
    line: deque[tuple[float, Call, tuple[Any, ...]]] = field(default_factory=deque)

    def request(self, seconds: float, call: Call, *about: Any) -> None:
        """Serve a request that takes so many seconds, then call back."""
        if self.free and not self.stalled:
            self._serve(seconds, call, about)
        else:
            self.line.append((seconds, call, about))

    def stall(self, since: float, until: float) -> None:
        """Let it stall between two moments, in seconds from now."""
        self.after(since, self._set, True)
        self.after(until, self._set, False)

    def _set(self, event: Any) -> None:
        self.stalled = event.value
        self._next()

    def _next(self) -> None:
        while self.line and self.free and not self.stalled:
            self._serve(*self.line.popleft())

    def _serve(self, seconds: float, call: Call, about: tuple[Any, ...]) -> None:
        self.free -= 1
        self.after(seconds, self._served, (call, about))

    def _served(self, event: Any) -> None:
        call, about = event.value
        self.free += 1
        self._next()
        call(*about)
