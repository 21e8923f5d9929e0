"""What befalls workers from outside: crashes, pauses, and the machine's loss of power."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simlib.model.operation import Outcome
from simlib.schedule.trace import Event
from simlib.schedule.transition import Transition, lose_power, ways_to_lose_power
from simlib.simulate.conditions import DAY, Conditions, Exponential, draw, exponential

if TYPE_CHECKING:
    from simlib.simulate.simulation import Simulation
    from simlib.simulate.worker import Worker


class Mishaps:
    """Lets them strike at random, each worker by itself, whatever it is doing."""

    def __init__(self, simulation: Simulation, conditions: Conditions, chance: random.Random) -> None:
        self._simulation = simulation
        self._conditions = conditions
        self._chance = chance
        rates = conditions.crashes_per_day, conditions.pauses_per_day, conditions.power_losses_per_day
        self._crashes, self._pauses, self._power_losses = (exponential(DAY / rate) if rate else None for rate in rates)

    def begin(self) -> None:
        """Start waiting for the first of each."""
        for worker in self._simulation.workers.values():
            self._wait(self._crashes, self._crash, worker)
            self._wait(self._pauses, self._pause, worker)
        self._wait(self._power_losses, self._lose_power, None)

    def _wait(self, between: Exponential | None, strike: Callable[[Any], None], about: Worker | None) -> None:
        if between is not None:
            self._simulation.clockwork.after(between(self._chance), strike, about)

    def _crash(self, worker: Worker) -> None:
        simulation = self._simulation
        self._wait(self._crashes, self._crash, worker)
        if worker.due is None or not worker.steps:
            return  # it is not there, has done its task, or has nothing in memory to lose
        simulation.record.count("crashes")
        simulation.record.event(Event(Transition("crash", worker.name, fault="crashes"), simulation.clockwork.now))
        for state in simulation.states.values():
            state.owner_gone(worker.name)
        simulation.kill(worker)

    def _pause(self, worker: Worker) -> None:
        simulation = self._simulation
        self._wait(self._pauses, self._pause, worker)
        if worker.due is not None:
            simulation.record.count("pauses")
            worker.paused_until = simulation.clockwork.now + draw(self._conditions.pause, self._chance)

    def _lose_power(self, _: None) -> None:
        simulation = self._simulation
        self._wait(self._power_losses, self._lose_power, None)
        simulation.record.count("power_losses")
        choice = self._chance.randrange(ways_to_lose_power(simulation.states))
        lose_power(simulation.states, choice)
        move = Transition("power loss", outcome=Outcome(None, choice), fault="power_losses")
        simulation.record.event(Event(move, simulation.clockwork.now))
        for worker in simulation.workers.values():
            if worker.due is not None:
                simulation.kill(worker)
        for place in simulation.places.values():
            simulation.changed(place)
