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
@pytest.mark.parametrize("worker", ["credit_once", "credit_swapped"])
def test_the_note_in_the_transaction_holds_for_two_workers_and_two_faults(lesson, worker, faults):
    assert lesson["club"].explore(lesson[worker], workers=2, **faults).verdict == "holds"


def test_it_holds_under_the_hardship_of_the_lesson(lesson):
    club, worker = lesson["club"], lesson["credit_once"]
    assert club.explore(worker, workers=3, crashes=2).verdict == "holds"
    assert club.explore(worker, redeliveries=1, pauses=1).verdict == "holds"


def deliveries(trace):
    return [event.answer.deliveries for event in trace.events if event.op and event.op.verb == "receive"]


def test_killed_right_before_its_ack_it_is_delivered_again_and_the_note_refuses(lesson):
    trace = lesson["club"].attack(lesson["credit_once"], "A 2", "crash A", workers=1)
    assert [event.op.verb if event.op else event.kind for event in trace.events] == [
        "receive", "transaction", "crash", "timer", "receive", "transaction", "ack",
    ]  # fmt: skip
    assert isinstance(trace.events[5].answer, lesson["AlreadyExists"])
    assert (deliveries(trace), trace["db"]["ann"]) == ([1, 2], 10)


def test_the_crash_of_the_happy_path_comes_too_late_for_it_and_the_second_delivery_does_not(lesson):
    club, worker = lesson["club"], lesson["credit_once"]
    crash, again = (club.explore(lesson["credit"], workers=1, **{fault: 1}) for fault in ("crashes", "redeliveries"))
    trace = club.replay(worker, crash)
    assert (trace.faults, deliveries(trace), trace["db"]["ann"]) == ([], [1], 10)
    trace = club.replay(worker, again)
    assert (trace.faults, deliveries(trace), trace["db"]["ann"]) == (["redelivery"], [1, 2], 10)


def steps(lesson, worker):
    return len([event for event in lesson["club"].run(worker).events if event.kind == "step"])


def test_it_takes_three_steps_of_the_happy_path_s_four_which_add_alone_would_save_too_and_help_nobody(lesson):
    added = with_text(lesson["credit"], 'points = yield db.read("ann")', 'yield db.add("ann", 10)')
    added = with_text(added, '    yield db.write("ann", points + 10)\n', "")
    workers = lesson["credit"], lesson["credit_once"], added
    assert [steps(lesson, worker) for worker in workers] == [4, 3, 3]
    assert lesson["club"].explore(added, crashes=1).claim == TWICE


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(inbox):\n    yield inbox.ack((yield inbox.receive()))\n", names, "<lazy>")
    assert lesson["club"].explore(names["lazy"], crashes=0).claim == LOST


def test_every_slip_in_the_careful_version_is_caught(lesson):
    same = {"without `pass  # an earlier delivery of this message did it`"}
    assert survivors(lesson["club"], lesson["credit_once"], crashes=1, redeliveries=1) == same
    assert survivors(lesson["club"], lesson["credit_swapped"], crashes=1, redeliveries=1) == set()


@pytest.mark.parametrize(
    "before, after",
    [
        ('db.insert(message.id, "done")', 'db.write(message.id, "done")'),
        ('            db.insert(message.id, "done"),\n', ""),
        ('(message.id, "done")', '(message.deliveries, "done")'),
        ('db.add("ann", 10)', 'db.add("ann", 11)'),
        ('            db.add("ann", 10),\n', ""),
        ('            db.add("ann", 10),\n        )', '        )\n        yield db.add("ann", 10)'),  # after it
        ("        yield db.transaction(\n", '        yield db.add("ann", 10)\n        yield db.transaction(\n'),
    ],
)
def test_every_wrong_word_in_the_careful_version_is_caught(lesson, before, after):
    mutant = with_text(lesson["credit_once"], before, after)
    assert lesson["club"].explore(mutant, workers=2, crashes=1, redeliveries=1).verdict == "violated"


def test_whoever_passes_over_every_error_loses_the_points_to_an_outage_and_over_none_goes_round(lesson):
    club, worker = lesson["club"], lesson["credit_once"]
    careless = with_text(worker, "except AlreadyExists", "except Exception")
    assert club.explore(careless, outages=1).claim == LOST
    helpless = with_text(worker, "except AlreadyExists", "except StopIteration")
    assert club.explore(helpless, crashes=1).loops and not club.explore(worker, crashes=1).loops


@pytest.mark.parametrize(
    "before, after",
    [
        ("db.compare_and_set(note, None, True)", "db.write(note, True)"),
        ("{message.id}", "{message.deliveries}"),
    ],
)
def test_every_wrong_word_about_the_note_is_caught_in_the_second_careful_worker_of_the_audit(lesson, before, after):
    mutant = with_text(lesson["credit_swapped"], before, after)
    assert lesson["club"].explore(mutant, workers=2, crashes=1, redeliveries=1).verdict == "violated"


@pytest.fixture
def two_purchases(lesson):
    def twenty(db):
        return db["ann"] == 20

    return lesson["Scenario"](
        inbox=lesson["Queue"](["one", "two"], visibility_timeout=30), db=lesson["Database"]({"ann": 0}),
        workers=2, eventually=[twenty],
    )  # fmt: skip


def test_the_sum_in_the_database_is_needed_as_soon_as_there_are_two_purchases(lesson, two_purchases):
    assert two_purchases.explore(lesson["credit_once"], crashes=1, pauses=1).verdict == "holds"
    looked = with_text(lesson["credit_once"], "    try:\n", '    points = yield db.read("ann")\n    try:\n')
    mutant = with_text(looked, 'db.add("ann", 10)', 'db.write("ann", points + 10)')
    assert two_purchases.explore(mutant, crashes=0).claim == "twenty"


def test_where_the_sum_is_done_outside_it_has_to_be_compared(lesson, two_purchases):
    swapped, compared = lesson["credit_swapped"], 'db.compare_and_set("ann", points, points + 10)'
    assert two_purchases.explore(swapped, crashes=1, pauses=1).verdict == "holds"
    mutant = with_text(swapped, compared, 'db.write("ann", points + 10)')
    assert two_purchases.explore(mutant, crashes=0).claim == "twenty"


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
