"""Memoises what each step does to each resource: resource states are numbered, and a step is looked up."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from simlib.check.local_states import Interned, LocalStates
from simlib.errors import Mistake, OperationError
from simlib.model.operation import Blocked, Outcome
from simlib.model.state import State
from simlib.model.timing import Timer
from simlib.model.values import freeze
from simlib.resources.clock import ClockState
from simlib.schedule import transition

MOST_OPTIONS = 64
Names = tuple[tuple[str, str], ...]  # each worker's old and new name


class Effect(NamedTuple):
    """One way in which a step can go: the state that it leaves, and the answer that the worker gets."""

    outcome: Outcome
    state: int
    answer: int


class ResourceStates:
    """The states of each resource, in the order in which the system names the resources."""

    def __init__(
        self, states: Mapping[str, State], local_states: LocalStates, kinds: list[str], asked: set[str]
    ) -> None:
        self.asked = asked  # what properties have looked at that states do not carry
        self.names = list(states)
        self._local_states = local_states
        self._kinds = {None, *kinds}
        self._states = [Interned() for _ in states]
        self._counting = [_has(state, "counted") for state in states.values()]
        self.grown = 0  # the largest of all counts
        self._effects: dict[tuple[int, int, int, str], tuple[Effect, ...]] = {}
        self._timers: dict[tuple[int, int], tuple[Timer, ...]] = {}
        self._after: dict[tuple[object, ...], int] = {}
        self._lost: dict[tuple[int, int], tuple[int, ...]] = {}
        self._renamed: dict[tuple[int, int, Names], int] = {}
        self.timed: list[int] = []  # the resources in which a timer has run, so far
        self.initial = tuple(self.number(resource, state) for resource, state in enumerate(states.values()))
        self.clocks = [resource for resource, state in enumerate(states.values()) if isinstance(state, ClockState)]
        self.owning = [  # the resources that react when a process is gone
            resource
            for resource, state in enumerate(states.values())
            if _has(state, "owner_gone") and getattr(state, "running", True)
        ]
        self.owned = [resource for resource in self.owning if _has([*states.values()][resource], "renamed")]

    def number(self, resource: int, state: State) -> int:
        known = self._states[resource]
        before = len(known.things)
        number = known.number(state, state.key())
        if number == before:
            if self._counting[resource]:
                self.grown = max(self.grown, state.grown)
            if resource not in self.timed and state.has_timers:
                bisect.insort(self.timed, resource)
        return number

    def state(self, resource: int, number: int) -> State:
        """The state itself; do not change it."""
        return self._states[resource].things[number]  # type: ignore[no-any-return]

    def world(self, numbers: tuple[int, ...]) -> dict[str, State]:
        return {name: self.state(resource, numbers[resource]) for resource, name in enumerate(self.names)}

    def effects(self, resource: int, number: int, op: int, who: str) -> tuple[Effect, ...]:
        """Every way in which this step can go in this state, with the kinds of fault that are on."""
        personal = resource in self.owned and self._is_personal(resource, number, op)
        key = (resource, number, op, who if personal else "")
        found = self._effects.get(key)
        if found is None:
            found = self._effects[key] = tuple(self._work_out(resource, number, op, who))
        return found

    def _is_personal(self, resource: int, number: int, op: int) -> bool:
        """Whether this step can go otherwise in this state for another worker."""
        return self.state(resource, number).depends_on_who(self._local_states.ops.things[op])

    def _work_out(self, resource: int, number: int, op_number: int, who: str) -> list[Effect]:
        state, op = self.state(resource, number), self._local_states.ops.things[op_number]
        if state.choices(op) > MOST_OPTIONS:
            raise Mistake(
                f"{op.built_by(self._local_states.system.cast[who].name)}: "
                f"`{op}` has {state.choices(op):,} options, and explore tries every one. Give it a few that stand "
                "for the rest, or measure with simulate, which draws one."
            )
        effects = []
        for outcome in state.outcomes(op):
            if outcome.fault not in self._kinds:
                continue
            after = state.copy()
            try:
                answer = self._local_states.system.perform(after, op, who, outcome)
            except Blocked:
                continue
            except OperationError as error:
                answer = error
            told = self._local_states.answers.number(answer, freeze(answer))
            effects.append(Effect(outcome, self.number(resource, after), told))
        return effects

    def power_losses(self, numbers: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Every world that can follow this one on a power loss, in the order of `transition.lose_power`'s choices."""
        survivors = [self._power_losses(resource, number) for resource, number in enumerate(numbers)]
        return (world[::-1] for world in itertools.product(*reversed(survivors)))

    def _power_losses(self, resource: int, number: int) -> tuple[int, ...]:
        found = self._lost.get((resource, number))
        if found is None:
            found = self._lost[resource, number] = tuple(self._without_power(resource, number))
        return found

    def _without_power(self, resource: int, number: int) -> Iterator[int]:
        name, state = self.names[resource], self.state(resource, number)
        for choice in range(state.power_losses()):
            after = state.copy()
            transition.lose_power({name: after}, choice)
            yield self.number(resource, after)

    def timers(self, resource: int, number: int) -> tuple[Timer, ...]:
        found = self._timers.get((resource, number))
        if found is None:
            found = self._timers[resource, number] = self.state(resource, number).timers()
        return found

    def after(self, resource: int, number: int, event: str, argument: object) -> int:
        """The state after an event that is not a step, such as `expire`, `owner_gone` or `advance`."""
        key = (resource, number, event, argument)
        found = self._after.get(key)
        if found is None:
            state = self.state(resource, number).copy()
            getattr(state, event)(argument)
            found = self._after[key] = self.number(resource, state)
        return found

    def retry_ends(self, name: str) -> bool:
        """Whether what is handed back to this resource comes again only so often."""
        resource = self.names.index(name)
        return self.state(resource, self.initial[resource]).retries_end

    def renamed(self, resource: int, number: int, names: Names) -> int:
        """The state in which these workers, if it knows them, have other names."""
        key = (resource, number, names)
        found = self._renamed.get(key)
        if found is None:
            found = self._renamed[key] = self.number(resource, self.state(resource, number).renamed(dict(names)))
        return found


def _has(state: State, method: str) -> bool:
    """Whether this kind of state overrides the method."""
    return getattr(type(state), method) is not getattr(State, method)
