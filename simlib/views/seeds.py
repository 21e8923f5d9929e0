"""Simulates each implementation with many seeds, for the charts of production."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simlib.arguments import whole_number
from simlib.errors import Mistake
from simlib.model.system import by_name
from simlib.progress import Progress
from simlib.scenario import Scenario, Workers
from simlib.simulate import Run
from simlib.text import plural
from simlib.watchdog import interruptible

Runs = dict[str, tuple[Run, ...]]


def many_runs(
    scenario: Scenario, workers: Sequence[Workers], runs: int, seed: int, /, **conditions: Any
) -> tuple[Runs, str]:
    """`runs` runs of each implementation under the same conditions and seeds, and a text that says how many and which.

    An interrupt keeps the seeds that every implementation has finished. Raises Mistake if there are none.
    """
    runs, seed = whole_number("runs", runs, 1), whole_number("seed", seed)
    names = by_name(workers)
    found: list[tuple[Run, ...]] = []
    stopped = ""
    with interruptible(), Progress("simulating", runs) as progress:
        for number in range(seed, seed + runs):
            row = tuple(scenario.simulate(worker, seed=number, **conditions) for worker in workers)
            stopped = next((run.interrupted for run in row if run.interrupted), "")
            if stopped:
                break
            found.append(row)
            progress.reached(len(found))
    if not found:
        raise Mistake(f"stopped {stopped} before the first run of each was over: lower hours or days.")
    how_many = f"{plural(len(found), 'run')} of each, seeds {seed} to {seed + len(found) - 1}"
    if stopped:
        how_many += f", stopped {stopped} before the {runs}th"
    by_worker = {name: tuple(row[place] for row in found) for place, name in enumerate(names)}
    return by_worker, f"{how_many}; {found[0][0].conditions}"
