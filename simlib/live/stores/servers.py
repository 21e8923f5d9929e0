"""Servers named by URLs: which resources they can hold, and errors for a server that cannot be used."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from simlib.errors import Mistake
from simlib.model.resource import Resource
from simlib.resources.advisory_lock import AdvisoryLock
from simlib.resources.database import Database
from simlib.resources.lock import Lock
from simlib.resources.queue import Queue
from simlib.text import did_you_mean, listed, show

PATIENCE = 5.0  # seconds to wait for a server
HERE = "127.0.0.1"


class Server(NamedTuple):
    """A kind of server: the resources that can be on it, the client it needs, and how to start one."""

    example: str
    takes: tuple[type[Resource], ...]
    package: str
    extra: str
    start: str


REDIS = Server("redis://127.0.0.1:6379/0", (Lock,), "redis", "redis", "redis-server --port {}")
POSTGRESQL = Server(
    "postgresql://me@127.0.0.1/test", (Lock, AdvisoryLock, Database, Queue), "psycopg", "postgres",
    "docker run --rm -p {}:5432 -e POSTGRES_PASSWORD=secret postgres",
)  # fmt: skip
SCHEMES = {"redis": (REDIS, 6379), "postgresql": (POSTGRESQL, 5432), "postgres": (POSTGRESQL, 5432)}


def check(on: Mapping[str, str], resources: Mapping[str, Resource]) -> dict[str, str]:
    """The URL of each resource that is on a server. Raises Mistake for what is not possible."""
    if not isinstance(on, Mapping):
        name = next(iter(resources), "lock")
        raise Mistake(f'on={show(_hidden(on))}: say which resource is there: on={{"{name}": {show(_hidden(on))}}}.')
    for name, url in on.items():
        if name not in resources:
            there = f"It has {listed(list(resources))}.{did_you_mean(str(name), resources)}"
            raise Mistake(f"on={{{show(name)}: ...}}: the scenario has no such resource. {there}")
        _check_url(name, url, resources[name])
    return dict(on)


def _check_url(name: str, url: Any, resource: Resource) -> None:
    fitting = [server.example for server in (REDIS, POSTGRESQL) if isinstance(resource, server.takes)]
    server, _ = SCHEMES.get(urlsplit(url).scheme, (None, 0)) if isinstance(url, str) else (None, 0)
    if server is None or not isinstance(resource, server.takes):
        kind = type(resource).__name__
        if not fitting:
            raise Mistake(f'on={{"{name}": ...}}: a {kind} cannot be on a server. Leave it out.')
        raise Mistake(f'on={{"{name}": {show(_hidden(url))}}}: a {kind} can be on {listed(fitting, "or")}.')
    try:
        importlib.import_module(server.package)
    except ImportError:
        raise Mistake(
            f"{_hidden(url)} is reached with {server.package}: pip install 'midflight[{server.extra}]'."
        ) from None


def _hidden(url: Any) -> Any:
    """The URL without its password."""
    if not isinstance(url, str):
        return url
    before, colon, rest = url.partition("://")
    who, at, where = rest.rpartition("@")
    return f"{before}{colon}{who.partition(':')[0]}{':***' if ':' in who else ''}{at}{where}"


def unreachable(url: str, why: Exception) -> Mistake:
    """The error for a server that does not exist or refuses us."""
    server, usual = SCHEMES[urlsplit(url).scheme]
    try:
        port = urlsplit(url).port or usual
    except ValueError:
        port = usual
    return Mistake(
        f"{_hidden(url)} cannot be used: {' '.join(str(why).split())}\n"
        f"Start one, for example with `{server.start.format(port)}`, or leave it out of `on`: then it is in a file."
    )


def wait_until(quiet: Callable[[], bool], what: str) -> None:
    """Poll until `quiet()` is true. Raises Mistake after PATIENCE seconds."""
    until = time.monotonic() + PATIENCE
    while not quiet():
        if time.monotonic() > until:
            raise Mistake(f"{what}, after {PATIENCE:g} s.")
        time.sleep(0.001)


def alive(process: str) -> bool:
    """Whether the process of this id, which a client put into its name, is still alive.

    The server may not have read yet what a killed client has sent. So an idle server is not enough: it must have
    noticed the client's end, which it reads after everything that the client sent.
    """
    if not process.isdecimal():
        return True  # a stranger's client: do not wait for it
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError, ValueError):  # another user's process, or not a process id
        pass
    return True
