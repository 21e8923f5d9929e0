"""A queue like SQS: at least once, oldest first, and the newest receipt is the one that counts."""

import pytest

from simlib import Clock, Database, OutcomeUnknown, Queue, Scenario, Unavailable
from simlib.errors import Mistake
from simlib.model.operation import Blocked
from simlib.model.system import outcome_of
from tests.agreement import compare_many
from tests.programs import programs_that_stop
from tests.resources import Driven


def inbox(*bodies, **how):
    return Driven(Queue(bodies, **how), "inbox")


def bodies(messages):
    return [message.body for message in messages]


# Delivering


def test_messages_come_oldest_first():
    queue = inbox("one", "two", "three")
    assert [queue.by("A").receive().body for _ in range(3)] == ["one", "two", "three"]


def test_receive_waits_while_the_queue_is_empty():
    queue = inbox()
    with pytest.raises(Blocked):
        queue.by("A").receive()
    assert queue.by("B").send("late") == "inbox-1"
    assert queue.by("A").receive().body == "late"


def test_receive_waits_while_everything_is_in_flight():
    queue = inbox("one")
    queue.by("A").receive()
    with pytest.raises(Blocked):
        queue.by("B").receive()


def test_a_message_in_flight_does_not_hold_back_the_ones_behind_it():
    queue = inbox("one", "two")
    queue.by("A").receive()
    assert queue.by("B").receive().body == "two"


def test_a_message_keeps_its_id_over_deliveries_and_counts_them():
    queue = inbox("one")
    told = []
    for _ in range(3):
        message = queue.by("A").receive()
        told.append((message.id, message.body, message.deliveries))
        queue.by("A").nack(message)
    assert told == [("inbox-1", "one", 1), ("inbox-1", "one", 2), ("inbox-1", "one", 3)]


def test_ids_go_on_counting_after_the_first_messages():
    queue = inbox("one", "two")
    assert queue.by("A").send("three") == "inbox-3"
    assert queue.seen.sent == 3


def test_a_message_reads_as_its_id_its_body_and_from_the_second_delivery_on_its_count():
    queue = inbox("one")
    first = queue.by("A").receive()
    queue.run_out()
    assert [repr(first), repr(queue.by("A").receive())] == ['inbox-1 "one"', 'inbox-1 "one", delivery 2']


def test_a_message_that_comes_back_keeps_its_place():
    queue = inbox("one", "two")
    queue.by("A").nack(queue.by("A").receive())
    assert bodies(queue.seen.ready) == ["one", "two"]


# Acknowledging


def test_an_ack_removes_the_message():
    queue = inbox("one")
    assert queue.by("A").ack(queue.by("A").receive()) is None
    assert (queue.seen.ready, queue.seen.in_flight, bodies(queue.seen.acked)) == ([], [], ["one"])
    assert queue.timers() == []


def test_an_ack_with_an_old_receipt_after_redelivery_does_nothing_and_says_nothing():
    queue = inbox("one")
    old = queue.by("A").receive()
    queue.run_out()
    queue.by("B").receive()
    assert queue.by("A").ack(old) is None
    assert (queue.seen.acked, bodies(queue.seen.in_flight)) == ([], ["one"])


def test_an_ack_after_the_timeout_and_before_redelivery_works():
    queue = inbox("one")
    message = queue.by("A").receive()
    queue.run_out()
    assert bodies(queue.seen.ready) == ["one"]
    queue.by("A").ack(message)
    assert (queue.seen.ready, bodies(queue.seen.acked)) == ([], ["one"])


def test_a_second_ack_does_nothing():
    queue = inbox("one")
    message = queue.by("A").receive()
    queue.by("A").ack(message)
    assert queue.by("A").ack(message) is None
    assert len(queue.seen.acked) == 1


def test_a_nack_makes_the_message_ready_at_once():
    queue = inbox("one")
    assert queue.by("A").nack(queue.by("A").receive()) is None
    assert (bodies(queue.seen.ready), queue.seen.in_flight) == (["one"], [])


def test_a_nack_with_an_old_receipt_does_nothing():
    queue = inbox("one")
    old = queue.by("A").receive()
    queue.run_out()
    queue.by("B").receive()
    queue.by("A").nack(old)
    assert (queue.seen.ready, bodies(queue.seen.in_flight)) == ([], ["one"])


