"""The three questions, asked of two implementations, and the same failure played on both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simlib.engines.explore import Report
from simlib.scenario import Scenario, Workers
from simlib.trace import FAULT_NAMES, Trace
from simlib.values import listed, plural
from simlib.views.comparison import Column, Sheet, picture, text
from simlib.watchdog import interruptible

QUESTIONS = ("crashes mid-flight", "runs twice", "runs concurrently with itself")


@dataclass(frozen=True)
class Comparison:
    """What `compare` found. `reports` has the reports of each implementation, by question.

    Jupyter shows it as a picture; `print` and `repr` give the same as text.
    """

    reports: Mapping[str, Mapping[str, Report]]
    failure: Report | None  # the one that is played on both
    traces: Mapping[str, Trace]
    sheet: Sheet

    def __repr__(self) -> str:
        return text(self.sheet)

    def _repr_mimebundle_(self, **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return picture(self.sheet)._repr_mimebundle_(**how)

    def save(self, path: str) -> None:
        """Write the picture to a file; the ending says how (png, svg, pdf)."""
        picture(self.sheet).save(path)


@interruptible()
def compare(
    scenario: Scenario, *, happy_path: Workers, failure_mode: Workers, workers: int | None = None, **faults: int
) -> Comparison:
    """Ask of both implementations what happens if they crash mid-flight, run twice, run concurrently with themselves.

    The first question has one worker and `crashes` (1 if not given); the second one worker whose task is handed out
    again (`redeliveries`, 1); the third at least two workers, and for consumers a redelivery as well, so that both
    have the same message. Further faults are added to each question. The first failure of `happy_path` is played on
    both. Raises Mistake.
    """
    sides = {"happy path": happy_path, "failure mode": failure_mode}
    asked = {side: _ask(scenario, worker, workers, faults) for side, worker in sides.items()}
    failure = next((report for report in asked["happy path"].values() if report.counterexample), None)
    traces = {side: _played(scenario, worker, failure, asked[side]) for side, worker in sides.items()}
    columns = [_column(side, worker, asked[side], traces[side]) for side, worker in sides.items()]
    return Comparison(asked, failure, traces, Sheet(tuple(columns), QUESTIONS, _small_print(scenario, workers, faults)))


def _ask(scenario: Scenario, worker: Workers, workers: int | None, faults: Mapping[str, int]) -> dict[str, Report]:
    usual = scenario.workers if isinstance(scenario.workers, int) else max(scenario.workers.values())
    several = max(2, usual if workers is None else workers)
    more = {kind: count for kind, count in faults.items() if kind not in ("crashes", "redeliveries")}
    crashes = {"crashes": faults.get("crashes", 1), **more}
    again = {"redeliveries": faults.get("redeliveries", 1), **more}
    consumers = scenario.system(worker, 1).consumers
    together = again if consumers else {"crashes": 0, **more}
    budgets = zip(QUESTIONS, (1, 1, several), (crashes, again, together))
    return {question: scenario.explore(worker, workers=count, **budget) for question, count, budget in budgets}


def _played(scenario: Scenario, worker: Workers, failure: Report | None, asked: Mapping[str, Report]) -> Trace:
    if failure is None:
        sample = next((trace for report in asked.values() for trace in report.sample(1)), None)
        return scenario.run(worker) if sample is None else sample  # none is known where all were interrupted
    trace = scenario.replay(worker, failure)
    assert isinstance(trace, Trace)
    return trace


def _column(side: str, worker: Workers, asked: Mapping[str, Report], trace: Trace) -> Column:
    verdicts = tuple((report.verdict, _in_short(report)) for report in asked.values())
    return Column(side, worker, verdicts, trace)


def _in_short(report: Report) -> str:
    if report.verdict == "violated":
        faults = report.counterexample.describe_faults() if report.counterexample else ""
        return f"{(report.claim or '').replace('_', ' ')}: broken with {faults}"
    if report.verdict == "holds" and report.schedules is not None:
        where = "its only schedule" if report.schedules == 1 else f"all {plural(report.schedules, 'schedule')}"
        return f"holds in {where}{report.vacuous}"
    if report.verdict == "unfinished":
        return f"unfinished, stopped {report.findings.interrupted}"
    return report.verdict


def _small_print(scenario: Scenario, workers: int | None, faults: Mapping[str, int]) -> str:
    named = [plural(count, FAULT_NAMES[kind]) for kind, count in {"crashes": 1, "redeliveries": 1, **faults}.items()]
    usual = scenario.workers if isinstance(scenario.workers, int) else max(scenario.workers.values())
    several = max(2, usual if workers is None else workers)
    return f"Every order of the atomic steps, with up to {listed(named)}; {several} workers in the third question."
