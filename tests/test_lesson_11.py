"""What lesson 11 says is so, asked of the code in lesson 11."""

import inspect
import re
from math import exp, log
from types import SimpleNamespace

import pytest

from tests.lessons import cell, changed, definitions, run, solved, survivors, with_text

FAULTS = ({"crashes": 2}, {"redeliveries": 2}, {"pauses": 2}, {"outages": 2}, {"lost_replies": 2})
TWICE = "ten_points_at_most"
SUITE = [
    "test_a_purchase_gives_ten_points", "test_two_purchases_give_twenty", "test_points_are_added_to_those_there",
    "test_the_purchase_is_acknowledged", "test_nothing_is_left_in_the_queue",
]  # fmt: skip


@pytest.fixture(scope="module")
def lesson():
    names = definitions("11")
    for name in ("assumptions", "questions"):
        run(cell("11", name), names, f"<{name}>")
    return names


@pytest.fixture(scope="module")
def machine_days(lesson):
    """The lesson's names once more, with what its cells on machines and days compute."""
    names = dict(lesson)
    run(cell("11", "second-prediction").partition("\n\nsecond =")[0], names, "<rate>")
    run(cell("11", "survival").partition("\n\nsurvival_curve")[0], names, "<production>")
    run(inspect.getsource(lesson["struck"]), names, "<struck>")
    return names


def shown(name, names, capsys):
    """What this cell prints."""
    capsys.readouterr()
    run(cell("11", name), dict(names), f"<cell {name}>")
    return capsys.readouterr().out


# The happy path and its tests


def test_the_happy_path_is_covered_by_its_own_five_tests_and_they_are_green(lesson, capsys):
    names = {**lesson, "suite": [lesson["a_club"], *map(lesson.get, SUITE)]}
    assert shown("unit-test", names, capsys) == "5 of 5 lines\n"
    assert shown("pytest", lesson, capsys) == "5 passed\n"


def test_the_coverage_is_measured(lesson):
    names = dict(lesson)
    run(re.search(r"def covered.*?lines\"\n", cell("11", "unit-test"), re.S)[0], names, "<covered>")
    covered, credit = names["covered"], lesson["credit"]
    assert covered(credit) == "0 of 5 lines"
    assert covered(credit, lambda: next(credit(SimpleNamespace(receive=lambda: "a step"), None))) == "2 of 5 lines"


@pytest.mark.parametrize("test", SUITE)
@pytest.mark.parametrize("worker", ["credit", "credit_checked", "credit_once"])
def test_the_suite_is_green_for_all_three_workers(lesson, test, worker):
    names = {**lesson, "credit": lesson[worker]}
    for name in ("a_club", test):
        run(inspect.getsource(lesson[name]), names, f"<{name} of {worker}>")
    names[test]()


# What breaks it


def test_five_of_the_six_assumptions_break_the_happy_path_when_they_are_not_so(lesson):
    broken = [
        text
        for text, question in lesson["assumed"].items()
        if lesson["club"].explore(lesson["credit"], **question).claim
    ]
    assert len(lesson["assumed"]) == 6
    assert broken == list(lesson["assumed"])[1:]
    assert 'reveal("5")' in cell("11", "explore")


def test_none_of_them_breaks_the_careful_one(lesson):
    for question in lesson["assumed"].values():
        assert lesson["club"].explore(lesson["credit_once"], **question).verdict == "holds"


def test_a_second_worker_breaks_it_too_as_soon_as_there_are_two_purchases(lesson):
    saturday = lesson["a_club"]("one", "two").asking(eventually=[lesson["twenty_points"]])
    assert saturday.explore(lesson["credit"], workers=2, crashes=0).claim == "twenty_points"
    assert saturday.explore(lesson["credit_once"], workers=2, crashes=1, pauses=1).verdict == "holds"


