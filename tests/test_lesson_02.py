"""What lesson 02 says is so, asked of the code in lesson 02."""

import itertools

import pytest

from simlib import exponential
from simlib.errors import Mistake
from tests.lessons import cell, definitions, run, solved, survivors, with_text

FAULTS = (
    {"pauses": 2},
    {"crashes": 2},
    {"redeliveries": 2},
    {"pauses": 1, "crashes": 1},
    {"pauses": 1, "redeliveries": 1},
    {"pauses": 1, "lost_replies": 1},
    {"pauses": 1, "outages": 1},
)
LOST, FREED = "both_bookings_are_there", "nobody_frees_anothers_lock"


@pytest.fixture(scope="module")
def lesson():
    return definitions("02")


def claims(lesson, worker, **faults):
    """Which of the two properties break, each asked alone."""
    bank, worker = lesson["bank"], lesson[worker]
    alone = {LOST: bank.asking(eventually=[lesson[LOST]]), FREED: bank.asking(always=[lesson[FREED]])}
    return {name for name, part in alone.items() if part.explore(worker, **faults).claim == name}


def test_the_happy_path_passes_its_unit_test_and_survives_two_crashes(lesson):
    run(cell("02", "unit-test"), dict(lesson), "<unit test>")


def test_a_lock_without_a_ttl_outlives_its_holder(lesson):
    report = lesson["bank"].explore(lesson["book_locked"], crashes=1)
    assert (report.verdict, report.claim) == ("violated", "stuck")


@pytest.mark.parametrize(
    "worker, broken",
    [
        ("book", {LOST, FREED}),
        ("book_compared", {LOST, FREED}),
        ("book_owned", {LOST}),
        ("book_fenced_on_write", {LOST}),
        ("book_renewed", {LOST}),
        ("book_fenced", set()),
    ],
)
def test_one_pause_breaks_each_half_measure_as_the_board_says(lesson, worker, broken):
    assert claims(lesson, worker, pauses=1) == broken


def test_without_a_pause_only_crashes_and_second_deliveries_nothing_breaks(lesson):
    for worker in ("book", "book_compared", "book_owned", "book_fenced_on_write"):
        assert claims(lesson, worker, crashes=1) == set()
        assert claims(lesson, worker, redeliveries=1) == set()


def test_the_smallest_loss_is_a_stall_of_9_seconds_between_read_and_write(lesson):
    report = lesson["bank"].explore(lesson["book"], pauses=1)
    assert report.claim == LOST
    assert "A stalls for at least 9 s between its first db.read and db.write" in report.counterexample.failure[0]


def test_a_longer_ttl_only_asks_for_a_longer_stall(lesson):
    patient = with_text(lesson["book"], "ttl=10", "ttl=30")
    report = lesson["bank"].explore(patient, pauses=1)
    assert report.counterexample.failure == ["A stalls for at least 29 s between its first db.read and db.write"]


@pytest.mark.parametrize(
    "steps, broken", [(2, {FREED, LOST}), (3, {FREED, LOST}), (4, {FREED})], ids=["acquire", "read", "write"]
)
def test_a_pause_after_any_step_that_holds_the_lease_does_harm(lesson, steps, broken):
    bank = lesson["bank"]
    alone = (bank.asking(always=[lesson[FREED]]), bank.asking(eventually=[lesson[LOST]]))
    found = {asked.attack(lesson["book"], f"A {steps}", "expire lock", "B 3").broken for asked in alone}
    assert found - {None} == broken


@pytest.mark.parametrize("steps", [1, 5])
def test_before_acquire_and_after_delete_there_is_no_lease_to_lose(lesson, steps):
    with pytest.raises(Mistake):
        lesson["bank"].attack(lesson["book"], f"A {steps}", "expire lock")


def test_the_smallest_freeing_of_anothers_lock_is_a_stall_before_the_delete(lesson):
    events = lesson["bank"].asking(always=[lesson[FREED]]).explore(lesson["book"], pauses=1).counterexample.events
    assert [(event.worker, event.op.verb) for event in events if event.op][-2:] == [("B", "acquire"), ("A", "delete")]


def test_comparing_first_leaves_a_place_between_the_two_steps(lesson):
    keys = lesson["bank"].asking(always=[lesson[FREED]])
    events = keys.explore(lesson["book_compared"], pauses=1).counterexample.events
    own = [event.op.verb for event in events if event.worker == "A" and event.op]
    assert own[-2:] == ["read", "delete"]


def test_the_fence_on_the_write_alone_lets_the_older_write_pass_and_the_newer_one_overwrite_it(lesson):
    trace = lesson["bank"].explore(lesson["book_fenced_on_write"], pauses=1).counterexample
    writes = [
        (event.worker, event.op.kwargs["fence"]) for event in trace.events if event.op and event.op.verb == "write"
    ]
    assert writes == [("A", 1), ("B", 2)]


@pytest.mark.parametrize("faults", FAULTS)
def test_the_fenced_version_holds_for_two_workers_and_two_faults(lesson, faults):
    assert lesson["bank"].explore(lesson["book_fenced"], workers=2, **faults).verdict == "holds"


def test_it_holds_for_three_workers_and_two_pauses(lesson):
    assert lesson["bank"].explore(lesson["book_fenced"], workers=3, pauses=2).verdict == "holds"


