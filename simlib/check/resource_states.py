"""Memoises what each step does to each resource: resource states are numbered, and a step is looked up."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from simlib.check.behaviour import Interned
from simlib.check.local_states import LocalStates
from simlib.errors import Mistake, OperationError
from simlib.model.operation import Blocked, Op, Outcome
from simlib.model.state import State
from simlib.model.system import System
from simlib.model.timing import Timer
from simlib.model.values import freeze
from simlib.resources.clock import ClockState
from simlib.schedule import transition

MOST_OPTIONS = 64
Names = tuple[tuple[str, str], ...]  # each worker's old and new name
Asked = tuple[int, int, int, str]  # a resource, its state, a step, and whose it is, if that makes a difference


class Effect(NamedTuple):
    """One way in which a step can go: the state that it leaves, and the answer that the worker gets."""

    outcome: Outcome
    state: int
    answer: int


class KnownStates:
    """What all searches of one question have learned of the resources: their states, numbered, and what changes them.

    `asked` is what properties have looked at that states do not carry.
    """

    def __init__(self, states: Mapping[str, State], answers: Interned, asked: set[str]) -> None:
        self.initial_states, self.asked = states, asked
        self._answers = answers
        self._states = [Interned() for _ in states]
        self._effects: dict[tuple[Asked, Outcome], Effect | None] = {}
        self._timers: dict[tuple[int, int], tuple[Timer, ...]] = {}
        self._after: dict[tuple[object, ...], int] = {}
        self._renamed: dict[tuple[int, int, Names], int] = {}
        self._lost: dict[tuple[int, int], tuple[int, ...]] = {}
        self._grown: dict[tuple[int, int], int] = {}

    def number(self, resource: int, state: State) -> int:
        return self._states[resource].number(state, state.key())

    def state(self, resource: int, number: int) -> State:
        return self._states[resource].things[number]  # type: ignore[no-any-return]

    def effect(self, system: System, asked: Asked, op: Op, who: str, outcome: Outcome) -> Effect | None:
        """What this step of this worker does if it goes this way; None if it has to wait."""
        key = (asked, outcome)
        if key not in self._effects:
            self._effects[key] = self._work_out(system, asked, op, who, outcome)
        return self._effects[key]

    def _work_out(self, system: System, asked: Asked, op: Op, who: str, outcome: Outcome) -> Effect | None:
        resource, number, *_ = asked
        after = self.state(resource, number).copy()
        try:
            answer = system.perform(after, op, who, outcome)
        except Blocked:
            return None
        except OperationError as error:
            answer = error
        told = self._answers.number(answer, freeze(answer))
        return Effect(outcome, self.number(resource, after), told)

    def grown(self, resource: int, number: int) -> int:
        """The largest of the counts in this state."""
        found = self._grown.get((resource, number))
        if found is None:
            found = self._grown[resource, number] = self.state(resource, number).grown
        return found

    def power_losses(self, name: str, resource: int, number: int) -> tuple[int, ...]:
        """The states that a power loss can leave, in the order of `transition.lose_power`'s choices."""
        found = self._lost.get((resource, number))
        if found is None:
            found = self._lost[resource, number] = tuple(self._without_power(name, resource, number))
        return found

    def _without_power(self, name: str, resource: int, number: int) -> Iterator[int]:
        state = self.state(resource, number)
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
        key = (resource, number, event, argument)
        found = self._after.get(key)
        if found is None:
            state = self.state(resource, number).copy()
            getattr(state, event)(argument)
            found = self._after[key] = self.number(resource, state)
        return found

    def renamed(self, resource: int, number: int, names: Names) -> int:
        key = (resource, number, names)
        found = self._renamed.get(key)
        if found is None:
            found = self._renamed[key] = self.number(resource, self.state(resource, number).renamed(dict(names)))
        return found