def test_up_to_the_crash_it_is_the_run_of_the_test(lesson):
    events = lesson["club"].explore(lesson["credit"], workers=1, crashes=1).counterexample.events
    assert [event.op and event.op.verb for event in events][:4] == ["receive", "read", "write", None]


# Machines and days


def test_the_rate_is_a_tenth_a_machine_day_and_even_odds_for_three_come_after_two_days(machine_days):
    rate, p, struck = machine_days["rate"], machine_days["p"], machine_days["struck"]
    assert rate == 0.1
    assert struck(3, 7) == pytest.approx(1 - exp(-rate * 3 * 7)) == pytest.approx(1 - (1 - p) ** 21)
    assert round(log(2) / (3 * rate), 1) == 2.3
    assert 'reveal("two days")' in cell("11", "formula")


def test_three_hundred_workers_with_twelve_crashes_a_day_are_bitten_as_often_as_the_three(machine_days):
    window, between = machine_days["window"], machine_days["between"]
    assert 12 * window / between == pytest.approx(0.3) == pytest.approx(3 * machine_days["rate"])


def test_half_of_the_runs_are_bitten_by_day_two_and_a_quarter_and_none_of_the_careful_one(machine_days):
    names = machine_days
    curve = eval("survival_curve" + cell("11", "survival").partition("\n\nsurvival_curve")[2], names)
    assert round(curve.half_bitten("credit"), 2) == 2.25
    assert set(curve.bitten["credit_once"]) == {None}
    for day in (1.25, 2.5, 5):
        _, low, high = curve.share("credit", day)
        assert low < 1 - names["struck"](3, day) < high


def test_the_formula_lies_within_the_simulation_s_intervals(machine_days, capsys):
    lines = shown("machines", machine_days, capsys).splitlines()[1:]
    assert len(lines) == 3
    for line in lines:
        low, high, formula = map(int, re.search(r"\[(\d+)%, (\d+)%\], by the formula (\d+)%", line).groups())
        assert low < formula < high


def test_it_takes_millions_of_runs_of_the_suite(machine_days, capsys):
    production, window = shown("runs", machine_days, capsys).splitlines()
    assert re.findall(r"[\d,]{5,} runs|\d+ years", production) == ["4,320,000 runs", "237 years"]
    assert re.findall(r"[\d,]{5,} runs|\d+ years", window) == ["108,000 runs", "6 years"]


# Half-measures


def test_the_crash_that_the_author_thought_of_is_survived(lesson):
    lesson["test_a_crash_after_the_receipt_loses_nothing"]()
    points = [lesson["club"].run(lesson["credit"], crash_after=step)["db"]["ann"] for step in range(1, 6)]
    assert points == [10, 10, 20, 10, 10]


def test_checking_first_survives_every_crash_and_every_fault_of_one_worker_alone(lesson):
    club, worker = lesson["club"], lesson["credit_checked"]
    assert [club.run(worker, crash_after=step)["db"]["ann"] for step in range(1, 6)] == [10] * 5
    for fault in ("crashes", "redeliveries", "outages", "lost_replies"):
        assert club.explore(worker, workers=1, **{fault: 1}).verdict == "holds"
    assert club.explore(worker, workers=2, crashes=2).verdict == "holds"


@pytest.mark.parametrize("fault", ["pauses", "redeliveries"])
def test_checking_first_is_overtaken_by_a_second_worker(lesson, fault):
    assert lesson["club"].explore(lesson["credit_checked"], **{fault: 1}).claim == TWICE


# Failure mode


