"""Transitions: what can happen next, and what it does to the world. Defined once, for all engines.

A running system knows its workers' states by their generators, the checker by what it has memoised, and the simulator's
clock by its heap of due events. None of them adds anything to what can happen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol

from simlib.model import timing
from simlib.model.fault import CRASHES, NODE_LOSSES, PAUSES, POWER_LOSSES, REDELIVERIES, STOPS
from simlib.model.operation import OK, Op, Outcome
from simlib.model.state import State
from simlib.model.timing import Slept, Timer
from simlib.resources.clock import ClockState

Kind = Literal["step", "crash", "node loss", "power loss", "timer", "again", "stop", "arrival"]
# Of a process: restarted if its role is; not restarted; a new one; told to stop, which it does in its own way.
Fate = Literal["killed", "lost", "started", "told"]


class Transition(NamedTuple):
    """One thing that can happen next: a worker's step, a crash, a timer that runs out, a task handed out again, a
    worker that is told to stop, or an arrival from outside, at a queue or for a worker.
    """

    kind: Kind
    worker: str = ""
    resource: str = ""  # whose timer, or the queue
    timer: Hashable = None
    outcome: Outcome = OK
    fault: str | None = None  # the budget that pays for it


class Standing(NamedTuple):
    """Where a worker stands, as far as that decides what can happen to it."""

    op: Op | None  # its next step; None if it has none
    running: bool  # it has taken a step in a run that is not over: it has something to lose
    done: bool  # its run is over, and its machine is not lost: its task can be handed out again
    stopped: bool = False  # it was told to stop in this run


class Rule(NamedTuple):
    """What there is to know about one kind of transition."""

    mark: str  # its letter in a token's schedule
    fault: str | None = None  # the budget that pays for it, if that is always the same
    strikes: Callable[[Standing], bool] | None = None  # for what happens to one worker: whether it can
    fate: Fate = "killed"  # and what becomes of its process
    word: str = ""  # the word for it in a schedule in words
    verb: str = ""  # what the worker does then, in words
    story: str = ""  # the same, as a line of a trace


# Decides on each transition only when the one before it has happened.
Schedule = Iterator[Transition]

# In the order in which a search tries them.
RULES: dict[Kind, Rule] = {
    "step": Rule(""),
    "timer": Rule("t"),
    "arrival": Rule("a"),
    "crash": Rule(
        "x", CRASHES, lambda worker: worker.running, "killed", "crash", "crashes", "CRASH: its memory is gone"
    ),
    "node loss": Rule(
        "n", NODE_LOSSES, lambda worker: worker.running, "lost", "lose", "is gone for good",
        "NODE LOSS: it is gone, and nobody starts it again",
    ),
    "power loss": Rule("p", POWER_LOSSES, story="POWER LOSS: all processes end, unsynced data may be gone"),
    "again": Rule(
        "r", REDELIVERIES, lambda worker: worker.done, "started", "again", "is given its task again",
        "is given the same task again",
    ),
    # Also before its first step: a consumer that waits for its first message can be switched off.
    "stop": Rule(
        "q", STOPS, lambda worker: worker.op is not None and not worker.stopped, "told", "stop", "is told to stop",
        "SIGTERM: it is asked to stop",
    ),
}  # fmt: skip
STRIKES = {kind: rule.strikes for kind, rule in RULES.items() if rule.strikes}  # what happens to one worker


# What can happen


class Configuration(Protocol):
    """A system at one moment."""

    @property
    def states(self) -> Mapping[str, State]: ...

    def standing(self, worker: str) -> Standing: ...

    def can_step(self, worker: str, outcome: Outcome = OK) -> bool: ...


def enabled(here: Configuration, workers: Iterable[str]) -> Iterator[Transition]:
    """Every transition that can happen next, whatever the budget; in the order in which a search tries it."""
    standings = {worker: here.standing(worker) for worker in workers}
    steps = [step for worker, standing in standings.items() for step in ways_on(here, worker, standing)]
    yield from steps
    asleep = sleepers(here.states, {worker: standing.op for worker, standing in standings.items()})
    busy = {step.worker for step in steps if step.fault is None} - {*asleep}
    able = any(step.fault is None for step in steps)
    for name, state in here.states.items():
        for timer in state.timers():
            yield timeout(name, timer, is_early(timer, able, asleep, busy))
    for kind in RULES:
        if kind == "power loss":
            yield from power_losses(here.states, standings.values())
        elif kind in STRIKES:
            yield from (strike(kind, worker) for worker, standing in standings.items() if STRIKES[kind](standing))


def ways_on(here: Configuration, worker: str, standing: Standing) -> Iterator[Transition]:
    """Every way in which this worker's next step can go now."""
    op = standing.op
    for outcome in here.states[op.resource].outcomes(op) if op else ():
        if here.can_step(worker, outcome):
            yield step(worker, outcome)


def step(worker: str, outcome: Outcome = OK) -> Transition:
    """This worker's next step, going this way."""
    return Transition("step", worker, outcome=outcome, fault=outcome.fault)


def strike(kind: Kind, worker: str) -> Transition:
    """A crash, a node loss, a redelivery or a stop that strikes this worker."""
    return Transition(kind, worker, fault=RULES[kind].fault)


