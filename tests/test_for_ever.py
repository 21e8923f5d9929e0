"""Fairness: who loops, who waits, and what a verdict that holds says of them."""

import pytest

from simlib import AlreadyExists, Clock, Database, Lock, Queue, Rejected, Scenario, Service, Unavailable
from simlib.errors import Mistake
from simlib.model.operation import Where
from simlib.resources import AdvisoryLock


def ready(db):
    return "ready" in db


def get_ready(db):
    yield db.write("ready", 1)


def all_acked(inbox):
    return not inbox.ready and not inbox.in_flight


# Handing back, until somebody else is ready


def hands_back(inbox, db):
    message = yield inbox.receive()
    if (yield db.read("ready")):
        yield inbox.ack(message)
    else:
        yield inbox.nack(message)


def returns_and_lets_it_time_out(inbox, db):
    message = yield inbox.receive()
    if (yield db.read("ready")):
        yield inbox.ack(message)


def sleeps_before_it_hands_back(inbox, db, clock):
    message = yield inbox.receive()
    while not (yield db.read("ready")):
        yield clock.sleep(1)
        yield inbox.nack(message)
        return
    yield inbox.ack(message)


def dies_of_it(inbox, db):
    message = yield inbox.receive()
    yield db.compare_and_set("ready", 1, 1)
    if not (yield db.read("ready")):
        raise Rejected("not ready")
    yield inbox.ack(message)


@pytest.mark.parametrize("worker", [hands_back, returns_and_lets_it_time_out, sleeps_before_it_hands_back, dies_of_it])
def test_a_message_that_is_handed_back_until_somebody_is_ready_is_acknowledged_in_the_end(worker):
    office = Scenario(inbox=Queue(["m"]), db=Database(), clock=Clock(), eventually=[all_acked])
    assert office.explore([worker, get_ready], crashes=0).verdict == "holds"
    never = office.explore(worker, crashes=0)
    assert (never.verdict, never.claim) == ("violated", "livelock")
    assert "all_acked stays false" in never.sentence


def test_who_gives_up_after_some_deliveries_loops_no_longer():
    def gives_up(inbox, db):
        message = yield inbox.receive()
        if message.deliveries > 14:
            yield db.write("given up", message.deliveries)
            yield inbox.ack(message)
        else:
            yield inbox.nack(message)

    def given_up_at_last(db, inbox):
        return db["given up"] == 15 and all_acked(inbox)

    report = Scenario(inbox=Queue(["m"]), db=Database(), eventually=[given_up_at_last]).explore(gives_up, crashes=0)
    assert (report.verdict, report.loops) == ("holds", ())


def test_a_property_about_deliveries_is_asked_of_each_number_of_them():
    def patient(inbox):
        return all(message.deliveries < 17 for message in inbox.in_flight)

    def nacks(inbox):
        yield inbox.nack((yield inbox.receive()))

    report = Scenario(inbox=Queue(["m"]), always=[patient]).explore(nacks, crashes=0)
    assert (report.claim, len(report.counterexample.events)) == ("patient", 33)


def test_an_error_for_good_of_a_message_is_a_livelock_that_names_max_receives():
    def charge(inbox, bank):
        message = yield inbox.receive()
        yield bank.call("charge", message.body)
        yield inbox.ack(message)

    def acked(inbox):
        return all_acked(inbox)

    shop = Scenario(inbox=Queue(["m"]), bank=Service(), eventually=[acked])
    report = shop.explore(charge, rejections=1)
    assert (report.claim, report.counterexample.faults) == ("livelock", ["rejection"])
    assert report.sentence.endswith(
        "Of inbox its message comes back each time: with max_receives it would go to the dead letters"
    )


# Locks that are taken and given back


def test_a_lock_that_is_taken_and_given_back_in_a_loop_holds_nobody_up():
    def look_again(lock, db):
        while (yield db.read("ready")) is None:
            lease = yield lock.acquire(ttl=5)
            yield lock.release(lease)

    office = Scenario(lock=Lock(), db=Database(), eventually=[ready])
    assert office.explore([look_again, get_ready], crashes=0).verdict == "holds"
    assert office.explore([look_again, look_again, get_ready][::2], crashes=1).verdict == "holds"
    assert office.explore(look_again, crashes=0).claim == "livelock"


