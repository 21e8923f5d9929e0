"""What a learner gets for a mistake: what happened, where in their code, and what to write instead. Word for word.

The code under test is text, as in a cell of a notebook, so that its line numbers are its own.
"""

import functools
import itertools
import linecache
import os
import random
import re
import textwrap

import pytest

import simlib
from simlib import Clock, Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.errors import Hangs, Mistake, NotDeterministic, WorkerHangs
from simlib.watchdog import Watchdog

CELLS = itertools.count(1)


def cell(text, **names):
    """The last function that this cell defines."""
    source, name = textwrap.dedent(text).strip() + "\n", f"<cell {next(CELLS)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope = {**vars(simlib), "__name__": "__main__", **names}
    exec(compile(source, name, "exec"), scope)
    own = [thing for thing in scope.values() if getattr(thing, "__code__", None) and thing.__module__ == "__main__"]
    return own[-1]


def shop(**more):
    return Scenario(
        inbox=Queue(["order-1"]), outbox=Queue(), db=Database(), bank=Service(), lock=Lock(), disk=Disk(),
        clock=Clock(), dice=Random(), **more,
    )  # fmt: skip


def said(act, kind=Mistake):
    """The message of the mistake that this makes, which is what a learner is shown."""
    with pytest.raises(kind) as caught:
        act()
    assert caught.type is kind
    return str(caught.value)


def of_worker(text, scenario=None, kind=Mistake, **faults):
    return said(lambda: (scenario or shop()).explore(cell(text), **faults), kind)


def of_step(step):
    """What is said of a worker whose third line is this step, without its place."""
    asked = "inbox, outbox, db, bank, lock, disk, clock, dice"
    message = of_worker(f"def work({asked}):\n    yield db.read('x')\n    {step}")
    assert message.startswith("work, line 3: ")
    return message.removeprefix("work, line 3: ")


def of_property(text, **asked):
    nothing = cell("def nothing(db):\n    yield db.read('x')")
    return said(lambda: shop(always=[cell(text)]).explore(nothing, **asked))


def paid(db):
    return "x" not in db


def read(db):
    yield db.read("x")


# A mistake shows its message alone


def test_jupyter_shows_the_message_and_no_traceback():
    assert Mistake("charge, line 3: that.")._render_traceback_() == ["Mistake: charge, line 3: that."]
    assert WorkerHangs("charge hangs.")._render_traceback_() == ["WorkerHangs: charge hangs."]


def test_a_mistake_inside_a_worker_brings_no_other_exception_along():
    with pytest.raises(Mistake) as caught:
        shop().explore(cell("def work(db):\n    yield db.wirte('x', 1)"))
    assert caught.value.__suppress_context__


# Forgotten and misplaced yields


def test_a_forgotten_yield():
    assert of_worker(
        """
        def charge(inbox, bank):
            message = yield inbox.receive()
            bank.call("charge", 20)
            yield inbox.ack(message)
        """
    ) == (
        'charge, line 3: `bank.call("charge", 20)` was built but not yielded, so it never happened. '
        "Write `yield bank.call(...)` where you build it."
    )


def test_a_forgotten_yield_at_the_end():
    assert of_worker("def work(db):\n    yield db.read('x')\n    db.write('x', 1)") == (
        'work, line 3: `db.write("x", 1)` was built but not yielded, so it never happened. '
        "Write `yield db.write(...)` where you build it."
    )


@pytest.mark.parametrize(
    "use",
    ["message.body", "message + 1", "message > 1", "'id: ' + message", "message['body']", "len(message)", "[*message]"],
)
def test_a_forgotten_yield_whose_answer_is_used(use):
    assert of_worker(f"def work(inbox, db):\n    message = inbox.receive()\n    yield db.read({use})") == (
        "work, line 2: `inbox.receive()` was built but not yielded, so it never happened. "
        "Write `yield inbox.receive(...)` where you build it."
    )


def test_a_forgotten_yield_in_with():
    assert of_worker("def work(lock, db):\n    with lock.acquire():\n        yield db.read('x')") == (
        "work, line 2: `lock.acquire()` was built but not yielded, so it never happened. "
        "Write `yield lock.acquire(...)` where you build it."
    )


def test_a_forgotten_yield_before_the_error_is_passed_on():
    text = """
        def charge(inbox, bank):
            message = yield inbox.receive()
            try:
                yield bank.call("charge", 20)
            except Unavailable:
                inbox.nack(message)
                raise
    """
    assert of_worker(text, outages=1) == (
        'charge, line 6: `inbox.nack(inbox-1 "order-1")` was built but not yielded, so it never happened. '
        "Write `yield inbox.nack(...)` where you build it."
    )


