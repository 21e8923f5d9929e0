"""One lazy step. Building an `Op` does nothing; an engine applies it when a worker yields it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CodeType
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

    Where it was built is kept for messages about a forgotten `yield`, and is no part of the request: how far its `code`
    had come, in bytes, because finding the line takes long beside building the step. A step from another process has
    the line and the function's name instead. `bound` is what an engine has bound it to, and need not look up.
    """

    is_data: ClassVar[bool] = False  # cannot be stored or sent

    resource: str
    verb: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    at: int = field(default=0, compare=False)
    code: CodeType | str = field(default="", compare=False)
    bound: Any = field(default=None, compare=False)

    @property
    def line(self) -> int:
        """The line that it was built in; 0 if that is unknown."""
        return self.at if isinstance(self.code, str) else _line_of(self.code, self.at)

    @property
    def function(self) -> str:
        """The name of the function that it was built in."""
        return self.code if isinstance(self.code, str) else self.code.co_name

    def become_a_part(self) -> Op:
        """This step, with its line looked up and bound to nothing, as a part of another step: a key is made of it."""
        self.at, self.code, self.bound = self.line, self.function, None
        return self

    def __reduce__(self) -> tuple[type[Op], tuple[Any, ...]]:
        return (Op, (self.resource, self.verb, self.args, self.kwargs, self.line, self.function))

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


def _line_of(code: CodeType, at: int) -> int:
    """The line of the instruction at this offset."""
    return next((line or 0 for first, last, line in code.co_lines() if first <= at < last), 0)


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


WAITS = object()  # the answer in place of Blocked, where raising would take longer than the step; see State.direct


class Blocked(Exception):
    """Raised by a resource: the step cannot happen yet, so its worker waits."""
