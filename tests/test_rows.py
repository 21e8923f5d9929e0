"""What a row is: values that a program can tell apart have different keys, or are refused where they are written."""

import dataclasses
import datetime
import decimal  # noqa: F401  what the table names, and no code
import enum
import fractions
import itertools
import os
import subprocess
import sys
import types  # noqa: F401
import uuid
from typing import Any, NamedTuple

import pytest

from simlib import Database, Lock, Queue, Random, Rejected, Scenario, Service
from simlib.check import explore
from simlib.errors import Mistake, NotDeterministic
from simlib.model.values import freeze, fresh, same
from simlib.resources.lock import Lease
from simlib.resources.message import Message  # noqa: F401
from simlib.scenario import system_of
from simlib.schedule.budget import Budget, Limits
from tests.enumeration import every_schedule

UTC = datetime.UTC
HOUR = datetime.timedelta(hours=1)


@dataclasses.dataclass
class Job:
    name: str
    tags: Any = ()


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    tags: Any = ()


@dataclasses.dataclass(slots=True)
class Slotted:
    name: str
    tags: Any = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Both:
    name: str


@dataclasses.dataclass
class Uncompared:
    name: str
    hidden: Any = dataclasses.field(default=0, compare=False, repr=False)


@dataclasses.dataclass
class Made:
    name: str
    made: Any = dataclasses.field(default=0, init=False)


@dataclasses.dataclass
class Bag(list):
    name: str = ""


@dataclasses.dataclass
class Register(dict):
    name: str = ""


@dataclasses.dataclass
class Failure(Exception):
    name: str = ""


@dataclasses.dataclass
class Word(str):
    name: str = ""


class Mixin:
    __slots__ = ("beside",)


@dataclasses.dataclass(slots=True)
class Mixed(Mixin):
    name: str


@dataclasses.dataclass(eq=False)
class Liar:
    name: str

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1

    def __repr__(self):
        return "Liar()"

    def __deepcopy__(self, memo):
        return Liar("copied")

    def __reduce__(self):
        return (Liar, ("reduced",))

    def __getattribute__(self, name):
        return "lie" if name == "name" else object.__getattribute__(self, name)


@dataclasses.dataclass
class Shown:
    _name: str

    @property
    def name(self):
        return "always the same"

    @property
    def __dict__(self):
        return {}


class Seat(NamedTuple):
    row: Any
    number: Any


class Loose(Seat):
    """With a dictionary beside its items."""


class Pair(tuple):
    pass


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    CRIMSON = 1  # noqa: PIE796  an alias


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Name(enum.StrEnum):
    ANN = "ann"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Text(str):
    pass


class Number(int):
    pass


class Real(float):
    pass


class Rows(list):
    pass


class Index(dict):
    pass


class Zone(datetime.tzinfo):
    def __init__(self, hours=0):
        self.hours = hours

    def utcoffset(self, when):
        return datetime.timedelta(hours=self.hours)

    def dst(self, when):
        return None

    def __repr__(self):
        return "Zone()"


class Moment(datetime.datetime):
    pass


class Plain:
    def __init__(self, **held):
        vars(self).update(held)


def but(value, **more):
    """The same with these attributes beside."""
    for name, held in more.items():
        object.__setattr__(value, name, held)
    return value


def without(value, *names):
    for name in names:
        object.__delattr__(value, name)
    return value


def a_set(*items):
    """Filled in this order: it may be the order of a loop over it."""
    made = set()
    for item in items:
        made.add(item)
    return made


def twice(value):
    return [value, value]


def noted(error, *notes):
    for note in notes:
        error.add_note(note)
    return error


def caused(error, cause):
    error.__cause__ = cause
    return error


def local(name):
    @dataclasses.dataclass
    class Local:
        name: str

    return Local(name)


def nested(levels, inmost=1):
    return nested(levels - 1, [inmost]) if levels else inmost


nan, inf = float("nan"), float("inf")
day = datetime.datetime(2026, 10, 25, 2, 30)
ids = uuid.UUID(int=7)

