"""A service behind HTTP: a server process with a ledger of its own, and a client in each worker."""

from __future__ import annotations

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from simlib.engines.live.stores.base import Facts, Store, read, written
from simlib.engines.live.stores.servers import HERE, PATIENCE
from simlib.errors import OutcomeUnknown, Rejected, Unavailable
from simlib.ops import OK, Op, Outcome
from simlib.resources.service import hashable
from simlib.values import show

KEY, FAULT = "Idempotency-Key", "Fault"  # a fault comes with the request, as a proxy that injects faults does it
DROP, REFUSE = "drop-reply", "refuse"


class RemoteService(Store):
    """The client's side."""

    kind = "an HTTP server"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.port = self.dead_port = 0

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        return self.carry_out(op, who, outcome)

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> str:
        key = hashable(op.kwargs.get("idempotency_key"))
        headers = {} if key is None else {KEY: written(key)}
        fault = {"lost_replies": DROP, "rejections": REFUSE}.get(outcome.fault or "")
        if fault:
            headers[FAULT] = fault
        port = self.dead_port if outcome.fault == "outages" else self.port
        try:
            status, text = self._ask(port, "POST", written(hashable(op.args)).encode(), headers)
        except ConnectionRefusedError:
            raise Unavailable(op.name) from None
        except (OSError, http.client.HTTPException):  # cut off, or no answer in time
            raise OutcomeUnknown(op.name) from None
        if status == http.HTTPStatus.CONFLICT:
            raise Rejected(f"idempotency key {show(op.kwargs['idempotency_key'])} was used for other arguments")
        if status != http.HTTPStatus.OK:
            raise Rejected(op.args[0])
        return text

    def _ask(self, port: int, method: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(HERE, port, timeout=PATIENCE)
        try:
            connection.request(method, "/", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def facts(self) -> Facts:
        _, ledger = self._ask(self.port, "GET", None, {})
        effects, keys, refused = read(ledger)
        return {"effects": effects, "keys": keys, "refused": sorted(refused)}


class Ledger(ThreadingHTTPServer):
    """The server: what was done how often, under which keys, and what is refused for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HERE, 0), Requests)
        self.effects: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        self.refused: list[str] = []
        self.lock = threading.Lock()
        self._busy, self._served = 0, threading.Condition()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed in the middle of its request is nothing to talk about."""

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._served:  # in the order of their arrival, before the next one is looked at
            self._busy += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._served:
                self._busy -= 1
                self._served.notify_all()

    def alone(self) -> None:
        """Wait until all that came before has been dealt with."""
        with self._served:
            self._served.wait_for(lambda: self._busy <= 1, PATIENCE)

    def call(self, effect: str, key: str | None, refuse: bool) -> http.HTTPStatus:
        """Do it, once for each key."""
        with self.lock:
            if key in self.keys:
                return http.HTTPStatus.OK if self.keys[key] == effect else http.HTTPStatus.CONFLICT
            if refuse and effect not in self.refused:
                self.refused.append(effect)
            if effect in self.refused:
                return http.HTTPStatus.PAYMENT_REQUIRED
            if key is not None:
                self.keys[key] = effect
            self.effects[effect] = self.effects.get(effect, 0) + 1
            return http.HTTPStatus.OK


class Requests(BaseHTTPRequestHandler):
    """One request."""

    server: Ledger

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # its client died before it had said all
        fault = self.headers.get(FAULT)
        status = self.server.call(body.decode(), self.headers.get(KEY), fault == REFUSE)
        if fault == DROP:
            self.close_connection = True  # acted, and the reply is lost
        else:
            self._answer(status, "ok")

    def do_GET(self) -> None:
        self.server.alone()
        with self.server.lock:
            ledger = (self.server.effects, self.server.keys, self.server.refused)
            self._answer(http.HTTPStatus.OK, written(ledger))

    def _answer(self, status: http.HTTPStatus, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the notebook's stderr."""


def serve(channel: Connection) -> None:
    """Be a server until the supervisor is gone. Tells its port, and one where nobody listens."""
    with Ledger() as server, socket.socket() as dead:
        dead.bind((HERE, 0))
        channel.send((server.server_port, dead.getsockname()[1]))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            channel.recv()
        except EOFError:
            pass
