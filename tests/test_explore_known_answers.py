"""Small systems whose answer is known: from combinatorics, from the literature, from running them by hand."""

import itertools
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from math import factorial
from pathlib import Path

import pytest

from simlib import Clock, Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.check import core, explore
from simlib.errors import AlreadyExists, OperationError, OutcomeUnknown
from simlib.scenario import system_of
from simlib.schedule.budget import Budget, Limits
from simlib.schedule.token import letters
from tests.enumeration import Run, retrace
from tests.sample import charge, charge_once, charged_at_most_once


@pytest.fixture(autouse=True, params=["in the compiled core", "in plain Python"])
def engine(request):
    """Where the searches run."""
    if request.param == "in plain Python":
        with core.switched_off():
            yield
    elif core.available():
        yield
    else:
        pytest.skip("there is no compiled core: no C++ compiler built it, or MIDFLIGHT_CORE=off")


HERE = Path(__file__).parent


# Systems


def look_and_charge(inbox, bank, db):
    message = yield inbox.receive()
    yield db.read(message.body)
    yield bank.call("charge", 20)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def forget_to_charge(inbox, bank, db):
    message = yield inbox.receive()
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def shop(orders=1, **claims):
    return Scenario(
        inbox=Queue([f"order-{number + 1}" for number in range(orders)], visibility_timeout=30),
        bank=Service(),
        db=Database(),
        workers=2,
        **(claims or {"always": [charged_at_most_once]}),
    )


def twelve_reads(db):
    for _ in range(12):
        yield db.read("x")


def fence_the_write(lock, db):
    lease = yield lock.acquire(ttl=10)
    value = yield db.read("x")
    yield db.write("x", value + 1, fence=lease.token)
    yield lock.release(lease)


def fence_read_and_write(lock, db):
    lease = yield lock.acquire(ttl=10)
    value = yield db.read("x", fence=lease.token)
    yield db.write("x", value + 1, fence=lease.token)
    yield lock.release(lease)


def both_updates_are_there(db):
    return db["x"] == 2


def counter():
    return Scenario(lock=Lock(), db=Database({"x": 0}), workers=2, eventually=[both_updates_are_there])


def charge_unless_done(bank, db):
    if not (yield db.read("done")):
        yield bank.call("charge", 20)
        yield db.write("done", True)


def crash_or_pause(lock, db):
    lease = yield lock.try_acquire(ttl=5)
    if lease is None or (yield lock.read()) is None:
        yield db.write("bad", True)


def nothing_bad(db):
    return "bad" not in db


def wait_for_flag(db):
    while True:
        if (yield db.read("flag")):
            return


def relay(db, inbox):
    while True:
        if (yield db.read("outbox")):
            yield inbox.send("mail")
            yield db.write("outbox", None)


def mail_is_sent(inbox):
    return inbox.sent == 1


def left_then_right(left, right):
    one = yield left.acquire()
    other = yield right.acquire()
    yield right.release(other)
    yield left.release(one)


def right_then_left(left, right):
    one = yield right.acquire()
    other = yield left.acquire()
    yield left.release(other)
    yield right.release(one)


def insert_row(inbox, db):
    message = yield inbox.receive()
    yield db.insert("row", message.body)
    yield inbox.ack(message)


def tidy(lock, db):
    lease = yield lock.acquire()
    try:
        yield db.write("x", 1)
    finally:
        yield lock.release(lease)


def events(trace):
    """A trace in short: who did what."""
    what = {"step": lambda event: f"{event.worker} {event.op.name}", "timer": lambda event: event.move.resource}
    return [what.get(event.kind, lambda event: f"{event.kind} {event.worker}")(event) for event in trace.events]


def size(scenario, worker, report, **budget):
    moves = [event.move for event in report.counterexample.events]
    claim, found = retrace(system_of(scenario, worker), budget, moves)
    assert claim == report.claim
    return found


# Counting


@pytest.mark.parametrize(
    ("workers", "steps"),
    [(1, 5), (2, 1), (2, 2), (2, 4), (2, 12), (3, 2), (3, 4), (4, 2), (5, 1)],
)
def test_independent_steps_interleave_in_multinomially_many_ways(workers, steps):
    def independent(db, me):
        for number in range(steps):
            yield db.write((me, number), number)

    report = Scenario(db=Database()).explore(independent, workers=workers, crashes=0)
    assert report.schedules == factorial(workers * steps) // factorial(steps) ** workers
    assert report.states == (steps + 1) ** workers
    assert len(report.outcomes) == 1