# Two things that some program tells apart. Each is code, so that each has its name.
TOLD_APART = """
1 | True
1 | 1.0
True | 1.0
0 | False
0.0 | -0.0
0.0 | False
1 | "1"
1 | None
0 | None
"" | None
"" | b""
"a" | b"a"
"a" | ["a"]
"ab" | ("a", "b")
b"a" | bytearray(b"a")
b"a" | memoryview(b"a")
nan | None
nan | 0.0
nan | -nan
inf | -inf
inf | 10**400
10**30 | 1e30
1 | 1 + 0j
0j | -0j
"\\ud800" | "\\ud801"
"\\ud800" | "?"
"é" | "e\\u0301"
"a\\0" | "a"
"a" | Text("a")
"a" | Name.ANN
"ann" | Name.ANN
1 | Number(1)
1 | Level.LOW
True | Level.LOW
1.0 | Real(1.0)
[] | ()
[] | {}
[] | None
() | None
{} | None
[1] | (1,)
[1] | [True]
[1] | [1.0]
(1,) | (True,)
(1, 2) | (2, 1)
[0.0] | [-0.0]
[[]] | [()]
[[1], 2] | [1, [2]]
[1, [2]] | [1, 2]
[None] | []
[nan] | [None]
("list",) | []
("float", "1.0") | 1.0
("bool", True) | True
["dict"] | {}
[1] | Rows([1])
[1] | but(Rows([1]), late=True)
Rows([1]) | but(Rows([1]), late=True)
{} | Index()
Index() | but(Index(), late=True)
{1: 2} | {True: 2}
{1: 2} | {1.0: 2}
{True: 2} | {1.0: 2}
{1: 2} | {"1": 2}
{"a": 1, "b": 2} | {"b": 2, "a": 1}
{"a": 1} | {"a": True}
{"a": [1]} | {"a": (1,)}
{"a": None} | {}
{(1, 2): 3} | {(True, 2): 3}
{"a": {1}} | {"a": {2}}
{1} | {2}
{1, 2} | frozenset({1, 2})
{1} | {True}
{1} | [1]
a_set(1, 9, 17) | a_set(17, 9, 1)
a_set("a", "b") | a_set("b", "a")
frozenset({1}) | frozenset({True})
(1, frozenset({"a"})) | (1, frozenset({"b"}))
[{"a"}] | [{"b"}]
Job("x") | Job("y")
Job("x") | but(Job("x"), urgent=True)
but(Job("x"), urgent=False) | but(Job("x"), urgent=True)
Job("x") | without(Job("x"), "name")
Job("x") | Frozen("x")
Job("x") | Slotted("x")
Job("x") | ("x", ())
Job("x") | {"name": "x", "tags": ()}
Job("x", [1]) | Job("x", (1,))
Job("x", [1]) | Job("x", [True])
Job("x", {"a"}) | Job("x", {"b"})
Job("x", {1: 2}) | Job("x", {True: 2})
Job(1) | Job(True)
Job(Text("x")) | Job("x")
Frozen("x") | but(Frozen("x"), urgent=True)
Frozen("x", [1]) | Frozen("x", [2])
Frozen("x", 1) | Frozen("x", True)
Slotted("x") | Slotted("y")
Slotted("x") | without(Slotted("x"), "tags")
Slotted("x", 1) | Slotted("x", 1.0)
Both("x") | Both("y")
Both(1) | Both(True)
Both("x") | without(Both("x"), "name")
Uncompared("x") | Uncompared("x", 1)
Uncompared("x", {1}) | Uncompared("x", {2})
Made("x") | but(Made("x"), made=1)
Made("x") | but(Made("x"), other=1)
Bag("b") | Bag("c")
Bag("b") | Bag.__add__(Bag("b"), [1])
Bag("b") | (lambda bag: bag.append(1) or bag)(Bag("b"))
Register("b") | (lambda bag: bag.update(a=1) or bag)(Register("b"))
Failure("f") | caused(Failure("f"), ValueError())
Failure("f") | noted(Failure("f"), "late")
Word("a") | Word("b")
Mixed("x") | but(Mixed("x"), beside=1)
but(Mixed("x"), beside=1) | but(Mixed("x"), beside=2)
Liar("a") | Liar("b")
Shown("a") | Shown("b")
local("x") | local("y")
local("x") | Job("x")
Seat(1, 2) | (1, 2)
Seat(1, 2) | Seat(2, 1)
Seat(1, 2) | Seat(True, 2)
Seat(1, [2]) | Seat(1, (2,))
Seat(1, 2) | Loose(1, 2)
Loose(1, 2) | but(Loose(1, 2), late=True)
Pair((1, 2)) | (1, 2)
Pair((1, 2)) | but(Pair((1, 2)), late=True)
Colour.RED | Colour.GREEN
Colour.RED | 1
Colour.RED | "RED"
Colour.RED | Level.LOW
Level.LOW | Level.HIGH
Right.READ | Right.WRITE
Right.READ | Right.READ | Right.WRITE
Right.READ | Right(0)
Right.READ | 1
object.__new__(Colour) | Colour.RED
Rejected("a") | Rejected("b")
Rejected("a") | "a"
ValueError("a") | TypeError("a")
ValueError("a") | caused(ValueError("a"), Rejected())
ValueError("a") | noted(ValueError("a"), "late")
ValueError("a") | but(ValueError("a"), late=True)
FileNotFoundError(2, "no", "a") | FileNotFoundError(2, "no", "b")
KeyError("a") | KeyError("a", "b")
day | day.replace(fold=1)
day | day.replace(tzinfo=UTC)
day.replace(tzinfo=UTC) | day.replace(tzinfo=datetime.timezone(datetime.timedelta(0), "Z"))
day.replace(tzinfo=UTC) | (day + HOUR).replace(tzinfo=datetime.timezone(HOUR))
day.replace(tzinfo=Zone()) | day.replace(tzinfo=Zone(1))
day.replace(tzinfo=UTC) | day.replace(tzinfo=Zone())
day.replace(tzinfo=datetime.timezone(HOUR, Text("Z"))) | day.replace(tzinfo=datetime.timezone(HOUR, "Z"))
day | day.date()
day | Moment(2026, 10, 25, 2, 30)
day | day.isoformat()
day | day.replace(microsecond=1)
day.time() | day.replace(fold=1).time()
day.time() | day.time().replace(tzinfo=UTC)
day.time().replace(tzinfo=Zone()) | day.time().replace(tzinfo=Zone(1))
HOUR | 3600
HOUR | HOUR * 1.0000001
decimal.Decimal("1.0") | decimal.Decimal("1.00")
decimal.Decimal("1") | 1
decimal.Decimal("0") | decimal.Decimal("-0")
decimal.Decimal("NaN") | decimal.Decimal("sNaN")
decimal.Decimal("NaN") | decimal.Decimal("NaN123")
decimal.Decimal("1E+2") | decimal.Decimal("100")
fractions.Fraction(1, 2) | 0.5
fractions.Fraction(1) | 1
ids | uuid.UUID(int=8)
ids | str(ids)
ids | 7
range(3) | [0, 1, 2]
range(0, 3, 2) | range(0, 4, 2)
range(0) | range(1, 1)
range(3) | "range(0, 3)"
len | max
print | None
lambda: 1 | lambda: 2
int | str
Job | Slotted
types.SimpleNamespace(a=1) | types.SimpleNamespace(a=2)
Plain(a=1) | Plain(a=2)
object() | 1
iter([1]) | iter([2])
iter([1]) | [1]
(n for n in [1]) | (n for n in [2])
map(str, [1]) | ["1"]
itertools.count(1) | itertools.count(2)
[].append | {}.get
os | sys
Lease("a", 1) | Lease("a", 2)
Lease("a", 1) | Lease("b", 1)
Lease(1, 1) | Lease(True, 1)
Message("q-1", 1, 1) | Message("q-1", 1, 2)
Message("q-1", 1, 1) | Message("q-1", True, 1)
Message("q-1", {1}, 1) | Message("q-1", {2}, 1)
... | None
NotImplemented | None
nested(40) | nested(40, 2)
nested(60) | nested(61)
nested(100_000 // 1000) | nested(3)
twice([1]) | [[1]]
"""

