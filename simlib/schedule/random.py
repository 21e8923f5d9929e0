"""A random schedule: who moves next, and where a fault strikes, drawn from a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simlib.model.operation import Outcome
from simlib.schedule.budget import Budget
from simlib.schedule.trace import WORKERS_FAULTS, Event, Move, power_losses

if TYPE_CHECKING:
    from simlib.live.machine import LiveMachine

MOST_MOVES = 300  # of a schedule that goes round for ever
IN_THE_MIDDLE = 0.003  # seconds within which a kill comes that is to hit a step
ONE_BY_ONE = 0.5  # the chance that a step is taken alone
STRIKES = 0.2  # the chance that a fault, if one can, comes next


def wander(machine: LiveMachine, budget: Budget, seed: int) -> Iterator[Event]:
    """Moves at random until nobody can move any more, or for long enough, with faults while the budget lasts."""
    chance, left = random.Random(seed), Counter(budget.counts)
    for _ in range(MOST_MOVES):
        steps = [Move("step", worker, outcome=way) for worker in machine.ready() for way in _draws(machine, worker)]
        timers = [machine.expiry(name, timer) for name, timer in machine.timers()]
        early = [move for move in timers if move.fault]
        faults = [move for move in (*early, *_faults(machine)) if left[move.fault or ""] > 0]
        calm = steps or [move for move in timers if not move.fault]
        if not calm and not faults:
            return
        move = chance.choice(faults if faults and (not calm or chance.random() < STRIKES) else calm)
        left[move.fault or ""] -= 1
        together = _together(machine, move, steps, chance)
        if together:
            killed = move.worker if move.kind == "crash" else ""
            yield from machine.perform_together(together, killed, chance.random() * IN_THE_MIDDLE)
        else:
            yield machine.perform(move)


def _together(machine: LiveMachine, move: Move, steps: list[Move], chance: random.Random) -> list[Move]:
    """The steps to be taken at once: those of everybody, or one in the middle of which its worker is killed.

    A file system promises nothing of two that write at the same time, nor of a write whose process is killed in it:
    there steps are taken one by one.
    """
    if move.kind not in ("step", "crash") or move.fault not in (None, "crashes") or chance.random() < ONE_BY_ONE:
        return []
    others = [step for step in steps if step.worker != move.worker and chance.random() < ONE_BY_ONE]
    own = [step for step in steps if step.worker == move.worker]
    found = {step.worker: step for step in (*own[:1], *others) if machine.can_race(step.worker)}
    return list(found.values()) if move.worker in found and (move.kind == "crash" or len(found) > 1) else []


def _draws(machine: LiveMachine, worker: str) -> list[Outcome]:
    """The ways in which its next step can go with nothing wrong."""
    op = machine.slots[worker].op
    return [way for way in machine.states[op.resource].outcomes(op) if way.fault is None] if op else []


def _faults(machine: LiveMachine) -> list[Move]:
    """What else can go wrong now."""
    found: list[Move] = []
    for worker, slot in machine.slots.items():
        if slot.op is not None:
            ways = machine.states[slot.op.resource].outcomes(slot.op)
            found += [Move("step", worker, outcome=way, fault=way.fault) for way in ways if way.fault]
        if slot.op is not None and slot.steps:
            found += [Move(kind, worker, fault=WORKERS_FAULTS[kind]) for kind in ("crash", "node loss")]
        if slot.has_ended:
            found.append(Move("again", worker, fault="redeliveries"))
    if any(slot.steps for slot in machine.slots.values()):
        count = power_losses(machine.states)
        found += [Move("power loss", outcome=Outcome(None, way), fault="power_losses") for way in range(count)]
    return [move for move in found if move.kind != "step" or machine.can_step(move.worker, move.outcome)]
