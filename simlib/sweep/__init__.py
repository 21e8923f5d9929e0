"""Sweeps: many simulated runs over seeds and parameters, spread over processes or machines."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

from simlib.scenario import Scenario, Workers, about_a_scenario
from simlib.simulate.conditions import CrashRate, Length, Weather
from simlib.sweep.plan import Parameters, Plan
from simlib.sweep.result import Sweep

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Sweep", "sweep"]


class Swept(Length, Weather, CrashRate, total=False):
    """The conditions of `simulate` that a sweep does not set itself."""


@about_a_scenario(closed=False)  # Plan checks the names: it also knows the scenario's
def sweep(
    scenario: Scenario,
    *worker: Workers,
    seeds: Iterable[int] = range(100),
    parameters: Parameters = (),
    executor: Executor | int | None = None,
    to: str | os.PathLike[str] | None = None,
    **conditions: Unpack[Swept],
) -> Sweep:
    """Simulate each worker with every seed under every set of parameters: a table with one record per run; see Sweep.

    `parameters` maps names to the values to try, `{"latency": [0.01, 0.1], "workers": [1, 2, 4]}`, and every
    combination is run; or it is a list of sets, `[{"latency": 0.01, "workers": 1}, ...]`. A name is a condition of
    `scenario.simulate` (with its units), or a name of the scenario: one of its values, or a resource such as `{"inbox":
    [Queue(visibility_timeout=30), Queue(visibility_timeout=60)]}`. `conditions` apply to every run.

    `executor` says where the runs happen: by default in one process per processor, or in as many processes as you say.
    Any `concurrent.futures.Executor` will do, such as a Dask cluster's, `client.get_executor()`; its machines need
    simlib, the same Python, and the modules that the workers import. Functions defined in the notebook or the script
    are sent along. A seed gives the same record wherever it runs.

    If a process dies, its runs are retried up to twice. A run that loses its process every time, or that ends in a
    Mistake, is listed in the result's `failures`; with the first seed it is raised instead, because all seeds would
    fail alike.

    `to` names a file that keeps the records: JSON, one record a line, after a first line that describes the sweep. The
    same call resumes where the last one stopped; `seeds` may differ. The file is written after each chunk of about a
    second's work, so if this process crashes, no returned chunk is lost. It is synced every second, so a power loss
    costs at most another second. Failures are not kept: they are retried.

    An interrupt stops the sweep within a second and returns the records so far. Raises Mistake for names and values
    that do not fit, for a `to` that another sweep has written (naming the differences), and if cloudpickle, which sends
    the workers, is missing.
    """
    plan = Plan(scenario, worker, seeds, parameters, {**conditions})
    from simlib.sweep.driver import run_sweep  # late: multiprocessing takes longer to import than simlib

    return run_sweep(plan, executor, to)
