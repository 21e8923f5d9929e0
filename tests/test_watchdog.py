"""What keeps a learner's code from hanging, on every kind of machine, and leaves nothing behind."""

import _thread
import builtins
import itertools
import queue
import re
import signal
import threading

import pytest

from simlib import Database, Scenario, audit
from simlib.check import search
from simlib.check.resource_states import KnownStates, ResourceStates
from simlib.course import workers_slider
from simlib.errors import Mistake, WorkerHangs
from simlib.views import board, interleaving_map, price_tag, survival_curve
from simlib.watchdog import Interrupt, Watchdog, _most_memory, interruptible, memory


@pytest.fixture(autouse=True)
def the_same_handler_as_before_and_nobody_who_watches():
    # Python's own, whatever it was: to a job in the background a shell gives none.
    handler, before = signal.signal(signal.SIGINT, signal.default_int_handler), bare_threads()
    yield
    assert signal.signal(signal.SIGINT, handler) is signal.default_int_handler
    assert any(bare_threads() == before for _ in range(100_000))  # one that ends is counted for a moment more


def bare_threads():
    """How many there are that `threading` does not know."""
    return _thread._count() - (threading.active_count() - 1)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(Watchdog, "patience", 0.05)


def reads(db):
    yield db.read("x")


def writes(db):
    for number in range(9):
        yield db.write(number, 1)


def spins(db):
    yield db.read("x")
    while True:
        pass


FIRST = spins.__code__.co_firstlineno


def shop(**claims):
    return Scenario(db=Database(), **claims)


def interrupts(place):
    """A property that interrupts the program when it is asked for the how-manieth time."""
    looks = queue.SimpleQueue()  # it does not show from outside that it changes: no memory that is seen

    def well(db):
        looks.put(None)
        if looks.qsize() == place:
            signal.raise_signal(signal.SIGINT)
        return True

    return well


# Where it is watched


def test_a_search_in_a_thread_is_watched_too(impatient):
    said = []

    def ask():
        try:
            shop().explore(spins)
        except WorkerHangs as mistake:
            said.append(str(mistake))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert len(said) == 1
    assert re.match(r"spins, line (\d+): more than", said[0])[1] in {str(FIRST + 2), str(FIRST + 3)}


def test_where_threads_cannot_be_signalled_the_program_is(impatient, monkeypatch):
    monkeypatch.delattr(signal, "pthread_kill")
    with pytest.raises(WorkerHangs):
        shop().explore(spins)


def test_where_there_are_no_threads_nobody_watches(monkeypatch):
    tried = []

    def start(*thread):
        tried.append(thread)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", start)
    assert shop().explore(reads, crashes=0).verdict == "holds"
    assert tried


def test_where_the_system_tells_no_more_it_is_the_most_memory_that_there_was(monkeypatch):
    def nothing(*_, **__):
        raise FileNotFoundError

    now = memory()
    monkeypatch.setattr(builtins, "open", nothing)
    most = _most_memory()
    assert memory() >= most > 1_000_000
    assert memory() >= now / 2


def test_a_thread_is_not_interrupted():
    found = []

    def ask():
        with interruptible() as interrupt:
            found.append((interrupt.came, isinstance(signal.getsignal(signal.SIGINT), Interrupt)))

    with interruptible():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert found == [(False, True)]


# What is known when it is interrupted


@pytest.mark.parametrize("place", [1, 2, 5])
def test_an_interrupt_in_a_property_ends_a_search_with_what_is_known(place):
    report = shop(always=[interrupts(place)]).explore(writes, crashes=1)
    assert report.sentence.startswith(f"unfinished: stopped by you, {place} state")


@pytest.mark.parametrize(
    "part, method, place", [(KnownStates, "number", 5), (ResourceStates, "effects", 3), (search, "audit", 1)]
)
def test_an_interrupt_in_the_engine_is_noted_and_heeded_where_it_does_no_harm(monkeypatch, part, method, place):
    calls, plain = [], getattr(part, method)

    def noisy(*args):
        calls.append(None)
        if len(calls) == place:
            signal.raise_signal(signal.SIGINT)
        return plain(*args)

    monkeypatch.setattr(part, method, noisy)
    report = shop().explore(writes, crashes=1)
    assert report.sentence.startswith("unfinished: stopped by you, ")


