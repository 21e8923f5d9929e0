"""Timers of resources on the simulation's clock: a lease or a visibility timeout that expires."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from simlib.model.timing import Timer
from simlib.simulate.clock import Clock
from simlib.simulate.resource import Resource


class Timers:
    """Calls `run_out` for each timer that expires. A stopped timer's alarm stays: checking when it rings is cheaper."""

    def __init__(self, clock: Clock, run_out: Callable[[Resource, Timer], None]) -> None:
        self._clock = clock
        self._run_out = run_out

    def arm(self, resource: Resource) -> None:
        """Set the clock for each of its timers that has started."""
        for timer in resource.state.timers():
            key = (timer.id, timer.armed)
            if key not in resource.armed:
                resource.armed.add(key)
                self._clock.after(timer.seconds, self._ring, (resource, key))

    def _ring(self, about: tuple[Resource, Hashable]) -> None:
        resource, key = about
        resource.armed.discard(key)
        timer = next((timer for timer in resource.state.timers() if (timer.id, timer.armed) == key), None)
        if timer is not None:  # otherwise it was released, renewed or acknowledged in time
            self._run_out(resource, timer)
