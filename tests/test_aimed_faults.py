"""A fault may be aimed at a resource or at a worker's function: it strikes there, and nowhere else."""

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import strategies as st

from simlib import Database, Lock, Queue, Scenario, Service, compare, sweep
from simlib.check import explore
from simlib.check.fault_matrix import Condition, cells
from simlib.check.restricted import FaultLocation
from simlib.course import grade
from simlib.errors import DoesNotHold, Mistake, OperationError
from simlib.model.fault import AIMS, KINDS
from simlib.scenario import system_of
from simlib.schedule.budget import Account, Budget, Limits
from simlib.schedule.machine import Machine
from simlib.schedule.random import RandomSchedule
from tests.agreement import Tally, agree, each_of
from tests.enumeration import retrace
from tests.programs import FAMILIES, programs_as_data, programs_as_source, programs_with_clocks

STEPS = 60  # of a random schedule


# Held against every schedule run one by one


@st.composite
def aimed(draw, programs, kinds, shared=False):
    """A random program whose functions have names of their own, and a budget that is aimed at some of its names.

    With `shared`, at a resource and at a function, so that two may pay for one fault.
    """
    case = draw(programs(dict.fromkeys(kinds, 1)))
    for role, name in zip(case.roles, ("first", "second")):
        role.__name__ = name
    names = {"resource": [*case.scenario.resources], "worker": [role.__name__ for role in case.roles]}
    budget = {}
    for kind in kinds:
        if shared:
            at = [draw(st.sampled_from(names[what])) for what in AIMS[kind]]
        else:
            what = draw(st.sampled_from(AIMS[kind]))
            likely = [FAMILIES[kind]] * 3 if what == "resource" and FAMILIES.get(kind) in names[what] else []
            at = [draw(st.sampled_from([*likely, *names[what]]))]
        budget[kind] = dict.fromkeys(at, 1)
    return case, budget


def compared(programs, number, examples):
    tally = Tally()
    each_of(programs, number, examples, lambda drawn: agree(*drawn, tally))
    return tally


ALL_AIMED = [[kind] for kind in KINDS if AIMS[kind]]
PAIRS = [["crashes", "outages"], ["pauses", "node_losses"], ["redeliveries", "lost_replies"]]


@pytest.mark.parametrize("kinds", ALL_AIMED + PAIRS, ids="+".join)
def test_a_search_finds_exactly_what_an_enumeration_finds(kinds):
    tally = compared(aimed(programs_as_data, kinds), len(kinds), 10)
    assert len(tally.different) >= 4, vars(tally)
    assert min(tally.holds, tally.violated) >= 1, vars(tally)
    assert set(tally.faults) == {*kinds}, "no fault had a place to strike"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if len(AIMS[kind]) > 1])
def test_so_it_does_when_two_may_pay_for_one_fault(kind):
    tally = compared(aimed(programs_as_source if kind == "outages" else programs_as_data, [kind], shared=True), 7, 10)
    assert len(tally.different) >= 4, vars(tally)
    assert min(tally.holds, tally.violated) >= 1, vars(tally)


def test_so_it_does_with_clocks():
    tally = compared(aimed(programs_with_clocks, ["pauses"]), 2, 12)
    assert len(tally.different) >= 4, vars(tally)


def test_a_random_schedule_stays_within_its_budget_and_uses_it():
    met = Counter()

    def walk(drawn):
        case, budget = drawn
        system = case.system()
        for seed in range(3):
            with Machine(system) as machine:
                schedule = RandomSchedule(machine, Budget(budget), seed)
                for _ in range(STEPS):
                    move = schedule.next([*machine.enabled()])
                    if move is None:
                        break
                    machine.perform(move)
                moves = [event.move for event in machine.events]
            retrace(system, budget, moves)  # raises if the budget does not pay for it
            met.update(move.fault for move in moves if move.fault)

    kinds = ["crashes", "outages", "pauses", "redeliveries"]
    each_of(aimed(programs_as_data, kinds), 3, 20, walk)
    each_of(aimed(programs_as_data, ["outages"], shared=True), 4, 20, walk)
    assert {*met} == {*kinds}, met