def test_the_refused_one_takes_the_lock_anew(lesson):
    trace = lesson["bank"].replay(lesson["book_fenced"], lesson["bank"].explore(lesson["book"], pauses=1))
    assert trace.broken is None
    refused = next(event for event in trace.events if event.error is not None)
    assert (refused.worker, refused.op.verb, refused.at) == ("A", "write", 18)
    assert "StaleToken" in str(trace)
    again = next(event for event in trace.events if event.at > 18 and event.op and event.op.verb == "receive")
    assert (again.worker, again.at) == ("A", 62)
    assert len(trace["db"]["ann"]) == 2


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(inbox):\n    yield inbox.ack((yield inbox.receive()))\n", names, "<lazy>")
    assert lesson["bank"].explore(names["lazy"], crashes=0).claim == LOST


def test_every_slip_in_the_fenced_version_is_caught(lesson):
    left = survivors(lesson["bank"], lesson["book_fenced"], pauses=1, crashes=1)
    assert left == {
        # Who keeps the lock for longer, or for as long as its lease lasts, only makes others wait.
        "without `yield lock.release(lease)`",
        "`lease = yield lock.acquire(ttl=10)` before `message = yield inbox.receive()`",
        # Whoever gives it back too early is refused by the fence, and takes it anew.
        '`yield lock.release(lease)` before `yield db.write("ann", {**booked, **entry}, fence=lease.token)`',
        "`yield inbox.ack(message)` before `yield lock.release(lease)`",
        # Two lines that do not depend on each other, one of which is no step.
        '`entry = {message.id: message.body}` before `booked = yield db.read("ann", fence=lease.token)`',
    }


@pytest.mark.parametrize(
    "before, after, faults",
    [
        ('db.read("ann", fence=lease.token)', 'db.read("ann")', {"pauses": 1}),
        (", fence=lease.token)\n    yield lock", ")\n    yield lock", {"pauses": 1}),
        ("lock.release(lease)", "lock.delete()", {"pauses": 1}),
        ("lock.acquire(ttl=10)", "lock.acquire()", {"crashes": 1}),
        ('acquire(ttl=10)', 'acquire("locked", ttl=10)', {"pauses": 1}),
        ("message.id: ", "message.deliveries: ", {"pauses": 1}),
    ],
)  # fmt: skip
def test_every_wrong_word_in_the_fenced_version_is_caught(lesson, before, after, faults):
    mutant = with_text(lesson["book_fenced"], before, after)
    assert lesson["bank"].explore(mutant, **faults).verdict == "violated"


# The price


@pytest.fixture(scope="module")
def tag(lesson):
    names = dict(lesson)
    run(cell("02", "price-code"), names, "<price>")
    return names["tag"]


def test_the_lock_costs_two_of_six_steps_and_the_token_none(lesson, tag):
    verbs = [event.op.verb for event in lesson["alone"].run(lesson["book_fenced"]).events]
    assert verbs == ["receive", "acquire", "read", "write", "release", "ack"]
    owned, fenced = (tag.of(name, "steps a task") for name in ("book_owned", "book_fenced"))
    assert owned.mean == pytest.approx(fenced.mean, abs=0.01)


def test_the_slowest_hundredth_differs_by_less_than_the_runs_among_themselves(tag):
    owned, fenced = (tag.of(name, "latency, 99 %") for name in ("book_owned", "book_fenced"))
    assert 0 < fenced.mean - owned.mean < min(owned.most - owned.least, fenced.most - fenced.least)
    assert tag.of("book_owned", "latency, median").mean == pytest.approx(
        tag.of("book_fenced", "latency, median").mean, abs=0.01
    )


def test_without_the_fence_five_bookings_go_in_one_run_of_three(tag):
    lost = {name: [done.completed - len(done["db"]["ann"]) for done in runs] for name, runs in tag.runs.items()}
    assert lost == {"book_owned": [5, 0, 0], "book_fenced": [0, 0, 0]}


def test_one_late_write_took_all_five(lesson):
    # The price cell's first run; should its conditions change, the test above is the first to say so.
    done = lesson["office"].simulate(
        lesson["book_owned"], hours=10, arrivals=exponential(60), latency=exponential(0.3),
        pauses_per_day=200, pause=exponential(30), restart=1, trace=True,
    )  # fmt: skip
    states = [set(event.op.args[1]) for event in done.trace.events if event.op and event.op.verb == "write"]
    assert [len(old - new) for old, new in itertools.pairwise(states) if old - new] == [5]


# The exercise


def test_renewing_alone_loses_a_booking_and_the_given_attack_does_not(lesson):
    assert lesson["bank"].explore(lesson["book_mended"], pauses=1, crashes=1).claim == LOST
    assert lesson["bank"].attack(lesson["book_renewed"], "A 5", "expire lock", "A 3").broken is None


def test_an_attack_that_loses_a_booking_exists(lesson):
    assert lesson["bank"].attack(lesson["book_renewed"], "A 4", "expire lock", "B 7").broken == LOST


def test_asking_renew_for_its_answer_is_half_a_solution(lesson):
    asked = with_text(
        lesson["book_renewed"],
        "    yield lock.renew(lease, ttl=10)  # ten more seconds\n",
        "    if not (yield lock.renew(lease, ttl=10)):\n        yield inbox.nack(message)\n        return\n",
    )
    assert lesson["bank"].explore(asked, pauses=1).claim == LOST


def test_the_solution_of_defend_passes(lesson):
    worker = solved("02", lesson, 0)["book_mended"]
    for faults in ({"pauses": 1, "crashes": 1}, {"pauses": 2}):
        assert lesson["bank"].explore(worker, **faults).verdict == "holds"
