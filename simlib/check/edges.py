"""Edges: what leads from one state to another, and what a search charges for it."""

from __future__ import annotations

from dataclasses import dataclass

from simlib.model.fault import KINDS
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
