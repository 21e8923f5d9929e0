"""What a trace says: who runs what, where in the learner's code a step stands, an error to its end. Word for word."""

import contextlib
import re

import pytest

from simlib import Clock, Database, Disk, Lock, Queue, Rejected, Scenario, Service, compare, lanes
from simlib.errors import DoesNotHold, Mistake
from simlib.model.operation import Where
from simlib.views.moments import NOW
from simlib.views.player import player
from tests.test_mistakes import cell, of_worker, said

KEY = "order-1 of the shop in Rotterdam, placed at noon"
USED = f'Rejected: idempotency key "{KEY}" was used for other arguments'


def shop(**more):
    return Scenario(db=Database(), bank=Service(), lock=Lock(), outbox=Queue(), clock=Clock(), disk=Disk(), **more)


def never(bank):
    return bank.count("charge") < 1


def charge(bank):
    yield bank.call("charge")


def relay(db):
    yield db.write("relay", "done")


def columns(trace):
    """When, who and where, of each event."""
    return [re.split(r"  +", line.strip())[:3] for line in str(trace).splitlines() if line.startswith("  ")]


# Who runs what


def test_a_trace_says_who_runs_what():
    assert str(shop().run(relay)).splitlines()[0] == "A runs relay."
    several = shop(workers={"charge": 2}).explore([charge, relay], crashes=0).sample(1)[0]
    assert str(several).splitlines()[0] == "A and B run charge; C runs relay."


def test_a_report_and_the_message_of_a_failed_test_say_who_runs_what_above_the_events():
    report = shop(workers={"charge": 2}, always=[never]).explore([charge, relay], crashes=0)
    with pytest.raises(DoesNotHold) as failed:
        report.assert_holds()
    for text in (str(report), str(failed.value)):
        lines = text.splitlines()
        assert lines[lines.index("") + 1] == "A and B run charge; C runs relay."
        assert lines[lines.index("") + 2].startswith("  1 s  A  line ")


def test_lanes_and_a_player_say_as_text_who_runs_what_unless_their_title_has_said_it():
    one, several = shop().run(charge), shop().run([charge, relay])
    assert str(lanes(one)).splitlines()[:2] == ["charge: nothing goes wrong", *one.lines()[:1]]
    assert str(lanes(several)).splitlines()[:2] == [
        "charge and relay: nothing goes wrong", "A runs charge; B runs relay.",
    ]  # fmt: skip
    assert repr(player(shop(), [charge, relay])).splitlines()[1] == "A runs charge; B runs relay."
    assert "A runs" not in str(compare(shop(), happy_path=charge, failure_mode=relay))


def test_a_run_of_simulate_and_one_for_real_say_who_runs_what():
    assert str(shop().simulate([charge, relay], trace=True).trace).startswith("A runs charge; B runs relay.\n")
    assert str(shop().live([charge, relay], crashes=0)).startswith("A runs charge; B runs relay.\n")


# Where in the learner's code

HELPER = cell("def load(db):\n    yield db.read('day')\n    total = yield db.read('total')\n    return total")
CALLER = cell("def work(db):\n    total = yield from load(db)\n    yield db.write('total', total)", load=HELPER)


@pytest.mark.parametrize("engine", ["run", "explore", "simulate", "live"])
def test_a_step_in_a_helper_says_its_own_line_and_the_line_that_called_it(engine):
    asked = {
        "run": lambda: shop().run(CALLER),
        "explore": lambda: shop().explore(CALLER, crashes=0).sample(1)[0],
        "simulate": lambda: shop().simulate(CALLER, trace=True, latency=1).trace,
        "live": lambda: shop().live(CALLER, crashes=0),
    }
    trace = asked[engine]()
    assert [str(event.where) for event in trace.events] == [
        "line 2 of load, from line 2", "line 3 of load, from line 2", "line 3",
    ]  # fmt: skip
    assert [event.line for event in trace.events] == [2, 2, 3]


