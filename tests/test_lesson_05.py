"""What lesson 05 says is so, asked of the code in lesson 05."""

import pytest

from tests.lessons import cell, definitions, run, solved, survivors, with_text

FAULTS = ({"crashes": 2}, {"redeliveries": 2}, {"pauses": 2}, {"outages": 2}, {"lost_replies": 2})
WAYS = [
    "half a file is taken for done", "the file is there, the money not", "the file was tidied away",
    "two workers see no file",
]  # fmt: skip


@pytest.fixture(scope="module")
def lesson():
    return definitions("05")


def broken_ways(lesson, worker):
    return [way for way, report in lesson["four_ways"](lesson[worker]).items() if report.verdict == "violated"]


def test_the_happy_path_passes_both_its_unit_tests(lesson):
    run(cell("05", "unit-test"), dict(lesson), "<unit test>")


@pytest.mark.parametrize(
    "worker, broken",
    [("pay_interest", WAYS), ("pay_interest_renamed", WAYS[1:]), ("pay_interest_by_state", [])],
)
def test_of_the_four_ways_the_rename_closes_one_and_the_state_all(lesson, worker, broken):
    assert broken_ways(lesson, worker) == broken


@pytest.mark.parametrize("question", [{"crashes": 1}, {"redeliveries": 1, "pauses": 1}, {"pauses": 1, "crashes": 0}])
def test_the_happy_path_breaks_under_each_question_that_can_strike_it(lesson, question):
    assert lesson["bank"].explore(lesson["pay_interest"], workers=2, **question).verdict == "violated"


def test_a_second_run_alone_does_it_no_harm_which_is_what_the_check_was_for(lesson):
    assert lesson["bank"].explore(lesson["pay_interest"], workers=1, redeliveries=1).verdict == "holds"


def test_the_smallest_failure_is_a_file_of_which_only_the_beginning_is_there(lesson):
    report = lesson["bank"].explore(lesson["pay_interest"], workers=1, crashes=1)
    assert report.claim == "paid"
    assert report.counterexample["disk"].contents("march.txt") == "Interest: "


def test_a_crash_between_write_and_append_leaves_half_a_statement_and_no_money(lesson):
    trace = lesson["bank"].asking().run(lesson["pay_interest"], crash_after=3)
    assert (trace["db"]["ann"], trace["disk"].contents("march.txt")) == (100, "Interest: ")


@pytest.mark.parametrize("worker", ["pay_interest_first", "pay_interest_noted"])
def test_paying_first_and_noting_in_two_steps_pay_twice_after_a_crash(lesson, worker):
    assert lesson["bank"].explore(lesson[worker], workers=1, crashes=1).claim == "paid_at_most_once"


def test_noting_in_two_steps_also_loses_to_a_second_worker(lesson):
    report = lesson["bank"].explore(lesson["pay_interest_noted"], workers=2, crashes=0, pauses=1)
    assert report.claim == "paid_at_most_once"


@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("worker", ["pay_interest_by_state", "pay_interest_swapped"])
def test_the_transition_as_the_check_holds_for_two_workers_and_two_faults(lesson, worker, faults):
    assert lesson["bank"].explore(lesson[worker], workers=2, **faults).verdict == "holds"


def test_a_first_run_of_it_takes_a_step_less_than_the_happy_path(lesson):
    runs = (lesson["bank"].run(lesson[worker]).events for worker in ("pay_interest", "pay_interest_by_state"))
    assert [sum(event.kind == "step" for event in events) for events in runs] == [7, 6]


def test_it_holds_under_the_hardship_of_the_lesson_with_the_janitor_about(lesson):
    roles = [lesson["pay_interest_by_state"], lesson["tidy"]]
    for count, faults in ((3, {"crashes": 2}), (2, {"redeliveries": 1, "pauses": 1})):
        report = lesson["bank"].explore(roles, workers={"pay_interest_by_state": count, "tidy": 1}, **faults)
        assert report.verdict == "holds"


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(jobs):\n    yield jobs.ack((yield jobs.receive()))\n", names, "<lazy>")
    assert lesson["bank"].explore(names["lazy"], crashes=0).claim == "paid"