def test_a_livelock_under_a_lease_is_a_short_story():
    def print_it(lock, printer):
        lease = yield lock.acquire(ttl=30)
        yield printer.call("print", idempotency_key="job")
        yield lock.release(lease)

    for workers in (1, 2):
        report = Scenario(lock=Lock(), printer=Service()).explore(print_it, workers=workers, rejections=1)
        assert (report.claim, report.counterexample.faults) == ("livelock", ["rejection"])
        assert len(report.counterexample.events) <= 4


@pytest.mark.parametrize("token", [3, 12, 30, 1001])
def test_who_minds_the_size_of_a_token_is_found(token):
    def takes(lock, db):
        while True:
            lease = yield lock.acquire()
            if lease.token == token:
                yield db.write("boom", 1)
            yield lock.release(lease)

    def no_boom(db):
        return "boom" not in db

    report = Scenario(lock=Lock(), db=Database(), always=[no_boom]).explore(takes, crashes=0, max_states=500)
    assert (report.verdict, report.claim) == (("violated", "no_boom") if token < 100 else ("unfinished", None))


def test_who_stores_a_token_is_told_no_other():
    def takes(lock, db):
        for _ in range(15):
            lease = yield lock.acquire()
            yield db.write("last", lease.token)
            yield lock.release(lease)

    def at_most_fourteen(db):
        return (db["last"] or 0) < 15

    report = Scenario(lock=Lock(), db=Database(), always=[at_most_fourteen]).explore(takes, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "at_most_fourteen")


def test_a_fence_refuses_an_old_token_however_many_came_before():
    def late(lock, db):
        lease = yield lock.acquire(ttl=5)
        yield db.write("x", 1, fence=lease.token)
        yield lock.release(lease)

    def spins(lock):
        while True:
            yield lock.release((yield lock.acquire(ttl=5)))

    office = Scenario(lock=Lock(), db=Database(), eventually=[lambda: True])
    report = office.explore([late, spins], workers={"late": 2}, pauses=1)
    assert report.verdict == "holds"
    assert "StaleToken" in str(report)


# Waiting for work


def works(inbox, db):
    message = yield inbox.receive()
    yield db.write(message.body, 1)
    yield inbox.ack(message)


def after_a_flag(inbox, db):
    if (yield db.read("paused")):
        return
    yield from works(inbox, db)


def in_a_loop(inbox, db):
    while not (yield db.read("closing")):
        yield from works(inbox, db)


def as_the_leader(inbox, db, lock):
    yield lock.acquire()
    while True:
        yield from works(inbox, db)


def both_done(db):
    return db["a"] == 1 and db["b"] == 1


@pytest.mark.parametrize("worker", [works, after_a_flag, in_a_loop, as_the_leader])
@pytest.mark.parametrize("workers", [1, 2])
def test_waiting_for_work_is_idle_wherever_it_stands(worker, workers):
    office = Scenario(inbox=Queue(["a", "b"]), db=Database(), lock=Lock(), eventually=[both_done])
    assert office.explore(worker, workers=workers, crashes=0).verdict == "holds"


def test_a_run_that_asked_for_no_message_and_returned_has_decided_to_stop():
    office = Scenario(inbox=Queue(["a"]), db=Database({"paused": 1}), eventually=[all_acked])
    assert office.explore(after_a_flag, crashes=0).claim == "all_acked"


def test_a_property_can_say_that_waiting_had_to_end():
    def asks(requests, replies):
        yield requests.send("question")
        yield replies.receive()

    def answered(replies):
        return len(replies.acked) > 0

    office = Scenario(requests=Queue(), replies=Queue(), eventually=[answered])
    assert office.explore(asks, crashes=0).claim == "answered"


