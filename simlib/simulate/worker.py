"""A worker in a simulation: the process that it has, the step that it has under way, and its task."""

from __future__ import annotations

from dataclasses import dataclass, field

from simlib.model.process import Process
from simlib.model.system import Role
from simlib.schedule.transition import Transition, step
from simlib.simulate.resource import Operation, Step


@dataclass(slots=True, eq=False)
class Worker:
    """One worker, whichever process it is just now."""

    name: str
    role: Role
    move: Transition = field(init=False)  # a step of its in which nothing goes wrong
    operation: Operation = field(init=False)  # of the step that its process wants to take
    process: Process | None = None
    step: Step | None = None  # None: it waits for nothing, or for its process to be started
    idle: bool = True  # it has no task: it waits for one to arrive
    restarting: bool = False
    incarnation: int = 0
    paused_until: float = 0.0
    steps: int = 0  # of this run
    queued: str = ""  # what it asked of a queue first, in this run: "receive" or "send"
    nth: dict[str, int] = field(default_factory=dict)  # of this run, by name, if a trace is kept
    task: str | float | None = None  # a message's id, or since when this task has been going

    def __post_init__(self) -> None:
        self.move = step(self.name)

    @property
    def goes_on(self) -> bool:
        """Whether it goes on by itself: it is neither at its end, nor does it wait for a resource to change."""
        return self.restarting or (self.step is not None and not self.step.waits)
