"""What lesson 04 says is so, asked of the code in lesson 04."""

import pytest

from tests.lessons import cell, definitions, run, solved, survivors, with_text

FAULTS = ({"crashes": 2}, {"redeliveries": 2}, {"pauses": 2}, {"outages": 2}, {"lost_replies": 2})
EFFECTS = ("account_at_most_once", "charged_at_most_once", "welcomed_at_most_once")


@pytest.fixture(scope="module")
def lesson():
    return definitions("04")


def claims(lesson, worker, **question):
    """Which of the properties break, each asked alone."""
    office, worker = lesson["office"], lesson[worker]
    parts = {name: office.asking(always=[lesson[name]]) for name in EFFECTS}
    parts["signed_up"] = office.asking(eventually=[lesson["signed_up"]])
    return {name for name, part in parts.items() if part.explore(worker, **question).claim == name}


def test_the_happy_path_passes_both_its_unit_tests(lesson):
    run(cell("04", "unit-test"), dict(lesson), "<unit test>")


def test_a_crash_behind_the_welcome_repeats_all_three_effects(lesson):
    names = dict(lesson)
    trace = names["office"].asking().run(names["sign_up"], crash_after=5)
    assert [trace["crm"].count("create"), trace["bank"].count("charge"), trace["mail"].count("welcome")] == [2, 2, 2]


@pytest.mark.parametrize(
    "worker, broken",
    [
        ("sign_up", set(EFFECTS)),
        ("sign_up_flags", set(EFFECTS)),
        ("sign_up_before", {"signed_up"}),
        ("sign_up_after", set(EFFECTS)),
        ("sign_up_keyed", set()),
        ("sign_up_keys_only", set()),
        ("sign_up_too_fine", set()),
    ],
)
def test_one_crash_breaks_each_half_measure_as_the_lesson_says(lesson, worker, broken):
    assert claims(lesson, worker, workers=1, crashes=1) == broken


@pytest.mark.parametrize("faults", [{"redeliveries": 1}, {"crashes": 0, "pauses": 1}])
def test_the_happy_path_breaks_when_it_runs_beside_itself(lesson, faults):
    assert lesson["office"].explore(lesson["sign_up"], workers=2, **faults).claim in EFFECTS


def test_flags_in_memory_outlive_an_outage_that_the_happy_path_does_not(lesson):
    office = lesson["office"]
    assert office.attack(lesson["sign_up"], "A 3", "A: outage", workers=1).broken == "account_at_most_once"
    assert office.attack(lesson["sign_up_flags"], "A 2", "A: outage", workers=1).broken is None


def test_recording_after_repeats_one_effect_and_not_three(lesson):
    office, after = lesson["office"].asking(), lesson["sign_up_after"]
    counts = []
    for crash in range(2, 9):
        trace = office.run(after, crash_after=crash)
        counts.append(trace["crm"].count("create") + trace["bank"].count("charge") + trace["mail"].count("welcome"))
    assert counts == [3, 4, 3, 4, 3, 4, 3]


@pytest.mark.parametrize("worker", ["sign_up_keyed", "sign_up_keys_only"])
@pytest.mark.parametrize("faults", FAULTS)
def test_the_careful_ones_hold_for_two_workers_and_two_faults(lesson, worker, faults):
    assert lesson["office"].explore(lesson[worker], workers=2, **faults).verdict == "holds"


def test_it_holds_under_the_hardship_of_the_lesson(lesson):
    report = told(lesson).explore(lesson["sign_up_keyed"], workers=3, crashes=2, lost_replies=1)
    assert report.verdict == "holds"


def told(lesson):
    always = [lesson[name] for name in EFFECTS]
    return lesson["office"].asking(always=always, eventually=[lesson["signed_up"], lesson["row_says_welcomed"]])


@pytest.mark.parametrize("faults", [*FAULTS, {"crashes": 1, "redeliveries": 1}, {"crashes": 1, "pauses": 1}])
def test_the_row_tells_the_truth_in_the_end(lesson, faults):
    assert told(lesson).explore(lesson["sign_up_keyed"], workers=2, **faults).verdict == "holds"


@pytest.mark.parametrize("faults", [{"crashes": 1, "redeliveries": 1}, {"crashes": 1, "pauses": 1}])
def test_with_plain_writes_a_stalled_worker_sets_the_row_back_and_nobody_mends_it(lesson, faults):
    plain = lesson["sign_up_keyed"]
    for expected in ("None", '"created"', '"charged"'):
        plain = with_text(plain, f"compare_and_set(key, {expected}, ", "write(key, ")
    report = told(lesson).explore(plain, workers=2, **faults)
    assert (report.verdict, report.claim) == ("violated", "row_says_welcomed")
    assert lesson["office"].explore(plain, workers=2, **faults).verdict == "holds"  # the effects are right all the same


