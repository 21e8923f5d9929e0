"""Somebody else's API behind HTTP: a POST for each call, and a GET of what was done under a key.

The server keeps the events of a service that calls back; see webhooks.
"""

from __future__ import annotations

import http
from collections.abc import Hashable
from typing import Any
from urllib.parse import quote, unquote

from simlib.errors import NotFound, Rejected
from simlib.live.stores.base import Facts
from simlib.live.stores.http import FAULT, REFUSE, RemoteService, Requests, Server
from simlib.live.stores.signed import Signer
from simlib.live.stores.webhooks import EVENTS, Outbox, event_of, facts_of, number_of, request_of
from simlib.model.operation import Blocked, Op, Outcome
from simlib.resources.service_state import hashable
from simlib.resources.webhooks import VERBS
from simlib.text import show

KEY = "Idempotency-Key"
KEYS = "/keys/"  # what was done under each key


class RemoteLedger(RemoteService):
    """The client of a service."""

    def __init__(self, name: str, calls_back: bool = False) -> None:
        super().__init__(name)
        self.calls_back = calls_back

    def server(self) -> Server:
        return Ledger(self.signer)

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        if op.verb in VERBS:
            return self._handled(op, outcome)
        return self._looked_up(op, outcome) if op.verb == "look_up" else self._called(op, outcome)

    def _handled(self, op: Op, outcome: Outcome) -> Any:
        status, text = self.request(op, outcome, "POST", EVENTS, request_of(op, outcome), {})
        if status == http.HTTPStatus.NOT_FOUND:
            raise Blocked
        return event_of(self.name, self.signer.read(text)) if op.verb == "receive" else None

    def expire(self, timer: Hashable) -> None:
        event = ("expire", number_of(timer), 0)
        self.ask(self.port, "POST", EVENTS, self.signer.write(event).encode(), {})

    def _looked_up(self, op: Op, outcome: Outcome) -> Any:
        (key,) = op.args
        status, text = self.request(
            op, outcome, "GET", KEYS + quote(self.signer.write(hashable(key)), safe=""), None, {}
        )
        if status == http.HTTPStatus.NOT_FOUND:
            raise NotFound(key)
        return self.signer.read(text)

    def _called(self, op: Op, outcome: Outcome) -> str:
        key = hashable(op.kwargs.get("idempotency_key"))
        headers = {} if key is None else {KEY: self.signer.write(key)}
        status, text = self.request(op, outcome, "POST", "/", op.args, headers)
        if status == http.HTTPStatus.BAD_REQUEST:
            raise Rejected(f"idempotency key {show(op.kwargs['idempotency_key'])} was used for other arguments")
        if status != http.HTTPStatus.OK:
            raise Rejected(op.args[0])
        return str(self.signer.read(text))

    def look(self) -> Facts:
        _, ledger = self.ask(self.port, "GET", "/", None, {})
        effects, keys, refused, events = self.signer.read(ledger)
        done = {(key, hashable(call)) for key, call in keys.items()}
        told = {"events": facts_of(events)} if self.calls_back else {}
        return {"effects": effects, "keys": done, "refused": {*refused}, **told}


class Ledger(Server):
    """A service: how often each effect happened, under which keys, and which are refused for good."""

    def __init__(self, signer: Signer) -> None:
        super().__init__(signer, Calls)
        self.effects: dict[Hashable, int] = {}
        self.keys: dict[Hashable, tuple[Any, ...]] = {}
        self.refused: list[Hashable] = []
        self.outbox = Outbox()

    def call(self, done: tuple[Any, ...], key: Hashable, refuse: bool) -> http.HTTPStatus:
        """Apply the effect, once per key."""
        effect = hashable(done)
        with self.lock:
            if key in self.keys:
                same = hashable(self.keys[key]) == effect
                return http.HTTPStatus.OK if same else http.HTTPStatus.BAD_REQUEST
            if refuse and effect not in self.refused:
                self.refused.append(effect)
            if effect in self.refused:
                return http.HTTPStatus.PAYMENT_REQUIRED
            if key is not None:
                self.keys[key] = done
            self.effects[effect] = self.effects.get(effect, 0) + 1
            self.outbox.add(done)
            return http.HTTPStatus.OK


class Calls(Requests):
    """A call of the service, or a read of its ledger."""

    server: Ledger

    def do_POST(self) -> None:
        try:
            call, key = self.body(), self.headers.get(KEY)
            known_as = None if key is None else self.server.signer.read(key)
        except ValueError:
            return self.send_error(http.HTTPStatus.BAD_REQUEST)
        except EOFError:
            return None
        if self.path == EVENTS:
            with self.server.lock:
                return self.reply(*self.server.outbox.act(*call))
        return self.reply(self.server.call(call, known_as, self.headers.get(FAULT) == REFUSE), "ok")

    def do_GET(self) -> None:
        if self.path.startswith(KEYS):
            return self._look_up(unquote(self.path.removeprefix(KEYS)))
        self.server.alone(self.request)
        server = self.server
        with server.lock:
            held = (server.effects, server.keys, server.refused, server.outbox.seen())
            return self.answer(http.HTTPStatus.OK, held)

    def _look_up(self, signed: str) -> None:
        try:
            key = self.server.signer.read(signed)
        except ValueError:
            return self.send_error(http.HTTPStatus.BAD_REQUEST)
        with self.server.lock:
            done = self.server.keys.get(key)
        return self.reply(http.HTTPStatus.NOT_FOUND if done is None else http.HTTPStatus.OK, done)
