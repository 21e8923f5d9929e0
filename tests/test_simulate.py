"""The measurer, on SimPy's clock."""

import statistics
import subprocess
import sys

import pytest
import simpy

from simlib import Clock, Database, Disk, Lock, OutcomeUnknown, Queue, Random, Rejected, Scenario, Service, Unavailable
from simlib.errors import Mistake
from simlib.model.system import outcome_of
from simlib.resources import AdvisoryLock
from simlib.simulate import exponential


def charge(inbox, bank, db):
    message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def shop(**more):
    return Scenario(inbox=Queue(["order-1"], visibility_timeout=30), bank=Service(), db=Database(), workers=2, **more)


def at_most_once(bank):
    return bank.count("charge") <= 1


def test_every_outcome_of_1000_seeds_is_one_that_explore_can_reach():
    runs = [shop().simulate(charge, seed=seed, crashes_per_day=300_000, restart=0.1) for seed in range(1000)]
    crashes = max(run.counts["crashes"] for run in runs)
    reachable = shop().explore(charge, crashes=crashes).outcomes
    assert crashes >= 3
    assert all(run.settled and run.outcome in reachable for run in runs)
    assert len({run.outcome for run in runs}) >= 3  # the crashes did strike, in different places


def test_every_outcome_under_pauses_is_one_that_explore_can_reach():
    runs = [
        shop().simulate(charge, seed=seed, latency=10, pauses_per_day=3_000, pause=100, hours=2) for seed in range(200)
    ]
    pauses = max(run.counts["pauses"] for run in runs)
    reachable = shop().explore(charge, pauses=min(pauses + 1, 6)).outcomes
    assert {run.outcome for run in runs if run.settled} <= reachable
    assert len({run.outcome for run in runs}) >= 2