def test_a_hot_standby_is_idle_while_the_leader_is_alive_and_stuck_when_nobody_frees_the_lock():
    def leads(lock, db):
        lease = yield lock.acquire(ttl=10)
        while (yield lock.renew(lease, ttl=10)):
            yield db.write("leader", 1)

    def led(db):
        return db["leader"] == 1

    office = Scenario(lock=Lock(), db=Database(), eventually=[led])
    report = office.explore(leads, workers=2, crashes=0)
    assert report.verdict == "holds"
    assert {loop.worker for loop in report.loops} == {"A", "B"}

    def keeps(lock, db):
        yield lock.acquire()
        yield db.write("leader", 1)

    report = office.explore(keeps, workers=2, crashes=0)
    assert report.claim == "stuck"


def test_two_that_wait_for_each_other_s_lock_are_stuck():
    def one(left, right):
        yield left.acquire()
        yield right.acquire()

    def other(left, right):
        yield right.acquire()
        yield left.acquire()

    assert Scenario(left=Lock(), right=Lock()).explore([one, other], crashes=0).claim == "stuck"


def test_who_waits_for_a_lock_that_it_holds_is_stuck():
    def twice(lock):
        yield lock.acquire()
        yield lock.acquire()

    assert Scenario(lock=Lock()).explore(twice, crashes=0).claim == "stuck"


# No mistake, but a verdict


def test_a_retry_loop_that_counts_is_no_mistake():
    def counts(db):
        tries = 0
        while not (yield db.read("ready")):
            tries += 1

    report = Scenario(db=Database(), eventually=[ready]).explore([counts, get_ready], crashes=0)
    assert report.verdict == "unfinished"
    assert "had taken 1,000 steps in one run" in report.sentence


# What a verdict that holds says


def migrate(pg, clock):
    while not (yield pg.compare_and_set("lock", None, "held")):
        yield clock.sleep(1)
    yield pg.write("schema", "new")


def migrated(pg):
    return pg["schema"] == "new"


def test_a_verdict_that_holds_says_who_can_loop_for_ever_and_where():
    report = Scenario(pg=Database(), clock=Clock(), eventually=[migrated]).explore(migrate, workers=2, crashes=0)
    line = migrate.__code__.co_firstlineno
    steps = (('pg.compare_and_set("lock", None, "held")', Where(line + 1)), ("clock.sleep(1)", Where(line + 2)))
    assert (report.verdict, [loop.worker for loop in report.loops]) == ("holds", ["A", "B"])
    assert {*report.loops[0].steps} == {*steps}
    assert "B can loop for ever, at `" in str(report)


def refund_once(db, bank):
    if (yield db.read("order")) is not None:
        yield db.insert("cancelled", 1)
        yield bank.call("refund", idempotency_key="order")


def refunded(bank):
    return bank.count("refund") == 1


def test_a_verdict_that_holds_names_the_errors_that_nobody_caught():
    shop = Scenario(db=Database({"order": 1}), bank=Service(), eventually=[refunded])
    report = shop.explore(refund_once, workers=2, crashes=0)
    line = refund_once.__code__.co_firstlineno + 2
    assert report.uncaught == (("refund_once", "AlreadyExists", Where(line), True),)
    said = f"refund_once ended with AlreadyExists, which nobody caught (line {line}), and was started again."
    assert said in " ".join(str(report).split())


# Requests


def test_a_request_that_fails_is_not_started_again():
    def once(db):
        yield db.insert("x", 1)
        raise Unavailable("database")

    def no_second_try(db):
        return "tried again" not in db

    def retries(db):
        try:
            yield db.insert("x", 1)
        except AlreadyExists:
            yield db.write("tried again", 1)
            return
        raise Unavailable("database")

    for how, verdict in ((True, "violated"), (False, "holds"), ({"retries": False}, "holds")):
        shop = Scenario(db=Database(), always=[no_second_try], restarts=how)
        assert shop.explore(retries, crashes=0).verdict == verdict
    request = Scenario(db=Database(), restarts=False)
    report = request.explore(once, crashes=0)
    assert [one.restarted for one in report.uncaught] == [False]
    assert "and was not started again" in " ".join(str(report).split())


