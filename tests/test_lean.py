"""A run on the lean loop is the run on SimPy's clock, event for event; and a run in somebody's SimPy environment."""

from collections import Counter

import pytest
import simpy
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from simlib import Database, Lock, Queue, Scenario, Service, exponential
from simlib.errors import Mistake, WorkerHangs
from simlib.simulate import Conditions, simulate
from simlib.simulate.lean import LeanExecution
from simlib.watchdog import Watchdog
from tests.programs import (
    programs_as_data,
    programs_as_source,
    programs_that_stop,
    programs_with_times_to_live,
    programs_with_transactions,
    programs_with_webhooks,
)
from tests.test_simulated_traces import conditions_for, sometimes


def all_of(run):
    """Everything that a run tells."""
    events = [(str(one), one.at, one.nth, str(one.where), one.ended) for one in run.trace.events] if run.trace else None
    states = {name: (state.key(), state.outcome()) for name, state in run.states.items()}
    return (
        str(run), run.seconds, run.settled, dict(run.counts), run.latencies, run.first_violation, run.broken,
        run.because, run.requests, run.answered, states, events,
    )  # fmt: skip


def outcome_of(case, conditions, number, trace, until_violation, env):
    try:
        return all_of(simulate(case.system(), conditions, number, trace, until_violation, env))
    except Mistake as mistake:
        return f"{type(mistake).__name__}: {mistake}"


PROGRAMS = [
    programs_as_data, programs_as_source, programs_that_stop, programs_with_times_to_live, programs_with_transactions,
    programs_with_webhooks,
]  # fmt: skip


def mild(draw, scenario):
    """Conditions in which most steps can be lean."""
    arrivals = st.sampled_from([7, exponential(5)] + [{"inbox": 4}] * ("inbox" in scenario.resources))
    latency = [0, 1, exponential(0.5), {"db": 0, "*": exponential(2)}]
    return Conditions(
        hours=0.02, latency=draw(st.sampled_from(latency)), restart=draw(st.sampled_from([0, 3])), pause=10,
        **sometimes(
            draw, arrivals=arrivals, crashes_per_day=st.just(9_000), pauses_per_day=st.just(9_000),
            power_losses_per_day=st.just(4_000), stops_per_day=st.just(9_000),
        ),
    )  # fmt: skip


@st.composite
def conditions_of_all_kinds(draw, scenario):
    return draw(conditions_for(scenario)) if draw(st.integers(0, 3)) == 3 else mild(draw, scenario)


