"""A property is a question: asked twice of the same, it says the same, and it asks nobody but what it is given."""

import collections
import datetime
import functools
import itertools
import os
import random
import time
import uuid
from time import monotonic

import pytest

from simlib import Database, Queue, Scenario
from simlib.errors import Mistake, NotDeterministic

SEEN = []
COUNT = 0
ONLY = "A property may depend on nothing but what it is given: no memory of earlier questions, no `random`, no clock."


class Seen:
    times = 0


class Book:
    def __init__(self):
        self.asked = []

    def seldom(self, db):
        self.asked.append(1)
        return len(self.asked) < 3


def a_closure():
    asked = []

    def claim(db):
        asked.append(1)
        return len(asked) < 3

    return claim


def a_cell():
    count = 0

    def claim(db):
        nonlocal count
        count += 1
        return count < 3

    return claim


def a_cell_that_toggles():
    first = True

    def claim(db):
        nonlocal first
        first = not first
        return first or db["x"] is None

    return claim


def a_default():
    def claim(db, asked=[]):  # noqa: B006
        asked.append(1)
        return len(asked) < 3

    return claim


def a_keyword_default():
    def claim(db, *, asked={}):  # noqa: B006
        asked[len(asked)] = 1
        return len(asked) < 3

    return claim


def its_attribute():
    def claim(db):
        claim.count = getattr(claim, "count", 0) + 1
        return claim.count < 3

    return claim


def a_global():
    SEEN.clear()

    def claim(db):
        SEEN.append(1)
        return len(SEEN) < 3

    return claim


def a_global_number():
    def claim(db):
        global COUNT
        COUNT += 1
        return COUNT % 3 != 0

    return claim


def a_class_attribute():
    Seen.times = 0

    def claim(db):
        Seen.times += 1
        return Seen.times < 3

    return claim


def an_iterator():
    answers = iter([True, True, False, True, True, False, True, True, True, True, True, True])

    def claim(db):
        return next(answers)

    return claim


def a_counter_s_step():
    step = itertools.count().__next__

    def claim(db):
        return step() < 2

    return claim


def a_generator():
    def every_third():
        while True:
            yield from (True, True, False)

    answers = every_third()

    def claim(db):
        return next(answers)

    return claim


def a_cache():
    @functools.lru_cache
    def kept():
        return []

    def claim(db):
        kept().append(1)
        return len(kept()) < 3

    return claim


def a_deque():
    last = collections.deque(maxlen=1)

    def claim(db):
        before = last[0] if last else None
        last.append(db["x"])
        return before is None or db["x"] is None or db["x"] >= before

    return claim


def the_first_that_it_was_asked():
    first = []

    def claim(db):
        first[:] = first or [db["x"]]
        return db["x"] == first[0] or db["x"] > 0

    return claim


def a_helper_s_closure():
    asked = []

    def note():
        asked.append(1)
        return len(asked)

    def claim(db):
        return note() < 3

    return claim


def an_object():
    book = Book()

    def claim(db):
        return book.seldom(db)

    return claim


def a_method():
    return Book().seldom


REMEMBER = [
    a_closure, a_cell, a_cell_that_toggles, a_default, a_keyword_default, its_attribute, a_global, a_global_number,
    a_class_attribute, an_iterator, a_counter_s_step, a_generator, a_cache, a_deque, the_first_that_it_was_asked,
    a_helper_s_closure, an_object, a_method,
]  # fmt: skip


def write(db):
    yield db.write("x", 1)
    yield db.write("x", 2)
    yield db.write("x", 3)


@pytest.mark.parametrize("kind", ["always", "eventually", "sometimes"])
@pytest.mark.parametrize("make", REMEMBER, ids=lambda make: make.__name__)
def test_one_that_remembers_is_refused_whatever_it_remembers_in(make, kind):
    claim = make()
    shop = Scenario(db=Database({"x": 0}), **{kind: [claim]})
    if kind == "eventually" and make in (a_cell_that_toggles, a_deque, the_first_that_it_was_asked):
        return  # asked in one state alone
    with pytest.raises(NotDeterministic, match=f"^property {claim.__name__}, line [0-9]+: .*"):
        shop.explore(write, workers=2, crashes=1)


