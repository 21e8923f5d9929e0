"""The real parts: a store for each resource of a scenario, one technology a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simlib.live.stores.base import Store
from simlib.live.stores.files import Folder, SmallDisk
from simlib.live.stores.http import RemoteService
from simlib.live.stores.ledger import RemoteLedger
from simlib.live.stores.messages import QueueTable
from simlib.live.stores.rest import RemoteCollection
from simlib.live.stores.sessions import LockedFile
from simlib.live.stores.sql import Connection, DatabaseTable, LockTable
from simlib.live.stores.sqlite import SQLite
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.resources.advisory_lock import AdvisoryLockState
from simlib.resources.collection import CollectionState
from simlib.resources.database_state import DatabaseState
from simlib.resources.disk import DiskState
from simlib.resources.lock import LockState
from simlib.resources.queue import QueueState
from simlib.resources.service_state import ServiceState
from simlib.resources.webhooks import CallingState

__all__ = ["Folder", "RemoteService", "SmallDisk", "Store", "stores_for"]


def stores_for(
    resources: Mapping[str, Resource], folder: Path, fills: bool, on: Mapping[str, str] | None = None
) -> dict[str, Store]:
    """A real store for each resource that can have one. `fills`: whether a disk may become full. `on` maps names to
    URLs.
    """
    on = on or {}
    states = {name: resource.initial(name) for name, resource in resources.items()}
    stores = {name: _store(name, state, folder / name, fills, on.get(name)) for name, state in states.items()}
    made = {name: store for name, store in stores.items() if store is not None}
    for name, store in made.items():
        if isinstance(store, SmallDisk) and not store.mount():
            made[name] = Folder(name, store.path, store.capacity)
    return made


def _store(name: str, state: State, path: Path, fills: bool, url: str | None) -> Store | None:
    tag = path.parent.name.replace("-", "_")  # unique to this run
    if isinstance(state, DatabaseState):
        if url is None:
            return DatabaseTable(name, SQLite(path))
        from simlib.live.stores.interactive import InteractiveTable  # needs an optional client

        return InteractiveTable(name, url, tag)
    if isinstance(state, QueueState):
        return QueueTable(name, _connection(name, path, tag, url), state.visibility_timeout, state.max_receives)
    if isinstance(state, LockState):
        if url and url.startswith("redis:"):
            from simlib.live.stores.redis import RedisLock  # needs an optional client

            return RedisLock(name, url, tag)
        return LockTable(name, _connection(name, path, tag, url))
    if isinstance(state, AdvisoryLockState):
        if url is None:
            return LockedFile(name, path)
        from simlib.live.stores.postgres import PostgreSQL, PostgreSQLSessionLock  # needs an optional client

        return PostgreSQLSessionLock(name, PostgreSQL(url, tag, name))
    if isinstance(state, DiskState):
        kind: Any = SmallDisk if fills or state.capacity is not None else Folder
        return kind(name, path / "files", state.capacity)  # type: ignore[no-any-return]
    if isinstance(state, ServiceState):
        return RemoteLedger(name, isinstance(state, CallingState))
    if isinstance(state, CollectionState):
        return RemoteCollection(name)
    return None


def _connection(name: str, path: Path, tag: str, url: str | None) -> Connection:
    if url is None:
        return SQLite(path)
    from simlib.live.stores.postgres import PostgreSQL  # needs an optional client

    return PostgreSQL(url, tag, name)
