"""The checker against SPIN, which knows nothing of it: the same systems, written down once more in Promela.

The models are in benchmarks/spin. Each `atomic` there is a `yield` of a worker here, and each fault has a budget. Both
have to give the same verdict under every budget of up to two faults, and to reach the same set of final states.
"""

import itertools
import os
import queue
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from simlib import Database, Lock, Queue, Scenario, Service
from simlib.errors import AlreadyExists, SerializationFailure

MODELS = Path(__file__).parent.parent / "benchmarks" / "spin"
SPIN, COMPILER = shutil.which("spin"), shutil.which("cc") or shutil.which("gcc")
if not (SPIN and COMPILER) and not os.environ.get("CI"):  # in CI their absence is an error
    pytest.skip("needs SPIN and a C compiler on the PATH (Debian: apt install spin gcc)", allow_module_level=True)


# lost_update.pml


def add_one(db):
    value = yield db.read("x")
    yield db.write("x", value + 1)


def add_one_compared(db):
    while True:
        value = yield db.read("x")
        if (yield db.compare_and_set("x", value, value + 1)):
            return


def both_are_there(db):
    return db["x"] >= 2


def counter(db):
    return f"x={db['x']}"


# transaction.pml


def add_read_committed(db):
    yield db.begin()
    value = yield db.read("x")
    yield db.write("x", value + 1)
    yield db.commit()


def add_for_update(db):
    yield db.begin()
    value = yield db.read("x", for_update=True)
    yield db.write("x", value + 1)
    yield db.commit()


def add_repeatable_read(db):
    while True:
        yield db.begin("repeatable read")
        value = yield db.read("x")
        try:
            yield db.write("x", value + 1)
        except SerializationFailure:
            yield db.rollback()
            continue
        yield db.commit()
        return


# lease.pml


def add_leased(lock, db):
    lease = yield lock.acquire(ttl=10)
    value = yield db.read("x")
    yield db.write("x", value + 1)
    yield lock.release(lease)


def add_fenced_on_write(lock, db):
    lease = yield lock.acquire(ttl=10)
    value = yield db.read("x")
    yield db.write("x", value + 1, fence=lease.token)
    yield lock.release(lease)


def add_fenced(lock, db):
    lease = yield lock.acquire(ttl=10)
    value = yield db.read("x", fence=lease.token)
    yield db.write("x", value + 1, fence=lease.token)
    yield lock.release(lease)


def counter_and_tokens(db, lock):
    return f"x={db['x']} tokens={lock.token}"


# redelivery.pml


