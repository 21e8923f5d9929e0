"""Random schedules for real processes: steps taken concurrently, and kills in the middle of a step."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from simlib.live.machine import LiveMachine
from simlib.live.race import Race
from simlib.model.fault import CRASHES
from simlib.schedule.budget import Budget
from simlib.schedule.random import RandomSchedule
from simlib.schedule.transition import Transition

MOST_MOVES = 300  # of a schedule that loops forever
IN_THE_MIDDLE = 0.003  # seconds: a kill meant to hit a step comes within them
ONE_BY_ONE = 0.5  # the probability that a step is taken alone


def chaos(machine: LiveMachine, budget: Budget, seed: int) -> Iterator[Transition | Race]:
    """Random moves until nobody can move or MOST_MOVES is reached, with faults while the budget lasts."""
    schedule = RandomSchedule(machine, budget, seed)
    for _ in range(MOST_MOVES):
        enabled = list(machine.enabled())
        calm = [move for move in enabled if not move.fault]
        if calm and all(move.worker and machine.gives_up(move.worker) for move in calm):
            return  # all that is left is to wait for work
        move = schedule.next(enabled)
        if move is None:
            return
        together = _together(machine, move, enabled, schedule.chance)
        if together:
            killed = move.worker if move.kind == "crash" else ""
            yield Race(tuple(together), killed, schedule.chance.random() * IN_THE_MIDDLE)
        else:
            yield move


def _together(
    machine: LiveMachine, move: Transition, enabled: Sequence[Transition], chance: random.Random
) -> list[Transition]:
    """The steps to take concurrently: several workers' steps, or one in the middle of which its worker is killed.

    A file system guarantees nothing about concurrent writes, nor about a write whose process is killed, so its steps
    are taken one at a time.
    """
    if move.kind not in ("step", "crash") or move.fault not in (None, CRASHES) or chance.random() < ONE_BY_ONE:
        return []
    steps = [step for step in enabled if step.kind == "step" and not step.fault]
    others = [step for step in steps if step.worker != move.worker and chance.random() < ONE_BY_ONE]
    own = [step for step in steps if step.worker == move.worker]
    found = {step.worker: step for step in (*own[:1], *others) if machine.can_race(step.worker)}
    return list(found.values()) if move.worker in found and (move.kind == "crash" or len(found) > 1) else []
