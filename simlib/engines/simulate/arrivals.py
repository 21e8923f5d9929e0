"""Where new tasks come from: messages on a queue, or calls for a worker that has nothing to do."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

from simlib.engines.simulate.conditions import Conditions, Duration, draw
from simlib.errors import Mistake
from simlib.resources.queue import QueueState
from simlib.values import listed, show

if TYPE_CHECKING:
    from simlib.engines.simulate.simulation import Due, Simulation


class Arrivals:
    """Lets tasks arrive, at each queue by itself."""

    def __init__(self, simulation: Simulation, conditions: Conditions, chance: random.Random) -> None:
        self._simulation = simulation
        self._queues = [name for name, state in simulation.states.items() if isinstance(state, QueueState)]
        self._every = self._by_queue(conditions.arrivals)
        self._chance = chance

    def _by_queue(self, arrivals: Duration | Mapping[str, Duration] | None) -> Mapping[str, Duration]:
        """The time between tasks by queue; by "" where there is no queue. Raises Mistake for unknown queues."""
        if arrivals is None:
            return {}
        if isinstance(arrivals, Mapping):
            unknown = set(arrivals) - set(self._queues)
            if unknown:
                raise Mistake(f"arrivals for {listed(sorted(unknown))}: the queues are {listed(self._queues)}.")
            return arrivals
        if len(self._queues) > 1:
            example = f"arrivals={{{show(self._queues[0])}: 60}}"
            raise Mistake(f"arrivals: there are several queues; say which, as in {example}.")
        return {self._queues[0] if self._queues else "": arrivals}

    def begin(self) -> None:
        """Start waiting for the first of each."""
        for queue, every in self._every.items():
            self._next(queue, every)

    def _next(self, queue: str, every: Duration) -> None:
        self._simulation.after(draw(every, self._chance), self._arrive, (queue, every))

    def _arrive(self, event: Due) -> None:
        queue, every = event.value
        self._next(queue, every)
        if queue:
            self._simulation.send(queue)
        else:
            self._simulation.call()