SHOW = [make for make in REMEMBER if make is not a_cache]  # what a cache holds is not to be seen from outside


@pytest.mark.parametrize("make", SHOW, ids=lambda make: make.__name__)
def test_where_nothing_is_asked_twice_it_is_what_it_remembers_in_that_shows(make):
    for ask in (
        lambda shop: shop.simulate(write, workers=2),
        lambda shop: shop.attack(write, "A", "A", "crash A"),
        lambda shop: shop.replay(write, "1c1-A0A0xA"),
        lambda shop: shop.run(write),
    ):
        with pytest.raises((NotDeterministic, Mistake)) as caught:
            ask(Scenario(db=Database({"x": 0}), always=[make()]))
        assert caught.type is NotDeterministic or "token" in str(caught.value)


def test_it_is_told_what_it_remembers_in_and_what_it_said_twice():
    def said(claim):
        with pytest.raises(NotDeterministic) as caught:
            Scenario(db=Database({"x": 0}), always=[claim]).explore(write, crashes=0)
        return str(caught.value)

    line = a_cell.__code__.co_firstlineno + 3
    assert said(a_cell()) == (
        f"property claim, line {line}: asked twice of the same (db: x = 2), it said first False, then True. {ONLY}"
    ) or said(a_cell()).startswith(f"property claim, line {line}: asked twice of the same (db: x = ")
    line = the_first_that_it_was_asked.__code__.co_firstlineno + 3
    assert said(the_first_that_it_was_asked()) == (
        f"property claim, line {line}: `first`, which it reaches and is not given, changed while it was asked. {ONLY}"
    )


# What it asks that it is not given


def asks_random(db):
    return random.random() < 2


def asks_a_function_of_random(db):
    return roll(1, 2) > 0


roll = random.randint


def asks_an_instance_of_random(db):
    return dice.random() < 2


dice = random.Random(1)


def asks_time(db):
    return time.time() > 0


def asks_monotonic(db):
    return monotonic() > 0


def asks_now(db):
    return datetime.datetime.now().year > 2000


def asks_today(db):
    return datetime.date.today().year > 2000


def asks_uuid(db):
    return len(str(uuid.uuid4())) == 36


def asks_the_environment(db):
    return "HOME" not in os.environ or True


def asks_getenv(db):
    return os.getenv("X") is None or True


def asks_id(db):
    return id(db) > 0


def asks_hash(db):
    return hash("x") != 0


def asks_a_file(db):
    return open(os.devnull).read() == ""


def asks_what_it_imports(db):
    import secrets

    return secrets.randbelow(2) < 2


def asks_a_helper(db):
    return helper(db)


def helper(db):
    return any(time.monotonic() > number for number in range(3))


ASKED = [
    (asks_random, "random"), (asks_a_function_of_random, "roll"), (asks_an_instance_of_random, "dice"),
    (asks_time, "time"), (asks_monotonic, "monotonic"),
    (asks_now, "datetime"), (asks_today, "datetime"), (asks_uuid, "uuid"), (asks_the_environment, "os"),
    (asks_getenv, "os"), (asks_id, "id"), (asks_hash, "hash"), (asks_a_file, "open"), (asks_what_it_imports, "secrets"),
    (asks_a_helper, "time"),
]  # fmt: skip


@pytest.mark.parametrize("claim, what", ASKED, ids=[claim.__name__ for claim, _ in ASKED])
def test_one_that_asks_what_it_is_not_given_is_refused_before_anything_runs(claim, what):
    with pytest.raises(NotDeterministic) as caught:
        Scenario(db=Database(), always=[claim])
    line = claim.__code__.co_firstlineno
    assert str(caught.value) == f"property {claim.__name__}, line {line}: it asks `{what}`. {ONLY}"


