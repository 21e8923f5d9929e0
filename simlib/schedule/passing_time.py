"""How time passes for all resources at once: somebody falls asleep, has slept, a timer runs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simlib.model.operation import Op
from simlib.model.resource import State
from simlib.model.timing import Slept, Timer


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
