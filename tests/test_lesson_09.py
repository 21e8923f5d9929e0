"""What lesson 09 says is so, asked of the code in lesson 09."""

import pytest

from tests.lessons import cell, definitions, run, solved, survivors, with_text

FAULTS = ({"crashes": 2}, {"redeliveries": 2}, {"pauses": 2}, {"outages": 2}, {"lost_replies": 2})
TWICE, LOST = "ten_points_at_most", "ten_points"


@pytest.fixture(scope="module")
def lesson():
    return definitions("09")


def test_the_happy_path_passes_its_unit_test(lesson):
    run(cell("09", "unit-test"), dict(lesson), "<unit test>")


@pytest.mark.parametrize("fault", ["crashes", "redeliveries", "pauses"])
def test_acknowledging_late_doubles_the_points_under_each_of_the_three(lesson, fault):
    assert lesson["club"].explore(lesson["credit"], **{fault: 1}).claim == TWICE


@pytest.mark.parametrize(
    "worker, claim",
    [
        ("credit", TWICE),
        ("credit_early", LOST),
        ("credit_remembered", TWICE),
        ("credit_noted_after", TWICE),
        ("credit_noted_before", LOST),
        ("credit_once", None),
    ],
)
def test_one_crash_breaks_each_half_measure_as_the_board_says(lesson, worker, claim):
    assert lesson["club"].explore(lesson[worker], crashes=1).claim == claim


def test_the_set_in_memory_does_help_against_a_second_delivery_to_the_same_process(lesson):
    assert lesson["club"].explore(lesson["credit_remembered"], workers=1, redeliveries=1).verdict == "holds"
    assert lesson["club"].explore(lesson["credit"], workers=1, redeliveries=1).claim == TWICE


@pytest.mark.parametrize("faults", FAULTS)
def test_the_note_in_the_transaction_holds_for_two_workers_and_two_faults(lesson, faults):
    assert lesson["club"].explore(lesson["credit_once"], workers=2, **faults).verdict == "holds"


def test_it_holds_under_the_hardship_of_the_lesson(lesson):
    club, worker = lesson["club"], lesson["credit_once"]
    assert club.explore(worker, workers=3, crashes=2).verdict == "holds"
    assert club.explore(worker, redeliveries=1, pauses=1).verdict == "holds"


def test_it_is_still_delivered_twice(lesson):
    trace = lesson["club"].replay(lesson["credit_once"], lesson["club"].explore(lesson["credit"], workers=1, crashes=1))
    received = [event.answer.deliveries for event in trace.events if event.op and event.op.verb == "receive"]
    assert (received, trace["db"]["ann"]) == ([1, 2], 10)


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(inbox):\n    yield inbox.ack((yield inbox.receive()))\n", names, "<lazy>")
    assert lesson["club"].explore(names["lazy"], crashes=0).claim == LOST


def test_every_slip_in_the_careful_version_is_caught(lesson):
    assert survivors(lesson["club"], lesson["credit_once"], crashes=1, redeliveries=1) == set()


@pytest.mark.parametrize(
    "before, after",
    [
        ('db.compare_and_set(message.id, None, "done")', 'db.write(message.id, "done")'),
        ('(message.id, None, "done")', '(message.deliveries, None, "done")'),
    ],
)
def test_every_wrong_word_about_the_note_is_caught(lesson, before, after):
    mutant = with_text(lesson["credit_once"], before, after)
    assert lesson["club"].explore(mutant, workers=2, crashes=1, redeliveries=1).verdict == "violated"


def test_the_compare_on_the_points_is_needed_as_soon_as_there_are_two_purchases(lesson):
    def twenty(db):
        return db["ann"] == 20

    two = lesson["Scenario"](
        inbox=lesson["Queue"](["one", "two"], visibility_timeout=30), db=lesson["Database"]({"ann": 0}),
        workers=2, eventually=[twenty],
    )  # fmt: skip
    assert two.explore(lesson["credit_once"], crashes=1, pauses=1).verdict == "holds"
    mutant = with_text(
        lesson["credit_once"], 'db.compare_and_set("ann", points, points + 10)', 'db.write("ann", points + 10)'
    )
    assert two.explore(mutant, crashes=0).claim == "twenty"


# The exercise


def test_the_exercise_sends_two_texts_as_given_and_the_given_attack_does_no_harm(lesson):
    texts = lesson["texts"]
    assert texts.explore(lesson["send_mended"], crashes=1, redeliveries=1).claim == "texted_at_most_once"
    assert texts.attack(lesson["send_text"], "A", "crash A", workers=1).broken is None
    assert texts.attack(lesson["send_text"], "A 2", "crash A", workers=1).broken == "texted_at_most_once"


@pytest.mark.parametrize(
    "faults", [{"crashes": 1, "redeliveries": 1}, {"crashes": 2}, {"pauses": 2}, {"lost_replies": 1}]
)
def test_the_solution_of_defend_passes(lesson, faults):
    worker = solved("09", lesson, 0)["send_mended"]
    assert lesson["texts"].explore(worker, **faults).verdict == "holds"


def test_recording_first_without_the_desk_is_half_a_solution(lesson):
    half = with_text(
        solved("09", lesson, 0)["send_mended"],
        '        yield desk.compare_and_set(message.id, "sending", "unclear")\n', "        pass\n",
    )  # fmt: skip
    assert lesson["texts"].explore(half, crashes=1).claim == "texted_or_on_the_desk"
