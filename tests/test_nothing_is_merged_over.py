"""No place of a worker is taken for another one in which the worker remembers something else.

Each of these workers reads x, which somebody else sets meanwhile, hides what it read, takes one more step, finds it
again and acts on it. A search that does not look where it was hidden takes the two for one, and proves what is false.
"""

import array
import builtins
import collections
import contextlib
import contextvars
import decimal
import functools
import io
import itertools
import operator
import os
import random
import sys
import tempfile
import threading
import types
import weakref

import pytest

from simlib import Database, NotFound, OutcomeUnknown, Rejected, Scenario, Service
from simlib.check.question import Question
from simlib.check.reachability import Reachability
from simlib.errors import AlreadyExists, Mistake
from simlib.scenario import system_of
from simlib.schedule.budget import Budget, Limits
from tests import hiding_places
from tests.hiding_places import PLACES, Colour, Data, Failed, Listed


def no_boom(db):
    return db["boom"] is None


def toggle(db):
    yield db.write("x", 1)


def verdict(worker, merge=True):
    """What a search says: of the answers that are right, `violated`, or a Mistake that teaches."""
    system = system_of(Scenario(db=Database({"x": 0}), always=[no_boom]), [worker, toggle])
    with system.watchdog:
        try:
            findings = Reachability(Question.about(system, Budget({}), Limits(), merge=merge)).run()
        except Mistake as mistake:
            return type(mistake).__name__
    return "violated" if findings.found else "holds"


# Where in the worker that is what it is hidden in: of each, a worker that keeps what `hide` gives there


def in_a_variable(hide, find):
    def keeps(db):
        kept = hide((yield db.read("x")))
        yield db.read("y")
        if find(kept):
            yield db.write("boom", 1)

    return keeps


def on_the_stack(hide, find):
    def keeps(db):
        if (lambda kept, _: find(kept))(hide((yield db.read("x"))), (yield db.read("y"))):
            yield db.write("boom", 1)

    return keeps


def in_a_cell(hide, find):
    def keeps(db):
        def found():
            return find(kept)

        kept = hide((yield db.read("x")))
        yield db.read("y")
        if found():
            yield db.write("boom", 1)

    return keeps


def deep_in_containers(hide, find):
    def keeps(db):
        kept = ({"a": [hide((yield db.read("x")))]},)
        yield db.read("y")
        if find(kept[0]["a"][0]):
            yield db.write("boom", 1)

    return keeps


def in_a_helper(hide, find):
    def helper(db):
        kept = hide((yield db.read("x")))
        yield db.read("y")
        return find(kept)

    def keeps(db):
        if (yield from helper(db)):
            yield db.write("boom", 1)

    return keeps


def in_a_with_block(hide, find):
    @contextlib.contextmanager
    def holding(kept):
        found = []
        yield found
        found.append(find(kept))

    def keeps(db):
        with holding(hide((yield db.read("x")))) as found:
            yield db.read("y")
        if found[0]:
            yield db.write("boom", 1)

    return keeps


def in_an_error_that_is_handled(hide, find):
    def keeps(db):
        x = yield db.read("x")
        try:
            raise Failed(hide(x))
        except Failed as error:
            del x
            yield db.read("y")
            found = find(error.args[0])
        if found:
            yield db.write("boom", 1)

    return keeps


def in_the_cause_of_an_error(hide, find):
    def keeps(db):
        x = yield db.read("x")
        try:
            raise Failed from Failed(hide(x))
        except Failed as error:
            kept = error
        del x
        yield db.read("y")
        if find(kept.__cause__.args[0]):
            yield db.write("boom", 1)

    return keeps


def in_a_dataclass(hide, find):
    def keeps(db):
        kept = Data(Data(hide((yield db.read("x")))))
        yield db.read("y")
        if find(kept.name.name):
            yield db.write("boom", 1)

    return keeps


CONTEXTS = [
    in_a_variable, on_the_stack, in_a_cell, deep_in_containers, in_a_helper, in_a_with_block,
    in_an_error_that_is_handled, in_the_cause_of_an_error, in_a_dataclass,
]  # fmt: skip


def test_each_place_hides_the_bit_and_shows_it_again():
    assert [name for name, (hide, find) in PLACES.items() if not find(hide(1)) or find(hide(0))] == []


@pytest.mark.parametrize("merge", [True, False])
def test_what_a_variable_holds_is_never_merged_over(merge):
    said = {name: verdict(in_a_variable(*place), merge) for name, place in PLACES.items()}
    assert said == dict.fromkeys(PLACES, "violated")
    assert len(PLACES) > 200


