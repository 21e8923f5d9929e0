"""What a serializable transaction has read and written, as far as others can be in conflict with it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from simlib.model.state import copy_of
from simlib.model.values import freeze

Range = tuple[str, Any, Any]  # ("key", key, None), or ("prefix", text, the last key that it came to, None: the end)
Name = str | int  # of a transaction: its worker while it is open, then which one it was to commit


@dataclass
class Reader:
    """What is remembered of a serializable transaction, until nobody is open who began before it committed."""

    began_after: int  # how many of those that are remembered had committed
    rows: set[Any] = field(default_factory=set)  # that it read, as far as they are still what it read
    ranges: set[Range] = field(default_factory=set)  # that it looked up in the index
    writes: set[Any] = field(default_factory=set)
    added: set[Any] = field(default_factory=set)  # of these, those that it put into the index
    before: set[Name] = field(default_factory=set)  # whose reads it has overwritten
    after: set[Name] = field(default_factory=set)  # who overwrote what it has read
    doomed: bool = False  # it fails at its next statement
    committed: int | None = None  # as which one
    overwritten: bool = False  # it wrote, and one of those in `after` had committed before it did

    @property
    def read_only(self) -> bool:
        return self.committed is not None and not self.writes

    def copy(self) -> Reader:
        return copy_of(self)

    def key(self) -> Hashable:
        return tuple(frozenset(map(freeze, value)) if type(value) is set else value for value in vars(self).values())


def covers(range_: Range, key: Any) -> bool:
    """Whether a key is in this range."""
    kind, what, last = range_
    if kind == "key":
        return bool(key == what)
    return isinstance(key, str) and key.startswith(what) and (last is None or key <= last)
