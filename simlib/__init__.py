"""Midflight's simulator: what happens if it crashes here?

Describe a system with resources and a Scenario, then ask: `explore` visits every schedule, `simulate` measures on a
clock, `compare` puts two implementations under the same failure.
"""

from simlib.errors import AlreadyExists, DiskFull, Mistake, NotFound, OutcomeUnknown, Rejected, StaleToken, Unavailable
from simlib.resources import Clock, Database, Disk, Lock, Queue, Random, Service
from simlib.scenario import Scenario
