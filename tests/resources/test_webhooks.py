"""A service that calls back: an event for each effect, sent until it is answered, at least once, in any order."""

import pytest

from simlib import OutcomeUnknown, Queue, Scenario, Service, Unavailable
from simlib.errors import Mistake
from simlib.model.operation import Blocked
from tests.resources import Driven


@pytest.fixture
def bank():
    return Driven(Service(webhooks=True), "bank")


def pending(bank):
    return [event.body for event in bank.seen.pending_webhooks]


def test_there_is_an_event_for_each_effect_and_for_nothing_else(bank):
    bank.by("A").call("charge", 20, idempotency_key="k")
    bank.by("A").call("charge", 20, idempotency_key="k")
    bank.by("A").call("mail")
    with pytest.raises(Unavailable):
        bank.by("A", "outages").call("charge", 30)
    with pytest.raises(OutcomeUnknown):
        bank.by("A", "lost_replies").call("charge", 40)
    assert pending(bank) == [("charge", 20), ("mail",), ("charge", 40)]


def test_a_handler_waits_while_there_is_no_event(bank):
    with pytest.raises(Blocked):
        bank.by("B").receive()


def test_events_are_sent_in_any_order(bank):
    for amount in (1, 2, 3):
        bank.by("A").call("charge", amount)
    receive = bank.steps.receive()
    assert bank.state.choices(receive) == 3
    assert [bank.by("B", choice=choice).receive().body[1] for choice in (1, 1, None)] == [2, 3, 1]


def test_ack_ends_it_and_nack_has_it_sent_again_later(bank):
    bank.by("A").call("charge", 20)
    event = bank.by("B").receive()
    assert bank.timers() == [("next attempt to send bank-1", "B", 30)]
    bank.by("B").nack(event)
    assert bank.timers() == [("next attempt to send bank-1", None, 30)]
    with pytest.raises(Blocked):
        bank.by("B").receive()
    bank.run_out()
    again = bank.by("B").receive()
    assert (again.id, again.deliveries) == (event.id, 2)
    bank.by("B").ack(event)  # the answer to an older delivery
    assert len(pending(bank)) == 1
    bank.by("B").ack(again)
    assert (pending(bank), bank.timers(), bank.seen.count("charge")) == ([], [], 1)


def test_it_is_sent_again_if_its_handler_has_died_or_was_too_slow(bank):
    bank.by("A").call("charge", 20)
    event = bank.by("B").receive()
    bank.state.owner_gone("B")
    assert bank.timers() == [("next attempt to send bank-1", None, 30)]
    bank.run_out()
    bank.by("B").ack(event)  # late, but before it is sent again
    assert pending(bank) == []


def test_an_event_that_was_answered_can_come_once_more(bank):
    bank.by("A").call("charge", 20)
    bank.by("B").ack(bank.by("B").receive())
    assert bank.ways(bank.steps.receive()) == [("redeliveries", "bank-1")]
    assert bank.by("B", "redeliveries", "bank-1").receive().deliveries == 2


def test_to_receive_and_to_answer_are_no_requests_of_ours_that_could_be_lost(bank):
    bank.by("A").call("charge", 20)
    event = bank.by("B").receive()
    assert [bank.ways(op) for op in (bank.steps.ack(event), bank.steps.nack(event))] == [[], []]
    assert {fault for fault, _ in bank.ways(bank.steps.call("charge", 1))} == {"outages", "lost_replies", "rejections"}


def test_what_is_no_event_of_it_and_a_service_that_calls_nobody_back_are_mistakes(bank):
    with pytest.raises(Mistake, match=r"inbox never|bank never delivered it, inbox did"):
        bank.steps.ack(Driven(Queue(["m"]), "inbox").by("A").receive())
    with pytest.raises(Mistake, match="that is not a message"):
        bank.steps.nack(None)
    plain = Driven(Service(), "bank")
    for step in (plain.steps.receive, lambda: plain.steps.ack(None)):
        with pytest.raises(Mistake, match=r"calls nobody back. Describe it as Service\(webhooks=True\)"):
            step()
    with pytest.raises(Mistake, match="say True or False"):
        Service(webhooks=1)
    with pytest.raises(AttributeError, match="count"):
        _ = plain.seen.pending_webhooks


def test_deliveries_are_counts_and_names_can_be_exchanged(bank):
    bank.by("A").call("charge", 20)
    keys = set()
    for _ in range(3):
        event = bank.by("B").receive()
        bank.by("B").nack(event)
        keys.add(bank.state.recounted(lambda count: 1).key())
        bank.run_out()
    assert (len(keys), bank.state.grown) == (1, 3)
    bank.by("B").receive()
    assert bank.state.renamed({"B": "C"}).timers()[0].owner == "C"
    assert bank.state.copy().key() == bank.state.key() != bank.state.renamed({"B": "C"}).key()


# In the engines


def charge_both(bank):
    yield bank.call("charge", 1)
    yield bank.call("charge", 2)


def note(bank, seen):
    event = yield bank.receive()
    yield seen.send(event.body)
    yield bank.ack(event)


def in_order(seen):
    return [message.body[1] for message in seen.ready] in ([], [1], [1, 2])


def each_is_noted(seen):
    return len(seen.ready) == 2


def test_a_handler_is_a_consumer_and_order_and_number_are_no_promise():
    here = Scenario(bank=Service(webhooks=True), seen=Queue(), eventually=[each_is_noted])
    assert here.explore([charge_both, note], crashes=0).verdict == "holds"
    assert here.explore([charge_both, note], redeliveries=1).claim == "each_is_noted"
    mixed = Scenario(bank=Service(webhooks=True), seen=Queue(), always=[in_order])
    report = mixed.explore([charge_both, note], crashes=0)
    assert (report.claim, report.counterexample.faults) == ("in_order", [])
    assert mixed.replay([charge_both, note], report.token).broken == "in_order"


def test_handlers_who_are_alike_are_not_told_apart():
    here = Scenario(bank=Service(webhooks=True), seen=Queue(), eventually=[each_is_noted])
    alike = here.explore([charge_both, note], workers={"note": 2}, crashes=0)
    assert alike.verdict == "holds"
    assert alike.states < here.explore([charge_both, note, note_as_well], crashes=0).states


def note_as_well(bank, seen):
    yield from note(bank, seen)


def test_simulated_it_is_sent_again_after_thirty_seconds_and_ends_as_explore_says():
    def says_no_once(bank, seen):
        event = yield bank.receive()
        if event.deliveries == 1:
            yield bank.nack(event)
        else:
            yield seen.send(event.body)
            yield bank.ack(event)

    here = Scenario(bank=Service(webhooks=True), seen=Queue(), eventually=[each_is_noted])
    reachable = here.explore([charge_both, says_no_once], crashes=0).outcomes
    for seed in range(3):
        run = here.simulate([charge_both, says_no_once], seed=seed, hours=1, trace=True)
        assert run.settled and run.outcome in reachable
        assert [round(event.at) for event in run.trace.events if event.kind == "timer"] == [30, 30]
