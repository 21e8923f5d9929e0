"""What lesson 01 says is so, asked of the code in lesson 01."""

import pytest

from tests.lessons import cell, definitions, run, solved, survivors, with_text

FAULTS = ({"crashes": 2}, {"redeliveries": 2}, {"outages": 2}, {"lost_replies": 2}, {"pauses": 2})


@pytest.fixture(scope="module")
def lesson():
    return definitions("01")


def kinds(trace):
    return [event.op.name if event.op else event.kind for event in trace.events]


def test_the_happy_path_passes_both_its_unit_tests(lesson):
    run(cell("01", "unit-test"), dict(lesson), "<unit test>")


@pytest.mark.parametrize("faults", [{"crashes": 1}, {"redeliveries": 1}, {"lost_replies": 1}, {"crashes": 2}])
def test_the_happy_path_withstands_the_three_questions_as_the_lesson_admits(lesson, faults):
    assert lesson["billing"].explore(lesson["cancel"], **faults).verdict == "holds"


def test_the_happy_path_breaks_under_one_outage_two_steps_before_the_red(lesson):
    report = lesson["billing"].explore(lesson["cancel"], outages=1)
    assert report.claim == "nobody_cancelled_is_billed"
    assert kinds(report.counterexample) == ["inbox.receive", "schedule.delete", "accounts.write"]
    assert report.counterexample.faults == ["outage"]


def test_the_damage_surfaces_in_the_correct_program_of_another_team(lesson):
    names = dict(lesson)
    trace = names["year"].attack([names["cancel"], names["bill"]], "A", "A: outage", "A 2")
    assert trace.broken == "ann_is_not_charged"
    assert [event.worker for event in trace.events] == ["A"] * 4 + ["B"] * 3
    unharmed = names["year"].attack([names["cancel_expected"], names["bill"]], "A 4")
    assert unharmed.broken is None


def test_logging_the_error_changes_nothing(lesson):
    report = lesson["billing"].explore(lesson["cancel_logged"], outages=1)
    assert (report.claim, len(report.counterexample.events)) == ("nobody_cancelled_is_billed", 4)


def test_without_a_handler_a_crash_after_the_delete_goes_round_for_ever(lesson):
    report = lesson["billing"].explore(lesson["cancel_bare"], crashes=1)
    assert (report.verdict, report.claim) == ("violated", "livelock")


def test_retrying_everything_outlives_the_outage_and_hangs_on_the_expected_error(lesson):
    billing, worker = lesson["billing"], lesson["cancel_retried"]
    assert billing.attack(worker, "A", "A: outage", "A 3", workers=1).broken is None
    report = billing.explore(worker, workers=1, crashes=1)
    assert (report.verdict, report.claim) == ("violated", "livelock")
    assert "NotFound" in str(report.counterexample)


@pytest.mark.parametrize("faults", FAULTS)
def test_the_one_expected_error_by_name_holds_for_two_workers_and_two_faults(lesson, faults):
    assert lesson["billing"].explore(lesson["cancel_expected"], workers=2, **faults).verdict == "holds"


def test_it_holds_under_the_hardship_of_the_lesson(lesson):
    report = lesson["billing"].explore(lesson["cancel_expected"], workers=3, outages=2, lost_replies=1, crashes=1)
    assert report.verdict == "holds"


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(inbox):\n    yield inbox.ack((yield inbox.receive()))\n", names, "<lazy>")
    assert lesson["billing"].explore(names["lazy"], crashes=0).claim == "ann_is_cancelled"


def test_every_slip_in_the_careful_version_is_caught(lesson):
    # What stands in the handler is a `pass`: to take it away is to change nothing.
    same = {"without `pass  # an earlier delivery of this message did it`"}
    left = survivors(lesson["billing"], lesson["cancel_expected"], crashes=1, outages=1, redeliveries=1)
    assert left == same


@pytest.mark.parametrize("error", ["Exception", "(NotFound, Unavailable)", "Unavailable"])
def test_every_other_error_in_the_handler_is_caught(lesson, error):
    mutant = with_text(lesson["cancel_expected"], "NotFound", error)
    assert lesson["billing"].explore(mutant, crashes=1, outages=1).verdict == "violated"


def test_the_failing_handler_takes_two_outages_to_lose_the_message(lesson):
    office, worker = lesson["office"], lesson["cancel_listed"]
    assert office.explore(worker, crashes=0, outages=1).verdict == "holds"
    report = office.explore(worker, crashes=0, outages=2)
    assert report.claim == "cancelled_or_listed"
    assert kinds(report.counterexample) == ["inbox.receive", "schedule.delete", "failures.write", "inbox.ack"]


def test_acknowledging_after_one_of_the_two_is_written_holds(lesson):
    office, worker = lesson["office"], lesson["cancel_listed_first"]
    assert office.explore(worker, outages=3, crashes=1).verdict == "holds"
    for faults in FAULTS:
        assert office.explore(worker, **faults).verdict == "holds"


def test_every_slip_in_the_listing_version_is_caught(lesson):
    left = survivors(lesson["office"], lesson["cancel_listed_first"], crashes=1, outages=2)
    assert left == set()


def test_the_exercise_leaves_a_key_as_given(lesson):
    report = lesson["accounts_closed"].explore(lesson["offboard_mended"], crashes=1, outages=1, lost_replies=1)
    assert report.claim == "no_way_in"
    assert lesson["accounts_closed"].attack(lesson["offboard"], "A", "A: outage").broken is None


def test_the_attacks_that_the_exercise_asks_for_exist(lesson):
    closed, worker = lesson["accounts_closed"], lesson["offboard"]
    assert closed.attack(worker, "A 2", "A: outage").broken == "no_way_in"
    assert closed.attack(worker, "A 3", "A: outage").broken == "said_goodbye"


def test_one_of_the_three_suppressions_is_right(lesson):
    closed, solved_one = lesson["accounts_closed"], solved("01", lesson, 0)["offboard_mended"]
    without = with_text(solved_one, "        yield sessions.delete(message.body)\n    except NotFound:",
                        "        yield sessions.delete(message.body)\n    except StopIteration:")  # fmt: skip
    assert closed.explore(without, crashes=1).verdict == "violated"


def test_the_solution_of_defend_passes(lesson):
    worker = solved("01", lesson, 0)["offboard_mended"]
    closed = lesson["accounts_closed"]
    assert closed.explore(worker, crashes=1, outages=1, lost_replies=1).verdict == "holds"
    for faults in FAULTS:
        assert closed.explore(worker, **faults).verdict == "holds"


def test_half_a_solution_of_defend_does_not(lesson):
    closed, worker = lesson["accounts_closed"], solved("01", lesson, 0)["offboard_mended"]
    unkeyed = with_text(worker, ", idempotency_key=message.id", "")
    assert closed.explore(unkeyed, crashes=1).claim == "said_goodbye_at_most_once"
