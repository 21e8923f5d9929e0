"""One worker's place in a simulation, and the step that it has under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simpy

from simlib.model.process import Process
from simlib.schedule.transition import Transition

if TYPE_CHECKING:
    from simlib.simulate.resource import Way


class Due(simpy.Event):
    """A worker's step under way: SimPy's event for the moment at which it takes effect.

    It is stale when it is no longer the one that its worker waits for. It stays where it is then, in SimPy's heap or in
    a server's line: leaving it there is cheaper than looking for it. One that took its effect is used again.
    """

    _ok = True

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.blocked = False  # it is in a resource's line, and goes on when that changes


class Worker:
    """One worker's place."""

    __slots__ = (
        "due", "idle", "incarnation", "move", "name", "nth", "paused_until", "process", "queued", "steps", "task",
        "way",
    )  # fmt: skip

    way: Way  # of the step that its process wants to take

    def __init__(self, name: str) -> None:
        self.name = name
        self.move = Transition("step", name)  # a step of its in which nothing goes wrong
        self.process: Process | None = None
        self.due: Due | None = None  # None: it waits for nothing, or for its process to be started
        self.idle = True  # it has no task: it waits for one to arrive
        self.incarnation = 0
        self.paused_until = 0.0
        self.steps = 0  # of this run
        self.queued = ""  # what it asked of a queue first, in this run: "receive" or "send"
        self.nth: dict[str, int] = {}  # of this run, by name, if a trace is kept
        self.task: str | float | None = None  # a message's id, or since when this task has been going