# Timing out


def test_a_delivery_has_a_timer_that_belongs_to_its_receiver():
    queue = inbox("one", visibility_timeout=9)
    queue.by("A").receive()
    assert queue.timers() == [("visibility timeout of inbox-1", "A", 9)]


def test_when_the_receiver_is_gone_the_timer_is_nobodys():
    queue = inbox("one")
    queue.by("A").receive()
    queue.state.owner_gone("B")
    assert queue.timers()[0][1] == "A"
    queue.state.owner_gone("A")
    assert queue.timers()[0][1] is None


def test_without_a_visibility_timeout_a_lost_delivery_never_comes_back():
    queue = inbox("one", visibility_timeout=None)
    queue.by("A").receive()
    assert queue.timers() == []


def test_the_timer_of_an_acked_delivery_is_stale():
    queue = inbox("one")
    message = queue.by("A").receive()
    (timer,) = queue.state.timers()
    queue.by("A").ack(message)
    queue.state.expire(timer.id)
    assert queue.seen.ready == []


def test_the_timer_of_an_older_delivery_is_stale():
    queue = inbox("one")
    queue.by("A").nack(queue.by("A").receive())
    queue.by("B").receive()
    (timer,) = queue.state.timers()
    queue.by("B").nack(queue.state.in_flight[0])
    queue.by("B").receive()
    (newer,) = queue.state.timers()
    assert (newer.id, newer.armed) == (timer.id, timer.armed + 1)


# Dead letters


def test_a_message_delivered_max_receives_times_becomes_a_dead_letter_when_it_comes_back():
    queue = inbox("poison", max_receives=2)
    queue.by("A").nack(queue.by("A").receive())
    queue.by("A").receive()
    assert queue.seen.dead_letters == []
    queue.run_out()
    assert (bodies(queue.seen.dead_letters), queue.seen.ready) == (["poison"], [])


def test_a_dead_letter_cannot_be_acked_any_more():
    queue = inbox("poison", max_receives=1)
    message = queue.by("A").receive()
    queue.run_out()
    queue.by("A").ack(message)
    assert (bodies(queue.seen.dead_letters), queue.seen.acked) == (["poison"], [])


def test_an_acked_message_is_no_dead_letter_however_often_it_was_delivered():
    queue = inbox("one", max_receives=1)
    queue.by("A").ack(queue.by("A").receive())
    assert (queue.seen.dead_letters, bodies(queue.seen.acked)) == ([], ["one"])


# Faults


def test_a_message_in_flight_can_be_delivered_once_more():
    queue = inbox("one")
    queue.by("A").receive()
    assert ("redeliveries", "inbox-1") in queue.ways(queue.steps.receive())
    again = queue.by("B", "redeliveries", "inbox-1").receive()
    assert (again.id, again.deliveries, bodies(queue.seen.in_flight)) == ("inbox-1", 2, ["one"])


def test_after_a_redelivery_only_the_newer_receipt_acks():
    queue = inbox("one")
    old = queue.by("A").receive()
    new = queue.by("B", "redeliveries", "inbox-1").receive()
    queue.by("A").ack(old)
    assert queue.seen.acked == []
    queue.by("B").ack(new)
    assert (bodies(queue.seen.acked), queue.seen.in_flight, queue.timers()) == (["one"], [], [])


def test_an_acked_message_can_be_delivered_once_more():
    queue = inbox("one")
    queue.by("A").ack(queue.by("A").receive())
    assert queue.by("B", "redeliveries", "inbox-1").receive().deliveries == 2


def test_what_waits_in_the_queue_or_among_the_dead_letters_is_not_redelivered():
    queue = inbox("dead", "acked", "new", max_receives=1)
    queue.by("A").receive()
    queue.run_out()
    queue.by("A").ack(queue.by("A").receive())
    faults = [way for way in queue.ways(queue.steps.receive()) if way[0] == "redeliveries"]
    assert faults == [("redeliveries", "inbox-2")]


def test_every_delivery_has_a_number_of_its_own_also_after_a_redelivery_that_timed_out():
    queue = inbox("one")
    queue.by("A").ack(queue.by("A").receive())
    queue.by("A", "redeliveries", "inbox-1").receive()
    queue.run_out()
    assert [way for way in queue.ways(queue.steps.receive()) if way[0] == "redeliveries"] == []
    assert queue.by("B").receive().deliveries == 3