LIMIT = 3
NAMES = ["ann", "bob"]
KNOWN = {"ann": 1}


@functools.lru_cache
def square(number):
    return number * number


class Money:
    def __init__(self, amount):
        self.amount = amount

    def __eq__(self, other):
        return self.amount == other.amount


NOTHING = Money(0)


def fine(db, inbox):
    ids = [message.id for message in inbox.acked]
    day = datetime.date(2026, 1, 1)
    name = uuid.UUID(int=3)
    return (
        len(ids) <= LIMIT
        and all(row in NAMES for row in KNOWN)
        and square(len(ids)) >= 0
        and Money(0) == NOTHING
        and sorted({*ids}) == sorted(set(ids))
        and day.year == 2026
        and name.int == 3
        and os.path.join("a", "b") != ""
        and (db["x"] or 0) <= 3
    )


def test_constants_helpers_and_modules_that_say_the_same_each_time_may_be_used():
    shop = Scenario(db=Database({"x": 0}), inbox=Queue(["a"]), always=[fine], sometimes=[fine], eventually=[fine])
    assert shop.explore(write, workers=2, crashes=1).verdict == "holds"
    assert shop.simulate(write).broken is None
    assert not shop.run(write).broken


# What it answers with


def of_property(claim):
    with pytest.raises(Mistake) as caught:
        Scenario(db=Database({"x": 0}), always=[claim]).explore(write, crashes=0)
    line = claim.__code__.co_firstlineno
    return str(caught.value).replace(f"line {line}:", "line n:").replace(f"line {line + 1}:", "line n + 1:")


def asserts(db):
    assert db["x"] == 0


def asserts_nothing_wrong(db):
    assert db["x"] != 9


def asserts_and_returns(db):
    assert db["x"] == 0, "no"
    return True


def asserts_twice(db):
    assert db["x"] != 9
    assert db["x"] != 8


async def waits(db):
    return True


async def waits_and_gives(db):
    yield True


def gives(db):
    yield True


RETURN = "it uses `assert`. A property answers: write `return"


@pytest.mark.parametrize(
    "claim, message",
    [
        (asserts, f'property asserts, line n: {RETURN} db["x"] == 0`.'),
        (asserts_nothing_wrong, f'property asserts_nothing_wrong, line n: {RETURN} db["x"] != 9`.'),
        (asserts_and_returns, f'property asserts_and_returns, line n + 1: {RETURN} db["x"] == 0`.'),
        (asserts_twice, f"property asserts_twice, line n: {RETURN} <condition>`."),
        (waits, "property waits, line n: it is an `async def`. Write `def`: a property waits for nothing."),
        (waits_and_gives, "property waits_and_gives, line n: it is an `async def`. Write `def`: a property waits for "
         "nothing."),
        (gives, "property gives, line n: it has a `yield`. A property takes no steps, it looks: write `db[key]` for "
         "`yield db.read(key)`."),
        (
            lambda db: db["x"],
            "property <lambda>, line n: it returned 0. Return True or False, such as `return 0 == ...`.",
        ),
        (lambda db: db["y"] > 0, "property <lambda>, line n: TypeError: '>' not supported between instances of "
         "'NoneType' and 'int'. A property must answer in every state, also before anything has happened."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_one_that_does_not_answer_is_told_how_to(claim, message):
    assert of_property(claim) == message


def test_two_of_one_name_are_told_apart_or_refused():
    def at_most(limit):
        def few(db):
            return db["x"] <= limit

        return few

    with pytest.raises(Mistake, match="two properties are called few"):
        Scenario(db=Database({"x": 0}), always=[at_most(2), at_most(5)])
    same = at_most(5)
    assert Scenario(db=Database({"x": 0}), always=[same], eventually=[same]).explore(write).verdict == "holds"
