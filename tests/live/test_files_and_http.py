"""Files and servers against their models, under the same random steps: the same answers, the same things left behind.

Tables and locks are in test_servers.py, with the servers that they may be on.
"""

import random
import shutil
import threading
from pathlib import Path

import pytest

from simlib import Database, Disk, NotFound, Scenario, Service
from simlib.errors import Conflict, OperationError, Unavailable
from simlib.live.stores import Folder, stores_for
from simlib.live.stores.facts import expected
from simlib.live.stores.ledger import Ledger, RemoteLedger
from simlib.model.operation import BEGUN, OK, Blocked, Outcome
from simlib.model.values import freeze
from simlib.resources import Collection


def handles(resources):
    return {name: resource.handle(name, []) for name, resource in resources.items()}


def answered(do):
    try:
        return do()
    except OperationError as error:
        return error


def agree(store, state, op, who, outcome=OK):
    """Take the step on both, and compare."""
    modelled = answered(lambda: state.perform(op, who, outcome))
    assert freeze(answered(lambda: store.perform(op, who, outcome))) == freeze(modelled), op
    assert store.facts() == expected(state), op


def prepared(name, resource, folder, fills=False):
    stores, state = stores_for({name: resource}, folder, fills), resource.initial(name)
    stores[name].prepare(resource.initial(name))
    assert stores[name].facts() == expected(state)
    return stores[name], state, handles({name: resource})[name]


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


def can(state, op, who, way):
    try:
        state.copy().perform(op, who, way)
    except Blocked:
        return False
    except OperationError:
        pass
    return True


def random_steps_agree(store, state, disk, chance, ways_of):
    """Two workers, who end what they have begun before they do anything else."""
    begun = {}
    for _ in range(40):
        who = chance.choice("AB")
        op = begun.pop(who, None) or disk_steps(disk, chance)
        way = chance.choice([way for way in ways_of(state, op) if can(state, op, who, way)])
        agree(store, state, op, who, way)
        if way == BEGUN:
            begun[who] = op


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("capacity", [None, 7])
def test_a_folder_that_may_not_grow_is_the_disk_of_the_model(tmp_path, seed, capacity):
    resource, chance = Disk({"a": "first"}, capacity=capacity), random.Random(seed)
    store, state = Folder("disk", tmp_path / "files", capacity), resource.initial("disk")
    store.prepare(state)
    random_steps_agree(store, state, handles({"disk": resource})["disk"], chance, lambda state, op: state.outcomes(op))


@pytest.fixture
def server():
    client = RemoteLedger("bank")
    with Ledger(client.signer) as ledger:
        threading.Thread(target=ledger.serve_forever, daemon=True).start()
        client.port = client.dead_port = ledger.server_port
        yield client
        ledger.shutdown()


@pytest.mark.parametrize("seed", range(5))
def test_a_server_is_the_service_of_the_model(server, seed):
    chance, state, bank = random.Random(seed), Service().initial("bank"), handles({"bank": Service()})["bank"]
    for _ in range(20):
        args = chance.choice([(), (20,), ({"to": "ann"},)])
        op = bank.call(chance.choice(["charge", "refund"]), *args, idempotency_key=chance.choice([None, 1, "k"]))
        if chance.random() < 0.3:
            op = bank.look_up(chance.choice([1, 1.0, "k", ("k", 2)]))
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


def off_the_schedule(schedule, db):
    try:
        yield schedule.delete("ann")
    except NotFound:
        yield db.write("ann", "was gone already")
    yield schedule.put("bob", [1])
    try:
        yield schedule.create("bob", 2)
    except Conflict:
        names = yield schedule.list()
    yield db.write("names", names)
    yield db.write("bob", (yield schedule.get("bob")))


@pytest.mark.parametrize("fault", [{}, {"crashes": 1}, {"lost_replies": 1}, {"outages": 1}])
def test_a_collection_is_a_rest_server_that_answers_as_the_model_does(fault):
    shop = Scenario(schedule=Collection({"ann": "monthly", "a b/ü": 1}), db=Database())
    for seed in range(3):
        trace = shop.live(off_the_schedule, seed=seed, **fault)
        assert {*trace["schedule"].items} == {"a b/ü", "bob"}
        assert "schedule is an HTTP server" in trace.note


def test_a_second_delete_is_a_real_404():
    shop = Scenario(schedule=Collection({"ann": "monthly"}), db=Database())
    trace = shop.live(off_the_schedule, shop.attack(off_the_schedule, "A", "crash A"))
    assert trace["db"]["ann"] == "was gone already"