def test_the_columns_of_a_trace_stay_aligned_beside_a_helper_s_step():
    assert shop().run(CALLER).lines() == [
        '  1 s  A  line 2 of load, from line 2  db.read("day") -> None',
        '  2 s  A  line 3 of load, from line 2  db.read("total") -> None',
        '  3 s  A  line 3                       db.write("total", None) -> None  db: total = None',
    ]


def test_a_helper_of_a_helper_is_placed_by_its_own_line_and_the_worker_s():
    outer = cell("def outer(db):\n\n\n    yield from load(db)", load=HELPER)
    worker = cell("def work(db):\n\n    yield from outer(db)", outer=outer)
    assert [str(event.where) for event in shop().run(worker).events] == [
        "line 2 of load, from line 3", "line 3 of load, from line 3",
    ]  # fmt: skip


def test_a_worker_that_calls_itself_is_placed_by_the_innermost_call():
    worker = cell("""
        def work(db, bank, depth=2):
            if depth:
                yield from work(db, bank, depth - 1)
            yield db.read("x")
    """)
    assert [str(event.where) for event in shop().run(worker).events] == [
        "line 4 of work, from line 3", "line 4 of work, from line 3", "line 4",
    ]  # fmt: skip


def test_a_library_s_generator_between_is_passed_over():
    library = {"__name__": contextlib.__name__}
    exec(compile("def through(steps):\n    return (yield from steps)", contextlib.__file__, "exec"), library)
    between = cell("def work(db):\n\n\n    yield from through(load(db))", load=HELPER, through=library["through"])
    assert columns(shop().run(between))[0] == ["1 s", "A", "line 2 of load, from line 4"]
    ours = cell("def work(db):\n    yield from through(iter([db.read('x')]))", through=library["through"])
    assert columns(shop().run(ours)) == [["1 s", "A", "line 2"]]


def test_a_step_of_a_list_that_is_yielded_from_has_the_worker_s_line():
    worker = cell("def work(db):\n    yield from [\n        db.read('x'),\n    ]")
    assert columns(shop().run(worker)) == [["1 s", "A", "line 2"]]


def test_a_player_lights_the_call_and_tells_the_helper_s_step():
    run = player(shop(), CALLER).stories[0].runs[0]
    lit = [[run.source.lines[place.row].number for place in moment.places] for moment in run.moments[1:4]]
    assert lit == [[2], [2], [3]]
    assert all(place.mode == NOW for moment in run.moments[1:4] for place in moment.places)


def test_a_helper_s_line_that_the_worker_has_too_lights_no_other_line_of_it():
    """Of another cell: its line 3 is not the worker's line 3."""
    worker = cell("def work(db):\n    total = yield from load(db)\n    return total", load=HELPER)
    run = player(shop(), worker).stories[0].runs[0]
    assert [[run.source.lines[place.row].number for place in m.places] for m in run.moments[1:3]] == [[2], [2]]


def test_who_waits_for_ever_in_a_helper_is_placed_there():
    taken = cell("def take(lock):\n    yield lock.acquire()\n    yield lock.acquire()")
    worker = cell("def work(lock):\n    yield from take(lock)", take=taken)
    assert shop().explore(worker, crashes=0, redeliveries=0).findings.found.because == (
        "A waits at `lock.acquire()` (line 3 of take, from line 2), for ever"
    )


def test_a_loop_in_a_helper_that_never_ends_is_placed_there():
    spins = cell("def spin(db):\n    while True:\n        yield db.read('x')")
    worker = cell("def work(db):\n    yield from spin(db)", spin=spins)
    because = shop().explore(worker, crashes=0).findings.found.because
    assert 'A `db.read("x")` (line 3 of spin, from line 2)' in because