def test_a_step_that_is_used_after_it_was_yielded():
    assert of_worker("def work(inbox):\n    step = inbox.receive()\n    yield step\n    print(step.body)") == (
        "work, line 4: a step is used as if it were its answer. Write `answer = yield ...`, use `answer`."
    )


def test_yield_of_a_helper():
    assert (
        of_worker(
            """
        def helper(db):
            yield db.write("x", 1)

        def work(db):
            yield helper(db)
        """
        )
        == "work, line 5: `yield helper(...)` hands over a generator. Write `yield from helper(...)`."
    )


def test_a_mistake_in_a_helper_is_placed_in_the_helper():
    assert (
        of_worker(
            """
        def helper(lock):
            yield lock.acquire(ttl=0)

        def work(lock):
            yield from helper(lock)
        """
        )
        == "helper, line 2: ttl=0: give a number of seconds above 0."
    )


@pytest.mark.parametrize(
    "step, message",
    [
        ("yield", "a `yield` with nothing to do. Yield a step, such as `yield db.read(key)`."),
        ("yield 3", "`yield 3` is not a step. Yield what a resource's method gives: `yield db.read(key)`."),
        ("yield db", "`yield a Database` is not a step. Yield what a resource's method gives: `yield db.read(key)`."),
        ("yield db.read", "`yield db.read` is not a step yet. Call it: `yield db.read(...)`."),
        (
            "yield [db.read(1), db.read(2)]",
            "`yield [db.read(1), db.read(2)]` is not a step. "
            "Yield what a resource's method gives: `yield db.read(key)`.",
        ),
    ],
)
def test_yield_of_what_is_no_step(step, message):
    assert of_step(step) == message


@pytest.mark.parametrize("body", ["db.write('x', 1)", "db.read('x')['a']", "return 3", "pass"])
def test_a_worker_without_yield(body):
    assert of_worker(f"def work(db):\n    {body}") == (
        "work, line 1: there is no `yield`, so it has no steps: it would do nothing. "
        "Put `yield` before each call that touches a resource: `yield db.write(key, value)`."
    )


@pytest.mark.parametrize("step", ["await db.read('x')", "yield db.read('x')"])
@pytest.mark.filterwarnings("error")
def test_an_async_worker(step):
    assert of_worker(f"async def work(db):\n    {step}") == (
        "work, line 1: an `async def` is no worker. Write `def`, and `yield` instead of `await`."
    )


# Names


def test_an_unknown_resource():
    assert of_worker("def work(bnak):\n    yield bnak.call('charge')") == (
        "work, line 1: it asks for `bnak`, and the scenario has bank, clock, db, dice, disk, inbox, lock, outbox and "
        "me. Did you mean `bank`? Rename the parameter, or add it: Scenario(bnak=...)."
    )


def test_an_unknown_resource_that_is_like_none():
    assert of_worker("def work(ledger):\n    yield ledger.read('x')", Scenario(db=Database())) == (
        "work, line 1: it asks for `ledger`, and the scenario has db and me. "
        "Rename the parameter, or add it: Scenario(ledger=...)."
    )


def test_a_property_asks_for_an_unknown_resource():
    assert said(lambda: Scenario(bank=Service(), always=[cell("def charged(bnak):\n    return True")])) == (
        "charged, line 1: it asks for `bnak`, and the scenario has bank. Did you mean `bank`? "
        "Rename the parameter, or add it: Scenario(bnak=...)."
    )


@pytest.mark.parametrize("parameter", ["*resources", "**resources"])
def test_parameters_without_names(parameter):
    assert of_worker(f"def work({parameter}):\n    yield 1") == (
        f"work, line 1: `{parameter}`: a worker's parameters are named after resources, one by one."
    )


STEPS = (
    "add, begin, commit, compare_and_set, compare_scan, delete, expire, insert, next_id, read, rollback, scan, "
    "transaction, update and write"
)


def test_a_misspelt_step():
    assert of_step("yield db.wirte('x', 1)") == (f"`db.wirte`: a Database has the steps {STEPS}. Did you mean `write`?")
    assert of_step("yield inbox.recieve()") == (
        "`inbox.recieve`: a Queue has the steps ack, nack, receive and send. Did you mean `receive`?"
    )


def test_a_misspelt_step_that_the_worker_swallows():
    assert of_worker(
        """
        def work(db):
            try:
                yield db.delet("cache")
            except Exception:
                pass
            yield db.write("x", 1)
        """
    ) == (f"work, line 3: `db.delet`: a Database has the steps {STEPS}. Did you mean `delete`?")