def power_loss(choice: int) -> Transition:
    """A power loss after which the disks come out in the `choice`-th possible way."""
    return Transition("power loss", outcome=Outcome(None, choice), fault=POWER_LOSSES)


def power_losses(states: Mapping[str, State], standings: Iterable[Standing]) -> Iterator[Transition]:
    """Every power loss that makes a difference."""
    count = ways_to_lose_power(states)
    if matters(count, standings):
        yield from map(power_loss, range(count))


def matters(ways: int, standings: Iterable[Standing]) -> bool:
    """Whether a power loss changes anything, if the disks can come out of it in so many ways."""
    return ways > 1 or any(standing.running for standing in standings)


def ways_to_lose_power(states: Mapping[str, State]) -> int:
    """In how many ways the machine's disks can come out of a power loss."""
    return math.prod(state.power_losses() for state in states.values())


def timeout(resource: str, timer: Timer, early: bool) -> Transition:
    """The expiry of this timer: a pause pays for an early one."""
    return Transition("timer", "", resource, timer.id, fault=PAUSES if early else None)


def is_early(timer: Timer, able: bool, asleep: Mapping[str, float], busy: Collection[str]) -> bool:
    """Whether a timer that runs out now has beaten an owner that is alive, and so must have stalled.

    It runs out for free if its owner is dead or everyone waits, or while somebody sleeps past its end and its owner
    cannot act. `asleep` has how many seconds each sleeper sleeps; `busy` has who can do something else.
    """
    return able and timer.owner is not None and not timing.ends_within(timer, asleep, busy)


def sleepers(states: Mapping[str, State], ops: Mapping[str, Op | None]) -> dict[str, float]:
    """Who can do nothing now but sleep or wait on, and for how many seconds. `ops` are the workers' next steps."""
    return {worker: timing.seconds(op) for worker, op in ops.items() if op and states[op.resource].lasts(op)}


def oversleeps(timers: Iterable[Timer], who: str, seconds: float, busy: Collection[str]) -> bool:
    """Whether some timer has to run out before this worker has slept for so many seconds."""
    return any(timing.ends_before(timer, who, seconds, busy) for timer in timers)


def struck_by(here: Configuration, move: Transition) -> tuple[str, str | None]:
    """The resource at which this fault strikes, empty if at none, and the worker whose step, process or timer it is."""
    if move.kind == "step":
        op = here.standing(move.worker).op
        return op.resource if op else "", move.worker
    if move.kind == "timer":
        owners = [timer.owner for timer in here.states[move.resource].timers() if timer.id == move.timer]
        return move.resource, owners[0]
    return "", move.worker


# What it does to the world


def sleep(states: Mapping[str, State], op: Op, who: str, busy: Iterable[str]) -> None:
    """End a worker's sleep."""
    _wake(states, op.resource, Slept(who, timing.seconds(op), frozenset(busy)))


def end_wait(states: Mapping[str, State], op: Op, who: str, answer: Any, busy: Iterable[str]) -> None:
    """End a worker's wait for a message: it was a sleep if none came, and took no time otherwise."""
    slept = timing.seconds(op) if answer is None else 0.0
    _wake(states, _running_clock(states), Slept(who, slept, frozenset(busy)))


def interrupt(states: Mapping[str, State], who: str) -> None:
    """Wake a worker at once, if it sleeps or waits, and give up the step that it has begun."""
    _wake(states, _running_clock(states), Slept(who, 0, frozenset()))
    for state in states.values():
        state.cancelled(who)


def _wake(states: Mapping[str, State], clock: str, sleep: Slept) -> None:
    """Let a worker have slept, by this clock ("" for none) and by every timer."""
    state = states.get(clock)
    before = state.time if state else 0.0
    if isinstance(state, ClockState):
        state.slept(sleep)
    for one in states.values():
        one.woke(sleep)
    pass_time(states, state.time - before if state else 0.0, clock)


def _running_clock(states: Mapping[str, State]) -> str:
    clocks = (name for name, state in states.items() if isinstance(state, ClockState) and state.running)
    return next(clocks, "")


def run_out(states: Mapping[str, State], resource: str, timer: Timer) -> None:
    """Let a timer run out."""
    states[resource].expire(timer.id)
    pass_time(states, max(0, timer.seconds - timer.elapsed.aged))


def pass_time(states: Mapping[str, State], seconds: float, but: str = "") -> None:
    """Let so many seconds pass on every clock and timer but this one; without a running clock, nobody notices."""
    if seconds and any(isinstance(state, ClockState) and state.running for state in states.values()):
        for name, state in states.items():
            if name != but:
                state.advance(seconds)


def fall_asleep(states: Mapping[str, State], who: str) -> None:
    """Put this worker to sleep."""
    for state in states.values():
        state.fell_asleep(who)


def end_process(states: Mapping[str, State], who: str | None) -> None:
    """End this worker's process, or everybody's if None: nobody holds on to what it had."""
    for state in states.values():
        state.owner_gone(who)


def lose_power(states: Mapping[str, State], choice: int) -> None:
    """Stop the machine: the disks come out in the `choice`-th way, and every process that ran on it is gone."""
    for state in states.values():
        choice, own = divmod(choice, state.power_losses())
        state.lose_power(own)
    end_process(states, None)
