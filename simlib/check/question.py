"""A question to the checker, and what the searches for its answer share."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial

from simlib.check.findings import Carry
from simlib.check.learned import Sharing
from simlib.check.local_states import LocalStates
from simlib.check.property_answers import PropertyAnswers
from simlib.check.resource_states import ResourceStates
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.model.system import System
from simlib.schedule.budget import Budget, Limits

MOST_USUAL_COUNT = 10  # tokens or deliveries; with more, something may loop forever


@dataclass(frozen=True)
class Question:
    """What is asked, and what the searches for its answer share: what workers and resources do is computed once."""

    system: System
    budget: Budget
    limits: Limits
    location: FaultLocation | Overtaking | None
    carried: frozenset[str]  # what else states carry: "time", and the "order" of acknowledgements
    floor: float | None  # counts above it are merged if they differ only in size; None: no counts are
    anonymous: bool  # whether the values that locks make up leave out the holder's name
    deadline: float  # of all searches for the answer together
    local_states: LocalStates
    resource_states: ResourceStates
    property_answers: PropertyAnswers

    @classmethod
    def about(
        cls,
        system: System,
        budget: Budget,
        limits: Limits,
        *,
        sharing: Sharing | None = None,
        merge: bool = True,
        location: FaultLocation | Overtaking | None = None,
        carried: frozenset[str] = frozenset(),
        floor: float | None = None,
        anonymous: bool = False,
        deadline: float = math.inf,
    ) -> Question:
        step = (location.name, location.nth) if isinstance(location, FaultLocation) else None
        learned = (sharing or Sharing()).learned(system, carried, anonymous)
        local_states = LocalStates(system, learned.behaviour(system, merge), limits.steps, step)
        resource_states = ResourceStates(learned.resources, local_states, budget.kinds)
        property_answers = PropertyAnswers(system, resource_states, partial(learned.answers, system, floor))
        return cls(
            system,
            budget,
            limits,
            location,
            carried,
            floor,
            anonymous,
            deadline,
            local_states,
            resource_states,
            property_answers,
        )

    @property
    def merges_counts(self) -> bool:
        return self.floor is not None and self.floor < math.inf

    def check_growth(self) -> None:
        """Raise Carry if a count keeps growing, so that a loop may never come back to where it was."""
        if self.floor is None and self.resource_states.grown > MOST_USUAL_COUNT + self.budget.total:
            raise Carry("counts")


def deadline(limits: Limits) -> float:
    """When a search that begins now has to be over, in `time.monotonic` seconds."""
    return math.inf if limits.seconds is None else time.monotonic() + limits.seconds