def test_two_that_may_pay_for_one_fault_are_both_kept_until_it_matters():
    """After an outage of the relay at the lock, each other is possible; after that one, none is."""
    budget = Budget({"outages": {"lock": 1, "relay": 1}})
    account, at = Account(budget, ["lock", "db"]), budget.payers
    first = account.whole + account.price(account.whole, at("outages", "lock", "relay"))[1]
    for resource, role in (("db", "relay"), ("lock", "charge"), ("lock", "relay")):
        second = first + account.price(first, at("outages", resource, role))[1]
        assert second == 0
    assert account.price(first, at("outages", "db", "charge")) is None
    assert account.price(0, at("outages", "lock", "relay")) is None
    assert not Account(Budget({"outages": {"lock": 1, "db": 1}}), ["lock", "db"]).shared
    assert not Account(Budget({"outages": {"lock": 1}, "pauses": {"relay": 1}}), ["lock"]).shared


# Bugs that people reported: a plain number breaks an earlier place first


def beat(lock, schedule, tasks):
    """sibson/redbeat #208: an error while the lock was acquired was swallowed, and the scheduler went on without it."""
    try:
        lease = yield lock.acquire(ttl=25)
    except OperationError:  # Celery's signal dispatcher logs it, and goes on
        lease = None
    if (yield schedule.read("nightly")) is None:
        yield tasks.call("nightly")
        yield schedule.write("nightly", "sent")
    if lease:
        yield lock.release(lease)


def beat_that_ends_without_its_lock(lock, schedule, tasks):
    lease = yield lock.acquire(ttl=25)
    if (yield schedule.read("nightly")) is None:
        yield tasks.call("nightly")
        yield schedule.write("nightly", "sent")
    yield lock.release(lease)


def sent_once(tasks):
    return tasks.count("nightly") <= 1


REDBEAT = Scenario(lock=Lock(), schedule=Database(), tasks=Service(), always=[sent_once], workers=2)


def place(report):
    """Where the only fault of a counterexample strikes: a resource, or a worker's function."""
    (event,) = [event for event in report.counterexample.events if event.move.fault]
    return event.op.resource if event.op else report.system.names[event.worker]


def test_redbeat_208_a_swallowed_error_of_the_lock_lets_two_schedulers_send():
    anywhere = REDBEAT.explore(beat, outages=1)
    assert (anywhere.claim, place(anywhere)) == ("sent_once", "schedule")  # sent, not noted, and started again
    at_the_lock = REDBEAT.explore(beat, outages={"lock": 1})
    assert (at_the_lock.claim, place(at_the_lock)) == ("sent_once", "lock")
    assert {event.worker for event in at_the_lock.counterexample.events} == {"A", "B"}


def test_redbeat_208_a_scheduler_that_ends_without_its_lock_holds():
    assert REDBEAT.explore(beat_that_ends_without_its_lock, outages={"lock": 1}).verdict == "holds"
    assert REDBEAT.explore(beat_that_ends_without_its_lock, outages=1).verdict == "violated"  # still the other place


def enqueue(jobs, work, children):
    """rq/rq #739: a job that depends on another. WATCH makes one step of the look and the registration."""
    yield work.send("parent")
    if not (yield jobs.compare_and_set("parent", None, "has a dependent")):
        yield children.send("child")


def perform(jobs, work, children):
    """Its quick fix: the job is finished, and only then its dependents are enqueued."""
    message = yield work.receive()
    yield work.ack(message)  # BLPOP: nobody else gets it
    if not (yield jobs.compare_and_set("parent", None, "finished")):
        yield jobs.write("parent", "finished")
        yield children.send("child")


