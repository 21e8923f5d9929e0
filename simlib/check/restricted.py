"""Searches restricted to one place: something goes wrong, or somebody overtakes, exactly there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simlib.check.behaviour import ENDED
from simlib.check.local_states import LocalStates
from simlib.model.fault import REDELIVERIES
from simlib.model.system import System
from simlib.schedule.transition import Transition

if TYPE_CHECKING:
    from simlib.check.edges import Next


@dataclass(frozen=True)
class FaultLocation:
    """A step of worker A, by its name and which one of that name it is, and whether just before or just after it.

    Faults strike, and other workers of A's role begin, only while A stands there. A fault that is a step's own outcome
    (an outage, a full disk) strikes that step itself if the location is before it.
    """

    name: str
    nth: int
    when: Literal["before", "after"]
    last: bool = False  # the last step of a run: after it, a consumer is back at its start

    def kept(self, found: list[Next], nodes: list[int], system: System, local_states: LocalStates) -> list[Next]:
        """Which of these possible transitions may happen with the workers at these nodes."""
        return [one for one in found if self.allows(one[1].move, nodes, system, local_states)]

    def allows(self, move: Transition, nodes: list[int], system: System, local_states: LocalStates) -> bool:
        """Whether this move may happen with the workers at these nodes."""
        here = self._is_at(nodes[0], local_states)
        if move.fault is None:
            rival = move.kind == "step" and move.worker != "A" and system.cast[move.worker] == system.cast["A"]
            return here or not (rival and self._at_start(move.worker, nodes, system, local_states))
        if move.kind == "step" and move.fault != REDELIVERIES:
            return here and move.worker == "A"
        if move.kind == "step":
            return here and (move.worker != "A" or self.last)
        return here and move.worker in ("A", "")

    def _at_start(self, worker: str, nodes: list[int], system: System, local_states: LocalStates) -> bool:
        node = nodes[list(system.cast).index(worker)]
        return local_states.parent[node][0] == ENDED

    def _is_at(self, node: int, local_states: LocalStates) -> bool:
        if self.when == "before":
            return local_states.step_names[node] == (self.name, self.nth)
        before = local_states.parent[node][0]
        if before == ENDED or local_states.op[node] == ENDED:
            return self.last
        return local_states.step_names[before] == (self.name, self.nth)


@dataclass(frozen=True)
class Overtaking:
    """Worker A takes `first` steps, B `second` of its own, then A runs to its end, and B after it.

    A worker that is blocked lets the other one pass. If both can only have the same message, B's is a redelivery.
    Whatever this leaves open, such as a random draw, is tried in every way. With `loose`, A and B are free once B has
    taken its steps: otherwise a worker that polls would keep the other one waiting forever.
    """

    first: int
    second: int
    loose: bool = False

    def kept(self, found: list[Next], nodes: list[int], system: System, local_states: LocalStates) -> list[Next]:
        """Which of these possible transitions may happen with the workers at these nodes."""
        free = [one for one in found if one[1].move.fault is None and one[1].steps]
        mine, other = (self._of(worker, free) for worker in (0, 1))
        there = self._depth(nodes[1], local_states)
        overtaken = there >= self.second or local_states.op[nodes[1]] == ENDED
        if self._depth(nodes[0], local_states) == self.first and not overtaken:
            again = [one for one in found if one[1].move.fault == REDELIVERIES and one[1].worker == 1 and there == 0]
            return other or again or mine or self._rest(found)
        if self.loose and overtaken:
            return free or self._rest(found)
        return mine or other or self._rest(found)

    @staticmethod
    def _of(worker: int, found: list[Next]) -> list[Next]:
        return [one for one in found if one[1].worker == worker]

    @staticmethod
    def _rest(found: list[Next]) -> list[Next]:
        return [one for one in found if one[1].move.fault is None and not one[1].steps]

    @staticmethod
    def _depth(node: int, local_states: LocalStates) -> int:
        return local_states.depth[node]
