"""What production is like in a simulation: how long things take, how often they go wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from simlib.errors import Mistake
from simlib.values import did_you_mean, listed, show

Duration = float | Callable[[random.Random], float]  # seconds, or a draw of them

DAY = 86_400.0


def exponential(mean: float) -> Callable[[random.Random], float]:
    """Waiting times without a memory, `mean` seconds on average: what independent arrivals and failures look like."""
    if not mean > 0:
        raise Mistake(f"exponential({show(mean)}): the mean is a number of seconds above 0.")
    return lambda chance: chance.expovariate(1 / mean)


def draw(duration: Duration, chance: random.Random) -> float:
    """So many seconds. Raises Mistake where that is no number from 0 on."""
    seconds = duration(chance) if callable(duration) else duration
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < float("inf"):
        raise Mistake(f"{show(seconds)} is no duration: give seconds, 0 or more, or a function of a random.Random.")
    return float(seconds)


@dataclass(frozen=True)
class Conditions:
    """Durations in seconds, rates of machines per day, and chances per operation.

    `latency` is how long a step takes: one duration, or a dict by `"bank.call"`, `"bank"` or `"*"` (the rest).
    `arrivals` is the time between new tasks: one duration, or a dict by queue. Without, only the messages that the
    scenario begins with. Crashes and pauses strike each worker, power losses all of them; each at random and
    independently of what the worker is doing.
    """

    hours: float = 1.0
    latency: Duration | Mapping[str, Duration] = 0.01
    arrivals: Duration | Mapping[str, Duration] | None = None
    crashes_per_day: float = 0.0
    power_losses_per_day: float = 0.0
    restart: Duration = 5.0
    pauses_per_day: float = 0.0
    pause: Duration = 60.0
    chances: Mapping[str, float] = field(default_factory=dict)  # by fault: of each operation that it can strike

    def __post_init__(self) -> None:
        if not isinstance(self.hours, (int, float)) or not self.hours > 0:
            raise Mistake(f"hours={show(self.hours)}: simulate for more than 0 hours.")
        for name in ("crashes_per_day", "power_losses_per_day", "pauses_per_day"):
            if not isinstance(getattr(self, name), (int, float)) or not getattr(self, name) >= 0:
                raise Mistake(f"{name}={show(getattr(self, name))}: a rate is 0 or more.")
        latencies = self.latency.values() if isinstance(self.latency, Mapping) else [self.latency]
        for duration in (self.restart, self.pause, *latencies):
            if not callable(duration):
                draw(duration, random.Random())
        for fault, chance in self.chances.items():
            if not isinstance(chance, (int, float)) or not 0 <= chance <= 1:
                raise Mistake(f"{fault}={show(chance)}: in simulate this is a chance per operation, from 0 to 1.")

    def check_names(self, resources: Iterable[str]) -> None:
        """Raise Mistake for a latency of something that is not there."""
        names = [*resources, "*"]
        for key in self.latency if isinstance(self.latency, Mapping) else ():
            if key.partition(".")[0] not in names:
                near = did_you_mean(key, names)
                raise Mistake(f"latency of `{key}`: there are {listed(names)}, and steps such as `bank.call`.{near}")

    def latency_of(self, name: str) -> Duration:
        """How long the step `bank.call` takes."""
        if not isinstance(self.latency, Mapping):
            return self.latency
        for key in (name, name.partition(".")[0], "*"):
            if key in self.latency:
                return self.latency[key]
        return 0.01