@pytest.mark.parametrize(
    "step, message",
    [
        (
            "yield bank.call()",
            "`bank.call(...)` is missing a required argument: `action`. "
            "Write bank.call(action, *args, idempotency_key=None).",
        ),
        (
            "yield db.write('x')",
            "`db.write(...)` is missing a required argument: `row`. Write db.write(key, row, ttl=None, fence=None).",
        ),
        (
            "yield inbox.receive(1)",
            "`inbox.receive(...)` has too many positional arguments. Write inbox.receive(wait=None).",
        ),
        (
            "yield bank.call('charge', idempotency=1)",
            "`bank.call(...)` got an unexpected keyword argument `idempotency`. "
            "Write bank.call(action, *args, idempotency_key=None).",
        ),
        (
            "yield lock.release()",
            "`lock.release(...)` is missing a required argument: `lease`. Write lock.release(lease).",
        ),
    ],
)
def test_wrong_arguments_of_a_step(step, message):
    assert of_step(step) == message


@pytest.mark.parametrize("use", ["db['x']", "'x' in db", "len(db)", "[*db]"])
def test_a_resource_used_like_a_dict(use):
    assert of_step(f"yield db.read({use})").endswith(
        ". A worker reaches a resource by steps alone, such as `yield db.read(key)`."
    )


def test_what_a_resource_began_with_is_not_for_workers():
    assert of_step("db.rows['x'] = 1") == (f"`db.rows`: a Database has the steps {STEPS}.")


def test_a_resource_as_a_global():
    worker = cell("def work(inbox):\n    yield inbox.receive()\n    yield SAFE.read('x')", SAFE=Database())
    assert said(lambda: shop().explore(worker)) == (
        "work, line 3: `read` of a Database that belongs to no worker. A worker reaches a resource through a parameter "
        "with the name that the scenario gives it: Scenario(database=Database(...)) and def worker(database): ..."
    )


# What is passed as a worker


def test_several_shapes_of_worker_work():
    class Desk:
        def work(self, db):
            yield db.read("x")

    decorated = functools.wraps(read)(lambda *args, **kwargs: read(*args, **kwargs))
    for worker in (lambda db: (yield db.read("x")), Desk().work, decorated, [read], (read, read)):
        assert shop().explore(worker, crashes=0).verdict == "holds"


NO_WORKER = "A worker is a plain function, passed without brackets: `def charge(inbox, bank): ...`."


@pytest.mark.parametrize(
    "worker, message",
    [
        (
            [read(Database().handle("db", []))],
            "read(...) has been called already. Pass the worker itself: read, without brackets.",
        ),
        (functools.partial(read), f"a partial is no worker. {NO_WORKER}"),
        (Queue, f"Queue is no worker. {NO_WORKER}"),
        (print, f"a builtin_function_or_method is no worker. {NO_WORKER}"),
        (["read"], f'"read" is no worker. {NO_WORKER}'),
        ([], "give at least one worker."),
    ],
    ids=["a generator", "a partial", "a class", "a builtin", "a name", "nothing"],
)
def test_what_is_no_worker(worker, message):
    assert said(lambda: shop().explore(worker)) == message


class Callable:
    def __call__(self, db):
        yield db.read("x")


def test_an_instance_is_no_worker():
    assert said(lambda: shop().explore(Callable())) == f"a Callable is no worker. {NO_WORKER}"


# Scenarios


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Scenario(bank=Service), "bank=Service: write bank=Service(), with the brackets."),
        (
            lambda: Scenario(me=Lock()),
            "`me` is the name by which a worker asks who it is. Call your value something else.",
        ),
        (lambda: Scenario(db=Database(), always=paid), "give a list of properties: [paid]."),
        (
            lambda: Scenario(db=Database(), always=[True]),
            "True is no property. A property is a plain function, passed without brackets: "
            "`def charged(bank): return bank.count(...) == 1`.",
        ),
        (lambda: Queue("order-1"), 'Queue("order-1") would be one message per letter. Write Queue(["order-1"]).'),
        (lambda: Queue(5), "Queue(5): give a list of messages: Queue([5])."),
        (lambda: Queue({"id": 1}), 'Queue({"id": 1}): give a list of messages: Queue([{"id": 1}]).'),
        (lambda: Queue(visibility_timeout=0), "visibility_timeout=0: give a number of seconds above 0."),
        (lambda: Queue(visibility_timeout="30"), 'visibility_timeout="30": give a number of seconds above 0.'),
        (lambda: Queue(max_receives=0), "max_receives=0: give a whole number from 1 on, or leave it out."),
        (
            lambda: Database(["x"]),
            'Database(["x"]): give the first rows as a dict, such as Database({"key": 1}).',
        ),
        (lambda: Disk("f"), 'Disk("f"): give the first files as a dict, such as Disk({"state": "0"}).'),
        (lambda: Disk({"f": 3}), "Disk(..., 3): a file holds text. Write str(...) or json.dumps(...) around it."),
        (lambda: Disk(capacity=-1), "capacity=-1: give a whole number of characters from 0 on, or leave it out."),
        (lambda: Disk({"f": "abc"}, capacity=2), "capacity=2: the first files alone are larger."),
        (
            lambda: Database({"x": open}),
            "a builtin_function_or_method cannot be stored, sent or compared. "
            "Use plain data: text, numbers, None, tuples, lists, dicts, dataclasses.",
        ),
    ],
)
def test_a_wrong_description(make, message):
    assert said(make) == message


