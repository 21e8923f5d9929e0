"""Three models, written for `scenario.simulate`, for SimPy and for a bare heapq. `simulate_speed.py` races them.

Each function takes a size and gives two numbers that came of it, which `simulate_speed.py` checks.
"""

import heapq
import random
import statistics
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import simpy

from simlib import Database, Queue, Scenario, Service, exponential

SERVERS, BETWEEN, SERVICE = 3, 1.0, 2.4  # seconds: the customers
WORK = 0.5  # seconds a message
UPTIME, DOWNTIME = 2.0, 1.0  # seconds: the crashes
CYCLE = 1 + UPTIME + DOWNTIME  # it is at risk from its first row on, which takes a second

RUNS: dict[str, dict[str, Callable[[int], tuple[float, float]]]] = {}  # by model, by peer: how to run it


def model(name: str, peer: str):
    """Enter the function as this peer's way to run this model."""

    def enter(run):
        RUNS.setdefault(name, {})[peer] = run
        return run

    return enter


# Ours


def serve(inbox, desk):
    message = yield inbox.receive()
    yield desk.call("serve")
    yield inbox.ack(message)


def produce(inbox, size):
    for number in range(size):
        yield inbox.send(number)


def consume(inbox):
    message = yield inbox.receive()
    yield inbox.ack(message)


def write_rows(db):
    while True:
        yield db.write("row", 1)


def queue_ours(size, trace=False):
    desk = Scenario(inbox=Queue(visibility_timeout=None), desk=Service(), workers=SERVERS)
    run = desk.simulate(
        serve, hours=size * BETWEEN / 3_600, arrivals=exponential(BETWEEN), trace=trace,
        latency={"desk": exponential(SERVICE), "*": 0},
    )  # fmt: skip
    return run.completed, run.mean_latency


def messages_ours(size, trace=False):
    line = Scenario(inbox=Queue(visibility_timeout=None), size=size)
    latency = {"inbox.send": 1, "inbox.ack": WORK, "*": 0}
    run = line.simulate([produce, consume], hours=size, trace=trace, latency=latency)
    return len(run["inbox"].acked), run.seconds


def crashes_ours(size, trace=False):
    run = Scenario(db=Database()).simulate(
        write_rows, hours=size * CYCLE / 3_600, trace=trace, latency=1,
        crashes_per_day=86_400 / UPTIME, restart=DOWNTIME,
    )  # fmt: skip
    return run.counts["crashes"], run.counts["steps"]


for name, ours in (("queue", queue_ours), ("messages", messages_ours), ("crashes", crashes_ours)):
    model(name, "simulate")(ours)
    model(name, "simulate, trace=True")(lambda size, ours=ours: ours(size, trace=True))


# SimPy by hand, with what it brings along


@model("queue", "SimPy")
def queue_simpy(size):
    environment, chance, stays = simpy.Environment(), random.Random(0), []
    desk = simpy.Resource(environment, SERVERS)

    def customer():
        came = environment.now
        with desk.request() as turn:
            yield turn
            yield environment.timeout(chance.expovariate(1 / SERVICE))
        stays.append(environment.now - came)

    def arrivals():
        while True:
            yield environment.timeout(chance.expovariate(1 / BETWEEN))
            environment.process(customer())

    environment.process(arrivals())
    environment.run(until=size * BETWEEN)
    return len(stays), statistics.fmean(stays)


@model("messages", "SimPy")
def messages_simpy(size):
    environment, done = simpy.Environment(), []
    inbox = simpy.Store(environment)

    def producer():
        for number in range(size):
            yield environment.timeout(1)
            yield inbox.put(number)

    def consumer():
        while len(done) < size:
            message = yield inbox.get()
            yield environment.timeout(WORK)
            done.append(message)

    environment.process(producer())
    environment.run(until=environment.process(consumer()))
    return len(done), environment.now


@model("crashes", "SimPy")
def crashes_simpy(size):
    environment, chance = simpy.Environment(), random.Random(0)
    seen = SimpleNamespace(crashes=0, rows=0, at_risk=False)

    def worker():
        while True:
            try:
                while True:
                    yield environment.timeout(1)
                    seen.rows, seen.at_risk = seen.rows + 1, True
            except simpy.Interrupt:
                seen.crashes, seen.at_risk = seen.crashes + 1, False
                yield environment.timeout(DOWNTIME)

    def crasher(victim):
        while True:
            yield environment.timeout(chance.expovariate(1 / UPTIME))
            if seen.at_risk:
                victim.interrupt()

    environment.process(crasher(environment.process(worker())))
    environment.run(until=size * CYCLE)
    return seen.crashes, seen.rows


# The floor: generators on a heapq, and nothing else


class Loop:
    """A process yields for how many seconds it waits, or None until somebody wakes it. A closed one is never woken."""

    def __init__(self):
        self.now, self._heap, self._number = 0.0, [], 0

    def wake(self, process, seconds=0.0):
        self._number += 1
        heapq.heappush(self._heap, (self.now + seconds, self._number, process))

    def run(self, until):
        heap = self._heap
        while heap:
            now, _, process = heapq.heappop(heap)
            if now > until:
                return
            self.now = now
            seconds = next(process, None)
            if seconds is not None:
                self.wake(process, seconds)


@model("queue", "heapq")
def queue_heapq(size):
    loop, chance, stays = Loop(), random.Random(0), []
    waiting, idle = deque(), deque()

    def server(number):
        while True:
            while waiting:
                came = waiting.popleft()
                yield chance.expovariate(1 / SERVICE)
                stays.append(loop.now - came)
            idle.append(number)
            yield None

    def arrivals():
        while True:
            yield chance.expovariate(1 / BETWEEN)
            waiting.append(loop.now)
            if idle:
                loop.wake(servers[idle.popleft()])

    servers = [server(number) for number in range(SERVERS)]
    for process in (*servers, arrivals()):
        loop.wake(process)
    loop.run(size * BETWEEN)
    return len(stays), statistics.fmean(stays)


@model("messages", "heapq")
def messages_heapq(size):
    loop, inbox, idle, done = Loop(), deque(), [], []

    def producer():
        for number in range(size):
            yield 1
            inbox.append(number)
            if idle:
                loop.wake(idle.pop())

    def consumer():
        while len(done) < size:
            while not inbox:
                idle.append(consuming)
                yield None
            message = inbox.popleft()
            yield WORK
            done.append(message)

    consuming = consumer()
    loop.wake(producer())
    loop.wake(consuming)
    loop.run(float("inf"))
    return len(done), loop.now


@model("crashes", "heapq")
def crashes_heapq(size):
    loop, chance = Loop(), random.Random(0)
    seen = SimpleNamespace(crashes=0, rows=0, at_risk=False)

    def worker():
        while True:
            yield 1
            seen.rows, seen.at_risk = seen.rows + 1, True

    def crasher(victim):
        while True:
            yield chance.expovariate(1 / UPTIME)
            if seen.at_risk:
                seen.crashes, seen.at_risk = seen.crashes + 1, False
                victim.close()
                victim = worker()
                loop.wake(victim, DOWNTIME)

    victim = worker()
    loop.wake(victim)
    loop.wake(crasher(victim))
    loop.run(size * CYCLE)
    return seen.crashes, seen.rows
