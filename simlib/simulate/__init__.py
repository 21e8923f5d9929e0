"""Measures workers on a simulated clock (SimPy), seeded."""

from __future__ import annotations

import simpy

from simlib.errors import Mistake
from simlib.model.system import System
from simlib.simulate.conditions import Conditions, exponential
from simlib.simulate.result import Run
from simlib.simulate.simulation import Beside, Simulation
from simlib.text import show

__all__ = ["Beside", "Conditions", "Run", "exponential", "simulate"]


def simulate(
    system: System,
    conditions: Conditions,
    seed: int,
    trace: bool,
    until_violation: bool,
    env: simpy.Environment | None = None,
    beside: Beside | None = None,
) -> Run:
    """Run the system once. A seed gives the same run in every process and on every Python version.

    In `env`, a SimPy environment, it runs beside the processes that are there, and beside the one that `beside` makes.
    """
    if env is not None and not isinstance(env, simpy.Environment):
        raise Mistake(f"env={show(env)}: give a SimPy environment, env=simpy.Environment().")
    before = system.memories()
    with system.watchdog:
        run = Simulation(system, conditions, seed, trace, until_violation, env, beside).finish()
    if run.interrupted != "by you":
        system.compare_memories(before)
    return run