# Arguments of steps

TAKES = (
    "transaction(...) takes write, insert, update, add, delete, expire, compare_and_set or compare_scan of the same "
    "database,"
)
GUARD = "Read before it, as a step of its own, and guard with compare_and_set."
PLAIN = "Use plain data: text, numbers, None, tuples, lists, dicts, dataclasses."


@pytest.mark.parametrize(
    "step, message",
    [
        (
            "yield inbox.ack('inbox-1')",
            'ack("inbox-1"): that is not a message. Write `message = yield inbox.receive()` first, '
            "then `yield inbox.ack(message)`.",
        ),
        (
            "yield outbox.nack((yield inbox.receive()))",
            'nack(inbox-1 "order-1"): outbox never delivered it, inbox did. Write `yield inbox.nack(message)`.',
        ),
        (
            "yield lock.release('mine')",
            'release("mine"): that is not a lease. Write `lease = yield lock.acquire(ttl=10)` first, '
            "then `yield lock.release(lease)`.",
        ),
        (
            "yield lock.renew(3, ttl=10)",
            "renew(3): that is not a lease. Write `lease = yield lock.acquire(ttl=10)` first, "
            "then `yield lock.renew(lease, ttl=10)`.",
        ),
        (
            "yield lock.release(None)",
            "release(None): there is no lease, since try_acquire answers None while the lock is held. "
            "Ask first: `if lease is not None: ...`.",
        ),
        ("yield lock.acquire(ttl=0)", "ttl=0: give a number of seconds above 0."),
        ("yield lock.acquire(ttl='10')", 'ttl="10": give a number of seconds above 0.'),
        (
            "yield lock.renew((yield lock.acquire()), ttl=None)",
            "renew(..., ttl=None): give a number of seconds above 0.",
        ),
        (
            "yield db.transaction(db.read('x'), db.write('x', 1))",
            f'{TAKES} and got db.read("x"). {GUARD}',
        ),
        ("yield db.transaction(bank.call('charge'))", f'{TAKES} and got bank.call("charge"). {GUARD}'),
        ("yield db.transaction([db.write('x', 1)])", f'{TAKES} and got [db.write("x", 1)]. {GUARD}'),
        (
            "yield db.write('x', 1, fence=(yield lock.acquire()))",
            'fence=lease "A#1", token 1: a fence is a number that grows: fence=lease.token.',
        ),
        ("yield db.write(['x'], 1)", '["x"] cannot be a row\'s key. Use text, a whole number or a tuple of them.'),
        ("yield db.next_id(3)", "next_id(3): give the name of a sequence, as text."),
        ("yield db.scan(3)", "scan(3): give the beginning of the keys as text."),
        ("yield bank.call(20)", 'call(20): say first what to do, as text: call("charge", 20).'),
        ("yield clock.sleep(-1)", "sleep(-1): give a number of seconds, 0 or more."),
        ("yield clock.sleep('1')", 'sleep("1"): give a number of seconds, 0 or more.'),
        ("yield dice.choice([])", "choice([]): give at least one option, in a list, a tuple or a range."),
        ("yield dice.choice({1})", "choice({1}): give at least one option, in a list, a tuple or a range."),
        ("yield disk.write('f', 3)", "write(..., 3): a file holds text. Write str(...) or json.dumps(...) around it."),
        ("yield disk.read(3)", "3 is no file name. Give text."),
        (
            "yield db.write('x', lambda: 1)",
            f"<lambda> is a function, which cannot be stored, sent or compared. {PLAIN}",
        ),
        ("yield db.write('x', open('/dev/null'))", f"a TextIOWrapper cannot be stored, sent or compared. {PLAIN}"),
        ("yield inbox.send([db])", f"a Database cannot be stored, sent or compared. {PLAIN}"),
        (
            "yield (x := []).append(x) or db.write('x', x)",
            "a value that contains itself, or 50 levels of others, cannot be stored, sent or compared.",
        ),
    ],
)
def test_wrong_arguments(step, message):
    assert of_step(step) == message


