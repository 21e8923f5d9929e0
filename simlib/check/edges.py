"""What leads from one state to another, and what a search reckons that it costs."""

from __future__ import annotations

from dataclasses import dataclass

from simlib.model.fault import KINDS
from simlib.schedule.transition import Transition

NOBODY, EVERYBODY = 26, 27  # beside the workers, who are 0 to 25

# A cost is one number: faults, then preemptions, then steps, and to break ties the rank of the faults.
FAULT, PREEMPTION, STEP = 1 << 56, 1 << 36, 1 << 12
COSTS: dict[str | None, int] = {None: STEP, **{kind: FAULT + STEP + rank for rank, kind in enumerate(KINDS)}}


@dataclass(slots=True, eq=False)
class Edge:
    """One transition, wherever in the graph of states it is taken."""

    move: Transition
    worker: int  # whom it concerns
    steps: bool  # whether it is that worker's own step, so that taking it may overtake somebody
    over: bool  # whether that worker's run is over with it, so that going on with another overtakes nobody
    cost: int  # without a preemption
    strikes: int | None = None  # the node at which a fault strikes, until that has been noted
    price: int = 0  # the cost as a search orders it

    def __post_init__(self) -> None:
        # Among equals the earliest crash wins, but the latest pause: it takes the shortest stall.
        self.price = 2 * self.cost + (self.cost >= FAULT and self.move.kind != "timer")


# One thing that can happen in a state: the number of the state that it leads to, and how.
Next = tuple[int, Edge]
