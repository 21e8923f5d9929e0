"""How states and time grow with workers, steps and faults, with and without each reduction, as a picture.

`python benchmarks/explore_growth.py` draws benchmarks/explore_growth.png. The system is a counter that each worker adds
to, with a compare-and-set, so many rounds of two steps; one of the three is varied, the others stay. Times are ratios
to the shortest, of processor time, medians of the measurements, each of which goes through all systems. The last line
compares two workers of six steps in transactions with the same without.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"

from explore_systems import counter, in_rounds  # which finds the rest
from matplotlib import pyplot

from simlib import Database, Scenario
from simlib.check import explore
from simlib.scenario import system_of
from simlib.schedule.budget import Budget, Limits
from simlib.text import plural

PICTURE = Path(__file__).with_suffix(".png")
MOST = 60_000  # states: what is larger is left out
WAYS = {  # as it is used, and with each reduction turned off
    "as it is used": ({}, "#0072B2", "o-"),
    "workers told apart": ({"symmetric": False}, "#E69F00", "s--"),
    "histories not merged": ({"merge": False}, "#009E73", "^:"),
    "neither": ({"symmetric": False, "merge": False}, "#000000", "x-."),
}
USUAL = {"workers": 3, "rounds": 2, "crashes": 1}
SINGULAR = {"workers": "worker", "rounds": "round", "crashes": "crash"}
AXES = {"workers": [1, 2, 3, 4], "rounds": [1, 2, 3, 4], "crashes": [0, 1, 2, 3, 4]}
Point = tuple[str, int, str]  # what is varied, how much of it there is, and the reductions


def ask(workers: int, rounds: int, crashes: int, off: dict[str, bool]) -> tuple[int, float] | None:
    """The states that were visited and the seconds; None where they are too many to wait for."""
    system = system_of(counter(workers, rounds), in_rounds(rounds)[1])
    begun = time.process_time()
    report = explore(system, Budget({"crashes": crashes}), Limits(states=MOST, seconds=600), **off)
    return (report.states, time.process_time() - begun) if report.verdict == "holds" else None


def measured(rounds: int) -> tuple[dict[Point, int], dict[Point, list[float]]]:
    states: dict[Point, int] = {}
    seconds: dict[Point, list[float]] = {}
    for number in range(rounds):
        for axis, values in AXES.items():
            for value in values:
                for name, (off, _, _) in WAYS.items():
                    found = (
                        ask(**{**USUAL, axis: value}, off=off) if not number or (axis, value, name) in states else None
                    )
                    if found:
                        states[axis, value, name] = found[0]
                        seconds.setdefault((axis, value, name), []).append(found[1])
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return states, seconds


def six_steps(db):  # type: ignore[no-untyped-def]
    for key in ("x", "y", "z"):
        value = yield db.read(key)
        yield db.write(key, value + 1)


def six_steps_in_a_transaction(db):  # type: ignore[no-untyped-def]
    yield db.begin()
    for key in ("x", "y"):
        value = yield db.read(key)
        yield db.write(key, value + 1)
    yield db.commit()


def of_transactions(rounds: int) -> str:
    """How long two workers of six steps and one crash take in transactions, for each second that they take without."""
    scenario, ratios, states = Scenario(db=Database({"x": 0, "y": 0, "z": 0})), [], []
    for _ in range(20 * rounds):
        seconds = []
        for worker in (six_steps, six_steps_in_a_transaction):
            begun = time.process_time()
            found = scenario.explore(worker, workers=2, crashes=1)
            seconds.append(time.process_time() - begun)
            states.append(found.states)
        ratios.append(seconds[1] / seconds[0])
    ratio = statistics.median(ratios)
    return f"in a transaction: {states[1]:,} states for {states[0]:,} without, {ratio:.2f} of the time"


def drawn(states: dict[Point, int], seconds: dict[Point, list[float]]) -> None:
    unit = min(statistics.median(found) for found in seconds.values())
    figure, rows = pyplot.subplots(2, 3, figsize=(10, 6), sharey="row", constrained_layout=True)
    for column, (axis, values) in enumerate(AXES.items()):
        for name, (_, colour, style) in WAYS.items():
            there = [value for value in values if (axis, value, name) in states]
            times = [statistics.median(seconds[axis, value, name]) / unit for value in there]
            rows[0][column].plot(there, [states[axis, value, name] for value in there], style, color=colour, label=name)
            rows[1][column].plot(there, times, style, color=colour)
        others = ", ".join(plural(count, SINGULAR[other]) for other, count in USUAL.items() if other != axis)
        rows[0][column].set_title(f"{axis}\n({others})", fontsize=10)
        for row in (rows[0][column], rows[1][column]):
            row.set(yscale="log", xticks=values)
            row.grid(alpha=0.3)
        rows[1][column].set_xlabel(axis)
    rows[0][0].set_ylabel("states visited")
    rows[1][0].set_ylabel("time, of the shortest")
    rows[0][0].legend(fontsize=8, frameon=False)
    figure.savefig(PICTURE, dpi=90)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    arguments = parser.parse_args()
    states, seconds = measured(arguments.rounds)
    drawn(states, seconds)
    for axis, values in AXES.items():
        for value in values:
            row = [f"{states.get((axis, value, name), 0):>8,}" for name in WAYS]
            print(f"{value} {axis:8}", *row)
    print(of_transactions(arguments.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
