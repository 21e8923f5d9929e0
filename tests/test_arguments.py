"""What the face cannot take: a name that nobody knows, an argument in another's place, a number that is none, a token
that is none. Each is a Mistake in a few words, and never an error of Python's own; nothing of it is taken in silence.
"""

import dataclasses
import inspect
import math
from decimal import Decimal
from fractions import Fraction

import numpy
import pytest

import simlib
from simlib import Clock, Database, Disk, Lock, Queue, Scenario, Service, audit, compare, exponential, lanes, sweep
from simlib.arguments import as_number
from simlib.course import crash_rate_slider, crash_slider, workers_slider
from simlib.errors import DoesNotHold, Mistake, Unfinished
from simlib.model.fault import KINDS
from simlib.model.operation import Op
from simlib.model.properties import Property
from simlib.scenario import CONDITIONS
from simlib.schedule.budget import Limits, Question
from simlib.simulate.conditions import CHANCES, RATES
from simlib.views import board, failure_matrix, interleaving_map, load_curve, player, price_tag, survival_curve
from simlib.views import crash_strip as strip


def charge(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield inbox.ack(message)


def charge_once(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge", 20, idempotency_key=message.id)
    yield inbox.ack(message)


def relay(outbox):
    message = yield outbox.receive()
    yield outbox.ack(message)


def charged_at_most_once(bank):
    return bank.count("charge") <= 1


def shop(**more):
    return Scenario(inbox=Queue(["order-1"]), bank=Service(), **{"always": [charged_at_most_once], **more})


def said(act):
    """The message of the mistake that this makes: in one short piece, whatever was given."""
    with pytest.raises(Mistake) as caught:
        act()
    assert "line 0" not in str(caught.value) and len(str(caught.value)) < 700
    return str(caught.value)


# A wrong name does not switch off a property


@pytest.mark.parametrize(
    "name, meant",
    [
        ("allways", "always"), ("Always", "always"), ("alwyas", "always"), ("alway", "always"),
        ("eventualy", "eventually"), ("eventual", "eventually"), ("EVENTUALLY", "eventually"),
        ("some_times", "sometimes"), ("sometime", "sometimes"),
        ("workerz", "workers"), ("worker", "workers"), ("num_workers", "workers"), ("wrokers", "workers"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("thing", [[charged_at_most_once], charged_at_most_once, 2, "x", None])
def test_a_name_that_is_nearly_a_scenarios_own_is_refused_whatever_it_is_given(name, meant, thing):
    assert said(lambda: shop(**{name: thing})).endswith(f"a scenario has no `{name}`. Did you mean `{meant}`?")


@pytest.mark.parametrize("name, meant", [("crashes", "crashes"), ("max_state", "max_states"), ("crash", "crashes")])
def test_what_belongs_to_a_question_is_not_a_value_of_a_scenario(name, meant):
    assert said(lambda: shop(**{name: 3})).endswith(f"said with the question: scenario.explore(worker, {meant}=...).")


@pytest.mark.parametrize("name", ["order", "orders", "timeout", "times", "ways", "steps", "markers", "retries"])
def test_an_honest_value_is_handed_to_workers_as_it_is(name):
    for value in ("o-1", 3, 2.5, None, True, [1, ("a", {"b": [3]})], Fraction(1, 3)):
        assert shop(**{name: value}).values == {name: value}


@dataclasses.dataclass
class Holder:
    held: object


def looping():
    endless = []
    endless.append(endless)
    return endless


NO_VALUE = {
    "a function": lambda: charged_at_most_once,
    "a lambda": lambda: lambda bank: True,
    "a list of functions": lambda: [charged_at_most_once],
    "a tuple of them": lambda: (charged_at_most_once,),
    "a set of them": lambda: {charged_at_most_once},
    "a dict of them": lambda: {"first": charged_at_most_once},
    "a dict by them": lambda: {charged_at_most_once: 1},
    "nested": lambda: [1, {"a": ({"b": [charged_at_most_once]},)}],
    "a method": lambda: Holder(1).__init__,
    "a builtin": lambda: len,
    "a class": lambda: Holder,
    "a class in a list": lambda: [Holder],
    "a callable instance": lambda: exponential(3),
    "a generator": lambda: charge(1, 2),
    "a property": lambda: Property(charged_at_most_once, ("bank",)),
    "a list of properties": lambda: [Property(charged_at_most_once, ("bank",))],
    "a step": lambda: Op("bank", "call"),
    "a step in a dataclass": lambda: Holder([Op("bank", "call")]),
    "a function in a dataclass": lambda: Holder(charged_at_most_once),
    "a resource in a list": lambda: [Queue()],
    "a resource in a dict": lambda: {"a": Queue()},
    "a resource's class in a list": lambda: [Queue],
    "a scenario": shop,
    "an object": object,
    "an iterator": lambda: iter([1]),
    "a list that contains itself": looping,
}


@pytest.mark.parametrize("thing", NO_VALUE.values(), ids=NO_VALUE)
def test_what_is_no_plain_data_is_no_value(thing):
    message = said(lambda: shop(checks=thing()))
    assert "plain data" in message or "cannot be stored, sent or compared" in message
    assert said(lambda: shop(checks=3).but(checks=thing())) == message  # nor does it become one


# Every function of the face says what it does not take


def everything():
    """Each function that a learner calls, with what it needs: its name, and how to call it with more."""
    one, report = shop(), shop().explore(charge)
    asked = {"happy_path": charge, "failure_mode": charge_once}
    yield "asking", one.asking
    for ask in (one.explore, one.simulate, one.run, one.attack, one.live):
        yield ask.__name__, lambda ask=ask, **more: ask(charge, **more)
    yield "replay", lambda **more: one.replay(charge, report, **more)
    yield "compare", lambda **more: compare(one, **asked, **more)
    yield "audit", lambda **more: audit(one, charged_at_most_once, careful=charge_once, broken=[charge], **more)
    yield "sweep", lambda **more: sweep(one, charge, seeds=[1], executor=1, **more)
    yield "load_curve", lambda **more: load_curve(one, "bank", charge, capacity={"bank": 1}, **more)
    yield "lanes", lambda **more: lanes(report, **more)
    for look in (board, strip, failure_matrix, interleaving_map, price_tag, survival_curve, player, crash_slider,
                 workers_slider, crash_rate_slider):  # fmt: skip
        yield look.__name__, lambda look=look, **more: look(one, charge, **more)


FACE = dict(everything())


@pytest.mark.parametrize("call", FACE)
def test_a_name_that_no_function_takes_is_refused_with_those_that_it_takes(call):
    message = said(lambda: FACE[call](zzzz=1))
    assert message.startswith(f"`zzzz` is nothing that {call} takes. It takes ")


@pytest.mark.parametrize(
    "call, name, meant",
    [
        ("explore", "max_state", "max_states"), ("explore", "workerz", "workers"),
        ("explore", "Crashes", "crashes"), ("simulate", "latancy", "latency"),
        ("simulate", "outage_chanse", "outage_chance"), ("asking", "alway", "always"),
        ("run", "crashafter", "crash_after"), ("attack", "worker_s", "workers"), ("live", "failures", "failure"),
        ("compare", "failure_modes", "failure_mode"), ("compare", "crash", "crashes"),
        ("audit", "borken", "broken"), ("sweep", "seedz", "seeds"), ("sweep", "hourz", "hours"),
        ("sweep", "bnak", "bank"), ("board", "workerz", "workers"), ("price_tag", "rnus", "runs"),
        ("survival_curve", "dayz", "days"), ("load_curve", "capcity", "capacity"), ("player", "failur", "failure"),
        ("workers_slider", "mots", "most"), ("crash_rate_slider", "rate", "rates"), ("lanes", "whatch", "watch"),
    ],
)  # fmt: skip
def test_a_near_miss_is_named(call, name, meant):
    assert said(lambda: FACE[call](**{name: 1})) == f"`{name}` is nothing that {call} takes. Did you mean `{meant}`?"


def test_too_few_and_too_many_arguments_are_said_in_words():
    one = shop()
    assert said(lambda: one.explore()) == (
        "explore(...) is missing a required argument: `worker`. Write explore(worker, workers=...)."
    )
    assert said(lambda: one.explore(charge, charge_once)) == (
        "explore(...) has too many positional arguments. Write explore(worker, workers=...)."
    )
    assert said(lambda: one.replay(charge)) == (
        "replay(...) is missing a required argument: `what`. Write replay(worker, what)."
    )
    assert (
        said(lambda: Scenario(Queue())) == "Scenario(...) has too many positional arguments. Write Scenario(name=...)."
    )
    needs = "Write compare(scenario, happy_path=..., failure_mode=...)."
    assert said(lambda: compare(one, charge, charge_once)) == f"compare(...) has too many positional arguments. {needs}"
    assert said(lambda: compare(one)) == f"compare(...) is missing a required argument: `happy_path`. {needs}"


@pytest.mark.parametrize("call", [*FACE, "happy_path"])
@pytest.mark.parametrize("thing", ["report", "trace", "token", "generator", "none", "list", "set", "scenario"])
def test_what_is_no_worker_is_refused_by_every_function(call, thing):
    one = shop()
    report = one.explore(charge)
    worker = {
        "report": report, "trace": report.counterexample, "token": report.token, "generator": charge(1, 2),
        "none": None, "list": [[charge]], "set": {charge}, "scenario": one,
    }[thing]  # fmt: skip
    ask = {
        "compare": lambda: compare(one, happy_path=charge, failure_mode=worker),
        "happy_path": lambda: compare(one, happy_path=worker, failure_mode=charge),
        "audit": lambda: audit(one, charged_at_most_once, careful=charge_once, broken=[worker]),
        "sweep": lambda: sweep(one, worker, executor=1, seeds=[1]),
        "replay": lambda: one.replay(worker, report),
        "load_curve": lambda: load_curve(one, "bank", worker, capacity={"bank": 1}),
        "asking": lambda: one.asking(always=[worker]),
        "lanes": lambda: lanes(worker) if thing not in ("report", "trace") else lanes(charge),
    }.get(call)
    if ask is None:
        looks = {look.__name__: look for look in (board, strip, failure_matrix, interleaving_map, price_tag,
                 survival_curve, player, crash_slider, workers_slider, crash_rate_slider)}  # fmt: skip
        ask = (lambda: looks[call](one, worker)) if call in looks else lambda: getattr(one, call)(worker)
    said(ask)


@pytest.mark.parametrize("call", [compare, audit, sweep, board, strip, price_tag, survival_curve, player, crash_slider])
def test_the_scenario_comes_first(call):
    rest = {
        compare: ((), {"happy_path": charge, "failure_mode": charge_once}),
        audit: ((shop(),), {"careful": charge_once, "broken": [charge]}),
    }.get(call, ((shop(),), {}))
    assert ": the scenario comes first. Write " in said(lambda: call(charge, *rest[0], **rest[1]))


@pytest.mark.parametrize(
    "call",
    [board, strip, failure_matrix, price_tag, survival_curve, crash_slider, workers_slider, crash_rate_slider, sweep],
)
def test_nobody_to_look_at_is_refused(call):
    assert said(lambda: call(shop())).startswith(f"give the implementations: {call.__name__}(scenario, worker, ...")


@pytest.mark.parametrize("call", [board, strip, failure_matrix, price_tag, survival_curve, crash_slider, sweep])
def test_two_of_one_name_would_hide_each_other(call):
    assert said(lambda: call(shop(), charge, charge)).startswith("two workers have one name: charge and charge.")


def test_an_audit_needs_a_property_and_a_list_of_broken_workers():
    for claim in (None, [charged_at_most_once], "charged", 3):
        message = said(lambda claim=claim: audit(shop(), claim, careful=charge_once, broken=[charge]))
        assert message.endswith("give the property, a plain function, without brackets.")
    for broken in (charge, None, "charge", []):
        message = said(lambda broken=broken: audit(shop(), charged_at_most_once, careful=charge_once, broken=broken))
        assert message.startswith("audit(..., careful=[...], broken=[...]): give workers")
    twice = said(lambda: audit(shop(), charged_at_most_once, careful=charge_once, broken=[charge, charge]))
    assert twice.startswith("two workers have one name")


def test_a_comparison_counts_workers_by_role():
    both = Scenario(inbox=Queue(["order-1"]), outbox=Queue(), bank=Service(), always=[charged_at_most_once])
    sides = {"happy_path": [charge, relay], "failure_mode": [charge_once, relay]}
    found = compare(both, **sides, workers={"charge": 3, "relay": 1})
    third = "runs concurrently with itself"
    casts = {
        side: [role.name for role in reports[third].system.cast.values()] for side, reports in found.reports.items()
    }
    assert casts == {"happy path": ["charge"] * 3 + ["relay"] * 2, "failure mode": ["charge_once"] + ["relay"] * 2}
    assert repr(found).endswith("; 3 charge and 2 relay in the third question.")
    assert said(lambda: compare(both, **sides, workers={"rely": 2})).endswith("Did you mean `relay`?")
    limited = compare(shop(), happy_path=charge, failure_mode=charge_once, max_states=10_000, max_seconds=None)
    assert "up to 1 crash and 1 redelivery; 2 workers" in repr(limited)


# A count has one name, and a chance another


@pytest.mark.parametrize("kind", KINDS)
def test_simulate_says_what_it_calls_a_count_of_explore(kind):
    for call in ("simulate", "price_tag", "survival_curve", "crash_rate_slider", "sweep", "load_curve"):
        message = said(lambda call=call: FACE[call](**{kind: 1}))
        name = {**CHANCES, **RATES}.get(kind, "Only explore")
        assert f"`{kind}` is nothing that {call} takes." in message and name in message


@pytest.mark.parametrize("kind, name", [*CHANCES.items(), *RATES.items()])
def test_explore_says_what_it_calls_a_chance_of_simulate(kind, name):
    for call in ("explore", "live", "compare", "audit", "board", "workers_slider"):
        message = said(lambda call=call: FACE[call](**{name: 0.5}))
        assert message.startswith(f"`{name}` is nothing that {call} takes.") and f"a count: {kind}=1." in message


def test_each_chance_is_in_the_signature_of_simulate_and_in_its_text():
    taken = inspect.signature(Scenario.simulate).parameters
    assert {*CHANCES.values()} < {*taken} and not any(one.kind is one.VAR_KEYWORD for one in taken.values())
    assert not {*CONDITIONS} & {*KINDS} and {*Question.__annotations__} >= {*KINDS}
    for kind, name in CHANCES.items():
        run = Scenario(inbox=Queue(), disk=Disk(), bank=Service()).simulate(
            busy, hours=1, arrivals=5, **{name: 0.5}
        )  # fmt: skip
        assert run.counts[kind] > 0
        assert f"{name.replace('_', ' ')} 0.5" in str(run.conditions)


def busy(inbox, disk, bank):
    message = yield inbox.receive()
    yield disk.write("f", "x")
    yield bank.call("go")
    yield inbox.ack(message)


# A number is a number

NO_NUMBER = [
    True, False, "1", None, math.nan, math.inf, -1, [1], 1j, Decimal(1), 10**400, Fraction(10**500, 3),
    numpy.bool_(True)
]  # fmt: skip
NO_COUNT = [*NO_NUMBER, 1.0, 0.5, Fraction(1, 2), numpy.float64(1), 2**63]
WITHOUT = {"workers", "max_seconds", "arrivals", "crash_after", "capacity", "max_receives", "visibility_timeout"}
COUNTS = {
    "a fault": lambda n: shop().explore(charge, crashes=n),
    "a fault, live": lambda n: shop().live(charge, crashes=n),
    "a seed, live": lambda n: shop().live(charge, seed=n),
    "workers of a scenario": lambda n: shop(workers=n),
    "workers of a scenario, by name": lambda n: shop(workers={"charge": n}),
    "workers by name": lambda n: shop().explore(charge, workers={"charge": n}),
    "workers compared by name": lambda n: compare(
        shop(), happy_path=charge, failure_mode=charge_once, workers={"charge": n}
    ),
    "max_states": lambda n: shop().explore(charge, max_states=n),
    "a seed": lambda n: shop().simulate(charge, seed=n),
    "a capacity": lambda n: shop().simulate(charge, capacity={"bank": n}),
    "runs of a curve": lambda n: survival_curve(shop(), charge, days=1, runs=n),
    "runs of a price": lambda n: price_tag(shop(), charge, runs=n),
    "a seed of a price": lambda n: price_tag(shop(), charge, seed=n),
    "most": lambda n: workers_slider(shop(), charge, most=n),
    "seeds": lambda n: sweep(shop(), charge, seeds=[n], executor=1),
    "all seeds": lambda n: sweep(shop(), charge, seeds=n if not isinstance(n, list) else [n], executor=1),
}
OPTIONAL_COUNTS = {
    "workers": lambda n: shop().explore(charge, workers=n),
    "crash_after": lambda n: shop().run(charge, crash_after=n),
    "max_receives": lambda n: Queue(max_receives=n),
    "capacity": lambda n: Disk(capacity=n),
}
NUMBERS = {
    "max_megabytes": lambda n: shop().explore(charge, max_megabytes=n),
    "hours": lambda n: shop().simulate(charge, hours=n),
    "latency": lambda n: shop().simulate(charge, latency=n),
    "latency by name": lambda n: shop().simulate(charge, latency={"bank": n}),
    "a drawn latency": lambda n: shop().simulate(charge, latency=lambda chance: n),
    "arrivals by name": lambda n: shop().simulate(charge, arrivals={"inbox": n}),
    "a rate": lambda n: shop().simulate(charge, crashes_per_day=n),
    "restart": lambda n: shop().simulate(charge, restart=n),
    "pause": lambda n: shop().simulate(charge, pause=n),
    "a chance": lambda n: shop().simulate(charge, outage_chance=n),
    "timeout": lambda n: shop().simulate(charge, timeout={"bank": n}),
    "down from": lambda n: shop().simulate(charge, down={"bank": (n, 9)}),
    "down until": lambda n: shop().simulate(charge, down={"bank": (0, n)}),
    "stalled": lambda n: shop().simulate(charge, capacity={"bank": 1}, stalled={"bank": (0, n)}),
    "a mean": exponential,
    "days": lambda n: survival_curve(shop(), charge, days=n, runs=2),
    "rates": lambda n: crash_rate_slider(shop(), charge, rates=[n]),
    "a time to live": lambda n: Scenario(lock=Lock()).run(
        lambda lock: (yield lock.acquire(ttl="1" if n is None else n))
    ),
    "a sleep": lambda n: Scenario(clock=Clock()).run(lambda clock: (yield clock.sleep(n))),
}
OPTIONAL_NUMBERS = {
    "max_seconds": lambda n: shop().explore(charge, max_seconds=n),
    "visibility_timeout": lambda n: Queue(visibility_timeout=n),
}


EVERY_COUNT = {**COUNTS, **OPTIONAL_COUNTS}


@pytest.mark.parametrize("name", EVERY_COUNT)
def test_a_count_is_a_whole_number(name):
    for number in NO_COUNT:
        if number is not None or name in COUNTS:  # the others may be left out
            said(lambda number=number: EVERY_COUNT[name](number))


MEASURES = {**NUMBERS, **OPTIONAL_NUMBERS}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_a_finite_number(name):
    for number in NO_NUMBER:
        if number is not None or name in NUMBERS:
            said(lambda number=number: MEASURES[name](number))


def test_a_fence_is_no_answer():
    def fenced(db):
        yield db.write("x", 1, fence=True)

    assert "a fence is a number that grows" in said(lambda: Scenario(db=Database()).explore(fenced))


def test_numbers_of_other_libraries_count_as_pythons_own():
    three, half = numpy.int64(3), numpy.float32(0.5)
    assert shop().explore(charge, crashes=three).token == shop().explore(charge, crashes=3).token
    assert shop(workers=three).workers == 3
    assert type(shop().simulate(charge, seed=three).seed) is int
    run = shop().simulate(charge, latency=Fraction(1, 2), outage_chance=half, seed=1)
    assert repr(run) == repr(shop().simulate(charge, latency=0.5, outage_chance=0.5, seed=1))
    assert "latency 0.5" in str(run.conditions)
    assert [as_number(one) for one in (three, half, Fraction(1, 4), True, math.nan)] == [3, 0.5, 0.25, None, None]


# Tokens

A_TOKEN = shop().explore(charge).token
NO_TOKEN = [
    "", "-", "0", "01", "27", "99", "13.14", "1z1", "1x1", "1C1", "1c0", "1c01", "1c32", "1c99", "1c1c1", "1c1c2",
    "1c", "c1", "1" * 5_000, "1c" + "1" * 5_000, "1c1-t" + "1" * 5_000, "1c1-Agw(" + "1" * 5_000 + ")",
    "A" * 60_000, "1c1-" + "A" * 60_000, "1c1-" + "Aab" * 20_000 + "!", "²", "1c²", "\u0661c\u0661",
    "1c1-A\u0661\u0661", "1c1-t\u0661", "1c1-Agw(\u0661)", "1c1-", "1c1--xA", "1c1-x", "1c1-xA3", "1c1-x3",
    "1c1-t", "1c1-tA", "1c1-t2", "1c1-pA", "1c1-xB", "1c1-Zgw", "1c1-A", "1c1-Ag", "1c1-Agw()", "1c1-Agw(-1)",
    "1c1-p(9999999)", f"{A_TOKEN}\n", f" {A_TOKEN}", f"{A_TOKEN} ", A_TOKEN.upper(), "1c1-A\x1b[31m\x00",
    "1c1-\ud800", "None",
]  # fmt: skip


@pytest.mark.parametrize("token", NO_TOKEN, ids=range(len(NO_TOKEN)))
@pytest.mark.parametrize("ask", [shop().replay, shop().live])
def test_what_is_no_token_is_told_what_one_looks_like(ask, token):
    message = said(lambda: ask(charge, token))
    assert " is no token of a verdict: " in message and 'such as "2c1r1-Ak2f0-xA"' in message
    assert len(message) < 340 and message.isprintable()


WHAT = [None, 3, True, A_TOKEN.encode(), ["1c1"], charge, shop()]


@pytest.mark.parametrize("what", WHAT, ids=lambda one: type(one).__name__)
def test_what_is_neither_report_nor_trace_nor_token_cannot_be_played(what):
    assert said(lambda: shop().replay(charge, what)).endswith(": give a report, a trace or a token.")


def test_a_token_of_more_roles_than_were_given_is_refused():
    assert said(lambda: shop().replay(charge, "1.1")) == (
        '"1.1" is a verdict on 2 workers\' functions, as a list, and got charge.'
    )


@pytest.mark.parametrize(
    "first", [A_TOKEN, shop().explore(charge), shop().run(charge)], ids=["token", "report", "trace"]
)
def test_in_a_replay_the_worker_comes_first(first):
    for ask in (shop().replay, shop().live):
        assert ": the worker comes first: " in said(lambda ask=ask: ask(first, charge))


def test_steps_of_a_token_that_are_not_there_are_parted_from_and_not_refused():
    assert shop().replay(charge, "1c1-Azzzz-xA").parted == 0
    assert shop().replay(charge, A_TOKEN).broken == "charged_at_most_once"


# Moves of an attack

NO_MOVE = [
    "", "A ", "A\n", "A 0", "A 501", "A -1", "A 1.5", "A ²", "A \u0663", "A " + "9" * 5_000, "a", "B", "A:", "A: ",
    "A:lost reply", "A: crash", "A: lost reply\n", "crash", "crash Z", "crash  A", "expire", "expire nosuch",
    "expire " + "x" * 60_000, "x" * 60_000, "Power loss", "power loss ", "\x1b[31mA", None, 3, True, b"A", ["A"],
]  # fmt: skip


@pytest.mark.parametrize("move", NO_MOVE, ids=range(len(NO_MOVE)))
def test_what_is_no_move_is_told_what_one_looks_like(move):
    message = said(lambda: shop().attack(charge, move))
    assert message.isprintable() and len(message) < 480


def test_a_timer_of_what_is_not_there_is_refused_with_the_near_miss():
    assert said(lambda: shop().attack(charge, "expire inbx")) == (
        '"expire inbx": there is no such resource, but inbox and bank. Did you mean `inbox`?'
    )
    assert said(lambda: shop().attack(charge, "A", "expire bank")) == (
        '"expire bank": no timer of bank is running now; timers of inbox are.'
    )


# Where a line is not known, none is named


def test_no_message_names_a_line_zero():
    scope = {"Op": Op}
    exec("def odd(db):\n    yield Op('db', 'write', ([], 1))\n    yield Op('db', 'nosuch')", scope)
    assert said(lambda: Scenario(db=Database()).explore(scope["odd"])).startswith("odd: `db.write([], 1)` cannot")
    nowhere = scope["odd"]
    nowhere.__code__ = nowhere.__code__.replace(co_firstlineno=0)
    assert said(lambda: Scenario(bank=Service()).explore(nowhere)).startswith("odd: it asks for `db`")


# A search that was stopped is no failed test


def grow(db):
    for number in range(40):
        yield db.write(number, number)


def test_a_search_that_was_stopped_raises_another_error_than_a_violation():
    report = Scenario(db=Database(), workers=3).explore(grow, max_states=100)
    with pytest.raises(Unfinished) as caught:
        report.assert_holds()
    assert not isinstance(caught.value, (AssertionError, DoesNotHold, Mistake))
    message = " ".join(str(caught.value).split())
    assert "lower workers=3" in message and "raise max_states" in message and "max_seconds=None" in message
    assert caught.value._render_traceback_() == [f"Unfinished: {caught.value}"]
    with pytest.raises(DoesNotHold):
        shop().explore(charge).assert_holds()


def test_without_a_limit_in_seconds_the_clock_on_the_wall_says_nothing(monkeypatch):
    times = iter(range(0, 10**9, 1_000))
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    assert Scenario(db=Database(), workers=2).explore(grow, crashes=0).verdict == "unfinished"
    report = Scenario(db=Database(), workers=2).explore(grow, crashes=0, max_seconds=None)
    assert report.verdict == "holds" and Limits(seconds=None).seconds is None


def test_the_public_names_are_checked_by_one_mechanism():
    for name in ("compare", "audit", "sweep", "lanes"):
        assert hasattr(getattr(simlib, name), "__wrapped__")