def test_an_outage_happens_before_anything_else_does():
    queue = inbox("one")
    with pytest.raises(Unavailable):
        queue.by("A", "outages").receive()
    assert bodies(queue.seen.ready) == ["one"]


def test_a_lost_reply_leaves_the_message_in_flight_with_nobody_knowing():
    queue = inbox("one")
    with pytest.raises(OutcomeUnknown):
        queue.by("A", "lost_replies").receive()
    assert (queue.seen.ready, bodies(queue.seen.in_flight)) == ([], ["one"])


def test_states_that_behave_alike_are_one_whatever_the_order_of_their_bookkeeping():
    one, other = inbox("one", "two"), inbox("one", "two")
    a, b = one.by("A").receive(), one.by("A").receive()
    one.by("A").ack(a), one.by("A").ack(b)
    a, b = other.by("A").receive(), other.by("A").receive()
    other.by("A").ack(b), other.by("A").ack(a)
    assert one.state.key() == other.state.key()


@pytest.mark.parametrize(
    "handled, told",
    [
        (lambda queue: None, "2 ready"),
        (lambda queue: queue.by("A").receive(), "1 ready, 1 in flight"),
        (lambda queue: [queue.by("A").ack(queue.by("A").receive()) for _ in range(2)], "empty"),
    ],
)
def test_a_queue_is_summed_up_in_a_few_words(handled, told):
    queue = inbox("one", "two")
    handled(queue)
    assert queue.state.summary() == told


def test_to_an_outsider_what_is_in_flight_is_still_there_and_what_is_acked_is_not():
    ready, flying, acked = (inbox("one") for _ in range(3))
    flying.by("A").receive()
    acked.by("A").ack(acked.by("A").receive())
    assert ready.state.outcome() == flying.state.outcome() != acked.state.outcome()


# A receive that gives up


def polls(inbox, db):
    message = yield inbox.receive(wait=20)
    if message is None:
        return
    yield db.write(message.id, "done")
    yield inbox.ack(message)


def polls_in_a_loop(inbox, db):
    while True:
        message = yield inbox.receive(wait=20)
        if message is not None:
            yield db.write(message.id, "done")
            yield inbox.ack(message)


def notes_that_it_is_idle(inbox, db):
    message = yield inbox.receive(wait=20)
    if message is None:
        yield db.write("idle", True)
    else:
        yield inbox.ack(message)


def sends_one(inbox):
    yield inbox.send("late")


def all_done(inbox):
    return not inbox.ready and not inbox.in_flight


@pytest.mark.parametrize("worker", [polls, polls_in_a_loop, notes_that_it_is_idle])
def test_to_wait_over_and_over_is_idle_and_what_comes_is_handled(worker):
    for claims in ({}, {"eventually": [all_done]}):
        scenario = Scenario(inbox=Queue(["a"]), db=Database(), **claims)
        report = scenario.explore([worker, sends_one], crashes=1)
        assert report.verdict == "holds", report
        assert (report.schedules is None) == (worker is notes_that_it_is_idle)
        assert scenario.run([worker, sends_one]).broken is None


def test_to_wait_over_and_over_is_wrong_where_there_had_to_be_an_end():
    def handled(db):
        return db["inbox-1"] is not None

    scenario = Scenario(inbox=Queue(), db=Database(), eventually=[handled])
    assert scenario.explore(polls, crashes=1).claim == "handled"
    assert scenario.explore(notes_that_it_is_idle, crashes=1).claim == "livelock"


def test_a_message_that_goes_round_is_no_idle_wait():
    def hands_back(inbox):
        message = yield inbox.receive(wait=20)
        if message is not None:
            yield inbox.nack(message)

    report = Scenario(inbox=Queue(["a"], max_receives=None)).explore(hands_back, crashes=0)
    assert report.claim == "livelock"


def test_it_may_give_up_before_a_message_comes_and_not_while_there_is_one():
    def looks_once(inbox, db):
        yield db.write("got", (yield inbox.receive(wait=20)) is not None)

    def got_it(db):
        return db["got"] in (True, None)

    scenario = Scenario(inbox=Queue(visibility_timeout=None), db=Database(), always=[got_it])
    assert scenario.explore([looks_once, sends_one], crashes=0).claim == "got_it"
    full = scenario.but(inbox=Queue(["a", "b"], visibility_timeout=None))
    assert [event.answer.body for event in full.attack([looks_once], "A 4").events[:4:2]] == ["a", "b"]


