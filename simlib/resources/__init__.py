"""The parts of the world, one mechanism per file: pure state, and operations as lazy data."""

from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.model.timing import Timer
from simlib.resources.advisory_lock import AdvisoryLock
from simlib.resources.clock import Clock
from simlib.resources.collection import Collection
from simlib.resources.database import Database
from simlib.resources.disk import Disk
from simlib.resources.lock import Lease, Lock
from simlib.resources.message import Message
from simlib.resources.queue import Queue
from simlib.resources.random import Random
from simlib.resources.service import Service

__all__ = [
    "AdvisoryLock", "Clock", "Collection", "Database", "Disk", "Lease", "Lock", "Message", "Queue", "Random",
    "Resource", "Service", "State", "Timer",
]  # fmt: skip