def perform_in_one_pipeline(jobs, work, children):
    message = yield work.receive()
    yield work.ack(message)
    if not (yield jobs.compare_and_set("parent", None, "finished")):
        yield children.send("child")
        yield jobs.write("parent", "finished")  # the model has no step over both; what counts is that none is between


def a_finished_parent_has_its_child_enqueued(jobs, children):
    return jobs["parent"] != "finished" or len(children.ready) == 1


RQ = Scenario(
    jobs=Database(), work=Queue(visibility_timeout=None), children=Queue(),
    eventually=[a_finished_parent_has_its_child_enqueued],
)  # fmt: skip


def test_rq_739_a_worker_that_is_lost_between_finishing_and_its_dependents_leaves_them_hanging():
    anywhere = RQ.explore([enqueue, perform], node_losses=1)
    assert place(anywhere) == "enqueue"  # lost before it has registered the child at all
    of_the_worker = RQ.explore([enqueue, perform], node_losses={"perform": 1})
    assert of_the_worker.claim == "a_finished_parent_has_its_child_enqueued"
    assert place(of_the_worker) == "perform"
    assert RQ.explore([enqueue, perform_in_one_pipeline], node_losses={"perform_in_one_pipeline": 1}).verdict == "holds"


@pytest.mark.parametrize("faults", [
    {"outages": {"lock": 1}},
    {"crashes": {"beat_that_ends_without_its_lock": 0}, "pauses": {"lock": 0}, "outages": {"lock": 2}},
    {"outages": {"lock": 1, "beat_that_ends_without_its_lock": 0}, "lost_replies": {"lock": 1}},
])  # fmt: skip
def test_identical_workers_are_not_told_apart_under_an_aimed_budget_either(faults):
    system = system_of(REDBEAT, beat_that_ends_without_its_lock)
    one, each = (explore(system, Budget(faults), Limits(), symmetric=on) for on in (True, False))
    assert (one.verdict, one.schedules, one.outcomes) == (each.verdict, each.schedules, each.outcomes)
    assert one.verdict == "holds"
    assert one.states < each.states


def test_nor_where_two_may_pay_for_one_fault():
    system = system_of(REDBEAT.asking(always=[]), beat)
    budget = Budget({"outages": {"lock": 1, "beat": 1}})
    one, each = (explore(system, budget, Limits(), symmetric=on) for on in (True, False))
    assert (one.verdict, one.schedules, one.outcomes) == (each.verdict, each.schedules, each.outcomes)
    assert one.states < each.states


# What is said, and what is refused


def test_each_verdict_says_where_its_faults_may_strike():
    found = REDBEAT.explore(beat_that_ends_without_its_lock, outages={"lock": 1, "schedule": 0}, pauses=1)
    assert str(found.budget) == "up to 1 outage of lock and 1 pause"
    assert "with up to 1 outage of lock" not in str(found) and "up to 1 outage of lock and 1 pause; every" in str(found)
    cut = REDBEAT.explore(beat, outages={"lock": 1}, max_states=5)
    assert 'lower workers=2 or outages={"lock": 1}, or raise' in str(cut).replace("\n  ", " ")


def test_a_fault_that_never_strikes_is_named_with_its_place():
    found = REDBEAT.explore(beat_that_ends_without_its_lock, rejections={"lock": 1}, outages={"lock": 1})
    assert found.vacuous == ", but no rejection of lock had a place to strike"
    with pytest.warns(UserWarning, match="no rejection of lock had a place to strike"):
        found.assert_holds()


