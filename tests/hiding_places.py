"""Where a worker can hide one bit: `PLACES` maps a name to how to hide it there, and how to find it again.

Each is a pair of functions: of the bit, and of what the first one gave.
"""

import argparse
import array
import ast
import codecs
import collections
import contextlib
import contextvars
import copy
import csv
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import inspect
import io
import itertools
import operator
import pathlib
import queue
import random
import re
import string
import struct
import sys
import threading
import types
import typing
import uuid
import weakref
import zlib

from simlib import Rejected


class Plain:
    pass


class Slotted:
    __slots__ = ("bit", "never")


class SlottedBelow(Slotted):
    __slots__ = ("more", "__dict__")


class Forgiving:
    """What it has not, it makes up."""

    def __init__(self, bit):
        self._hidden = bit

    def __getattr__(self, name):
        return vars(self).get(f"_{name}")


class EqualToAll:
    def __init__(self, bit):
        self.bit = bit

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


class Liars(type):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash(str)


class ALiar(metaclass=Liars):
    def __init__(self, bit):
        self.bit = bit


class Posing:
    """It says that it is text."""

    def __init__(self, bit):
        self.bit = bit

    @property
    def __class__(self):
        return str


class Kept:
    """A descriptor that keeps what is set in a slot of another name."""

    def __get__(self, owner, kind=None):
        return owner if owner is None else vars(owner)["elsewhere"]

    def __set__(self, owner, value):
        vars(owner)["elsewhere"] = value


class WithDescriptor:
    bit = Kept()


class OwnDict:
    """Its `__dict__` is something else than where its attributes are."""

    __dict__ = {}


class Texts(str):
    pass


class Numbers(int):
    pass


class Reals(float):
    pass


class Bytes(bytes):
    pass


class Listed(list):
    pass


class Mapped(dict):
    pass


class Tupled(tuple):
    pass


class SetOf(set):
    pass


class FrozenSetOf(frozenset):
    pass


class Pair(typing.NamedTuple):
    first: object
    second: object = None


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Data:
    name: object = None
    other: object = dataclasses.field(default=None, compare=False, repr=False)


@dataclasses.dataclass(slots=True)
class SlottedData:
    name: object = None


@dataclasses.dataclass(frozen=True)
class FrozenData:
    name: object = None


@dataclasses.dataclass
class DataList(list):
    name: str = ""


@dataclasses.dataclass
class DataDict(dict):
    name: str = ""


@dataclasses.dataclass
class DataError(Exception):
    name: str = ""


class Failed(Exception):
    pass


class FailedWithSlots(Exception):
    __slots__ = ("bit",)


class Refused(Rejected):
    def __init__(self, text, bit=False):
        super().__init__(text)
        self.bit = bit


class Zone(datetime.tzinfo):
    def __init__(self, bit):
        self.bit = bit

    def __repr__(self):
        return "Zone()"


def setting(thing, **attributes):
    """The same thing, with these attributes."""
    for name, value in attributes.items():
        setattr(thing, name, value)
    return thing


def moved(iterator, bit):
    """An iterator that has been asked once, if the bit is set."""
    if bit:
        next(iterator)
    return iterator


def left(iterator):
    """Whether it has been asked before."""
    return len([*iterator]) < 3


def counting():
    yield from (1, 2, 3)


def keeping(bit):
    yield bit
    yield bit


def a_function():
    pass


def function_with(**attributes):
    def inner(some=0, *, other=0):
        return some or other

    return setting(inner, **attributes)


def method_of(thing):
    return types.MethodType(lambda self: self, thing)


def raised(error, cause=None, context=None):
    """The error, as whoever catches it has it."""
    try:
        if context is None:
            raise error from cause
        try:
            raise context
        except Exception:
            raise error  # noqa: B904
    except Exception as caught:
        return caught


def deep(levels):
    """An error that has come through so many functions."""

    def fall(level, secret):
        if level:
            fall(level - 1, secret)
        raise Failed

    try:
        fall(levels, None)
    except Failed as error:
        return error


def from_a_frame(bit):
    """An error whose traceback leads to a function with the bit in a variable."""

    def fall(hidden):
        raise Failed

    try:
        fall(bit)
    except Failed as error:
        return error


def in_a_local(error):
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_locals["hidden"]