def test_an_interrupt_while_the_counterexample_is_played_again_leaves_nothing_that_is_not_certain():
    starts = enumerate(itertools.repeat(None), 1)  # which nobody can look into

    def breaks(db):
        if next(starts)[0] == 3:  # to search, to look again; and now to show it
            signal.raise_signal(signal.SIGINT)
        yield db.write("x", 1)

    def unwritten(db):
        return db["x"] is None

    report = shop(always=[unwritten]).explore(breaks, crashes=0)
    assert (report.verdict, report.counterexample) == ("unfinished", None)
    assert "stopped by you" in report.sentence


def test_an_interrupt_ends_a_simulation_with_what_is_known():
    run = shop(always=[interrupts(4)]).simulate(writes)
    assert (run.interrupted, run.counts["steps"]) == ("by you", 3)
    assert ", stopped by you (seed 0): " in str(run)


def test_an_interrupt_cuts_short_all_that_was_asked_together():
    scenario = shop(always=[interrupts(4)])
    found = audit(scenario, interrupts(4), careful=reads, broken=[writes, spins])
    assert found.undecided == ("writes", "spins")
    assert (found.killed, found.survived) == ({}, ())
    assert "  writes: unfinished\n  spins: unfinished" in repr(found)


def test_an_interrupted_board_and_map_claim_nothing():
    table = board(shop(always=[interrupts(3)]), writes, crashes=1)
    assert {report.verdict for report in table.reports["writes"].values()} == {"unfinished"}
    grid = interleaving_map(shop(always=[interrupts(20)]), writes)
    assert grid.picture.text.startswith("writes: no harm in ")
    assert grid.report(9, 9).verdict == "unfinished"
    with pytest.raises(Mistake, match=r"\(9, 9\): the search was stopped by you, before it had a run to show"):
        grid.trace(9, 9)
    assert grid.picture.png().startswith(b"\x89PNG")


def test_an_interrupted_slider_shows_a_plain_run_where_there_is_no_verdict():
    slider = workers_slider(shop(always=[interrupts(3)]), writes, most=2)
    assert "unfinished: stopped by you" in slider.pages[1]


def test_an_interrupted_sweep_keeps_the_seeds_that_all_have_been_through():
    curve = survival_curve(shop(always=[interrupts(45)]), writes, reads, days=1, runs=9)
    assert {name: len(days) for name, days in curve.bitten.items()} == {"writes": 3, "reads": 3}
    assert "3 runs of each, seeds 0 to 2, stopped by you before the 9th; " in curve.picture.text
    tag = price_tag(shop(always=[interrupts(45)]), writes, reads, runs=9)
    assert len(tag.runs["writes"]) == 3


def test_a_sweep_that_was_interrupted_in_its_first_run_has_nothing_to_show():
    with pytest.raises(Mistake, match="stopped by you before the first run of each was over: lower hours or days"):
        price_tag(shop(always=[interrupts(2)]), writes, runs=9)


# Nothing is left behind


def test_an_interrupt_that_comes_afterwards_is_python_s_own():
    shop().explore(reads)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_builtin_that_was_replaced_is_put_back_also_where_a_search_has_failed():
    def replaces(db):
        builtins.len = builtins.sorted = None
        yield db.read("x")
        yield db.read("y")

    before = builtins.len, builtins.sorted
    with pytest.raises(Mistake, match="replaced the builtin `len` and `sorted`, which everything"):
        shop().explore(replaces)
    assert (builtins.len, builtins.sorted) == before


def test_a_worker_that_does_not_end_when_it_is_closed_is_waited_for_once(impatient):
    closings = itertools.count()

    def stays(db):
        for number in range(9):
            try:
                yield db.write(number, 1)
            except GeneratorExit:
                next(closings)
                while True:
                    pass

    def few(db):
        return len(db.rows) < 4

    assert shop(always=[few]).explore(stays, crashes=1).verdict == "violated"  # it is let go of where it stands then
    assert next(closings) == 1
