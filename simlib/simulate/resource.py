"""A resource in a simulation: its state, its server if it has one, who waits for it to change, and its operations."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from simlib.model.fault import OUTAGES
from simlib.model.operation import OK, Op, Outcome
from simlib.model.properties import Property
from simlib.model.resource import State
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.simulate.clock import Alarm, Clock
from simlib.simulate.conditions import Conditions, Duration, checked
from simlib.simulate.server import Server

DOWN = Outcome(OUTAGES)


class Step(Alarm):
    """A worker's step under way: the alarm at which it takes effect. It is about its worker."""

    waits = False  # it goes on when its resource changes


class Resource:
    """A resource under conditions. `claims` are the properties that look at it."""

    def __init__(
        self, name: str, state: State, conditions: Conditions, claims: tuple[Property, ...], clock: Clock
    ) -> None:
        self.name = name
        self.state = state
        self.claims = [claim for claim in claims if name in claim.parameters]
        self.is_watched = state.has_timers or bool(self.claims)  # something is to be seen to when it changes
        self.waiting: deque[Step] = deque()
        self.armed: set[Hashable] = set()  # the timers for which the clock is set
        self.operations: dict[str, Operation] = {}  # by verb
        self.server: Server | None = None
        if name in conditions.capacity:
            self.server = Server(clock, conditions.capacity[name])
        if self.server is not None and name in conditions.stalled:
            self.server.stall(*conditions.stalled[name])
        self._conditions = conditions
        self._clock = clock
        self._chances = [(kind, chance) for kind, chance in conditions.chances.items() if chance]
        self._down = conditions.down.get(name, (0.0, 0.0))
        draws = type(state).choices is not State.choices
        self.may_go_otherwise = draws or bool(self._chances) or name in conditions.down

    def operation(self, op: Op) -> Operation:
        """How steps of this name go here: looked up once, and not a hundred thousand times."""
        latency, state = self._conditions.latency_of(op.name), self.state
        handler, sleeps = state.handler(op.verb), False
        if isinstance(state, ClockState):
            sleeps = op.verb == "sleep"
            handler = _sleep if sleeps else lambda who: float(self._clock.now)
        receives, sends = op.verb == "receive", isinstance(state, QueueState) and op.verb == "send"
        found = self.operations[op.verb] = Operation(
            self, handler, latency if callable(latency) else checked(latency), self._conditions.timeout_of(op.name),
            self.server is None and not self._conditions.timeout, sleeps, receives, sends,
            self.server is not None or receives or sends,
        )  # fmt: skip
        return found

    def is_down(self) -> bool:
        """Whether it is not there just now."""
        since, until = self._down
        return since <= self._clock.now < until

    def outcome(self, op: Op, chance: random.Random) -> Outcome:
        """How the step goes this time."""
        if self.is_down():
            return DOWN
        for kind, likely in self._chances:
            ways = self.state.ways(op, kind)
            first = next(ways, None)
            if first is not None and chance.random() < likely:
                return chance.choice([first, *ways])
        choices = self.state.choices(op)
        return Outcome(None, chance.randrange(choices)) if choices > 1 else OK


@dataclass(slots=True, eq=False)
class Operation:
    """What is the same for all steps of one name."""

    resource: Resource
    handler: Callable[..., Any]
    latency: Duration
    timeout: float | None
    is_plain: bool  # nothing but time passes on the way
    sleeps: bool
    receives: bool
    sends: bool
    is_noted: bool  # its answer tells of load, or of tasks


def _sleep(who: str, seconds: float) -> None:
    """Its time has passed on the way."""