def test_the_test_that_asks_is_red_for_the_first_two_and_green_for_the_careful_one(lesson, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a kernel has it
    pytest_says = re.search(r"def pytest_says.*?\n\n", cell("11", "pytest"), re.S)[0]
    names = {**lesson, "suite": [lesson["a_club"], *map(lesson.get, SUITE)]}
    run(pytest_says, names, "<pytest_says>")
    lines = shown("ask", names, capsys).splitlines()
    assert [line for line in lines if not line.startswith("AssertionError")] == [
        "credit", "1 failed, 5 passed", "credit_checked", "1 failed, 5 passed", "credit_once", "6 passed",
    ]  # fmt: skip
    first, second = (line for line in lines if line.startswith("AssertionError"))
    assert first.startswith("AssertionError: violated: ten_points_at_most, with 1 crash, 6 steps")
    assert second.startswith("AssertionError: violated: ten_points_at_most, with 1 redelivery, 9 steps")


@pytest.mark.parametrize("faults", FAULTS)
def test_the_note_in_the_transaction_holds_for_two_workers_and_two_faults(lesson, faults):
    assert lesson["club"].explore(lesson["credit_once"], workers=2, **faults).verdict == "holds"


def test_it_holds_under_the_hardship_of_the_lesson(lesson):
    club, worker = lesson["club"], lesson["credit_once"]
    assert club.explore(worker, workers=3, crashes=2).verdict == "holds"
    assert club.explore(worker, crashes=1, redeliveries=1, pauses=1).verdict == "holds"


def test_killed_right_before_its_ack_it_is_delivered_again_and_gives_nothing_more(lesson):
    trace = lesson["club"].attack(lesson["credit_once"], "A 2", "crash A", workers=1)
    received = [event.answer.deliveries for event in trace.events if event.op and event.op.verb == "receive"]
    assert (received, trace["db"]["ann"]) == ([1, 2], 10)


def test_it_takes_a_step_less_than_the_happy_path(lesson):
    runs = (lesson["club"].run(lesson[worker]).events for worker in ("credit", "credit_once"))
    assert [sum(event.kind == "step" for event in events) for events in runs] == [4, 3]


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(inbox):\n    yield inbox.ack((yield inbox.receive()))\n", names, "<lazy>")
    assert lesson["club"].explore(names["lazy"], crashes=0).claim == "ten_points"


def test_every_slip_in_the_careful_version_is_caught(lesson):
    same = {"without `pass  # an earlier delivery of this message did it`"}
    assert survivors(lesson["club"], lesson["credit_once"], crashes=1, redeliveries=1) == same


@pytest.mark.parametrize(
    "before, after",
    [
        ('db.insert(message.id, "done")', 'db.write(message.id, "done")'),
        ('            db.insert(message.id, "done"),\n', ""),
        ('(message.id, "done")', '(message.deliveries, "done")'),
        ('            db.add("ann", 10),\n        )', '        )\n        yield db.add("ann", 10)'),  # after it
    ],
)
def test_every_wrong_word_about_the_note_is_caught(lesson, before, after):
    mutant = with_text(lesson["credit_once"], before, after)
    assert lesson["club"].explore(mutant, workers=2, crashes=1, redeliveries=1).verdict == "violated"


# The six diffs


def before(function):
    """The function without what the diff put in, and with what it took out."""
    lines = inspect.getsource(function).splitlines()
    kept = [line.replace("#-", "  ", 1) for line in lines if not line.endswith("#+")]
    return changed(function, dedented(kept))


def dedented(lines):
    """Diff 6 put an `if` around lines that stay: take one level out where they hang in the air."""
    try:
        compile("\n".join(lines), "<diff>", "exec")
    except IndentationError:
        return [lines[0], *(line[4:] for line in lines[1:])]
    return lines


TRUTH = {1: "S6", 2: "fine", 3: "C2", 4: "S2", 5: "S1", 6: "S4"}


def test_the_engine_finds_in_each_diff_what_the_solution_says(lesson):
    found = {number: lesson["first_that_breaks"](*diff)[0] for number, diff in lesson["diffs"].items()}
    assert found == TRUTH
    said = dict(re.findall(r"(\d) is \*\*(\w+)\*\*", cell("11", "solution-review")))
    assert {int(number): signal for number, signal in said.items()} == TRUTH


@pytest.mark.parametrize("number", TRUTH)
def test_each_worked_before_the_change_and_did_something(lesson, number):
    scenario, after = lesson["diffs"][number]
    worker = before(after)
    assert inspect.getsource(worker) != inspect.getsource(after)
    assert lesson["first_that_breaks"](scenario, worker)[0] == "fine"
    assert sum(event.kind == "step" for event in scenario.run(worker).events) >= 2


def test_diff_one_goes_round_for_ever_and_the_others_break_their_property(lesson):
    claims = {}
    for number, (scenario, worker) in lesson["diffs"].items():
        question = lesson["questions"].get(TRUTH[number])
        claims[number] = question and scenario.explore(worker, **question).claim
    assert claims == {
        1: "livelock", 2: None, 3: "picked_up_at_most_once", 4: "nobody_frees_another_s_lock",
        5: "confirmed_or_on_the_dead_letters", 6: "one_point_of_interest_each",
    }  # fmt: skip


def test_looks_good_to_me_six_times_scores_one_and_the_right_answers_six(lesson, capsys):
    lesson["review"](dict.fromkeys(TRUTH, "fine"))
    assert capsys.readouterr().out.endswith("1 of 6\n")
    lesson["review"](TRUTH)
    assert capsys.readouterr().out.endswith("6 of 6\n")


def test_a_wrong_answer_gives_nothing_away(lesson, capsys):
    lesson["review"]({**TRUTH, 4: "S5", 5: None})
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:5] == ["4: S5: look again", "5: ?: no answer yet"]
    assert lines[0].startswith("1: S6: right, violated: livelock") and lines[-1] == "4 of 6"