@pytest.mark.parametrize("number", range(len(CONTEXTS)))
def test_what_is_hidden_deeper_is_never_merged_over(number):
    places = [*PLACES.items()][number :: len(CONTEXTS)]  # one context for each
    said = {name: verdict(CONTEXTS[number](*place)) for name, place in places}
    assert said == dict.fromkeys(dict(places), "violated")


@pytest.mark.parametrize("context", CONTEXTS)
def test_where_nothing_is_hidden_these_workers_are_merged(context):
    system = system_of(Scenario(db=Database({"x": 0})), [context(lambda bit: [0], lambda kept: kept[0]), toggle])
    with system.watchdog:
        merged, plain = (
            Reachability(Question.about(system, Budget({}), Limits(), merge=merge)).run().states
            for merge in (True, False)
        )
    assert merged < plain


def test_why_a_payment_failed_is_remembered_while_it_is_handled():
    def pay(bank):
        try:
            yield bank.call("charge")
        except (OutcomeUnknown, Rejected) as error:
            raise Failed("order-1") from error

    def charge_or_refund(bank, db):
        try:
            yield from pay(bank)
        except Failed as failed:
            yield db.write("order-1", "failed")
            if isinstance(failed.__cause__, Rejected):  # the slip
                yield bank.call("refund")

    def no_refund_without_a_charge(bank):
        return bank.count("refund") <= bank.count("charge")

    shop = Scenario(bank=Service(), db=Database(), always=[no_refund_without_a_charge])
    assert shop.explore(charge_or_refund, crashes=0, rejections=1, lost_replies=1).verdict == "violated"


def test_its_own_code_in_a_variable_hides_none_of_the_others():
    def keeps(db):
        x = yield db.read("x")
        code = sys._getframe().f_code
        yield db.read("y")
        if x == 1 and code:
            yield db.write("boom", 1)

    assert verdict(keeps) == "violated"


def test_a_loop_that_handles_an_error_at_every_turn_is_still_closed():
    def retries(db):
        while True:
            try:
                yield db.insert("k", 1)
            except AlreadyExists as error:
                yield db.write("failed", str(error))

    def written(db):
        return "k" in db

    report = Scenario(db=Database(), eventually=[written]).explore(retries, crashes=0)
    assert (report.verdict, report.schedules, report.states) == ("holds", None, 5)


# Memory outside of the worker: none of it is merged over, and most of it is told by name


class Box:
    flag = 0

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


class BoxWithSlots:
    __slots__ = ("flag",)


class Remembers:
    """A descriptor that keeps it for all objects."""

    def __init__(self):
        self.kept = [0]

    def __get__(self, owner, kind=None):
        return self.kept[0]

    def __set__(self, owner, value):
        self.kept[0] = value


class BoxWithDescriptor:
    flag = Remembers()


class ErrorWithFlag(Exception):
    flag = 0


def a_helper(some=[0], *, other=[0]):  # noqa: B006
    return some, other


GLOBAL = 0
DICT, LIST, SET, DEEP = {}, [0], set(), {"a": ([{}],)}
QUEUE, BYTES, NUMBERS = collections.deque([0]), bytearray(1), array.array("b", [0])
ORDERED, COUNTED, DEFAULTS = collections.OrderedDict(), collections.Counter(), collections.defaultdict(int)
CHAINED, NAMES, SHOWN = collections.ChainMap({}), types.SimpleNamespace(flag=0), types.MappingProxyType(DICT)
BOX, SLOTS, DATA, ERROR, LISTED = Box(), BoxWithSlots(), Data(), ErrorWithFlag(), Listed()
VARIABLE, LOCAL = contextvars.ContextVar("flag"), threading.local()
COUNT, FILE, WEAK = itertools.count(), io.StringIO(), weakref.WeakKeyDictionary()
PARTIAL, EVENT = functools.partial(a_helper, some=[0]), threading.Event()


@functools.lru_cache
def remembered():
    return [0]


def generating():
    kept = 0
    while True:
        kept = (yield kept) or kept


def set_global(bit, db):
    global GLOBAL
    GLOBAL = bit


def set_new_global(bit, db):
    globals()["A_NEW_ONE"] = bit


def set_code(bit, db):
    a_helper.__code__ = WITH_A_BIT if bit else WITHOUT


