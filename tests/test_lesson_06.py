"""What lesson 06 says is so, asked of the code in lesson 06."""

import pytest

from tests.lessons import cell, definitions, run, solved, survivors, with_text

FAULTS = (
    {"crashes": 2}, {"redeliveries": 2}, {"pauses": 2}, {"outages": 2}, {"lost_replies": 2}, {"rejections": 2},
    {"rejections": 1, "lost_replies": 1},
)  # fmt: skip
TWICE, SETTLED = "charged_at_most_once", "settled"


@pytest.fixture(scope="module")
def lesson():
    return definitions("06")


def at_the_bank(lesson, worker):
    """What one fault of each kind, in the call to the bank, breaks."""
    moves = [("A", f"A: {fault}") for fault in ("outage", "rejection", "lost reply")]
    return [lesson["shop"].attack(lesson[worker], *two, workers=1).broken for two in moves]


def test_the_happy_path_passes_both_its_unit_tests(lesson):
    run(cell("06", "unit-test"), dict(lesson), "<unit test>")


@pytest.mark.parametrize(
    "worker, broken",
    [
        ("pay", [None, "livelock", TWICE]),
        ("pay_or_log", [SETTLED, SETTLED, None]),
        ("pay_five_times", [None, SETTLED, TWICE]),
        ("pay_bare", [None, "livelock", TWICE]),
        ("pay_sorted", [None, None, None]),
    ],
)
def test_outage_rejection_and_lost_reply_break_each_worker_as_the_lesson_says(lesson, worker, broken):
    assert at_the_bank(lesson, worker) == broken


def test_explore_finds_the_same_of_the_happy_path(lesson):
    shop, pay = lesson["shop"], lesson["pay"]
    assert shop.explore(pay, workers=1, crashes=0, rejections=1).claim == "livelock"
    assert shop.explore(pay, workers=1, crashes=0, lost_replies=1).claim == TWICE
    assert shop.explore(pay, workers=1, crashes=1).claim == TWICE


def test_dead_letters_unblock_the_queue_and_do_not_tell_a_bad_card_from_a_bad_minute(lesson):
    bounded, bare = lesson["bounded"], lesson["pay_bare"]
    assert bounded.explore(bare, crashes=0, rejections=1).verdict == "holds"
    three = ("A", "A: outage", "expire orders") * 2
    trace = bounded.attack(bare, *three, "A", "A: outage")
    assert [letter.body for letter in trace["orders"].dead_letters] == ["ann"]
    assert trace["bank"].count("charge") == 0


@pytest.mark.parametrize("faults", FAULTS)
def test_the_sorted_version_holds_for_two_workers_and_two_faults(lesson, faults):
    assert lesson["shop"].explore(lesson["pay_sorted"], workers=2, **faults).verdict == "holds"


def test_it_holds_under_the_hardship_of_the_lesson(lesson):
    kinds = ("outages", "rejections", "lost_replies", "crashes", "redeliveries")
    assert lesson["shop"].explore(lesson["pay_sorted"], **dict.fromkeys(kinds, 1)).verdict == "holds"


def test_no_place_of_the_sorted_version_s_matrix_breaks(lesson):
    grid = lesson["failure_matrix"](lesson["shop"], lesson["pay_sorted"])
    assert {found.verdict for step in grid.rows["pay_sorted"] for found in step} == {"holds", ""}


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(orders):\n    yield orders.ack((yield orders.receive()))\n", names, "<lazy>")
    assert lesson["shop"].explore(names["lazy"], crashes=0).claim == SETTLED


def test_every_slip_in_the_sorted_version_is_caught(lesson):
    assert survivors(lesson["shop"], lesson["pay_sorted"], crashes=1, rejections=1) == set()


@pytest.mark.parametrize(
    "before, after",
    [
        (", idempotency_key=order.id", ""),
        ("idempotency_key=order.id", "idempotency_key=order.deliveries"),
        ("except Rejected as error", "except Unavailable as error"),
        ("yield desk.write(order.id,", "yield desk.write(order.deliveries,"),
    ],
)
def test_every_wrong_word_in_the_sorted_version_is_caught(lesson, before, after):
    mutant = with_text(lesson["pay_sorted"], before, after)
    assert lesson["shop"].explore(mutant, crashes=1, rejections=1, redeliveries=1).verdict == "violated"


# The storm


