"""Schedules in words, in which an attacker says who moves next and where a fault strikes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simlib.errors import Mistake
from simlib.model.fault import FAULT_NAMES
from simlib.model.operation import BEGUN
from simlib.model.system import System
from simlib.schedule.machine import Machine, Slot
from simlib.schedule.replay import Playback
from simlib.schedule.trace import Trace
from simlib.schedule.transition import RULES, STRIKES, Kind, Schedule, Transition, power_loss, step, strike
from simlib.text import did_you_mean, listed, plural, show

FAULTS = {name: kind for kind, name in FAULT_NAMES.items()}
OF_A_STEP = ("redelivery", "lost reply", "outage", "rejection", "full disk")
WORDS = {RULES[kind].word: kind for kind in STRIKES}
MOST_MOVES = 500
GRAMMAR = (
    '"A" is a step of worker A, "A 3" three of them, "A: lost reply" its next step with that fault '
    f'({listed(list(OF_A_STEP), "or")}), "A: begin" its beginning, if others can see that, '
    '"crash A", "lose A" (its node is gone for good), "stop A" (SIGTERM), '
    '"again A" (its task is handed out again), "expire lock" (a timer of that resource runs out), "power loss"'
)


def attack(system: System, words: Sequence[str]) -> Trace:
    """Play these moves, then let everybody finish. Stops when a property breaks. Raises Mistake for a bad move."""
    with Machine(system) as machine:
        playback = Playback(machine)
        return playback.play(_moves(machine, words))


def _moves(machine: Machine, words: Sequence[str]) -> Schedule:
    for word in words:
        yield from _read(machine, word)


def _read(machine: Machine, word: str) -> Schedule:
    """The moves that one word stands for."""
    workers = "|".join(machine.slots)
    if not isinstance(word, str):
        raise Mistake(f"{show(word)} is no move. Moves are text: {GRAMMAR}.")
    steps = re.fullmatch(rf"({workers})(?: ([1-9][0-9]{{0,2}}))?", word)
    fault = re.fullmatch(rf"({workers}): (.+)", word)
    whom = re.fullmatch(rf"({'|'.join(WORDS)}) ({workers})", word)
    timer = re.fullmatch(r"expire (.+)", word)
    if steps and int(steps[2] or 1) <= MOST_MOVES:
        for _ in range(int(steps[2] or 1)):
            yield _step(machine, word, steps[1])
    elif fault and fault[2] == "begin":
        yield _beginning(machine, word, fault[1])
    elif fault and fault[2] in OF_A_STEP:
        yield _faulty(machine, word, fault[1], fault[2])
    elif whom:
        yield _to_whom(machine, word, *whom.groups())
    elif timer:
        yield _expiry(machine, word, timer[1])
    elif word == "power loss":
        yield power_loss(0)
    else:
        raise Mistake(f"{show(word)} is no move here: the workers are {listed(list(machine.slots))}. {GRAMMAR}.")


def _step(machine: Machine, word: str, worker: str) -> Transition:
    op = machine.slots[worker].op
    if op is None:
        raise Mistake(f"{show(word)}: {worker} has nothing more to do after {plural(len(machine.events), 'event')}.")
    if machine.can_step(worker):
        return step(worker)
    if machine.can_step(worker, BEGUN):
        return step(worker, BEGUN)
    raise Mistake(f"{show(word)}: {worker} waits at `{op}`, and somebody else has to move first.")


def _beginning(machine: Machine, word: str, worker: str) -> Transition:
    op = machine.slots[worker].op
    if not machine.can_step(worker, BEGUN):
        what = f"`{op}`, which is done at once or has begun already" if op else "none"
        raise Mistake(f"{show(word)}: the next step of {worker} is {what}.")
    return step(worker, BEGUN)


def _faulty(machine: Machine, word: str, worker: str, name: str) -> Transition:
    op, kind = machine.slots[worker].op, FAULTS[name]
    outcomes = machine.states[op.resource].outcomes(op) if op else iter(())
    for outcome in outcomes:
        if outcome.fault == kind and machine.can_step(worker, outcome):
            return step(worker, outcome)
    raise Mistake(f"{show(word)}: the next step of {worker} is {f'`{op}`' if op else 'none'}, which it cannot strike.")


def _to_whom(machine: Machine, word: str, what: str, worker: str) -> Transition:
    kind, slot = WORDS[what], machine.slots[worker]
    if not STRIKES[kind](slot.standing):
        raise Mistake(f"{show(word)}: {_why_not(kind, worker, slot)}")
    return strike(kind, worker)


def _why_not(kind: Kind, worker: str, slot: Slot) -> str:
    """Why this cannot happen to the worker now."""
    if RULES[kind].fate == "told":
        return f"{worker} has {'been told to already' if slot.stopped and slot.op else 'no process that could end'}."
    if RULES[kind].fate != "started":
        state = "has done its task" if slot.op is None else "has taken no step since it was started"
        return f"{worker} {state}, so there is no memory to lose."
    if slot.lost:
        return f"the node of {worker} is gone for good, so it is given no task any more."
    return f"{worker} has not done its task yet. It can be given it again when it has."


def _expiry(machine: Machine, word: str, resource: str) -> Transition:
    if resource not in machine.states:
        names = [*machine.states]
        raise Mistake(f"{show(word)}: there is no such resource, but {listed(names)}.{did_you_mean(resource, names)}")
    timers = [timer for name, timer in machine.timers() if name == resource]
    if not timers:
        running = sorted({name for name, _ in machine.timers()})
        others = f"timers of {listed(running)} are" if running else "no other is, either"
        raise Mistake(f"{show(word)}: no timer of {resource} is running now; {others}.")
    return machine.expiry(resource, timers[0])