def test_the_same_seed_gives_the_same_run_in_another_process_with_another_hash_seed():
    program = (
        "from tests.test_simulate import *; run = shop().simulate(charge, seed=5, crashes_per_day=200_000, trace=True);"
        "print(run); print(run.trace)"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(prints) == 1


def test_different_seeds_give_different_runs():
    latencies = {shop().simulate(charge, seed=seed, latency=exponential(1)).seconds for seed in range(5)}
    assert len(latencies) == 5


def test_a_step_takes_its_latency_and_a_run_the_sum():
    run = shop().simulate(charge, latency={"bank.call": 0.5, "inbox": 0.25, "*": 1})
    assert run.latencies == [0.25 + 0.5 + 1 + 0.25]
    assert (run.completed, run.counts["steps"], run.settled) == (1, 4, True)


def test_a_message_that_is_not_acknowledged_comes_back_after_its_timeout():
    def ignore_once(inbox, db):
        message = yield inbox.receive()
        if message.deliveries == 2:
            yield inbox.ack(message)

    run = Scenario(inbox=Queue(["x"], visibility_timeout=30), db=Database()).simulate(
        ignore_once, latency=1, trace=True
    )
    received = [event.at for event in run.trace.events if event.op and event.op.verb == "receive"]
    assert received == [1, 31]


def test_a_lease_runs_out_under_a_paused_holder_and_the_next_one_gets_it():
    def work(lock, clock):
        lease = yield lock.acquire(ttl=10)
        yield clock.sleep(25)
        yield lock.release(lease)

    run = Scenario(lock=Lock(), clock=Clock(), workers=2).simulate(work, latency=1, trace=True)
    acquired = [(event.worker, event.at) for event in run.trace.events if event.op and event.op.verb == "acquire"]
    released = [event.answer for event in run.trace.events if event.op and event.op.verb == "release"]
    assert acquired == [("A", 1), ("B", 11)]
    assert released == [False, False]


def test_a_lease_that_is_renewed_in_time_runs_out_only_after_that():
    def work(lock, clock):
        lease = yield lock.acquire(ttl=10)
        yield clock.sleep(7)
        yield lock.renew(lease, ttl=10)
        yield clock.sleep(25)
        yield lock.release(lease)

    run = Scenario(lock=Lock(), clock=Clock(), workers=2).simulate(work, latency=1, trace=True)
    acquired = [(event.worker, event.at) for event in run.trace.events if event.op and event.op.verb == "acquire"]
    assert acquired == [("A", 1), ("B", 20)]  # it was renewed at 10


def test_the_clock_shows_simulated_time():
    def watch(clock, db):
        before = yield clock.now()
        yield clock.sleep(5)
        after = yield clock.now()
        yield db.write("took", after - before)

    assert Scenario(clock=Clock(), db=Database()).simulate(watch, latency=1)["db"]["took"] == 7


def test_what_is_not_true_before_anything_happens_breaks_at_second_0():
    def empty(db):
        return db["x"] is None

    def look(db):
        yield db.read("x")

    run = Scenario(db=Database({"x": 1}), always=[empty]).simulate(look, latency=1)
    assert (run.first_violation, run.broken) == (0, "empty")


def test_each_process_of_a_worker_has_a_name_of_its_own_and_its_steps_begin_at_the_first():
    def sign(db, me, clock):
        yield db.write(me, "was here")
        yield clock.sleep(5)

    scenario = Scenario(db=Database(), clock=Clock())
    run = scenario.simulate(sign, seed=3, latency=1, crashes_per_day=40_000, restart=1, trace=True)
    assert run.counts["crashes"] >= 2
    assert {*run["db"].rows} == {f"A.{process + 1}" for process in range(run.counts["crashes"] + 1)}
    assert {event.nth for event in run.trace.events if event.op} == {1}


def test_a_crashed_process_releases_nothing():
    def hold(lock, db):
        lease = yield lock.acquire()
        try:
            yield db.write("x", 1)
            yield db.write("y", 1)
        finally:
            yield lock.release(lease)

    scenario = Scenario(lock=Lock(), db=Database())
    runs = [scenario.simulate(hold, seed=seed, latency=1, crashes_per_day=40_000, hours=0.1) for seed in range(20)]
    crashed = [run for run in runs if run.counts["crashes"]]
    assert crashed
    assert all(run["lock"].holder is not None for run in crashed)  # held by a process that is no more


def test_throughput_of_one_worker_is_one_task_each_service_time():
    run = Scenario(inbox=Queue(visibility_timeout=None), bank=Service(), db=Database()).simulate(
        charge, hours=1, arrivals=1, latency={"bank": 1, "*": 0.5}
    )
    assert run.throughput == pytest.approx(3600 / 2.5, rel=0.01)


def test_an_m_m_1_queue_waits_as_long_as_the_formula_says():
    def serve(inbox, desk):
        message = yield inbox.receive()
        yield desk.call("serve")
        yield inbox.ack(message)

    run = Scenario(inbox=Queue(visibility_timeout=None), desk=Service()).simulate(
        serve, seed=1, hours=20, arrivals=exponential(10), latency={"desk": exponential(5), "*": 0}
    )
    assert statistics.fmean(run.latencies) == pytest.approx(1 / (1 / 5 - 1 / 10), rel=0.1)


def test_chances_of_faults_come_out_as_given():
    def call(inbox, bank):
        message = yield inbox.receive()
        try:
            yield bank.call("charge")
        except (Unavailable, OutcomeUnknown, Rejected):
            pass
        yield inbox.ack(message)

    run = Scenario(inbox=Queue(visibility_timeout=None), bank=Service()).simulate(
        call, seed=3, hours=1, arrivals=1, latency=0.001, outage_chance=0.2
    )
    assert run.counts["outages"] / run.counts["steps"] == pytest.approx(0.2, abs=0.02)


def test_a_random_draw_is_seeded_and_uniform():
    def draw(inbox, random, db):
        message = yield inbox.receive()
        key = yield random.choice(["heads", "tails"])
        yield db.write(key, ((yield db.read(key)) or 0) + 1)
        yield inbox.ack(message)

    run = Scenario(inbox=Queue(visibility_timeout=None), random=Random(), db=Database()).simulate(
        draw, hours=1, arrivals=1
    )
    assert run["db"]["heads"] == pytest.approx(1800, abs=120)


def test_the_first_violation_is_timed_and_explained():
    run = shop(always=[at_most_once]).simulate(charge, seed=1, latency=20)
    # Two steps of 20 s: the message comes back after 30, while its first worker is still at it.
    assert (run.broken, run.first_violation) == ("at_most_once", 70.0)
    assert run.because == 'expected bank.count("charge") <= 1, found that bank.count("charge") is 2'


def test_interrupting_keeps_what_is_known():
    def stop(bank):
        if bank.count("charge") >= 3:
            raise KeyboardInterrupt
        return True

    scenario = Scenario(inbox=Queue(), bank=Service(), db=Database(), always=[stop])
    run = scenario.simulate(charge, hours=1, arrivals=10, latency=0.1)
    assert run.interrupted
    assert (run.completed, run["bank"].count("charge")) == (2, 3)


def test_a_loop_in_which_no_time_passes_is_named():
    def spin(db):
        while True:
            yield db.read("x")

    with pytest.raises(Mistake, match="20,000 steps and no time has passed"):
        Scenario(db=Database()).simulate(spin, latency=0)


def test_the_trace_is_the_same_record_that_explore_writes():
    run = shop().simulate(charge, trace=True)
    *_, last = run.trace.worlds()
    assert outcome_of(last) == run.outcome
    assert run.trace["bank"].count("charge") == 1


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"crash": 1}, "`crash` is nothing that simulate takes. "
            "That is a count, for explore. simulate takes a rate: crashes_per_day=10."),
        ({"outage_chance": 2}, "outage_chance=2: give a number from 0 to 1."),
        ({"hours": 0}, "hours=0: give a number above 0."),
        ({"latency": -1}, "-1 is no duration: give seconds, 0 or more, or a function of a random.Random."),
        ({"arrivals": {"outbox": 1}}, "arrivals for outbox: they can be for inbox."),
        ({"crashes_per_day": -1}, "crashes_per_day=-1: give a number from 0 on."),
        ({"restart": -1}, "-1 is no duration: give seconds, 0 or more, or a function of a random.Random."),
        (
            {"latency": {"bnak": 1}},
            "latency of `bnak`: there are inbox, bank, db and *, and steps such as `bank.call`. Did you mean `bank`?",
        ),
    ],
)  # fmt: skip
def test_wrong_conditions_are_explained(wrong, message):
    with pytest.raises(Mistake) as caught:
        shop().simulate(charge, **wrong)
    assert str(caught.value) == message


