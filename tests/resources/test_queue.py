"""A queue like SQS: at least once, oldest first, and the newest receipt is the one that counts."""

import pytest

from simlib import OutcomeUnknown, Queue, Unavailable
from simlib.model.operation import Blocked
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
