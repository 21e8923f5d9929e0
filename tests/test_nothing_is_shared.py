"""What a worker or a property reads it may change: the world stays as it is. What a worker writes is copied."""

import pytest

from simlib import Clock, Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.model.shown import Items, Table


def changes_a_message(inbox, db):
    message = yield inbox.receive()
    message.body.append(2)
    yield inbox.nack(message)
    again = yield inbox.receive()
    yield db.write("seen", again.body)
    yield inbox.ack(again)


def changes_what_it_sends(outbox, db):
    body = [1]
    step = outbox.send(body)
    body.append(2)
    yield step
    body.append(3)
    message = yield outbox.receive()
    yield db.write("seen", message.body)


def changes_a_row(db):
    row = yield db.read("row")
    row.append(2)
    yield db.write("seen", (yield db.read("row")))


def changes_what_it_scans(db):
    ((_, row),) = yield db.scan("row")
    row.append(2)
    yield db.write("seen", (yield db.read("row")))


def changes_what_it_writes(db):
    row = [1]
    step = db.write("new", row)
    row.append(2)
    yield step
    row.append(3)
    yield db.write("seen", (yield db.read("new")))


def changes_what_it_inserts(db):
    row = [1]
    yield db.insert("new", row)
    row.append(2)
    yield db.write("seen", (yield db.read("new")))


def changes_what_it_swaps_in(db):
    row = [1]
    yield db.compare_and_set("new", None, row)
    row.append(2)
    yield db.write("seen", (yield db.read("new")))


def changes_what_it_commits(db):
    row = [1]
    step = db.transaction(db.write("new", row), db.write("other", row))
    row.append(2)
    yield step
    row.append(3)
    yield db.write("seen", (yield db.read("new")))


def changes_a_leases_value(lock, db):
    lease = yield lock.acquire([1])
    lease.value.append(2)
    yield db.write("seen", (yield lock.read()))


def changes_a_locks_value(lock, db):
    yield lock.acquire([1])
    value = yield lock.read()
    value.append(2)
    yield db.write("seen", (yield lock.read()))


def changes_what_it_calls_with(bank, db):
    order = [1]
    step = bank.call("charge", order)
    order.append(2)
    yield step
    yield db.write("seen", [1])


def changes_what_it_draws(dice, db):
    options = [[1], [1]]
    drawn = yield dice.choice(options)
    drawn.append(2)
    yield db.write("seen", (yield dice.choice(options)))


def changes_a_file(disk, db):
    lines = (yield disk.read("state")).splitlines()
    lines.append("2")
    yield db.write("seen", [int(line) for line in (yield disk.read("state")).splitlines()])


def changes_the_time(clock, db):
    now = yield clock.now()
    now += 2
    yield db.write("seen", [1] if (yield clock.now()) < 2 else [2])


def changes_a_value(order, db):
    order.append(2)
    yield db.write("seen", order[:1])


WORKERS = [
    changes_a_message, changes_what_it_sends, changes_a_row, changes_what_it_scans, changes_what_it_writes,
    changes_what_it_inserts, changes_what_it_swaps_in, changes_what_it_commits, changes_a_leases_value,
    changes_a_locks_value, changes_what_it_calls_with, changes_what_it_draws, changes_a_file, changes_the_time,
    changes_a_value,
]  # fmt: skip


def what_is_seen_may_be_changed(inbox, outbox, db, lock, disk, order):
    """A property that changes everything that it sees."""
    lists = [message.body for message in (*inbox.ready, *inbox.in_flight, *inbox.acked, *outbox.ready)]
    lists += [row for row in db.rows.values() if isinstance(row, list)]
    lists += [inbox.ready, inbox.acked, db["row"], disk.files, order]
    if lock.holder is not None:
        lists.append(lock.holder)
    for one in lists:
        one.append(7)
    return True


def one_was_seen(db):
    return db["seen"] == [1]


def the_world_is_as_it_was(db, order):
    return (db["row"], order) == ([1], [1])


