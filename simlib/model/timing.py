"""Time as order: what must have passed at least, so that whoever sleeps longer than a lease has lost it.

Steps take no time here; sleeps and timers do. A timer remembers how long it has been running at least, and how long it
had been running when each sleeper fell asleep. A sleep that ends after the timer lets it run out first, unless its
owner could act meanwhile: then it would renew, release or acknowledge, and only a pause keeps it from that.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from simlib.model.operation import Op


class Slept(NamedTuple):
    """A sleep that is over: who slept, for how many seconds, and who could have acted meanwhile."""

    who: str
    seconds: float
    busy: frozenset[str]


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How long a timer has been running: `least` seconds by what its owner has waited, `aged` by the clock. `asleep`
    has, for each worker asleep now, how long it had been running when that worker fell asleep.
    """

    least: float = 0
    aged: float = 0
    asleep: tuple[tuple[str, float], ...] = ()

    def fell_asleep(self, who: str) -> Elapsed:
        return replace(self, asleep=tuple(sorted((*self._others(who), (who, self.least)))))

    def woke(self, sleep: Slept, owner: str | None, most: float) -> Elapsed:
        since = dict(self.asleep).get(sleep.who)
        least = self.least
        if since is not None and owner not in sleep.busy:
            least = min(most, max(least, since + sleep.seconds))
        return replace(self, least=least, asleep=self._others(sleep.who))

    def later(self, seconds: float, most: float) -> Elapsed:
        return replace(self, aged=min(most, self.aged + seconds))

    def gone(self, who: str | None) -> Elapsed:
        return replace(self, asleep=() if who is None else self._others(who))

    def renamed(self, names: Mapping[str, str]) -> Elapsed:
        return replace(self, asleep=tuple(sorted((names.get(who, who), since) for who, since in self.asleep)))

    def _others(self, who: str) -> tuple[tuple[str, float], ...]:
        return tuple(one for one in self.asleep if one[0] != who)


JUST_NOW = Elapsed()


class Timer(NamedTuple):
    """Something that happens by itself unless it is prevented in time: the end of a lease or a visibility timeout."""

    id: Hashable
    owner: str | None  # the worker it is about; None when that process is gone
    seconds: float
    label: str  # "lease", "visibility timeout of inbox-1"
    elapsed: Elapsed = JUST_NOW
    armed: Hashable = 0  # differs each time it is started: tells a clock which wake-ups are stale


def sleeps(op: Op | None) -> bool:
    """Whether this step is a sleep, or waits for a message for a limited time."""
    return op is not None and (op.verb == "sleep" or waits(op))


def waits(op: Op | None) -> bool:
    """Whether this step waits for a message, and gives up after a time."""
    return op is not None and op.verb == "receive" and "wait" in op.kwargs


def seconds(op: Op) -> float:
    """How long such a step lasts if nothing ends it."""
    return float(op.kwargs["wait"] if waits(op) else op.args[0])


def ends_within(timer: Timer, sleepers: Mapping[str, float], busy: Collection[str]) -> bool:
    """Whether it can run out during one of these sleeps, given in seconds by sleeper, while its owner cannot act."""
    if timer.owner in busy:
        return False
    since = dict(timer.elapsed.asleep)
    return any(since.get(who, 0) + seconds >= timer.seconds for who, seconds in sleepers.items())


def ends_before(timer: Timer, who: str, seconds: float, busy: Collection[str]) -> bool:
    """Whether it must have run out before this worker has slept for so many seconds."""
    since = dict(timer.elapsed.asleep).get(who)
    return since is not None and timer.owner not in busy and since + seconds >= timer.seconds