def test_a_named_tuple_is_plain_data():
    worker = cell(
        """
        from typing import NamedTuple

        class Order(NamedTuple):
            id: int

        def work(db):
            yield db.write("x", Order(1))
        """
    )
    assert shop().explore(worker).verdict == "holds"


def test_a_choice_with_too_many_options():
    assert of_step("yield dice.choice(range(1000))") == (
        "`dice.choice(range(0, 1000))` has 1,000 options, and explore tries every one. "
        "Give it a few that stand for the rest, or measure with simulate, which draws one."
    )


# Questions


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"crashes": -1}, "crashes=-1: give a whole number from 0 to 31."),
        ({"crashes": 1.0}, "crashes=1.0: give a whole number from 0 to 31."),
        ({"crashes": "1"}, 'crashes="1": give a whole number from 0 to 31.'),
        ({"workers": 0}, "workers=0: give a whole number from 1 to 26."),
        ({"workers": 27}, "workers=27: give a whole number from 1 to 26."),
        ({"workers": 2.0}, "workers=2.0: give a whole number from 1 to 26."),
        ({"workers": "2"}, 'workers="2": give a whole number from 1 to 26.'),
        (
            {"workers": {"raed": 2}},
            'workers={"raed": 2}: there is no worker called raed, but read. Did you mean `read`?',
        ),
    ],
    ids=str,
)
def test_a_wrong_question(asked, message):
    assert said(lambda: shop().explore(read, **asked)) == message


FAULTS = (
    "crashes, node_losses, power_losses, redeliveries, lost_replies, outages, rejections, disk_full, pauses and stops"
)
TAKEN = f"workers, max_states, max_seconds, max_megabytes, {FAULTS}"


@pytest.mark.parametrize("name, meant", [("crash", "crashes"), ("outage", "outages"), ("wrokers", "workers")])
def test_a_misspelt_budget(name, meant):
    message = said(lambda: shop().explore(read, **{name: 1}))
    assert message == f"`{name}` is nothing that explore takes. Did you mean `{meant}`?"


def test_a_fault_that_is_like_none():
    message = said(lambda: shop().explore(read, meteors=1))
    assert message == f"`meteors` is nothing that explore takes. It takes {TAKEN}."


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda: shop().explore(None), f"None is no worker. {NO_WORKER}"),
        (
            lambda: shop().explore(read(Database())),
            "read(...) has been called already. Pass the worker itself: read, without brackets.",
        ),
        (lambda: shop(always=None), "give a list of properties: [None]."),
        (lambda: shop(always=3), "give a list of properties: [3]."),
        (lambda: shop().explore(read, max_states="5"), 'max_states="5": give a whole number from 1 on.'),
        (
            lambda: shop().run(read, crash_after="1"),
            'crash_after="1": give a whole number of steps from 0 on; 0 is no crash.',
        ),
        (lambda: shop().replay(read, 3), "replay(..., 3): give a report, a trace or a token."),
    ],
)
def test_what_must_not_come_out_as_an_error_of_simlib(ask, message):
    assert said(ask) == message


# Properties

GLOBAL = "this resource is a global. A property reaches it through a parameter of its name."


@pytest.mark.parametrize(
    "body, message",
    [
        ("db['x'] == 1", "it returned None. End it with `return` and what should be true."),
        ("return db['x']", 'it returned None. End it with `return` and what should be true.'),
        ("return bank.count('charge')",
         'it returned 0. Return True or False, such as `return bank.count("charge") == ...`.'),
        (
            "return (yield db.read('x'))",
            "it has a `yield`. A property takes no steps, it looks: write `db[key]` for `yield db.read(key)`.",
        ),
    ],
)  # fmt: skip
def test_a_property_that_does_not_answer(body, message):
    assert of_property(f"def paid(db, bank):\n    {body}") == f"property paid, line 1: {message}"