def test_a_power_loss_ends_every_process_and_takes_what_was_not_synced():
    def writes(disk, clock):
        yield disk.write("state", "new")
        yield clock.sleep(3_600)
        yield disk.fsync("state")

    scenario = Scenario(disk=Disk({"state": "old"}), clock=Clock())
    run = scenario.simulate(writes, seed=3, hours=6, workers=2, power_losses_per_day=24, trace=True)
    events = run.trace.events
    losses = [place for place, event in enumerate(events) if event.kind == "power loss"]
    assert run.counts["power_losses"] == len(losses) > 1
    assert last_step(events[: losses[0]], "A") in ("disk.write", "clock.sleep")  # it is in the middle of it
    for place in losses:
        running = {worker for worker in "AB" if last_step(events[:place], worker) not in (None, "disk.fsync")}
        for worker in running:  # it begins again
            assert next(event.op.name for event in events[place:] if event.worker == worker) == "disk.write"
    assert run["disk"].contents("state") in {"old", "new", "n", ""}


def last_step(events, worker):
    steps = [event.op.name for event in events if event.worker == worker]
    return steps[-1] if steps else None


# The order of what happens at one moment


def steps_of(run):
    return [(event.at, event.worker, str(event.op), str(event.answer)) for event in run.trace.events]