def died_with_the_message(wait):
    """A worker waits for that long for a message that another one took, and died with; then it goes."""

    def takes(inbox, db):
        yield inbox.receive()
        yield db.read("x")

    def waits(db, inbox):
        yield db.read("x")
        message = yield inbox.receive(wait=wait)
        if message is not None:
            yield inbox.ack(message)
        yield db.write("gone", True)
        yield inbox.receive()

    return Scenario(inbox=Queue(["a"], visibility_timeout=30), db=Database()), [takes, waits]


@pytest.mark.parametrize(("wait", "gives_up"), [(20, True), (40, False)])
def test_a_timer_that_ends_sooner_ends_first(wait, gives_up):
    scenario, workers = died_with_the_message(wait)

    if gives_up:
        assert scenario.attack(workers, "A", "B", "lose A", "B").events[3].gave_up
    else:
        with pytest.raises(Mistake, match="B waits at"):
            scenario.attack(workers, "A", "B", "lose A", "B")


def test_time_passes_by_the_wait():
    def looks(clock, inbox, db):
        if (yield db.read("at")) is None:
            yield inbox.receive(wait=20)
            yield db.write("at", (yield clock.now()))
        else:
            yield inbox.receive()

    def in_time(db):
        return db["at"] in (None, 20)

    scenario = Scenario(clock=Clock(), inbox=Queue(), db=Database(), always=[in_time])
    assert scenario.explore(looks, crashes=0).verdict == "holds"
    trace = scenario.run(looks)
    assert (trace.broken, trace["db"]["at"], trace.events[1].at) == (None, 20, 21)


def test_to_wait_over_and_over_moves_no_clock():
    def asks(clock, inbox):
        yield clock.now()
        yield inbox.send("late")

    scenario = Scenario(clock=Clock(), inbox=Queue(), db=Database(), eventually=[all_done])
    assert scenario.explore([polls, asks], crashes=1).verdict == "holds"
    assert scenario.run([polls, asks]).broken is None


def test_simulated_it_gives_up_after_exactly_that_time():
    def looks(inbox, clock, db):
        message = yield inbox.receive(wait=20)
        yield db.write(f"at {(yield clock.now()):g}", message and message.body)

    scenario = Scenario(inbox=Queue(visibility_timeout=None), clock=Clock(), db=Database())
    run = scenario.simulate(looks, hours=95 / 3_600, latency=0, arrivals={"inbox": 50})
    rows = dict(run.states["db"].rows)
    assert rows == {
        "at 20": None, "at 40": None, "at 50": "task-1", "at 70": None, "at 90": None,
    }  # fmt: skip


def test_simulated_runs_end_where_the_search_says():
    scenario = Scenario(inbox=Queue(["a"], visibility_timeout=30), db=Database())
    possible = scenario.explore([polls, sends_one], crashes=2, pauses=2).outcomes
    for number in range(5):
        run = scenario.simulate([polls, sends_one], hours=0.2, crashes_per_day=5_000, seed=number)
        assert outcome_of(run.states) in possible


def test_in_real_processes_it_gives_up_soon():
    scenario = Scenario(inbox=Queue(["a"]), db=Database())
    trace = scenario.live(notes_that_it_is_idle)
    assert str(trace.but(note="")) == str(scenario.run(notes_that_it_is_idle))
    assert [event.answer for event in trace.events if event.op.verb == "receive"][-1] is None


@pytest.mark.parametrize("wait", [0, -1, "20", True])
def test_how_long_to_wait_is_a_number_above_0(wait):
    def looks(inbox):
        yield inbox.receive(wait=wait)

    with pytest.raises(Mistake, match="wait"):
        Scenario(inbox=Queue()).explore(looks)


def test_programs_that_give_up_agree_with_the_enumeration():
    for budget in ({}, {"crashes": 1}):
        tally = compare_many(programs_that_stop, budget, 1, 20)
        assert tally.compared >= 18, vars(tally)
        assert len(tally.different) >= 8, vars(tally)
