"""What do two processes gain, and what does `sweep` cost beside the same by hand? `python benchmarks/sweep.py`.

The same runs with each: `sweep` with two processes and with one; a plain loop over `simulate` in one process; and what
one would write oneself, a ProcessPoolExecutor of two that is given chunks of ten seeds. Each starts its processes anew,
as a user's would. Interleaved in one run, in another order each round; what is printed is ratios of wall time to that
of `sweep` with two processes, as medians with the least and the most. It needs two processors that nobody else uses;
the last line says what two plain processes gain on this machine, with no simlib in them.
"""

import argparse
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from simlib import Database, Queue, Scenario, Service, exponential, sweep
from simlib.sweep.chunk import figures

CONDITIONS = {"hours": 3, "arrivals": exponential(60), "crashes_per_day": 50, "latency": exponential(0.5)}


def charge(inbox, bank, db):
    message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def shop():
    return Scenario(inbox=Queue(visibility_timeout=30), bank=Service(), db=Database(), workers=2)


def one_run(seed):
    return {"worker": "charge", "seed": seed, **figures(shop().simulate(charge, seed=seed, **CONDITIONS))}


def spin(rounds):
    return sum(number * number % 7 for number in range(rounds))


def ours(processes, seeds):
    return [*sweep(shop(), charge, seeds=seeds, executor=processes, **CONDITIONS)]


def in_a_loop(seeds):
    return [one_run(seed) for seed in seeds]


def by_hand(seeds):
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        return [*executor.map(one_run, seeds, chunksize=10)]


def two_plain(rounds):
    """How much faster two processes are than one at what needs no memory and no other program."""
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        [*executor.map(spin, [1, 1])]
        alone = seconds(lambda: executor.submit(spin, rounds).result())
        return 2 * alone / seconds(lambda: [*executor.map(spin, [rounds, rounds])])


def seconds(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def said(ratios):
    return f"{statistics.median(ratios):5.2f}  [{min(ratios):.2f}, {max(ratios):.2f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--runs", type=int, default=400)
    asked = parser.parse_args()
    seeds = range(asked.runs)
    ways = {
        "sweep, two processes": lambda: ours(2, seeds),
        "sweep, one process": lambda: ours(1, seeds),
        "a loop in one process": lambda: in_a_loop(seeds),
        "by hand, two processes": lambda: by_hand(seeds),
    }
    some = range(20)
    assert ours(2, some) == ours(1, some) == in_a_loop(some) == by_hand(some)
    took = {name: [] for name in ways}
    plain = []
    for number in range(asked.rounds):
        names = [*ways][number % len(ways) :] + [*ways][: number % len(ways)]
        for name in names:
            took[name].append(seconds(ways[name]))
        plain.append(two_plain(6_000_000))
    print(f"{asked.runs} runs, {asked.rounds} rounds; wall time, that of sweep with two processes being 1.")
    first = took.pop("sweep, two processes")
    for name, found in took.items():
        print(f"  {name:<24}{said([other / one for other, one in zip(found, first)])}")
    print(f"  two plain processes do {said(plain)} times the work of one")


if __name__ == "__main__":
    main()