# Two things that are equal in every way once they have been stored.
ONE = """
"a" + "b" | "ab"
10**30 | 10**30 + 0
1.5 | 3 / 2
twice([1]) | [[1], [1]]
twice({"a": [1]}) | [{"a": [1]}, {"a": [1]}]
Job("x", twice([])) | Job("x", [[], []])
Job("x") | but(without(Job("x"), "name"), name="x")
Job("x") | without(Job("x"), "tags")
Made("x") | but(Made("x"), made=0)
Made("x") | without(but(Made("x"), made=7), "made")
Colour.RED | Colour.CRIMSON
Colour.RED | Colour(1)
Right.READ | Right(1)
Right.READ | Right.WRITE | Right(3)
Seat(1, [2]) | Seat(row=1, number=[2])
Both("x") | Both("x")
ids | uuid.UUID(int=7, is_safe=uuid.SafeUUID.safe)
fractions.Fraction(2, 4) | fractions.Fraction(1, 2)
datetime.timedelta(minutes=60) | HOUR
day.replace(tzinfo=UTC) | day.replace(tzinfo=datetime.timezone(datetime.timedelta(0)))
range(3) | range(0, 3, 1)
{"a": 1} | dict(a=1)
Liar("a") | Liar("a")
Slotted("x", [1]) | Slotted("x", [1])
Frozen("x", [1]) | Frozen("x", [1])
"""


