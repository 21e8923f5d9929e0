"""What somebody else's API has done, and under which keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simlib.errors import NotFound, Rejected
from simlib.model.fault import REJECTIONS
from simlib.model.operation import OK, Op, Outcome
from simlib.model.state import State
from simlib.model.values import KEYS, freeze, unordered
from simlib.text import plural, printable, show


@dataclass
class ServiceState(State):
    """What was done, and under which keys; a property sees what Service says."""

    sees: ClassVar[tuple[str, ...]] = ("count",)
    effects: dict[Hashable, int] = field(default_factory=dict)  # (action, arguments): how often
    totals: dict[str, int] = field(default_factory=dict)  # action: how often
    keys: dict[Hashable, tuple[Any, ...]] = field(default_factory=dict)  # idempotency key: (action, arguments)
    refused: dict[Hashable, bool] = field(default_factory=dict)

    def count(self, action: str, *args: Any) -> int:
        """How often `action` was done, with any arguments, or with these."""
        return self.effects.get(hashable((action, *args)), 0) if args else self.totals.get(action, 0)

    def on_call(self, who: str, action: str, *args: Any, idempotency_key: Any = None) -> str:
        effect, key = hashable((action, *args)), hashable(idempotency_key)
        if key in self.keys:  # repeat the stored answer, whatever has happened since
            if hashable(self.keys[key]) != effect:
                raise Rejected(f"idempotency key {show(idempotency_key)} was used for other arguments")
            return "ok"
        if effect in self.refused:
            raise Rejected(action)
        if key is not None:
            self.keys[key] = (action, *args)
        self.effects[effect] = self.effects.get(effect, 0) + 1
        self.totals[action] = self.totals.get(action, 0) + 1
        return "ok"

    def on_look_up(self, who: str, key: Any) -> tuple[Any, ...]:
        if hashable(key) not in self.keys:
            raise NotFound(key)
        return self.keys[hashable(key)]

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        yield from super().outcomes(op)
        if op.verb != "call":
            return
        if hashable(op.args) not in self.refused and hashable(op.kwargs.get("idempotency_key")) not in self.keys:
            yield Outcome(REJECTIONS)

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        if outcome.fault == REJECTIONS:
            self.refused[hashable(op.args)] = True
            raise Rejected(op.args[0])
        return super().perform(op, who, outcome)

    def key(self) -> Hashable:
        return (unordered(self.effects), unordered(self.keys), unordered(self.refused))

    def summary(self) -> str:
        done = [plural(times, printable(action)) for action, times in sorted(self.totals.items())]
        return ", ".join(done) or "nothing done"

    def outcome(self) -> Hashable:
        return tuple(sorted(f"{show(effect)} x {times}" for effect, times in self.effects.items()))


def hashable(value: Any) -> Hashable:
    """A key for the value, which is the value itself if it equals nothing else: 1, 1.0 and True are three, as in the
    text of a request.
    """
    if type(value) is tuple:
        return value if KEYS.issuperset(map(type, value)) else freeze(value)
    return value if type(value) in KEYS else freeze(value)
