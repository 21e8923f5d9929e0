"""A random schedule: who moves next, and where a fault strikes, drawn from a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from simlib.schedule.budget import Budget
from simlib.schedule.transition import Transition

STRIKES = 0.2  # the chance that a fault comes next, if one is possible


class RandomSchedule:
    """Draws one transition after another, with faults while the budget lasts. The same seed draws the same."""

    def __init__(self, budget: Budget, seed: int) -> None:
        self.chance = random.Random(seed)
        self._left = Counter(budget.counts)

    def next(self, enabled: Sequence[Transition]) -> Transition | None:
        """One of these transitions, which are all that can happen; None if none can be drawn."""
        steps = [move for move in enabled if move.kind == "step" and not move.fault]
        calm = steps or [move for move in enabled if not move.fault]
        faults = [move for move in enabled if move.fault and self._left[move.fault] > 0]
        if not calm and not faults:
            return None
        strikes = faults and (not calm or self.chance.random() < STRIKES)
        move = self.chance.choice(faults if strikes else calm)
        self._left[move.fault or ""] -= 1
        return move