def only_one_was_charged(bank):
    return bank.count("charge") == bank.count("charge", [1])


@pytest.fixture
def shop():
    return Scenario(
        inbox=Queue([[1]]), outbox=Queue(), db=Database({"row": [1]}), lock=Lock(), bank=Service(), dice=Random(),
        disk=Disk({"state": "1"}), clock=Clock(), order=[1],
        always=[what_is_seen_may_be_changed, the_world_is_as_it_was, only_one_was_charged], eventually=[one_was_seen],
    )  # fmt: skip


@pytest.mark.parametrize("worker", WORKERS)
def test_in_every_schedule(shop, worker):
    stuck_by_a_crash = worker in (changes_a_leases_value, changes_a_locks_value, changes_what_it_inserts)
    report = shop.explore(worker, crashes=0 if stuck_by_a_crash else 1, redeliveries=0)
    assert report.verdict == "holds", report
    assert {tuple(trace["db"]["seen"]) for trace in report.sample(3)} == {(1,)}


@pytest.mark.parametrize("worker", WORKERS)
def test_in_a_simulation(shop, worker):
    run = shop.simulate(worker, trace=True)
    assert (run["db"]["seen"], run["db"]["row"], run.broken) == ([1], [1], None)
    assert run.trace["db"]["seen"] == [1]


@pytest.mark.parametrize("worker", WORKERS)
def test_in_a_run_an_attack_and_a_replay_of_each(shop, worker):
    run, attack = shop.run(worker), shop.attack(worker, "A")
    again = [shop.replay(worker, trace) for trace in (run, attack)]
    for trace in (run, attack, *again):
        assert (trace["db"]["seen"], trace["db"]["row"], trace.broken) == ([1], [1], None)
        assert trace.lines() == run.lines()


@pytest.mark.parametrize("ask", ["explore", "simulate", "run"])
def test_a_scenario_is_as_new_after_each_question(shop, ask):
    for worker in WORKERS:
        getattr(shop, ask)(worker)
    assert shop.values == {"order": [1]}
    assert {name: resource.initial(name).summary() for name, resource in shop.resources.items()} == {
        "inbox": "1 ready", "outbox": "empty", "db": "row = [1]", "lock": "free", "bank": "nothing done", "dice": "",
        "disk": 'state: "1"', "clock": "0 s",
    }  # fmt: skip


def test_what_a_scenario_was_given_may_be_changed_afterwards():
    rows, bodies, order = {"row": [1]}, [[1]], [1]
    shop = Scenario(db=Database(rows), inbox=Queue(bodies), order=order)
    rows["row"].append(2)
    bodies[0].append(2)
    order.append(2)

    def work(inbox, db, order):
        message = yield inbox.receive()
        yield db.write("seen", [message.body, (yield db.read("row")), order])
        yield inbox.ack(message)

    assert shop.run(work)["db"]["seen"] == [[1], [1], [1]]


def test_a_list_that_a_property_sees_reads_and_adds_like_a_list_and_is_its_own_once_changed():
    kept, others = [{"n": 1}, {"n": 2}], [3]
    seen = Items(kept)
    assert (seen == kept, seen == others, repr(seen)) == (True, False, repr(kept))
    assert (seen + others, others + seen) == (kept + others, others + kept)
    assert seen.copy() == kept and seen.copy()[0] is not kept[0]
    seen[0] = {"n": 5}
    seen.insert(1, {"n": 0})
    seen.sort(key=lambda row: row["n"])
    del seen[0]
    assert (seen, kept) == ([{"n": 2}, {"n": 5}], [{"n": 1}, {"n": 2}])


def test_a_table_that_a_property_sees_reads_and_joins_like_a_dict():
    kept = {"a": [1]}
    seen = Table(kept)
    seen["a"].append(2)
    assert (kept, seen | {"b": 3}, repr(seen)) == ({"a": [1]}, {"a": [1], "b": 3}, repr(kept))
