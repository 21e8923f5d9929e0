"""The resources' own timers on the simulation's clock: a lease or a visibility timeout that runs out."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from simlib.model.timing import Timer
from simlib.simulate.clock import Clock
from simlib.simulate.resource import Resource


class Timers:
    """Calls `run_out` for each. The clock stays set for one that is stopped: to look at it then is cheaper."""

    def __init__(self, clock: Clock, run_out: Callable[[Resource, Timer], None]) -> None:
        self._clock = clock
        self._run_out = run_out

    def arm(self, resource: Resource) -> None:
        """Set the clock for those that have started."""
        for timer in resource.state.timers():
            key = (timer.id, timer.armed)
            if key not in resource.armed:
                resource.armed.add(key)
                self._clock.after(timer.seconds, self._ring, (resource, key))

    def _ring(self, about: tuple[Resource, Hashable]) -> None:
        resource, key = about
        resource.armed.discard(key)
        timer = next((timer for timer in resource.state.timers() if (timer.id, timer.armed) == key), None)
        if timer is not None:  # else it was released, renewed or acknowledged in time
            self._run_out(resource, timer)
