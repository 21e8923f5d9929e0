"""A queue as a SQL table: each step is one real transaction."""

from __future__ import annotations

import time
from collections.abc import Hashable
from contextlib import suppress
from typing import Any

from simlib.live.stores.base import Facts, lasting
from simlib.live.stores.sql import Connection, Table
from simlib.model.fault import REDELIVERIES
from simlib.model.operation import Blocked, Op, Outcome
from simlib.model.timing import seconds, waits
from simlib.resources.message import Message
from simlib.resources.queue import QueueState

PATIENCE, AGAIN = 0.02, 0.005  # seconds: how long a wait for a message really is, and until the next look


class QueueTable(Table):
    """Messages with a visibility deadline: a receive claims the oldest visible one and sets its deadline."""

    layout = (
        """CREATE TABLE messages (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL, deliveries INTEGER NOT NULL DEFAULT 0,
            place TEXT NOT NULL DEFAULT 'ready', deadline DOUBLE PRECISION, acked INTEGER NOT NULL DEFAULT 0
        )""",  # place: ready, flight, dead, or gone
    )

    def __init__(self, name: str, connection: Connection, timeout: float | None, most: int | None) -> None:
        super().__init__(name, connection)
        self.timeout, self.most = timeout, most

    def fill(self, state: QueueState) -> None:
        for message in state.ready:
            self._add(message.number, message.body)

    def _add(self, number: int, body: Any) -> str:
        insert = "INSERT INTO messages (number, id, body) VALUES (?, ?, ?) RETURNING id"
        return str(self.run(insert, number, f"{self.name}-{number}", self.signer.write(body))[0][0])

    def step(self, op: Op, who: str, outcome: Outcome) -> Any:
        self._return("deadline <= ?", time.time())  # the next operation returns expired messages
        if outcome.fault == REDELIVERIES:
            return self._deliver("id = ?", str(outcome.choice))
        return super().step(op, who, outcome)

    def on_send(self, who: str, body: Any) -> str:
        return self._add(self.run("SELECT COUNT(*) FROM messages")[0][0] + 1, body)

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        if outcome.fault or not waits(op):
            return super().carry_out(op, who, outcome)
        patience = time.monotonic() + min(seconds(op), PATIENCE)
        while True:  # each look is a transaction of its own
            message = super().carry_out(op, who, outcome)
            if message is not None or time.monotonic() > patience:
                return message
            time.sleep(AGAIN)

    def on_receive(self, who: str, wait: float | None = None) -> Message | None:
        oldest = f"number = (SELECT number FROM messages WHERE place = 'ready' ORDER BY number LIMIT 1{self._skip()})"
        with suppress(*([Blocked] if wait else [])):
            return self._deliver(oldest)
        return None

    def _skip(self) -> str:
        """SQL that keeps a receive from waiting for a message that another one is claiming."""
        return " FOR UPDATE SKIP LOCKED" if self.kind == "PostgreSQL" else ""

    def _deliver(self, which: str, *values: Any) -> Message:
        deadline = None if self.timeout is None else time.time() + lasting(self.timeout)
        update = (
            "UPDATE messages SET place = 'flight', deliveries = deliveries + 1, deadline = ? "
            f"WHERE {which} RETURNING id, body, deliveries, number"
        )
        delivered = self.run(update, deadline, *values)
        if not delivered:
            raise Blocked
        name, body, deliveries, number = delivered[0]
        return Message(name, self.signer.read(body), deliveries, number)

    def on_ack(self, who: str, message: Message) -> None:
        update = (
            "UPDATE messages SET place = 'gone', acked = 1, deadline = NULL "
            "WHERE id = ? AND deliveries = ? AND place IN ('flight', 'ready')"
        )
        self.run(update, message.id, message.deliveries)

    def on_nack(self, who: str, message: Message) -> None:
        self._return("id = ? AND deliveries = ?", message.id, message.deliveries)

    def _return(self, which: str, *values: Any) -> None:
        most = 2**31 - 1 if self.most is None else self.most
        update = (
            "UPDATE messages SET place = CASE WHEN deliveries >= ? THEN 'dead' ELSE 'ready' END, deadline = NULL "
            f"WHERE place = 'flight' AND {which}"
        )
        self.run(update, most, *values)

    def expire(self, timer: Hashable) -> None:
        now = time.time()

        def hasten() -> None:
            self.run("UPDATE messages SET deadline = ? WHERE place = 'flight' AND id = ?", now, str(timer))
            self._return("deadline <= ?", now)

        self.connection.transaction(self.name, hasten)

    def seen(self) -> Facts:
        rows = self.run("SELECT id, body, deliveries, place, acked FROM messages ORDER BY number")
        read = self.signer.read
        places = {
            place: [(name, read(body), deliveries) for name, body, deliveries, where, _ in rows if where == place]
            for place in ("ready", "flight", "dead")
        }
        return {**places, "acked": [row[0] for row in rows if row[4]], "sent": len(rows)}
