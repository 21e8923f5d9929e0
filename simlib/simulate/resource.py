"""A simulated resource: its state, its server if it has one, the steps that wait for it, and its operations."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from simlib.model.fault import OUTAGES
from simlib.model.operation import OK, Op, Outcome
from simlib.model.properties import Property
from simlib.model.state import State
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.simulate.clock import Alarm, Clock
from simlib.simulate.conditions import Conditions, Duration, checked
from simlib.simulate.server import Server

DOWN = Outcome(OUTAGES)


class Step(Alarm):
    """A worker's step in progress: the alarm at which it takes effect. `about` is the worker."""

    waits = False  # blocked until its resource changes
    until = math.inf  # when it gives up


class Resource:
    """A resource under conditions. `claims` are the properties that depend on it."""

    def __init__(
        self, name: str, state: State, conditions: Conditions, claims: tuple[Property, ...], clock: Clock
    ) -> None:
        self.name = name
        self.state = state
        self.claims = [claim for claim in claims if name in claim.parameters]
        self.is_watched = state.has_timers or bool(self.claims)  # a change has timers to start or properties to check
        self.arms = state.arms
        self.waiting: deque[Step] = deque()
        self.armed: set[Hashable] = set()  # timers that the clock is set for
        self.operations: dict[str, Operation] = {}  # by verb
        self.server: Server | None = None
        if name in conditions.capacity:
            self.server = Server(clock, conditions.capacity[name])
        if self.server is not None and name in conditions.stalled:
            self.server.stall(*conditions.stalled[name])
        self._conditions = conditions
        self._clock = clock
        self._chances = [(kind, chance) for kind, chance in conditions.chances_at(name).items() if chance]
        self._down = conditions.down.get(name, (0.0, 0.0))
        draws = type(state).choices is not State.choices
        self.may_go_otherwise = draws or bool(self._chances) or name in conditions.down

    def operation(self, verb: str) -> Operation:
        """The operation of this verb: set up once, not at every step."""
        found = self.operations.get(verb)
        if found is None:
            found = self.operations[verb] = self._operation(verb)
        return found

    def _operation(self, verb: str) -> Operation:
        name, state = f"{self.name}.{verb}", self.state
        latency, is_clock = self._conditions.latency_of(name), isinstance(state, ClockState)
        handler, sleeps = state.handler(verb), False
        if is_clock:
            sleeps = verb == "sleep"
            handler = _sleep if sleeps else lambda who: float(self._clock.now)
        receives, sends = verb == "receive", isinstance(state, QueueState) and verb == "send"
        latency = latency if callable(latency) else checked(latency)
        is_plain = self.server is None and not self._conditions.timeout
        return Operation(
            self, handler, state.direct(verb), latency, latency if is_plain and not callable(latency) else 0.0,
            self._conditions.timeout_of(name), is_plain, is_plain and not self.may_go_otherwise and not is_clock,
            sleeps, receives, sends, receives or sends, state.can_begin, self.server is not None or receives or sends,
        )  # fmt: skip

    def is_down(self) -> bool:
        """Whether it is unreachable now."""
        since, until = self._down
        return since <= self._clock.now < until

    def outcome(self, op: Op, chance: random.Random) -> Outcome:
        """How this step goes: normally, or with a fault."""
        if self.is_down():
            return DOWN
        for kind, likely in self._chances:
            ways = self.state.ways(op, kind)
            first = next(ways, None)
            if first is not None and chance.random() < likely:
                return chance.choice([first, *ways])
        choices = self.state.choices(op)
        return Outcome(None, chance.randrange(choices)) if choices > 1 else OK


def end_process(resources: Iterable[Resource], who: str) -> list[Resource]:
    """Tell each resource that this worker's process has ended. Returns those that this has freed for others."""
    freed = []
    for resource in resources:
        before = resource.state.key() if resource.state.frees else None
        resource.state.owner_gone(who)
        if before is not None and resource.state.key() != before:
            freed.append(resource)
    return freed


@dataclass(slots=True, eq=False)
class Operation:
    """Everything that steps of one verb have in common."""

    resource: Resource
    handler: Callable[..., Any]
    direct: Callable[..., Any]  # the same for the lean loop: it answers WAITS rather than raise Blocked
    latency: Duration
    delay: float  # the same, if a step takes just that, and it is neither drawn nor 0
    timeout: float | None
    is_plain: bool  # takes its latency and nothing else: no server, no timeouts
    is_lean: bool  # and nothing can come of it but what its handler does
    sleeps: bool
    receives: bool
    sends: bool
    queues: bool  # it receives or sends
    can_begin: Callable[[Op], bool]  # whether others may see it wait
    is_noted: bool  # its answer counts towards load or tasks


def _sleep(who: str, seconds: float) -> None:
    """Nothing is left to do: the time has already passed."""
