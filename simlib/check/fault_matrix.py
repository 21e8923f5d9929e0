"""The fault matrix: what becomes of a worker if something goes wrong at one step. One search per cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from simlib.check import Report, explore
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.errors import Mistake
from simlib.model.fault import CRASHES, DISK_FULL, LOST_REPLIES, OUTAGES, PAUSES, REDELIVERIES, REJECTIONS
from simlib.model.operation import Op
from simlib.model.system import Counts, System
from simlib.schedule.budget import Budget, Limits
from simlib.schedule.replay import run_once
from simlib.schedule.trace import Event
from simlib.watchdog import interruptible


@dataclass(frozen=True)
class Condition:
    """A column: what goes wrong at a step, with how many workers, and on which side of the step it strikes."""

    name: str
    faults: Mapping[str, Counts]
    workers: int = 1
    when: Literal["before", "after"] = "after"


CONDITIONS = (
    Condition("crash before", {CRASHES: 1}, when="before"),
    Condition("crash after", {CRASHES: 1}),
    Condition("run twice", {REDELIVERIES: 1}, workers=2),
    Condition("overtaken", {}, workers=2, when="before"),
    Condition("paused", {PAUSES: 1}, workers=2),
    Condition("transient error", {OUTAGES: 1}, when="before"),
    Condition("permanent error", {REJECTIONS: 1}, when="before"),
    Condition("lost reply", {LOST_REPLIES: 1}, when="before"),
    Condition("disk full", {DISK_FULL: 1}, when="before"),
)


@dataclass(frozen=True)
class Cell:
    """One search: what can happen if this goes wrong at this step."""

    step: Op
    condition: Condition
    report: Report

    @property
    def verdict(self) -> str:
        """`holds`, `violated`, `stuck`, `unfinished`, or empty if this cannot strike here."""
        if self.report.verdict == "holds" and self.report.findings.idle_faults:
            return ""
        return "stuck" if self.report.claim in ("stuck", "livelock") else self.report.verdict


@interruptible()
def cells(systems: Mapping[int, System], conditions: tuple[Condition, ...] = CONDITIONS) -> list[list[Cell]]:
    """A row per step of worker A's undisturbed run, a cell per condition. `systems` are by number of workers, 1 and 2.

    Raises Mistake for a run that has no end.
    """
    trace = run_once(systems[1])
    steps = [event for event in trace.events if event.op and event.worker == "A"]
    if trace.broken == "livelock" and not (steps and steps[-1].ended):  # another role may loop forever
        title = systems[1].title
        raise Mistake(
            f"{title} goes round for ever with nothing going wrong, so it has no last step. Explore it first."
        )
    return [
        [_cell(systems[condition.workers], event, condition, last=place == len(steps)) for condition in conditions]
        for place, event in enumerate(steps, start=1)
    ]


def _cell(system: System, event: Event, condition: Condition, last: bool) -> Cell:
    assert event.op is not None
    location = FaultLocation(event.op.name, event.nth, condition.when, last)
    return Cell(event.op, condition, explore(system, Budget(condition.faults), Limits(), location=location))


@interruptible()
def overtakings(system: System, steps: int) -> list[list[Report]]:
    """A row per step of A after which it is overtaken, a cell per step of B by then. `system` has two workers."""
    count = range(1, steps + 1)
    return [[_overtaken(system, first, second) for second in count] for first in count]


def _overtaken(system: System, first: int, second: int) -> Report:
    budget = Budget({REDELIVERIES: 1} if "A" in system.consumers else {CRASHES: 0})
    report = explore(system, budget, Limits(), merge=False, location=Overtaking(first, second))
    if report.claim == "livelock":  # perhaps only because a worker that polls always goes first
        report = explore(system, budget, Limits(), merge=False, location=Overtaking(first, second, loose=True))
    return report