def charge(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge")
    yield inbox.ack(message)


def charge_once(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge", idempotency_key=message.id)
    yield inbox.ack(message)


def charged_at_most_once(bank):
    return bank.count("charge") <= 1


def charged(bank):
    return bank.count("charge") == 1


def charges_and_dead_letters(bank, inbox):
    return f"charges={bank.count('charge')} dead={len(inbox.dead_letters)}"


# dual_write.pml


def order(db, events):
    try:
        yield db.insert("order", "placed")
    except AlreadyExists:
        return
    yield events.send("order")


def order_sent_again(db, events):
    try:
        yield db.insert("order", "placed")
    except AlreadyExists:
        pass
    yield events.send("order")


def ordered_and_told(db, events):
    return "order" not in db or events.sent > 0


def row_and_events(db, events):
    return f"row={int('order' in db)} sent={events.sent}"


class System(NamedTuple):
    """A model and its twins: the workers in the order of its variants, and what is printed of a final state."""

    model: str
    workers: list
    resources: dict
    faults: list
    final: object
    always: tuple = ()
    eventually: tuple = ()
    most: int = 0  # max_receives


TIMED = ["crashes", "redeliveries", "pauses"]
SYSTEMS = [
    System(
        "lost_update", [add_one, add_one_compared], {"db": Database({"x": 0})}, ["crashes", "redeliveries"],
        counter, eventually=(both_are_there,),
    ),
    System(
        "transaction", [add_read_committed, add_for_update, add_repeatable_read], {"db": Database({"x": 0})},
        ["crashes", "redeliveries"], counter, eventually=(both_are_there,),
    ),
    System(
        "lease", [add_leased, add_fenced_on_write, add_fenced], {"lock": Lock(), "db": Database({"x": 0})}, TIMED,
        counter_and_tokens, eventually=(both_are_there,),
    ),
    System(
        "redelivery", [charge, charge_once], {"inbox": Queue(["order"]), "bank": Service()}, TIMED,
        charges_and_dead_letters, always=(charged_at_most_once,), eventually=(charged,),
    ),
    System(
        "redelivery", [charge, charge_once], {"inbox": Queue(["order"], max_receives=2), "bank": Service()}, TIMED,
        charges_and_dead_letters, always=(charged_at_most_once,), eventually=(charged,), most=2,
    ),
    System(
        "dual_write", [order, order_sent_again], {"db": Database(), "events": Queue()},
        ["crashes", "node_losses", "redeliveries", "outages", "lost_replies"],
        row_and_events, eventually=(ordered_and_told,),
    ),
]  # fmt: skip
TWINS = [(system, variant) for system in SYSTEMS for variant in range(len(system.workers))]
EVERY_FAULT = sorted({fault for system in SYSTEMS for fault in system.faults})


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    """Gives the folder in which a model's verifier is compiled."""
    folders = {}

    def compiled(model):
        if model not in folders:
            assert SPIN and COMPILER, "CI installs spin and gcc: see .ci/run"
            folder = folders[model] = tmp_path_factory.mktemp(model)
            spin_and_compile = [
                [SPIN, "-a", str(MODELS / f"{model}.pml")],
                [COMPILER, "-O1", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"],  # no reduction of its own
            ]
            for command in spin_and_compile:
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return folders[model]

    return compiled


def by_spin(folder, system, variant, budget):
    """Whether an assertion is violated, and all final states; it goes on after a violation."""
    given = {**dict.fromkeys(EVERY_FAULT, 0), "variant": variant, "most": system.most, **budget}
    environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
    command = ["./pan", "-E", "-c0", "-n", "-w16"]
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    assert "Search not completed" not in done.stdout, done.stdout
    (errors,) = re.findall(r"errors: (\d+)", done.stdout)
    return int(errors) > 0, {*re.findall(r"^final (.*)$", done.stdout, re.M)}


def by_explore(system, variant, budget):
    finals = queue.SimpleQueue()  # a property may have no memory; this is none that it could read
    names = ", ".join(system.resources)
    scope = {"final": system.final, "finals": finals}
    passed = ", ".join(f"{name}={name}" for name in system.resources)
    exec(f"def noted({names}):\n    finals.put(final({passed}))\n    return True\n", scope)
    scenario = Scenario(**system.resources, always=system.always, eventually=system.eventually, workers=2)
    faults = budget or {"crashes": 0}
    report = scenario.explore(system.workers[variant], **faults)
    unasked = scenario.asking(eventually=[scope["noted"]]).explore(system.workers[variant], **faults)
    assert unasked.verdict == "holds"
    return report.verdict == "violated", {finals.get() for _ in range(finals.qsize())}


def budgets(faults):
    """Every budget of up to two of these."""
    for total in range(3):
        for chosen in itertools.combinations_with_replacement(faults, total):
            yield {fault: chosen.count(fault) for fault in chosen}


@pytest.mark.parametrize(
    ("system", "variant"),
    TWINS,
    ids=[f"{system.workers[variant].__name__}{'_dead_letters' * bool(system.most)}" for system, variant in TWINS],
)
def test_spin_gives_the_same_verdicts_and_the_same_final_states(verifier, system, variant):
    found = {
        str(budget): (
            by_spin(verifier(system.model), system, variant, budget), by_explore(system, variant, budget),
        )
        for budget in budgets(system.faults)
    }  # fmt: skip
    assert {budget: ours for budget, (_, ours) in found.items()} == {
        budget: spin for budget, (spin, _) in found.items()
    }


@pytest.mark.parametrize("system", SYSTEMS, ids=[system.workers[0].__name__ for system in SYSTEMS])
def test_each_system_is_compared_on_both_verdicts(system):
    variants = range(len(system.workers))
    assert {by_explore(system, variant, {fault: 1})[0] for variant in variants for fault in system.faults} == {
        True,
        False,
    }


def test_these_are_a_hundred_and_forty_two_comparisons():
    assert sum(len([*budgets(system.faults)]) for system, _ in TWINS) == 142
