"""A service that calls back, for real: its outbox, on the server, and the handler that takes events out of it.

The server does not push. A handler asks it for an event, as a worker behind the endpoint of a webhook does of its
framework, and answers it by a second request.
"""

from __future__ import annotations

import http
from dataclasses import dataclass
from typing import Any, Literal

from simlib.live.stores.base import Facts
from simlib.model.fault import REDELIVERIES
from simlib.model.operation import Op, Outcome
from simlib.resources.message import Message

EVENTS = "/events/"


@dataclass
class Event:
    """One event, and where it is."""

    number: int
    body: tuple[Any, ...]
    deliveries: int = 0
    place: Literal["ready", "sent", "over"] = "ready"
    answered: int = 0  # the newest delivery that was answered with 2xx


class Outbox:
    """The events of a service, oldest first."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, done: tuple[Any, ...]) -> None:
        """Something was done."""
        self.events.append(Event(len(self.events) + 1, done))

    def act(self, verb: str, number: int, deliveries: int) -> tuple[http.HTTPStatus, Any]:
        """Send an event, or take its answer, or let the time to wait for that run out. Gives status and answer."""
        if verb in ("receive", "repeat"):
            return self._send(self._ready(number) if verb == "receive" else self.events[number - 1])
        event = self.events[number - 1]
        if verb == "expire" and event.place == "sent":
            event.place = "ready"
        elif verb == "ack" and event.deliveries == deliveries and event.place != "over":
            event.place, event.answered = "over", deliveries
        return http.HTTPStatus.OK, None

    def _ready(self, choice: int) -> Event | None:
        ready = [event for event in self.events if event.place == "ready"]
        return ready[choice] if choice < len(ready) else None

    def _send(self, event: Event | None) -> tuple[http.HTTPStatus, Any]:
        if event is None:
            return http.HTTPStatus.NOT_FOUND, None
        event.deliveries, event.place = event.deliveries + 1, "sent"
        return http.HTTPStatus.OK, (event.number, event.body, event.deliveries)

    def seen(self) -> list[tuple[Any, ...]]:
        """What it holds, for whoever compares it with the model."""
        return [(one.number, one.body, one.deliveries, one.place, one.answered) for one in self.events]


def request_of(op: Op, outcome: Outcome) -> tuple[str, int, int]:
    """What a handler's step asks of the outbox: what, of which event, of which delivery."""
    if op.verb == "receive":
        again = outcome.fault == REDELIVERIES
        return ("repeat", number_of(outcome.choice), 0) if again else ("receive", int(outcome.choice or 0), 0)
    return op.verb, op.args[0].number, op.args[0].deliveries


def number_of(name: Any) -> int:
    """The number of the event with this id."""
    return int(str(name).rpartition("-")[2])


def event_of(service: str, told: tuple[Any, ...]) -> Message:
    """The event as the handler gets it."""
    number, body, deliveries = told
    return Message(f"{service}-{number}", body, deliveries, number)


def facts_of(events: list[tuple[Any, ...]]) -> Facts:
    """Its facts."""
    return {
        "sent": len(events),
        "ready": [(number, body, deliveries) for number, body, deliveries, place, _ in events if place == "ready"],
        "flight": [(number, body, deliveries) for number, body, deliveries, place, _ in events if place == "sent"],
        "answered": {number: answered for number, _, _, _, answered in events if answered},
    }
