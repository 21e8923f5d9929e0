"""Encodes a state of the whole system as one number: each worker's node, each resource's state, the budget left.

Each is a bit field, so that a transition is one addition, and a set of states a set of numbers.
"""

from __future__ import annotations

FIELD = 30  # bits: one digit of a Python int, and more nodes than fit in any memory
MASK = (1 << FIELD) - 1
Numbers = tuple[int, ...]


class Encoding:
    """By how many bits each part of a state is shifted."""

    def __init__(self, workers: int, resources: int) -> None:
        self.workers = [FIELD * worker for worker in range(workers)]
        self.resources = [FIELD * (workers + index) for index in range(resources)]
        self.world_at = FIELD * workers
        self.budget = FIELD * (workers + resources)
        self.whole_world = (1 << FIELD * resources) - 1

    def pack(self, numbers: Numbers, budget: int) -> int:
        """The state with these nodes and resource states, in this order, and this budget."""
        packed = budget << self.budget
        for index, number in enumerate(numbers):
            packed |= number << FIELD * index
        return packed

    def nodes(self, state: int) -> list[int]:
        """The node of each worker."""
        return [state >> shift & MASK for shift in self.workers]

    def world(self, state: int) -> int:
        """The resources' part: equal for states that differ only in the workers and the budget."""
        return state >> self.world_at & self.whole_world

    def numbers(self, world: int) -> Numbers:
        """The state of each resource."""
        return tuple([world >> shift - self.world_at & MASK for shift in self.resources])
