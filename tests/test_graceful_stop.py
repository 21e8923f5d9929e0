"""A worker that is told to stop (SIGTERM): it may finish or hand back, and then its process ends."""

import pytest

from simlib import Clock, Database, Lock, Queue, Scenario, Terminated, Unavailable, lanes
from simlib.errors import Mistake
from simlib.scenario import system_of
from simlib.views.svg import svg_of
from tests.agreement import compare_many
from tests.programs import programs_that_stop


def jobs(timeout=None):
    return Queue(["job"], visibility_timeout=timeout)


def nothing_is_left_active(jobs):
    return not jobs.in_flight and not jobs.ready


def done_once(db):
    return db["done"] in (None, 1)


def shop(**things):
    resources = {"jobs": jobs(), "db": Database()}
    return Scenario(**{**resources, **things}, always=[done_once], eventually=[nothing_is_left_active])


# taskforcesh/bullmq #1479, #3349: a worker that is closed after it has fetched a job returns without having run it


def closes_after_the_fetch(jobs, db):
    job = yield jobs.receive()
    try:
        yield db.transaction(db.write("done", 1))
        yield jobs.ack(job)
    except Terminated:
        return


def runs_what_it_has_fetched(jobs, db):
    job, closing = (yield jobs.receive()), False
    while not closing:
        try:
            yield db.transaction(db.write("done", 1))
            yield jobs.ack(job)
            return
        except Terminated:
            closing = True
    yield db.transaction(db.write("done", 1))
    yield jobs.ack(job)


def hands_back(jobs, db):
    job = yield jobs.receive()
    try:
        yield db.write("done", 1)
        yield jobs.ack(job)
    except Terminated:
        yield jobs.nack(job)
        raise


def careless(jobs, db):
    job = yield jobs.receive()
    yield db.write("done", 1)
    yield jobs.ack(job)


def test_closing_after_the_fetch_leaves_a_job_active():
    report = shop().explore(closes_after_the_fetch, stops=1)
    assert (report.verdict, report.claim) == ("violated", "nothing_is_left_active")
    assert report.counterexample.describe_faults() == "1 stop"
    assert report.counterexample.failure == ["A is told to stop after its first jobs.receive"]
    assert report.counterexample.final["jobs"].summary() == "1 in flight"


@pytest.mark.parametrize("worker", [runs_what_it_has_fetched, hands_back])
def test_running_it_or_handing_it_back_holds(worker):
    assert shop().explore(worker, stops=1).verdict == "holds"
    assert shop(jobs=jobs(30)).explore(worker, workers=2, stops=1, crashes=1).verdict == "holds"


def test_while_it_stops_it_can_crash():
    report = shop().explore(hands_back, stops=1, crashes=1)
    assert report.claim == "nothing_is_left_active"
    assert report.counterexample.faults == ["crash"]
    trace = shop().attack(hands_back, "A", "stop A", "crash A")
    assert [event.kind for event in trace.events] == ["step", "stop", "crash"]
    assert trace.broken == "nothing_is_left_active"


def test_a_stop_that_is_not_caught_ends_the_process_and_a_new_one_starts():
    trace = shop(jobs=jobs(30)).attack(careless, "A 2", "stop A")
    stop = trace.events[2]
    assert stop.story() == "SIGTERM: it is asked to stop, and it ends"
    assert [str(event.op) for event in trace.events[4:]] == [
        "jobs.receive()", 'db.write("done", 1)', 'jobs.ack(jobs-1 "job", delivery 2)',
    ]  # fmt: skip
    assert trace.broken is None


# What happens in the run


def test_the_step_at_which_it_is_told_is_not_sent():
    trace = shop().attack(closes_after_the_fetch, "A", "stop A")
    assert trace["db"]["done"] is None


def test_finally_blocks_happen_in_a_stop_and_not_in_a_crash():
    def locked(lock, db):
        lease = yield lock.acquire("mine")
        try:
            yield db.write("done", 1)
        finally:
            yield lock.release(lease)

    def free(lock):
        return lock.holder is None

    scenario = Scenario(lock=Lock(), db=Database(), eventually=[free], restarts=False)
    assert scenario.attack(locked, "A", "crash A").broken == "free"
    trace = scenario.attack(locked, "A", "stop A")
    assert trace.broken is None
    assert trace.events[-1].story().endswith("-> True, and it ends")


