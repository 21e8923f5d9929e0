"""The conditions of a simulation: how long things take and how often they fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, log
from typing import TypedDict

from simlib.arguments import above_zero, as_number, number, whole_number
from simlib.errors import Mistake
from simlib.model.fault import (
    CRASHES,
    DISK_FULL,
    LOST_REPLIES,
    NODE_LOSSES,
    OUTAGES,
    PAUSES,
    POWER_LOSSES,
    REDELIVERIES,
    REJECTIONS,
    STOPS,
)
from simlib.schedule.budget import LIMITS, Staff
from simlib.text import did_you_mean, listed, name_of, show, span

Duration = float | Callable[[random.Random], float]  # seconds, or a function that draws them
Likely = float | Mapping[str, float]  # a chance or a rate: everywhere, or by the name of what it strikes

DAY = 86_400.0
CHANCES = {  # by fault, in the order of the draws
    REDELIVERIES: "redelivery_chance",
    OUTAGES: "outage_chance",
    LOST_REPLIES: "lost_reply_chance",
    REJECTIONS: "rejection_chance",
    DISK_FULL: "disk_full_chance",
}
RATES = {kind: f"{kind}_per_day" for kind in (CRASHES, PAUSES, POWER_LOSSES, STOPS)}
NOT_AIMED = (RATES[POWER_LOSSES],)  # it strikes the whole machine
# What to say to an argument of the other engine.
MEASURED = {
    **{kind: f"That is a count, for explore. simulate takes a probability per operation: {name}=0.01."
       for kind, name in CHANCES.items()},
    **{kind: f"That is a count, for explore. simulate takes a rate: {name}=10." for kind, name in RATES.items()},
    NODE_LOSSES: "Only explore loses a node.",
    **dict.fromkeys(LIMITS, "That is a limit of explore. simulate takes hours=1."),
}  # fmt: skip
COUNTED = {
    **{name: f"That is a probability, for simulate. explore takes a count: {kind}=1."
       for kind, name in CHANCES.items()},
    **{name: f"That is a rate, for simulate. explore takes a count: {kind}=1." for kind, name in RATES.items()},
}  # fmt: skip


class Weather(Staff, total=False):
    """The conditions that every picture of production passes on to `simulate`; see Conditions."""

    arrivals: Duration | Mapping[str, Duration] | None
    latency: Duration | Mapping[str, Duration]
    restart: Duration
    pauses_per_day: Likely
    pause: Duration
    power_losses_per_day: float
    capacity: Mapping[str, int] | None
    timeout: Mapping[str, float] | None
    down: Mapping[str, tuple[float, float]] | None
    stalled: Mapping[str, tuple[float, float]] | None
    redelivery_chance: Likely
    outage_chance: Likely
    lost_reply_chance: Likely
    rejection_chance: Likely
    disk_full_chance: Likely
    stops_per_day: Likely


class CrashRate(TypedDict, total=False):
    """How often each worker crashes."""

    crashes_per_day: Likely


class Length(TypedDict, total=False):
    """How long a run is: simulated hours, or until a property is violated."""

    hours: float
    until_violation: bool


class Recorded(TypedDict, total=False):
    """Whether the run keeps its events."""

    trace: bool


class Seed(TypedDict, total=False):
    """The seed of every random draw."""

    seed: int


class Production(Length, Weather, CrashRate, Recorded, total=False):
    """Everything that a function passes on to `simulate` if it sets the seeds itself."""


@dataclass(frozen=True)
class Exponential:
    """Draws with this mean. A class, not a closure, so that a picture can print it and a process pool can pickle it."""

    mean: float

    def __call__(self, chance: random.Random) -> float:
        return -log(1.0 - chance.random()) / (1 / self.mean)  # the same digits as `chance.expovariate`, but faster

    def __repr__(self) -> str:
        return f"exponential({self.mean:g})"


def exponential(mean: float) -> Exponential:
    """Exponential durations, `mean` seconds on average: memoryless, like independent arrivals and failures."""
    found = as_number(mean)
    if found is None or found <= 0:
        raise Mistake(f"exponential({show(mean)}): the mean is a number of seconds above 0.")
    return Exponential(found)


def draw(duration: Duration, chance: random.Random) -> float:
    """A duration in seconds. Raises Mistake if it is not a number from 0 on."""
    seconds = duration(chance) if callable(duration) else duration
    return seconds if type(seconds) is float and 0.0 <= seconds < inf else checked(seconds)  # most are


def checked(seconds: float) -> float:
    """`seconds`, checked. Raises Mistake if it is not a number from 0 on."""
    found = as_number(seconds)
    if found is None or not 0 <= found < inf:
        raise Mistake(f"{show(seconds)} is no duration: give seconds, 0 or more, or a function of a random.Random.")
    return float(found)


@dataclass(frozen=True)
class Conditions:
    """Durations in seconds, rates of machines per day, and chances per operation.

    `latency` is how long a step takes: one duration, or a dict by `"bank.call"`, `"bank"` or `"*"` (the rest;
    0.01 s if it is left out).

    `arrivals` is the interarrival time of tasks: one duration, or a dict by queue, or by the name of a worker that has
    no queue. Without a queue, a task goes to an idle worker, and counts as a "refused task" if all are busy. Without
    `arrivals`, each worker does its task once, or the messages that the scenario starts with. Crashes, pauses and
    stops (SIGTERM) strike each worker, power losses all of them, at random and independently of what the workers do.

    `capacity` is how many requests a resource serves at a time; the others queue. `timeout` is how long a client waits
    for a reply, by resource or step, before it gets OutcomeUnknown. Its request still takes effect, and under a
    capacity it keeps its place in the queue: a server does not know that its client has gone. `down` is from when to
    when, in seconds, a resource is unreachable: its steps raise Unavailable. `stalled` is from when to when one with a
    capacity accepts requests and starts on none.

    `outage_chance` and the other chances, from 0 to 1, apply to each operation that such a fault can strike; by name,
    `outage_chance={"lock": 0.01}`, to those at that resource. `crashes_per_day={"relay": 10}`, `pauses_per_day`
    and `stops_per_day` strike the workers that run that function.
    """

    hours: float = 1.0
    latency: Duration | Mapping[str, Duration] = 0.01
    arrivals: Duration | Mapping[str, Duration] | None = None
    crashes_per_day: Likely = 0.0
    power_losses_per_day: float = 0.0
    restart: Duration = 5.0
    pauses_per_day: Likely = 0.0
    pause: Duration = 60.0
    capacity: Mapping[str, int] = field(default_factory=dict)
    timeout: Mapping[str, float] = field(default_factory=dict)
    down: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    stalled: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    redelivery_chance: Likely = 0.0
    outage_chance: Likely = 0.0
    lost_reply_chance: Likely = 0.0
    rejection_chance: Likely = 0.0
    disk_full_chance: Likely = 0.0
    stops_per_day: Likely = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "hours", above_zero("hours", self.hours))
        for name in RATES.values():
            self._check_likely(name, inf, by_name=name not in NOT_AIMED)
        for name in CHANCES.values():
            self._check_likely(name, 1)
        latencies = self.latency.values() if isinstance(self.latency, Mapping) else [self.latency]
        for duration in (self.restart, self.pause, *latencies):
            if not callable(duration):
                checked(duration)
        self._check_servers()

    def _check_likely(self, name: str, most: float, by_name: bool = True) -> None:
        value = getattr(self, name)
        checked: Likely = (
            {at: number(f"{name} of {at}", one, 0, most) for at, one in value.items()}
            if by_name and isinstance(value, Mapping)
            else number(name, value, 0, most)
        )
        object.__setattr__(self, name, checked)

    def _check_servers(self) -> None:
        given = {"capacity": self.capacity, "timeout": self.timeout, "down": self.down, "stalled": self.stalled}
        for name, value in given.items():
            if not isinstance(value, Mapping):
                example = {"capacity": 4, "timeout": 2}.get(name, (60, 120))
                raise Mistake(f"{name}={show(value)}: say of which resource: {name}={{'bank': {example}}}.")
        for resource, places in self.capacity.items():
            whole_number(f"capacity of {resource}", places, 1, of=" of requests")
        for resource, seconds in self.timeout.items():
            above_zero(f"timeout of {resource}", seconds, of=" of seconds")
        for resource in self.stalled:
            if resource not in self.capacity:
                raise Mistake(f"stalled: {resource} has no line to wait in. Give it a capacity={{'{resource}': 4}}.")
        for resource, when in [*self.down.items(), *self.stalled.items()]:
            between = [*map(as_number, when)] if isinstance(when, (tuple, list)) else []
            if len(between) != 2 or None in between or not 0 <= when[0] < when[1]:
                raise Mistake(
                    f"{resource}: {show(when)}: give from when to when in seconds: {{'{resource}': (60, 120)}}."
                )

    def check_names(self, resources: Iterable[str], roles: Iterable[str]) -> None:
        """Raise Mistake if a condition names a resource or a worker's function that does not exist."""
        names = [*resources, "*"]
        for condition, what, known in (
            *((name, "resource", names[:-1]) for name in CHANCES.values()),
            *((name, "worker", [*roles]) for name in RATES.values()),
        ):
            likely = getattr(self, condition)
            for at in likely if isinstance(likely, Mapping) else ():
                if at not in known:
                    near = did_you_mean(str(at), known)
                    raise Mistake(f"{condition} of `{at}`: there is no such {what}, but {listed(known)}.{near}")
        latency = self.latency if isinstance(self.latency, Mapping) else ()
        given = {"latency": latency, "capacity": self.capacity, "timeout": self.timeout, "down": self.down}
        for what, keys in given.items():
            for key in keys:
                if key.partition(".")[0] not in (names if what == "latency" else names[:-1]):
                    near = did_you_mean(key, names)
                    there = f"there are {listed(names)}, and steps such as `bank.call`."
                    raise Mistake(f"{what} of `{key}`: {there}{near}")

    def latency_of(self, name: str) -> Duration:
        """The latency of the step `bank.call`."""
        if not isinstance(self.latency, Mapping):
            return self.latency
        for key in (name, name.partition(".")[0], "*"):
            if key in self.latency:
                return self.latency[key]
        return 0.01

    def timeout_of(self, name: str) -> float | None:
        """How long a client waits for the step `bank.call`; None: forever."""
        return self.timeout.get(name, self.timeout.get(name.partition(".")[0]))

    def chances_at(self, resource: str) -> dict[str, float]:
        """The chance of each fault at this resource, by the fault's name."""
        return {kind: likely_at(getattr(self, name), resource) for kind, name in CHANCES.items()}

    def rate_of(self, kind: str, role: str) -> float:
        """How often a day a fault of this kind strikes a worker of this role, or, without one, the machine."""
        return likely_at(getattr(self, RATES[kind]), role)

    def __str__(self) -> str:
        """Every condition that was set, for a picture's small print."""
        plain = Conditions()
        said = [span(self.hours * 3_600)]
        for name, value in vars(self).items():
            if name != "hours" and value != getattr(plain, name):
                said.append(f"{name.replace('_', ' ')} {_bare(value)}")
        return ", ".join(said)


def likely_at(likely: Likely, name: str) -> float:
    """This chance or rate there."""
    return likely.get(name, 0.0) if isinstance(likely, Mapping) else likely


def _bare(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{'else' if key == '*' else key} {_bare(one)}" for key, one in value.items())
    if isinstance(value, (tuple, list)):
        return " to ".join(map(_bare, value))
    found = as_number(value)
    if found is not None:
        return f"{found:g}"
    if isinstance(value, Exponential):
        return repr(value)
    return name_of(value) if hasattr(value, "__name__") else "a function"
