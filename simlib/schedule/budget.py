"""The fault budget of a run, and the limits of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from simlib.arguments import above_zero, whole_number
from simlib.model.fault import FAULT_NAMES, KINDS
from simlib.model.system import Counts
from simlib.text import listed, plural

LIMITS = ("max_states", "max_seconds", "max_megabytes")
_BITS = 5
MOST = 2**_BITS - 1


class Faults(TypedDict, total=False):
    """How often each fault may strike in one run."""

    crashes: int  # a worker's memory is lost, and it is restarted
    node_losses: int  # a worker is gone, and not restarted
    power_losses: int  # all processes end, and unsynced data may be lost
    redeliveries: int  # a task that was handed out is handed out again
    lost_replies: int  # the step took effect, but its caller sees OutcomeUnknown
    outages: int  # the step did not take effect, and its caller sees Unavailable
    rejections: int  # it never will, and its caller sees Rejected
    disk_full: int
    pauses: int  # a worker stalls until its timer runs out
    stops: int  # a worker is told to stop (SIGTERM): it can finish or hand back, then its process ends


class SearchLimits(TypedDict, total=False):
    """Where a search stops."""

    max_states: int
    max_seconds: float | None  # None: no limit
    max_megabytes: float  # by which the process may grow


class Search(SearchLimits, Faults, total=False):
    """What a function that sets the number of workers itself passes on to `explore`."""


class Staff(TypedDict, total=False):
    """How many of each worker there are."""

    workers: Counts | None


class Question(Staff, Search, total=False):
    """What a function passes on to `explore`."""


@dataclass(frozen=True)
class Budget:
    """How many faults of each kind one run may have. Packed into one number, so that a state carries it cheaply."""

    counts: Mapping[str, Any]  # ints; a TypedDict's type does not say so

    def __post_init__(self) -> None:
        counts = {kind: whole_number(kind, count, 0, MOST) for kind, count in self.counts.items()}
        object.__setattr__(self, "counts", counts)

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
    """Where a search stops, and says how far it got."""

    states: int = 200_000
    # For the whole answer: the verdict and the smallest counterexample; None: no limit.
    seconds: float | None = 10.0
    megabytes: float = 1_500.0  # by which the process may grow
    steps: int = 1_000  # of one worker in one run: more is taken for an infinite loop

    def __post_init__(self) -> None:
        whole_number("max_states", self.states, 1)
        above_zero("max_megabytes", self.megabytes)
        if self.seconds is not None:
            above_zero("max_seconds", self.seconds, of=" of seconds", or_=", or None for no limit")