class ResourceStates:
    """The states of each resource that one search has met, in the order in which the system names the resources."""

    def __init__(self, known: KnownStates, local_states: LocalStates, kinds: list[str]) -> None:
        states = [*known.initial_states.values()]
        self.known, self.asked = known, known.asked
        self.names = list(known.initial_states)
        self._local_states = local_states
        self._kinds = {None, *kinds}
        self._met: list[set[int]] = [set() for _ in states]
        self._counting = [_has(state, "counted") for state in states]
        self.grown = 0  # the largest of all counts
        self._effects: dict[Asked, tuple[Effect, ...]] = {}
        self.timed: list[int] = []  # the resources in which a timer has run, so far
        self.initial = tuple(self._meet(at, known.number(at, state)) for at, state in enumerate(states))
        self.clocks = [resource for resource, state in enumerate(states) if isinstance(state, ClockState)]
        self.owning = [  # the resources that react when a process is gone
            resource
            for resource, state in enumerate(states)
            if _has(state, "owner_gone") and getattr(state, "running", True)
        ]
        self.owned = [resource for resource in self.owning if _has(states[resource], "renamed")]

    def _meet(self, resource: int, number: int) -> int:
        """Note that this search has come to this state. Returns its number."""
        met = self._met[resource]
        if number not in met:
            met.add(number)
            if self._counting[resource]:
                self.grown = max(self.grown, self.known.grown(resource, number))
            if resource not in self.timed and self.state(resource, number).has_timers:
                bisect.insort(self.timed, resource)
        return number

    def state(self, resource: int, number: int) -> State:
        """The state itself; do not change it."""
        return self.known.state(resource, number)

    def world(self, numbers: tuple[int, ...]) -> dict[str, State]:
        return {name: self.state(resource, numbers[resource]) for resource, name in enumerate(self.names)}

    def effects(self, resource: int, number: int, op: int, who: str) -> tuple[Effect, ...]:
        """Every way in which this step can go in this state, with the kinds of fault that are on."""
        personal = resource in self.owned and self._is_personal(resource, number, op)
        key = (resource, number, op, who if personal else "")
        found = self._effects.get(key)
        if found is None:
            found = self._effects[key] = tuple(self._work_out(key, who))
        return found

    def _is_personal(self, resource: int, number: int, op: int) -> bool:
        """Whether this step can go otherwise in this state for another worker."""
        return self.state(resource, number).depends_on_who(self._local_states.ops.things[op])

    def _work_out(self, key: Asked, who: str) -> Iterator[Effect]:
        system, op, state = self._local_states.system, self._local_states.ops.things[key[2]], self.state(*key[:2])
        if state.choices(op) > MOST_OPTIONS:
            raise Mistake(
                f"{op.built_by(system.cast[who].name)}: "
                f"`{op}` has {state.choices(op):,} options, and explore tries every one. Give it a few that stand "
                "for the rest, or measure with simulate, which draws one."
            )
        for outcome in state.outcomes(op):
            if outcome.fault in self._kinds:
                effect = self.known.effect(system, key, op, who, outcome)
                if effect is not None:
                    self._meet(key[0], effect.state)
                    yield effect

    def power_losses(self, numbers: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Every world that can follow this one on a power loss, in the order of `transition.lose_power`'s choices."""
        survivors = [
            [self._meet(resource, left) for left in self.known.power_losses(name, resource, number)]
            for resource, (name, number) in enumerate(zip(self.names, numbers))
        ]
        return (world[::-1] for world in itertools.product(*reversed(survivors)))

    def timers(self, resource: int, number: int) -> tuple[Timer, ...]:
        return self.known.timers(resource, number)

    def after(self, resource: int, number: int, event: str, argument: object) -> int:
        """The state after an event that is not a step, such as `expire`, `owner_gone` or `advance`."""
        return self._meet(resource, self.known.after(resource, number, event, argument))

    def retry_ends(self, name: str) -> bool:
        """Whether what is handed back to this resource comes again only so often."""
        resource = self.names.index(name)
        return self.state(resource, self.initial[resource]).retries_end

    def renamed(self, resource: int, number: int, names: Names) -> int:
        """The state in which these workers, if it knows them, have other names."""
        return self._meet(resource, self.known.renamed(resource, number, names))


def _has(state: State, method: str) -> bool:
    """Whether this kind of state overrides the method."""
    return getattr(type(state), method) is not getattr(State, method)