@pytest.mark.parametrize(
    "body, message",
    [
        ("return db['x'] > 1", "TypeError: '>' not supported between instances of 'NoneType' and 'int'. "
         "A property must answer in every state, also before anything has happened."),
        ("return inbox.acked[0].id == 'x'", "IndexError: list index out of range. "
         "A property must answer in every state, also before anything has happened."),
        ("return bnak.count('charge') <= 1", "name 'bnak' is not defined. "
         "A property reaches a resource through a parameter of its name."),
        ("return bank.cuont('charge') <= 1",
         "`cuont` is nothing that a property can see here. It sees count. Did you mean `count`?"),
        ("return db.read('x') == 1", "`read` is nothing that a property can see here. It sees rows and [key]."),
        ("return bank['charge'] == 1", '`["charge"]` is nothing that a property can see here. It sees count.'),
        ("return 'charge' in bank", '`"charge" in ...` is nothing that a property can see here. It sees count.'),
        ("return len(db) == 0", "`len(...)` is nothing that a property can see here. It sees rows and [key]."),
        ("return all(db[key] for key in db)",
         "`for ... in ...` is nothing that a property can see here. It sees rows and [key]."),
        ("return db == {}", "`... == ...` is nothing that a property can see here. It sees rows and [key]."),
        ("return not db", "`if ...` is nothing that a property can see here. It sees rows and [key]."),
        ("db['x'] = 1", "a property may look at the resources, not change them."),
        ("return SAFE['x'] == 1", GLOBAL),
        ("return SAFE.read('x') == 1", GLOBAL),
        ("return SAFE.count('x') == 1", GLOBAL),
    ],
)  # fmt: skip
def test_a_property_that_fails(body, message):
    claim = cell(f"def paid(db, bank, inbox):\n    {body}", SAFE=Database())
    told = said(lambda: shop(always=[claim]).explore(read))
    assert told == f"property paid, line 2: {message}"


def test_a_chained_comparison_is_explained_also_where_its_end_has_no_value():
    claim = cell("def paid(inbox):\n    return 0 < len(inbox.acked) < inbox.acked[0].deliveries")
    report = shop(always=[claim]).explore(read)
    assert report.sentence == (
        "violated: paid, with no fault at all, 0 steps: "
        "expected 0 < len(inbox.acked) < inbox.acked[0].deliveries, found inbox: 1 ready"
    )


def test_a_propertys_own_names_come_before_globals():
    claim = cell(
        """
        limit = 7

        def at_most(limit):
            def charged(bank):
                return bank.count("charge") > limit
            return charged

        paid = at_most(3)
        """
    )
    report = shop(always=[claim]).explore(read)
    assert report.sentence.endswith('found that bank.count("charge") is 0 and limit is 3')


# Workers that are not a function of their answers

NOT_A_FUNCTION = (
    "A worker may depend on nothing but its answers: ask a Clock or a Random of the scenario instead of `time` or "
    "`random`, and keep no state in globals."
)


def test_a_worker_with_a_global_list():
    worker = cell("def work(db):\n    SEEN.append(1)\n    yield db.write('x', len(SEEN))", SEEN=[])
    assert said(lambda: shop().explore(worker), NotDeterministic) == (
        "work changed `SEEN` before its first step. `SEEN` lives outside the worker: every worker and every run would "
        "share it, and a crash would not undo the change. Keep what a worker remembers in its own variables, and what "
        "must outlive it in a resource."
    )


@pytest.mark.parametrize(
    "line, names, changed",
    [
        ("SEEN['x'] = x", {"SEEN": {}}, "SEEN"),
        ("DEEP[0].add(x)", {"DEEP": ([], set())[1:]}, "DEEP"),
        ("Box.x = x", {"Box": type("Box", (), {})}, "Box"),
        ("work.x = x", {}, "work"),
        ("globals().update(NEW=1)", {"NEW": 0}, "NEW"),
        ("os.environ['MIDFLIGHT'] = str(x)", {"os": os}, "os.environ"),
    ],
)
def test_a_worker_that_changes_what_is_not_its_own(line, names, changed, monkeypatch):
    monkeypatch.setenv("MIDFLIGHT", "")
    worker = cell(f"def work(db):\n    x = yield db.read('x')\n    {line}\n    yield db.read('y')", **names)
    assert said(lambda: shop().explore(worker), NotDeterministic).startswith(
        f"work changed `{changed}` after its step in line 2. `{changed}` lives outside the worker: "
    )


@pytest.mark.parametrize("swallowed", [False, True])
def test_a_worker_that_keeps_something_on_a_resource(swallowed):
    line = "try: db.flag = 1\n    except Exception: pass" if swallowed else "db.flag = 1"
    worker = cell(f"def work(db):\n    yield db.read('x')\n    {line}\n    yield db.read('y')")
    for ask in (shop().explore, shop().simulate, shop().run):
        assert said(lambda ask=ask: ask(worker)).endswith(
            "`db.flag = ...`: a worker cannot keep anything on a resource. Keep what it remembers in a variable, "
            "`flag = ...`; for others to see it, yield a step, such as `yield db.write(...)`."
        )