def storm(lesson, *workers, seed=0):
    exponential = lesson["exponential"]
    return lesson["load_curve"](
        lesson["town"], "bank", *(lesson[worker] for worker in workers), seed=seed, hours=4 / 60,
        arrivals=exponential(1 / 12), capacity={"bank": 3}, latency={"bank": exponential(0.1), "*": 0},
        timeout={"bank": 0.5}, stalled={"bank": (60, 70)},
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_whoever_asks_at_once_keeps_the_bank_down_and_backoff_lets_it_recover(lesson, seed):
    found = storm(lesson, "ask_at_once", "ask_three_times", "ask_with_backoff", seed=seed)
    for worker in found.runs:
        assert found.answered(worker, 0, 60) > 11
    assert found.answered("ask_at_once", 90, 240) < 0.1
    assert found.answered("ask_three_times", 90, 240) < 0.1
    assert found.answered("ask_with_backoff", 90, 240) > 10.5


def test_the_bank_can_serve_30_a_second_and_three_times_12_is_more(lesson):
    found = storm(lesson, "ask_at_once", "ask_three_times")
    assert 34 < found.requests("ask_three_times", 90, 240) < 37
    assert found.requests("ask_at_once", 90, 240) == pytest.approx(26 / 0.5, rel=0.01)  # 26 clients, half a second each


def test_without_jitter_the_clients_come_in_waves(lesson):
    exponential = lesson["exponential"]
    found = lesson["load_curve"](
        lesson["town"], "bank", lesson["ask_in_step"], lesson["ask_with_backoff"], hours=15 / 3600,
        capacity={"bank": 3}, latency={"bank": exponential(0.1), "*": 0}, timeout={"bank": 0.5}, down={"bank": (0, 5)},
    )  # fmt: skip
    busiest = {
        worker: max(found.runs[worker].requests["bank"][second] for second in range(5, 15)) for worker in found.runs
    }
    assert busiest["ask_in_step"] > 1.5 * busiest["ask_with_backoff"]


def test_a_budget_of_one_in_ten_keeps_the_load_below_what_the_bank_can_serve(lesson):
    names = dict(lesson)
    run(cell("06", "budget"), names, "<budget>")
    found = eval("load_curve" + cell("06", "budget").split("\nload_curve")[1], names)
    assert found.requests("ask_on_budget", 60, 240) < 1.2 * 12
    assert found.answered("ask_on_budget", 90, 240) > 10.5


def test_the_bill_is_dead_letters_and_double_charges_against_a_desk(lesson):
    names = dict(lesson)
    run(cell("06", "price-code"), names, "<price>")
    for bare, sorted_ in zip(names["tag"].runs["pay_bare"], names["tag"].runs["pay_sorted"]):
        assert bare["bank"].count("charge") > 1080 > sorted_["bank"].count("charge")
        assert len(bare["orders"].dead_letters) > 0 == len(sorted_["orders"].dead_letters)
        assert sorted_["bank"].count("charge") + len(sorted_["desk"].rows) >= 1078  # the last are under way


# The exercise


def test_the_exercise_leaves_a_parcel_untold_as_given_and_the_given_attack_does_no_harm(lesson):
    depot = lesson["depot"]
    assert depot.explore(lesson["ship_mended"], outages=1, lost_replies=1, crashes=1).claim == "shipped_or_on_the_desk"
    assert depot.attack(lesson["ship"], "A", "A: rejection", workers=1).broken is None
    assert depot.attack(lesson["ship"], "A 2", "A: outage", workers=1).broken == "shipped_or_on_the_desk"
    assert depot.attack(lesson["ship"], "A 2", "crash A", workers=1).broken == "booked_at_most_once"


def judged(names):
    run(cell("06", "judge").rpartition("\n")[0], names, "<judge>")
    return names["judge"](names["answers"])


def test_the_engine_judges_the_ten_errors(lesson, capsys):
    names = dict(lesson)
    run(cell("06", "classify"), names, "<answers>")
    assert judged(names) == 4  # the four outages, which "stop" is right for
    names = solved("06", lesson, 0)
    assert judged(names) == 10
    names["answers"] = dict.fromkeys(names["answers"], "same key")
    assert judged(names) == 7  # all but the three rejections
    names["answers"] = dict.fromkeys(names["answers"], "desk")
    assert judged(names) == 3


@pytest.mark.parametrize(
    "faults", [{"outages": 1, "lost_replies": 1, "crashes": 1}, {"crashes": 2}, {"redeliveries": 2}]
)
def test_the_solution_of_defend_passes(lesson, faults):
    worker = solved("06", lesson, 1)["ship_mended"]
    assert lesson["depot"].explore(worker, **faults).verdict == "holds"


def test_naming_the_error_without_the_keys_is_half_a_solution(lesson):
    half = with_text(solved("06", lesson, 1)["ship_mended"], ", idempotency_key=order.id", "")
    assert lesson["depot"].explore(half, crashes=1).claim == "booked_at_most_once"