def set_frame(bit, db):
    sys._getframe(1).f_locals["hidden"] = bit


def set_trace(bit, db):
    sys._getframe(1).f_trace = (lambda *_: None) if bit else None


THIRD = decimal.Decimal(1) / 3


def write_file(bit, db):
    with open(os.path.join(tempfile.gettempdir(), f"midflight-{os.getpid()}"), "w") as file:
        file.write("b" * bit)


def read_file(db):
    with open(os.path.join(tempfile.gettempdir(), f"midflight-{os.getpid()}")) as file:
        return file.read()


WITHOUT, WITH_A_BIT = a_helper.__code__, a_helper.__code__.replace(co_consts=(1,))

OUTSIDE = {
    "a global": (set_global, lambda db: GLOBAL),
    "a new global": (set_new_global, lambda db: globals()["A_NEW_ONE"]),
    "a dict": (lambda bit, db: DICT.update(a=bit), lambda db: DICT["a"]),
    "a list": (lambda bit, db: operator.setitem(LIST, 0, bit), lambda db: LIST[0]),
    "a set": (lambda bit, db: SET.add(1) if bit else SET.discard(1), lambda db: SET),
    "deep in containers": (lambda bit, db: DEEP["a"][0][0].update(a=bit), lambda db: DEEP["a"][0][0]["a"]),
    "a deque": (lambda bit, db: operator.setitem(QUEUE, 0, bit), lambda db: QUEUE[0]),
    "a bytearray": (lambda bit, db: operator.setitem(BYTES, 0, bit), lambda db: BYTES[0]),
    "an array": (lambda bit, db: operator.setitem(NUMBERS, 0, bit), lambda db: NUMBERS[0]),
    "an OrderedDict": (lambda bit, db: ORDERED.update(a=bit), lambda db: ORDERED["a"]),
    "a Counter": (lambda bit, db: operator.setitem(COUNTED, "a", bit), lambda db: COUNTED["a"]),
    "a defaultdict": (lambda bit, db: operator.setitem(DEFAULTS, "a", bit), lambda db: DEFAULTS["a"]),
    "a ChainMap": (lambda bit, db: operator.setitem(CHAINED, "a", bit), lambda db: CHAINED["a"]),
    "a SimpleNamespace": (lambda bit, db: setattr(NAMES, "flag", bit), lambda db: NAMES.flag),
    "what a proxy shows": (lambda bit, db: DICT.update(b=bit), lambda db: SHOWN["b"]),
    "an object": (lambda bit, db: setattr(BOX, "flag", bit), lambda db: BOX.flag),
    "a slot": (lambda bit, db: setattr(SLOTS, "flag", bit), lambda db: SLOTS.flag),
    "a dataclass": (lambda bit, db: setattr(DATA, "name", bit), lambda db: DATA.name),
    "an error": (lambda bit, db: setattr(ERROR, "args", (bit,)), lambda db: ERROR.args[0]),
    "a list of a class": (lambda bit, db: setattr(LISTED, "flag", bit), lambda db: LISTED.flag),
    "a class": (lambda bit, db: setattr(Box, "flag", bit), lambda db: Box.flag),
    "the class of an object": (lambda bit, db: setattr(type(BOX), "other", bit), lambda db: type(BOX).other),
    "a descriptor": (lambda bit, db: setattr(BoxWithDescriptor(), "flag", bit), lambda db: BoxWithDescriptor().flag),
    "a class of errors": (lambda bit, db: setattr(ErrorWithFlag, "flag", bit), lambda db: ErrorWithFlag.flag),
    "a class of simlib": (lambda bit, db: setattr(NotFound, "flag", bit), lambda db: NotFound.flag),
    "the class of a resource": (lambda bit, db: setattr(type(db), "_flag", bit), lambda db: type(db)._flag),
    "a member of an enum": (lambda bit, db: setattr(Colour.RED, "flag", bit), lambda db: Colour.RED.flag),
    "a function": (lambda bit, db: setattr(a_helper, "flag", bit), lambda db: a_helper.flag),
    "a default": (lambda bit, db: operator.setitem(a_helper()[0], 0, bit), lambda db: a_helper()[0][0]),
    "a keyword default": (lambda bit, db: operator.setitem(a_helper()[1], 0, bit), lambda db: a_helper()[1][0]),
    "other defaults": (lambda bit, db: setattr(a_helper, "__defaults__", ([bit],)), lambda db: a_helper()[0][0]),
    "other code": (set_code, lambda db: a_helper.__code__ is WITH_A_BIT),
    "a partial": (lambda bit, db: operator.setitem(PARTIAL.keywords["some"], 0, bit), lambda db: PARTIAL()[0][0]),
    "a cache": (lambda bit, db: operator.setitem(remembered(), 0, bit), lambda db: remembered()[0]),
    "a module": (lambda bit, db: setattr(hiding_places, "flag", bit), lambda db: hiding_places.flag),
    "a list in a module": (
        lambda bit, db: operator.setitem(hiding_places.SHARED, 0, bit), lambda db: hiding_places.SHARED[0]
    ),
    "a module of Python": (lambda bit, db: setattr(random, "flag", bit), lambda db: random.flag),
    "a builtin": (lambda bit, db: setattr(builtins, "flag", bit), lambda db: flag),  # noqa: F821
    "sys": (lambda bit, db: setattr(sys, "flag", bit), lambda db: sys.flag),
    "the modules": (lambda bit, db: operator.setitem(sys.modules, "flag", bit), lambda db: sys.modules["flag"]),
    "the environment": (lambda bit, db: os.environ.update(FLAG=str(bit)), lambda db: os.environ["FLAG"] == "1"),
    "a context variable": (lambda bit, db: VARIABLE.set(bit), lambda db: VARIABLE.get()),
    "what a thread has": (lambda bit, db: setattr(LOCAL, "flag", bit), lambda db: LOCAL.flag),
    "an event": (lambda bit, db: EVENT.set() if bit else EVENT.clear(), lambda db: EVENT.is_set()),
    "an iterator": (lambda bit, db: next(COUNT) if next(COUNT) % 2 == bit else 0, lambda db: not next(COUNT) % 2),
    "weak keys": (lambda bit, db: operator.setitem(WEAK, BOX, bit), lambda db: WEAK[BOX]),
    "a file in memory": (lambda bit, db: FILE.seek(0) or FILE.write(str(bit)), lambda db: "1" in FILE.getvalue()),
    "a file": (write_file, read_file),
    "a seed": (lambda bit, db: random.seed(bit), lambda db: random.random() < 0.5),
    "a precision": (lambda bit, db: setattr(decimal.getcontext(), "prec", 5 + bit), lambda db: len(str(+THIRD)) == 8),
    "a limit": (lambda bit, db: sys.setrecursionlimit(1_000 + bit), lambda db: sys.getrecursionlimit() == 1_001),
    "an attribute of a resource": (lambda bit, db: setattr(db, "flag", bit), lambda db: db.flag),
    "a private one": (lambda bit, db: setattr(db, "_flag", bit), lambda db: db._flag),
    "one that goes past": (lambda bit, db: object.__setattr__(db, "_flag", bit), lambda db: db._flag),
    "the dict of a resource": (lambda bit, db: vars(db).update(flag=bit), lambda db: vars(db)["flag"]),
    "a list on a resource": (lambda bit, db: vars(db).setdefault("_kept", []).append(bit), lambda db: db._kept[-1]),
    "the variables of a frame": (set_frame, lambda db: sys._getframe(1).f_locals["hidden"]),
    "the trace of a frame": (set_trace, lambda db: sys._getframe(1).f_trace),
}  # fmt: skip


@pytest.fixture
def tidy():
    """What these workers do to Python itself is undone."""
    limit, precision, environment = sys.getrecursionlimit(), decimal.getcontext().prec, dict(os.environ)
    yield
    sys.setrecursionlimit(limit)
    decimal.getcontext().prec = precision
    os.environ.clear()
    os.environ.update(environment)
    a_helper.__code__, a_helper.__defaults__ = WITHOUT, ([0],)
    for thing in (sys, random, builtins, NotFound, Database, hiding_places):
        for name in ("flag", "_flag"):
            if name in vars(thing):
                delattr(thing, name)
    sys.modules.pop("flag", None)
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(tempfile.gettempdir(), f"midflight-{os.getpid()}"))


def remembering_outside(hide, find):
    def keeps(db):
        hide((yield db.read("x")), db)
        yield db.read("y")
        if find(db):
            yield db.write("boom", 1)

    return keeps


@pytest.mark.parametrize("name", OUTSIDE)
def test_memory_outside_the_worker_is_never_merged_over(name, tidy):
    assert verdict(remembering_outside(*OUTSIDE[name])) in ("violated", "NotDeterministic", "Mistake")