def pairs(text):
    """Each line in two: at its first `|` that has code on both sides, flags aside."""
    for line in text.strip().splitlines():
        one, *more = line.split(" | ")
        if len(more) > 1 and text is ONE:
            one, *more = f"{one} | {more[0]}", more[1]
        yield one, " | ".join(more)


def made(code):
    return eval(code, globals())


def stored(value):
    """Its key as a row; "refused" where it is refused."""
    try:
        return freeze(fresh(value))
    except Mistake:
        return "refused"


@pytest.mark.parametrize("one, other", [*pairs(TOLD_APART)])
def test_what_a_program_can_tell_apart_has_two_keys_or_is_refused(one, other):
    keys = stored(made(one)), stored(made(other))
    assert keys[0] != keys[1] or keys == ("refused", "refused")


@pytest.mark.parametrize("one, other", [*pairs(ONE)])
def test_what_is_equal_in_every_way_is_one(one, other):
    assert stored(made(one)) == stored(made(other)) != "refused"
    assert stored(made(one)) == stored(fresh(made(one)))


def test_there_are_many_pairs():
    assert len([*pairs(TOLD_APART)]) >= 190


def no_boom(db):
    return db["boom"] is None


def hiding(one, other):
    """One worker writes this, another that; a third one reads it and acts on which it is."""

    def plain(db):
        yield db.write("row", made(one))

    def odd(db):
        yield db.write("row", made(other))

    def look(db):
        if hidden((yield db.read("row"))) == hidden(made(other)):
            yield db.write("boom", 1)

    return system_of(Scenario(db=Database(), always=[no_boom]), [plain, odd, look])


def hidden(value, seen=()):
    """All of a value that a program can get at, as text."""
    if any(value is one for one in seen):
        return "itself"
    kind, seen = type(value), (*seen, value)
    beside = sorted((getattr(value, "__dict__", None) or {}).items()) if not callable(value) else []
    slots = [(name, getattr(value, name, "none")) for one in kind.__mro__ for name in getattr(one, "__slots__", ())]
    slots = [] if isinstance(value, (fractions.Fraction, uuid.UUID, enum.Enum)) else slots
    held = [(name, hidden(part, seen)) for name, part in (*beside, *slots) if not isinstance(value, enum.Enum)]
    items = list(value.items()) if isinstance(value, dict) else value
    inside = [hidden(item, seen) for item in items] if isinstance(value, (list, tuple, set, frozenset, dict)) else []
    return f"{kind.__name__} {value!r} {getattr(value, 'fold', '')} {held} {inside}"


BEHAVE = [pair for pair in pairs(TOLD_APART) if "nested" not in pair[0]]


