"""One place in a worker's code, for the question what happens if something goes wrong exactly there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simlib.engines.explore.histories import ENDED, Histories
from simlib.system import System
from simlib.trace import Move


@dataclass(frozen=True)
class Spot:
    """A step of worker A by its name and which one of that name it is, and whether just before it, or just after.

    A search that is given a spot lets faults strike, and other workers begin, only while A stands there. Faults that
    are a step's own outcome (an outage, a full disk) strike that step itself when the spot is before it.
    """

    name: str
    nth: int
    when: Literal["before", "after"]
    last: bool = False  # the last step of a run: after it a consumer is where it began

    def allows(self, move: Move, state: tuple[int, ...], system: System, histories: Histories) -> bool:
        """Whether this move may happen in this state."""
        here = self._is_at(state[0], histories)
        if move.fault is None:
            begins = (
                move.kind == "step" and move.worker != "A" and self._at_start(move.worker, state, system, histories)
            )
            return here or not begins
        if move.kind == "step" and move.fault != "redeliveries":
            return here and move.worker == "A"
        if move.kind == "step":
            return here and (move.worker != "A" or self.last)
        return here and move.worker in ("A", "")

    def _at_start(self, worker: str, state: tuple[int, ...], system: System, histories: Histories) -> bool:
        node = state[list(system.cast).index(worker)]
        return histories.parent[node][0] == ENDED

    def _is_at(self, node: int, histories: Histories) -> bool:
        if self.when == "before":
            return histories.places[node] == (self.name, self.nth)
        before = histories.parent[node][0]
        if before == ENDED or histories.op[node] == ENDED:
            return self.last
        return histories.places[before] == (self.name, self.nth)
