"""Memoises what each property answers, and asks again at the end, since a question has one answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from simlib.check.counters import Counters
from simlib.check.encoding import Numbers
from simlib.check.findings import Carry
from simlib.check.resource_states import ResourceStates
from simlib.check.symmetry import NotAlike, renamings
from simlib.errors import NotDeterministic
from simlib.model.properties import Property
from simlib.model.state import State
from simlib.model.system import System
from simlib.resources.advisory_lock import AdvisoryLockState
from simlib.resources.lock import LockState


class Answers(NamedTuple):
    """A property's verdicts by the states of the resources that it looks at, and which of them it was asked again."""

    known: dict[Numbers, bool]
    audited: set[Numbers]


class Claim(NamedTuple):
    """A property, the indices of the resources that it looks at, and what it has answered."""

    claim: Property
    resources: list[int]
    answers: Answers


class PropertyAnswers:
    """Shared by all searches for one answer, so that none gets a different verdict. `answers` are known already."""

    def __init__(self, system: System, resource_states: ResourceStates, answers: Callable[[Property], Answers]) -> None:
        self._system = system
        self._resource_states = resource_states
        self._answers = answers
        self.always = self._claims(system.always)
        self.eventually = self._claims(system.eventually)
        self.sometimes = self._claims(system.sometimes)

    def _claims(self, claims: Sequence[Property]) -> list[Claim]:
        names = self._resource_states.names
        return [
            Claim(claim, [names.index(name) for name in names if name in claim.parameters], self._answers(claim))
            for claim in claims
        ]

    def holds(self, claim: Claim, world: Numbers, counts: Counters | None) -> bool:
        """Whether this is true of a world. Raises NotAlike if that depends on the holder's name that a lock's made-up
        value leaves out, and Carry if it depends on the size of a count, or on an order, which states do not carry.
        """
        part = tuple([world[resource] for resource in claim.resources])
        verdict = claim.answers.known.get(part)
        if verdict is None:
            verdict = claim.answers.known[part] = self._ask(claim, part, counts)
        return verdict

    def _ask(self, claim: Claim, part: Numbers, counts: Counters | None) -> bool:
        seen, cast = self._seen(claim, part), self._system.cast
        verdict = self._system.holds(claim.claim, seen)
        if self._resource_states.asked:
            raise Carry(self._resource_states.asked.pop())
        if counts is not None and counts.change(claim.claim, seen, self._system.holds):
            raise Carry("counts")
        nameless = [name for name, state in seen.items() if isinstance(state, LockState) and state.is_made_up]
        for names in itertools.product(cast, repeat=len(nameless)) if nameless else ():
            held = {lock: seen[lock].held_by(who) for lock, who in zip(nameless, names)}
            if self._system.holds(claim.claim, {**seen, **held}) != verdict:
                raise NotAlike
        for renamed in self._renamed(seen):
            if self._system.holds(claim.claim, {**seen, **renamed}) != verdict:
                raise NotAlike
        return verdict

    def _renamed(self, seen: dict[str, Any]) -> Iterator[dict[str, State]]:
        """What this stands for, where it shows whose session holds a lock: the same with others in his place."""
        states = {name: state for name, state in seen.items() if isinstance(state, State)}
        locks = [state for state in states.values() if isinstance(state, AdvisoryLockState) and state.anonymous]
        holders = {lock.holder for lock in locks if lock.holder is not None}
        for names in renamings(self._system, holders) if holders else ():
            yield {name: state.renamed(names) for name, state in states.items()}

    def _seen(self, claim: Claim, part: Numbers) -> dict[str, Any]:
        names, resource_states = self._resource_states.names, self._resource_states
        states = {
            names[resource]: resource_states.state(resource, number) for resource, number in zip(claim.resources, part)
        }
        return {**self._system.values, **states}

    def audit(self) -> None:
        """Ask everything twice more, the newest first. Raises NotDeterministic if a property answers differently: it
        remembers, or reads something that it is not given.
        """
        for claim in (*self.always, *self.eventually, *self.sometimes):
            for part, first in reversed(claim.answers.known.items()):
                if part in claim.answers.audited:
                    continue
                claim.answers.audited.add(part)
                self._system.watchdog.heed()
                seen = self._seen(claim, part)
                for _ in range(2):  # one that counts its calls may agree once by chance
                    if self._system.holds(claim.claim, seen) != first:
                        raise NotDeterministic(claim.claim.two_answers(first, seen))
