"""The resources' own timers on the simulation's clock: a lease or a visibility timeout that runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simlib.schedule.trace import Event
from simlib.schedule.transition import Transition

if TYPE_CHECKING:
    from simlib.simulate.resource import Place
    from simlib.simulate.simulation import Simulation


class Timers:
    """Lets them run out. The clock stays set for one that is stopped, and it is looked at then: that is cheaper."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def arm(self, place: Place) -> None:
        """Set the clock for those that have started."""
        armed = place.armed
        for timer in place.state.timers():
            key = (timer.id, timer.armed)
            if key not in armed:
                armed.add(key)
                self._simulation.clockwork.after(timer.seconds, self._expire, (place, key))

    def _expire(self, about: tuple[Place, Any]) -> None:
        place, key = about
        place.armed.discard(key)
        timer = next((timer for timer in place.state.timers() if (timer.id, timer.armed) == key), None)
        if timer is None:
            return  # released, renewed or acknowledged in time
        place.state.expire(timer.id)
        move, simulation = Transition("timer", "", place.name, timer.id), self._simulation
        simulation.record.event(Event(move, simulation.clockwork.now, label=timer.label, seconds=timer.seconds))
        simulation.changed(place)
        simulation.settle()