@pytest.mark.parametrize("faults, head", [
    ({"outages": {"lock": 1}}, "2o1(0)"),
    ({"outages": {"tasks": 2, "lock": 1}, "crashes": 1}, "2c1o2(2)o1(0)"),
    ({"crashes": {"beat": 1}, "pauses": {"beat": 1}}, "2c1(A)s1(A)"),
])  # fmt: skip
def test_a_token_says_where_each_fault_may_strike(faults, head):
    report = REDBEAT.explore(beat, **faults)
    assert report.token.split("-")[0] == head
    again = REDBEAT.replay(beat, report.token)
    if report.counterexample:
        assert str(again) == str(report.counterexample)
    whole = REDBEAT.replay(beat, head)  # without a schedule: the search itself
    assert (whole.budget.slots, whole.token) == (report.budget.slots, report.token)


def test_the_letter_in_a_token_is_the_first_worker_of_that_function():
    report = RQ.explore([enqueue, perform], workers={"enqueue": 2}, node_losses={"perform": 1}, max_states=10)
    assert report.token == "2.1n1(C)"
    names = RQ.replay([enqueue, perform_in_one_pipeline], "2.1n1(C)").budget.counts
    assert names == {"node_losses": {"perform_in_one_pipeline": 1}}


@pytest.mark.parametrize("token, why", [
    ("2o1(3)", "`o1(3)` is a fault of a resource that the scenario does not have"),
    ("2c1(C)", "`c1(C)` is a fault of a worker that the scenario does not have"),
    ("2c1(0)", "`c1(0)` aims at a resource, which such a fault does not strike"),
    ("2p1(A)", "`p1(A)` aims at a worker, which such a fault does not strike"),
    ("2o1(0)o2(0)", "a fault is there twice"),
    ("2o1o2(0)", "a fault is there twice"),
    ("2o1()", '"2o1()" does not read as workers and faults'),
])  # fmt: skip
def test_a_token_that_aims_at_nothing_is_refused(token, why):
    with pytest.raises(Mistake) as refused:
        REDBEAT.replay(beat, token)
    assert why in str(refused.value)


def lock(jobs):
    yield jobs.read("parent")


@pytest.mark.parametrize("faults, said", [
    ({"outages": {"lok": 1}},
     'outages={"lok": 1}: there is no resource or worker called lok, but lock, schedule, tasks and beat. '
     "Did you mean `lock`?"),
    ({"crashes": {"bet": 1}}, 'crashes={"bet": 1}: there is no worker called bet, but beat. Did you mean `beat`?'),
    ({"crashes": {"bet": 0}}, 'crashes={"bet": 0}: there is no worker called bet, but beat. Did you mean `beat`?'),
    ({"node_losses": {"lock": 1}},
     'node_losses={"lock": 1}: lock is a resource, and a node loss strikes a worker: beat.'),
    ({"power_losses": {"lock": 1}},
     'power_losses={"lock": 1}: a power loss ends all processes at once. Give a number: power_losses=1.'),
    ({"outages": {beat: 1}},
     'outages={beat: 1}: say where it strikes by its name, as text: outages={"relay": 1}.'),
    ({"outages": {"lock": -1}}, "outages of lock=-1: give a whole number from 0 to 31."),
    ({"outages": {"lock": 1.0}}, "outages of lock=1.0: give a whole number from 0 to 31."),
])  # fmt: skip
def test_a_fault_that_is_aimed_at_nothing_is_refused(faults, said):
    for ask in (REDBEAT.explore, REDBEAT.live):
        with pytest.raises(Mistake) as refused:
            ask(beat, **faults)
        assert str(refused.value) == said


def test_a_name_of_both_a_resource_and_a_function_is_refused_where_it_could_be_either():
    both = Scenario(lock=Lock(), jobs=Database())
    with pytest.raises(Mistake) as refused:
        both.explore(lock, outages={"lock": 1})
    assert str(refused.value) == (
        'outages={"lock": 1}: lock is a resource and a worker\'s function here. Rename one of them, to tell them apart.'
    )
    assert (
        str(both.explore(lock, node_losses={"lock": 1}).budget) == "up to 1 node loss of lock"
    )  # which has no resource


