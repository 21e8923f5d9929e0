"""What is so of all of them: steps are lazy data, and nothing in the world is shared with a worker."""

from dataclasses import dataclass

import pytest

from simlib import Clock, Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.resources import AdvisoryLock, Collection, Lease, Message
from tests.resources import Driven

STEPS = {
    "queue": (Queue(["one"]), lambda it: [it.receive(), it.send(1), it.ack(Message("it-1", 1, 1))]),
    "database": (Database({"x": 1}), lambda it: [it.write("x", 2), it.delete("x"), it.next_id()]),
    "collection": (
        Collection({"ann": 1}),
        lambda it: [it.get("ann"), it.put("bob", 2), it.create("c", 3), it.delete("ann"), it.list()],
    ),
    "lock": (Lock(), lambda it: [it.acquire(ttl=3), it.delete(), it.release(Lease("A#1", 1))]),
    "advisory lock": (AdvisoryLock(), lambda it: [it.acquire(), it.try_acquire(), it.release()]),
    "disk": (Disk({"f": "x"}), lambda it: [it.write("f", "y"), it.delete("f"), it.fsync("f")]),
    "service": (Service(), lambda it: [it.call("charge", 20, idempotency_key=1)]),
    "clock": (Clock(), lambda it: [it.sleep(3), it.now()]),
    "random": (Random(), lambda it: [it.choice([1, 2])]),
}


@pytest.mark.parametrize("kind", STEPS)
def test_building_a_step_does_nothing(kind):
    resource, build = STEPS[kind]
    driven = Driven(resource, "it")
    before = driven.state.key()
    build(driven.steps)
    assert driven.state.key() == before


@pytest.mark.parametrize("kind", STEPS)
def test_a_copy_of_a_state_goes_its_own_way(kind):
    resource, build = STEPS[kind]
    driven = Driven(resource, "it")
    before = driven.state.key()
    for op in build(driven.steps):
        driven.state.copy().perform(op, "A")
    assert driven.state.key() == before


def test_a_step_reads_as_it_was_written():
    steps = Service().handle("bank", [])
    built = steps.call("charge", 20, idempotency_key="order-1")
    assert (built.name, str(built)) == ("bank.call", 'bank.call("charge", 20, idempotency_key="order-1")')


def test_each_step_that_is_built_is_noted_with_its_line():
    built = []
    op = Database().handle("db", built).read("x")
    assert built == [op]
    assert op.line == test_each_step_that_is_built_is_noted_with_its_line.__code__.co_firstlineno + 2


def test_the_writes_of_a_transaction_are_no_steps_of_their_own():
    built = []
    db = Database().handle("db", built)
    assert [db.transaction(db.write("x", 1), db.write("y", 2))] == built


# What a worker is told it may change; what it sends is copied


def test_changing_what_was_read_does_not_change_the_row():
    def read_and_change(db):
        row = yield db.read("x")
        row.append(2)

    assert Scenario(db=Database({"x": [1]})).run(read_and_change)["db"]["x"] == [1]


def test_changing_what_was_written_does_not_change_the_row():
    def write_and_change(db):
        row = [1]
        yield db.write("x", row)
        row.append(2)
        yield db.read("y")

    assert Scenario(db=Database()).run(write_and_change)["db"]["x"] == [1]


def test_changing_a_row_after_building_its_step_does_not_change_the_step():
    row = [1]
    op = Database().handle("db", []).write("x", row)
    row.append(2)
    assert str(op) == 'db.write("x", [1])'


def test_changing_a_message_changes_no_other_delivery():
    def change(inbox, db):
        message = yield inbox.receive()
        yield db.write(str(message.deliveries), message.body["tries"])
        message.body["tries"] += 1
        if message.deliveries < 3:
            yield inbox.nack(message)
        else:
            yield inbox.ack(message)

    world = Scenario(inbox=Queue([{"tries": 0}]), db=Database()).run(change)
    assert dict(world["db"].rows) == {"1": 0, "2": 0, "3": 0}


def test_a_scenarios_values_are_new_for_every_process():
    def change(orders, db):
        orders.append("mine")
        yield db.write("orders", orders)

    scenario = Scenario(orders=["theirs"], db=Database())
    for _ in range(2):
        assert scenario.run(change)["db"]["orders"] == ["theirs", "mine"]


def test_what_a_resource_begins_with_is_copied():
    rows, messages = {"x": [1]}, [[1]]
    db, inbox = Database(rows), Queue(messages)
    rows["x"].append(2)
    messages[0].append(2)
    assert db.initial("db").rows == {"x": [1]}
    assert [message.body for message in inbox.initial("inbox").ready] == [[1]]


def test_a_property_cannot_change_the_world():
    def tampers(db):
        db.rows["x"].append(2)
        db["x"].append(3)
        return db["x"] == [1]

    def nothing(db):
        yield db.read("x")

    assert Scenario(db=Database({"x": [1]}), always=[tampers]).explore(nothing).verdict == "holds"


def test_a_resource_may_be_shared_between_scenarios():
    def count_up(db):
        yield db.write("n", ((yield db.read("n")) or 0) + 1)

    shared = Database()
    scenarios = [Scenario(db=shared), Scenario(db=shared, always=[])]
    assert [scenario.run(count_up)["db"]["n"] for scenario in scenarios + scenarios] == [1, 1, 1, 1]


def test_a_resource_may_have_two_names_in_one_scenario():
    def copy(here, there):
        yield there.write("x", (yield here.read("x")))

    shared = Database({"x": 1})
    world = Scenario(here=shared, there=shared).run(copy)
    assert [world["here"]["x"], world["there"]["x"]] == [1, 1]


def test_what_a_property_sees_of_a_resource_prints_as_its_summary():
    assert repr(Driven(Database({"x": 1}), "db").seen) == "x = 1"


def test_what_a_frozen_dataclass_holds_is_copied_too():
    @dataclass(frozen=True, kw_only=True)
    class Order:
        items: list

    order = Order(items=[1])
    op = Database().handle("db", []).write("x", order)
    order.items.append(2)
    assert op.args[1].items == [1]