def levels_of(error):
    count, trace = 0, error.__traceback__
    while trace:
        count, trace = count + 1, trace.tb_next
    return count


def noted(bit):
    error = Failed("no")
    error.add_note("yes" if bit else "no")
    return error


def removed(bit):
    """A set in which something was before, or not; what is added later is met in another order."""
    some = {0}
    if bit:
        some.add(8)
        some.discard(0)
        some.add(16)
        some.discard(8)
        some.add(0)
        some.discard(16)
    return some


def order_afterwards(some):
    some.add(8)
    return [*some] != [0, 8]


def without(data, name, really):
    if really:
        delattr(data, name)
    return data


def frame_of(bit):
    return sys._getframe()


def local_class(**attributes):
    class Box:
        pass

    return setting(Box, **attributes)


def a_context(bit):
    context = contextvars.copy_context()
    context.run(VARIABLE.set, bit)
    return context


def a_variable(bit):
    variable = contextvars.ContextVar("bit")
    variable.set(bit)
    return variable


def exit_stack(bit):
    stack = contextlib.ExitStack()
    if bit:
        stack.callback(a_function)
    return stack


@contextlib.contextmanager
def managing(bit):
    yield bit


async def waiting(bit):
    return bit


async def asynchronous(bit):
    yield bit


def cached(bit):
    @functools.lru_cache
    def remember():
        return [bit]

    remember()
    return remember


def read_on(file, bit):
    if bit:
        file.read(1)
    return file


def told(thing, bit, text=b"x"):
    if bit:
        thing.update(text)
    return thing


def drawn(bit):
    dice = random.Random(7)
    if bit:
        dice.random()
    return dice


def put(thing, bit):
    if bit:
        thing.put(1)
    return thing


def event(bit):
    one = threading.Event()
    if bit:
        one.set()
    return one


def a_lock(bit):
    one = threading.Lock()
    if bit:
        one.acquire()
    return one


def a_local(bit):
    return setting(threading.local(), bit=bit)


def weak(bit):
    box = Plain()
    box.bit = bit
    return box, weakref.ref(box)


def weak_keys(bit):
    box = Plain()
    return box, weakref.WeakKeyDictionary({box: bit})


def aliased(bit):
    one = [1]
    return [one, one if bit else [1]]


def shows_aliasing(pair):
    pair[0].append(2)
    return len(pair[1]) == 2


def odd_order(bit):
    return {"a": 1, "b": 2} if bit else {"b": 2, "a": 1}


def method_of_super(bit):
    class Child(Plain):
        def up(self):
            return super()

    return setting(Child(), bit=bit).up()


def nested_name(bit):
    return setting(counting(), __name__="b" if bit else "a")


def half_an_error(bit):
    error = UnicodeDecodeError("ascii", b"abc", 0, 1, "no")
    error.start = 7 if bit else 5
    return error


VARIABLE = contextvars.ContextVar("outside")
NAN = float("nan")
SHARED = [0]

