"""Databases, queues and locks on SQLite: a file in WAL mode, with real transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from simlib.errors import Unavailable

PATIENCE, IMPATIENCE = 5.0, 0.05  # seconds to wait for the file's lock
T = TypeVar("T")


class SQLite:
    """One file, one connection a process. Every transaction takes the write lock (BEGIN IMMEDIATE), one at a time."""

    kind = "SQLite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            self._open.execute("PRAGMA journal_mode = WAL")
        return self._open

    def run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()

    def make(self) -> None:
        """Create the file, private to this user; SQLite gives its other files the same mode."""
        self.path.touch(0o600)

    def transaction(self, name: str, work: Callable[[], T], impatient: bool = False) -> T:
        self.run(f"PRAGMA busy_timeout = {int(1000 * (IMPATIENCE if impatient else PATIENCE))}")
        try:
            self.run("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise Unavailable(name) from None
            raise
        try:
            result = work()
        except BaseException:
            self.run("ROLLBACK")
            raise
        self.run("COMMIT")
        return result

    @contextmanager
    def down(self) -> Iterator[None]:
        """Hold the file's lock for longer than any worker waits."""
        self.run("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            self.run("ROLLBACK")

    def settle(self) -> None:
        """Nothing to wait for: the process itself writes to the file, and it is dead."""

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None

    def drop(self) -> None:
        """Nothing to remove: it is all in the run's folder."""
