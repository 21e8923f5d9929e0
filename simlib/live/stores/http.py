"""A service behind HTTP: a server process, and a client in each worker."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from simlib.errors import OutcomeUnknown, Unavailable
from simlib.live.pipe import Pipe
from simlib.live.stores.base import Store
from simlib.live.stores.servers import HERE, PATIENCE
from simlib.live.stores.signed import Signer
from simlib.model.fault import LOST_REPLIES, OUTAGES, REJECTIONS
from simlib.model.operation import Op, Outcome

FAULT = "Fault"  # the client sends the fault to inject
DROP, REFUSE = "drop-reply", "refuse"
SECRET = "Authorization"  # every user of this machine can reach the port: without the run's secret, 403
MOST_BYTES = 2**26  # of a request's body
MOST_CONNECTIONS = 100  # open at a time; beyond that the oldest is closed
GRACE = 1.0  # seconds that earlier clients have to send their request before a later one is served


class RemoteService(Store):
    """The client of a service."""

    kind = "an HTTP server"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.port = self.dead_port = 0

    def server(self) -> Server:
        """The server to run in the service's own process."""
        raise NotImplementedError

    def answer(self, op: Op, who: str, outcome: Outcome) -> Any:
        return self.carry_out(op, who, outcome)

    def request(
        self, op: Op, outcome: Outcome, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> tuple[int, str]:
        """The server's status and body. Raises Unavailable and OutcomeUnknown."""
        fault = {LOST_REPLIES: DROP, REJECTIONS: REFUSE}.get(outcome.fault or "")
        if fault:
            headers[FAULT] = fault
        port = self.dead_port if outcome.fault == OUTAGES else self.port
        try:
            return self.ask(port, method, path, self.signer.write(body).encode(), headers)
        except ConnectionRefusedError:
            raise Unavailable(op.name) from None
        except (OSError, http.client.HTTPException):  # cut off, or no answer in time
            raise OutcomeUnknown(op.name) from None

    def ask(self, port: int, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(HERE, port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {SECRET: f"Bearer {self.signer.token}", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("latin-1")
        finally:
            connection.close()


class Server(ThreadingHTTPServer):
    """A server for this run, on this machine only."""

    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS  # otherwise idle connections keep the run's own out for seconds

    def __init__(self, signer: Signer, requests: type[Requests]) -> None:
        super().__init__((HERE, 0), requests)
        self.signer = signer
        self.lock = threading.Lock()
        self._open: dict[Any, float] = {}  # open connections, and since when
        self._closed = threading.Condition()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client killed in the middle of its request is expected."""

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._closed:  # registered in order of arrival, before the next is accepted
            oldest = next(iter(self._open), None) if len(self._open) >= MOST_CONNECTIONS else None
            self._open[request] = time.monotonic()
        if oldest is not None:
            _hang_up(oldest)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._closed:
                del self._open[request]
                self._closed.notify_all()

    def service_actions(self) -> None:
        """Close connections that have been open for too long. Called periodically."""
        with self._closed:
            late = [request for request, since in self._open.items() if since < time.monotonic() - PATIENCE]
        for request in late:
            _hang_up(request)

    def alone(self, request: Any) -> None:
        """Wait until all earlier requests are done, but no longer than GRACE for a stranger that sends nothing."""
        with self._closed:
            self._closed.wait_for(lambda: not self._before(request), GRACE)

    def _before(self, request: Any) -> list[Any]:
        recently = time.monotonic() - GRACE
        return [other for other, since in self._open.items() if recently < since < self._open[request]]


class Requests(BaseHTTPRequestHandler):
    """Handles one request of the run."""

    server: Server

    def parse_request(self) -> bool:
        """Whether the request carries the run's token. Anybody else's is refused unread."""
        if not super().parse_request():
            return False
        if self.server.signer.admits(self.headers.get(SECRET, "").removeprefix("Bearer ")):
            return True
        self.send_error(http.HTTPStatus.FORBIDDEN)
        return False

    def body(self) -> Any:
        """The body's value. Raises ValueError if the run did not write it, EOFError if it is incomplete."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length[:20]) > MOST_BYTES:
            raise ValueError
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise EOFError  # its client died while sending
        return self.server.signer.read(body.decode("latin-1"))

    def reply(self, status: http.HTTPStatus, what: Any) -> None:
        """Answer, unless the fault says to drop the reply."""
        if self.headers.get(FAULT) == DROP:
            self.close_connection = True
        else:
            self.answer(status, what)

    def answer(self, status: http.HTTPStatus, what: Any) -> None:
        text = self.server.signer.write(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the log out of the notebook's stderr."""


def _hang_up(request: socket.socket) -> None:
    with contextlib.suppress(OSError):  # already gone
        request.shutdown(socket.SHUT_RDWR)


def serve(channel: Pipe, store: RemoteService) -> None:
    """Run the store's server until the supervisor is gone. Sends its port, and one that nobody listens on."""
    with store.server() as server, socket.socket() as dead:
        dead.bind((HERE, 0))
        channel.send((server.server_port, dead.getsockname()[1]))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            channel.recv()
        except EOFError:
            pass
