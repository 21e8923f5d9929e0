"""A random schedule: who moves next, and where a fault strikes, drawn from a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from simlib.engines.budget import Budget
from simlib.engines.machine import Machine
from simlib.ops import Outcome
from simlib.trace import WORKERS_FAULTS, Event, Move, power_losses

MOST_MOVES = 300  # of a schedule that goes round for ever
STRIKES = 0.2  # the chance that a fault, if one can, comes next


def wander(machine: Machine, budget: Budget, seed: int) -> Iterator[Event]:
    """Moves at random until nobody can move any more, or for long enough, with faults while the budget lasts."""
    chance, left = random.Random(seed), Counter(budget.counts)
    for _ in range(MOST_MOVES):
        steps = [Move("step", worker, outcome=way) for worker in machine.ready() for way in _draws(machine, worker)]
        faults = [move for move in _faults(machine, bool(steps)) if left[move.fault or ""] > 0]
        timers = [move for move in _timers(machine, bool(steps)) if move.fault is None]
        calm = steps or timers
        if not calm and not faults:
            return
        move = chance.choice(faults if faults and (not calm or chance.random() < STRIKES) else calm)
        left[move.fault or ""] -= 1
        yield machine.perform(move)


def _draws(machine: Machine, worker: str) -> list[Outcome]:
    """The ways in which its next step can go with nothing wrong."""
    op = machine.slots[worker].op
    return [way for way in machine.states[op.resource].outcomes(op) if way.fault is None] if op else []


def _timers(machine: Machine, somebody_can_step: bool) -> list[Move]:
    """A timer runs out for free when its owner is gone or everybody waits; else somebody has stalled."""
    early = [timer.owner is not None and somebody_can_step for _, timer in machine.timers()]
    return [
        Move("timer", "", name, timer.id, fault="pauses" if soon else None)
        for (name, timer), soon in zip(machine.timers(), early)
    ]


def _faults(machine: Machine, somebody_can_step: bool) -> list[Move]:
    found = [move for move in _timers(machine, somebody_can_step) if move.fault]
    for worker, slot in machine.slots.items():
        if slot.op is not None:
            ways = machine.states[slot.op.resource].outcomes(slot.op)
            found += [Move("step", worker, outcome=way, fault=way.fault) for way in ways if way.fault]
        if slot.op is not None and slot.steps:
            found += [Move(kind, worker, fault=WORKERS_FAULTS[kind]) for kind in ("crash", "node loss")]
        if slot.op is None and not slot.lost and slot.process.error is None:
            found.append(Move("again", worker, fault="redeliveries"))
    if any(slot.steps for slot in machine.slots.values()):
        count = power_losses(machine.states)
        found += [Move("power loss", outcome=Outcome(None, way), fault="power_losses") for way in range(count)]
    return [move for move in found if move.kind != "step" or machine.can_step(move.worker, move.outcome)]
