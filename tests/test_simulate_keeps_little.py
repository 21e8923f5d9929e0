"""What a simulation keeps does not grow with its length: it is counted, object by object.

What the workers put into the world stays there, and a run has one number a task. All else is the machinery: ten times
as long, it holds as many objects as before, give or take what happens to be under way at the end.
"""

import gc
import types

import pytest
import simpy

from simlib import Clock, Database, Lock, Queue, Scenario, Service, Unavailable, exponential
from simlib.model import shown
from simlib.resources.queue import QueueState
from simlib.scenario import system_of
from simlib.simulate.conditions import Conditions
from simlib.simulate.simulation import Simulation

SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType)


def kept_by(simulation):
    """How many objects of any kind it holds that are no part of the world."""
    world = [simulation.run.latencies, *(vars(state) for state in simulation.run.states.values())]
    seen = {id(one) for one in (*world, *simulation.run.states.values())}
    found, count = [simulation], 0
    while found:
        one = found.pop()
        if id(one) not in seen and not isinstance(one, SHARED):
            seen.add(id(one))
            count += 1
            found += gc.get_referents(one)
    return count


def simulated(system, hours, **conditions):
    with system.watchdog:
        simulation = Simulation(system, Conditions(hours, **conditions), 0, False, False)
        simulation.finish()
    return simulation


def work(inbox, bank, db, lock, clock, me):
    message = yield inbox.receive()
    lease = yield lock.acquire(me, ttl=5)
    for _ in range(3):
        try:
            yield bank.call("charge")
            break
        except Unavailable:
            yield clock.sleep(1)
    yield db.write("last", message.body)
    yield lock.release(lease)
    yield inbox.ack(message)


def ask(bank, clock):
    while True:
        yield bank.call("ping")
        yield clock.sleep(1)


PRODUCTION = {
    "arrivals": {"inbox": 20}, "latency": {"bank": exponential(0.5), "*": 0.1}, "crashes_per_day": 2_000, "restart": 3,
    "pauses_per_day": 500, "pause": 10, "power_losses_per_day": 20, "lost_reply_chance": 0.01, "outage_chance": 0.1,
    "timeout": {"bank": 2, "db": 3},
}  # fmt: skip


def test_a_simulation_ten_times_as_long_keeps_as_much():
    scenario = Scenario(inbox=Queue(visibility_timeout=30), bank=Service(), db=Database(), lock=Lock(), clock=Clock())
    short, long = (simulated(system_of(scenario, [work, ask], {"work": 3}), hours, **PRODUCTION) for hours in (0.5, 5))
    assert long.run.counts["crashes"] > 8 * short.run.counts["crashes"] > 200
    assert kept_by(long) < kept_by(short) + 100


def test_of_a_finished_task_a_run_keeps_one_number():
    run = Scenario(inbox=Queue(), bank=Service(), db=Database(), lock=Lock(), clock=Clock()).simulate(
        work, hours=1, arrivals=10, latency=0.1
    )
    assert len(run.latencies) == run.completed == 359
    assert run.requests == run.answered == {} and run.trace is None


@pytest.mark.parametrize("hours", [1, 2])
def test_of_a_server_it_keeps_two_numbers_a_second(hours):
    run = Scenario(bank=Service(), clock=Clock()).simulate(ask, hours=hours, latency=0, capacity={"bank": 1})
    # The last request comes as the time is over.
    assert len(run.requests["bank"]) - 1 == len(run.answered["bank"]) == 3_600 * hours


def test_crashed_processes_are_let_go_of_at_once(monkeypatch):
    waiting = []
    step = simpy.Environment.step

    def counted(environment):
        step(environment)
        waiting.append(len(environment._queue))

    monkeypatch.setattr(simpy.Environment, "step", counted)
    run = Scenario(bank=Service(), clock=Clock()).simulate(ask, hours=0.5, crashes_per_day=20_000, restart=1, workers=4)
    assert run.counts["crashes"] > 1_000
    gc.collect()
    left = [one for one in gc.get_objects() if isinstance(one, types.GeneratorType) and one.gi_code is ask.__code__]
    assert [one for one in left if one.gi_frame is not None] == []
    # The end, a crash to come and a step for each worker, and the stale steps of processes that were killed.
    assert max(waiting) < 1 + 4 * 2 + 10


def test_a_property_copies_only_what_it_looks_at(monkeypatch):
    copied = []

    def fresh(value):
        copied.append(value)
        return value

    monkeypatch.setattr(shown, "fresh", fresh)

    def each_message_is_one_row(inbox, db):
        return len(db.rows) <= inbox.sent and "no such" not in db.rows and len(inbox.acked) <= len(db.rows)

    def keep(inbox, db):
        message = yield inbox.receive()
        yield db.write(message.id, message.body)
        yield inbox.ack(message)

    run = Scenario(inbox=Queue(), db=Database(), always=[each_message_is_one_row]).simulate(keep, hours=1, arrivals=10)
    assert (run.completed, run.broken, copied) == (359, None, [])


def test_a_fault_that_strikes_a_receive_does_not_list_every_message_that_was_ever_sent(monkeypatch):
    listed = []
    redeliverable = QueueState._redeliverable
    monkeypatch.setattr(QueueState, "_redeliverable", lambda state: listed.append(state) or redeliverable(state))

    def take(inbox):
        try:
            yield inbox.ack((yield inbox.receive()))
        except Unavailable:
            pass

    run = Scenario(inbox=Queue()).simulate(take, hours=1, arrivals=10, outage_chance=0.5)
    assert run.counts["outages"] > 300 and listed == []
    run = Scenario(inbox=Queue()).simulate(take, hours=1, arrivals=10, redelivery_chance=0.5)
    assert run.counts["redeliveries"] > 100 and len(listed) > 300
