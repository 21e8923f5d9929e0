"""One lazy step. Building an `Op` does nothing; an engine applies it when a worker yields it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simlib.values import show


@dataclass(slots=True)  # not frozen, which would take four times as long to build: most of the time of a simulation
class Op:
    """What a worker asks of a resource: `bank.call("charge", 20)` as data.

    `line` is where it was built: it tells a forgotten `yield` from a yielded one, and is no part of what is asked.
    """

    resource: str
    verb: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    line: int = field(default=0, compare=False)

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
    """One of the ways in which a step can go.

    `fault` is the budget that it is paid from, None when nothing goes wrong. `choice` tells apart the ways that
    one fault, or a random draw, can go.
    """

    fault: str | None = None
    choice: int | str | None = None


OK = Outcome()


class Blocked(Exception):
    """Raised by a resource: this step cannot happen yet, its worker waits."""
