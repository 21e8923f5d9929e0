"""`scenario.simulate` beside what one would use instead, on three models. `python benchmarks/simulate_speed.py`.

- queue: 100,000 customers arrive at random, one a second; 3 servers take 2.4 s for each on average (M/M/3).
- messages: a producer sends 100,000, one a second; a consumer takes half a second for each.
- crashes: a worker that writes a row a second crashes 2 s later on average and is back after another; 20,000 times.

The peers are the same models by hand in SimPy (its Resource, its Store, its interrupts), in salabim, in ciw, in
generators on a heapq (the floor: nothing is checked, counted or recorded there), and in cimba (compiled, on an engine
in C: the far limit). SimPy is here; the others are no dependency of this project: `pip install salabim ciw cimba`. One
that is missing is left out, and said to be.

That all do the same work is checked in each run: the mean time in the system against Erlang's formula, the messages
one for one, crashes and rows against their rates. In each round all take turns. What is measured is the processor's
time, and a figure is how many times as fast as SimPy by hand: the median of the rounds, [the least, the most].
`--quick` does a tenth of it.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import math
import statistics
import sys
import time

import simulate_models as models
import simulate_peers

SIZES = {"queue": 100_000, "messages": 100_000, "crashes": 20_000}
BASE = "SimPy"


def erlang_c(servers: int, load: float) -> float:
    """The share of the customers that have to wait."""
    waits = load**servers / math.factorial(servers) * servers / (servers - load)
    return waits / (sum(load**busy / math.factorial(busy) for busy in range(servers)) + waits)


def expected(name: str, size: int) -> tuple[float, float]:
    """What has to come of a model, as its functions give it."""
    if name == "queue":
        load = models.SERVICE / models.BETWEEN
        waits = erlang_c(models.SERVERS, load) * models.SERVICE / (models.SERVERS - load)
        return size, waits + models.SERVICE
    if name == "messages":
        return size, size + models.WORK
    more_rows = 1 / math.expm1(1 / models.UPTIME)  # a whole second each, before a time with no memory is over
    return size, size * (1 + more_rows)


def check(name: str, size: int, found: tuple[float, float], who: str) -> None:
    """That it is what has to come of it: exactly where nothing is drawn, else within what 5 in 100,000 runs are."""
    slack = 0.0 if name == "messages" else 25 / math.sqrt(size)
    for have, want in zip(found, expected(name, size)):
        if not abs(have / want - 1) <= slack:
            raise SystemExit(f"{who} does other work in {name}: {have:g}, not {want:g}.")


def timed(name: str, who: str, size: int) -> float:
    gc.collect()
    begun = time.process_time()
    found = models.RUNS[name][who](size)
    took = time.process_time() - begun
    check(name, size, found, who)
    return took


def ratios(name: str, size: int, rounds: int) -> dict[str, list[float]]:
    """How many times as fast as SimPy each peer was, by round."""
    everybody = models.RUNS[name]
    for who in everybody:  # what is compiled, or imported, at the first run
        timed(name, who, 500)
    found: dict[str, list[float]] = {who: [] for who in everybody}
    for number in range(rounds):
        order = list(everybody) if number % 2 else list(everybody)[::-1]
        took = {who: timed(name, who, size) for who in order}
        for who in everybody:
            found[who].append(took[BASE] / took[who])
    return found


def table(found: dict[str, dict[str, list[float]]]) -> list[str]:
    everybody = list(dict.fromkeys(who for of in found.values() for who in of))
    rows = [[who, *(said(of.get(who)) for of in found.values())] for who in everybody]
    lines = ["| " + " | ".join(row) + " |" for row in [["times as fast as SimPy", *found], *rows]]
    return [lines[0], "|" + "---|" * (len(found) + 1), *lines[1:]]


def said(figures: list[float] | None) -> str:
    if figures is None:
        return "–"
    return f"{statistics.median(figures):.3g} [{min(figures):.3g}, {max(figures):.3g}]"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="a tenth of the work")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", choices=SIZES)
    given = options.parse_args()
    for peer, enter in simulate_peers.PEERS.items():
        try:
            enter(importlib.import_module(peer))
        except ImportError:
            print(f"{peer} is not installed, and left out.")
    found = {}
    for name, size in SIZES.items():
        if given.only in (None, name):
            found[name] = ratios(name, size // 10 if given.quick else size, given.rounds)
    print(f"CPython {sys.version.split()[0]}, {given.rounds} rounds: median [least, most]")
    print(*table(found), sep="\n")


if __name__ == "__main__":
    main()