def test_a_mistake_in_a_helper_names_the_helper_with_its_line():
    helper = cell("def load(db):\n    yield db.read('x')\n\n    yield 5")
    worker = cell("def work(db):\n    yield from load(db)", load=helper)
    assert said(lambda: shop().run(worker)).startswith("load, line 4: `yield 5` is not a step.")
    helper = cell("def load(db):\n    yield db.read('x')\n\n    db.write('x', 1)\n    yield db.read('x')")
    worker = cell("def work(db):\n    yield from load(db)", load=helper)
    assert said(lambda: shop().run(worker)).startswith('load, line 4: `db.write("x", 1)` was built but not yielded')
    assert of_worker("def work(db):\n    (lambda: db.read('x'))()\n    yield db.read('y')").startswith("work, line 2: ")


# A line that is not known


def lineless(text):
    """A worker whose code has no line numbers, as one that a program has put together."""
    worker = cell(text)
    worker.__code__ = worker.__code__.replace(co_linetable=b"", co_firstlineno=0)
    return worker


@pytest.mark.parametrize(
    "text",
    [
        "def work(db):\n    yield db.read('x')\n    raise KeyError('total')",
        "def work(lock):\n    yield lock.acquire()\n    yield lock.acquire()",
        "def work(db):\n    while True:\n        yield db.read('x')",
        "def work(db):\n    db.read('x')\n    yield db.read('x')",
        "def work(db):\n    yield 5",
        "def work(db):\n    pass",
        "def work(clock):\n    yield clock.sleep(1)",
        "def work(unknown):\n    yield unknown.read('x')",
    ],
)
def test_a_line_that_is_not_known_is_left_out(text):
    try:
        told = str(shop().explore(lineless(text))) + str(shop().run(lineless(text)))
    except Mistake as mistake:
        told = str(mistake)
    assert "work" in told
    assert "line" not in told
    assert "None" not in told.replace("-> None", "")


def test_a_property_whose_line_is_not_known_is_named_without_one():
    claim = lineless("def paid(db):\n    return 1")
    assert said(lambda: shop(always=[claim]).run(relay)).startswith("property paid: it returned 1.")


def test_a_timer_has_no_line():
    def works(lock):
        yield lock.acquire(ttl=10)

    trace = shop(workers=2).attack(works, "A", "expire lock")
    assert not any("line 0" in line for line in trace.lines())


def test_a_place_in_the_code_reads_as_a_sentence_does():
    assert str(Where(4)) == "line 4"
    assert str(Where(2, "load", 10)) == "line 2 of load, from line 10"
    assert [str(Where()), Where().aside, Where().of("charge")] == ["", "", "charge"]
    assert [str(Where(0, "load", 10)), str(Where(2, "load"))] == ["load, from line 10", "line 2 of load"]
    assert [Where(4).own, Where(2, "load", 10).own, Where(2, "load").own] == [4, 10, 0]
    assert [Where(4).aside, Where(4).of("charge")] == [" (line 4)", "charge, line 4"]


# Errors, to their end


def twice(bank):
    yield bank.call("charge", 20, idempotency_key=KEY)
    yield bank.call("charge", 21, idempotency_key=KEY)


def test_an_operation_s_error_is_told_to_its_end():
    """On as many lines as it takes, below each other."""
    worker = cell(f"""
        def twice(bank):
            yield bank.call("charge", 20, idempotency_key={KEY!r})
            try:
                yield bank.call("charge", 21, idempotency_key={KEY!r})
            except Rejected:
                yield bank.call("tell")
    """)
    assert shop().run(worker).lines() == [
        '  1 s  A  line 2  bank.call("charge", 20, idempotency_key="order-1 of the shop in           bank: 1 charge',
        '                    Rotterdam, plac…) -> "ok"',
        '  2 s  A  line 4  bank.call("charge", 21, idempotency_key="order-1 of the shop in',
        '                    Rotterdam, plac…) -> Rejected: idempotency key "order-1 of the shop in',
        '                    Rotterdam, placed at noon" was used for other arguments',
        '  3 s  A  line 6  bank.call("tell") -> "ok"                                                 '
        "bank: 1 charge, 1 tell",
    ]