def test_a_run_on_the_lean_loop_is_the_run_on_simpy_s_clock(monkeypatch):
    seen = Counter()
    carry_out = LeanExecution._carry_out

    def counted(execution, worker, outcome=None):
        seen["lean" if worker.operation.is_lean else "general"] += 1
        return carry_out(execution, worker, outcome)

    monkeypatch.setattr(LeanExecution, "_carry_out", counted)

    @seed(3)
    @settings(
        max_examples=160, deadline=None, derandomize=True, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def is_the_same(data):
        case = data.draw(st.one_of(*(programs({}) for programs in PROGRAMS)))
        given = (data.draw(conditions_of_all_kinds(case.scenario)), data.draw(st.integers(0, 9)))
        kinds = (data.draw(st.booleans()), data.draw(st.booleans()))
        found = outcome_of(case, *given, *kinds, None)
        assert found == outcome_of(case, *given, *kinds, simpy.Environment())
        seen["a mistake" if isinstance(found, str) else "a run"] += 1
        if kinds[0] and not isinstance(found, str):
            seen["events"] += len(found[-1])

    is_the_same()
    assert seen["a run"] > 130 and seen["lean"] > 1_000 and seen["general"] > 500 and seen["events"] > 1_000, seen


def serve(inbox, bank, db, lock, me):
    message = yield inbox.receive()
    lease = yield lock.acquire(me, ttl=5)
    yield bank.call("charge", message.id, idempotency_key=message.id)
    yield db.write(message.id, {"paid": True})
    yield lock.release(lease)
    yield inbox.ack(message)


def once(db, bank):
    row = yield db.read("turn")
    yield db.write("turn", (row or 0) + 1)
    if row == 3:
        raise KeyError(row)
    yield bank.call("ping")


SERVERS = [
    {},
    {"capacity": {"bank": 2}, "timeout": {"bank": 3}, "stalled": {"bank": (100, 130)}, "down": {"db": (300, 330)}},
    {"capacity": {"inbox": 1, "db": 1}, "timeout": {"db": 2}, "lost_reply_chance": {"bank": 0.1}},
]


@pytest.mark.parametrize("servers", SERVERS)
@pytest.mark.parametrize("trace", [False, True])
@pytest.mark.parametrize("number", range(4))
def test_a_busy_system_is_the_same_on_both(number, trace, servers):
    scenario = Scenario(inbox=Queue(visibility_timeout=30), bank=Service(), db=Database(), lock=Lock())
    given = {
        "workers": {"serve": 3, "once": 2}, "seed": number, "hours": 0.3,
        "arrivals": {"inbox": exponential(3), "once": 9},
        "latency": {"inbox": 0, "bank": exponential(1), "*": 0.2}, "crashes_per_day": 4_000, "pauses_per_day": 2_000,
        "stops_per_day": 2_000, "power_losses_per_day": 300, "restart": exponential(2), "trace": trace,
        **servers,
    }  # fmt: skip
    on_the_loop = scenario.simulate([serve, once], **given)
    assert all_of(on_the_loop) == all_of(scenario.simulate([serve, once], **given, env=simpy.Environment()))
    assert on_the_loop.counts["steps"] > 500


# In an environment of the user's own


def take(inbox, db):
    message = yield inbox.receive()
    yield db.write(message.id, message.body)
    yield inbox.ack(message)


def test_workers_run_beside_a_simpy_process_of_the_user_s_and_share_its_clock():
    env, seen = simpy.Environment(initial_time=100), []

    def watch(env, run):
        while True:
            yield env.timeout(60)
            seen.append((env.now, len(run["db"].rows), run["inbox"].sent))

    run = Scenario(inbox=Queue(), db=Database()).simulate(
        take, hours=0.1, arrivals=25, latency=1, env=env, beside=watch
    )
    assert seen == [(160, 2, 2), (220, 4, 4), (280, 7, 7), (340, 9, 9), (400, 11, 11), (460, 14, 14)]
    assert (run.seconds, run.completed, env.now) == (360, 14, 460)


def test_a_process_that_was_there_before_takes_its_turns_and_goes_on_afterwards():
    env, ticks = simpy.Environment(), []

    def tick():
        while True:
            yield env.timeout(100)
            ticks.append(env.now)

    env.process(tick())
    env.run(until=250)
    shop = Scenario(inbox=Queue(), db=Database())
    run = shop.simulate(take, hours=0.1, arrivals=25, latency=1, env=env)
    assert all_of(run) == all_of(shop.simulate(take, hours=0.1, arrivals=25, latency=1))
    assert (ticks, env.now) == ([100, 200, 300, 400, 500, 600], 610)
    env.run(until=1_000)
    assert ticks[-1] == 900 and run.completed == 14


def test_what_is_no_environment_is_refused():
    with pytest.raises(Mistake, match="give a SimPy environment"):
        Scenario(inbox=Queue(), db=Database()).simulate(take, env=3)


# A slip is told in the same words


def forgets(db):
    db.write("x", 1)
    yield db.read("x")


def does_not_call(db):
    yield db.read


def misspells(db):
    yield db.reed("x")


def says_too_much(db):
    yield db.read("x", "y")


def stores_a_set(db):
    yield db.write("x", {1})


def yields_nothing(db):
    yield db.read("x")
    yield


def answers_itself(db):
    row = db.read("x")
    yield db.write("x", row + 1)


def hands_back_what_is_not_its_own(inbox):
    yield inbox.ack("inbox-1")


@pytest.mark.parametrize(
    "worker",
    [
        forgets, does_not_call, misspells, says_too_much, stores_a_set, yields_nothing, answers_itself,
        hands_back_what_is_not_its_own,
    ],
)  # fmt: skip
def test_a_slip_is_told_in_the_same_words_on_both(worker):
    told = []
    for env in (None, simpy.Environment()):
        with pytest.raises(Mistake) as caught:
            Scenario(db=Database(), inbox=Queue()).simulate(worker, env=env)
        told.append((type(caught.value), str(caught.value)))
    assert told[0] == told[1] and worker.__name__ in told[0][1]


def test_a_loop_without_a_step_is_stopped_on_the_lean_loop(monkeypatch):
    def endless(db):
        yield db.read("x")
        while True:
            pass

    monkeypatch.setattr(Watchdog, "patience", 0.05)
    with pytest.raises(WorkerHangs, match="endless, line"):
        Scenario(db=Database()).simulate(endless)
