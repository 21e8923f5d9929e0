"""What do a billion runs cost on a thousand cores, and what bounds it? `python benchmarks/fleet.py`.

A fleet as `sweep` has it with a cluster: one scheduler hands out chunks of runs, one after the other; each core works
at one and has the next one waiting; one driver takes in the records. Some cores are slow, and nodes die, which loses
what their cores were at. On paper it is a formula (`paper`), and beside it a simulation on SimPy, of fewer runs, for
which the formula is worked out again. What is printed is the share of the cores' time that is spent on runs that count:
1 would be `runs * run / cores` and nothing else.

All times are in seconds and are assumptions, to be set to yours: `python benchmarks/fleet.py --help`.
"""

import argparse
import math
import random
import time
from dataclasses import dataclass, replace

import simpy

MOST_CHUNKS = 50_000  # in a simulation


@dataclass(frozen=True)
class Fleet:
    """Times in seconds."""

    runs: float = 1e9
    cores: int = 1_000
    node: int = 32  # cores that die together
    run: float = 0.01  # of work on a core that is not slow
    spread: float = 1.0  # standard deviation of a run, by its mean
    chunk: float = 1.0  # of work
    handing_out: float = 0.0005  # of the scheduler, a chunk
    record: float = 0.00002  # of the driver, a run
    slow: float = 0.02  # share of the cores
    slowness: float = 3.0  # how much longer these take
    lifetime: float = 30 * 86_400.0  # of a node, on average
    repair: float = 600.0

    @property
    def size(self):
        """Runs in a chunk."""
        return max(1, round(self.chunk / self.run))

    @property
    def ideal(self):
        return self.runs * self.run / self.cores


def paper(fleet):
    """Each of those who could be the bound, in seconds, and the end, when the last core is at its last chunk."""
    chunks = fleet.runs / fleet.size
    chunk = fleet.size * fleet.run
    speed = 1 - fleet.slow + fleet.slow / fleet.slowness
    up = fleet.lifetime / (fleet.lifetime + fleet.repair)
    again = fleet.lifetime / chunk * math.expm1(chunk / fleet.lifetime)  # how often a chunk's work is done until it is
    bounds = {
        "cores": fleet.ideal * again / (speed * up),
        "scheduler": chunks * fleet.handing_out,
        "driver": fleet.runs * fleet.record,
    }
    start = fleet.handing_out * fleet.cores / 2  # until half of them have something to do
    end = chunk * (fleet.slowness if fleet.slow else 1) / 2
    return bounds, max(bounds.values()) + start + end