def test_a_scenario_does_not_take_an_aimed_fault():
    with pytest.raises(Mistake, match="that is said with the question"):
        Scenario(lock=Lock(), outages={"lock": 1})


# Wherever a budget is taken


def test_a_fault_of_a_function_strikes_all_of_its_workers_and_no_other():
    found = RQ.explore([enqueue, perform], workers={"perform": 2}, crashes={"perform": 1})
    assert found.crash_points and "work.send" not in found.crash_points
    assert "work.send" in RQ.explore([enqueue, perform], workers={"perform": 2}, crashes=1).crash_points


def worker_with_a_lease(lock, jobs):
    lease = yield lock.acquire(ttl=9)
    yield jobs.write("parent", "mine")
    yield lock.release(lease)


def test_a_pause_is_aimed_at_the_timer_or_at_its_owner():
    leased = Scenario(lock=Lock(), jobs=Database(), work=Queue(["m"], visibility_timeout=30), workers=2)
    for at, found in ({"lock": 1}, True), ({"worker_with_a_lease": 1}, True), ({"jobs": 1}, False):
        assert bool(leased.explore(worker_with_a_lease, pauses=at).findings.idle_faults) is not found


def test_at_one_place_of_a_search_an_aimed_fault_strikes_only_there():
    system = system_of(REDBEAT, beat, 1)
    for at, idle in (("lock", False), ("tasks", True)):
        location = FaultLocation("lock.acquire", 1, "before")
        found = explore(system, Budget({"outages": {at: 1}}), Limits(), location=location)
        assert bool(found.findings.idle_faults) is idle


def test_a_cell_of_a_fault_matrix_is_empty_where_its_fault_is_aimed_elsewhere():
    conditions = (Condition("the lock is away", {"outages": {"lock": 1}}, when="before"),)
    found = cells({1: system_of(REDBEAT, beat_that_ends_without_its_lock, 1)}, conditions)
    assert [(row[0].step.name, row[0].verdict) for row in found] == [
        ("lock.acquire", "holds"), ("schedule.read", ""), ("tasks.call", ""), ("schedule.write", ""),
        ("lock.release", "holds"),
    ]  # fmt: skip


def test_a_grade_says_where_the_faults_strike():
    budgets = [{"outages": {"lock": 1}}, {"crashes": {"beat_that_ends_without_its_lock": 1}}]
    said = str(grade(REDBEAT, beat_that_ends_without_its_lock, budgets=budgets))
    assert "  up to 1 outage of lock: holds\n" in said
    assert "  up to 1 crash of beat_that_ends_without_its_lock: breaks sent_once, with 1 crash\n" in said


def test_a_comparison_aims_at_a_resource_of_both_or_at_workers_of_each():
    found = compare(
        REDBEAT, happy_path=beat, failure_mode=beat_that_ends_without_its_lock, outages={"lock": 1}, crashes=0
    )
    assert [report.verdict for report in found.reports["failure mode"].values()] == ["holds"] * 3
    assert found.failure.claim == "sent_once"
    assert "with up to 0 crashes, 1 redelivery and 1 outage of lock; 2 workers" in str(found).replace("\n", " ")
    each = {"beat": 1, "beat_that_ends_without_its_lock": 1}
    both = compare(REDBEAT, happy_path=beat, failure_mode=beat_that_ends_without_its_lock, crashes=each)
    crashed = {side: reports["crashes mid-flight"].budget.counts["crashes"] for side, reports in both.reports.items()}
    assert crashed == {"happy path": {"beat": 1}, "failure mode": {"beat_that_ends_without_its_lock": 1}}


