"""The capstone's reference solution in real processes, killed at random: `python benchmarks/live_kills.py`.

Two workers, two orders, up to three SIGKILLs a run: half of them in the middle of a step. Prints how many kills there
were, and how many runs kept every property of the lesson's board. Exits with 1 if any did not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tqdm.auto import tqdm

sys.path.insert(0, str(Path(__file__).parent.parent))

from simlib.live import Chaos, Processes, run
from simlib.scenario import system_of
from simlib.schedule.budget import Budget
from tests.lessons import definitions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=3, help="at most, a run")
    parser.add_argument("--worker", default="fulfil_once", help="`fulfil` is the lesson's happy path")
    asked = parser.parse_args()
    lesson = definitions("13")
    system = system_of(lesson["shop"], lesson[asked.worker])
    budget = Budget({"crashes": asked.kills})
    broken: Counter[str] = Counter()
    kills = steps = 0
    with Processes(system, fills=False) as processes:
        for seed in tqdm(range(asked.runs)):
            trace = run(system, processes, Chaos(budget, seed))
            broken[trace.broken or "nothing"] += 1
            kills += trace.faults.count("crash")
            steps += sum(event.kind == "step" for event in trace.events)
    print(f"{asked.worker}: {asked.runs:,} runs, {steps:,} steps, {kills:,} SIGKILLs")
    for claim, count in broken.most_common():
        print(f"  {count:6,} runs broke {claim}")
    return int(set(broken) != {"nothing"})


if __name__ == "__main__":
    sys.exit(main())
