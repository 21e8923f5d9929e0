"""Midflight's simulator: what happens if it crashes here?

Describe a system with resources and a Scenario, then ask about it: `explore` visits every schedule, `simulate` measures
on a simulated clock, `compare` puts two implementations under the same failure, `sweep` simulates them many times.

simlib.types has the types of every argument and result, for annotations.
"""

from simlib.audit import audit
from simlib.compare import compare
from simlib.errors import (
    AlreadyExists,
    DiskFull,
    NotFound,
    OutcomeUnknown,
    Rejected,
    StaleToken,
    Terminated,
    Unavailable,
)
from simlib.resources import Clock, Database, Disk, Lock, Queue, Random, Service
from simlib.scenario import Scenario
from simlib.simulate import exponential
from simlib.sweep import sweep
from simlib.views import lanes

__all__ = [
    # describe
    "Scenario", "Queue", "Database", "Lock", "Disk", "Service", "Clock", "Random",
    "Rejected", "Unavailable", "OutcomeUnknown", "AlreadyExists", "NotFound", "StaleToken", "DiskFull",
    "Terminated",
    # check
    "compare", "audit", "exponential", "sweep",
    # look
    "lanes",
]  # fmt: skip