def test_a_long_run_is_folded_by_events_and_not_within_one():
    def keeps_asking(bank):
        yield bank.call("charge", 20, idempotency_key=KEY)
        for _ in range(30):
            with contextlib.suppress(Rejected):
                yield bank.call("charge", 21, idempotency_key=KEY)

    lines = shop().run(keeps_asking).lines()
    assert [line for line in lines if "more" in line] == ["       ... 11 more ..."]
    assert sum("other arguments" in line for line in lines) == 11 + 8


def test_a_player_s_sentence_and_a_picture_s_alternative_text_have_an_error_to_its_end():
    page = player(shop(), twice)
    assert page.stories[0].runs[0].moments[2].said.endswith(f"-> {USED}, uncaught")
    picture = lanes(page.stories[0].runs[0].trace)
    assert f"worker A charge ({USED}, uncaught), then" in picture.alt
    assert [mark.above for mark in page.stories[0].scene.panels[0].marks if mark.kind == "block"][1] == (
        "Rejected, restarts"
    )


def test_an_exception_of_the_worker_s_own_is_told_with_its_line_and_to_its_end():
    message = "the total of the day before is not there, although the day has been closed and so has the shop"
    worker = cell(f"""
        def work(db):
            yield db.read("x")

            raise LookupError("{message}")
    """)
    report = shop().explore(worker, crashes=0)
    story = f'db.read("x") -> None, then raises LookupError: {message} (line 4)'
    assert [event.story() for event in report.counterexample.events] == [story]
    assert " ".join(" ".join(report.counterexample.lines()).split()) == f"1 s A line 2 {story}"
    assert report.findings.found.because == (
        f"work, line 4, raised LookupError: {message}, which is no answer of an operation"
    )


@pytest.mark.parametrize("engine", ["run", "simulate", "live"])
def test_an_exception_in_a_function_that_a_helper_calls_is_placed_where_it_was_raised(engine):
    parse = cell("def parse(text):\n\n    return text['total']")
    load = cell("def load(db):\n    return parse((yield db.read('x')) or {})", parse=parse)
    worker = cell("def work(db):\n\n\n    yield from load(db)", load=load)
    asked = {
        "run": lambda: shop().run(worker),
        "simulate": lambda: shop().simulate(worker, trace=True).trace,
        "live": lambda: shop().live(worker, crashes=0),
    }
    (event,) = asked[engine]().events
    assert event.story() == "db.read(\"x\") -> None, then raises KeyError: 'total' (line 3 of parse, from line 4)"
    assert str(event.where) == "line 2 of load, from line 4"


def test_an_exception_inside_a_library_is_placed_where_the_learner_calls_it():
    worker = cell("def work(db):\n    yield db.read('x')\n    json.loads('{')", json=__import__("json"))
    assert shop().run(worker).events[0].raised == Where(3)


def test_a_worker_s_own_operation_error_is_not_taken_for_the_answer_of_its_step():
    def answered(bank):
        yield bank.call("charge", 20, idempotency_key="a")
        try:
            yield bank.call("charge", 21, idempotency_key="a")
        except Rejected:
            raise Rejected("too late") from None

    event = shop().run(answered).events[1]
    assert event.story().endswith(f", then raises Rejected: too late (line {answered.__code__.co_firstlineno + 5})")


def test_a_picture_says_over_the_last_step_what_its_worker_raised():
    def fails(db):
        yield db.read("x")
        raise KeyError("total")

    (mark,) = [mark for mark in player(shop(), fails).stories[0].scene.panels[0].marks if mark.kind == "block"]
    assert mark.above == "raises KeyError"


def test_an_error_of_a_million_letters_is_told_by_its_first_thousand():
    worker = cell("def work(db):\n    yield db.read('x')\n    raise ValueError('y' * 1_000_000)")
    report = shop().explore(worker, crashes=0)
    assert len(str(report)) < 4_000
    assert "y" * 70 in str(report)
