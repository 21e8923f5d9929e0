"""Every lesson for real: what `explore` finds breaks, what it proves survives a kill after each of its steps."""

import pytest

from simlib.live import Chaos, Processes, run
from simlib.model.fault import KINDS
from simlib.model.system import outcome_of
from simlib.scenario import system_of
from simlib.schedule.budget import Budget
from simlib.schedule.token import Point, points
from tests.lessons import definitions
from tests.test_strips import STRIPS

LESSONS = sorted(set(STRIPS))


def lesson(number):
    names = definitions(number)
    scenario, *workers = STRIPS[number]
    return names[scenario], [[names[name] for name in roles_of_names(one)] for one in workers]


def roles_of_names(one):
    return [one] if isinstance(one, str) else one


@pytest.mark.parametrize("number", LESSONS)
def test_the_happy_path_breaks_live_with_every_property_that_explore_names(number):
    scenario, (happy, *_) = lesson(number)
    found = {kind: scenario.explore(happy, **{kind: 1}) for kind in KINDS}
    broken = {kind: report for kind, report in found.items() if report.counterexample}
    assert broken
    system = system_of(scenario, happy)
    with Processes(system, fills=True) as processes:
        live = {kind: run(system, processes, points(report.counterexample)) for kind, report in broken.items()}
    assert {kind: trace.broken for kind, trace in live.items()} == {
        kind: report.claim for kind, report in broken.items()
    }


def crash_points(scenario, worker):
    """A schedule for each step of worker A's undisturbed run: up to there, then a crash."""
    trace = scenario.run(worker)
    named = points(trace)
    ours = [place for place, event in enumerate(trace.events) if event.worker == "A"]
    until = next((place for place in ours if trace.events[place].ended), ours[-1])
    return [[*named[: place + 1], Point("crash", "A")] for place in ours if place < until]


@pytest.mark.parametrize("number", LESSONS)
def test_the_careful_version_survives_a_kill_after_each_of_its_steps(number):
    scenario, (*_, careful) = lesson(number)
    reached = scenario.explore(careful, workers=1, crashes=1)
    system = system_of(scenario, careful, 1)
    schedules = crash_points(scenario, careful)
    assert schedules
    with Processes(system, fills=True) as processes:
        traces = [run(system, processes, schedule) for schedule in schedules]
    assert [trace.broken for trace in traces] == [None] * len(schedules)
    assert [trace.faults for trace in traces] == [["crash"]] * len(schedules)
    ends = {outcome_of([*trace.worlds()][-1]) for trace in traces}
    assert reached.verdict == "holds" and ends <= reached.outcomes


@pytest.mark.parametrize("number", LESSONS)
def test_the_careful_version_ends_where_explore_says_after_random_kills_and_pauses(number):
    scenario, (*_, careful) = lesson(number)
    faults = {"crashes": 1, "pauses": 1}
    reached = scenario.explore(careful, **faults, max_seconds=None)
    system = system_of(scenario, careful)
    with Processes(system, fills=False) as processes:
        traces = [run(system, processes, Chaos(Budget(faults), seed)) for seed in range(3)]
    assert [trace.broken for trace in traces] == [None] * 3
    assert {outcome_of([*trace.worlds()][-1]) for trace in traces} <= reached.outcomes
