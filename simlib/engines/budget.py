"""How much may go wrong in one run, and how much work a search may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simlib.errors import Mistake
from simlib.trace import FAULT_NAMES
from simlib.values import did_you_mean, listed, plural, show

KINDS = tuple(FAULT_NAMES)
_BITS = 5
MOST = 2**_BITS - 1


@dataclass(frozen=True)
class Budget:
    """How many faults of each kind one run may have. Packed into one number, so that a state carries it cheaply."""

    counts: Mapping[str, int]

    def __post_init__(self) -> None:
        for kind, count in self.counts.items():
            if kind not in KINDS:
                near = did_you_mean(kind, [*KINDS, "workers", "max_states", "max_seconds", "max_megabytes"])
                raise Mistake(f"`{kind}` is no fault. The faults are {listed(list(KINDS))}.{near}")
            if not isinstance(count, int) or not 0 <= count <= MOST:
                raise Mistake(f"{kind}={show(count)}: give a whole number from 0 to {MOST}.")

    @property
    def packed(self) -> int:
        return sum(self.counts.get(kind, 0) << _BITS * place for place, kind in enumerate(KINDS))

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in KINDS if self.counts.get(kind)]

    def __str__(self) -> str:
        """`up to 1 crash and 1 redelivery`, `no faults`."""
        named = [plural(self.counts[kind], FAULT_NAMES[kind]) for kind in self.kinds]
        return f"up to {listed(named)}" if named else "no faults"


UNITS = {kind: 1 << _BITS * place for place, kind in enumerate(KINDS)}
MASKS = {kind: MOST << _BITS * place for place, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Limits:
    """Where a search gives up and says how far it came."""

    states: int = 200_000
    seconds: float = 10.0  # for the whole answer: whether anything is wrong, and the smallest way to it
    megabytes: float = 1_500.0  # by which the process may grow
    steps: int = 1_000  # of one worker in one run: more is taken for an endless loop

    def __post_init__(self) -> None:
        given = {"max_states": self.states, "max_seconds": self.seconds, "max_megabytes": self.megabytes}
        for name, limit in given.items():
            if not isinstance(limit, (int, float)) or not limit > 0:
                raise Mistake(f"{name}={show(limit)}: give a number above 0.")
