"""Rows of a table that have a deadline, and the job that deletes those whose deadline has passed."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any

from simlib.live.stores.base import Store, lasting


class Deadlines(Store):
    """A table with a column `deadline`. The observer runs the job."""

    connection: Any

    def __init__(self, name: str, *args: Any) -> None:
        super().__init__(name, *args)
        self._passed: dict[str, float] = {}  # deadlines that are over, by key

    def on_expire(self, who: str, key: Any, ttl: float, fence: int | None = None) -> bool:
        self._fence(key, fence)
        update = "UPDATE rows SET deadline = ? WHERE key = ? RETURNING key"
        return bool(self.connection.run(update, deadline(ttl), self.signer.write(key)))

    def _fence(self, key: Any, token: int | None) -> None:
        """Raise StaleToken if the row has seen a newer token."""
        raise NotImplementedError

    def expire(self, timer: Hashable) -> None:
        self.connection.transaction(self.name, lambda: self._pass(self.signer.write(timer)))

    def _pass(self, name: str) -> None:
        for (over,) in self.connection.run("SELECT deadline FROM rows WHERE key = ?", name):
            self._passed[name] = over
        self.delete_old()

    def delete_old(self) -> None:
        """Run the job. It comes back for a row that somebody has locked."""
        lock = " FOR UPDATE SKIP LOCKED" if self.kind == "PostgreSQL" else ""
        for name, over in self._passed.items():
            old = f"key IN (SELECT key FROM rows WHERE key = ? AND deadline = ?{lock})"
            if self.connection.run(f"DELETE FROM rows WHERE {old} RETURNING key", name, over):
                self.connection.run("DELETE FROM fences WHERE key = ?", name)


def deadline(ttl: float | None) -> float | None:
    """When a row with this time to live is over, in seconds since 1970; None without one."""
    return None if ttl is None else time.time() + lasting(ttl)
