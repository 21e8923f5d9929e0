"""What the searches of one question have learned of a scenario's workers and resources, for the next one to look up."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

from simlib.check.behaviour import Behaviour, Interned, functions
from simlib.check.property_answers import Answers
from simlib.check.resource_states import KnownStates
from simlib.model.properties import Property
from simlib.model.system import System
from simlib.resources.advisory_lock import AdvisoryLock, AdvisoryLockState
from simlib.resources.clock import ClockState
from simlib.resources.lock import Lock, LockState
from simlib.resources.queue import QueueState


class Sharing:
    """Searches with the same resources and values share what they learn as long as this is open: in one question, and
    no longer, since the code of a worker may change between two.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self._known: dict[tuple[frozenset[str], bool], Learned] = {}

    def learned(self, system: System, carried: frozenset[str], anonymous: bool) -> Learned:
        """What is known so far. See `Question` for what states carry, and what locks leave out."""
        key = (carried, anonymous and has_locks(system))
        found = self._known.get(key) or Learned(system, *key)
        if not self.is_closed:
            self._known[key] = found
        return found

    def close(self) -> None:
        """Forget everything."""
        self.is_closed = True
        self._known.clear()


class Learned:
    """Shared by searches whose resources are the same, and carry the same."""

    def __init__(self, system: System, carried: frozenset[str], anonymous: bool) -> None:
        states, asked = system.states(), set[str]()
        for state in states.values():
            if isinstance(state, ClockState):
                state.running = "time" in carried
            elif isinstance(state, QueueState):
                state.ordered = "order" in carried
                state.order_is_asked = None if state.ordered else partial(asked.add, "order")
            elif isinstance(state, (LockState, AdvisoryLockState)):
                state.anonymous = anonymous
        self._ops, self._answers = Interned(), Interned()
        self._behaviours: dict[Hashable, Behaviour] = {}
        self._property_answers: dict[Hashable, Answers] = {}
        self.resources = KnownStates(states, self._answers, asked)

    def behaviour(self, system: System, merge: bool) -> Behaviour:
        """What is known of the system's workers; nothing, if something that they can reach has changed since."""
        key = (functions(system), merge)
        found = self._behaviours.get(key)
        if found is None or found.is_stale():
            found = self._behaviours[key] = Behaviour(system, self._ops, self._answers, merge)
        return found

    def answers(self, system: System, floor: float | None, claim: Property) -> Answers:
        """What a property has answered, in searches with the same workers that merge the same counts."""
        key = (claim, floor, tuple(system.cast.items()))
        return self._property_answers.setdefault(key, Answers({}, set()))


def has_locks(system: System) -> bool:
    """Whether values that a resource makes up may say who holds it."""
    return any(isinstance(resource, (Lock, AdvisoryLock)) for resource in system.resources.values())
