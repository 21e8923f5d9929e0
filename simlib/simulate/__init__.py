"""The measurer: the same workers on SimPy's clock, from a seed."""

from __future__ import annotations

from simlib.model.system import System
from simlib.simulate.conditions import Conditions, exponential
from simlib.simulate.result import Run
from simlib.simulate.simulation import Simulation

__all__ = ["Conditions", "Run", "exponential", "simulate"]


def simulate(system: System, conditions: Conditions, seed: int, trace: bool, until_violation: bool) -> Run:
    """Run the system once. The same seed gives the same run in every process and on every Python."""
    before = system.memories()
    with system.watchdog:
        run = Simulation(system, conditions, seed, trace, until_violation).finish()
    if run.interrupted != "by you":
        system.compare_memories(before)
    return run
