"""The worst code that a learner may write, in a live kernel: it says what is wrong within two seconds, and lives on.

A row is a cell and what it says: a Mistake, or the beginning of a verdict. The wording of the mistakes that need no
kernel to be believed is in test_mistakes.py. Left out is what no process survives: `os._exit`, a crash in C (the limit
of recursion raised beyond the stack), and a single call that computes in C without an end (`sum(itertools.count())`).
"""

import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kernel import live_kernel

ROOT = Path(__file__).parent.parent
TWO_SECONDS = 2.0

PRELUDE = """
import os, sys
os.environ["TQDM_DISABLE"] = "1"
from simlib import *
from simlib.views import crash_strip, failure_matrix, interleaving_map, price_tag, survival_curve, board

def shop(**more):
    return Scenario(
        inbox=Queue([{"id": 1}]), db=Database(), bank=Service(), lock=Lock(), disk=Disk(), clock=Clock(),
        dice=Random(), **more,
    )

def paid(db):
    return True

def read(db):
    yield db.read("x")
"""


class Row(NamedTuple):
    name: str
    cell: str
    said: str
    stdin: bool = False


WORST = [
    Row(
        "no yield",
        """
        def work(db):
            db.write("x", 1)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a forgotten yield",
        """
        def work(db):
            yield db.read("x")
            db.write("x", 1)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "an unknown resource",
        """
        def work(bnak):
            yield bnak.call("charge")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a misspelt step",
        """
        def work(db):
            yield db.wirte("x", 1)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a helper without from",
        """
        def helper(db):
            yield db.read("x")

        def work(db):
            yield helper(db)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "one generator yielded twice",
        """
        def helper(db):
            yield db.read("x")

        def work(db):
            steps = helper(db)
            yield steps
            yield steps

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a step yielded twice",
        """
        def work(db):
            step = db.write("x", 1)
            yield step
            yield step

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "yields what is no step",
        """
        def work(db):
            yield 3

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "yields an object that cannot be shown",
        """
        class Odd:
            def __repr__(self):
                raise ValueError("no")

        def work(db):
            yield Odd()

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "yields an object that is never shown",
        """
        class Odd:
            def __repr__(self):
                while True:
                    pass

        def work(db):
            yield Odd()

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "async def",
        """
        async def work(db):
            await db.read("x")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "an async generator",
        """
        async def work(db):
            yield db.read("x")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a partial",
        """
        import functools

        def work(key, db):
            yield db.read(key)

        shop().explore(functools.partial(work, "x"))
        """,
        "?",
    ),
    Row(
        "a callable object",
        """
        class Work:
            def __call__(self, db):
                yield db.read("x")

        shop().explore(Work())
        """,
        "?",
    ),
    Row(
        "a class",
        """
        class Work:
            def __init__(self, db):
                self.db = db

        shop().explore(Work)
        """,
        "?",
    ),
    Row(
        "a generator that has begun",
        """
        shop().explore(read(Database()))
        """,
        "?",
    ),
    Row(
        "a lambda",
        """
        shop().explore(lambda db: (yield db.read("x")), crashes=0)
        """,
        "?",
    ),
    Row(
        "a method",
        """
        class Desk:
            def work(self, db):
                yield db.read("x")

        shop().explore(Desk().work, crashes=0)
        """,
        "?",
    ),
    Row(
        "a decorated function that hides its parameters",
        """
        def logged(function):
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs)
            return wrapper

        @logged
        def work(db):
            yield db.read("x")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a worker in place of a list of properties",
        """
        shop(always=paid).explore(read)
        """,
        "?",
    ),
    Row(
        "a misspelt budget",
        """
        shop().explore(read, crash=1)
        """,
        "?",
    ),
    Row(
        "no such token",
        """
        shop().replay(read, "1c1-A??")
        """,
        "?",
    ),
    Row(
        "a loop without a step",
        """
        def work(db):
            yield db.read("x")
            while True:
                pass

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a loop in a function without a yield",
        """
        def work(db):
            while True:
                pass

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a loop that catches everything",
        """
        def work(db):
            yield db.read("x")
            while True:
                try:
                    while True:
                        int("x")
                except BaseException:
                    pass

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a loop that catches everything, twice",
        """
        def work(db):
            while True:
                try:
                    try:
                        while True:
                            pass
                    except BaseException:
                        pass
                except:
                    continue
                yield db.read("x")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a loop that, once stopped, takes a step",
        """
        def work(db):
            try:
                while True:
                    pass
            finally:
                yield db.read("x")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "an hour of sleep",
        """
        import time

        def work(db):
            yield db.read("x")
            time.sleep(3600)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a wait for somebody else",
        """
        import threading

        def work(db):
            yield db.read("x")
            threading.Event().wait()

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "input()",
        """
        def work(db):
            name = input("Your name? ")
            yield db.write("name", name)

        shop().explore(work)
        """,
        "?",
        stdin=True,
    ),
    Row(
        "steps in a circle",
        """
        def work(clock):
            while True:
                yield clock.sleep(1)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "steps that go on and on",
        """
        def work(db):
            number = 0
            while True:
                number += 1
                yield db.write("n", number)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a message handed back for ever",
        """
        def work(inbox):
            message = yield inbox.receive()
            yield inbox.nack(message)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a loop that takes no simulated time",
        """
        def work(db):
            while True:
                yield db.read("x")

        shop().simulate(work, latency=0)
        """,
        "?",
    ),
    Row(
        "a property without an end",
        """
        def good(db, bank):
            while True:
                pass

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "a property that sleeps",
        """
        import time

        def good(db, bank):
            time.sleep(3600)
            return True

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "a property that catches everything",
        """
        def good(db, bank):
            while True:
                try:
                    int("x")
                except BaseException:
                    pass

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "an error of its own",
        """
        def work(db):
            row = yield db.read("x")
            yield db.write("x", row["total"])

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "sys.exit()",
        """
        def work(db):
            yield db.read("x")
            sys.exit("done")

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "an error that is no Exception",
        """
        class Odd(BaseException):
            pass

        def work(db):
            yield db.read("x")
            raise Odd("gone")

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "an error that cannot say what it is",
        """
        class Odd(Exception):
            def __str__(self):
                return 1 / 0

        def work(db):
            yield db.read("x")
            raise Odd

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "an error that never says what it is",
        """
        class Odd(Exception):
            def __str__(self):
                while True:
                    pass

        def work(db):
            yield db.read("x")
            raise Odd

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "recursion without an end",
        """
        def work(db):
            yield from work(db)

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "a property that fails",
        """
        def good(db, bank):
            return db["x"] > 1

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "a property that recurs without an end",
        """
        def good(db, bank):
            return good(db, bank)

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "a property that exits",
        """
        def good(db, bank):
            sys.exit()

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "a property that cannot say why it fails",
        """
        class Odd(Exception):
            def __str__(self):
                return 1 / 0

        def good(db, bank):
            raise Odd

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "a property that returns nothing",
        """
        def good(db, bank):
            db["x"] == 1

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "a property that changes the world",
        """
        def good(db, bank):
            db["x"] = 1
            return True

        shop(always=[good]).explore(read)
        """,
        "?",
    ),
    Row(
        "catches the end of its process",
        """
        def work(inbox):
            while True:
                try:
                    message = yield inbox.receive()
                    yield inbox.ack(message)
                except BaseException:
                    pass

        shop().explore(work, crashes=1, redeliveries=0)
        """,
        "?",
    ),
    Row(
        "yields while it is closed",
        """
        def work(db):
            try:
                yield db.read("x")
                yield db.read("y")
            finally:
                yield db.write("z", 1)

        shop().explore(work, crashes=1)
        """,
        "?",
    ),
    Row(
        "never ends when it is closed",
        """
        def work(db):
            try:
                yield db.read("x")
                yield db.read("y")
            except GeneratorExit:
                while True:
                    pass

        shop().explore(work, crashes=1)
        """,
        "?",
    ),
    Row(
        "a global",
        """
        SEEN = []

        def work(db):
            SEEN.append(1)
            yield db.write("x", len(SEEN))

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a closure",
        """
        def counting():
            count = 0
            def work(db):
                nonlocal count
                count += 1
                yield db.write("x", count)
            return work

        shop().explore(counting())
        """,
        "?",
    ),
    Row(
        "a default that is kept",
        """
        def work(db, seen=[]):
            seen.append(1)
            yield db.write("x", len(seen))

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "random",
        """
        import random
        random.seed(7)

        def work(db):
            yield db.write("x", random.random())

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "time",
        """
        import time

        def work(db):
            yield db.write("x", time.time_ns())

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "uuid",
        """
        import uuid

        def work(db):
            yield db.write("x", str(uuid.uuid4()))

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "changes a message",
        """
        def the_first_one(db):
            return db["id"] in (None, 1)

        def work(inbox, db):
            message = yield inbox.receive()
            message.body["id"] = 7
            yield inbox.nack(message)
            again = yield inbox.receive()
            yield db.write("id", again.body["id"])
            yield inbox.ack(again)

        shop(always=[the_first_one]).explore(work, crashes=0, redeliveries=0)
        """,
        "?",
    ),
    Row(
        "changes a row",
        """
        def one_item(db):
            return db["row"] in (None, [1])

        def work(db):
            yield db.write("row", [1])
            row = yield db.read("row")
            row.append(2)

        shop(always=[one_item]).explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "one resource in two scenarios",
        """
        db = Database({"x": 1})

        def work(db):
            yield db.delete("x")

        Scenario(db=db).explore(work, crashes=0)
        Scenario(db=db).explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "a resource as a global",
        """
        SAFE = Database()

        def work(db):
            yield SAFE.read("x")
            yield db.read("x")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "replaces a builtin",
        """
        import builtins

        def work(db):
            yield db.read("x")
            builtins.len = lambda thing: 3
            yield db.read("y")

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "starts threads",
        """
        import threading

        def work(db):
            threads = [threading.Thread(target=print, args=("hello",)) for _ in range(9)]
            for thread in threads:
                thread.start()
            yield db.read("x")

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "prints a lot",
        """
        def work(db):
            for line in range(20_000):
                print("line", line)
            yield db.read("x")

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "explores within",
        """
        def work(db):
            yield db.write("x", shop().explore(read).verdict)

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "a gigantic state space",
        """
        def work(dice, db):
            for number in range(12):
                drawn = yield dice.choice([0, 1])
                yield db.write(number, drawn)

        shop().explore(work, workers=3, crashes=2, max_seconds=0.5)
        """,
        "?",
    ),
    Row(
        "a row of 100 MB",
        """
        def work(db):
            yield db.write("x", "x" * 100_000_000)
            row = yield db.read("x")
            yield db.write("size", len(row))

        shop().explore(work, crashes=1)
        """,
        "?",
    ),
    Row(
        "a row of a million numbers",
        """
        def work(db):
            yield db.write("x", [0] * 1_000_000)

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "a list that grows without an end",
        """
        def work(db):
            held = []
            while True:
                held.append(bytes(1_000_000))
            yield db.read("x")

        shop().explore(work, max_megabytes=100)
        """,
        "?",
    ),
    Row(
        "rows that grow without an end",
        """
        def work(db):
            row = ""
            while True:
                row += "x" * 5_000_000
                yield db.write("x", row)

        shop().explore(work, max_megabytes=100)
        """,
        "?",
    ),
    Row(
        "more than there is",
        """
        def work(db):
            yield db.read("x")
            yield db.write("x", [0] * 10**14)

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "a value that contains itself",
        """
        def work(db):
            row = []
            row.append(row)
            yield db.write("x", row)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a key that cannot be compared",
        """
        import dataclasses

        @dataclasses.dataclass(frozen=True, eq=False)
        class Key:
            name: str

            def __hash__(self):
                return 1

            def __eq__(self, other):
                raise ValueError("no")

        def work(db):
            yield db.write(Key("a"), 1)
            yield db.read(Key("a"))

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a key that is compared for ever",
        """
        import dataclasses

        @dataclasses.dataclass(frozen=True, eq=False)
        class Key:
            name: str

            def __hash__(self):
                return 1

            def __eq__(self, other):
                while True:
                    pass

        def work(db):
            yield db.write(Key("a"), 1)
            yield db.read(Key("a"))

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a key that cannot be hashed",
        """
        import dataclasses

        @dataclasses.dataclass(frozen=True, eq=False)
        class Key:
            name: str

            def __hash__(self):
                raise ValueError("no")

        def work(db):
            yield db.write(Key("a"), 1)

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a row that cannot be copied",
        """
        import dataclasses

        @dataclasses.dataclass
        class Row:
            items: list

            def __deepcopy__(self, memo):
                raise ValueError("no")

        def work(db):
            yield db.write("x", Row([1]))

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a row that is copied for ever",
        """
        import dataclasses

        @dataclasses.dataclass
        class Row:
            items: list

            def __deepcopy__(self, memo):
                while True:
                    pass

        def work(db):
            yield db.write("x", Row([1]))

        shop().explore(work)
        """,
        "?",
    ),
    Row(
        "a row that cannot be shown",
        """
        import dataclasses

        @dataclasses.dataclass
        class Row:
            items: list

            def __repr__(self):
                raise ValueError("no")

        def work(db):
            yield db.write("x", Row([1]))
            sys.exit()

        shop().explore(work, crashes=0)
        """,
        "?",
    ),
    Row(
        "a row of a class of its own",
        """
        class Row:
            pass

        def work(db):
            yield db.write("x", Row())

        shop().explore(work)
        """,
        "?",
    ),
]


@pytest.fixture(scope="module")
def kernel():
    with live_kernel(ROOT) as kernel:
        assert kernel.run(PRELUDE).said == ""
        yield kernel


@pytest.mark.parametrize("row", WORST, ids=[row.name for row in WORST])
def test_the_worst_code_is_told_what_is_wrong_within_two_seconds_and_the_next_cell_works(kernel, row):
    code = textwrap.dedent(row.cell).strip()
    cell = kernel.run(code, row.stdin)
    after = kernel.run("shop(always=[paid]).explore(read, crashes=1).verdict")
    assert cell.said.startswith(row.said), cell.said
    assert cell.seconds < TWO_SECONDS
    assert len(cell.traceback) <= len(code.splitlines())
    assert cell.complaints == ""
    assert after.said == "'holds'"