def test_a_mail_that_takes_no_key_is_the_only_thing_repeated(lesson):
    mutant = with_text(
        lesson["sign_up_keyed"], '"welcome", message.body, idempotency_key=key', '"welcome", message.body'
    )
    names = dict(lesson, keyless=mutant)
    assert claims(names, "keyless", workers=1, crashes=1) == {"welcomed_at_most_once"}


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(inbox):\n    yield inbox.ack((yield inbox.receive()))\n", names, "<lazy>")
    assert lesson["office"].explore(names["lazy"], crashes=0).claim == "signed_up"


def test_every_slip_in_the_careful_version_is_caught(lesson):
    assert survivors(told(lesson), lesson["sign_up_keyed"], crashes=1, redeliveries=1) == set()


@pytest.mark.parametrize(
    "before, after",
    [
        ('"create", message.body, idempotency_key=key', '"create", message.body'),
        ('"charge", message.body, idempotency_key=key', '"charge", message.body'),
        ('"welcome", message.body, idempotency_key=key', '"welcome", message.body'),
        ("key, state = message.id,", "key, state = (message.id, message.deliveries),"),
    ],
)
def test_every_wrong_word_in_the_careful_version_is_caught(lesson, before, after):
    mutant = with_text(lesson["sign_up_keyed"], before, after)
    assert lesson["office"].explore(mutant, crashes=1, redeliveries=1).verdict == "violated"


def test_the_states_make_the_unlucky_ones_faster_and_the_row_a_line_makes_nobody_faster(lesson):
    names = dict(lesson)
    run(cell("04", "too-fine"), names, "<price>")
    slow = {name: names["tag"].of(name, "latency, 99 %").mean for name in names["tag"].prices}
    steps = {name: names["tag"].of(name).mean for name in names["tag"].prices}
    assert slow["sign_up_keyed"] < 0.95 * slow["sign_up_keys_only"]
    assert slow["sign_up_too_fine"] > 0.97 * slow["sign_up_keyed"]
    assert steps["sign_up_keyed"] - steps["sign_up_keys_only"] == pytest.approx(4, abs=0.2)
    assert round(steps["sign_up_too_fine"] - steps["sign_up_keyed"]) == 15


def test_a_row_for_every_line_costs_twelve_more_writes_when_nothing_goes_wrong(lesson):
    office = lesson["office"]
    steps = {
        name: sum(event.op is not None for event in office.run(lesson[name]).events)
        for name in ("sign_up_keyed", "sign_up_too_fine")
    }
    assert steps["sign_up_too_fine"] - steps["sign_up_keyed"] == 12


# The exercise


def test_the_exercise_books_twice_as_given_and_the_given_attack_does_no_harm(lesson):
    returns = lesson["returns"]
    assert returns.explore(lesson["handle_mended"], crashes=1, redeliveries=1).claim == "booked_at_most_once"
    assert returns.attack(lesson["handle_return"], "A 2", "crash A").broken is None


def test_the_attacks_that_the_exercise_asks_for_exist(lesson):
    returns, worker = lesson["returns"], lesson["handle_return"]
    assert returns.attack(worker, "A 4", "crash A").broken == "booked_at_most_once"
    shelf = returns.asking(always=[lesson["counted_at_most_once"]])
    assert shelf.attack(worker, "A 6", "expire inbox", "B 6").broken == "counted_at_most_once"


@pytest.mark.parametrize(
    "faults", [{"crashes": 1, "redeliveries": 1}, {"crashes": 2}, {"pauses": 2}, {"lost_replies": 1}]
)
def test_the_solution_of_defend_passes(lesson, faults):
    worker = solved("04", lesson, 0)["handle_mended"]
    assert lesson["returns"].explore(worker, **faults).verdict == "holds"


def test_keys_without_the_transaction_are_half_a_solution(lesson):
    half = with_text(lesson["handle_mended"], '"book", message.body', '"book", message.body, idempotency_key="b"')
    half = with_text(half, '"refund", message.body', '"refund", message.body, idempotency_key="r"')
    assert lesson["returns"].explore(half, crashes=1).claim == "counted_at_most_once"
