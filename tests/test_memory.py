"""Memory is bounded: past a limit the verdict is `unfinished`, with what to lower, and the process lives.

Each program runs in a process of its own, which may take 500 MB of address space at most.
"""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simlib import Database, Random, Scenario
from simlib.check import core
from simlib.check.successors import Successors
from simlib.errors import Mistake
from simlib.watchdog import memory

ROOT = Path(__file__).parent.parent
BEFORE = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (MOST << 20, MOST << 20))
from simlib import *
from tests.test_memory import *

def most():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) >> 10

shop = Scenario(db=Database(), dice=Random())
before = most()
"""
AFTER = """
assert Scenario(db=Database({"x": 1})).explore(reads).verdict == "holds"
"""
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps to such a limit")


def reads(db):
    yield db.read("x")


def draws(dice, db):
    for number in range(14):
        drawn = yield dice.choice([0, 1])
        yield db.write(number, drawn)


def grows(db):
    row = ""
    while True:
        row += "x" * 2_000_000
        yield db.write("x", row)


def holds_on(db):
    held = []
    while True:
        held.append(bytes(100_000))
    yield db.write("x", held)


def works(inbox, db):
    message = yield inbox.receive()
    yield db.write(message.id, message.body)
    yield inbox.ack(message)


def printed(program, megabytes=500):
    ran = in_a_process(program, megabytes)
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def in_a_process(program, megabytes):
    environment = {**os.environ, "TQDM_DISABLE": "1", "PYTHONPATH": str(ROOT)}
    code = BEFORE.replace("MOST", str(megabytes)) + program + AFTER
    how = {"env": environment, "capture_output": True, "text": True, "cwd": ROOT, "timeout": 300}
    return subprocess.run([sys.executable, "-c", code], **how)


def test_many_small_states_are_cut_at_the_limit_that_is_asked_for():
    sentence, grown = printed(
        "print(shop.explore(draws, workers=3, crashes=2, max_megabytes=60).sentence); print(most() - before)"
    )
    assert sentence.startswith("unfinished: stopped at 60 MB, ")
    assert sentence.endswith("nothing is proven yet. To finish, lower workers=3 or crashes=2, or raise max_megabytes")
    assert 60 <= int(grown) < 150


def test_few_huge_states_are_cut_there_too():
    sentence, grown = printed("print(shop.explore(grows, max_megabytes=60).sentence); print(most() - before)")
    assert sentence.startswith("unfinished: stopped at 60 MB, ")
    assert 60 <= int(grown) < 400


def test_a_worker_that_takes_it_all_between_two_steps_is_stopped_at_its_line():
    (message,) = printed(
        "try:\n    shop.explore(holds_on, max_megabytes=60)\nexcept Exception as mistake:\n    print(mistake)",
        megabytes=2_000,  # a busy machine looks late
    )
    assert message.startswith("holds_on, line ")
    assert message.endswith(
        ": more than 60 MB of memory taken without reaching a `yield`: does something grow without end?"
    )


def test_a_simulation_that_keeps_its_trace_is_cut_and_says_what_to_lower():
    text = printed(
        "from simlib.watchdog import Watchdog\nWatchdog.megabytes = 10\n"
        "shop = Scenario(inbox=Queue(), db=Database())\n"
        "print(shop.simulate(works, hours=1e6, arrivals=60, trace=True))"
    )
    said = " ".join(text)
    assert ", stopped at 10 MB (seed 0): " in said
    assert ". To finish, lower hours, or leave out trace=True" in said


def test_a_search_that_the_machine_has_no_more_memory_for_is_unfinished():
    ran = in_a_process(
        "print(shop.explore(draws, workers=3, crashes=2, max_states=10**9, max_seconds=1e9).sentence)", megabytes=150
    )
    assert ran.stdout.startswith("unfinished: stopped where this machine has no more memory, "), ran.stderr
    # Without any memory CPython may be unable to do more than to say that it drops a generator.
    assert ran.returncode == 0 and "Traceback" not in ran.stderr, ran.stderr


def test_wherever_the_memory_ends_the_search_says_so(monkeypatch):
    states, successors = itertools.count(), Successors.of

    def scarce(self, state):
        if next(states) == 40:
            raise MemoryError
        return successors(self, state)

    monkeypatch.setattr(Successors, "of", scarce)
    with core.switched_off():
        report = Scenario(db=Database(), dice=Random()).explore(draws, workers=2)
    assert report.sentence.startswith("unfinished: stopped where this machine has no more memory, ")


def test_a_limit_that_is_none_is_explained():
    with pytest.raises(Mistake, match="max_megabytes=0: give a number above 0"):
        Scenario(db=Database()).explore(reads, max_megabytes=0)


def test_what_the_process_has_already_does_not_count():
    ballast = bytearray(b"x") * 50_000_000
    report = Scenario(db=Database()).explore(reads, max_megabytes=30)
    assert (report.verdict, len(ballast)) == ("holds", 50_000_000)


def test_the_memory_of_this_process_is_known():
    before = memory()
    ballast = bytearray(b"x") * 50_000_000
    assert memory() - before > 40_000_000
    assert len(ballast) == 50_000_000
