"""What lesson 00 says is so, asked of the code in lesson 00."""

import pytest

from tests.lessons import definitions, notebook, run, solutions, source, with_text, without_line


@pytest.fixture(scope="module")
def lesson():
    return definitions("00")


def test_the_happy_path_passes_its_unit_test(lesson):
    text = next(source(cell) for cell in notebook("00")["cells"] if cell.get("id") == "unit-test")
    run(text, dict(lesson), "<unit test>")


def test_the_happy_path_breaks_under_each_of_the_three_questions(lesson):
    shop, charge = lesson["shop"], lesson["charge"]
    crash = shop.explore(charge, workers=1, crashes=1)
    twice = shop.explore(charge, workers=1, redeliveries=1)
    together = shop.explore(charge, workers=2, redeliveries=1)
    assert {crash.claim, twice.claim, together.claim} == {"charged_at_most_once"}


def test_the_smallest_failure_is_a_crash_right_after_the_charge(lesson):
    report = lesson["shop"].explore(lesson["charge"], crashes=1)
    told = [event.op.name if event.op else event.kind for event in report.counterexample.events]
    assert told == ["inbox.receive", "bank.call", "crash", "timer", "inbox.receive", "bank.call"]


def test_the_learner_finds_the_crashes_that_charge_twice_after_charge_and_write(lesson):
    shop, charge = lesson["shop"], lesson["charge"]
    charges = [shop.run(charge, crash_after=step)["bank"].count("charge") for step in range(5)]
    assert charges == [1, 1, 2, 2, 1]


def test_acknowledging_first_loses_the_order_instead(lesson):
    report = lesson["shop"].explore(lesson["charge_after_ack"], crashes=1)
    assert (report.verdict, report.claim) == ("violated", "charged")


def test_the_careful_version_holds_for_two_workers_and_two_faults_of_every_kind_it_can_meet(lesson):
    shop, charge_once = lesson["shop"], lesson["charge_once"]
    for faults in (
        {"crashes": 2},
        {"redeliveries": 2},
        {"crashes": 1, "redeliveries": 1},
        {"lost_replies": 2},
        {"pauses": 2},
    ):
        assert shop.explore(charge_once, workers=2, **faults).verdict == "holds"


@pytest.mark.parametrize(
    "before, after",
    [
        (", idempotency_key=message.id", ""),
        ("idempotency_key=message.id", "idempotency_key=message.deliveries"),
        ("    yield inbox.ack(message)\n", ""),
    ],
)
def test_every_mutant_of_the_careful_version_is_caught(lesson, before, after):
    mutant = with_text(lesson["charge_once"], before, after)
    report = lesson["shop"].explore(mutant, crashes=1, redeliveries=1)
    assert report.verdict == "violated" or report.loops  # who never acknowledges is said to loop for ever


def test_the_order_of_the_write_is_not_load_bearing_for_these_properties(lesson):
    # The lesson's two properties are about the bank alone: they cannot miss the row.
    mutant = without_line(lesson["charge_once"], "db.write")
    assert lesson["shop"].explore(mutant, crashes=1, redeliveries=1).verdict == "holds"


def test_the_exercise_fails_as_given_because_it_books_twice(lesson):
    report = lesson["warehouse"].explore(lesson["fulfil"], crashes=1, redeliveries=1)
    assert (report.verdict, report.claim) == ("violated", "booked_at_most_once")


def test_one_key_for_both_calls_is_refused_for_ever_as_hint_2_says(lesson):
    once = with_text(lesson["fulfil"], '", message.body)', '", message.body, idempotency_key=message.id)')
    report = lesson["warehouse"].explore(once, crashes=1, redeliveries=1)
    assert (report.verdict, report.claim) == ("violated", "livelock")
    assert "Rejected" in {one.error for one in report.uncaught}


def test_the_solution_passes_the_grader(lesson):
    names = dict(lesson)
    (solution,) = solutions("00")
    run(solution, names, "<solution>")
    report = lesson["warehouse"].explore(names["fulfil_mended"], crashes=1, redeliveries=1)
    assert report.verdict == "holds"


def test_half_a_solution_does_not(lesson):
    half = with_text(lesson["fulfil"], '"book", message.body', '"book", message.body, idempotency_key=message.id')
    assert lesson["warehouse"].explore(half, crashes=1, redeliveries=1).claim == "picked_up_at_most_once"


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(inbox):\n    message = yield inbox.receive()\n    yield inbox.ack(message)\n", names, "<lazy>")
    assert lesson["shop"].explore(names["lazy"], crashes=0).claim == "charged"