# The exercise


def test_the_given_attack_does_no_harm_and_an_expired_lease_does(lesson):
    index, reindex = lesson["index"], lesson["reindex"]
    assert index.attack(reindex, "A 2", "crash A", workers=2).broken is None
    assert index.attack(reindex, "A 2", "expire lock", "B", "A", workers=2).broken == "nobody_frees_another_s_lock"


def test_interest_as_given_is_found_out_and_the_solution_is_fine(lesson):
    assert lesson["first_that_breaks"](lesson["interest"], lesson["add_interest_mended"])[0] == "S4"
    worker = solved("11", lesson, 0)["add_interest_mended"]
    assert lesson["first_that_breaks"](lesson["interest"], worker)[0] == "fine"


@pytest.mark.parametrize("fault", ["crashes", "redeliveries", "pauses", "outages", "power_losses", "lost_replies"])
def test_the_solution_holds_for_two_workers_and_two_faults(lesson, fault):
    worker = solved("11", lesson, 0)["add_interest_mended"]
    assert lesson["interest"].explore(worker, workers=2, **{fault: 2}).verdict == "holds"


def test_every_slip_in_the_solution_is_caught_but_the_order_of_its_reads(lesson):
    # Two reads before one guarded transaction: either may come first.
    worker = solved("11", lesson, 0)["add_interest_mended"]
    slips = survivors(lesson["interest"], worker, workers=2, crashes=1, redeliveries=1)
    assert slips == {'`bob = yield db.read("bob")` before `ann = yield db.read("ann")`'}


def test_a_mark_a_customer_in_a_step_of_its_own_is_half_a_solution(lesson):
    names = dict(lesson)
    half = """
def add_interest_mended(db):
    for name in ("ann", "bob"):
        if (yield db.read(f"{name} 2026")) is None:
            points = yield db.read(name)
            yield db.write(name, points + 1)
            yield db.write(f"{name} 2026", "done")
"""
    run(half, names, "<half>")
    assert names["first_that_breaks"](names["interest"], names["add_interest_mended"])[0] == "S4"


@pytest.mark.parametrize("worker", ["confirm", "confirm_acked_first", "confirm_without_key", "confirm_kept"])
def test_the_mails_only_test_is_green_for_all_four(lesson, worker):
    inbox = lesson["mails"].run(lesson[worker])["inbox"]
    assert inbox.ready == [] and inbox.in_flight == []