def test_a_worker_that_draws_from_random():
    worker = cell(
        "def work(db):\n    yield db.read('y')\n    yield db.write('x', random.choice('ab'))", random=random.Random(4)
    )
    assert said(lambda: shop().explore(worker), NotDeterministic) == (
        'work took two different steps after the same answers (`db.read("y")` answered None): '
        f'first `db.write("x", "a")`, then `db.write("x", "b")`. {NOT_A_FUNCTION}'
    )


def test_a_worker_that_reads_the_clock_on_the_wall():
    worker = cell("def work(db):\n    yield db.write('at', time())", time=random.Random(4).random)
    assert said(lambda: shop().explore(worker), NotDeterministic) == (
        "work took two different steps after the same answers (none yet): "
        f'first `db.write("at", 0.23604808973743452)`, then `db.write("at", 0.1031660342307158)`. {NOT_A_FUNCTION}'
    )


def test_a_worker_that_is_not_deterministic_and_breaks_a_property():
    worker = cell("def work(db):\n    SEEN.append(1)\n    yield db.write('x', len(SEEN))", SEEN=[])
    assert said(lambda: shop(always=[paid]).explore(worker), NotDeterministic).startswith("work changed `SEEN`")


# Loops without end


@pytest.mark.parametrize("before", ["pass", "yield db.read('x')"])
def test_a_loop_without_a_step(monkeypatch, before):
    monkeypatch.setattr(Watchdog, "patience", 0.05)
    worker = cell(f"def work(db):\n    {before}\n    while True:\n        pass\n    yield db.read('y')")
    message = (
        r"work, line [34]: more than 0.05 s without reaching a `yield`: a loop with no step in it\? "
        r"To wait, yield a step: `yield clock.sleep\(1\)`."
    )
    for ask in (shop().explore, shop().simulate, shop().run):
        assert re.fullmatch(message, said(lambda ask=ask: ask(worker), WorkerHangs))


def test_a_property_without_an_end(monkeypatch):
    monkeypatch.setattr(Watchdog, "patience", 0.05)

    def endless(db):
        while True:
            pass

    message = "property endless ran for more than 0.05 s: a loop without an end?"
    for ask in (shop(always=[endless]).explore, shop(always=[endless]).run):
        assert said(lambda ask=ask: ask(cell("def work(db):\n    yield db.read('x')")), Hangs) == message


def test_a_loop_without_a_step_that_catches_everything(monkeypatch):
    monkeypatch.setattr(Watchdog, "patience", 0.05)
    worker = cell(
        """
        def work(db):
            yield db.read("x")
            while True:
                try:
                    int("x")
                except Exception:
                    pass
        """
    )
    assert re.match(r"work, line [3-7]: more than 0.05 s", said(lambda: shop().explore(worker), WorkerHangs))


def test_a_loop_of_steps_that_goes_in_a_circle():
    worker = cell("def work(clock):\n    while True:\n        yield clock.sleep(1)")
    assert shop().explore(worker).sentence == (
        "violated: livelock, with no fault at all, 1 step: for ever: A `clock.sleep(1)` (line 3); "
        "the same answer each time, and nothing else changes"
    )


def test_a_loop_of_steps_that_goes_on_and_on():
    worker = cell("def work(db):\n    n = 0\n    while True:\n        n += 1\n        yield db.write('n', n)")
    sentence = shop().explore(worker).sentence
    assert sentence.startswith(
        "unfinished: stopped where work, line 5, had taken 1,000 steps in one run and no end is in sight, the next one "
        "`db.write`, "
    )
    assert sentence.endswith("To finish, bound the loop, or let it wait for something")


# Errors of the worker's own: outcomes, with their schedule


def test_an_exception_in_a_worker_is_shown_with_its_schedule():
    worker = cell(
        """
        def work(inbox, db):
            message = yield inbox.receive()
            row = yield db.read(message.body)
            yield db.write(message.body, row["total"])
        """
    )
    report = shop().explore(worker, crashes=1)
    assert (report.verdict, report.claim) == ("violated", "error")
    assert report.sentence == (
        "violated: a worker's own error, with no fault at all, 2 steps: work, line 4, raised TypeError: "
        "'NoneType' object is not subscriptable, which is no answer of an operation"
    )
    assert [str(event.op) for event in report.counterexample.events] == ["inbox.receive()", 'db.read("order-1")']


