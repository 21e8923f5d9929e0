"""What the faults of a search cost: who can pay for each of them, and where each could strike."""

from __future__ import annotations

from collections.abc import Iterable

from simlib.check.edges import Edge
from simlib.model.fault import KINDS
from simlib.model.system import System
from simlib.schedule.budget import Account, Budget

# The slots of the budget that can pay, and their price; see Account.
Price = tuple[tuple[int, ...], tuple[int, int] | None]
FREE: Price = (), (0, 0)


class Prices:
    """The prices of one system's faults under one budget. If they are `shared`, they depend on what is left."""

    def __init__(self, system: System, budget: Budget) -> None:
        self._budget, self._account = budget, Account(budget, system.resources)
        self._roles = {**system.names, "": ""}
        self.whole, self.shared = self._account.whole, self._account.shared
        self.masks = {kind: self._account.mask(kind) for kind in KINDS}
        self.struck: list[set[int]] = [set() for _ in budget.slots]  # the nodes at which each fault could strike

    def of(self, fault: str, left: int, resource: str = "", who: str | None = "") -> Price:
        """Who can pay for such a fault at this resource, of this worker, and at what price."""
        payers = self._budget.payers(fault, resource, self._roles[who or ""])
        return payers, self._account.price(left, payers)

    def note(self, edges: Iterable[Edge]) -> None:
        """Note where the faults among these strike."""
        for edge in edges:
            if edge.strikes is not None:
                for slot in edge.payers:
                    self.struck[slot].add(edge.strikes)
                edge.strikes = None
