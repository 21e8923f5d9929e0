"""Runs one chunk of a sweep, in whatever process: simulates each run and measures a record."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from simlib.errors import Mistake
from simlib.model.fault import (
    CRASHES,
    DISK_FULL,
    FAULT_NAMES,
    LOST_REPLIES,
    OUTAGES,
    PAUSES,
    POWER_LOSSES,
    REDELIVERIES,
    REJECTIONS,
    STOPS,
)
from simlib.progress import muted
from simlib.scenario import Scenario, Workers
from simlib.simulate import Run
from simlib.text import show
from simlib.watchdog import interruptible

Record = dict[str, Any]  # str, int, float and bool
RunId = tuple[int, int, str]  # the seed, the index of the parameter set, the worker's name

STRIKES = (CRASHES, PAUSES, POWER_LOSSES, REDELIVERIES, LOST_REPLIES, OUTAGES, REJECTIONS, DISK_FULL)
NO_FAILURE = {*STRIKES, STOPS, "steps", "completed", "refused task", ""}


class Answer(NamedTuple):
    """For each run that was made, its record, or why there is none."""

    found: dict[RunId, Record | str]
    seconds: float = 0.0  # of work


def run_chunk(experiment: bytes, parameters: bytes, runs: Sequence[RunId], patience: float) -> Answer:
    """Make these runs until `patience` seconds have passed or there is an interrupt."""
    found: dict[RunId, Record | str] = {}
    try:
        scenario, workers = pickle.loads(experiment)
        conditions = pickle.loads(parameters)
    except Exception as error:
        return Answer(dict.fromkeys(runs, f"where it was to run, it cannot be loaded: {show(error, 200)}"))
    began = time.perf_counter()  # without the imports of the first chunk
    with muted(), interruptible():  # one watchdog thread for all of them
        for run in runs:
            seed, cell, worker = run
            outcome = _outcome(scenario, workers[worker], seed, conditions[cell])
            if outcome is None:
                break
            found[run] = outcome
            if time.perf_counter() - began > patience:
                break
    return Answer(found, time.perf_counter() - began)


def _outcome(scenario: Scenario, worker: Workers, seed: int, named: Mapping[str, Any]) -> Record | str | None:
    """The run's record, or why there is none; None if it was interrupted."""
    try:
        own, conditions = split(scenario, named)
        run = scenario.but(**own).simulate(worker, seed=seed, **conditions)
    except Mistake as mistake:
        return str(mistake)
    except Exception as error:  # a bug in simlib, or out of memory
        return show(error, 200)
    if run.interrupted.endswith("MB"):
        return f"stopped {run.interrupted}: lower hours"
    return None if run.interrupted else figures(run)


def split(scenario: Scenario, named: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split the names into those of the scenario and those of the conditions."""
    own = {name: value for name, value in named.items() if name in scenario.resources or name in scenario.values}
    return own, {name: value for name, value in named.items() if name not in own}


def figures(run: Run) -> Record:
    """The run's measurements: the same names for every run, and never None, so that each column has one type."""
    return {
        "violated": run.first_violation is not None,
        "broken": run.broken or "",
        "unharmed_seconds": float(run.seconds if run.first_violation is None else run.first_violation),
        "simulated_seconds": float(run.seconds),
        "settled": run.settled,
        "completed_task_count": run.completed,
        "refused_task_count": run.counts["refused task"],
        "failed_attempt_count": sum(count for name, count in run.counts.items() if name not in NO_FAILURE),
        "step_count": run.counts["steps"],
        "tasks_per_hour": run.throughput,
        "latency_mean_seconds": _or_nan(run.mean_latency),
        "latency_median_seconds": _or_nan(run.latency(0.5)),
        "latency_99_percent_seconds": _or_nan(run.latency(0.99)),
        **{f"{FAULT_NAMES[kind].replace(' ', '_')}_count": run.counts[kind] for kind in STRIKES},
    }


def _or_nan(seconds: float | None) -> float:
    return math.nan if seconds is None else float(seconds)


FIGURES: Mapping[str, type] = {name: type(value) for name, value in figures(Run("", 0)).items()}  # each field's type
