"""Ten thousand random programs on which the checker and three slower ways have to agree.

`python benchmarks/differential.py` asks four of each program: `explore` as it is used, `explore` with each of its
reductions turned off (the merging of histories, the symmetry of workers who are alike), and an enumeration that runs
every schedule from its start with real generators. They have to agree on the reachable and the final worlds, the
number of schedules, the verdict and the size of the smallest counterexample; with and without symmetry, on all its
moves. Every counterexample is played again from its token, and with any one of its faults taken away nothing breaks.
Then it simulates programs with clocks, and with transactions, in which nothing is drawn to go wrong, and looks whether
each run ends in one of the ways that `explore` says are possible. The tests run a part of this.

A program with a schedule that has no end is held against a bound alone, and does not count towards the number.
Ends with 1 at the first disagreement, after printing a small program that shows it.
"""

import argparse
import itertools
import os
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.agreement import Tally, compare_many
from tests.programs import (
    BUDGETS,
    programs_about_frames,
    programs_as_data,
    programs_as_source,
    programs_that_race,
    programs_with_clocks,
    programs_with_files,
    programs_with_times_to_live,
    programs_with_transactions,
    programs_with_webhooks,
)
from tests.within import Within
from tests.within import compare_many as compare_with_simulate

BATCH = 40
KINDS = {
    "data": (programs_as_data, BUDGETS),
    "source": (programs_as_source, BUDGETS),
    "frames": (programs_about_frames, [{}, {"crashes": 1}]),
    "clocks": (programs_with_clocks, [{}, {"pauses": 1}, {"crashes": 1}, {"node_losses": 1}, {"redeliveries": 1}]),
    "transactions": (programs_with_transactions, [{}, {"crashes": 1}, {"lost_replies": 1}, {"outages": 1}]),
    "times to live": (programs_with_times_to_live, [{}, {"pauses": 1}, {"crashes": 1}, {"lost_replies": 1}]),
    "webhooks": (programs_with_webhooks, [{}, {"pauses": 1}, {"crashes": 1}, {"redeliveries": 1}]),
    "files": (programs_with_files, [{}, {"crashes": 1}, {"power_losses": 1}, {"stops": 1}]),
    "races": (programs_that_race, [{}, {"crashes": 1}, {"outages": 1}]),
}
Job = tuple[str, dict[str, int], int]


def jobs(seed: int) -> Iterator[Job]:
    """A batch of each kind and budget, then again with other seeds, without end."""
    for number in itertools.count(seed * 1_000_000):
        for kind, (_, budgets) in KINDS.items():
            for budget in budgets:
                yield kind, budget, number


def compare(job: Job) -> tuple[Job, Tally, str]:
    """The batch, and the disagreement in words, if there is one."""
    kind, budget, number = job
    try:
        return job, compare_many(KINDS[kind][0], budget, number, BATCH), ""
    except Exception as error:
        return job, Tally(), "".join(traceback.format_exception(error))


def batches(seed: int, processes: int) -> Iterator[tuple[Job, Tally, str]]:
    """The batches in order, whoever computes them: the same programs on any number of processes."""
    endless = jobs(seed)
    if processes == 1:
        yield from map(compare, endless)
        return
    with ProcessPoolExecutor(processes) as pool:
        while True:
            yield from pool.map(compare, itertools.islice(endless, 4 * processes))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="different programs to compare (10000)")
    parser.add_argument("--within", type=int, default=2_000, help="different programs to simulate (2000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other programs (0)")
    parser.add_argument("--processes", type=int, default=1, help="processes to share the work (1)")
    given = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"  # the progress that counts is told below
    tally, begun = Tally(), time.monotonic()
    for (kind, budget, number), batch, disagreement in batches(given.seed, given.processes):
        if disagreement:
            print(f"\n{disagreement}\nDISAGREEMENT: {kind} programs, {budget or 'no fault'}, seed {number}")
            return 1
        tally += batch
        done = len(tally.different)
        print(f"{done:,} of {given.count:,} programs, {time.monotonic() - begun:,.0f} s", file=sys.stderr)
        if done >= given.count:
            break
    print(summary(tally, time.monotonic() - begun))
    return within(given.within, given.seed, given.processes)


def simulated(number: int) -> tuple[int, Within, str]:
    """A batch of programs that are simulated, and the disagreement in words, if there is one."""
    try:
        programs = programs_with_transactions if number % 4 == 3 else programs_with_clocks
        return number, compare_with_simulate(number, BATCH, programs), ""
    except Exception as error:
        return number, Within(), "".join(traceback.format_exception(error))


def within(count: int, seed: int, processes: int) -> int:
    """Simulate so many different programs; 1 where one ended as `explore` says that none can."""
    tally, numbers = Within(), itertools.count(seed * 1_000_000)
    with ProcessPoolExecutor(processes) as pool:
        while len(tally.programs) < count:
            for number, batch, disagreement in pool.map(simulated, itertools.islice(numbers, 2 * processes)):
                if disagreement:
                    print(f"\n{disagreement}\nDISAGREEMENT: a program, simulated, seed {number}")
                    return 1
                tally += batch
            print(f"{len(tally.programs):,} of {count:,} programs simulated", file=sys.stderr)
    print(
        f"{len(tally.programs):,} different programs simulated, {tally.runs:,} runs, 0 outside\n"
        f"  of explore's set;  a timer ran out in {tally.expired:,} runs; {tally.endless:,} did not come to rest; "
        f"{tally.undecided:,} programs were not decided and are not counted"
    )
    return 0


def summary(tally: Tally, seconds: float) -> str:
    def listed(counts: dict[str | None, int]) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda one: -one[1]))

    claims = {claim: count for claim, count in tally.claims.items() if claim}
    return "\n".join(
        [
            f"{len(tally.different):,} different programs, 0 disagreements, {seconds:,.0f} s",
            f"  {tally.holds:,} hold and {tally.violated:,} are violated, of {tally.compared:,} draws;",
            f"  {tally.bare:,} of the violated were compared once more with nothing claimed",
            f"  {tally.schedules:,} schedules to an end were run one by one; {tally.large:,} draws had too many, and",
            f"  {tally.endless:,} had one without an end and are not counted above",
            f"  {tally.alike:,} have workers who are alike, which spared {tally.fewer:,} states",
            f"  {tally.overtaken:,} smallest counterexamples take a preemption; {tally.replayed:,} were played again",
            f"  {tally.needed:,} times a fault was taken away, and nothing broke",
            f"programs that use  {listed(tally.resources)}",
            f"found a place      {listed(tally.faults)}",
            f"violated           {listed(claims)}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
