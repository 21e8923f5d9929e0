"""Each real part and its model, under the same random steps: the same answers, and the same things left behind."""

import random
import shutil
import threading
from pathlib import Path

import pytest

from simlib import Database, Disk, Lock, Queue, Service
from simlib.engines.live.stores import Folder, RemoteService, stores_for
from simlib.engines.live.stores.facts import expected
from simlib.engines.live.stores.http import Ledger
from simlib.errors import OperationError, Unavailable
from simlib.ops import OK, Blocked, Outcome
from simlib.values import freeze

WORKERS = ("A", "B")


def handles(resources):
    return {name: resource.handle(name, []) for name, resource in resources.items()}


def answered(do):
    try:
        return do()
    except (OperationError, Blocked) as error:
        return error


def agree(store, state, op, who, outcome=OK):
    """Take the step on both, and compare; a step that has to wait happens on neither."""
    modelled = answered(lambda: state.copy().perform(op, who, outcome))
    did = answered(lambda: store.perform(op, who, outcome))
    if isinstance(modelled, Blocked) or isinstance(did, Blocked):
        assert type(modelled) is type(did)
        return None
    answered(lambda: state.perform(op, who, outcome))
    assert freeze(did) == freeze(modelled), op
    assert store.facts() == expected(state), op
    return did


def database(db, chance):
    key, fence = chance.choice(["a", 1, ("b", 2)]), chance.choice([None, None, 1, 2, 3])
    rows = [None, 0, "x", {"n": [1, 2]}, ("t", 1.5)]
    writes = {
        "write": lambda: db.write(key, chance.choice(rows), fence=fence),
        "delete": lambda: db.delete(key, fence=fence),
        "set": lambda: db.compare_and_set(key, chance.choice(rows), chance.choice(rows[1:]), fence=fence),
    }
    others = [
        lambda: db.read(key, fence=fence), lambda: db.scan("a"), lambda: db.next_id(chance.choice(["id", "no"])),
        lambda: db.insert(key, "new"),
        lambda: db.transaction(*(writes[chance.choice(list(writes))]() for _ in range(chance.randrange(1, 4)))),
    ]  # fmt: skip
    return chance.choice([*writes.values(), *others])()


@pytest.mark.parametrize("seed", range(20))
def test_a_table_is_the_database_of_the_model(tmp_path, seed):
    resource, chance = Database({"a": 1, "z": None}), random.Random(seed)
    store, state, db = prepared("db", resource, tmp_path)
    for _ in range(40):
        agree(store, state, database(db, chance), chance.choice(WORKERS))


def prepared(name, resource, folder, fills=False):
    stores, state = stores_for({name: resource}, folder, fills), resource.initial(name)
    stores[name].prepare(resource.initial(name))
    assert stores[name].facts() == expected(state)
    return stores[name], state, handles({name: resource})[name]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("most", [None, 2])
def test_a_table_is_the_queue_of_the_model(tmp_path, seed, most):
    resource, chance, known = Queue(["m", {"b": 1}], max_receives=most), random.Random(seed), []
    store, state, inbox = prepared("inbox", resource, tmp_path)
    for _ in range(40):
        verb = chance.choice(["send", "receive", "receive", "receive", "ack", "nack", "expire"])
        timers = state.timers()
        if verb == "expire" and timers:
            timer = chance.choice(timers).id
            store.expire(timer)
            state.expire(timer)
            assert store.facts() == expected(state)
        elif verb == "send":
            agree(store, state, inbox.send("more"), "A")
        elif verb == "receive":
            op = inbox.receive()
            ways = [way for way in state.outcomes(op) if way.fault in (None, "redeliveries")]
            message = agree(store, state, op, chance.choice(WORKERS), chance.choice(ways))
            known += [message] if message else []
        elif known and verb in ("ack", "nack"):
            agree(store, state, getattr(inbox, verb)(chance.choice(known)), "A")


