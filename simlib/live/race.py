"""Real concurrent steps, and kills in the middle of one: finds an order that explains the result.

From outside nobody can tell in which order two processes reached a store, nor whether a killed one reached it at all.
So every order is tried on the model, with and without the killed worker's step. The first that gives the same answers
and leaves the same state is taken as what happened. If there is none, the model is wrong.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from simlib.errors import Mistake
from simlib.live.actor import Actor
from simlib.live.stores.base import Facts
from simlib.live.stores.facts import expected, same
from simlib.model.operation import Blocked
from simlib.model.state import State
from simlib.model.values import freeze
from simlib.schedule.machine import Slot
from simlib.schedule.trace import copied
from simlib.schedule.transition import Transition, end_process
from simlib.text import listed, show

Answers = dict[str, Any]  # by worker
OR = "Either the model is wrong, or somebody else has changed it."  # the facts cannot tell these apart


class Racing(Protocol):
    """What a race needs of a running system with real processes."""

    slots: dict[str, Slot]
    states: dict[str, State]

    def actor(self, worker: str) -> Actor: ...

    def kill(self, worker: str) -> None: ...

    def facts(self) -> dict[str, Facts]: ...

    def answer(self, move: Transition, states: Mapping[str, State]) -> Any: ...


class Race(NamedTuple):
    """Concurrent steps, and the worker to kill (or "") after `delay` seconds."""

    moves: tuple[Transition, ...]
    killed: str
    delay: float


def race(machine: Racing, together: Race) -> tuple[list[Transition], Answers]:
    """Let these workers take their steps concurrently.

    Returns the moves that took effect, in an order that explains the answers and the facts, and all the answers. Raises
    ModelIsWrong if there is no such order.
    """
    moves, killed, delay = together
    for move in moves:
        machine.actor(move.worker).go_on()
        machine.actor(move.worker).channel.say((move.outcome, None))
    if killed:
        time.sleep(delay)
        machine.kill(killed)
    heard = {move.worker: machine.actor(move.worker).channel.hear() for move in moves if move.worker != killed}
    there = machine.facts()
    for order in _orders(moves, killed, heard):
        answers = _explained(machine, order, heard, there, killed)
        if answers is not None:
            return order, answers
    said = [f"{move.worker}: {machine.slots[move.worker].op} -> {show(heard.get(move.worker))}" for move in moves]
    raise ModelIsWrong(f"no order of {listed(said)}, taken at once, explains what is there: {show(there, 400)}. {OR}")


class ModelIsWrong(Mistake):
    """A real part behaved in a way that its model does not allow."""


def _orders(moves: Sequence[Transition], killed: str, heard: Answers) -> Iterator[list[Transition]]:
    """Every order of the steps that may have taken effect: no blocked ones, with and without the killed worker's."""
    certain = [move for move in moves if move.worker != killed and not isinstance(heard[move.worker], Blocked)]
    perhaps = [move for move in moves if move.worker == killed]
    for some in ([*certain, *perhaps], certain) if perhaps else (certain,):
        yield from map(list, itertools.permutations(some))


def _explained(
    machine: Racing, order: list[Transition], heard: Answers, there: Mapping[str, Facts], killed: str
) -> Answers | None:
    """The answers, if this order gives the answers heard and leaves the facts observed; else None."""
    states = copied(machine.states)
    answers = {}
    for move in order:
        try:
            answers[move.worker] = machine.answer(move, states)
        except Blocked:
            return None
        if move.worker in heard and freeze(answers[move.worker]) != freeze(heard[move.worker]):
            return None
    if killed:
        end_process(states, killed)  # what ends with its process is over
    explained = all(same(found, expected(states[name])) for name, found in there.items())
    return answers if explained else None
