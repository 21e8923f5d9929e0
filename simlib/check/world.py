"""Memoises what events other than steps do to the resources' part of a state. See `schedule.transition`."""

from __future__ import annotations

from collections.abc import Sequence

from simlib.check.encoding import MASK, Encoding
from simlib.check.local_states import LocalStates
from simlib.check.resource_states import ResourceStates
from simlib.model import timing
from simlib.model.timing import Slept, Timer
from simlib.schedule import transition


class World:
    """Changes encoded states. `sleepy` if there is a clock, so that workers may sleep."""

    def __init__(
        self, workers: Sequence[str], local_states: LocalStates, resource_states: ResourceStates, encoding: Encoding
    ) -> None:
        self._workers = workers
        self._local_states, self._resource_states, self._encoding = local_states, resource_states, encoding
        # Only running clocks are owning.
        self._clocks = [resource for resource in resource_states.clocks if resource in resource_states.owning]
        self._minding = [*resource_states.timed, *self._clocks]
        self._orphans: dict[int, int] = {}
        self._sleeps: dict[int, bool] = {}
        self.sleepy = bool(resource_states.clocks)

    def number(self, state: int, resource: int) -> int:
        """The number of this resource's state."""
        return state >> self._encoding.resources[resource] & MASK

    def change(self, resource: int, before: int, after: int) -> int:
        """What to add to a state when this resource's number changes."""
        return after - before << self._encoding.resources[resource]

    def after(self, state: int, resource: int, event: str, argument: object) -> int:
        """The state after this has happened to a resource."""
        number = self.number(state, resource)
        return state + self.change(resource, number, self._resource_states.after(resource, number, event, argument))

    def end_process(self, state: int, worker: int) -> int:
        """The state after this worker's process has ended."""
        for resource in self._resource_states.owning:
            number = self.number(state, resource)
            key = (number << 5 | worker) << 20 | resource
            change = self._orphans.get(key)
            if change is None:
                after = self._resource_states.after(resource, number, "owner_gone", self._workers[worker])
                change = self._orphans[key] = self.change(resource, number, after)
            state += change
        return state

    # Sleep and timers

    def is_asleep(self, node: int) -> bool:
        """Whether a worker at this node sleeps."""
        known = self._sleeps.get(node)
        if known is None:
            op = self._local_states.step_at(node)
            known = self._sleeps[node] = timing.sleeps(op)
        return known

    def sleepers(self, nodes: Sequence[int]) -> dict[str, float]:
        """Who sleeps, and for how many seconds."""
        people = zip(self._workers, nodes)
        return {worker: self.seconds(node) for worker, node in people if self.is_asleep(node)} if self.sleepy else {}

    def seconds(self, node: int) -> float:
        """For how many seconds a worker at this node sleeps."""
        local_states = self._local_states
        return float(local_states.ops.things[local_states.op[node]].args[0])

    def fall_asleep(self, state: int, worker: int, node: int) -> int:
        """The state after this worker has come to this node: it sleeps, if that is its next step."""
        if self.sleepy and self.is_asleep(node):
            for resource in self._minding:
                state = self.after(state, resource, "fell_asleep", self._workers[worker])
        return state

    def wake(self, state: int, before: int, sleep: Slept) -> int:
        """The state after a sleep. The clock that was asked has advanced already; `before` is the state before that."""
        for resource in self._resource_states.timed:
            state = self.after(state, resource, "woke", sleep)
        for clock in self._clocks:
            passed = self._time(state, clock) - self._time(before, clock)
            if passed:
                return self.pass_time(state, passed, clock)
        return state

    def pass_time(self, state: int, seconds: float, but: int = -1) -> int:
        """The state after so many seconds on all clocks and timers but this one; the same state if no clock runs."""
        for resource in self._minding if self._clocks and seconds else ():
            if resource != but:
                state = self.after(state, resource, "advance", seconds)
        return state

    def oversleeps(self, state: int, worker: str, seconds: float, busy: frozenset[str]) -> bool:
        """Whether some timer has to run out before this worker has slept for so many seconds."""
        return transition.oversleeps(self._timers(state), worker, seconds, busy)

    def _timers(self, state: int) -> list[Timer]:
        known = self._resource_states
        return [timer for resource in known.timed for timer in known.timers(resource, self.number(state, resource))]

    def _time(self, state: int, clock: int) -> float:
        return self._resource_states.state(clock, self.number(state, clock)).time
