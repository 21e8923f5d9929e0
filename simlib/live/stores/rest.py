"""A REST collection behind HTTP: GET, PUT and DELETE of an item at its own URL, 404 if there is none."""

from __future__ import annotations

import http
from typing import Any
from urllib.parse import quote, unquote

from simlib.errors import Conflict, NotFound
from simlib.live.stores.base import Facts
from simlib.live.stores.http import RemoteService, Requests, Server
from simlib.live.stores.signed import Signer
from simlib.model.operation import OK, Op, Outcome
from simlib.resources.collection import CollectionState

METHODS = {"get": "GET", "put": "PUT", "create": "POST", "delete": "DELETE", "list": "GET"}
ITEMS = "/items/"


class RemoteCollection(RemoteService):
    """The client of a collection."""

    def server(self) -> Server:
        return Shelf(self.signer)

    def prepare(self, state: CollectionState) -> None:
        for name, item in state.items.items():
            self.carry_out(Op(self.name, "put", (name, item)), "", OK)

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        path = ITEMS + "".join(quote(name, safe="", errors="surrogatepass") for name in op.args[:1])
        item = op.args[1] if op.verb in ("put", "create") else None
        status, text = self.request(op, outcome, METHODS[op.verb], path, item, {})
        if status == http.HTTPStatus.NOT_FOUND:
            raise NotFound(op.args[0])
        if status == http.HTTPStatus.CONFLICT:
            raise Conflict(op.args[0])
        answer = self.signer.read(text)
        return sorted(answer) if op.verb == "list" else answer

    def look(self) -> Facts:
        _, items = self.ask(self.port, "GET", "/", None, {})
        return {"items": self.signer.read(items)}


class Shelf(Server):
    """The server of a collection."""

    def __init__(self, signer: Signer) -> None:
        super().__init__(signer, Items)
        self.items: dict[str, Any] = {}


class Items(Requests):
    """Handles a request for an item, for all names, or for everything."""

    server: Shelf

    @property
    def name(self) -> str:
        return unquote(self.path.removeprefix(ITEMS), errors="surrogatepass")

    def do_GET(self) -> None:
        if self.path == "/":
            self.server.alone(self.request)
        with self.server.lock:
            whole = dict(self.server.items)
        if self.path in ("/", ITEMS):
            return self.reply(http.HTTPStatus.OK, whole if self.path == "/" else [*whole])
        found = self.name in whole
        return self.reply(http.HTTPStatus.OK if found else http.HTTPStatus.NOT_FOUND, whole.get(self.name))

    def do_PUT(self) -> None:
        self._store(new=False)

    def do_POST(self) -> None:
        self._store(new=True)

    def _store(self, new: bool) -> None:
        try:
            item = self.body()
        except ValueError:
            return self.send_error(http.HTTPStatus.BAD_REQUEST)
        except EOFError:
            return None
        with self.server.lock:
            taken = new and self.name in self.server.items
            if not taken:
                self.server.items[self.name] = item
        return self.reply(http.HTTPStatus.CONFLICT if taken else http.HTTPStatus.OK, None)

    def do_DELETE(self) -> None:
        with self.server.lock:
            found = self.name in self.server.items
            self.server.items.pop(self.name, None)
        self.reply(http.HTTPStatus.OK if found else http.HTTPStatus.NOT_FOUND, None)
