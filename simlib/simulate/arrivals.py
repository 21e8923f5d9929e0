"""Arrivals of tasks: messages sent to a queue, or calls to an idle worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

from simlib.errors import Mistake
from simlib.simulate.clock import Clock
from simlib.simulate.conditions import Duration, draw
from simlib.text import listed, show


def interarrival_times(
    arrivals: Duration | Mapping[str, Duration] | None, queues: Sequence[str], roles: Sequence[str]
) -> Mapping[str, Duration]:
    """The interarrival time by queue or role; under "" if there is no queue. Raises Mistake for unknown names."""
    if arrivals is None:
        return {}
    if isinstance(arrivals, Mapping):
        known = [*queues, *roles]
        unknown = set(arrivals) - set(known)
        if unknown:
            raise Mistake(f"arrivals for {listed(sorted(unknown))}: they can be for {listed(known)}.")
        return arrivals
    if len(queues) > 1:
        raise Mistake(f"arrivals: there are several queues; say which, as in arrivals={{{show(queues[0])}: 60}}.")
    return {queues[0] if queues else "": arrivals}


def schedule_arrivals(
    clock: Clock, times: Mapping[str, Duration], chance: Random, arrive: Callable[[str], None]
) -> None:
    """Schedule arrivals under each of these names, independently of the others."""
    for name, between in times.items():
        clock.repeat(partial(draw, between, chance), arrive, name)
