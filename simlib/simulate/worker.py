"""A simulated worker: its current process, step and task."""

from __future__ import annotations

from dataclasses import dataclass, field

from simlib.model.process import Process
from simlib.model.system import Role
from simlib.schedule.transition import Transition, step
from simlib.simulate.resource import Operation, Step


@dataclass(slots=True, eq=False)
class Worker:
    """A worker, across all of its processes."""

    name: str
    role: Role
    move: Transition = field(init=False)  # its step without a fault
    operation: Operation = field(init=False)  # of the step that its process takes next
    process: Process | None = None
    step: Step | None = None  # None: idle, or its process has yet to start
    idle: bool = True  # it waits for a task to arrive
    restarting: bool = False
    incarnation: int = 0
    paused_until: float = 0.0
    steps: int = 0  # of this attempt
    stopped: bool = False  # its process was told to stop
    queued: str = ""  # its first queue operation in this attempt: "receive" or "send"
    nth: dict[str, int] = field(default_factory=dict)  # steps of this attempt by name, if a trace is kept
    task: str | float | None = None  # a message's id, or the time when the task began

    def __post_init__(self) -> None:
        self.move = step(self.name)

    @property
    def goes_on(self) -> bool:
        """Whether it proceeds by itself: it has not ended and does not wait for a resource to change."""
        return self.restarting or (self.step is not None and not self.step.waits)