@pytest.mark.parametrize("one, other", BEHAVE)
def test_a_worker_that_acts_on_what_is_hidden_is_found_or_the_row_is_refused(one, other):
    try:
        tells = hidden(fresh(made(one))) != hidden(fresh(made(other)))
    except Mistake:
        with pytest.raises(Mistake):
            explore(hiding(one, other), Budget({"crashes": 0}), Limits())
        return
    assert tells
    if "local" in one:
        with pytest.raises(NotDeterministic, match="They read alike: if it makes a class anew each time, define that"):
            explore(hiding(one, other), Budget({"crashes": 0}), Limits())
        return
    assert explore(hiding(one, other), Budget({"crashes": 0}), Limits()).verdict == "violated"


TAKEN = [pair for pair in BEHAVE if "refused" not in map(stored, map(made, pair))]


@pytest.mark.parametrize("one, other", TAKEN[::9])
def test_and_so_it_is_when_every_schedule_is_run(one, other):
    assert set(every_schedule(hiding(one, other), {"crashes": 0}).smallest) == {"no_boom"}


# What is refused is told what to use instead, where it is written


def writes(value):
    def work(db, inbox):
        yield db.read("x")
        yield db.write("x", value)

    return work


def refused(value):
    with pytest.raises(Mistake) as caught:
        Scenario(db=Database(), inbox=Queue()).explore(writes(value), crashes=0)
    return str(caught.value).partition("work, line ")[2].partition(": ")[2]


NO_SET = (
    "A set has no order, or another one in each run, and JSON and SQL have no sets. Use a sorted list, or a dict with "
    "True for each of them."
)
NOT = "cannot be stored, sent or compared"
AN_ERROR = "Use what it says, `str(error)`, or what kind it is, `type(error).__name__`."


