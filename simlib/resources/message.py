"""A message as a worker receives it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from simlib.model.state import Count, Counted, Renumber
from simlib.model.values import SURE
from simlib.model.view import Value
from simlib.text import show


@dataclass(frozen=True, slots=True, init=False)
class Message(Counted):
    """One delivery of a message. `id` is the same in every delivery; `deliveries` counts them, this one included.

    Together they are the delivery's receipt.
    """

    id: str
    body: Value
    deliveries: int = 0
    number: int = field(default=0, repr=False)  # its place in the order of sending

    def __init__(self, id: str, body: Any, deliveries: int = 0, number: int = 0) -> None:
        # A frozen dataclass's own __init__ takes twice as long, and a simulation makes messages by the million.
        _set_id(self, id)
        _set_body(self, body)
        _set_deliveries(self, deliveries)
        _set_number(self, number)

    def parts(self, held: Callable[[Any], Hashable]) -> tuple[Hashable, ...]:
        return (self.id, held(self.body), self.number, self.count)

    @property
    def count(self) -> Count:
        """Its deliveries, comparable only with those of the same message."""
        return Count(f"deliveries of {self.id}", self.deliveries)

    def recounted(self, number: Renumber) -> Message:
        """A copy with another count of deliveries, if it was ever delivered."""
        deliveries = number(self.count) if self.deliveries else 0
        return Message(self.id, self.body, deliveries, self.number)

    def __repr__(self) -> str:
        again = f", delivery {self.deliveries}" if self.deliveries > 1 else ""
        return f"{self.id} {show(self.body)}{again}" if self.body is not None else f"{self.id}{again}"


_set_id, _set_body, _set_deliveries, _set_number = (vars(Message)[name].__set__ for name in Message.__slots__)


def plain_of(queue: str) -> Callable[..., bool]:
    """Whether the arguments are one message of this queue, with nothing in it to copy."""
    prefix = f"{queue}-"

    def is_plain(*args: Any) -> bool:
        one = args[0]
        return len(args) == 1 and type(one) is Message and type(one.body) in SURE and one.id.startswith(prefix)

    return is_plain
