"""A worker is graded under every budget that it has to survive, and is told why it does not."""

import pytest

from simlib import Database, Lock, Queue, Rejected, Scenario, Service
from simlib.course import grade
from simlib.errors import Mistake
from tests.sample import charge, charge_once, charged_at_most_once, shop


def test_a_worker_that_survives_every_budget_is_done():
    found = grade(shop(), charge_once, budgets=[{"crashes": 1}, {"redeliveries": 1, "pauses": 1}])
    assert (found.done, found.score, found.failed) == (True, 2, None)
    assert str(found).splitlines() == [
        "charge_once holds under 2 of 2 budgets.",
        "  up to 1 crash: holds",
        "  up to 1 redelivery and 1 pause: holds",
    ]


def test_a_single_budget_is_said_in_one_sentence():
    said = str(grade(shop(), charge_once, crashes=1))
    assert said.startswith("charge_once holds under up to 1 crash: ") and said.count("\n") == 0


def test_one_that_does_not_is_told_what_breaks_and_by_which_faults_at_which_steps():
    found = grade(shop(), charge, crashes=1)
    assert not found.done and found.failed.claim == "charged_at_most_once"
    said, because, *trace = str(found).splitlines()
    assert said == "Not yet: charge breaks charged_at_most_once (A crashes after its first bank.call)."
    assert because == 'expected bank.count("charge") <= 1, found that bank.count("charge") is 2'
    assert any("CRASH" in line for line in trace)


def test_each_budget_has_its_line_and_the_first_that_fails_is_shown():
    said = str(grade(shop(), charge, budgets=[{"crashes": 0}, {"crashes": 1}, {"redeliveries": 1}]))
    assert said.splitlines()[:5] == [
        "charge holds under 1 of 3 budgets.",
        "  no faults: holds",
        "  up to 1 crash: breaks charged_at_most_once, with 1 crash",
        "  up to 1 redelivery: breaks charged_at_most_once, with 1 redelivery",
        "",
    ]


def test_what_is_common_to_all_budgets_is_said_once():
    found = grade(shop(), charge_once, budgets=[{"crashes": 1}, {"pauses": 1}], redeliveries=1)
    assert [str(report.budget) for report in found.reports] == [
        "up to 1 crash and 1 redelivery", "up to 1 redelivery and 1 pause",
    ]  # fmt: skip


def test_a_worker_that_loops_forever_is_told_where_and_under_which_fault():
    def forgets(inbox, bank):
        message = yield inbox.receive()
        while True:
            try:
                yield bank.call("charge", 20, idempotency_key=message.id)
                break
            except Rejected:
                pass  # it will work in the end
        yield inbox.ack(message)

    said = str(grade(shop().asking(eventually=[paid]), forgets, rejections=1, workers=1))
    assert said.startswith("Not yet: forgets loops forever (rejection at A's first bank.call).\n")
    assert 'A `bank.call("charge", 20, idempotency_key="inbox-1")` (line' in said


def paid(bank):
    return bank.count("charge") == 1


def test_one_that_waits_forever_or_never_gets_there_is_told_so():
    def waits(inbox, lock):
        yield lock.acquire(ttl=None)
        yield inbox.receive()

    scenario = Scenario(inbox=Queue(["a"]), lock=Lock(), workers=2)
    assert "waits forever" in str(grade(scenario, waits, crashes=0))

    def reads(db):
        yield db.read("x")

    def written(db):
        return "x" in db

    said = str(grade(Scenario(db=Database(), sometimes=[written]), reads, crashes=0))
    assert said.startswith("Not yet: reads breaks written")


def test_work_without_an_end_does_not_pass_though_no_property_is_against_it():
    def forgets_the_ack(inbox, bank):
        message = yield inbox.receive()
        yield bank.call("charge", 20, idempotency_key=message.id)

    asked = shop().asking(always=[charged_at_most_once], eventually=[paid])
    found = grade(asked, forgets_the_ack, crashes=1)
    assert (found.done, found.failed.verdict) == (False, "holds")
    assert str(found).startswith("Not yet: no property of forgets_the_ack breaks, but its work has no end.\n")
    assert "can loop for" in str(found)
    assert grade(asked, forgets_the_ack, crashes=1, polls=True).done


def test_after_a_search_without_an_end_the_other_budgets_are_not_asked():
    found = grade(shop(), charge_once, budgets=[{"crashes": 1}, {"pauses": 1}, {"crashes": 2}], max_states=2)
    assert (found.done, found.score, len(found.reports), found.budgets) == (False, 0, 1, 3)
    assert "  2 more: not asked" in str(found)


def test_a_search_that_was_stopped_is_no_pass():
    found = grade(shop(), charge_once, crashes=1, max_states=2)
    assert not found.done and str(found).startswith("Not yet: unfinished: stopped at 2 states")


def test_a_grade_without_faults_is_a_mistake():
    with pytest.raises(Mistake, match="name the faults"):
        grade(shop(), charge_once)


def test_a_call_that_it_has_no_place_for_is_said():
    def quiet(inbox, bank):
        message = yield inbox.receive()
        yield inbox.ack(message)

    found = grade(Scenario(inbox=Queue(["a"]), bank=Service(), always=[charged_at_most_once]), quiet, rejections=1)
    assert "had a place to strike" in str(found)
