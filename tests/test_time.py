"""Time in `explore`: sleeps at once, leases and timeouts that a sleep outlasts, and what is still a pause."""

import pytest

from simlib import Clock, Database, Lock, Queue, Scenario
from tests.programs import programs_with_transactions
from tests.within import compare_many


def lease_was_kept(db):
    return db["released"] is not False


def holds_for(seconds, ttl, times=1):
    """A worker that sleeps under a lease."""

    def work(lock, clock, db):
        lease = yield lock.acquire(ttl=ttl)
        for _ in range(times):
            yield clock.sleep(seconds)
        yield db.write("released", (yield lock.release(lease)))

    return work


def office(**more):
    return Scenario(lock=Lock(), clock=Clock(), db=Database(), **more)


@pytest.mark.parametrize(
    "seconds, ttl, times, verdict",
    [
        (60, 5, 1, "violated"), (4, 5, 1, "holds"), (5, 5, 1, "violated"), (3, 5, 2, "violated"), (2, 5, 2, "holds"),
        (0, 5, 9, "holds"), (60, None, 1, "holds"),
    ],
)  # fmt: skip
def test_a_worker_that_sleeps_as_long_as_its_lease_has_lost_it_and_no_other_has(seconds, ttl, times, verdict):
    report = office(always=[lease_was_kept]).explore(holds_for(seconds, ttl, times), crashes=0)
    assert report.verdict == verdict


def test_it_has_lost_it_for_certain():
    def lost(db):
        return db["released"] in (None, False)

    assert office(always=[lost]).explore(holds_for(60, 5), crashes=0).verdict == "holds"


def test_who_renews_in_time_keeps_its_lease():
    def renews(lock, clock, db):
        lease = yield lock.acquire(ttl=5)
        for _ in range(3):
            yield clock.sleep(4)
            yield lock.renew(lease, ttl=5)
        yield db.write("released", (yield lock.release(lease)))

    assert office(always=[lease_was_kept]).explore(renews, crashes=0).verdict == "holds"
    report = office(always=[lease_was_kept]).explore(renews, crashes=0, pauses=1)
    assert report.counterexample.faults == ["pause"]


def test_a_lease_runs_out_under_an_owner_that_waits_while_another_sleeps():
    def waits(lock, inbox, db):
        lease = yield lock.acquire(ttl=5)
        message = yield inbox.receive()
        yield db.write("released", (yield lock.release(lease)))
        yield inbox.ack(message)

    def sends_late(inbox, clock):
        yield clock.sleep(60)
        yield inbox.send("m")

    def sends(inbox):
        yield inbox.send("m")

    late = office(inbox=Queue(), always=[lease_was_kept])
    assert late.explore([waits, sends_late], crashes=0).verdict == "violated"
    assert late.explore([waits, sends], crashes=0).verdict == "holds"


def test_a_message_is_delivered_again_to_who_sleeps_longer_than_its_visibility_timeout():
    def work(inbox, clock, db):
        message = yield inbox.receive()
        yield clock.sleep(message.body)
        yield db.write("n", ((yield db.read("n")) or 0) + 1)
        yield inbox.ack(message)

    def once(db):
        return (db["n"] or 0) <= 1

    for seconds, verdict in ((10, "holds"), (31, "violated")):
        shop = Scenario(inbox=Queue([seconds], visibility_timeout=30), clock=Clock(), db=Database(), always=[once])
        assert shop.explore(work, workers=2, crashes=0).verdict == verdict


def test_who_waits_out_a_dead_holder_s_lease_finds_the_lock_free():
    def ends_without_a_word(lock):
        yield lock.acquire(ttl=5)

    def waits_it_out(lock, clock, db):
        if (yield lock.read()) is None:
            return
        yield clock.sleep(6)
        yield db.write("still held", (yield lock.read()) is not None)

    def never_still_held(db):
        return not db["still held"]

    report = office(always=[never_still_held]).explore([ends_without_a_word, waits_it_out], crashes=0)
    assert report.verdict == "holds"


def test_two_who_sleep_at_once_sleep_at_the_same_time():
    def nap(clock, db):
        yield clock.sleep(10)
        yield db.write((yield db.next_id()), (yield clock.now()))

    def times(db):
        return {*db.rows.values()} != {10, 20}

    def another(db):
        return {*db.rows.values()} != {10}

    scenario = Scenario(clock=Clock(), db=Database())
    assert scenario.asking(always=[times]).explore(nap, workers=2, crashes=0).verdict == "holds"
    assert scenario.asking(always=[another]).explore(nap, workers=2, crashes=0).verdict == "violated"


def test_one_after_the_other_they_sleep_twice_as_long():
    def nap(clock):
        yield clock.sleep(10)
        yield clock.sleep(10)

    def early(clock):
        return clock.seconds < 20

    report = Scenario(clock=Clock(), always=[early]).explore(nap, crashes=0)
    assert report.counterexample["clock"].seconds == 20


def test_two_leases_that_run_out_at_once_take_as_long_as_one():
    def holds_both(left, right, clock, db):
        yield left.acquire(ttl=5)
        yield right.acquire(ttl=5)
        yield clock.sleep(6)
        yield db.write("now", (yield clock.now()))

    def at_six(db):
        return db["now"] in (None, 6)

    both = Scenario(left=Lock(), right=Lock(), clock=Clock(), db=Database(), always=[at_six])
    assert both.explore(holds_both, crashes=0).verdict == "holds"


def test_a_counterexample_s_times_are_those_of_its_sleeps():
    report = office(always=[lease_was_kept]).explore(holds_for(60, 5), crashes=0)
    assert [event.at for event in report.counterexample.events] == [1, 6, 61, 62, 63]
    again = office(always=[lease_was_kept]).replay(holds_for(60, 5), report.token)
    assert (again.broken, repr(again)) == ("lease_was_kept", repr(report.counterexample))


@pytest.mark.parametrize("number", range(2))
def test_whatever_simulate_comes_to_with_no_drawn_fault_is_in_explore_s_set(number):
    tally = compare_many(number, 60)
    assert len(tally.programs) >= 25, vars(tally)
    assert tally.runs >= 150, vars(tally)
    assert tally.expired >= 50, vars(tally)


def test_transactions_that_are_simulated_end_as_explore_says_that_they_can():
    tally = compare_many(0, 40, programs_with_transactions)
    assert len(tally.programs) >= 20, vars(tally)
    assert tally.runs >= 120, vars(tally)
