"""One resource's place in a simulation, and how each of its steps goes there."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from simlib.model.operation import OK, Op, Outcome
from simlib.model.properties import Property
from simlib.model.resource import State
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.simulate.conditions import Conditions, Duration, checked
from simlib.simulate.servers import Server
from simlib.simulate.worker import Due

NO_TIME = 0.0


class Place:
    """A resource: its state, who waits for it to change, and what is claimed of it."""

    def __init__(self, name: str, state: State, conditions: Conditions, claims: tuple[Property, ...]) -> None:
        self.name = name
        self.state = state
        self.claims = [claim for claim in claims if name in claim.parameters]
        self.waiting: deque[Due] = deque()
        self.is_watched = state.has_timers or bool(self.claims)  # something is to be seen to when it changes
        self.armed: set[Hashable] = set()  # the timers for which the clock is set
        self.minds_owners = type(state).owner_gone is not State.owner_gone
        self.server: Server | None = None
        self.ways: dict[str, Way] = {}  # by verb
        self._conditions = conditions
        self._risks = [(kind, chance) for kind, chance in conditions.chances.items() if chance]
        self._down = conditions.down.get(name, (NO_TIME, NO_TIME))
        draws = type(state).choices is not State.choices
        self.may_go_otherwise = draws or bool(self._risks) or name in conditions.down

    def new_way(self, op: Op) -> Way:
        """How this step goes here."""
        way = self.ways[op.verb] = Way(self, op, self._conditions)
        return way

    def is_down(self, now: float) -> bool:
        since, until = self._down
        return since <= now < until

    def outcome(self, op: Op, now: float, chance: random.Random) -> Outcome:
        """How the step goes this time."""
        if self.is_down(now):
            return DOWN
        state = self.state
        for kind, likely in self._risks:
            ways = state.ways(op, kind)
            first = next(ways, None)
            if first is not None and chance.random() < likely:
                return chance.choice([first, *ways])
        choices = state.choices(op)
        return Outcome(None, chance.randrange(choices)) if choices > 1 else OK


class Way:
    """What is the same for all steps of one name: looked up once, and not a hundred thousand times."""

    __slots__ = (
        "carry_out", "is_noted", "is_plain", "latency", "name", "patience", "place", "queues", "receives",
        "sends", "sleeps",
    )  # fmt: skip

    def __init__(self, place: Place, op: Op, conditions: Conditions) -> None:
        self.name = op.name
        self.place = place
        latency = conditions.latency_of(op.name)
        self.latency: Duration = latency if callable(latency) else checked(latency)
        self.patience = conditions.timeout_of(op.name)
        self.is_plain = place.server is None and not conditions.timeout  # nothing but time passes on the way
        self.receives = op.verb == "receive"
        self.sends = isinstance(place.state, QueueState) and op.verb == "send"
        self.queues = self.receives or self.sends
        self.is_noted = place.server is not None or self.receives or self.sends  # its answer tells more
        self.sleeps = isinstance(place.state, ClockState) and op.verb == "sleep"
        self.carry_out: Callable[..., Any] = _sleep if self.sleeps else place.state.handler(op.verb)


def _sleep(who: str, seconds: float) -> None:
    """Its time has passed on the way."""


DOWN = Outcome("outages")
