"""Event for event, `simulate` does what a model does that is written by hand in SimPy, with SimPy's own parts.

Both draw from the same seeds, so not only means agree but every moment, to the last digit.
"""

import random

import pytest
import simpy

from simlib import Database, Lock, Queue, Scenario, exponential
from simlib.simulate.conditions import DAY

MEANS = {"inbox.send": 1.0, "inbox.receive": 0.2, "inbox.ack": 2.5, "lock": 0.5, "db": 1.5}
CRASHES_PER_DAY = 20_000


class ByHand:
    """A SimPy environment, the draws that `simulate` makes from this seed, and what happened, in order."""

    def __init__(self, seed):
        self.environment = simpy.Environment()
        self.log = []
        self._latency, self._mishaps = (random.Random(f"{seed} {name}") for name in ("latency", "mishaps"))

    def takes(self, name):
        return self.environment.timeout(self._latency.expovariate(1 / MEANS[name]))

    def crash_after(self):
        return self._mishaps.expovariate(1 / (DAY / CRASHES_PER_DAY))

    def restart(self):
        return self.environment.timeout(self._mishaps.expovariate(1 / 3))

    def did(self, who, step, what=None):
        self.log.append((self.environment.now, who, step, what))


def latency(*names):
    return {name: exponential(MEANS[name]) for name in names}


def happened(run, what=lambda event: None):
    return [
        (event.at, event.worker, event.op.name if event.op else event.kind, what(event) if event.op else None)
        for event in run.trace.events
    ]


# A queue is SimPy's Store


def produce(inbox, size):
    for number in range(size):
        yield inbox.send(number)


def consume(inbox):
    message = yield inbox.receive()
    yield inbox.ack(message)


def store(seed, consumers, size):
    by_hand = ByHand(seed)
    inbox = simpy.Store(by_hand.environment)

    def producer():
        for number in range(size):
            yield by_hand.takes("inbox.send")
            by_hand.did("A", "inbox.send", number)
            inbox.put(number)

    def consumer(who):
        while True:
            yield by_hand.takes("inbox.receive")
            number = yield inbox.get()
            by_hand.did(who, "inbox.receive", number)
            yield by_hand.takes("inbox.ack")
            by_hand.did(who, "inbox.ack", number)

    by_hand.environment.process(producer())
    for who in "BCDE"[:consumers]:
        by_hand.environment.process(consumer(who))
    by_hand.environment.run()
    return by_hand.log


def number_of(event):
    asked = event.op.args[0] if event.op.args else event.answer
    return asked if event.op.verb == "send" else asked.body


@pytest.mark.parametrize("seed, consumers", [(0, 1), (1, 2), (2, 3), (3, 4)])
def test_a_queue_is_a_store(seed, consumers):
    run = Scenario(inbox=Queue(visibility_timeout=None), size=300).simulate(
        [produce, consume], workers={"consume": consumers}, seed=seed, hours=10, trace=True,
        latency=latency("inbox.send", "inbox.receive", "inbox.ack"),
    )  # fmt: skip
    assert happened(run, number_of) == store(seed, consumers, 300)
    assert len(run.trace.events) == 900


# A lock is SimPy's Resource


def take_turns(lock, db):
    for _ in range(100):
        lease = yield lock.acquire()
        yield db.write("turn", 1)
        yield lock.release(lease)


def resource(seed, workers):
    by_hand = ByHand(seed)
    lock = simpy.Resource(by_hand.environment)

    def worker(who):
        for _ in range(100):
            yield by_hand.takes("lock")
            request = lock.request()
            yield request
            by_hand.did(who, "lock.acquire")
            yield by_hand.takes("db")
            by_hand.did(who, "db.write")
            yield by_hand.takes("lock")
            by_hand.did(who, "lock.release")
            lock.release(request)

    for who in "ABCDE"[:workers]:
        by_hand.environment.process(worker(who))
    by_hand.environment.run()
    return by_hand.log


@pytest.mark.parametrize("seed, workers", [(0, 1), (1, 2), (2, 5)])
def test_a_lock_is_a_resource(seed, workers):
    run = Scenario(lock=Lock(), db=Database()).simulate(
        take_turns, workers=workers, seed=seed, hours=10, latency=latency("lock", "db"), trace=True
    )
    assert happened(run) == resource(seed, workers)
    assert len(run.trace.events) == workers * 300


# A crash is SimPy's interrupt


def write_rows(db):
    while True:
        yield db.write("row", 1)


def interrupts(seed, until):
    by_hand = ByHand(seed)
    environment, at_risk = by_hand.environment, [False]

    def worker():
        while True:
            try:
                while True:
                    yield by_hand.takes("db")
                    by_hand.did("A", "db.write")
                    at_risk[0] = True
            except simpy.Interrupt:
                by_hand.did("A", "crash")
                at_risk[0] = False
                yield by_hand.restart()

    def crasher(victim, seconds):
        while True:
            yield environment.timeout(seconds)
            seconds = by_hand.crash_after()
            if at_risk[0]:
                victim.interrupt()

    environment.process(crasher(environment.process(worker()), by_hand.crash_after()))
    environment.run(until=until)
    return by_hand.log


@pytest.mark.parametrize("seed", range(4))
def test_a_crash_is_an_interrupt(seed):
    run = Scenario(db=Database()).simulate(
        write_rows, seed=seed, hours=1, latency=latency("db"), crashes_per_day=CRASHES_PER_DAY, restart=exponential(3),
        trace=True,
    )  # fmt: skip
    assert happened(run) == interrupts(seed, 3_600)
    assert run.counts["crashes"] > 300
