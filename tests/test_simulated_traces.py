"""A simulated trace, read again event by event, gives the states that the run had; arrivals and time included."""

import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from simlib import Clock, Database, Queue, Scenario, Service, exponential, lanes
from simlib.errors import Mistake
from simlib.simulate import Conditions, simulate
from simlib.simulate.recorder import Recorder
from tests.programs import programs_as_data, programs_with_clocks, programs_with_transactions


def serve(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge")
    yield inbox.ack(message)


def write(db):
    yield db.write("x", 1)


def shop():
    return Scenario(inbox=Queue(), bank=Service())


# Random programs


def keys(states):
    return {name: state.key() for name, state in states.items()}


@pytest.fixture
def snapshots(monkeypatch):
    """What the resources were like in the run, after each event."""
    taken = []

    def watched(write_down):
        def writes_down(recorder, *args, **kwargs):
            write_down(recorder, *args, **kwargs)
            taken.append(keys(recorder.run.states))

        return writes_down

    for name in ("event", "step"):
        monkeypatch.setattr(Recorder, name, watched(getattr(Recorder, name)))
    return taken


def sometimes(draw, **conditions):
    return {name: draw(value) for name, value in conditions.items() if draw(st.booleans())}


@st.composite
def conditions_for(draw, scenario):
    a_resource = st.sampled_from(sorted(scenario.resources))
    given = {"hours": 0.02, "latency": draw(st.sampled_from([1, exponential(0.5), {"db": 0, "*": exponential(2)}]))}
    arrivals = [7, exponential(5)] + [{"inbox": 4}] * ("inbox" in scenario.resources)
    given |= sometimes(
        draw, arrivals=st.sampled_from(arrivals), crashes_per_day=st.just(9_000), pauses_per_day=st.just(9_000),
        power_losses_per_day=st.just(4_000),
        lost_reply_chance=st.just(0.1), outage_chance=st.just(0.1), redelivery_chance=st.just(0.2),
        disk_full_chance=st.just(0.2), rejection_chance=st.just(0.1),
    )  # fmt: skip
    given |= {"restart": draw(st.sampled_from([0, 3])), "pause": draw(st.sampled_from([4, exponential(20)]))}
    if draw(st.booleans()):
        given["timeout"] = {draw(a_resource): draw(st.sampled_from([0.5, 2]))}
    if draw(st.booleans()):
        given["down"] = {draw(a_resource): (5, 20)}
    if draw(st.booleans()):
        name = draw(a_resource)
        given |= {"capacity": {name: 1}, "stalled": draw(st.sampled_from([{}, {name: (10, 30)}]))}
    return Conditions(**given)


def test_a_trace_that_is_read_again_has_the_states_of_the_run(snapshots):
    seen = Counter()

    @seed(1)
    @settings(
        max_examples=250, deadline=None, derandomize=True, database=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def reads_the_same(data):
        case = data.draw(st.one_of(programs_with_clocks({}), programs_as_data({}), programs_with_transactions({})))
        conditions = data.draw(conditions_for(case.scenario))
        snapshots.clear()
        try:
            run = simulate(case.system(), conditions, data.draw(st.integers(0, 9)), True, False)
        except Mistake:
            return  # it goes on and on without any time passing, or has several queues
        states = {name: state.copy() for name, state in run.trace.initial.items()}
        assert len(snapshots) == len(run.trace.events)
        for event, found in zip(run.trace.events, snapshots):
            event.apply(states)
            assert keys(states) == found, f"{event}\n{run.trace}"
            seen[event.op.verb if event.op else event.kind] += 1
            seen["lost reply"] += event.move.fault == "lost_replies"
            if event.op and event.op.verb == "now" and event.answer is not None and not event.move.fault:
                assert event.answer == states["clock"].seconds == event.at
        assert keys(states) == keys(run.states)
        seen["programs"] += 1
        seen["servers"] += bool(conditions.capacity)

    reads_the_same()
    assert seen["programs"] >= 200 and seen["servers"] >= 50
    kinds = ("arrival", "timer", "crash", "power loss", "lost reply", "sleep", "now", "receive", "acquire", "read")
    assert min(seen[kind] for kind in kinds) >= 20, seen


# How arrivals are shown


def test_the_arrival_of_a_message_is_a_line_of_the_trace():
    run = shop().simulate(serve, hours=0.03, latency=1, arrivals=50, trace=True)
    first, second, *_ = [event for event in run.trace.events if event.kind == "arrival"]
    assert (first.at, first.answer.id, second.at) == (50, "inbox-1", 100)
    assert [re.sub(r"line \d+", "line N", line) for line in str(run.trace).splitlines()[1:3]] == [
        '   50 s  inbox           inbox-1 "task-1" arrives             inbox: 1 ready',
        '   50 s  A      line N  inbox.receive() -> inbox-1 "task-1"  inbox: 1 in flight',
    ]
    assert (run.trace["inbox"].sent, run.trace["bank"].count("charge")) == (2, 2)


def test_a_picture_has_the_arrival_of_a_message_on_the_queue_s_lane():
    shown = repr(lanes(shop().simulate(serve, hours=0.03, latency=1, arrivals=50, trace=True).trace))
    assert 'inbox-2 "task-2" arrives' in shown


def test_a_task_that_arrives_for_a_worker_is_a_line_of_the_trace_also_when_it_is_refused():
    run = Scenario(db=Database()).simulate(write, hours=0.01, latency=15, arrivals={"write": 10}, trace=True)
    assert re.sub(r"line \d+", "line N", str(run.trace)) == (
        "A runs write.\n"
        "  10 s  A           a task for write arrives\n"
        "  20 s              a task for write arrives and is refused: all are busy\n"
        '  25 s  A  line N  db.write("x", 1) -> None                               db: x = 1\n'
        "  30 s  A           a task for write arrives"
    )
    assert lanes(run.trace)


def test_a_trace_with_arrivals_can_be_replayed_where_nothing_arrives():
    trace = shop().simulate(serve, hours=0.03, arrivals=50, trace=True).trace
    again = shop().replay(serve, trace)
    assert again.parted == 0 and not again.events


def test_a_clock_in_a_trace_shows_the_time_that_a_worker_was_told():
    def watch(clock, db):
        yield db.write("began", 0)
        yield clock.sleep(5)
        yield db.write("now", (yield clock.now()))

    run = Scenario(clock=Clock(), db=Database()).simulate(watch, latency=1, trace=True)
    times = [world["clock"].seconds for world in run.trace.worlds()]
    assert times == [event.at for event in run.trace.events] == [1, 7, 8, 9]
    assert run["db"]["now"] == 8
    assert str(run.trace).splitlines()[1].endswith("db: began = 0")
    assert str(run.trace).splitlines()[2].endswith("clock: 7 s")