@pytest.mark.parametrize(
    "value, message",
    [
        ({"a"}, f'{{"a"}} is a set, which {NOT}. {NO_SET}'),
        ([1, (frozenset({2}),)], f"{{2}} is a frozenset, which {NOT}. {NO_SET}"),
        (
            but(Job("x"), urgent=True),
            f"Job(name='x', tags=()) {NOT}: it has an attribute `urgent` that its class does not declare. "
            "Declare it as a field.",
        ),
        (
            but(Mixed("x"), beside=1),
            f"Mixed(name='x') {NOT}: it has a slot `beside` that is no field. Declare it as a field.",
        ),
        (without(Slotted("x"), "tags"), f"a Slotted {NOT}: it has no value for its field `tags`. Give it one."),
        (
            Bag("b"),
            f"Bag(name='b') is a Bag, which {NOT}. It is a list that may hold more than one. Use list(...), or a "
            "dataclass.",
        ),
        (Rejected("no"), f"Rejected: no is a Rejected, which {NOT}. {AN_ERROR}"),
        (Failure("f"), f"Failure: f is a Failure, which {NOT}. {AN_ERROR}"),
        (
            nan,
            f"nan {NOT}: it is not even equal to itself, and JSON and SQLite have no such number. Use None.",
        ),
        (
            day.replace(tzinfo=Zone()),
            f"datetime.datetime(2026, 10, 25, 2, 30, tzinfo=Zone()) {NOT}: its zone is a Zone, which a store does not "
            "keep. Use datetime.timezone.utc.",
        ),
        (iter([1]), f"a list_iterator {NOT}. Use list(...)."),
        (
            Text("a"),
            f'"a" is a Text, which {NOT}. It is a str that may hold more than one. Use str(...), or a dataclass.',
        ),
        (nested(60), f"a value that contains itself, or 50 levels of others, {NOT}."),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_read_completely_is_refused_with_what_to_use_instead(value, message):
    assert refused(value) == message


@pytest.mark.parametrize(
    "take",
    [
        lambda: Database({"todo": {"a"}}),
        lambda: Queue([{"a"}]),
        lambda: Scenario(vips={"a"}),
        lambda: Scenario(db=Database(), vips=1).but(vips={"a"}),
        lambda: of_step(lambda inbox, lock, bank, dice: inbox.send({"a"})),
        lambda: of_step(lambda inbox, lock, bank, dice: lock.acquire({"a"})),
        lambda: of_step(lambda inbox, lock, bank, dice: bank.call("mail", {"a"})),
        lambda: of_step(lambda inbox, lock, bank, dice: bank.call("mail", idempotency_key=frozenset("a"))),
        lambda: of_step(lambda inbox, lock, bank, dice: dice.choice([{"a"}])),
    ],
)
def test_a_set_is_refused_wherever_a_value_comes_in(take):
    with pytest.raises(Mistake, match="A set has no order"):
        take()


def of_step(step):
    def work(inbox, lock, bank, dice):
        yield step(inbox, lock, bank, dice)

    Scenario(inbox=Queue(), lock=Lock(), bank=Service(), dice=Random()).explore(work, crashes=0)


def test_what_is_copied_runs_no_method_of_the_value():
    copied = fresh(Liar("a"))
    assert vars(copied) == {"name": "a"}


# 1, True and 1.0


@pytest.mark.parametrize(
    "key", [True, 1.0, Colour.RED, Level.LOW, Seat(1, 2), Frozen("x"), Text("a"), (1, True), [1], day]
)
def test_of_keys_that_are_equal_in_python_and_not_in_a_store_none_is_taken(key):
    def reads(db):
        yield db.read(key)

    def asked(db):
        return db[key] is None

    def looked(db):
        return key not in db

    shop = Scenario(db=Database({1: "one"}))
    said = r"cannot be a row's key\..* Use text, a whole number or a tuple of them"
    with pytest.raises(Mistake, match=said):
        shop.explore(reads)
    for claim in (asked, looked):
        with pytest.raises(Mistake, match=f"property {claim.__name__}, line .*{said}"):
            shop.asking(always=[claim]).explore(lambda db: (yield db.read("x")))
    if not isinstance(key, list):
        with pytest.raises(Mistake, match=said):
            Database({key: 1})


@pytest.mark.parametrize("key", ["a", 1, 0, -(10**30), b"a", None, (1, "a"), ((1,), None), ids, day.date()])
def test_text_whole_numbers_dates_ids_and_tuples_of_them_are_keys(key):
    def work(db):
        yield db.write(key, "here")

    trace = Scenario(db=Database()).run(work)
    assert trace["db"][key] == "here"


THREE = [1, True, 1.0]


@pytest.mark.parametrize("one, other", [*itertools.permutations(THREE, 2)])
def test_one_true_and_one_point_nought_are_three_everywhere(one, other):
    def calls(bank, db, lock):
        yield bank.call("pay", one)
        yield bank.call("pay", other, idempotency_key=one)
        yield bank.call("pay", other, idempotency_key=other)
        yield db.write("x", one)
        yield db.write("swapped", (yield db.compare_and_set("x", other, "y")))
        yield lock.acquire(one)
        yield db.write("freed", (yield lock.release(Lease(other, 1))))

    trace = Scenario(bank=Service(), db=Database(), lock=Lock()).run(calls)
    bank = trace["bank"]
    assert (bank.count("pay", one), bank.count("pay", other), bank.count("pay")) == (1, 2, 3)
    assert (trace["db"]["swapped"], trace["db"]["freed"]) == (False, False)


@pytest.mark.parametrize(
    "one, other, alike",
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ({1: 1}, {True: 1}, False),
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}], True),
        ((1,), [1], False),
        (None, None, True),
        (None, 0, False),
        (Job("x"), Job("x"), True),
        (Liar("a"), Liar("b"), False),
    ],
)
def test_what_a_store_takes_for_the_same(one, other, alike):
    assert same(one, other) is alike


# One verdict on every machine

PROGRAM = """
import dataclasses
from simlib import *

@dataclasses.dataclass
class Order:
    id: int
    items: dict

def fill(db):
    yield db.write("order", Order(1, {"tea": 2, "salt": 1}))
    yield db.write((1, "b"), ["x", "y"])

def read(db):
    order = yield db.read("order")
    for name in order.items if order else ():
        yield db.insert(name, order.items[name])

def not_both(db):
    return "tea" not in db or "salt" not in db

report = Scenario(db=Database({"z": 1, "a": (1, 2)}), always=[not_both]).explore([fill, read], workers=2, crashes=1)
print(report.verdict, report.token)
"""


def test_rows_answer_the_same_under_every_hash_seed():
    said = set()
    for seed in "012":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TQDM_DISABLE": "1"}
        ran = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
        said.add(ran.stdout + ran.stderr)
    assert len(said) == 1
    assert said.pop().startswith("violated 2.2c1")
