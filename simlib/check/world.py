"""Memoises what events other than steps do to the resources' part of a state. See `schedule.transition`."""

from __future__ import annotations

from collections.abc import Sequence

from simlib.check.encoding import FIELD, MASK, Encoding
from simlib.check.local_states import LocalStates
from simlib.check.resource_states import ResourceStates
from simlib.model import timing
from simlib.model.timing import Slept, Timer
from simlib.schedule import transition


class World:
    """Changes encoded states."""

    def __init__(
        self, workers: Sequence[str], local_states: LocalStates, resource_states: ResourceStates, encoding: Encoding
    ) -> None:
        self._workers = workers
        self._local_states, self._resource_states, self._encoding = local_states, resource_states, encoding
        self._has_clocks = bool(resource_states.clocks)
        # Those that run: only they are owning.
        self.clocks = [resource for resource in resource_states.clocks if resource in resource_states.owning]
        self._orphans: dict[int, int] = {}
        self._lasting: dict[int, bool] = {}

    @property
    def sleepy(self) -> bool:
        """Whether a worker may sleep, or wait for a limited time."""
        return self._has_clocks or self._local_states.waits

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

    def lasts(self, state: int, node: int) -> bool:
        """Whether a worker at this node can do nothing now but sleep or wait on."""
        local_states = self._local_states
        if not local_states.asleep[node]:
            return False
        resource = local_states.resource_of[node]
        key = node << FIELD | self.number(state, resource)
        known = self._lasting.get(key)
        if known is None:
            op = local_states.ops.things[local_states.op[node]]
            known = self._lasting[key] = self._resource_states.state(resource, key & MASK).lasts(op)
        return known

    def sleepers(self, state: int, nodes: Sequence[int]) -> dict[str, float]:
        """Who sleeps or waits, and for how many seconds."""
        asleep, people = self._local_states.asleep, zip(self._workers, nodes) if self.sleepy else ()
        return {worker: self.seconds(node) for worker, node in people if asleep[node] and self.lasts(state, node)}

    def seconds(self, node: int) -> float:
        """For how many seconds a worker at this node sleeps or waits."""
        local_states = self._local_states
        return timing.seconds(local_states.ops.things[local_states.op[node]])

    def fall_asleep(self, state: int, worker: int, node: int) -> int:
        """The state after this worker has come to this node: it sleeps, if that is its next step."""
        if self._local_states.asleep[node] and self.sleepy:
            for resource in self._minding():
                state = self.after(state, resource, "fell_asleep", self._workers[worker])
        return state

    def wake(self, state: int, before: int, sleep: Slept) -> int:
        """The state after a sleep. The clock that was asked has advanced already; `before` is the state before that."""
        for resource in self._resource_states.timed:
            state = self.after(state, resource, "woke", sleep)
        for clock in self.clocks:
            passed = self._time(state, clock) - self._time(before, clock)
            if passed:
                return self.pass_time(state, passed, clock)
        return state

    def end_nap(self, state: int, before: int, node: int, sleep: Slept) -> int:
        """The state after the step at this node, a sleep or a wait that lasted as long as `sleep`. See `wake`."""
        if self._local_states.ops.things[self._local_states.op[node]].verb == "sleep":
            return self.wake(state, before, sleep)
        return self._passed(state, sleep)

    def interrupt(self, state: int, worker: int, node: int) -> int:
        """The state after this worker was woken at once, if it sleeps or waits at this node, or has begun its step."""
        name, resource = self._workers[worker], self._local_states.resource_of[node]
        if self._local_states.asleep[node] and self.sleepy:
            return self._passed(state, Slept(name, 0, frozenset()))
        return self.after(state, resource, "cancelled", name) if resource in self._resource_states.owned else state

    def _passed(self, state: int, sleep: Slept) -> int:
        """The state after a worker has slept for so long without asking a clock."""
        before = state
        for clock in self.clocks[:1]:
            state = self.after(state, clock, "slept", sleep)
        return self.wake(state, before, sleep)

    def pass_time(self, state: int, seconds: float, but: int = -1) -> int:
        """The state after so many seconds on all clocks and timers but this one; the same state if no clock runs."""
        for resource in self._minding() if self.clocks and seconds else ():
            if resource != but:
                state = self.after(state, resource, "advance", seconds)
        return state

    def _minding(self) -> list[int]:
        """The resources that mind time."""
        return [*self._resource_states.timed, *self.clocks]

    def oversleeps(self, state: int, sleep: Slept) -> bool:
        """Whether some timer has to run out before this sleep is over."""
        return transition.oversleeps(self._timers(state), sleep.who, sleep.seconds, sleep.busy)

    def _timers(self, state: int) -> list[Timer]:
        known = self._resource_states
        return [timer for resource in known.timed for timer in known.timers(resource, self.number(state, resource))]

    def _time(self, state: int, clock: int) -> float:
        return self._resource_states.state(clock, self.number(state, clock)).time
