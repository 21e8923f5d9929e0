"""A state of the whole system as one number: the node of each worker, the state of each resource, the budget left.

Each is a field of bits, so that whatever happens in a state is one addition, and a set of states a set of numbers.
"""

from __future__ import annotations

FIELD = 30  # bits: a digit of Python's own numbers, and more nodes than any memory holds
MASK = (1 << FIELD) - 1
Numbers = tuple[int, ...]


class Encoding:
    """Where each part of a state is: by how many bits it is shifted."""

    def __init__(self, workers: int, resources: int) -> None:
        self.workers = [FIELD * worker for worker in range(workers)]
        self.resources = [FIELD * (workers + index) for index in range(resources)]
        self.world_at = FIELD * workers
        self.budget = FIELD * (workers + resources)
        self.whole_world = (1 << FIELD * resources) - 1

    def pack(self, numbers: Numbers, budget: int) -> int:
        """The state in which the workers' nodes and the resources' states are these."""
        packed = budget << self.budget
        for index, number in enumerate(numbers):
            packed |= number << FIELD * index
        return packed

    def nodes(self, state: int) -> list[int]:
        """At which node each worker is."""
        return [state >> shift & MASK for shift in self.workers]

    def world(self, state: int) -> int:
        """The resources' part: equal for states that differ in the workers and the budget alone."""
        return state >> self.world_at & self.whole_world

    def numbers(self, world: int) -> Numbers:
        """The state of each resource."""
        return tuple([world >> shift - self.world_at & MASK for shift in self.resources])
