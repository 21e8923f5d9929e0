"""The searches of one question share what they learn, and each answers as if it had been asked alone."""

import copy
from dataclasses import fields, replace

import pytest

from simlib import Database, Queue, Scenario
from simlib.check import explore
from simlib.check.behaviour import Behaviour
from simlib.check.learned import Sharing
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.errors import Mistake, NotDeterministic
from simlib.scenario import one_question, system_of
from simlib.schedule.budget import Budget, Limits
from simlib.views import board, crash_strip, failure_matrix
from tests.agreement import each_of
from tests.programs import (
    programs_about_frames,
    programs_as_data,
    programs_as_source,
    programs_with_clocks,
    programs_with_files,
    programs_with_transactions,
)

LIMITS = Limits(states=3_000, seconds=None)
BUDGETS = [{}, {"crashes": 1}, {"outages": 1}, {"redeliveries": 1, "pauses": 1}, {"stops": 1}]


def answer(system, budget, merge=True, location=None):
    """Everything that a search found, or the Mistake that it raised."""
    try:
        report = explore(system, Budget(budget), LIMITS, merge=merge, location=location)
    except Mistake as mistake:
        return type(mistake), str(mistake)
    findings = {one.name: getattr(report.findings, one.name) for one in fields(report.findings)}
    return str(report), report.token, findings


def questions(system):
    """Of this system: several budgets, one place after another, and without merging."""
    for budget in BUDGETS:
        yield {"budget": budget}
    name = next((op.name for op in system.first_operations.values() if op), "db.read")
    for when in ("before", "after"):
        yield {"budget": {"crashes": 1}, "location": FaultLocation(name, 1, when)}
    yield {"budget": {"crashes": 0}, "merge": False, "location": Overtaking(1, 1)}
    yield {"budget": {"crashes": 1}, "merge": False}


@pytest.mark.parametrize(
    "programs",
    [
        programs_as_source, programs_as_data, programs_about_frames, programs_with_clocks, programs_with_files,
        programs_with_transactions,
    ],
)  # fmt: skip
def test_a_search_finds_the_same_whatever_was_asked_before(programs):
    compared = 0

    def compare(case):
        nonlocal compared
        sharing = Sharing()
        for workers in (2, 1, 2) if len(case.roles) == 1 else (1, 1):
            system = system_of(case.scenario, case.roles, workers)
            for question in questions(system):
                if len(system.cast) > 1 or not isinstance(question.get("location"), Overtaking):
                    alone = answer(replace(system, sharing=None), **question)
                    assert answer(replace(system, sharing=sharing), **question) == alone, question
                    compared += 1

    each_of(programs({}), 3, 2, compare)
    assert compared > 30


@pytest.fixture
def learned(monkeypatch):
    """How many answers workers were given, to grow what is known of them."""
    told = []
    child = Behaviour.child
    monkeypatch.setattr(Behaviour, "child", lambda self, *about: told.append(about) or child(self, *about))
    return told


def pay(inbox, db):
    message = yield inbox.receive()
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def shop():
    return Scenario(inbox=Queue(["order"]), db=Database(), always=[paid_or_not])


def paid_or_not(db):
    return db["order"] in (None, "paid")


@pytest.mark.parametrize("ask", [failure_matrix, crash_strip, lambda *asked: board(*asked, crashes=1)])
def test_no_worker_is_run_twice_for_one_answer_however_many_searches_ask(learned, ask):
    ask(shop(), pay)
    assert len(learned) > 3
    assert len({(id(place), answer) for place, answer, *_ in learned}) == len(learned)


def test_nothing_is_kept_from_one_question_to_the_next(learned):
    scenario = shop()
    crash_strip(scenario, pay)
    first = len(learned)
    crash_strip(scenario, pay)
    assert (len(learned), scenario._sharing) == (2 * first, None)


def test_a_question_about_other_resources_shares_nothing(learned):
    @one_question
    def ask(scenario):
        scenario.explore(pay, crashes=1)
        before = len(learned)
        again = scenario.but(inbox=Queue(["other"])).explore(pay, crashes=1)
        return len(learned) - before, again

    grown, report = ask(shop())
    assert grown > 3
    assert report.claim is None


def test_what_is_known_of_a_worker_is_forgotten_when_a_global_of_its_changes():
    global PRICE
    PRICE = 1

    def charge(db):
        yield db.write("price", PRICE)

    def it_is_one(db):
        return db["price"] in (None, 1)

    system = system_of(Scenario(db=Database(), always=[it_is_one]), charge)
    system = replace(system, sharing=Sharing())
    assert explore(system, Budget({"crashes": 0}), LIMITS).verdict == "holds"
    PRICE = 2
    assert explore(system, Budget({"crashes": 0}), LIMITS).claim == "it_is_one"


PRICE = 1


def test_a_worker_that_is_not_deterministic_is_found_out_in_a_later_search():
    drawn = iter(range(1_000_000))

    class Dice:
        def roll(self):
            return hidden()

    hidden = copy.copy(drawn.__next__)
    dice = Dice()

    def throws(db):
        yield db.read("x")
        if (yield db.compare_and_set("x", "struck", "seen")):
            yield db.write("y", dice.roll())

    def strike(db):
        yield db.write("x", "struck")

    scenario = Scenario(db=Database())
    sharing = Sharing()
    alone = replace(system_of(scenario, throws), sharing=sharing)
    assert explore(alone, Budget({"crashes": 0}), LIMITS).verdict == "holds"
    both = replace(system_of(scenario, [throws, strike]), sharing=sharing)
    with pytest.raises(NotDeterministic):
        explore(both, Budget({"crashes": 0}), LIMITS)


def test_a_report_names_the_levels_in_its_own_order_whatever_was_asked_before():
    def loosely(db):
        yield db.begin("read committed")
        yield db.commit()

    def strictly(db):
        yield db.begin("serializable")
        yield db.commit()

    scenario, sharing = Scenario(db=Database()), Sharing()
    strict, both = (system_of(scenario, roles) for roles in ([strictly], [loosely, strictly]))
    alone = answer(both, {"crashes": 0})
    answer(replace(strict, sharing=sharing), {"crashes": 0})
    assert answer(replace(both, sharing=sharing), {"crashes": 0}) == alone
    assert alone[2]["levels"] == {"db": ["read committed", "serializable"]}