def test_a_stop_at_the_step_of_a_finally_block_takes_its_place():
    """So it is with a signal's handler that raises: the block is left in the middle."""

    def locked(lock):
        lease = yield lock.acquire("mine")
        try:
            yield lock.read()
        finally:
            yield lock.release(lease)

    def free(lock):
        return lock.holder is None

    scenario = Scenario(lock=Lock(), eventually=[free], restarts=False)
    report = scenario.explore(locked, stops=1)
    assert report.counterexample.failure == ["A is told to stop after its first lock.read"]


def test_an_exception_handler_does_not_swallow_it():
    def retries(db):
        for _ in range(2):
            try:
                yield db.write("done", 1)
                return
            except Exception:
                yield db.write("swallowed", True)

    def never_swallowed(db):
        return not db["swallowed"]

    assert Scenario(db=Database(), always=[never_swallowed]).explore(retries, stops=1).verdict == "holds"


def test_exit_is_a_way_to_stop_and_an_error_of_its_own_without():
    def exits(db):
        try:
            yield db.write("done", 1)
        except Terminated:
            raise SystemExit(0) from None

    def exits_anyway(db):
        yield db.write("done", 1)
        raise SystemExit(0)

    scenario = Scenario(db=Database())
    assert scenario.explore(exits, stops=1).verdict == "holds"
    assert scenario.explore(exits_anyway, stops=1).claim == "error"


def test_nobody_stops_itself_with_it():
    def gives_up(db):
        yield db.write("done", 1)
        raise Terminated

    with pytest.raises(Mistake, match=r"gives_up, line \d+: nobody told the worker to stop"):
        Scenario(db=Database()).explore(gives_up, stops=1)


def test_it_is_told_once_in_a_run():
    def stubborn(db):
        for n in range(3):
            try:
                yield db.write("n", n)
            except Terminated:
                yield db.write("told", (yield db.read("told")) or 0 + 1)

    def told_once(db):
        return db["told"] in (None, 1)

    scenario = Scenario(db=Database(), always=[told_once])
    assert scenario.explore(stubborn, stops=3).verdict == "holds"
    with pytest.raises(Mistake, match="A has been told to already"):
        scenario.attack(stubborn, "A", "stop A", "stop A")
    with pytest.raises(Mistake, match="A has no process that could end"):
        scenario.attack(stubborn, "A 3", "stop A")


def test_a_failed_step_while_it_stops_ends_it_like_any_other_run():
    def hands_back_once(jobs, db):
        job = yield jobs.receive()
        try:
            yield db.write("done", 1)
            yield jobs.ack(job)
        except Terminated:
            yield jobs.nack(job)

    trace = shop().attack(hands_back_once, "A", "stop A", "A: outage")
    assert isinstance(trace.events[2].error, Unavailable)
    assert trace.broken == "nothing_is_left_active"


def test_a_sleep_is_cut_short():
    def naps(clock, db):
        try:
            yield clock.sleep(40)
        except Terminated:
            yield db.write("woken", (yield clock.now()))

    def at_once(db):
        return db["woken"] in (None, 0)

    scenario = Scenario(clock=Clock(), db=Database(), always=[at_once])
    assert scenario.explore(naps, stops=1).verdict == "holds"


# What follows


def test_a_task_that_was_finished_is_done_and_one_that_was_not_starts_again():
    def counted(db):
        try:
            yield db.write("n", ((yield db.read("n")) or 0) + 1)
        except Terminated:
            yield db.write("n", ((yield db.read("n")) or 0) + 1)

    def once(db):
        return db["n"] == 1

    def not_done(db):
        yield db.write("n", 1)

    scenario = Scenario(db=Database(), eventually=[once])
    assert scenario.explore(counted, stops=1).verdict == "holds"
    assert scenario.explore(not_done, stops=1).verdict == "holds"
    assert Scenario(db=Database(), eventually=[once], restarts=False).explore(not_done, stops=1).claim == "once"


def test_the_new_process_is_somebody_else():
    def signs(db, me):
        try:
            yield db.read("x")
        except Terminated:
            raise
        yield db.write("by", me)

    trace = Scenario(db=Database()).attack(signs, "stop A")
    assert trace["db"]["by"] == "A.2"


def test_who_is_switched_off_stays_off():
    scenario = Scenario(jobs=jobs(), db=Database(), restarts=False, eventually=[nothing_is_left_active])
    for worker in (careless, hands_back, runs_what_it_has_fetched):
        trace = scenario.attack(worker, "stop A")
        assert [event.kind for event in trace.events] == ["stop"]
        assert trace.broken == "nothing_is_left_active"
    with pytest.raises(Mistake):
        scenario.attack(hands_back, "stop A", "again A")