@pytest.mark.parametrize(
    "body, raised",
    [
        ("raise KeyError('x')", "KeyError: 'x'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("yield db.transaction(db.write('x', 1), db.write('y', 1 / 0))", "ZeroDivisionError: division by zero"),
        ("yield db.read('x'.upper)\n    yield", None),
    ],
)
def test_exceptions_before_the_first_step(body, raised):
    worker = cell(f"def work(db):\n    {body}\n    yield db.read('x')")
    if raised is None:
        assert said(lambda: shop().explore(worker)).startswith("work, line 2: ")
        return
    assert shop().explore(worker).sentence == (
        f"violated: a worker's own error, with no fault at all, 0 steps: work, line 2, raised {raised}, "
        "which is no answer of an operation"
    )


@pytest.mark.parametrize(
    "recursion", ["def deep(db):\n    yield from deep(db)", "def deep(db):\n    yield db.read('x')\n    deeper()"]
)
def test_recursion_without_end(recursion):
    def deeper():
        return deeper()

    report = shop().explore(cell(recursion, deeper=deeper))
    assert (report.claim, report.verdict) == ("error", "violated")
    assert "raised RecursionError: maximum recursion depth exceeded" in report.sentence


# Too large, or interrupted


def test_a_state_space_that_is_too_large_says_which_bound_to_lower():
    worker = cell(
        """
        def work(dice, db):
            for n in range(12):
                drawn = yield dice.choice([0, 1])
                yield db.write(n, drawn)
        """
    )
    assert shop().explore(worker, workers=3, crashes=2, max_states=500).sentence == (
        "unfinished: stopped at 500 states, 500 states visited; nothing is proven yet. "
        "To finish, lower workers=3 or crashes=2, or raise max_states and max_seconds"
    )


def test_an_interrupted_search_keeps_what_it_knows():
    looked = itertools.count(1)

    def interrupted_at_the_sixth_look(db):
        if next(looked) == 6:
            raise KeyboardInterrupt
        return True

    worker = cell("def work(db):\n    for n in range(9):\n        yield db.write(n, n)")
    report = shop(always=[interrupted_at_the_sixth_look]).explore(worker, crashes=1)
    assert (report.verdict, report.states) == ("unfinished", 6)
    assert report.sentence.startswith("unfinished: stopped by you, 6 states visited; nothing is proven yet")


def test_a_poison_message_is_named_with_its_remedy():
    worker = cell("def work(inbox):\n    message = yield inbox.receive()\n    yield inbox.nack(message)")
    sentence = shop().explore(worker, crashes=0).sentence
    assert sentence.endswith(
        "Of inbox its message comes back each time: with max_receives it would go to the dead letters"
    )


# Errors with methods of their own, which fail


def test_an_error_that_cannot_say_what_it_is():
    worker = cell("def work(db):\n    yield db.read('x')\n    raise Odd", Odd=Odd)
    assert shop().explore(worker, crashes=0).sentence == (
        "violated: a worker's own error, with no fault at all, 1 step: work, line 3, raised Odd, "
        "which is no answer of an operation"
    )
    assert of_property("def paid(db):\n    import sys\n    sys.exit('done')") == (
        "property paid, line 3: SystemExit: done. "
        "A property must answer in every state, also before anything has happened."
    )


class Odd(Exception):
    def __str__(self):
        return 1 / 0


def test_a_loop_in_a_function_that_is_no_worker_at_all(monkeypatch):
    monkeypatch.setattr(Watchdog, "patience", 0.05)
    message = said(lambda: shop().explore(cell("def work(db):\n    while True:\n        pass")), WorkerHangs)
    assert message.startswith("work, line ")
    assert "more than 0.05 s without reaching a `yield`" in message


def test_a_mistake_inside_a_library_is_placed_where_the_worker_calls_it(monkeypatch):
    monkeypatch.setattr(Watchdog, "patience", 0.05)
    worker = cell("import threading\n\ndef work(db):\n    threading.Event().wait()\n    yield db.read('x')")
    assert said(lambda: shop().explore(worker), WorkerHangs).startswith("work, line 4: more than 0.05 s")


def test_a_long_value_is_shown_by_its_beginning_alone():
    worker = cell("def work(db):\n    yield db.write('x', 'y' * 10_000_000)\n    yield db.write('z', [0] * 1_000_000)")
    shown = [event.story() for event in shop().run(worker).events]
    assert all(len(story) < 100 for story in shown)
    assert shown[1].startswith('db.write("z", [0, 0, 0, ')
