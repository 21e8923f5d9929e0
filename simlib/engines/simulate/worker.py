"""One worker's place in a simulation."""

from __future__ import annotations

from collections import Counter

from simlib.process import Process


class Worker:
    """One worker's place. `wake` numbers its wake-up calls: a call with an old number is for a process that is gone."""

    __slots__ = ("due", "idle", "incarnation", "name", "paused_until", "process", "steps", "task", "wake")

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: Process | None = None
        self.idle = True  # it has no task: it waits for one to arrive
        self.incarnation = 0
        self.wake = 0
        self.paused_until = 0.0
        self.due = 0.0
        self.steps: Counter[str] = Counter()  # of this run, by name
        self.task: str | float | None = None  # a message's id, or since when this task has been going

    @property
    def running(self) -> bool:
        """Whether there is a process that has not done its task."""
        return self.process is not None and self.process.op is not None