@pytest.mark.parametrize(("workers", "steps", "ways"), [(2, 4, 70), (3, 4, 34_650)])
def test_the_numbers_of_the_design(workers, steps, ways):
    def reads(db):
        for _ in range(steps):
            yield db.read("x")

    assert Scenario(db=Database()).explore(reads, workers=workers, crashes=0).schedules == ways


def test_two_workers_of_twelve_steps_and_two_crashes():
    report = Scenario(db=Database()).explore(twelve_reads, workers=2, crashes=2)
    assert report.verdict == "holds"
    assert (report.schedules, report.states) == (128_203_017_911_332, 273)


def test_a_random_choice_is_as_many_schedules_as_options():
    def roll(dice, db):
        for place in range(3):
            yield db.write(place, (yield dice.choice([1, 2, 3, 4])))

    report = Scenario(dice=Random(), db=Database()).explore(roll, crashes=0)
    assert (report.schedules, len(report.outcomes)) == (64, 64)


# The claims of the design


def test_the_smallest_double_charge():
    report = shop().explore(charge, crashes=1)
    assert (report.verdict, report.claim) == ("violated", "charged_at_most_once")
    assert events(report.counterexample) == [
        "A inbox.receive", "A bank.call", "crash A", "inbox", "A inbox.receive", "A bank.call",
    ]  # fmt: skip
    assert size(shop(), charge, report, crashes=1) == (1, 0, 6)


def test_an_idempotency_key_charges_once():
    report = shop().explore(charge_once, crashes=1)
    assert (report.verdict, report.counterexample, report.claim) == ("holds", None, None)
    assert shop().explore(charge_once, crashes=2, redeliveries=1, pauses=1).verdict == "holds"


def test_a_fence_on_the_write_alone_loses_an_update():
    report = counter().explore(fence_the_write, pauses=1)
    assert (report.verdict, report.claim) == ("violated", "both_updates_are_there")
    assert report.counterexample.faults == ["pause"]
    assert size(counter(), fence_the_write, report, pauses=1)[:2] == (1, 2)


def test_a_fence_on_read_and_write_loses_nothing():
    assert counter().explore(fence_read_and_write, pauses=1).verdict == "holds"
    assert counter().explore(fence_read_and_write, pauses=2).verdict == "holds"


def test_without_a_pause_the_fence_is_not_needed():
    assert counter().explore(fence_the_write, pauses=0).verdict == "holds"


def test_check_then_act_fails_with_one_crash_and_no_preemption():
    once = Scenario(bank=Service(), db=Database(), always=[charged_at_most_once])
    report = once.explore(charge_unless_done, crashes=1)
    assert events(report.counterexample) == ["A db.read", "A bank.call", "crash A", "A db.read", "A bank.call"]
    assert size(once, charge_unless_done, report, crashes=1) == (1, 0, 5)


# Which of several


@pytest.mark.parametrize("kinds", [("crashes", "pauses"), ("pauses", "crashes")])
@pytest.mark.parametrize("names", [("lock", "db"), ("db", "lock")])
def test_a_tie_prefers_a_crash_over_a_pause(kinds, names):
    things = {"lock": Lock(), "db": Database()}
    scenario = Scenario(**{name: things[name] for name in names}, always=[nothing_bad])
    sizes = {}
    for kind in kinds:
        report = scenario.explore(crash_or_pause, **{kind: 1})
        sizes[kind] = size(scenario, crash_or_pause, report, **{kind: 1})
    assert sizes["crashes"] == sizes["pauses"] == (1, 0, 4)
    assert scenario.explore(crash_or_pause, **dict.fromkeys(kinds, 1)).counterexample.faults == ["crash"]


