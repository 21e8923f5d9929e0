"""Many simulated runs, over seeds and parameters, on as many processes or machines as there are."""

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


@about_a_scenario(closed=False)  # a plan says what it does not take: names of the scenario, too, are known to it
def sweep(
    scenario: Scenario,
    *worker: Workers,
    seeds: Iterable[int] = range(100),
    parameters: Parameters = (),
    executor: Executor | int | None = None,
    to: str | os.PathLike[str] | None = None,
    **conditions: Unpack[Swept],
) -> Sweep:
    """Simulate each worker with every seed under every set of parameters: a table with one record a run; see Sweep.

    `parameters` maps names to the values to try, `{"latency": [0.01, 0.1], "workers": [1, 2, 4]}`, and every
    combination is run; or it is a list of sets, `[{"latency": 0.01, "workers": 1}, ...]`. A name is a condition of
    `scenario.simulate` (with its units), or one of the scenario: a value of it, or a resource such as
    `{"inbox": [Queue(visibility_timeout=30), Queue(visibility_timeout=60)]}`. `conditions` are the same for all runs.

    `executor` is who computes. Left out: a process for each processor; a number: so many processes. Or any
    `concurrent.futures.Executor`, such as that of a Dask cluster, `client.get_executor()`; its machines need simlib,
    the same Python, and the modules that the workers import. Functions that stand in the notebook or the script are
    sent. A seed gives the same record wherever it is run.

    A process that dies costs its runs a second and a third try. A run that loses its process each time, or that ends
    in a Mistake, stands in `failures` of the result; with the first seed it is raised, for it will be so with all.

    `to` is a file that keeps what is known: JSON, a record a line, below a first line that says what was asked. The
    same call goes on where the last one ended; `seeds` may be others. It is written after each chunk of about a second
    of work, so a crash of this process loses no chunk that had come back; every second it is synced, so a power loss
    loses one second more. Failures are not kept: they are tried again.

    An interrupt ends it within a second, with what is known.

    Raises Mistake for names and values that do not fit, for a `to` that another sweep has written, with what differs,
    and where cloudpickle, which sends the workers, is missing.
    """
    plan = Plan(scenario, worker, seeds, parameters, {**conditions})
    from simlib.sweep.driver import run_sweep  # only now: what runs processes takes longer to import than all of simlib

    return run_sweep(plan, executor, to)
