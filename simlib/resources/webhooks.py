"""A service that calls back: an event for each effect that it has had, sent until it is answered well."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from simlib.model.fault import REDELIVERIES
from simlib.model.operation import OK, Blocked, Op, Outcome
from simlib.model.state import ANYBODY, Renumber
from simlib.model.timing import Slept, Timer
from simlib.resources.message import Message
from simlib.resources.queue import QueueState
from simlib.resources.service_state import ServiceState

RESEND = 30.0  # seconds from a delivery that is not answered well to the next one
VERBS = ("receive", "ack", "nack")  # of the handler, whom the service calls


@dataclass
class CallingState(ServiceState):
    """What was done, and the events that tell of it."""

    arms = True

    sees = ("count", "pending_webhooks")
    retries_end: ClassVar[bool] = True
    events: QueueState = field(default_factory=lambda: QueueState("", RESEND, None))

    @property
    def pending_webhooks(self) -> list[Message]:
        """Those that have not been answered with 2xx, in the order of what they tell of."""
        return sorted([*self.events.ready, *self.events.in_flight], key=lambda event: event.number)

    def copy(self) -> Self:
        other = super().copy()
        other.events = self.events.copy()
        return other

    def on_call(self, who: str, action: str, *args: Any, idempotency_key: Any = None) -> str:
        before = self.totals.get(action, 0)
        answer = super().on_call(who, action, *args, idempotency_key=idempotency_key)
        if self.totals[action] > before:
            self.events.on_send(who, (action, *args))
        return answer

    def on_receive(self, who: str, choice: int = 0) -> Message:
        if choice >= len(self.events.ready):
            raise Blocked
        return self.events.deliver(self.events.ready.pop(choice), who)

    def on_ack(self, who: str, event: Message) -> None:
        self.events.on_ack(who, event)

    def on_nack(self, who: str, event: Message) -> None:
        self.events.disown(event)

    def choices(self, op: Op) -> int:
        return max(1, len(self.events.ready)) if op.verb == "receive" else 1

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        if op.verb not in VERBS:
            yield from super().outcomes(op)
            return
        yield from (Outcome(None, choice) if choice else OK for choice in range(self.choices(op)))
        if op.verb == "receive":
            yield from self.events.ways(op, REDELIVERIES)

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        if op.verb != "receive":
            return super().perform(op, who, outcome)
        if outcome.fault == REDELIVERIES:
            return self.events.perform(op, who, outcome)
        return self.on_receive(who, int(outcome.choice or 0))

    def awaited(self, op: Op, who: str) -> str | None:
        return ANYBODY

    def depends_on_who(self, op: Op) -> bool:
        return op.verb == "receive"

    @property
    def has_timers(self) -> bool:
        return bool(self.events.flights)

    def timers(self) -> tuple[Timer, ...]:
        return tuple(timer._replace(label=f"next attempt to send {timer.id}") for timer in self.events.timers())

    def expire(self, timer: Hashable) -> None:
        self.events.expire(timer)

    def fell_asleep(self, who: str) -> None:
        self.events.fell_asleep(who)

    def woke(self, sleep: Slept) -> None:
        self.events.woke(sleep)

    def advance(self, seconds: float) -> None:
        self.events.advance(seconds)

    def owner_gone(self, who: str | None) -> None:
        self.events.owner_gone(who)

    def renamed(self, names: Mapping[str, str]) -> Self:
        other = super().copy()
        other.events = self.events.renamed(names)
        return other

    def key(self) -> Hashable:
        return (super().key(), self.events.key())

    def counted(self) -> Hashable:
        return (super().key(), self.events.counted())

    def recounted(self, number: Renumber) -> Self:
        other = super().copy()
        other.events = self.events.recounted(number)
        return other

    def summary(self) -> str:
        pending = self.pending_webhooks
        return super().summary() + (f", {len(pending)} to tell" if pending else "")
