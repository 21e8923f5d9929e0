"""What a row, a message or a lock's value may be is read for real as it was written, and nothing else is read."""

import collections
import dataclasses
import datetime
import enum
import itertools
import subprocess
import sys
import uuid
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from simlib import Database, Scenario
from simlib.errors import Mistake
from simlib.live.stores.plain import dumps, loads
from simlib.live.stores.signed import Signer
from simlib.model.values import freeze
from simlib.resources.lock import Lease
from simlib.resources.message import Message

ROOT = Path(__file__).parent.parent.parent


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Number(enum.IntEnum):
    ONE = 1


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Order:
    number: int
    lines: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    euros: Decimal


Point = collections.namedtuple("Point", "x y")


EAST = datetime.timezone(datetime.timedelta(hours=5, seconds=7), "east")
VALUES = [
    None, True, False, 0, 1, -1, 2**53, -(2**53), 2**20_000, 0.0, -0.0, 1.0, 0.1, 1e16, 1e300, 5e-324,
    float("inf"), float("-inf"), "", "1", "ann", 'it\'s "%?', "\0\n\x1b", "\ud800", "é\U0001f600", "tuple",
    b"", b"\0\xff", (), (1,), [], [1], {}, {1: 2, 3: 4}, {3: 4, 1: 2},
    {None: 1, "a": 2, 1.5: 3, (1, "b"): 4, Colour.RED: 6},
    ["tuple", 1], ("list", 1), ["dict"], [[], [[]], ()], range(3), range(0, 3, 2), Decimal("1.0"), Decimal("1.00"),
    Decimal("-0"), Decimal("1E+500"), Fraction(1, 3), datetime.date(2026, 2, 28), datetime.time(1, 2, 3, 4, fold=1),
    datetime.time(1, 2, tzinfo=EAST), datetime.timedelta(-1, 2, 3), datetime.datetime(2026, 1, 2, 3, 4, 5, 6, fold=1),
    datetime.datetime(1, 1, 1, tzinfo=EAST), datetime.datetime(1, 1, 1, tzinfo=datetime.UTC), uuid.UUID(int=7),
    Colour.RED, Number.ONE, Rights.READ, Rights.READ | Rights.WRITE, Rights(0), Order(1),
    Order(1, [Price(euros=Decimal(1))]), Price(euros=Decimal(2)), Point(1, [2]), Lease("A#1", 1),
    Message("inbox-1", {"a": 1}, 2, 1), int, Order,
]  # fmt: skip
PLAIN = [value for value in VALUES if not isinstance(value, type)]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_read_is_what_was_written(value):
    read = loads(dumps(value))
    assert type(read) is type(value)
    assert dumps(read) == dumps(value)
    if not isinstance(value, type):
        assert freeze(read) == freeze(value)


def test_values_that_a_worker_can_tell_apart_have_two_texts_and_equal_ones_have_one():
    for one, other in itertools.product(PLAIN, PLAIN):
        assert (dumps(one) == dumps(other)) == (freeze(one) == freeze(other)), (one, other)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def local():
    @dataclasses.dataclass
    class Hidden:
        x: int

    return Hidden(1), local  # one more of its name for each call


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "cannot be stored"), (nested(5_000), "nested too deeply"), (print, "cannot be stored"),
        ([iter([])], "cannot be stored"), (datetime.time(tzinfo=type("Own", (datetime.tzinfo,), {})()), "Own"),
    ],
    ids=["object", "deep", "function", "iterator", "tzinfo"],
)  # fmt: skip
def test_what_cannot_be_stored_is_a_mistake(value, said):
    with pytest.raises(Mistake, match=said):
        dumps(value)


def test_an_object_whose_class_no_other_process_would_find_is_a_mistake():
    first, second = local(), local()
    with pytest.raises(Mistake, match=r"an object of local.*Hidden cannot be stored for real: .* Define it once"):
        dumps([first[0], second[0]])


def test_a_text_is_read_by_whoever_signed_it_alone():
    ours, theirs = Signer(), Signer()
    text = ours.write({"a": 1})
    assert ours.read(text) == {"a": 1} == ours.read(ours.write({"a": 1}))
    assert ours.write(1) == ours.write(1) != theirs.write(1)
    signature, _, plain = text.partition(":")
    for forged in (
        theirs.write({"a": 1}), plain, f":{plain}", f"{signature}:{plain} ", text[1:], text.upper(), "", None, 7,
        text.encode(), f"{ours.token}:{plain}", f"{ours.token}:a request", "\ud800:1", "é:1",
    ):  # fmt: skip
        with pytest.raises(ValueError):
            ours.read(forged)


def test_each_value_comes_back_from_the_real_part_as_from_the_model():
    kept = [value for value in PLAIN if not isinstance(value, (Lease, Message))]

    def keep(db):
        yield db.write("them", kept)
        yield db.write("again", (yield db.read("them")))

    assert Scenario(db=Database()).live(keep).broken is None


NOTEBOOK = """
import collections, dataclasses, enum
from simlib import Database, Lock, Queue, Scenario

@dataclasses.dataclass(frozen=True)
class Order:
    number: int

class Colour(enum.Enum):
    RED = 1

Point = collections.namedtuple("Point", "x y")

def work(db, inbox, outbox, lock):
    message = yield inbox.receive()
    lease = yield lock.acquire(Order(7))
    yield db.write("order", [Colour.RED, Point(1, 2), Order(1), message.body.number])
    row = yield db.read("order")
    yield db.write("row", row)
    yield outbox.send(Order(2))
    yield inbox.ack(message)
    yield lock.release(lease)

shop = Scenario(db=Database({"a": Order(3)}), inbox=Queue([Order(4)]), outbox=Queue(), lock=Lock())
trace = shop.live(work)
print(trace["db"]["row"][0] is Colour.RED, type(trace["db"]["row"][1]) is Point, trace["db"]["row"][3], trace.broken)
"""


def test_the_classes_of_a_notebook_are_stored_for_real():
    ran = subprocess.run([sys.executable, "-c", NOTEBOOK], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout == "True True 4 None\n", ran.stderr
