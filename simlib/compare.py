"""Compare two implementations: the same three questions, and the same failure played on both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from simlib.check import Report
from simlib.errors import Mistake
from simlib.model.fault import CRASHES, FAULT_NAMES, REDELIVERIES
from simlib.model.system import Counts, how_many, roles_of
from simlib.scenario import Scenario, Workers, about_a_scenario, one_question, system_of
from simlib.schedule.budget import Search, slots_of
from simlib.schedule.trace import Trace
from simlib.simulate.conditions import COUNTED
from simlib.text import did_you_mean, listed, name_of, plural, show
from simlib.views.comparison import Column, Sheet, picture, text

QUESTIONS = ("crashes mid-flight", "runs twice", "runs concurrently with itself")


@dataclass(frozen=True)
class Comparison:
    """What `compare` found. Jupyter shows a picture; `print` and `repr` give the same as text.

    `reports["happy path"]["runs twice"]` is the verdict on an implementation for a question. `failure` is the report
    whose counterexample was played on both, None if the happy path has none; `traces["failure mode"]` is the resulting
    run.
    """

    reports: Mapping[str, Mapping[str, Report]]
    failure: Report | None
    traces: Mapping[str, Trace]
    sheet: Sheet

    def __repr__(self) -> str:
        return text(self.sheet)

    def _repr_mimebundle_(self, **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return picture(self.sheet)._repr_mimebundle_(**how)

    def save(self, path: str) -> None:
        """Write the picture to a file; the extension sets the format (png, svg, pdf)."""
        picture(self.sheet).save(path)


@about_a_scenario(instead=COUNTED)
@one_question
def compare(
    scenario: Scenario,
    *,
    happy_path: Workers,
    failure_mode: Workers,
    workers: Counts | None = None,
    **faults: Unpack[Search],
) -> Comparison:
    """Check what happens if each implementation crashes mid-flight, runs twice, or runs concurrently with itself.

    The first question has one worker and `crashes` (default 1). The second has one worker whose task is delivered again
    (`redeliveries`, default 1). The third has at least two workers, plus a redelivery for consumers so that both hold
    the same message: `workers` of each role, or by name `{"relay": 3}`. Other faults apply to each question, and so do
    the limits of `scenario.explore`. A fault may be aimed, as there; of the names of workers, each implementation takes
    those that it has: `crashes={"charge": 1, "charge_once": 1}`. The first failure of `happy_path` is played on both.

    Raises Mistake if `workers` counts a worker that neither implementation has, if a fault is aimed at workers of only
    one of them, which would be no comparison, and whenever `explore` would.
    """
    sides = {"happy path": happy_path, "failure mode": failure_mode}
    _check_aims(scenario, sides, faults)
    several = _several(scenario.workers) if workers is None else _several(how_many(workers), sides.values())
    asked = {side: _ask(scenario, worker, several, faults) for side, worker in sides.items()}
    failure = next((report for report in asked["happy path"].values() if report.counterexample), None)
    traces = {side: _played(scenario, worker, failure, asked[side]) for side, worker in sides.items()}
    columns = [_column(side, worker, asked[side], traces[side]) for side, worker in sides.items()]
    return Comparison(asked, failure, traces, Sheet(tuple(columns), QUESTIONS, _small_print(several, faults)))


def _several(workers: Counts, sides: Iterable[Workers] = ()) -> Counts:
    """At least two of each worker that is counted, for the concurrency question. Raises Mistake for a name that none of
    the `sides` has; the scenario itself may count workers that do not take part.
    """
    if isinstance(workers, int):
        return max(2, workers)
    names = [name_of(role) for side in sides for role in roles_of(side)]
    for name in workers:
        if names and name not in names:
            raise Mistake(f"workers: there is no worker called {name}, but {listed(names)}.{did_you_mean(name, names)}")
    return {name: max(2, count) for name, count in workers.items()}


def _ask(scenario: Scenario, worker: Workers, several: Counts, faults: Mapping[str, Any]) -> dict[str, Report]:
    here = [name_of(role) for role in roles_of(worker)]
    if not isinstance(several, int):  # the other implementation's roles may have other names
        several = {name: count for name, count in several.items() if name in here} or 2
    faults = {kind: _only(count, [*scenario.resources, *here]) for kind, count in faults.items()}
    more = {kind: count for kind, count in faults.items() if kind not in (CRASHES, REDELIVERIES)}
    crashes = {CRASHES: faults.get(CRASHES, 1), **more}
    again = {REDELIVERIES: faults.get(REDELIVERIES, 1), **more}
    consumers = system_of(scenario, worker, 1).consumers
    together = again if consumers else {CRASHES: 0, **more}
    budgets = zip(QUESTIONS, (1, 1, several), (crashes, again, together))
    return {question: scenario.explore(worker, workers=count, **budget) for question, count, budget in budgets}


def _only(count: Any, names: Sequence[str]) -> Any:
    """How often a fault may strike, at these names alone if it is aimed."""
    return {at: one for at, one in count.items() if at in names} if isinstance(count, Mapping) else count


def _check_aims(scenario: Scenario, sides: Mapping[str, Workers], faults: Mapping[str, Any]) -> None:
    """Raise Mistake if a fault is aimed at what neither side has, or at nothing of one of them."""
    here = {side: [*scenario.resources, *map(name_of, roles_of(worker))] for side, worker in sides.items()}
    for kind, count in faults.items():
        for at in count if isinstance(count, Mapping) else ():
            names = [*dict.fromkeys(name for known in here.values() for name in known)]
            if isinstance(at, str) and at not in names:
                near = did_you_mean(at, names)
                raise Mistake(f"{kind}={show(count)}: there is nothing called {at}, but {listed(names)}.{near}")
        for side, known in here.items():
            if count and _only(count, known) == {}:
                raise Mistake(
                    f"{kind}={show(count)} strikes nothing of the {side.replace(' ', '_')}, so there is nothing to "
                    "compare. Name a worker of each implementation, or a resource."
                )


def _played(scenario: Scenario, worker: Workers, failure: Report | None, asked: Mapping[str, Report]) -> Trace:
    if failure is None:
        sample = next((trace for report in asked.values() for trace in report.sample(1)), None)
        return scenario.run(worker) if sample is None else sample  # no sample if every search was interrupted
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


def _small_print(several: Counts, faults: Mapping[str, Any]) -> str:
    counts = {CRASHES: 1, REDELIVERIES: 1, **faults}
    named = [slot.counted for kind, count in counts.items() if kind in FAULT_NAMES for slot in slots_of(kind, count)]
    counted = {"workers": several} if isinstance(several, int) else several
    who = listed([f"{count} {name}" for name, count in counted.items()])
    return f"Every order of the atomic steps, with up to {listed(named)}; {who} in the third question."
