"""What a search has found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from simlib.model.operation import Where
from simlib.schedule.budget import Slot
from simlib.schedule.transition import Transition


class Carry(Exception):
    """Raised when states have to carry more: "time", "order" (of acknowledgements) or "counts"."""


@dataclass(frozen=True)
class Found:
    """A violation: which claim, the moves that lead there, and why, if the property itself does not say."""

    claim: str  # a property's name, or "stuck", "livelock", "error"
    moves: tuple[Transition, ...] | None = ()  # None: it is about all schedules, so there is none to show
    because: str = ""


class Loop(NamedTuple):
    """A worker that can loop forever without a fault: its letter, and its steps with their places."""

    worker: str
    steps: tuple[tuple[str, Where], ...]


class Uncaught(NamedTuple):
    """An operation's error that nobody caught and that ended a worker's run: where, and whether it was restarted."""

    role: str
    error: str
    where: Where
    restarted: bool


class Wait(NamedTuple):
    """Who can wait forever, and where: for what `holder` has locked, who waits for work."""

    role: str
    step: str
    where: Where
    holder: str
    holder_step: str
    holder_where: Where


@dataclass
class Findings:
    """What a search has found out."""

    states: int = 0
    transitions: int = 0
    schedules: int | None = None  # None: not counted, or without bound
    found: Found | None = None
    complete: bool = False
    interrupted: str = ""  # what stopped it: "at 1,000,000 states", "after 10 s", "by you"
    endless: bool = False  # it was stopped by a run without an end in sight
    wrong: str = ""  # the claim that can be violated, if the smallest way to it was not found in time
    faults_proven: int = -1  # all schedules with up to so many faults hold
    outcomes: set[object] = field(default_factory=set)  # final worlds, as an outsider sees them
    good: list[tuple[Transition, ...]] | None = field(default_factory=list)  # runs that went well; None: not sought
    unseen: list[str] = field(default_factory=list)  # `sometimes` that never came true
    idle_faults: list[Slot] = field(default_factory=list)  # faults that could never strike
    idle_workers: list[str] = field(default_factory=list)  # who never took a step
    untried: list[str] = field(default_factory=list)  # claims about resources that nothing ever changed
    crash_points: list[str] = field(default_factory=list)
    levels: dict[str, list[str]] = field(default_factory=dict)  # isolation levels, by database
    loops: list[Loop] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    uncaught: list[Uncaught] = field(default_factory=list)
    compiled: bool = field(default=False, compare=False, repr=False)  # whether the compiled core ran the search
