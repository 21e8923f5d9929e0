"""The compiled core against plain Python: the same states in the same order, and the same reports."""

import signal
from math import comb

import pytest

from simlib import Database, Scenario
from simlib.check import core, explore
from simlib.check.core_searches import CoreReachability, CoreShortest
from simlib.check.fault_matrix import CONDITIONS
from simlib.check.findings import Carry
from simlib.check.question import Question
from simlib.check.reachability import Reachability
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.check.shortest import Shortest
from simlib.check.symmetry import NotAlike, alike
from simlib.errors import Mistake
from simlib.model.fault import KINDS as KINDS_OF_FAULT
from simlib.scenario import system_of
from simlib.schedule.budget import Budget, Limits
from simlib.schedule.replay import run_once
from simlib.schedule.token import points
from tests.agreement import each_of
from tests.programs import (
    BUDGETS,
    programs_about_frames,
    programs_as_data,
    programs_as_source,
    programs_that_race,
    programs_that_stop,
    programs_with_clocks,
    programs_with_files,
    programs_with_times_to_live,
    programs_with_transactions,
    programs_with_webhooks,
)
from tests.sample import charge, shop

pytestmark = pytest.mark.skipif(
    not core.available(), reason="there is no compiled core: no C++ compiler built it, or MIDFLIGHT_CORE=off"
)
KINDS = [
    programs_with_clocks, programs_with_transactions, programs_with_files,
    programs_with_times_to_live, programs_with_webhooks, programs_about_frames, programs_that_race, programs_that_stop,
]  # fmt: skip
FEW = Limits(states=300, seconds=None, steps=100)  # many programs have more: the core has to stop where Python does
MIXED = [{"crashes": 1, "pauses": 1}, {"power_losses": 1, "stops": 1}, {"redeliveries": 1, "lost_replies": 1}]


def ids(budget):
    return "+".join(f"{count}_{kind}" for kind, count in budget.items()) or "no_fault"


def both(ask):
    """What the core answers, and what plain Python does. A mistake is an answer."""
    with core.switched_off():
        plain = outcome(ask)
    return outcome(ask), plain


def outcome(ask):
    try:
        return ask()
    except (Mistake, Carry, NotAlike) as error:
        return type(error), str(error)


def same_report(ask):
    """Whatever a report says, and all that it does not print."""
    ours, plain = both(ask)
    if isinstance(plain, tuple):
        assert ours == plain
        return None
    assert not plain.compiled
    assert vars(ours.findings) == {**vars(plain.findings), "compiled": ours.compiled}
    assert str(ours) == str(plain) and ours.token == plain.token
    if plain.counterexample:
        assert [*points(ours.counterexample)] == [*points(plain.counterexample)]
        moves = [[event.move for event in report.counterexample.events] for report in (ours, plain)]
        assert moves[0] == moves[1]
    return ours


def all_of(search):
    """Every state that a search has numbered, and what can happen in each, whether or not it was visited."""
    successors = search._successors
    count, found = len(successors.states), []
    for number in range(count):
        targets, edges, able, rests = successors.in_state(number)
        found.append((successors.states[number], targets, [edge.move for edge in edges], able, rests))
    return found


def searched(kind, question):
    search = kind(question)
    findings = outcome(search.run)
    struck = [{*nodes} for nodes in search._successors.struck]
    return findings, struck, outcome(lambda: all_of(search))


def same_states(system, budget, location=None, anonymous=False):
    """One search of each kind: each state, each transition, in order."""
    for ours, plain in ((CoreReachability, Reachability), (CoreShortest, Shortest)):
        if anonymous and plain is Shortest:
            continue
        answers = []
        for kind in (ours, plain):
            question = Question.about(system, budget, FEW, location=location, anonymous=anonymous)
            answers.append(searched(kind, question))
            question.local_states.close()
        assert answers[0] == answers[1]


def same(case, budget):
    """The same report, and the same states in every search that may lead to it."""
    system = case.system()
    same_report(lambda: explore(system, Budget(budget), FEW))
    same_states(system, Budget(budget))
    if alike(system):
        same_states(system, Budget(budget), anonymous=True)


@pytest.mark.parametrize("budget", BUDGETS, ids=ids)
def test_any_programs(budget):
    programs = (programs_as_data, programs_as_source)[BUDGETS.index(budget) % 2]
    each_of(programs(budget), BUDGETS.index(budget), 3, lambda case: same(case, budget))


@pytest.mark.parametrize("programs", KINDS, ids=lambda kind: kind.__name__)
def test_programs_about_one_thing(programs):
    for number, budget in enumerate([{}, *MIXED]):
        drawn = programs({} if programs is programs_that_race else budget)  # those are tried out as they are drawn
        each_of(drawn, number, 2, lambda case: same(case, budget))  # noqa: B023 - it is asked at once