@pytest.mark.parametrize("seed", range(20))
def test_a_row_is_the_lock_of_the_model(tmp_path, seed):
    chance, leases = random.Random(seed), []
    store, state, lock = prepared("lock", Lock(), tmp_path)
    for _ in range(40):
        verb = chance.choice(["acquire", "try_acquire", "release", "renew", "read", "delete", "expire"])
        who = chance.choice(WORKERS)
        if verb == "expire":
            for timer in state.timers():
                store.expire(timer.id)
                state.expire(timer.id)
            assert store.facts() == expected(state)
        elif verb.endswith("acquire"):
            given = chance.choice([(), ("locked",)])
            lease = agree(store, state, getattr(lock, verb)(*given, ttl=chance.choice([None, 1000])), who)
            leases += [lease] if lease else []
        elif verb in ("read", "delete"):
            agree(store, state, getattr(lock, verb)(), who)
        elif leases:
            more = {"ttl": 1000} if verb == "renew" else {}
            agree(store, state, getattr(lock, verb)(chance.choice(leases), **more), who)


def disk_steps(disk, chance):
    name, other = chance.sample(["a", "b", "c/d"], 2)
    data = chance.choice(["", "x", "hello", "ünï"])
    return chance.choice(
        [
            lambda: disk.write(name, data), lambda: disk.append(name, data), lambda: disk.rename(name, other),
            lambda: disk.delete(name), lambda: disk.read(name), lambda: disk.exists(name), lambda: disk.fsync(name),
            lambda: disk.fsync_directory(),
        ]
    )()  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("capacity", [None, 7])
def test_a_folder_that_may_not_grow_is_the_disk_of_the_model(tmp_path, seed, capacity):
    resource, chance = Disk({"a": "first"}, capacity=capacity), random.Random(seed)
    store, state = Folder("disk", tmp_path / "files", capacity), resource.initial("disk")
    store.prepare(state)
    disk = handles({"disk": resource})["disk"]
    for _ in range(40):
        op = disk_steps(disk, chance)
        ways = [way for way in state.outcomes(op) if way.fault in (None, "disk_full")]
        agree(store, state, op, "A", chance.choice(ways))


@pytest.fixture
def server():
    with Ledger() as ledger:
        threading.Thread(target=ledger.serve_forever, daemon=True).start()
        client = RemoteService("bank")
        client.port = client.dead_port = ledger.server_port
        yield client
        ledger.shutdown()


@pytest.mark.parametrize("seed", range(5))
def test_a_server_is_the_service_of_the_model(server, seed):
    chance, state, bank = random.Random(seed), Service().initial("bank"), handles({"bank": Service()})["bank"]
    for _ in range(20):
        args = chance.choice([(), (20,), ({"to": "ann"},)])
        op = bank.call(chance.choice(["charge", "refund"]), *args, idempotency_key=chance.choice([None, 1, "k"]))
        ways = [way for way in state.outcomes(op) if way.fault != "outages"]
        agree(server, state, op, "A", chance.choice(ways))


def test_a_folder_on_which_the_power_failed_is_as_the_model_says(tmp_path):
    store, state, disk = prepared("disk", Disk({"a": "first"}), tmp_path)
    for op in (disk.write("a", "second"), disk.rename("a", "b")):
        agree(store, state, op, "A")
    state.lose_power(state.power_losses() - 1)
    store.lose_power(state)
    assert store.facts() == expected(state)


def test_a_step_on_a_file_that_somebody_holds_is_unavailable(tmp_path):
    store, state, db = prepared("db", Database(), tmp_path)
    other = stores_for({"db": Database()}, tmp_path, False)["db"]
    with other.down(), pytest.raises(Unavailable):
        store.perform(db.write("a", 1), "A", Outcome("outages"))
    agree(store, state, db.write("a", 1), "A")


def test_nothing_is_left_in_the_folder_of_a_run(tmp_path):
    prepared("disk", Disk({"a": "first"}), tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    assert list(Path(tmp_path).iterdir()) == []
