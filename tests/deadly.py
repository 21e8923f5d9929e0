"""A worker that dies with some seeds. By itself, for each process that runs it imports this module."""

import os
import signal

from simlib import Database, Random, Scenario


def fall(random, db, dies, when):
    """Dies, in the way that `dies` names, where the seed draws `when`."""
    number = yield random.choice(range(20))
    if number == when:
        WAYS[dies](os.getpid())
    yield db.write("x", number)


def kill(process):
    os.kill(process, signal.SIGKILL)


def fails(process):
    raise KeyError("order")


WAYS = {"kill": kill, "fails": fails}


def falling(dies, when=6):
    return Scenario(random=Random(), db=Database(), dies=getattr(dies, "__name__", ""), when=when)


def never_six(db):
    if db["x"] == 6:
        raise ValueError("six")
    return True