def test_two_may_pay_for_one_fault():
    """A budget that is aimed at a resource and at a worker: what is left is all that may be left."""

    def compare(case):
        system = case.system()
        names = [*system.resources, *dict.fromkeys(system.names.values())]
        for kind in ("lost_replies", "redeliveries", "pauses"):
            budget = Budget({kind: dict.fromkeys((names[0], names[-1]), 1)})
            same_report(lambda: explore(system, budget, FEW))  # noqa: B023 - it is asked at once
            same_states(system, budget)

    each_of(programs_as_data({"lost_replies": 1}), 7, 4, compare)


def test_a_budget_of_many_faults_and_more_bits_than_a_number_has():
    def compare(case):
        system = case.system()
        budget = Budget({kind: 31 if kind == "lost_replies" else 2 for kind in KINDS_OF_FAULT})
        same_report(lambda: explore(system, budget, Limits(states=60, seconds=None)))

    each_of(programs_as_data({"lost_replies": 1}), 8, 2, compare)


def test_a_search_at_one_place():
    def compare(case):
        system = case.system()
        steps = [step for step in run_once(system).events if step.op and step.worker == "A"][:2]
        for condition in CONDITIONS:
            for step in steps:
                place = FaultLocation(step.op.name, step.nth, condition.when, step is steps[-1])
                same_report(lambda: explore(system, Budget(condition.faults), FEW, location=place))  # noqa: B023
        if len(system.cast) > 1:
            for first, second, loose in ((1, 1, False), (1, 2, True), (2, 1, False)):
                place = Overtaking(first, second, loose)
                same_report(lambda: explore(system, Budget({}), FEW, merge=False, location=place))  # noqa: B023

    each_of(programs_as_data({}), 9, 4, compare)


def every_limit(ask):
    """The reports with more and more states allowed."""
    for states in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89):
        report = same_report(lambda: ask(Limits(states=states, seconds=None)))  # noqa: B023
        if report and report.verdict != "unfinished":
            return


def test_wherever_a_limit_ends_it():
    def compare(case):
        system = case.system()
        every_limit(lambda limits: explore(system, Budget({"crashes": 1}), limits))

    each_of(programs_as_data({"crashes": 1}), 10, 2, compare)


def test_a_number_of_schedules_of_any_size():
    def counts(here):
        for number in range(140):
            yield here.write("x", number)

    def counts_too(there):
        for number in range(140):
            yield there.write("x", number)

    two = Scenario(here=Database(), there=Database())
    report = two.explore([counts, counts_too], crashes=0, max_seconds=None)
    assert report.compiled and report.states == 141**2
    assert report.schedules == comb(280, 140) > 2**256


def test_an_interrupt_keeps_what_the_core_has_found():
    calls = []

    def is_fine(db):
        calls.append(0)
        if len(calls) == 20:
            signal.raise_signal(signal.SIGINT)
        return db["x"] is None or db["x"] >= 0

    def counts(db):
        for number in range(30):
            yield db.write("x", number)

    report = Scenario(db=Database(), always=[is_fine], workers=2).explore(counts)
    assert (report.verdict, report.findings.interrupted, report.compiled) == ("unfinished", "by you", True)
    assert report.states >= 15


def test_a_mistake_inside_a_search_comes_out_of_it_as_it_is():
    def is_fine(db):
        return db["x"] / 0

    def writes(db):
        yield db.write("x", 1)

    ours, plain = both(lambda: Scenario(db=Database({"x": 1}), always=[is_fine]).explore(writes))
    assert ours == plain and isinstance(plain, tuple)


def test_it_can_be_switched_off(monkeypatch):
    monkeypatch.setenv(core.SWITCH, "off")
    assert not core.available()
    assert not shop().explore(charge).compiled
    monkeypatch.delenv(core.SWITCH)
    assert core.available() and shop().explore(charge).compiled


def test_which_one_ran_is_no_part_of_what_a_report_says():
    with core.switched_off():
        plain = shop().explore(charge)
    ours = shop().explore(charge)
    assert ours.findings == plain.findings and repr(ours) == repr(plain) and "compiled" not in repr(ours.findings)


def test_a_state_that_there_is_not_is_an_error_and_no_crash():
    question = Question.about(system_of(shop(), charge), Budget({}), Limits())
    search = CoreReachability(question)
    search.run()
    space = search._successors.space
    for method in (space.row, space.came, space.first_label, space.label):
        with pytest.raises(IndexError):
            method(1 << 20)
    with pytest.raises(ValueError, match="another number of parts"):
        space.add((1, 2))
    with pytest.raises(ValueError, match="searched before"):
        space.reach(search._successors, search, 0, 10)
    with pytest.raises(OverflowError):
        space.row(1 << 40)