@pytest.mark.parametrize("crashes, said", [
    ({"beat": 1},
     'crashes={"beat": 1} strikes nothing of the failure_mode, so there is nothing to compare. Name a worker of each '
     "implementation, or a resource."),
    ({"bet": 1}, 'crashes={"bet": 1}: there is nothing called bet, but lock, schedule, tasks, beat and '
     "beat_that_ends_without_its_lock. Did you mean `beat`?"),
])  # fmt: skip
def test_a_comparison_of_what_a_fault_strikes_with_what_it_does_not_is_refused(crashes, said):
    with pytest.raises(Mistake) as refused:
        compare(REDBEAT, happy_path=beat, failure_mode=beat_that_ends_without_its_lock, crashes=crashes)
    assert str(refused.value) == said


def test_for_real_an_aimed_fault_strikes_only_there():
    struck = Counter()
    for seed in range(4):
        trace = REDBEAT.live(beat_that_ends_without_its_lock, seed=seed, outages={"lock": 2})
        struck.update(event.op.resource for event in trace.events if event.move.fault)
    assert {*struck} == {"lock"}


def test_for_real_the_failure_of_an_aimed_search_happens_too():
    report = REDBEAT.explore(beat, outages={"lock": 1})
    assert REDBEAT.live(beat, report).broken == "sent_once"
    with pytest.raises(DoesNotHold, match="up to 1 outage of lock"):
        report.assert_holds()


# Measured: chances are aimed at resources, rates at functions


def call(bank, mail):
    for _ in range(100):
        for service in (bank, mail):
            with suppress(OperationError):
                yield service.call("ping")


def other(bank):
    for _ in range(100):
        yield bank.call("pong")


TWO = Scenario(bank=Service(), mail=Service())


def test_a_chance_at_a_resource_strikes_only_there():
    run = TWO.simulate(call, hours=1, outage_chance={"mail": 1}, trace=True)
    struck = Counter(event.op.resource for event in run.trace.events if event.move.fault)
    assert struck == {"mail": 100} == {"mail": run.counts["outages"]}
    assert run["bank"].count("ping") == 100


def test_a_rate_of_a_function_strikes_only_its_workers():
    rate = {"call": 24 * 3_600}
    run = TWO.simulate([call, other], hours=0.01, crashes_per_day=rate, restart=0.1, trace=True)
    assert {event.worker for event in run.trace.events if event.move.fault} == {"A"}
    assert "crashes per day call 86400" in str(run.conditions)


def test_a_number_draws_what_the_same_number_everywhere_draws():
    everywhere = TWO.simulate(call, outage_chance=0.3, crashes_per_day=2_000)
    by_name = TWO.simulate(call, outage_chance={"bank": 0.3, "mail": 0.3}, crashes_per_day={"call": 2_000})
    assert everywhere.counts == by_name.counts
    assert everywhere.counts["outages"] > 10


def test_a_sweep_takes_chances_by_name():
    table = sweep(TWO, call, seeds=range(1), parameters={"outage_chance": [{"mail": 0}, {"mail": 1}]})
    assert [(row["outage_chance"], row["outage_count"]) for row in table] == [
        ('{"mail": 0}', 0), ('{"mail": 1}', 100),
    ]  # fmt: skip


@pytest.mark.parametrize("conditions, said", [
    ({"outage_chance": {"mial": 0.1}},
     "outage_chance of `mial`: there is no such resource, but bank and mail. Did you mean `mail`?"),
    ({"outage_chance": {"call": 0.1}}, "outage_chance of `call`: there is no such resource, but bank and mail."),
    ({"crashes_per_day": {"bank": 1}}, "crashes_per_day of `bank`: there is no such worker, but call."),
    ({"outage_chance": {"mail": 2}}, "outage_chance of mail=2: give a number from 0 to 1."),
    ({"power_losses_per_day": {"mail": 2}}, 'power_losses_per_day={"mail": 2}: give a number from 0 on.'),
])  # fmt: skip
def test_a_chance_or_a_rate_of_nothing_is_refused(conditions, said):
    with pytest.raises(Mistake) as refused:
        TWO.simulate(call, **conditions)
    assert str(refused.value) == said