PLACES = {
    # containers
    "list": (lambda bit: [1] * bit, bool),
    "item of a list": (lambda bit: [0, bit], lambda kept: kept[1]),
    "list in a list": (lambda bit: [[bit]], lambda kept: kept[0][0]),
    "two names for a list": (aliased, shows_aliasing),
    "tuple": (lambda bit: (0, bit), lambda kept: kept[1]),
    "list in a tuple": (lambda bit: ([bit],), lambda kept: kept[0][0]),
    "dict": (lambda bit: {"a": bit}, lambda kept: kept["a"]),
    "key of a dict": (lambda bit: {bit: 1}, lambda kept: True in kept),
    "1 or True": (lambda bit: True if bit else 1, lambda kept: kept is True),
    "1.0 or 1": (lambda bit: [1.0 if bit else 1], lambda kept: type(kept[0]) is float),
    "order of a dict": (odd_order, lambda kept: next(iter(kept)) == "a"),
    "order of a dict of dicts": (lambda bit: {"in": odd_order(bit)}, lambda kept: next(iter(kept["in"])) == "a"),
    "set": (lambda bit: {bit}, lambda kept: True in kept),
    "set that once was larger": (removed, order_afterwards),
    "frozenset": (lambda bit: frozenset([bit]), lambda kept: True in kept),
    "object in a frozenset": (lambda bit: frozenset([EqualToAll(bit)]), lambda kept: next(iter(kept)).bit),
    "bytearray": (lambda bit: bytearray([bit]), lambda kept: kept[0]),
    "memoryview": (lambda bit: memoryview(bytes([bit])), lambda kept: kept[0]),
    "memoryview of a bytearray": (lambda bit: memoryview(bytearray([bit])), lambda kept: kept[0]),
    "array": (lambda bit: array.array("b", [bit]), lambda kept: kept[0]),
    "deque": (lambda bit: collections.deque([bit]), lambda kept: kept[0]),
    "end of a deque": (lambda bit: collections.deque(maxlen=1 if bit else 2), lambda kept: kept.maxlen == 1),
    "defaultdict": (lambda bit: collections.defaultdict(int, a=bit), lambda kept: kept["a"]),
    "factory of a defaultdict": (
        lambda bit: collections.defaultdict(list if bit else dict), lambda kept: type(kept["a"]) is list
    ),
    "OrderedDict": (lambda bit: collections.OrderedDict(odd_order(bit)), lambda kept: next(iter(kept)) == "a"),
    "order of an OrderedDict": (
        lambda bit: (kept := collections.OrderedDict(a=1, b=2), bit and kept.move_to_end("a"))[0],
        lambda kept: next(iter(kept)) == "b",
    ),
    "Counter": (lambda bit: collections.Counter("a" * bit), lambda kept: kept["a"]),
    "ChainMap": (lambda bit: collections.ChainMap({}, {"a": bit}), lambda kept: kept["a"]),
    "UserDict": (lambda bit: collections.UserDict(a=bit), lambda kept: kept["a"]),
    "UserList": (lambda bit: collections.UserList([bit]), lambda kept: kept[0]),
    "UserString": (lambda bit: collections.UserString("a" * bit), bool),
    "mappingproxy": (lambda bit: types.MappingProxyType({"a": bit}), lambda kept: kept["a"]),
    "keys of a dict": (lambda bit: {bit: 1}.keys(), lambda kept: True in kept),
    "values of a dict": (lambda bit: {1: bit}.values(), lambda kept: True in kept),
    "items of a dict": (lambda bit: {1: bit}.items(), lambda kept: (1, True) in kept),
    "queue": (lambda bit: put(queue.SimpleQueue(), bit), lambda kept: not kept.empty()),
    "queue.Queue": (lambda bit: put(queue.Queue(), bit), lambda kept: kept.qsize()),
    "list that contains itself": (lambda bit: (kept := [bit], kept.append(kept))[0], lambda kept: kept[1][0]),
    # plain values
    "text": (lambda bit: "b" if bit else "a", lambda kept: kept == "b"),
    "number": (lambda bit: 10**30 + bit, lambda kept: kept % 2),
    "sign of zero": (lambda bit: -0.0 if bit else 0.0, lambda kept: str(kept) == "-0.0"),
    "sign of a complex zero": (lambda bit: complex(0, -0.0 if bit else 0.0), lambda kept: "-" in str(kept)),
    "nan or another": (lambda bit: [NAN, NAN if bit else float("nan")], lambda kept: kept[0] is kept[1]),
    "bytes": (lambda bit: b"b" if bit else b"a", lambda kept: kept == b"b"),
    "range": (lambda bit: range(0, 2, 1 + bit), lambda kept: kept.step == 2),
    "slice": (lambda bit: slice([bit]), lambda kept: kept.stop[0]),
    "Ellipsis or NotImplemented": (lambda bit: ... if bit else NotImplemented, lambda kept: kept is ...),
    "Decimal": (lambda bit: decimal.Decimal("1.0" if bit else "1.00"), lambda kept: str(kept) == "1.0"),
    "Fraction": (lambda bit: fractions.Fraction(1 + bit, 3), lambda kept: kept > 0.5),
    "datetime": (lambda bit: datetime.datetime(2020, 1, 1 + bit), lambda kept: kept.day == 2),
    "fold of a time": (lambda bit: datetime.time(1, fold=bit), lambda kept: kept.fold),
    "zone of a datetime": (lambda bit: datetime.datetime(2020, 1, 1, tzinfo=Zone(bit)), lambda kept: kept.tzinfo.bit),
    "timedelta": (lambda bit: datetime.timedelta(bit), bool),
    "UUID": (lambda bit: uuid.UUID(int=bit), lambda kept: kept.int),
    "Path": (lambda bit: pathlib.PurePosixPath("b" if bit else "a"), lambda kept: kept.name == "b"),
    "enum": (lambda bit: Colour.RED if bit else Colour.BLUE, lambda kept: kept is Colour.RED),
    "flag": (lambda bit: Rights.READ | Rights.WRITE if bit else Rights.READ, lambda kept: Rights.WRITE in kept),
    "int enum": (lambda bit: Level.HIGH if bit else Level.LOW, lambda kept: kept == 2),
    "namedtuple": (lambda bit: Pair(1, bit), lambda kept: kept.second),
    "list in a namedtuple": (lambda bit: Pair(1, [bit]), lambda kept: kept.second[0]),
    # derived from what is built in
    "attribute of a text": (lambda bit: setting(Texts("a"), bit=bit), lambda kept: kept.bit),
    "letters of a text's class": (lambda bit: Texts("b" if bit else "a"), lambda kept: kept == "b"),
    "attribute of a number": (lambda bit: setting(Numbers(1), bit=bit), lambda kept: kept.bit),
    "value of a number's class": (lambda bit: Numbers(bit), bool),
    "sign of a float's class": (lambda bit: Reals(-0.0 if bit else 0.0), lambda kept: str(kept) == "-0.0"),
    "attribute of a float": (lambda bit: setting(Reals(1), bit=bit), lambda kept: kept.bit),
    "attribute of bytes": (lambda bit: setting(Bytes(b"a"), bit=bit), lambda kept: kept.bit),
    "value of a bytes' class": (lambda bit: Bytes([bit]), lambda kept: kept[0]),
    "item of a list's class": (lambda bit: Listed([bit]), lambda kept: kept[0]),
    "attribute of a list's class": (lambda bit: setting(Listed(), bit=bit), lambda kept: kept.bit),
    "item of a dict's class": (lambda bit: Mapped(a=bit), lambda kept: kept["a"]),
    "attribute of a dict's class": (lambda bit: setting(Mapped(), bit=bit), lambda kept: kept.bit),
    "item of a tuple's class": (lambda bit: Tupled([bit]), lambda kept: kept[0]),
    "attribute of a tuple's class": (lambda bit: setting(Tupled(), bit=bit), lambda kept: kept.bit),
    "item of a set's class": (lambda bit: SetOf([bit]), lambda kept: True in kept),
    "attribute of a set's class": (lambda bit: setting(SetOf(), bit=bit), lambda kept: kept.bit),
    "attribute of a frozenset's class": (lambda bit: setting(FrozenSetOf(), bit=bit), lambda kept: kept.bit),
    # objects
    "attribute": (lambda bit: setting(Plain(), bit=bit), lambda kept: kept.bit),
    "whether there is an attribute": (lambda bit: setting(Plain(), **{"a" * bit: 1}), lambda kept: hasattr(kept, "a")),
    "order of attributes": (lambda bit: setting(Plain(), **odd_order(bit)), lambda kept: [*vars(kept)] == ["a", "b"]),
    "slot": (lambda bit: setting(Slotted(), bit=bit), lambda kept: kept.bit),
    "which slot": (lambda bit: setting(Slotted(), **{"bit" if bit else "never": 1}), lambda kept: hasattr(kept, "bit")),
    "slot of a base": (lambda bit: setting(SlottedBelow(), bit=bit), lambda kept: kept.bit),
    "slot and attribute": (lambda bit: setting(SlottedBelow(), new=bit), lambda kept: kept.new),
    "attribute behind __getattr__": (Forgiving, lambda kept: kept.hidden),
    "equal to all": (EqualToAll, lambda kept: kept.bit),
    "key that is equal to all": (lambda bit: {EqualToAll(bit): 1}, lambda kept: next(iter(kept)).bit),
    "class that is equal to all": (ALiar, lambda kept: kept.bit),
    "object that says it is text": (Posing, lambda kept: kept.bit),
    "descriptor": (lambda bit: setting(WithDescriptor(), bit=bit), lambda kept: kept.bit),
    "another __dict__": (lambda bit: setting(OwnDict(), bit=bit), lambda kept: kept.bit),
    "class of an object": (lambda bit: Plain() if bit else Data(), lambda kept: type(kept) is Plain),
    "class set later": (
        lambda bit: setting(Plain(), __class__=Forgiving if bit else Plain), lambda kept: type(kept) is Forgiving
    ),
    "SimpleNamespace": (lambda bit: types.SimpleNamespace(bit=bit), lambda kept: kept.bit),
    "Namespace": (lambda bit: argparse.Namespace(bit=bit), lambda kept: kept.bit),
    "dataclass": (Data, lambda kept: kept.name),
    "field that is not compared": (lambda bit: Data(1, bit), lambda kept: kept.other),
    "attribute of a dataclass": (lambda bit: setting(Data(), bit=bit), lambda kept: kept.bit),
    "field that is gone": (lambda bit: without(Data(1), "name", bit), lambda kept: kept.name is None),
    "slotted dataclass": (SlottedData, lambda kept: kept.name),
    "frozen dataclass": (lambda bit: FrozenData([bit]), lambda kept: kept.name[0]),
    "dataclass that is a list": (lambda bit: [kept := DataList("b"), bit and kept.append(1)][0], len),
    "dataclass that is a dict": (lambda bit: [kept := DataDict("b"), kept.update(a=bit)][0], lambda kept: kept["a"]),
    "dataclass that is an error": (lambda bit: DataError("b" if bit else "a"), lambda kept: kept.name == "b"),
    "object of a local class": (lambda bit: setting(local_class()(), bit=bit), lambda kept: kept.bit),
    # classes
    "attribute of a local class": (lambda bit: local_class(bit=bit), lambda kept: kept.bit),
    "name of a class": (lambda bit: type("B" if bit else "A", (), {}), lambda kept: kept.__name__ == "B"),
    "base of a class": (lambda bit: type("A", (Plain if bit else Data,), {}), lambda kept: issubclass(kept, Plain)),
    "class of two": (lambda bit: Plain if bit else Data, lambda kept: kept is Plain),
    "metaclass": (lambda bit: Liars("A", (), {"bit": bit}), lambda kept: kept.bit),
    "alias of types": (lambda bit: list[int] if bit else list[str], lambda kept: kept == list[int]),
    "union of types": (lambda bit: int | str if bit else int | None, lambda kept: kept == int | str),
    "type variable": (lambda bit: typing.TypeVar("B" if bit else "A"), lambda kept: kept.__name__ == "B"),
    "super": (method_of_super, lambda kept: kept.__self__.bit),
    "property": (lambda bit: property(lambda self: bit), lambda kept: kept.fget(None)),
    "staticmethod": (lambda bit: staticmethod(lambda: bit), lambda kept: kept()),
    "classmethod": (lambda bit: classmethod(lambda cls: bit), lambda kept: kept.__func__(None)),
    # functions
    "closure": (lambda bit: lambda: bit, lambda kept: kept()),
    "default": (lambda bit: lambda bit=bit: bit, lambda kept: kept()),
    "keyword default": (lambda bit: lambda *, bit=bit: bit, lambda kept: kept()),
    "attribute of a function": (lambda bit: function_with(bit=bit), lambda kept: kept.bit),
    "defaults set later": (lambda bit: function_with(__defaults__=(bit,)), lambda kept: kept()),
    "keyword defaults set later": (lambda bit: function_with(__kwdefaults__={"other": bit}), lambda kept: kept()),
    "code set later": (
        lambda bit: function_with(__code__=(lambda: True).__code__ if bit else (lambda: False).__code__),
        lambda kept: kept(),
    ),
    "name of a function": (lambda bit: function_with(__name__="b" * bit), lambda kept: kept.__name__ == "b"),
    "long name of a function": (lambda bit: function_with(__qualname__="b" * bit), lambda kept: kept.__qualname__),
    "docstring": (lambda bit: function_with(__doc__="b" if bit else None), lambda kept: kept.__doc__),
    "module of a function": (lambda bit: function_with(__module__="b" * bit), lambda kept: kept.__module__),
    "annotations": (lambda bit: function_with(__annotations__={"a": bit}), lambda kept: kept.__annotations__["a"]),
    "globals of a function": (
        lambda bit: types.FunctionType(compile("bit", "", "eval"), {"bit": bit}), lambda kept: kept()
    ),
    "method": (lambda bit: method_of([bit]), lambda kept: kept()[0]),
    "function of a method": (lambda bit: types.MethodType(bool if bit else id, 1), lambda kept: kept() is True),
    "method of a list": (lambda bit: [bit].pop, lambda kept: kept()),
    "which method of a list": (lambda bit: [1].pop if bit else [1].clear, lambda kept: kept()),
    "method wrapper": (lambda bit: [1, bit].__getitem__, lambda kept: kept(1)),
    "slot wrapper": (lambda bit: (1).__bool__ if bit else (0).__bool__, lambda kept: kept()),
    "method descriptor": (lambda bit: str.upper if bit else str.lower, lambda kept: kept("a") == "A"),
    "builtin": (lambda bit: all if bit else any, lambda kept: kept([])),
    "partial": (lambda bit: functools.partial(bool, bit), lambda kept: kept()),
    "keywords of a partial": (lambda bit: functools.partial(Data, name=bit), lambda kept: kept().name),
    "attribute of a partial": (lambda bit: setting(functools.partial(bool), bit=bit), lambda kept: kept.bit),
    "cache": (cached, lambda kept: kept()[0]),
    "itemgetter": (lambda bit: operator.itemgetter(int(bit)), lambda kept: kept([0, 1])),
    "attrgetter": (lambda bit: operator.attrgetter("real" if bit else "imag"), lambda kept: kept(1)),
    "cell": (lambda bit: types.CellType(bit), lambda kept: kept.cell_contents),
    "empty cell": (
        lambda bit: types.CellType(1) if bit else types.CellType(), lambda kept: "empty" not in repr(kept)
    ),
    "code": (
        lambda bit: compile("1" if bit else "0", "", "eval"), lambda kept: eval(kept)
    ),
    "frame": (frame_of, lambda kept: kept.f_locals["bit"]),
    "module": (lambda bit: setting(types.ModuleType("mine"), bit=bit), lambda kept: kept.bit),
    # iterators
    "iterator of a list": (lambda bit: moved(iter([1, 2, 3]), bit), left),
    "exhausted iterator": (
        lambda bit: (some := [1], kept := iter(some), moved(kept, True), bit and next(kept, 0)),
        lambda kept: kept[0].append(2) or next(kept[1], None) is None,
    ),
    "iterator of a list in the worker's hands": (
        lambda bit: (kept := [1, 2, 3], iter(kept if bit else [*kept])), lambda kept: kept[0].clear() or not [*kept[1]]
    ),
    "iterator of a tuple": (lambda bit: moved(iter((1, 2, 3)), bit), left),
    "iterator of a text": (lambda bit: moved(iter("abc"), bit), left),
    "iterator of a wide text": (lambda bit: moved(iter("äöü"), bit), left),
    "iterator of bytes": (lambda bit: moved(iter(b"abc"), bit), left),
    "iterator of a bytearray": (lambda bit: moved(iter(bytearray(b"abc")), bit), left),
    "iterator of a range": (lambda bit: moved(iter(range(3)), bit), left),
    "iterator of a long range": (lambda bit: moved(iter(range(10**30, 10**30 + 3)), bit), left),
    "iterator of a dict": (lambda bit: moved(iter({1: 1, 2: 2, 3: 3}), bit), left),
    "iterator of items": (lambda bit: moved(iter({1: 1, 2: 2, 3: 3}.items()), bit), left),
    "iterator of a set": (lambda bit: moved(iter({1, 2, 3}), bit), left),
    "iterator of a deque": (lambda bit: moved(iter(collections.deque([1, 2, 3])), bit), left),
    "reversed": (lambda bit: moved(reversed([1, 2, 3]), bit), left),
    "reversed tuple": (lambda bit: moved(reversed((1, 2, 3)), bit), left),
    "enumerate": (lambda bit: moved(enumerate([1, 2, 3]), bit), left),
    "start of an enumerate": (lambda bit: enumerate([1], bit), lambda kept: next(kept)[0]),
    "zip": (lambda bit: moved(zip([1, 2, 3], "abc"), bit), left),
    "strict zip": (lambda bit: zip([1], strict=bool(bit)), lambda kept: "True" in str(kept.__reduce__())),
    "map": (lambda bit: moved(map(abs, [1, 2, 3]), bit), left),
    "filter": (lambda bit: moved(filter(None, [1, 2, 3]), bit), left),
    "iterator until": (lambda bit: moved(iter([1, 2, 3, 0].copy().__iter__().__next__, 0), bit), left),
    "count": (lambda bit: itertools.count(bit), next),
    "cycle": (lambda bit: moved(itertools.cycle([0, 1]), bit), next),
    "chain": (lambda bit: moved(itertools.chain([1], [2, 3]), bit), left),
    "repeat": (lambda bit: itertools.repeat(1, 2 + (not bit)), left),
    "islice": (lambda bit: moved(itertools.islice([1, 2, 3], 3), bit), left),
    "accumulate": (lambda bit: moved(itertools.accumulate([1, 2, 3]), bit), left),
    "tee": (lambda bit: moved(itertools.tee([1, 2, 3])[0], bit), left),
    "groupby": (lambda bit: moved(itertools.groupby([1, 2, 3]), bit), left),
    "product": (lambda bit: moved(itertools.product([1, 2, 3]), bit), left),
    "pairwise": (lambda bit: moved(itertools.pairwise([1, 2, 3, 4]), bit), left),
    "generator": (lambda bit: moved(counting(), bit), left),
    "variable of a generator": (lambda bit: keeping(bit), next),
    "generator that has begun": (lambda bit: moved(keeping(bit), True), next),
    "generator expression": (lambda bit: (one for one in [bit]), next),
    "name of a generator": (nested_name, lambda kept: kept.__name__ == "b"),
    "closed generator": (
        lambda bit: (kept := counting(), bit and kept.close())[0],
        lambda kept: inspect.getgeneratorstate(kept) == "GEN_CLOSED",
    ),
    "async generator": (asynchronous, lambda kept: kept.ag_frame.f_locals["bit"]),
    "Match": (lambda bit: re.match("b?", "b" * bit), lambda kept: kept[0] == "b"),
    "Pattern": (lambda bit: re.compile("b" * bit), lambda kept: kept.pattern == "b"),
    "Template": (lambda bit: string.Template("b" * bit), lambda kept: kept.template == "b"),
    "tree": (lambda bit: ast.parse("b" if bit else "a"), lambda kept: "'b'" in ast.dump(kept)),
    "lines of a file": (lambda bit: csv.reader(["b" if bit else "a"]), lambda kept: next(kept) == ["b"]),
    "place in a text file": (lambda bit: read_on(io.StringIO("abc"), bit), lambda kept: len(kept.read()) == 2),
    "place in a file": (lambda bit: read_on(io.BytesIO(b"abc"), bit), lambda kept: len(kept.read()) == 2),
    "Struct": (lambda bit: struct.Struct("b" if bit else "h"), lambda kept: kept.size == 1),
    "hash": (lambda bit: told(hashlib.sha256(), bit), lambda kept: kept.digest() != hashlib.sha256().digest()),
    "compressor": (
        lambda bit: (kept := zlib.compressobj(), kept.compress(b"b" * bit))[0],
        lambda kept: kept.flush().endswith(b"c"),
    ),
    "decoder": (
        lambda bit: (kept := codecs.getincrementaldecoder("utf-8")(), kept.decode(b"\xc3" * bit))[0],
        lambda kept: kept.getstate()[0],
    ),
    "dice": (drawn, lambda kept: kept.random() != random.Random(7).random()),
    # weak ones, contexts, what threads have
    "what a weak reference is to": (weak, lambda kept: kept[1]().bit),
    "weak keys": (weak_keys, lambda kept: kept[1][kept[0]]),
    "context": (a_context, lambda kept: kept[VARIABLE]),
    "context variable": (a_variable, lambda kept: kept.get()),
    "ExitStack": (exit_stack, lambda kept: "_exit_callbacks" in vars(kept) and len(kept._exit_callbacks)),
    "context manager": (managing, lambda kept: kept.__enter__()),
    "nullcontext": (contextlib.nullcontext, lambda kept: kept.enter_result),
    "suppress": (
        lambda bit: contextlib.suppress(KeyError if bit else OSError), lambda kept: kept._exceptions[0] is KeyError
    ),
    "event": (event, lambda kept: kept.is_set()),
    "lock": (a_lock, lambda kept: kept.locked()),
    "what a thread has": (a_local, lambda kept: kept.bit),
    # errors
    "argument of an error": (lambda bit: Failed(bit), lambda kept: kept.args[0]),
    "argument of a ValueError": (lambda bit: ValueError("b" * bit), lambda kept: str(kept) == "b"),
    "list in an error": (lambda bit: Failed([bit]), lambda kept: kept.args[0][0]),
    "attribute of an error": (lambda bit: setting(Failed(), bit=bit), lambda kept: kept.bit),
    "attribute of an operation's error": (lambda bit: setting(Rejected(), bit=bit), lambda kept: kept.bit),
    "what an error was made with": (lambda bit: Refused("no", bit), lambda kept: kept.bit),
    "slot of an error": (lambda bit: setting(FailedWithSlots(), bit=bit), lambda kept: kept.bit),
    "note of an error": (noted, lambda kept: kept.__notes__ == ["yes"]),
    "cause": (
        lambda bit: raised(Failed(), KeyError() if bit else OSError()), lambda kept: type(kept.__cause__) is KeyError
    ),
    "cause of a cause": (
        lambda bit: raised(Failed(), raised(Failed(), Failed(bit))), lambda kept: kept.__cause__.__cause__.args[0]
    ),
    "context of an error": (
        lambda bit: raised(Failed(), context=Failed(bit)), lambda kept: kept.__context__.args[0]
    ),
    "whether the context is shown": (
        lambda bit: setting(Failed(), __suppress_context__=bool(bit)), lambda kept: kept.__suppress_context__
    ),
    "length of a traceback": (lambda bit: deep(2 + bit), lambda kept: levels_of(kept) == 5),
    "variable in a traceback": (from_a_frame, in_a_local),
    "whether there is a traceback": (
        lambda bit: deep(1) if bit else Failed(), lambda kept: kept.__traceback__ is not None
    ),
    "traceback": (lambda bit: from_a_frame(bit).__traceback__, lambda kept: kept.tb_next.tb_frame.f_locals["hidden"]),
    "file of an OSError": (
        lambda bit: FileNotFoundError(2, "no", "b" if bit else "a"), lambda kept: kept.filename == "b"
    ),
    "second file of an OSError": (
        lambda bit: OSError(2, "no", "a", None, "b" if bit else "a"), lambda kept: kept.filename2 == "b"
    ),
    "number of an OSError": (lambda bit: setting(OSError(2, "no"), errno=int(bit)), lambda kept: kept.errno),
    "what was written": (
        lambda bit: setting(BlockingIOError(11, "no", 0), characters_written=int(bit)),
        lambda kept: kept.characters_written,
    ),
    "value of a StopIteration": (lambda bit: setting(StopIteration(), value=bit), lambda kept: kept.value),
    "code of a SystemExit": (lambda bit: setting(SystemExit(), code=bit), lambda kept: kept.code),
    "KeyError": (lambda bit: KeyError("b" if bit else "a"), lambda kept: kept.args == ("b",)),
    "name of an ImportError": (
        lambda bit: ImportError("no", name="b" if bit else "a"), lambda kept: kept.name == "b"
    ),
    "object of an AttributeError": (lambda bit: AttributeError("no", obj=[bit]), lambda kept: kept.obj[0]),
    "name of a NameError": (lambda bit: NameError("no", name="b" if bit else "a"), lambda kept: kept.name == "b"),
    "line of a SyntaxError": (lambda bit: setting(SyntaxError("no"), lineno=int(bit)), lambda kept: kept.lineno),
    "place of a UnicodeError": (
        lambda bit: UnicodeDecodeError("ascii", b"abc", bit, 2, "no"), lambda kept: kept.start
    ),
    "hidden place of a UnicodeError": (half_an_error, lambda kept: "7" in str(kept)),
    "errors of a group": (
        lambda bit: ExceptionGroup("no", [Failed(bit)]), lambda kept: kept.exceptions[0].args[0]
    ),
    "words of a group": (
        lambda bit: ExceptionGroup("b" if bit else "a", [Failed()]), lambda kept: kept.message == "b"
    ),
    "copy of an error": (lambda bit: copy.copy(setting(Failed(), bit=bit)), lambda kept: kept.bit),
}  # fmt: skip
