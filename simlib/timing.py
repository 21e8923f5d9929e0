"""Time as an order: what must have passed at least, so that whoever sleeps longer than a lease has lost it.

Steps take no time here; sleeps and timers do. A timer remembers how long it has been running at least, and how long it
had been running when somebody fell asleep. A sleep that reaches beyond its end lets it run out first, unless its owner
could act meanwhile: then it would renew, release or acknowledge, and only a pause keeps it from that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simlib.ops import Op
    from simlib.resources.base import State, Timer


class Slept(NamedTuple):
    """A worker has slept: who, for how many seconds, and who could have acted then."""

    who: str
    seconds: float
    busy: frozenset[str]


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How long a timer has been running: `least` seconds by what its owner has waited, `aged` by the clock. Of each
    worker who is asleep since then, `asleep` has how long it had been running before.
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


def sleeps(op: Op | None) -> bool:
    """Whether this step is to sleep."""
    return op is not None and op.verb == "sleep"


def ends_within(timer: Timer, sleepers: Mapping[str, float], busy: Collection[str]) -> bool:
    """Whether it can run out while one of these sleeps, and its owner cannot act. Of sleepers, how long they sleep."""
    if timer.owner in busy:
        return False
    since = dict(timer.elapsed.asleep)
    return any(since.get(who, 0) + seconds >= timer.seconds for who, seconds in sleepers.items())


def ends_before(timer: Timer, who: str, seconds: float, busy: Collection[str]) -> bool:
    """Whether it must have run out before this worker has slept for so long."""
    since = dict(timer.elapsed.asleep).get(who)
    return since is not None and timer.owner not in busy and since + seconds >= timer.seconds


def sleep(states: Mapping[str, State], op: Op, who: str, busy: Iterable[str]) -> None:
    """Let the worker's sleep be over."""
    clock = states[op.resource]
    before = clock.time
    clock.perform(op, who)
    for state in states.values():
        state.woke(Slept(who, op.args[0], frozenset(busy)))
    pass_time(states, clock.time - before, op.resource)


def run_out(states: Mapping[str, State], resource: str, timer: Timer) -> None:
    """Let a timer run out."""
    states[resource].expire(timer.id)
    pass_time(states, max(0, timer.seconds - timer.elapsed.aged))


def pass_time(states: Mapping[str, State], seconds: float, but: str = "") -> None:
    """Let so much time pass on every clock and timer but this one."""
    for name, state in states.items():
        if seconds and name != but:
            state.advance(seconds)


def fall_asleep(states: Mapping[str, State], who: str) -> None:
    """From now on this worker sleeps."""
    for state in states.values():
        state.fell_asleep(who)
