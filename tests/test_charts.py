"""Survival curve, price tag and load curve, and the servers with a capacity that the last one draws."""

import math

import pytest

from simlib import Clock, Database, OutcomeUnknown, Queue, Scenario, Service, Unavailable, exponential
from simlib.errors import Mistake
from simlib.simulate import Conditions
from simlib.views import load_curve, price_tag, survival_curve
from simlib.views.chart import wilson
from tests.sample import charge, charge_once


def never_more_charges_than_orders(bank, inbox):
    return bank.count("charge") <= inbox.sent


def production(**more):
    claims = [never_more_charges_than_orders]
    return Scenario(inbox=Queue(visibility_timeout=900), bank=Service(), db=Database(), always=claims, **more)


def call(bank):
    yield bank.call("go")


@pytest.mark.parametrize("hits, of, low, high", [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)])
def test_wilson_s_interval_is_that_of_the_published_tables(hits, of, low, high):
    assert wilson(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


# Survival


def restless(bank, clock):
    yield bank.call("go")
    yield clock.sleep(10**9)


def called_once(bank):
    return bank.count("go") <= 1


@pytest.fixture(scope="module")
def doomed():
    """The first crash breaks it: after a time with an exponential distribution, 0.25 a day."""
    scenario = Scenario(bank=Service(), clock=Clock(), always=[called_once])
    return survival_curve(scenario, restless, days=10, runs=400, crashes_per_day=0.25, latency=0, restart=0)


def test_a_constant_rate_gives_the_exponential_survival_curve(doomed):
    for day in (1, 2, 4, 8):
        _, low, high = doomed.share("restless", day)
        assert low <= math.exp(-0.25 * day) <= high


def test_a_formula_stands_beside_what_was_simulated():
    scenario = Scenario(bank=Service(), clock=Clock(), always=[called_once])
    curve = survival_curve(
        scenario, restless, days=8, runs=5, formula=lambda day: math.exp(-0.25 * day), crashes_per_day=0.25, latency=0
    )
    assert "  by the formula: day 2: 61%, day 4: 37%, day 8: 14%" in str(curve)
    assert curve.picture.png().startswith(b"\x89PNG")


def test_half_are_bitten_by_the_median_of_the_curve(doomed):
    assert doomed.half_bitten("restless") == pytest.approx(math.log(2) / 0.25, rel=0.15)


def test_who_is_never_bitten_stays_at_all_of_them_with_an_interval_that_admits_doubt():
    curve = survival_curve(production(), charge_once, days=2, runs=20, arrivals=3600, crashes_per_day=20)
    share, low, high = curve.share("charge_once", 2)
    assert (share, high) == (1.0, 1.0)
    assert 0.83 < low < 0.84  # Wilson for 20 of 20
    assert curve.half_bitten("charge_once") is None
    assert "charge_once: none of 20 bitten in 2 days" in str(curve)


def test_the_survival_curve_s_text_has_the_finding_the_intervals_and_every_parameter():
    curve = survival_curve(
        production(workers=2), charge, charge_once, days=30, runs=20, arrivals=exponential(3600), crashes_per_day=2,
        latency={"bank": exponential(60), "*": 60},
    )  # fmt: skip
    title, first, second, small = str(curve).split("\n")
    assert title.startswith("charge: ") and "charge_once: none of 20 bitten" in title
    assert "on day 7.5: " in first and "[" in first and "100%" in second
    said = "latency bank exponential(60), else 60, arrivals exponential(3600), crashes per day 2"
    assert small == f"2 workers, 20 runs of each, seeds 0 to 19; 30 days, {said}. Bands: 95 % intervals (Wilson)."


def test_a_curve_of_one_run_or_of_nobody_is_refused():
    with pytest.raises(Mistake, match="runs=1: give a whole number from 2 on"):
        survival_curve(production(), charge, runs=1)
    with pytest.raises(Mistake, match="give the implementations"):
        survival_curve(production())


# Price


def charge_checked(inbox, bank, db):
    message = yield inbox.receive()
    if not (yield db.read(message.id)):
        yield bank.call("charge", 20, idempotency_key=message.id)
        yield db.write(message.id, "paid")
    yield inbox.ack(message)


def test_the_price_is_counted_in_steps_and_seconds():
    tag = price_tag(production(), charge, charge_checked, hours=2, arrivals=30, latency={"bank": 0.5, "*": 0.1})
    assert tag.of("charge").mean == pytest.approx(4, rel=0.01)
    assert tag.of("charge_checked").mean == pytest.approx(5, rel=0.01)
    assert tag.of("charge", "latency, median").mean == pytest.approx(0.7)  # the worker was waiting already
    assert tag.of("charge_checked", "latency, median").mean == pytest.approx(0.8)
    assert tag.of("charge", "tasks an hour").mean == pytest.approx(120, rel=0.02)
    assert str(tag).startswith("Against charge, charge_checked costs +25 % steps, +14 % median latency")


def test_what_costs_nothing_is_said_to_cost_nothing():
    tag = price_tag(production(), charge, charge_once, hours=1, arrivals=30)
    assert str(tag).startswith("Against charge, charge_once costs no more steps, the same median latency")


def test_a_price_of_no_task_at_all_is_refused():
    with pytest.raises(Mistake, match="charge completed no task in this time"):
        price_tag(production(), charge, hours=0.01)


# Servers with a capacity


def test_requests_beyond_the_capacity_wait_their_turn():
    run = Scenario(bank=Service(), workers=5).simulate(call, latency=1, capacity={"bank": 2})
    assert sorted(run.latencies) == [1, 1, 2, 2, 3]
    assert run.requests["bank"] == {0: 5}
    assert run.answered["bank"] == {1: 2, 2: 2, 3: 1}


def test_the_wait_at_two_servers_is_erlang_s():
    run = Scenario(bank=Service(), workers=26).simulate(
        call, seed=4, hours=30, arrivals=exponential(1), latency=exponential(1.4), capacity={"bank": 2}
    )
    load = 1.4 / 2  # M/M/2: the chance to wait is 2 r^2 / (1 + r), the wait then 1 / (2/1.4 - 1)
    wait = 2 * load**2 / (1 + load) / (2 / 1.4 - 1)
    assert run.mean_latency == pytest.approx(1.4 + wait, rel=0.03)


def test_a_client_that_gives_up_does_not_know_and_its_request_took_effect():
    def impatient(bank, db):
        try:
            yield bank.call("go")
        except OutcomeUnknown:
            yield db.write("gave up", True)

    run = Scenario(bank=Service(), db=Database()).simulate(impatient, latency={"bank": 5, "*": 0}, timeout={"bank": 2})
    assert (run["db"]["gave up"], run["bank"].count("go"), run.seconds) == (True, 1, 2)


def test_a_request_that_nobody_waits_for_keeps_its_place_in_the_line():
    def twice(bank):
        for _ in range(2):
            try:
                yield bank.call("go")
            except OutcomeUnknown:
                pass

    run = Scenario(bank=Service()).simulate(twice, latency=3, capacity={"bank": 1}, timeout={"bank": 4})
    assert run.seconds == 6  # in time, one after the other
    run = Scenario(bank=Service()).simulate(twice, latency=3, capacity={"bank": 1}, timeout={"bank": 2})
    assert run.seconds == 4  # gave up at 2 s; its first request was still being served when it gave up again


def test_who_is_down_refuses_and_keeps_nobody_waiting():
    def patient(bank, clock):
        while True:
            try:
                return (yield bank.call("go"))
            except Unavailable:
                yield clock.sleep(10)

    scenario = Scenario(bank=Service(), clock=Clock())
    run = scenario.simulate(patient, latency={"bank": 1, "*": 0}, capacity={"bank": 1}, down={"bank": (0, 30)})
    assert (run.counts["outages"], run["bank"].count("go"), run.seconds) == (3, 1, 34)  # asks at 0, 11, 22 and 33


def test_who_is_stalled_takes_requests_in_and_answers_them_afterwards():
    scenario = Scenario(bank=Service(), workers=3)
    run = scenario.simulate(call, latency=1, capacity={"bank": 2}, stalled={"bank": (0.5, 10)})
    assert sorted(run.latencies) == [1, 1, 11]  # those that it had begun it ends
    assert run.answered["bank"] == {1: 2, 11: 1}


def test_nobody_stalls_who_has_no_line():
    with pytest.raises(Mistake, match="bank has no line to wait in"):
        Scenario(bank=Service()).simulate(call, stalled={"bank": (0, 1)})


def test_a_task_that_finds_everybody_busy_is_refused_and_counted():
    run = Scenario(bank=Service()).simulate(call, hours=59 / 3600, arrivals=10, latency=25)
    assert (run.completed, run.counts["refused task"]) == (1, 3)  # 10 s goes on until 35 s, 40 s until 65 s


def test_outcomes_under_timeouts_are_ones_that_explore_reaches_with_lost_replies():
    def charge_again(bank):
        for _ in range(2):
            try:
                return (yield bank.call("charge", 20))
            except OutcomeUnknown:
                pass

    scenario = Scenario(bank=Service(), workers=2)
    reachable = scenario.explore(charge_again, lost_replies=4).outcomes
    runs = [
        scenario.simulate(charge_again, seed=seed, latency=exponential(1), capacity={"bank": 1}, timeout={"bank": 1.5})
        for seed in range(200)
    ]
    assert {run.outcome for run in runs if run.settled} <= reachable
    assert len({run.outcome for run in runs}) >= 3


# Load


def retry_at_once(bank):
    for _ in range(6):
        try:
            return (yield bank.call("go"))
        except (Unavailable, OutcomeUnknown):
            pass
    raise Unavailable("go")


def test_the_load_curve_counts_what_reaches_the_server_before_while_and_after():
    curve = load_curve(
        Scenario(bank=Service(), workers=10), "bank", call, hours=5 / 60, arrivals=1, latency=0.5,
        capacity={"bank": 2}, down={"bank": (100, 130)},
    )  # fmt: skip
    assert curve.requests("call", 10, 90) == 1
    assert curve.answered("call", 10, 90) == 1
    assert curve.answered("call", 101, 129) == 0
    assert str(curve).startswith("bank recovers under call\n")


def test_a_load_curve_needs_a_server_with_a_capacity():
    with pytest.raises(Mistake, match="name a resource"):
        load_curve(Scenario(bank=Service()), "bank", call)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"capacity": 4}, "capacity=4: say of which resource"),
        ({"capacity": {"bank": 0}}, "capacity of bank=0: give a whole number of requests from 1 on"),
        ({"capacity": {"bnk": 1}}, "capacity of `bnk`: there are bank"),
        ({"timeout": 3}, "timeout=3: say of which resource"),
        ({"timeout": {"bank": -1}}, "timeout of bank=-1: give a number of seconds above 0"),
        ({"down": {"bank": 3}}, "bank: 3: give from when to when"),
    ],
)
def test_conditions_that_make_no_sense_are_refused_in_words(wrong, said):
    with pytest.raises(Mistake, match=said):
        Scenario(bank=Service()).simulate(call, **wrong)


def test_conditions_print_what_was_set_and_nothing_else():
    conditions = Conditions(hours=72, arrivals=exponential(5), capacity={"bank": 3}, down={"bank": (60, 90)})
    assert str(conditions) == "3 days, arrivals exponential(5), capacity bank 3, down bank 60 to 90"


@pytest.mark.parametrize("chart", ["survival", "price", "load"])
def test_every_chart_is_a_picture_with_an_alternative_text(chart):
    made = {
        "survival": lambda: survival_curve(production(), charge, days=1, runs=3, arrivals=3600),
        "price": lambda: price_tag(production(), charge, hours=1, arrivals=60),
        "load": lambda: load_curve(Scenario(bank=Service()), "bank", call, arrivals=9, hours=0.1, capacity={"bank": 1}),
    }[chart]()
    data, more = made._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == str(made)
    assert more["image/png"]["alt"].startswith(str(made).split("\n")[0])
