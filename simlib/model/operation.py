"""One lazy step. Building an `Op` does nothing; an engine applies it when a worker yields it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from simlib.text import show


class Where(NamedTuple):
    """A line of the learner's code: the worker's own, or that of a `function` which the worker called in `called_from`.

    As text `line 4`, or `line 2 of load, from line 10`: a bare line would be looked up in the worker, which in a
    notebook may be in another cell. An unknown line, as of generated code, is 0 and is left out.
    """

    line: int = 0
    function: str = ""
    called_from: int = 0

    @property
    def own(self) -> int:
        """The line in the worker itself."""
        return self.called_from if self.function else self.line

    @property
    def aside(self) -> str:
        """` (line 4)`, to append to a text; empty if the line is unknown."""
        return f" ({self})" if str(self) else ""

    def of(self, worker: str) -> str:
        """`charge, line 4`, to start a message with."""
        return f"{worker}, {self}" if str(self) else worker

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        if not self.function:
            return line
        caller = f", from line {self.called_from}" if self.called_from else ""
        return f"{line} of {self.function}{caller}" if line else f"{self.function}{caller}"


NOWHERE = Where()


@dataclass(slots=True)  # not frozen: building would take four times as long, and is most of a simulation's time
class Op:
    """What a worker asks of a resource, as data: `bank.call("charge", 20)`.

    `line` and `function` say where it was built, for messages about a forgotten `yield`; they are not part of the
    request.
    """

    is_data: ClassVar[bool] = False  # cannot be stored or sent

    resource: str
    verb: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    line: int = field(default=0, compare=False)
    function: str = field(default="", compare=False)

    def built_by(self, worker: str) -> str:
        """`load, line 4`: where it was built, in this worker or in a function that it called."""
        named = self.function and not self.function.startswith("<")  # `<lambda>` is not a name
        return Where(self.line).of(self.function if named else worker)

    @property
    def name(self) -> str:
        """The step's name in schedules: `bank.call`."""
        return f"{self.resource}.{self.verb}"

    def __str__(self) -> str:
        words = [show(arg, 40) for arg in self.args]
        words += [f"{key}={show(arg, 40)}" for key, arg in self.kwargs.items()]
        return f"{self.name}({', '.join(words)})"

    __repr__ = __str__


class Outcome(NamedTuple):
    """One way in which a step can go.

    `fault` is the budget that pays for it, None if nothing goes wrong. `choice` tells apart the ways that one fault, or
    a random draw, can go.
    """

    fault: str | None = None
    choice: int | str | None = None


OK = Outcome()
# The step has begun and not ended: in a database, it waits for a row; on a disk, half of a file is written. Its worker
# is not answered yet.
BEGUN = Outcome(None, "begun")


class Blocked(Exception):
    """Raised by a resource: the step cannot happen yet, so its worker waits."""
