"""Implementations with several roles: a node that is gone for good, a relay that polls, and the views of both."""

import pytest

from simlib import AlreadyExists, Database, Queue, Scenario, Service, compare
from simlib.errors import Mistake
from simlib.scenario import system_of
from simlib.views import board, crash_strip


def order(db, events):
    yield db.insert("order", "new")
    yield events.send("order")


def order_outboxed(db):
    yield db.transaction(db.insert("order", "new"), db.insert("outbox", "order"))


def ship(events, carrier):
    event = yield events.receive()
    yield carrier.call("ship", idempotency_key=event.body)
    yield events.ack(event)


def relay(db, events):
    while True:
        for row, body in (yield db.scan("outbox")):
            yield events.send(body)
            yield db.delete(row)


def shipped(carrier):
    return carrier.count("ship") == 1


def at_most_once(carrier):
    return carrier.count("ship") <= 1


def shop():
    return Scenario(db=Database(), events=Queue(), carrier=Service(), always=[at_most_once], eventually=[shipped])


def two_steps(db):
    try:
        yield db.insert("one", 1)
    except AlreadyExists:
        pass
    yield db.write("two", 2)


def both(db):
    return "one" in db and "two" in db


def test_a_crashed_worker_starts_again_and_a_lost_node_does_not():
    pair = Scenario(db=Database(), eventually=[both])
    assert pair.explore(two_steps, crashes=2).verdict == "holds"
    report = pair.explore(two_steps, node_losses=1)
    assert (report.claim, report.counterexample.failure) == ("both", ["A is gone for good after its first db.insert"])


def test_a_lost_node_is_given_no_task_any_more():
    pair = Scenario(db=Database(), eventually=[both])
    assert pair.attack(two_steps, "A", "lose A").broken == "both"
    with pytest.raises(Mistake, match=r'^"again A": the node of A is gone for good, so it is given no task any more'):
        pair.attack(two_steps, "A", "lose A", "again A")
    report = pair.explore(two_steps, node_losses=1, redeliveries=1)
    assert (report.claim, report.counterexample.faults) == ("both", ["node loss"])


def test_a_lost_node_s_lease_runs_out_for_free_and_another_takes_over():
    inbox = Scenario(events=Queue(["order"]), carrier=Service(), eventually=[shipped], always=[at_most_once])
    assert inbox.explore(ship, workers=2, node_losses=1).verdict == "holds"
    assert inbox.explore(ship, workers=1, node_losses=1).claim == "shipped"


def test_a_token_with_a_lost_node_shows_the_same_run_again():
    report = shop().explore([order, ship], node_losses=1)
    trace = shop().replay([order, ship], report.token)
    assert (trace.broken, trace.failure) == ("shipped", report.counterexample.failure)


def test_a_run_with_a_relay_that_polls_ends_where_nothing_changes_any_more():
    trace = shop().run([order_outboxed, relay, ship])
    assert trace.broken is None
    assert [event.op.name for event in trace.events if event.op] == [
        "db.transaction", "db.scan", "events.send", "db.delete", "db.scan",  # once round
        "events.receive", "carrier.call", "events.ack",
    ]  # fmt: skip


def test_a_run_that_goes_round_without_getting_there_says_what_stays_false():
    trace = shop().run([order_outboxed, relay])
    assert (trace.broken, trace.because) == ("livelock", "it goes round for ever, and shipped stays false")


def test_a_relay_that_polls_does_not_keep_a_dead_consumer_s_message_from_coming_back():
    trace = shop().attack([order_outboxed, relay, ship], "A", "B 3", "C", "crash C")
    assert (trace.broken, trace["carrier"].count("ship")) == (None, 1)


def test_the_same_failure_is_played_on_an_implementation_with_one_role_more():
    report = shop().explore([order, ship], node_losses=1)
    assert shop().replay([order_outboxed, ship, relay], report).broken is None
    found = compare(shop(), happy_path=[order, ship], failure_mode=[order_outboxed, ship, relay])
    assert "order_outboxed, ship and relay: holds" in str(found)
    assert all(line in str(found) for line in ("def order(db, events):", "def ship(events, carrier):", "def relay("))


def test_a_strip_and_a_board_take_implementations_with_several_roles():
    rows = crash_strip(shop(), [order, ship], [order_outboxed, ship, relay]).rows
    assert list(rows) == ["order and ship", "order_outboxed, ship and relay"]
    found = board(shop(), [order, ship], [order_outboxed, ship, relay], node_losses=1, workers={"ship": 2})
    assert found.score("order and ship") == 2


def test_a_board_says_what_a_relay_that_polls_never_gets_to():
    lines = str(board(shop(), [order_outboxed, relay], crashes=0)).splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines if "shipped" in line] == ["for ever: no fault at all"]


def test_a_scenario_counts_roles_that_not_every_implementation_has():
    counted = Scenario(db=Database(), events=Queue(), carrier=Service(), workers={"ship": 2, "relay": 2})
    assert len(system_of(counted, [order, ship]).cast) == 3
    assert len(system_of(counted, [order_outboxed, ship, relay]).cast) == 5


def test_tasks_can_arrive_for_one_role_while_another_goes_its_own_way():
    def tick(db):
        number = yield db.next_id("tick")
        yield db.write("tick", number)

    def poll(db):
        while (yield db.read("tick")) != 3:
            pass

    both = Scenario(db=Database())
    run = both.simulate([tick, poll], arrivals={"tick": 10}, hours=1, latency=1)
    assert run["db"]["tick"] == 359
    assert run.counts["completed"] == 359 + 1


def test_arrivals_for_nobody_are_refused():
    with pytest.raises(Mistake, match="they can be for events, order and relay"):
        shop().simulate([order, relay, ship], arrivals={"oder": 10})