# A rollout: two versions of a function at once. v2 starts whenever the search likes, v1 is told to stop


def v1(jobs, db):
    job = yield jobs.receive()
    row = yield db.read("total")
    yield db.write("total", {"cents": (row or {"cents": 0})["cents"] + 100})
    yield jobs.ack(job)


def v2(jobs, db):
    """Writes a column that v1 does not know, and so drops."""
    job = yield jobs.receive()
    row = yield db.read("total")
    yield db.write("total", {"cents": (row or {"cents": 0})["cents"] + 100, "currency": "EUR"})
    yield jobs.ack(job)


def v2_beside(jobs, db):
    """What is new has a row of its own."""
    job = yield jobs.receive()
    yield db.write("currency", "EUR")
    row = yield db.read("total")
    yield db.write("total", {"cents": (row or {"cents": 0})["cents"] + 100})
    yield jobs.ack(job)


def test_two_versions_at_once_and_the_old_one_switched_off():
    """PostHog/posthog #74351 and its like. `restarts` says that nobody starts v1 again."""

    def keeps_the_currency(db):
        return db["new"] is None or "currency" in (db["total"] or {"currency": ""})

    def marked(version):
        def v2(jobs, db):
            yield from version(jobs, db)
            yield db.write("new", True)

        return v2

    def nobody_is_left_over(jobs):
        return not jobs.ready

    queue = Queue(["a", "b"], visibility_timeout=30)
    rollout = Scenario(jobs=queue, db=Database(), restarts={"v1": False}, eventually=[nobody_is_left_over])
    assert rollout.explore([v1, v2_beside], stops=1).verdict == "holds"
    drops = rollout.asking(always=[keeps_the_currency]).explore([v1, marked(v2)], stops=0)
    assert drops.claim == "keeps_the_currency"
    assert {event.worker for event in drops.counterexample.events} == {"A", "B"}


def test_switching_the_old_version_off_before_the_new_one_runs_leaves_the_work():
    def drained(jobs):
        return not jobs.ready

    scenario = Scenario(jobs=jobs(30), db=Database(), restarts=False, eventually=[drained])
    assert scenario.explore(v1, stops=1).claim == "drained"


# The other engines, and the pictures


def test_a_token_replays_it():
    report = shop().explore(closes_after_the_fetch, stops=1)
    assert report.token == "1q1-Agw-qA".replace("gw", report.token[5:7])
    assert str(shop().replay(closes_after_the_fetch, report.token)) == str(report.counterexample)
    assert shop().replay(hands_back, report).broken is None


def test_in_real_processes_it_is_a_sigterm():
    for worker in (closes_after_the_fetch, hands_back, careless, runs_what_it_has_fetched):
        report = shop().explore(closes_after_the_fetch, stops=1)
        trace = shop().live(worker, report)
        assert str(trace.but(note="")) == str(shop().replay(worker, report))
        assert "1 SIGTERM" in trace.note


def test_simulated_stops_strike_and_lose_nothing_that_is_handed_back():
    def lost(jobs):
        return not jobs.dead_letters

    scenario = Scenario(jobs=Queue(visibility_timeout=30, max_receives=50), db=Database(), always=[lost])
    run = scenario.simulate(hands_back, hours=24, arrivals=60, latency=5, stops_per_day=500, seed=1, trace=True)
    assert run.counts["stops"] > 300
    assert run.first_violation is None
    assert run.completed > 1_000
    states = list(run.trace.worlds())[-1]
    assert {name: state.key() for name, state in states.items() if name == "db"} == {
        name: state.key() for name, state in run.states.items() if name == "db"
    }
    assert scenario.simulate(hands_back, hours=24, arrivals=60, stops_per_day=0, seed=1).counts["stops"] == 0


def test_a_picture_shows_it_beside_the_crash():
    report = shop().explore(closes_after_the_fetch, stops=1)
    picture = lanes(report)
    assert "stop (SIGTERM, and it ends)" in picture.alt
    assert "■" in svg_of(picture.draw(), picture.alt)


def test_programs_that_stop_agree_with_the_enumeration():
    for budget in ({"stops": 1}, {"stops": 1, "crashes": 1}):
        tally = compare_many(programs_that_stop, budget, 1, 20)
        assert tally.compared >= 18, vars(tally)
        assert tally.faults["stops"] >= 18, vars(tally)


def test_the_budget_counts_stops():
    report = shop().explore(hands_back, stops=2, workers=2)
    assert str(report.budget) == "up to 2 stops"
    assert system_of(shop(), hands_back).consumers == {"A"}