class Simulated:
    """One sweep of the fleet."""

    def __init__(self, fleet, seed):
        self.fleet, self.chance = fleet, random.Random(seed)
        self.environment = simpy.Environment()
        self.left = round(fleet.runs)
        self.done = 0
        self.scheduler_free = self.driver_free = 0.0
        self.over = self.environment.event()
        nodes = -(-fleet.cores // fleet.node)
        self.back = [self._repaired() for _ in range(nodes)]
        self.dies = [back + self._lifetime() for back in self.back]

    def _lifetime(self):
        return self.chance.expovariate(1 / self.fleet.lifetime)

    def _repaired(self):
        """When a node is there: from the beginning, or later if it is one of those that are being repaired then."""
        down = self.fleet.repair / (self.fleet.lifetime + self.fleet.repair)
        return self.chance.uniform(0, self.fleet.repair) if self.chance.random() < down else 0.0

    def run(self):
        """Seconds until the last record is in."""
        fleet = self.fleet
        for number in range(fleet.cores):
            slowness = fleet.slowness if number < fleet.slow * fleet.cores else 1.0
            self.environment.process(self._core(number // fleet.node, slowness))
        self.environment.run(self.over)
        return self.driver_free

    def _handed_out(self):
        """When the scheduler, which takes one after the other, has handed out one more."""
        self.scheduler_free = max(self.scheduler_free, self.environment.now) + self.fleet.handing_out
        return self.scheduler_free

    def _core(self, node, slowness):
        """Works at a chunk while the next one is on its way."""
        environment, fleet = self.environment, self.fleet
        yield environment.timeout(self.back[node])
        there = self._handed_out()
        while self.done < fleet.runs:
            size = min(fleet.size, self.left)
            if not size:
                return
            self.left -= size
            yield environment.timeout(max(0.0, there - environment.now))
            there = self._handed_out()
            takes = slowness * self._work(size)
            if environment.now + takes > self.dies[node]:
                yield from self._dead(node, size)
                continue
            yield environment.timeout(takes)
            self._came(size)

    def _work(self, size):
        mean = size * self.fleet.run
        return max(0.1 * mean, self.chance.gauss(mean, self.fleet.spread * self.fleet.run * math.sqrt(size)))

    def _dead(self, node, size):
        died = self.dies[node]
        yield self.environment.timeout(max(0.0, died - self.environment.now))
        self.left += size
        yield self.environment.timeout(self.fleet.repair)
        if self.dies[node] == died:  # the first of its cores to be back
            self.dies[node] = self.environment.now + self._lifetime()

    def _came(self, size):
        self.driver_free = max(self.driver_free, self.environment.now) + size * self.fleet.record
        self.done += size
        if self.done >= self.fleet.runs and not self.over.triggered:
            self.over.succeed()


def table(title, fleet, chunks, simulated_seconds):
    """A row a length of chunk: on paper for all runs, on paper for a few, and those simulated."""
    print(f"\n{title}")
    print(f"  {'chunk':>8}  {'bound by':<10}{'all, on paper':>14}{'few, on paper':>15}{'few, simulated':>16}")
    for chunk in chunks:
        whole = replace(fleet, chunk=chunk)
        bounds, seconds = paper(whole)
        long = max(20 * chunk, min(simulated_seconds, MOST_CHUNKS * chunk / fleet.cores))
        few = replace(whole, runs=long * fleet.cores / fleet.run)
        found = Simulated(few, seed=0).run()
        shares = whole.ideal / seconds, few.ideal / paper(few)[1], few.ideal / found
        print(f"  {chunk:6g} s  {max(bounds, key=bounds.get):<10}{shares[0]:14.2f}{shares[1]:15.2f}{shares[2]:16.2f}")


def cost_of_a_record():
    """What the driver of `sweep` takes for a record that comes in and goes to a file, by a run of lesson 00's size."""
    import sys
    import tempfile
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent.parent))
    from simlib.sweep.chunk import Answer, figures
    from simlib.sweep.driver import Driver
    from simlib.sweep.plan import Plan
    from simlib.sweep.pool import Processes
    from simlib.sweep.store import open_store
    from tests.sample import charge, shop

    plan = Plan(shop(), [charge], range(20_000), (), {})
    begun = time.process_time()
    found = [figures(shop().simulate(charge, seed=seed, crashes_per_day=5_000)) for seed in range(200)]
    run = (time.process_time() - begun) / 200
    with tempfile.TemporaryDirectory() as folder, open_store(plan, Path(folder) / "it.jsonl") as store:
        driver = Driver(plan, Processes(1), store)
        begun = time.process_time()
        for start in range(0, 20_000, 100):
            runs = [(seed, 0, "charge") for seed in range(start, start + 100)]
            driver._came(runs, Answer({run: found[run[0] % 200] for run in runs}, 1.0))
        record = (time.process_time() - begun) / 20_000
        size = (Path(folder) / "it.jsonl").stat().st_size / 20_000
    return record / run, size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in vars(Fleet()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--simulated-seconds", type=float, default=30.0, help="of ideal time, in the simulation")
    asked = vars(parser.parse_args())
    simulated_seconds = asked.pop("simulated_seconds")
    fleet = Fleet(**asked)
    chunks = (0.01, 0.1, 1.0, 10.0, 100.0)
    print(f"{fleet.runs:,.0f} runs of {fleet.run:g} s on {fleet.cores:,} cores: share of the cores' time that counts.")
    table(f"One driver takes in each record, {fleet.record:g} s each:", fleet, chunks, simulated_seconds)
    table("Four sweeps side by side, each with a quarter of the seeds and of the cores:",
          replace(fleet, runs=fleet.runs / 4, cores=fleet.cores // 4), chunks, simulated_seconds)  # fmt: skip
    doomed = replace(fleet, record=0.0, lifetime=3_600.0)
    table("Nodes that live for an hour, and records that cost nothing:", doomed, chunks, simulated_seconds)
    ratio, size = cost_of_a_record()
    print(f"\nOn this machine a record costs the driver {ratio:.3f} of a short run (4 steps), and {size:.0f} bytes.")


if __name__ == "__main__":
    main()
