"""Schedules the faults that strike from outside: crashes, pauses, stops and power losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random
from typing import Any

from simlib.model.fault import CRASHES, PAUSES, POWER_LOSSES, STOPS
from simlib.simulate.clock import Clock
from simlib.simulate.conditions import DAY, Conditions, exponential
from simlib.simulate.worker import Worker

Strike = Callable[[Any], None]


def schedule_faults(
    clock: Clock, conditions: Conditions, chance: Random, workers: Iterable[Worker], strikes: Mapping[str, Strike]
) -> None:
    """Schedule them at random, independently for each worker. `strikes` has the action for each fault."""
    of_workers = [(kind, worker) for worker in workers for kind in (CRASHES, PAUSES, STOPS)]
    for kind, worker in [*of_workers, (POWER_LOSSES, None)]:
        per_day = conditions.rate_of(kind, worker.role.name if worker else "")
        if per_day:
            clock.repeat(partial(exponential(DAY / per_day), chance), strikes[kind], worker)
