"""Locks that end with a process, for real: flock on a file, and PostgreSQL's advisory locks."""

import copy
import random

import pytest

from simlib import Database, OutcomeUnknown, Queue, Scenario, Unavailable
from simlib.errors import OperationError
from simlib.live import Chaos, Processes, run
from simlib.live.stores import stores_for
from simlib.live.stores.base import Tampered
from simlib.live.stores.facts import expected
from simlib.model.operation import OK, Blocked, Op
from simlib.model.values import freeze
from simlib.resources import AdvisoryLock
from simlib.scenario import system_of
from simlib.schedule.budget import Budget
from simlib.schedule.token import Point, points

WHERE = ["a file", "postgresql"]
KINDS = ("crashes", "node_losses", "power_losses", "lost_replies", "outages")


def count(lock, db):
    yield lock.acquire()
    n = yield db.read("n")
    yield db.write("n", n + 1)
    yield lock.release()


def scenario():
    return Scenario(lock=AdvisoryLock(), db=Database({"n": 0}))


@pytest.fixture(scope="module", params=WHERE)
def really(request):
    """Plays a schedule of a system, with its lock on a file or on PostgreSQL."""
    on = {} if request.param == "a file" else {"lock": request.getfixturevalue("postgresql_url")}
    with Processes(system_of(scenario(), count), False, on) as processes:

        def play(system, plan=()):
            processes.system = system
            return run(system, processes, plan or [])

        yield play


def taken(worker, steps):
    """The plan in which this worker takes so many steps."""
    return [Point("step", worker) for _ in range(steps)]


def test_a_sigkill_frees_the_lock_and_nothing_else_has_to(really):
    for kind in ("crash", "node loss"):
        trace = really(system_of(scenario(), count, 2), [*taken("A", 2), Point(kind, "A"), *taken("B", 4)])
        assert trace.events[2].kind == kind
        assert [str(event.op) for event in trace.events[3:7]] == [
            "lock.acquire()", 'db.read("n")', 'db.write("n", 1)', "lock.release()",
        ]  # fmt: skip


def test_a_run_that_returns_frees_it_though_the_process_goes_on(really):
    def keep(inbox, lock):
        message = yield inbox.receive()
        yield inbox.ack(message)
        yield lock.acquire()

    system = system_of(Scenario(inbox=Queue([1, 2, 3, 4]), lock=AdvisoryLock()), keep, 2)
    trace = really(system, [*taken("A", 3), *taken("B", 3), *taken("A", 3), *taken("B", 3)])
    assert [event.ended for event in trace.events if event.op.verb == "acquire"] == ["returned"] * 4


def test_a_power_loss_frees_what_a_worker_held_that_nobody_starts_again(really):
    def keep(lock):
        yield lock.acquire()
        yield lock.try_acquire()

    system = system_of(Scenario(lock=AdvisoryLock(), restarts=False), keep, 1)
    trace = really(system, [*taken("A", 1), Point("power loss")])
    assert (trace.events[-1].kind, trace["lock"].holder) == ("power loss", None)


@pytest.mark.parametrize("seed", range(4))
def test_faults_at_random_places_leave_it_as_they_leave_the_model(seed, really):
    trace = really(system_of(scenario(), count, 3), Chaos(Budget(dict.fromkeys(KINDS, 1)), seed))
    assert trace["lock"].holder is None


@pytest.mark.parametrize("where", WHERE)
def test_any_steps_of_two_sessions_have_the_same_answers_as_in_the_model(where, tmp_path, request):
    on = {} if where == "a file" else {"it": request.getfixturevalue("postgresql_url")}
    draw, state = random.Random(1), AdvisoryLock().initial("it")
    (store,) = stores_for({"it": AdvisoryLock()}, tmp_path, False, on).values()
    store.prepare(state)
    store.close()
    sessions, observer = {who: copy.deepcopy(store) for who in "AB"}, copy.deepcopy(store)
    try:
        for _ in range(120):
            who = draw.choice("AB")
            if draw.random() < 0.1:
                state.owner_gone(who)
                sessions[who].end_run()
            op = Op("it", draw.choice(["acquire", "try_acquire", "release"]))
            way = draw.choice([OK, OK, OK, *state.outcomes(op)])
            assert freeze(answer(sessions[who], op, who, way)) == freeze(answer(state, op, who, way)), op
            assert observer.facts() == expected(state)
    finally:
        for one in (*sessions.values(), observer):
            one.close()
        store.drop()


def answer(thing, *step):
    try:
        return thing.perform(*step)
    except OperationError as error:
        return error
    except Blocked:
        return "it has to wait"


def test_a_cut_connection_is_noticed_by_its_worker_and_frees_the_lock_at_once(really):
    def cut(lock, db):
        yield lock.acquire()
        try:
            yield lock.acquire()
        except (OutcomeUnknown, Unavailable):
            yield db.write("still mine", (yield lock.release()))

    for fault in ("lost_replies", "outages"):
        report = Scenario(lock=AdvisoryLock(), db=Database(), always=[nobody_says]).explore(cut, **{fault: 1})
        trace = really(system_of(Scenario(lock=AdvisoryLock(), db=Database()), cut), points(report.counterexample))
        assert trace["db"]["still mine"] is False


def nobody_says(db):
    return "still mine" not in db


def test_a_name_in_the_file_that_the_run_did_not_write_there_is_somebody_elses(tmp_path):
    (store,) = stores_for({"lock": AdvisoryLock()}, tmp_path, False).values()
    store.prepare(None)
    store.perform(Op("lock", "acquire"), "A")
    store.path.write_text("B")
    with pytest.raises(Tampered, match="somebody else has changed it"):
        copy.deepcopy(store).facts()
    store.close()