def test_a_tie_prefers_the_first_worker():
    def number(db):
        yield db.write("id", (yield db.next_id()))
        yield db.read("id")

    def third_id_is_not_used(db):
        return db["id"] != 3

    report = Scenario(db=Database(), always=[third_id_is_not_used]).explore(number, workers=2, crashes=1)
    assert events(report.counterexample) == [
        "A db.next_id", "crash A", "A db.next_id", "A db.write", "A db.read", "B db.next_id", "B db.write",
    ]  # fmt: skip


# Answers that are no property's


def test_a_polling_loop_without_an_end_is_a_livelock():
    report = Scenario(db=Database()).explore(wait_for_flag, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "livelock")
    assert 'db.read("flag")' in report.sentence


def test_a_polling_loop_that_somebody_ends_is_none():
    def raise_flag(db):
        yield db.write("flag", True)

    report = Scenario(db=Database()).explore([wait_for_flag, raise_flag], crashes=0)
    assert (report.verdict, report.schedules) == ("holds", None)


def test_a_relay_with_nothing_to_do_is_no_livelock():
    scenario = Scenario(db=Database({"outbox": "mail"}), inbox=Queue(), eventually=[mail_is_sent])
    report = scenario.explore(relay, crashes=0)
    assert (report.verdict, report.schedules) == ("holds", None)
    assert len(report.outcomes) == 1


def test_a_relay_that_never_gets_it_done_is_a_livelock():
    scenario = Scenario(db=Database(), inbox=Queue(), eventually=[mail_is_sent])
    report = scenario.explore(relay, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "livelock")
    assert "mail_is_sent" in report.sentence


def test_stuck_names_what_each_one_waits_for():
    report = Scenario(left=Lock(), right=Lock()).explore([left_then_right, right_then_left], crashes=0)
    assert (report.verdict, report.claim) == ("violated", "stuck")
    assert events(report.counterexample) == ["A left.acquire", "B right.acquire"]
    second = left_then_right.__code__.co_firstlineno + 2
    other = right_then_left.__code__.co_firstlineno + 2
    assert f"A waits at `right.acquire()` (line {second})" in report.sentence.replace("\n  ", " ")
    assert f"B waits at `left.acquire()` (line {other})" in report.sentence.replace("\n  ", " ")


def test_a_consumer_without_messages_is_idle_and_not_stuck():
    assert shop(orders=0).explore(charge_once, crashes=1).verdict == "holds"


def test_a_poison_message_is_named():
    scenario = Scenario(inbox=Queue(["a"]), db=Database({"row": 1}))
    report = scenario.explore(insert_row, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "livelock")
    assert "inbox.receive()" in report.sentence
    assert "max_receives" in report.sentence


def test_dead_letters_end_a_poison_message():
    scenario = Scenario(inbox=Queue(["a"], max_receives=3), db=Database({"row": 1}))
    report = scenario.explore(insert_row, crashes=0)
    assert (report.verdict, report.schedules) == ("holds", 1)
    assert len(report.sample(1)[0]["inbox"].dead_letters) == 1


