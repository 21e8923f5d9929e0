"""What a search comes to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from simlib.model.operation import Where
from simlib.schedule.transition import Transition


class Carry(Exception):
    """States have to carry more than they do: raised with "time", "order" (of acknowledgements) or "counts"."""


@dataclass(frozen=True)
class Found:
    """A violation: which claim, the moves that lead there, and why, where that is not the property's to say."""

    claim: str  # a property's name, or "stuck", "livelock", "error"
    moves: tuple[Transition, ...] | None = ()  # None: there is no schedule to show, since it is about all of them
    because: str = ""


class Loop(NamedTuple):
    """A worker that can loop for ever with nothing going wrong: its letter, and each step with where it is."""

    worker: str
    steps: tuple[tuple[str, Where], ...]


class Uncaught(NamedTuple):
    """An operation's error that nobody caught and that ended a worker's run: where, and whether it was restarted."""

    role: str
    error: str
    where: Where
    restarted: bool


@dataclass
class Findings:
    """What a search came to know."""

    states: int = 0
    transitions: int = 0
    schedules: int | None = None  # None: not counted, or without bound
    found: Found | None = None
    complete: bool = False
    interrupted: str = ""  # what stopped it: "at 200,000 states", "after 10 s", "by you"
    endless: bool = False  # what stopped it is a run without an end in sight
    wrong: str = ""  # the claim that can be violated, where the smallest way to it was not found in time
    faults_proven: int = -1  # all schedules with up to so many faults hold
    outcomes: set[object] = field(default_factory=set)  # final worlds, as an outsider sees them
    good: list[tuple[Transition, ...]] | None = field(
        default_factory=list
    )  # schedules that went well; None: not looked for
    unseen: list[str] = field(default_factory=list)  # `sometimes` that never were
    idle_faults: list[str] = field(default_factory=list)  # kinds of fault that had no place to strike
    idle_workers: list[str] = field(default_factory=list)  # who never took a step
    untried: list[str] = field(default_factory=list)  # claims about what nothing ever changed
    crash_points: list[str] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    uncaught: list[Uncaught] = field(default_factory=list)
