"""Who sleeps in a state of the whole system, and which timers run out meanwhile. See `simlib.model.timing`."""

from __future__ import annotations

from collections.abc import Sequence

from simlib.check.encoding import MASK, Encoding
from simlib.check.local_states import ENDED, LocalStates
from simlib.check.resource_states import ResourceStates
from simlib.model import timing
from simlib.model.timing import Timer


class Sleeping:
    """Looks up what a sleep does to the states of clocks and timers. `clocks` are those that run."""

    def __init__(
        self, workers: Sequence[str], local_states: LocalStates, resource_states: ResourceStates, encoding: Encoding
    ) -> None:
        self._workers = workers
        self._local_states, self._resource_states, self._encoding = local_states, resource_states, encoding
        self.clocks = [place for place in resource_states.clocks if place in resource_states.owning]
        self._minding = [*resource_states.timed, *self.clocks]

    def is_at(self, node: int) -> bool:
        """Whether the next step at this node is to sleep."""
        op = self._local_states.op[node]
        return op != ENDED and timing.sleeps(self._local_states.ops.things[op])

    def sleepers(self, nodes: Sequence[int]) -> dict[str, float]:
        """Who sleeps, and for how long."""
        local_states = self._local_states
        return {
            worker: local_states.ops.things[local_states.op[node]].args[0]
            for worker, node in zip(self._workers, nodes)
            if self.is_at(node)
        }

    def fall_asleep(self, state: int, worker: int) -> int:
        """The state in which this worker has begun to sleep."""
        for place in self._minding:
            state = self._after(state, place, "fell_asleep", self._workers[worker])
        return state

    def wake(self, state: int, before: int, sleep: timing.Slept) -> int:
        """The state when somebody has slept, as far as that is no matter of the clock that was asked: that has been
        done, and `before` is the state from before it.
        """
        for place in self._resource_states.timed:
            state = self._after(state, place, "woke", sleep)
        for clock in self.clocks:
            passed = self._time(state, clock) - self._time(before, clock)
            if passed:
                return self.pass_time(state, passed, clock)
        return state

    def pass_time(self, state: int, seconds: float, but: int = -1) -> int:
        """The state in which so much time has passed on all clocks and timers but this one; if there is a clock."""
        for place in self._minding if self.clocks and seconds else ():
            if place != but:
                state = self._after(state, place, "advance", seconds)
        return state

    def is_held_back(self, state: int, worker: str, seconds: float, busy: frozenset[str]) -> bool:
        """Whether something has to run out before this worker has slept for so long."""
        return any(timing.ends_before(timer, worker, seconds, busy) for timer in self._timers(state))

    def _timers(self, state: int) -> list[Timer]:
        resource_states = self._resource_states
        return [
            timer
            for place in resource_states.timed
            for timer in resource_states.timers(place, self._number(state, place))
        ]

    def _time(self, state: int, clock: int) -> float:
        return self._resource_states.state(clock, self._number(state, clock)).time

    def _number(self, state: int, place: int) -> int:
        return state >> self._encoding.resources[place] & MASK

    def _after(self, state: int, place: int, event: str, argument: object) -> int:
        number = self._number(state, place)
        return state + (
            self._resource_states.after(place, number, event, argument) - number << self._encoding.resources[place]
        )