def test_a_workers_own_error_is_named():
    def divide(db):
        value = yield db.read("x")
        yield db.write("y", 1 // value)

    report = Scenario(db=Database({"x": 0})).explore(divide, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "error")
    assert "ZeroDivisionError" in report.sentence


def test_sometimes_that_is_never_seen_is_violated():
    def flag_was_up(db):
        return db["flag"] is True

    report = Scenario(db=Database(), sometimes=[flag_was_up]).explore(twelve_reads, crashes=0)
    assert (report.verdict, report.claim, report.counterexample) == ("violated", "flag_was_up", None)
    assert "never" in report.sentence


def test_eventually_has_a_counterexample_also_when_it_is_asked_sometimes():
    report = shop(eventually=[charged], sometimes=[charged]).explore(forget_to_charge, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "charged")
    assert report.counterexample is not None


def charged(bank):
    return bank.count("charge") > 0


# Unfinished


@pytest.mark.parametrize(
    ("states", "proven"),
    [
        (50, "nothing is proven yet"),
        (150, "all schedules without a fault hold"),
        (250, "all schedules with up to 1 fault hold"),
    ],
)
def test_unfinished_says_what_is_proven(states, proven):
    # Each crash that is left makes 91 states of their own: two workers at 13 places, whoever is at which.
    report = Scenario(db=Database()).explore(twelve_reads, workers=2, crashes=2, max_states=states)
    assert (report.verdict, report.schedules, report.counterexample) == ("unfinished", None, None)
    assert report.states == states
    assert proven in report.sentence


def test_as_many_states_as_are_allowed_is_finished():
    report = Scenario(db=Database()).explore(twelve_reads, workers=2, crashes=2, max_states=507)
    assert report.verdict == "holds"


def test_unfinished_says_what_can_be_violated_where_the_smallest_way_to_it_is_not_known_yet():
    def add_twice(db):
        for _ in range(2):
            number = yield db.read("n")
            yield db.write("n", number + 1)

    def half_are_counted(db):
        return db["n"] >= 3

    counter = Scenario(db=Database({"n": 0}), workers=3, eventually=[half_are_counted])
    report = counter.explore(add_twice, crashes=0, max_states=100)
    assert (report.verdict, report.counterexample) == ("unfinished", None)
    assert "half_are_counted can be violated, but the smallest way to it was not found yet" in report.sentence
    assert counter.explore(add_twice, crashes=0).claim == "half_are_counted"


def test_unfinished_claims_nothing_that_a_search_with_fewer_faults_refutes():
    # Fault-free, the polling worker goes round for ever; that is only looked for at the end of a search.
    scenario = Scenario(db=Database())
    roles = [wait_for_flag, twelve_reads]
    assert scenario.explore(roles, crashes=0).claim == "livelock"
    for states in range(5, 100, 5):
        report = scenario.explore(roles, crashes=2, max_states=states)
        assert report.verdict == "violated" or "without a fault hold" not in report.sentence


@pytest.mark.parametrize("where", ["property", "worker"])
def test_an_interrupt_keeps_what_is_known(where):
    asked = enumerate(itertools.repeat(None), 1)  # which nobody can look into

    def interrupted_after(count):
        if next(asked)[0] == count:
            raise KeyboardInterrupt

    def patient(db):
        if where == "property":
            interrupted_after(5)
        return db["x"] != 1

    def writes(db):
        for number in range(12):
            if where == "worker":
                interrupted_after(10)
            yield db.write("y", number)

    report = Scenario(db=Database(), always=[patient]).explore(writes, workers=2, crashes=2)
    assert report.verdict == "unfinished"
    assert 0 < report.states < 500
    assert "by you" in report.sentence


def test_an_interrupt_during_the_second_runs_is_no_proof():
    # The last thing that a search does is run every history again; after that it asks for `sometimes`.

    def once(db):
        if next(starts)[0] == 0:
            raise KeyboardInterrupt
        yield db.read("x")
        yield db.read("y")

    def never(db):
        return "z" in db

    verdicts = set()
    for last in range(1, 12):
        starts = enumerate(itertools.repeat(None), 1 - last)  # which nobody can look into
        with suppress(KeyboardInterrupt):  # before the search has begun
            verdicts.add(Scenario(db=Database(), sometimes=[never]).explore(once, crashes=0).verdict)
    assert verdicts == {"unfinished", "violated"}


# Said again


def test_a_report_reads_the_same_twice():
    assert some_reports() == some_reports()


def test_a_report_reads_the_same_in_another_process():
    program = "import tests.test_explore_known_answers as known; print(known.some_reports(), end='')"
    for number in ("1", "2", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": number, "PYTHONPATH": str(HERE.parent)}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert done.stderr == ""
        assert done.stdout == some_reports()


def some_reports():
    def nothing_torn(disk):
        return disk.contents("f") in (None, "ab")

    def save(disk):
        yield disk.write("g", "ab")
        yield disk.rename("g", "f")

    dropped = Scenario(disk=Disk(), always=[nothing_torn])
    reports = [
        shop().explore(charge, crashes=1),
        shop(orders=2).explore(charge_once, crashes=1, redeliveries=1),
        counter().explore(fence_the_write, pauses=1),
        dropped.explore(save, power_losses=1, disk_full=1),
        Scenario(left=Lock(), right=Lock()).explore([left_then_right, right_then_left]),
        Scenario(db=Database()).explore(twelve_reads, workers=2, crashes=2, max_states=400),
    ]
    return "\n".join([*map(str, reports), *(str(trace) for report in reports for trace in report.sample(3))])


def test_samples_went_well_and_come_with_the_fewest_faults_first():
    report = shop(orders=2).explore(charge_once, crashes=1)
    assert report.verdict == "violated"  # two orders are two charges; that is no double charge
    samples = shop(orders=2, sometimes=[charged]).explore(charge_once, crashes=1).sample(3)
    assert len(samples) == 3
    assert [len(trace.faults) for trace in samples] == sorted(len(trace.faults) for trace in samples)
    assert samples[0].faults == []
    assert all(trace.broken is None and trace["bank"].count("charge") == 2 for trace in samples)


def test_there_are_no_more_samples_than_ends():
    assert len(Scenario(db=Database()).explore(twelve_reads, crashes=0).sample(3)) == 1


# Tokens


def test_a_token_shows_the_same_failure_again():
    report = shop().explore(charge, crashes=1)
    for again in (shop().replay(charge, report), shop().replay(charge, report.token)):
        assert (again.broken, again.parted) == ("charged_at_most_once", None)
        assert again.events == report.counterexample.events


def test_a_careful_twin_under_the_same_schedule_does_not_break():
    token = shop().explore(charge, crashes=1).token
    trace = shop().replay(charge_once, token)
    assert (trace.broken, trace.parted) == (None, None)
    assert events(trace)[:6] == ["A inbox.receive", "A bank.call", "crash A", "inbox", "A inbox.receive", "A bank.call"]
    assert trace["bank"].count("charge") == 1


def test_a_twin_with_one_more_step_takes_it_on_the_way():
    token = shop().explore(charge, crashes=1).token
    trace = shop().replay(look_and_charge, token)
    assert events(trace) == [
        "A inbox.receive", "A db.read", "A bank.call", "crash A", "inbox", "A inbox.receive", "A db.read",
        "A bank.call",
    ]  # fmt: skip
    assert (trace.broken, trace.parted) == ("charged_at_most_once", 1)


def test_a_twin_takes_its_step_on_the_way_also_for_the_second_message():
    def charged_twice_at_most(bank):
        return bank.count("charge") <= 2

    scenario = shop(orders=2, always=[charged_twice_at_most])
    report = scenario.explore(charge, workers=1, crashes=1)
    names = events(report.counterexample)
    assert names.count("A bank.call") == 3
    twin = events(scenario.replay(look_and_charge, report.token))
    assert [name for name in twin if name != "A db.read"] == names


def test_a_worker_without_that_step_parts():
    token = shop().explore(charge, crashes=1).token
    trace = shop().replay(forget_to_charge, token)
    assert trace.parted == 1
    assert trace.broken is None


@pytest.mark.parametrize("number", range(20))
def test_a_token_tells_the_way_of_a_step_from_the_next_step(number):
    # A step's two letters may be digits, and so is the way that it went.
    name = f"table{number}"

    def call_and_write(bank, **tables):
        with suppress(OutcomeUnknown):
            yield bank.call("charge", 20)
        yield tables[name].write("paid", True)

    def worker_for(given):
        scope = {"call_and_write": call_and_write}
        exec(f"def worker(bank, {given}):\n    yield from call_and_write(bank, {given}={given})", scope)
        return scope["worker"]

    def never_charged_in_vain(bank):
        return True

    scope = {}
    exec(f"def not_paid({name}):\n    return 'paid' not in {name}", scope)
    scenario = Scenario(bank=Service(), **{name: Database()}, always=[never_charged_in_vain, scope["not_paid"]])
    system = system_of(scenario, worker_for(name))
    lost = [choice for choice in _first_choices(system) if choice.fault == "lost_replies"]
    assert len(lost) == 1
    token = f"1l1-A{letters('bank.call')}({_way(system, lost[0])}){letters(f'{name}.write')}"
    trace = scenario.replay(worker_for(name), token)
    assert trace.faults == ["lost reply"]
    assert (trace.broken, trace.parted) == ("not_paid", None)


def _first_choices(system):
    run = Run(system, {"lost_replies": 1})
    try:
        return run.choices()
    finally:
        run.close()


def _way(system, choice):
    run = Run(system, {})
    try:
        op = run.people["A"].op
        return list(run.world[op.resource].outcomes(op)).index(choice.how)
    finally:
        run.close()


# What a crash does, and what it does not


def test_a_crash_runs_no_finally():
    report = Scenario(lock=Lock(), db=Database(), workers=2).explore(tidy, crashes=1)
    assert (report.verdict, report.claim) == ("violated", "stuck")
    assert report.counterexample["lock"].holder is not None
    assert Scenario(lock=Lock(), db=Database(), workers=2).explore(tidy, crashes=0).verdict == "holds"


def test_a_crash_runs_no_with():
    class Held:
        def __enter__(self):
            pass

        def __exit__(self, *error):
            pass

    def hold(lock, db):
        lease = yield lock.acquire()
        with Held():
            yield db.write("x", 1)
        yield lock.release(lease)

    report = Scenario(lock=Lock(), db=Database()).explore(hold, crashes=1)
    assert report.claim == "stuck"
    assert events(report.counterexample) == ["A lock.acquire", "crash A"]


def test_finally_blocks_that_yield_print_nothing():
    program = "import tests.test_explore_known_answers as known; known.explore_what_tidies_up()"
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def explore_what_tidies_up():
    def tidy_first(db):
        try:
            yield db.read("x")
            yield db.read("y")
        finally:
            yield db.write("x", 1)

    def x_stays_away(db):
        return "x" not in db

    for claims in ({}, {"always": [x_stays_away]}):
        scenario = Scenario(lock=Lock(), db=Database(), workers=2, **claims)
        for worker in (tidy_first, tidy):
            report = scenario.explore(worker, crashes=1)
            str(report)
            report.sample(3)
            scenario.explore(worker, crashes=2, max_states=5)
            if report.counterexample:
                scenario.replay(worker, report)
                scenario.replay(twelve_reads, report.token)


# Time


def test_a_property_of_the_clock_sees_the_time_that_passed():
    def it_is_early(clock):
        return clock.seconds < 10

    def nap(clock):
        yield clock.sleep(20)

    report = Scenario(clock=Clock(), always=[it_is_early]).explore(nap, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "it_is_early")


def test_a_renewed_lease_that_runs_out_is_shown():
    def renew(lock, db):
        lease = yield lock.acquire(ttl=5)
        yield lock.renew(lease, ttl=5)
        yield db.write("x", "begun")
        yield db.write("x", "done")

    def x_is_written_under_the_lock(lock, db):
        return db["x"] != "begun" or lock.holder is not None

    scenario = Scenario(lock=Lock(), db=Database(), always=[x_is_written_under_the_lock])
    report = scenario.explore(renew, pauses=1)
    # A lease that is renewed is another timer, whichever way the search came to where it runs out.
    assert report.verdict == "violated"
    assert report.counterexample.faults == ["pause"]


# LocalStates that are one, and histories that are not


def same_with_and_without_merging(scenario, worker, **budget):
    system = system_of(scenario, worker)
    merged, plain = (explore(system, Budget(budget), Limits(states=3_000), merge=merge) for merge in (True, False))
    assert (merged.verdict, merged.claim) == (plain.verdict, plain.claim)
    assert merged.schedules == plain.schedules
    assert merged.outcomes == plain.outcomes
    return merged


def choosing():
    return Scenario(db=Database(), dice=Random())


def test_a_loop_that_asks_the_same_is_one_place():
    def poll(db, dice):
        while True:
            if (yield dice.choice([True, False])):
                return

    scenario = choosing()
    merged = explore(system_of(scenario, poll), Budget({}), Limits())
    assert (merged.verdict, merged.states, merged.schedules) == ("holds", 3, None)  # the start, the loop, the end


def test_a_list_behind_a_bound_method_is_part_of_a_place():
    def pop(db):
        left = ["end", "go", "go"].pop
        while left() == "go":
            yield db.write("x", 1)

    assert same_with_and_without_merging(choosing(), pop).schedules == 1


def test_an_attribute_of_a_function_is_part_of_a_place():
    def count(db):
        def bump():
            bump.n += 1
            return bump.n

        bump.n = 0
        while bump() < 3:
            yield db.write("x", 1)

    assert same_with_and_without_merging(choosing(), count).schedules == 1


def test_keyword_defaults_are_part_of_a_place():
    def remember(db, dice):
        chosen = yield dice.choice([1, 2])
        recall = lambda *, chosen=chosen: chosen  # noqa: E731
        del chosen
        yield db.read("x")
        yield db.write("x", recall())

    assert len(same_with_and_without_merging(choosing(), remember).outcomes) == 2


def test_an_undeclared_attribute_of_a_dataclass_is_part_of_a_place():
    def fill(db, dice):
        cart = Cart()
        cart.items.append((yield dice.choice([1, 2])))
        yield db.read("x")
        yield db.write("x", cart.items)

    assert len(same_with_and_without_merging(choosing(), fill).outcomes) == 2


@dataclass
class Cart:
    size: int = 0

    def __post_init__(self):
        self.items = []


def test_the_order_of_a_set_is_part_of_a_place():
    # 0 and 8 share a slot of a small set, so the one that came first is met first.
    def collect(db, dice):
        first = yield dice.choice([0, 8])
        seen = {first}
        seen.add(8 - first)
        del first
        yield db.read("x")
        yield db.write("x", list(seen))

    assert len(same_with_and_without_merging(choosing(), collect).outcomes) == 2


def test_the_iterator_of_a_loop_is_part_of_a_place():
    def thrice(db):
        for _ in (1, 1, 1):
            yield db.read("x")

    assert same_with_and_without_merging(choosing(), thrice).schedules == 1


def test_a_list_that_is_being_built_is_part_of_a_place():
    def build(db, dice):
        row = [(yield dice.choice([1, 2])), (yield dice.choice([1, 2])), (yield db.read("x"))]
        yield db.write("x", row)

    assert len(same_with_and_without_merging(choosing(), build).outcomes) == 4


def test_two_names_of_one_list_are_not_two_equal_lists():
    def alias(db, dice):
        one = [0]
        other = one if (yield dice.choice([True, False])) else [0]
        yield db.read("x")
        other.append(1)
        yield db.write("x", one)

    assert len(same_with_and_without_merging(choosing(), alias).outcomes) == 2


def test_an_error_that_is_being_handled_is_part_of_a_place():
    def handle(db, dice):
        chosen = yield dice.choice([1, 2])
        try:
            try:
                raise AlreadyExists("x") if chosen == 1 else OutcomeUnknown("x")
            except OperationError:
                del chosen
                yield db.read("x")
                raise
        except OperationError as error:
            yield db.write("x", type(error).__name__)

    assert len(same_with_and_without_merging(choosing(), handle).outcomes) == 2


def test_a_worker_who_is_back_where_it_began_can_crash():
    # It has taken a message meanwhile: its crash lets the timeout run out, and that is no pause.
    def take_all(inbox, db):
        while True:
            if (yield inbox.receive()).body == "stop":
                return

    def two_writes(inbox, db):
        yield db.write("x", 1)
        yield db.write("x", 2)

    scenario = Scenario(inbox=Queue(["a", "stop"], max_receives=1), db=Database())
    same_with_and_without_merging(scenario, [take_all, two_writes], crashes=1)


# What was once believed


def look_and_free(lock, db):
    if (yield lock.try_acquire("mine")):
        yield db.write("x", 1)
    yield lock.delete()


def only_its_holder_frees_it(lock):
    return lock.freed_by_others == 0


@pytest.mark.parametrize("fault", ["crashes", "power_losses"])
def test_who_comes_back_is_not_who_held_the_lock_whatever_ended_it(fault):
    # A power loss used to pass over locks without a ttl, as no timer of theirs was running.
    scenario = Scenario(lock=Lock(), db=Database(), always=[only_its_holder_frees_it])
    report = scenario.explore(look_and_free, **{fault: 1})
    assert report.claim == "only_its_holder_frees_it"
    assert size(scenario, look_and_free, report, **{fault: 1}) == (1, 0, 4)


@pytest.mark.parametrize("most", [11, 20])
def test_a_message_that_goes_to_the_dead_letters_late_is_no_livelock(most):
    # More than ten deliveries used to be taken for ever, also where max_receives ends them.
    scenario = Scenario(inbox=Queue(["a"], max_receives=most), db=Database({"row": 1}))
    report = scenario.explore(insert_row, crashes=0)
    assert (report.verdict, report.schedules, report.states) == ("holds", 1, 3 * most + 1)


def test_who_waits_for_ever_is_stuck_also_while_a_relay_goes_round():
    # A system that goes round for ever with all done that must be done used to be fine, whoever was left behind.
    def tidy_up(lock, db):
        lease = yield lock.acquire("mine")
        yield db.write("x", 1)
        yield lock.release(lease)

    def mail_is_sent_at_least_once(inbox):
        return inbox.sent >= 1

    things = {"db": Database({"outbox": "mail"}), "inbox": Queue(), "lock": Lock()}
    scenario = Scenario(**things, eventually=[mail_is_sent_at_least_once])
    report = scenario.explore([relay, tidy_up], crashes=1)
    assert (report.verdict, report.claim) == ("violated", "stuck")
    assert events(report.counterexample) == [
        "B lock.acquire", "crash B", "A db.read", "A inbox.send", "A db.write", "A db.read",
    ]  # fmt: skip
    assert "B waits at `lock.acquire(" in report.sentence and "while others go round" in report.sentence
    assert scenario.replay([relay, tidy_up], report).broken == "stuck"
    assert scenario.explore([relay, tidy_up], crashes=0).verdict == "holds"


# A proof of nothing says so before all else


def write_x(db):
    yield db.write("x", 1)
    yield db.write("x", 2)


def take_one(inbox):
    message = yield inbox.receive()
    yield inbox.ack(message)


def never_paid(bank):
    return bank.count("pay") == 0


def price_is_right(price):
    return price == 20


@pytest.mark.parametrize(
    ("workers", "claims", "said"),
    [
        ([write_x], {"always": [nothing_bad]}, "holds: "),
        ([write_x], {}, "holds, but no property was asked: "),
        (
            [write_x],
            {"always": [nothing_bad, never_paid]},
            "holds, but nothing that happens can change never_paid: ",
        ),
        ([write_x], {"eventually": [never_paid]}, "holds, but nothing that happens can change never_paid: "),
        (
            [write_x],
            {"always": [price_is_right]},
            "holds, but nothing that happens can change price_is_right: ",
        ),
        ([write_x, take_one], {"always": [nothing_bad]}, "holds, but B never took a step: "),
        (
            [take_one],
            {"always": [nothing_bad]},
            "holds, but nothing that happens can change nothing_bad, A never took a step and no crash",
        ),
    ],
)
def test_what_was_not_put_to_the_test_is_said_in_the_first_line(workers, claims, said):
    scenario = Scenario(db=Database(), bank=Service(), inbox=Queue(), price=20, **claims)
    report = scenario.explore(workers, crashes=1)
    assert str(report).startswith(said)
    assert len(str(report).splitlines()[0]) <= 100


def test_a_worker_that_can_only_be_struck_took_no_step():
    # A crash has no place before the first step, a lost message of an empty queue has none at all.
    report = Scenario(inbox=Queue(), always=[inbox_is_empty]).explore(take_one, crashes=1, redeliveries=1, outages=1)
    assert report.verdict == "holds"
    assert report.findings.idle_workers == ["A"]


def inbox_is_empty(inbox):
    return not inbox.ready


def test_where_a_property_is_false_or_a_sometimes_is_never_seen_there_is_no_holds_to_qualify():
    never = Scenario(db=Database(), bank=Service(), sometimes=[paid_once]).explore(write_x, crashes=0)
    assert (never.verdict, never.claim) == ("violated", "paid_once")


def paid_once(bank):
    return bank.count("pay") == 1


def test_a_system_of_many_resources_ends_as_a_system_of_the_few_that_it_uses():
    def first(lock_32):
        yield lock_32.acquire(ttl=9)

    def second(lock_00):
        yield lock_00.acquire(ttl=9)

    def ends(names):
        shop = Scenario(**{name: Lock() for name in names})
        outcomes = shop.explore([first, second], crashes=2).outcomes
        return {tuple(part for part in outcome if part[0] in ("lock_00", "lock_32")) for outcome in outcomes}

    assert ends([f"lock_{number:02}" for number in range(40)]) == ends(["lock_00", "lock_32"])
