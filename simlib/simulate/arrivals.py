"""Where new tasks come from: messages on a queue, or calls for a worker that has nothing to do."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

from simlib.errors import Mistake
from simlib.model.system import System
from simlib.resources.queue import QueueState
from simlib.simulate.conditions import Conditions, Duration, draw
from simlib.text import listed, show

if TYPE_CHECKING:
    from simlib.simulate.resource import Place
    from simlib.simulate.simulation import Simulation


class Arrivals:
    """Lets tasks arrive, at each queue and for each role by itself."""

    def __init__(self, simulation: Simulation, system: System, conditions: Conditions, chance: random.Random) -> None:
        self._simulation = simulation
        self._role_of = {worker: role.name for worker, role in system.cast.items()}
        self._queues = [name for name, state in simulation.states.items() if isinstance(state, QueueState)]
        others = (role for worker, role in self._role_of.items() if worker not in system.consumers)
        self._roles = list(dict.fromkeys(others))
        self._every = self._by_place(conditions.arrivals)
        self._chance = chance

    @property
    def on_call(self) -> set[str]:
        """The roles that do nothing until a task arrives for them."""
        return {*self._roles} if "" in self._every else {*self._every} - {*self._queues}

    def _by_place(self, arrivals: Duration | Mapping[str, Duration] | None) -> Mapping[str, Duration]:
        """The time between tasks by queue or role; by "" where there is no queue. Raises Mistake for unknown names."""
        if arrivals is None:
            return {}
        if isinstance(arrivals, Mapping):
            known = [*self._queues, *self._roles]
            unknown = set(arrivals) - set(known)
            if unknown:
                raise Mistake(f"arrivals for {listed(sorted(unknown))}: they can be for {listed(known)}.")
            return arrivals
        if len(self._queues) > 1:
            example = f"arrivals={{{show(self._queues[0])}: 60}}"
            raise Mistake(f"arrivals: there are several queues; say which, as in {example}.")
        return {self._queues[0] if self._queues else "": arrivals}

    def begin(self) -> None:
        """Start waiting for the first of each."""
        for place, every in self._every.items():
            self._next(place, every)

    def _next(self, place: str, every: Duration) -> None:
        self._simulation.clockwork.after(draw(every, self._chance), self._arrive, (place, every))

    def _arrive(self, about: tuple[str, Duration]) -> None:
        place, every = about
        self._next(place, every)
        if place in self._queues:
            self._send(self._simulation.places[place])
        else:
            self._call(place)

    def _send(self, queue: Place) -> None:
        """A new message arrives at the queue."""
        state, simulation = queue.state, self._simulation
        assert isinstance(state, QueueState)
        message = state.on_send("", f"task-{state.sent + 1}")
        simulation.arrived[message] = simulation.clockwork.now
        simulation.changed(queue)

    def _call(self, role: str) -> None:
        """A new task arrives for a worker of this role (any, if "") that has none. If all are busy, it is refused."""
        workers = self._simulation.workers.values()
        idle = next((one for one in workers if one.idle and (not role or self._role_of[one.name] == role)), None)
        if idle is None:
            self._simulation.record.count("refused task")
        else:
            self._simulation.start(idle)
