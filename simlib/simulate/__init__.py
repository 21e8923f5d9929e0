"""Measures workers on a simulated clock (SimPy), seeded."""

from __future__ import annotations

from simlib.model.system import System
from simlib.simulate.conditions import Conditions, exponential
from simlib.simulate.result import Run
from simlib.simulate.simulation import Simulation

__all__ = ["Conditions", "Run", "exponential", "simulate"]


def simulate(system: System, conditions: Conditions, seed: int, trace: bool, until_violation: bool) -> Run:
    """Run the system once. A seed gives the same run in every process and on every Python version."""
    before = system.memories()
    with system.watchdog:
        run = Simulation(system, conditions, seed, trace, until_violation).finish()
    if run.interrupted != "by you":
        system.compare_memories(before)
    return run
