"""Edges: what leads from one state to another, and what a search charges for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from simlib.model.fault import KINDS
from simlib.model.timing import Timer
from simlib.schedule.transition import Transition

NOBODY, EVERYBODY = 26, 27  # workers are 0 to 25

# A cost is one number: faults, then preemptions, then steps, then the rank of the faults to break ties.
FAULT, PREEMPTION, STEP = 1 << 56, 1 << 36, 1 << 12
COSTS: dict[str | None, int] = {None: STEP, **{kind: FAULT + STEP + rank for rank, kind in enumerate(KINDS)}}


@dataclass(slots=True, eq=False)
class Edge:
    """One transition, wherever in the state graph it is taken."""

    move: Transition
    worker: int  # the one it concerns
    steps: bool  # whether it is that worker's own step, which may overtake somebody
    over: bool  # whether it ends that worker's run, so that another's step overtakes nobody
    cost: int  # without a preemption
    strikes: int | None = None  # the node at which a fault strikes; None once that is noted
    gives_up: bool = False  # whether it ends a wait for a message that did not come
    price: int = 0  # what a search orders by
    payers: tuple[int, ...] = ()  # the slots of the budget that can pay for its fault

    def __post_init__(self) -> None:
        # Among equals the earliest crash wins, but the latest pause: it needs the shortest stall.
        self.price = 2 * self.cost + (self.cost >= FAULT and self.move.kind != "timer")


# One transition that is possible in a state: the number of the state that it leads to, and its edge.
Next = tuple[int, Edge]


# Who can pay for a fault, and its price: see Account.
Price = tuple[tuple[int, ...], tuple[int, int] | None]
NO_FAULT: Price = (), (0, 0)
# A step, memoised: the bits of the budget of which one has to be set, what it adds to the state, the worker's next
# node, and the edge.
Step = tuple[int, int, int, Edge]
# What a worker's step can come to: its bit if it can take it; the ways without a fault; and all ways.
Steps = tuple[int, list[Step], list[Step]]
# What ends a worker's process, memoised in the same way.
Ending = Step
# All that can happen: the next states and the edges; a bit for each worker that can take a step; and whether, without
# a fault, nothing more can happen.
Following = tuple[list[int], list[Edge], int, bool]


class RunningTimer(NamedTuple):
    """A running timer, the seconds it has left, and what is added when it runs out for free; with how it runs out too
    early: the bits of the budget of which one has to be set, and what is added besides.
    """

    timer: Timer
    left: float
    change: int
    free: Edge
    mask: int
    price: int
    early: Edge