def test_a_request_that_is_killed_comes_again_only_if_its_client_retries():
    def writes_twice(db):
        yield db.write("n", ((yield db.read("n")) or 0) + 1)
        yield db.write("done", 1)

    def done(db):
        return db["done"] == 1

    def at_most_once(db):
        return (db["n"] or 0) <= 1

    request = Scenario(db=Database(), eventually=[done], restarts=False)
    assert request.explore(writes_twice, crashes=1).claim == "done"
    asked = request.asking(always=[at_most_once])
    assert asked.explore(writes_twice, crashes=1).verdict == "holds"
    assert asked.explore(writes_twice, crashes=1, redeliveries=1).claim == "at_most_once"
    trace = request.attack(writes_twice, "A 2", "crash A")
    assert ("CRASH: its memory is gone" in str(trace), "starts again" in str(trace)) == (True, False)


@pytest.mark.parametrize("wrong", [1, "never", None, {"work": "no"}])
def test_whether_to_restart_is_said_with_true_or_false(wrong):
    with pytest.raises(Mistake, match="restarts="):
        Scenario(db=Database(), restarts=wrong)


def test_who_sends_first_waits_for_an_answer_and_is_not_started_again_for_the_next():
    def asks(requests, replies, db):
        yield requests.send("question")
        answer = yield replies.receive()
        yield replies.ack(answer)
        yield db.write("answer", answer.body)

    def answers(requests, replies):
        question = yield requests.receive()
        yield replies.send("answer")
        yield requests.ack(question)

    def answered(db):
        return db["answer"] == "answer"

    office = Scenario(requests=Queue(), replies=Queue(), db=Database(), eventually=[answered])
    report = office.explore([asks, answers], crashes=0)
    assert (report.verdict, report.schedules is not None) == ("holds", True)


# Waiting for one who waits for work


def locks_a_row_and_waits(db, inbox):
    yield db.begin()
    yield db.update("ann", 1)
    message = yield inbox.receive()
    yield db.commit()
    yield inbox.ack(message)


def locks_and_waits(lock, inbox):
    yield lock.acquire()
    message = yield inbox.receive()
    yield lock.release()
    yield inbox.ack(message)


def changes_the_row_and_sends(db, inbox):
    yield db.update("ann", 2)
    yield inbox.send("go on")


def locks_and_sends(lock, inbox):
    yield lock.acquire()
    yield inbox.send("go on")
    yield lock.release()


@pytest.mark.parametrize(
    ("holder", "waiter", "step"),
    [
        (locks_a_row_and_waits, changes_the_row_and_sends, 'db.update("ann", 2)'),
        (locks_and_waits, locks_and_sends, "lock.acquire()"),
    ],
)
def test_a_report_says_who_waits_for_a_lock_whose_holder_waits_for_work(holder, waiter, step):
    office = Scenario(db=Database({"ann": 0}), lock=AdvisoryLock(), inbox=Queue())
    report = office.explore([holder, waiter], crashes=0)
    [wait] = report.waits
    assert (report.verdict, wait.role, wait.step, wait.holder) == ("holds", waiter.__name__, step, holder.__name__)
    assert wait.holder_step == "inbox.receive()"
    assert f"{waiter.__name__} can wait for ever, at `{step}` (" in " ".join(str(report).split())


def test_who_is_alike_is_named_once_whoever_of_them_waits():
    office = Scenario(lock=AdvisoryLock(), inbox=Queue(), workers=3)
    alike = office.explore(locks_and_waits, crashes=0)
    assert {(wait.role, wait.holder) for wait in alike.waits} == {("locks_and_waits", "locks_and_waits")}
    assert len(alike.waits) == 1


def test_nobody_is_said_to_wait_for_ever_for_a_lock_that_comes_free():
    office = Scenario(lock=AdvisoryLock(), inbox=Queue(), workers=2)
    assert office.explore(locks_and_sends, crashes=1).waits == ()