def test_every_slip_in_the_careful_version_is_caught_but_the_making_of_the_product(lesson):
    left = survivors(lesson["bank"], lesson["pay_interest_by_state"], crashes=1, pauses=1)
    # The properties ask of the statement only that it is never half: it can be made at any time, so also later, or
    # not by this job at all.
    assert left == {
        "without `yield from print_statement(disk, me)`",
        "`yield from print_statement(disk, me)` before `try:`",
        "`yield jobs.ack(job)` before `yield from print_statement(disk, me)`",
        # Whoever pays before it takes a message pays once all the same.
        "`try:` before `job = yield jobs.receive()`",
        "without `pass  # an earlier delivery of this job did it`",  # which is the same again
    }


@pytest.mark.parametrize(
    "before, after",
    [
        ('            db.insert("march", "paid"),\n', ""),
        ('db.insert("march", "paid")', 'db.write("march", "paid")'),
        ('            db.add("ann", 5),\n', ""),
        ('db.add("ann", 5)', 'db.add("other", 5)'),
        ('            db.add("ann", 5),\n        )', '        )\n        yield db.add("ann", 5)'),  # after it
        ("        yield db.transaction(\n", '        yield db.add("ann", 5)\n        yield db.transaction(\n'),
    ],
)
def test_every_wrong_word_in_the_careful_version_is_caught(lesson, before, after):
    mutant = with_text(lesson["pay_interest_by_state"], before, after)
    assert lesson["bank"].explore(mutant, workers=2, crashes=1, pauses=1).verdict == "violated"


def test_whoever_passes_over_every_error_loses_the_money_to_an_outage(lesson):
    careless = with_text(lesson["pay_interest_by_state"], "except AlreadyExists", "except Exception")
    assert lesson["bank"].explore(careless, workers=1, outages=1).claim == "paid"


@pytest.mark.parametrize(
    "before, after",
    [
        ('db.compare_and_set("march", None, "paid"),\n', ""),
        ('db.compare_and_set("march", None, "paid")', 'db.write("march", "paid")'),
        ('db.compare_and_set("ann", balance, balance + 5)', 'db.write("other", balance + 5)'),
        ('(yield db.read("march")) is None', '(yield db.read("march")) is not None'),
    ],
)
def test_every_wrong_word_in_the_second_careful_worker_of_the_audit_is_caught(lesson, before, after):
    mutant = with_text(lesson["pay_interest_swapped"], before, after)
    assert lesson["bank"].explore(mutant, workers=2, crashes=1, pauses=1).verdict == "violated"


def test_without_the_rename_a_statement_can_stay_half(lesson):
    names = dict(lesson)
    run(
        "def print_statement(disk, me):\n"
        '    yield disk.write("march.txt", "Interest: ")\n'
        '    yield disk.append("march.txt", "5")\n',
        names, "<print in place>",
    )  # fmt: skip
    worker = with_text(lesson["pay_interest_by_state"], "print_statement", "print_in_place")
    worker.__globals__["print_in_place"] = names["print_statement"]
    assert lesson["bank"].explore(worker, workers=2, pauses=1, crashes=1).claim == "no_half_statement"


# The exercise


def test_the_naive_migration_sends_number_6_again(lesson):
    report = lesson["invoices"].explore(lesson["invoice_mended"], crashes=1, redeliveries=1)
    assert (report.claim, report.counterexample.faults) == ("no_invoice_twice", [])


def test_the_given_attack_does_no_harm_and_one_that_does_exists(lesson):
    invoices, worker = lesson["invoices"], lesson["invoice_by_marker"]
    assert invoices.attack(worker, "A 6", "crash A", workers=1).broken is None
    assert invoices.attack(worker, "A 7", "crash A", workers=1).broken == "no_invoice_twice"


@pytest.mark.parametrize("faults", [{"crashes": 1, "redeliveries": 1}, {"crashes": 2}, {"pauses": 2}])
def test_the_solution_of_defend_passes(lesson, faults):
    worker = solved("05", lesson, 0)["invoice_mended"]
    assert lesson["invoices"].explore(worker, **faults).verdict == "holds"


def test_going_back_to_the_marker_is_no_solution(lesson):
    report = lesson["invoices"].explore(lesson["invoice_by_marker"], crashes=1, redeliveries=1)
    assert report.claim == "no_invoice_twice"
