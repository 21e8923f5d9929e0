"""Grades a worker: runs it under every budget of faults that it must survive, and says why it fails one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from simlib.check import Report
from simlib.errors import Mistake
from simlib.model.system import Counts, called
from simlib.scenario import Scenario, Workers, about_a_scenario, one_question
from simlib.schedule.budget import Faults
from simlib.schedule.trace import Trace
from simlib.simulate.conditions import COUNTED
from simlib.text import listed, ordinal, plural, wrapped


@dataclass(frozen=True)
class Grade:
    """The result: a report for each budget, in order, up to the first that is unfinished.

    It is done when all of them hold and nobody can loop forever (unless `polls`).
    """

    worker: str
    reports: tuple[Report, ...]
    budgets: int  # how many there are to check
    polls: bool = False

    @property
    def score(self) -> int:
        """The number of budgets under which it holds."""
        return sum(map(self.passes, self.reports))

    @property
    def done(self) -> bool:
        return self.score == self.budgets

    @property
    def failed(self) -> Report | None:
        """The first report that does not pass."""
        return next((report for report in self.reports if not self.passes(report)), None)

    def passes(self, report: Report) -> bool:
        """Whether all properties hold, and nobody loops forever without being allowed to."""
        return report.verdict == "holds" and (self.polls or not report.loops)

    def __repr__(self) -> str:
        failed = self.failed
        if self.budgets == 1:
            return f"{self.worker} {_holds(self.reports[0])}." if not failed else self._why(failed)
        lines = [f"{self.worker} holds under {self.score} of {plural(self.budgets, 'budget')}."]
        lines += [f"  {report.budget}: {self._says(report)}" for report in self.reports]
        if len(self.reports) < self.budgets:
            lines.append(f"  {self.budgets - len(self.reports)} more: not asked")
        return "\n".join([*lines, "", self._why(failed)] if failed else lines)

    def _why(self, report: Report) -> str:
        """What goes wrong, under which faults, and the run that shows it."""
        trace, found = report.counterexample, report.findings.found
        if report.verdict == "holds":
            said = f"Not yet: no property of {self.worker} breaks, but its work has no end."
            return "\n".join([wrapped(said), *map(wrapped, report.notes)])
        if found is None:
            return wrapped(f"Not yet: {report.sentence}")
        when = "" if trace is None else f" ({listed(trace.failure)})" if trace.failure else ", with no fault at all"
        said = f"Not yet: {self.worker} {_goes_wrong(report.claim)}{when}."
        if trace is None:
            return "\n".join([wrapped(said), wrapped(found.because)])
        uncaught = filter(None, [_uncaught(trace)])
        return "\n".join([*map(wrapped, (said, found.because or trace.because, *uncaught)), "", *trace.lines()])

    def _says(self, report: Report) -> str:
        """The verdict in a line."""
        if report.verdict == "holds":
            return f"holds{report.vacuous}{'' if self.passes(report) else ', but can loop forever'}"
        if report.verdict != "violated":
            return report.verdict
        trace = report.counterexample
        return _goes_wrong(report.claim) + (f", with {trace.describe_faults()}" if trace else "")


class Graded(Faults, total=False):
    """Faults, and the search limits that a grade does not set itself."""

    max_states: int
    max_megabytes: float


@about_a_scenario(instead=COUNTED)
@one_question
def grade(
    scenario: Scenario,
    worker: Workers,
    *,
    budgets: Sequence[Faults] = (),
    workers: Counts | None = None,
    max_seconds: float | None = 60.0,
    polls: bool = False,
    **faults: Unpack[Graded],
) -> Grade:
    """Check this worker under all of these faults, or under each of several `budgets`, `[{"crashes": 2}, ...]`.

    Faults and limits are those of `scenario.explore`, but each search has more time, so that a grade does not depend on
    how busy the machine is. A worker that can loop forever does not pass even if no property is violated; `polls` says
    that it may loop. Print the result to see what is still wrong. Raises Mistake without faults, and as `explore` does.
    """
    if not budgets and not faults:
        raise Mistake("grade(scenario, worker, crashes=1): name the faults that it has to survive.")
    asked: list[dict[str, Any]] = [{**faults, **budget} for budget in budgets or [{}]]
    reports: list[Report] = []
    for one in asked:
        reports.append(scenario.explore(worker, workers=workers, max_seconds=max_seconds, **one))
        if reports[-1].verdict == "unfinished":
            break  # the rest would take as long
    return Grade(called(worker), tuple(reports), len(asked), polls)


def _goes_wrong(claim: str | None) -> str:
    known = {"livelock": "loops forever", "stuck": "waits forever", "error": "ends with an error of its own"}
    return known.get(claim or "", f"breaks {claim}")


def _uncaught(trace: Trace) -> str:
    """The last error that ended a process, which a line of the trace has no room for."""
    for event in reversed(trace.events):
        if event.error and event.op:
            step = f"{event.worker}'s {ordinal(event.nth)} {event.op.name}, line {event.line}"
            return f"Nobody caught what {step} raised: {type(event.error).__name__}: {event.error}."
    return ""


def _holds(report: Report) -> str:
    return f"holds{report.vacuous} under {report.budget}: {plural(report.states, 'state')}, every order of the steps"
