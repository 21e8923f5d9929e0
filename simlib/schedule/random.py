"""A random schedule: who moves next, and where a fault strikes, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from simlib.schedule.budget import Account, Budget
from simlib.schedule.machine import Machine
from simlib.schedule.transition import Transition, struck_by

STRIKES = 0.2  # the chance that a fault comes next, if one is possible


class RandomSchedule:
    """Draws one transition after another, with faults while the budget lasts. The same seed draws the same."""

    def __init__(self, machine: Machine, budget: Budget, seed: int) -> None:
        self.chance = random.Random(seed)
        self._machine, self._budget = machine, budget
        self._account = Account(budget, machine.system.resources)
        self._left = self._account.whole

    def next(self, enabled: Sequence[Transition]) -> Transition | None:
        """One of these transitions, which are all that can happen; None if none can be drawn."""
        steps = [move for move in enabled if move.kind == "step" and not move.fault]
        calm = steps or [move for move in enabled if not move.fault]
        faults = [move for move in enabled if move.fault and self._price(move)]
        if not calm and not faults:
            return None
        strikes = faults and (not calm or self.chance.random() < STRIKES)
        move = self.chance.choice(faults if strikes else calm)
        if move.fault:
            self._left += self._price(move)
        return move

    def _price(self, move: Transition) -> int:
        """What this fault adds to what is left; 0 if nobody can pay for it now."""
        resource, worker = struck_by(self._machine, move)
        role = self._machine.system.names.get(worker or "", "")
        price = self._account.price(self._left, self._budget.payers(move.fault or "", resource, role))
        return price[1] if price and self._left & price[0] else 0