@pytest.mark.parametrize("seed", range(10))
def test_a_step_that_takes_no_time_has_its_turn_as_if_it_had_waited_in_simpy_s_heap(seed, monkeypatch):
    def runs():
        mixed = shop().simulate(
            charge, seed=seed, hours=0.2, arrivals=5, workers=3, latency={"inbox": 0, "bank": exponential(3), "db": 0},
            crashes_per_day=5_000, restart=0, pauses_per_day=2_000, pause=10, trace=True,
        )  # fmt: skip
        return steps_of(mixed), steps_of(shop().simulate(charge, seed=seed, latency=0, trace=True))

    past_the_heap = runs()
    monkeypatch.setattr(simpy.Environment, "peek", lambda environment: 0.0)  # something else is due first, it says
    assert past_the_heap == runs()
    assert len(past_the_heap[0]) > 300


def test_the_last_message_that_is_sent_is_received():
    def send(inbox):
        for number in range(3):
            yield inbox.send(number)

    def keep(inbox, db):
        message = yield inbox.receive()
        yield db.write(message.body, "kept")
        yield inbox.ack(message)

    run = Scenario(inbox=Queue(visibility_timeout=None), db=Database()).simulate(
        [send, keep], latency={"inbox.send": 10, "*": 1}
    )
    assert (run.settled, sorted(run["db"].rows), run["inbox"].ready) == (True, [0, 1, 2], [])


def test_who_waits_for_a_lock_and_has_lost_a_reply_waits_once():
    def hold(lock, clock):
        lease = yield lock.try_acquire()
        yield clock.sleep(20)
        yield lock.release(lease)

    def wait(lock, db):
        try:
            yield lock.acquire()
        except OutcomeUnknown:
            pass
        yield db.write("waited", True)

    run = Scenario(lock=Lock(), db=Database(), clock=Clock()).simulate(
        [hold, wait], trace=True, timeout={"lock.acquire": 2},
        latency={"lock.acquire": 3, "lock": 1, "db": 10, "clock": 0},
    )  # fmt: skip
    assert [(event.at, event.op.name) for event in run.trace.events] == [
        (1, "lock.try_acquire"), (21, "clock.sleep"), (22, "lock.release"), (22, "lock.acquire"), (32, "db.write"),
    ]  # fmt: skip


# What befalls them


def test_a_power_loss_takes_what_was_not_synced_and_is_seen_at_once():
    def save(disk, clock):
        yield disk.write("total", "20")
        yield clock.sleep(1_000)

    def save_durably(disk, clock):
        yield disk.write("total.tmp", "20")
        yield disk.fsync("total.tmp")
        yield disk.rename("total.tmp", "total")
        yield disk.fsync_directory()
        yield clock.sleep(1_000)

    def whole(disk):
        return disk.contents("total") in (None, "20")

    def broken(worker):
        scenario = Scenario(disk=Disk(), clock=Clock(), always=[whole])
        runs = [
            scenario.simulate(worker, seed=seed, latency=1, power_losses_per_day=700, until_violation=True, trace=True)
            for seed in range(20)
        ]
        assert min(run.counts["power_losses"] for run in runs) > 0
        return [run for run in runs if run.broken]

    lost = broken(save)
    assert lost and not broken(save_durably)
    for run in lost:
        assert (run.trace.events[-1].kind, run.trace.events[-1].at) == ("power loss", run.first_violation)


def test_who_frees_a_lock_of_his_former_process_frees_what_is_not_his():
    def tidy(lock, clock):
        if (yield lock.read()) is not None:
            yield lock.delete()
        yield lock.acquire()
        yield clock.sleep(5)

    scenario = Scenario(lock=Lock(), clock=Clock())
    runs = [scenario.simulate(tidy, seed=seed, latency=1, crashes_per_day=10_000, hours=0.1) for seed in range(10)]
    assert max(run.counts["crashes"] for run in runs) >= 2
    assert all(run["lock"].freed_by_others == run["lock"].token - 1 for run in runs)


def test_a_run_is_settled_when_its_last_timer_has_run_out():
    def leave(lock):
        yield lock.acquire(ttl=10)

    run = Scenario(lock=Lock()).simulate(leave, latency=1)
    assert (run.settled, run.seconds, run["lock"].holder) == (True, 11, None)


def test_each_reply_that_was_not_waited_for_is_counted_and_no_other():
    def ask(bank, db):
        for number in range(200):
            try:
                yield bank.call("charge", number)
                yield db.write(number, "known")
            except OutcomeUnknown:
                pass

    scenario = Scenario(bank=Service(), db=Database())
    latency = {"bank": exponential(1), "db": 0.1}
    run = scenario.simulate(ask, latency=latency, timeout={"bank": 2}, capacity={"bank": 1}, trace=True)
    unknown = sum(isinstance(event.answer, OutcomeUnknown) for event in run.trace.events)
    assert run.counts["lost_replies"] == unknown == 200 - len(run["db"].rows) > 10


def test_who_waits_for_a_lock_is_in_no_request_that_could_time_out():
    def hold(lock, clock):
        lease = yield lock.acquire()
        yield clock.sleep(50)
        yield lock.release(lease)

    scenario = Scenario(lock=Lock(), clock=Clock(), workers=2)
    run = scenario.simulate(hold, latency=1, timeout={"lock": 5}, capacity={"lock": 9})
    assert (run.completed, run.counts["lost_replies"]) == (2, 0)


def test_a_task_for_one_role_is_given_to_no_other():
    def pack(db, me):
        yield db.write(("pack", me), 1)

    def label(db, me):
        yield db.write(("label", me), 1)

    arrivals = {"pack": 10, "label": 10_000}
    run = Scenario(db=Database()).simulate([label, pack], workers={"label": 2, "pack": 2}, latency=1, arrivals=arrivals)
    assert run.completed > 300
    assert {what for what, _ in run["db"].rows} == {"pack"}


def test_the_quantiles_of_latencies_reach_from_the_least_to_the_largest():
    run = Scenario(inbox=Queue([1, 2, 3, 4])).simulate(take_one, latency=exponential(1), hours=1)
    assert (run.latency(0), run.latency(1)) == (min(run.latencies), max(run.latencies))
    assert run.latency(0) <= run.latency(0.5) <= run.latency(1)


def take_one(inbox):
    message = yield inbox.receive()
    yield inbox.ack(message)


@pytest.mark.parametrize(
    "faults", [{}, {"crashes_per_day": 20_000}, {"power_losses_per_day": 20_000}, {"outage_chance": 0.2}]
)
def test_whoever_waits_for_a_sessions_lock_gets_it_when_the_session_ends(faults):
    def keep(lock, db):
        yield lock.acquire()
        yield db.write("n", ((yield db.read("n")) or 0) + 1)  # and it returns without a release

    found = Scenario(lock=AdvisoryLock(), db=Database()).simulate(
        keep, workers=4, latency=1, restart=1, seed=1, hours=1, **faults
    )
    assert (found.settled, found["lock"].holder) == (True, None)
    assert found.completed == 4


def test_a_role_that_is_not_started_again_leaves_no_sessions_lock_behind():
    def keep(lock, clock):
        yield lock.acquire()
        yield clock.sleep(10_000)

    found = Scenario(lock=AdvisoryLock(), clock=Clock(), restarts=False).simulate(
        keep, workers=3, seed=1, hours=24, crashes_per_day=100, trace=True
    )
    acquired = [event for event in found.trace.events if event.op and event.op.verb == "acquire"]
    assert (found.settled, len(acquired), found["lock"].holder) == (True, 3, None)
