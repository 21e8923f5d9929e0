"""A lock that ends with a session: flock on a file, which the kernel frees when its holder's process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from simlib.errors import Unavailable
from simlib.live.stores.base import Facts, Store
from simlib.model.fault import LOST_REPLIES, OUTAGES
from simlib.model.operation import Blocked, Op, Outcome


class SessionLock(Store):
    """A lock held by a session of this process. A fault at a step ends the session, as a cut connection does."""

    def answer(self, op: Op, who: str, outcome: Outcome) -> Any:
        try:
            return super().answer(op, who, outcome)
        finally:
            if outcome.fault == LOST_REPLIES:
                self.end_run()

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        if outcome.fault == OUTAGES:
            self.end_run()
            raise Unavailable(op.name)
        return super().carry_out(op, who, outcome)

    def on_acquire(self, who: str) -> None:
        if not self.on_try_acquire(who):
            raise Blocked

    def on_try_acquire(self, who: str) -> bool:
        raise NotImplementedError

    def close(self) -> None:
        self.end_run()


class LockedFile(SessionLock):
    """A file that is locked with flock(2). Its session is the open file. Who holds the lock is written in it.

    flock does not count how often it was acquired; the process does.
    """

    kind = "a locked file"
    how = "a file, locked with flock"

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
        self.path = path
        self._open: int | None = None
        self._times = 0

    def prepare(self, state: Any) -> None:
        self.path.touch()

    def on_try_acquire(self, who: str) -> bool:
        if self._open is None:
            self._open = os.open(self.path, os.O_RDWR)
        if not _locked(self._open, fcntl.LOCK_EX):
            return False
        os.ftruncate(self._open, 0)
        os.pwrite(self._open, self.signer.write(who).encode(), 0)
        self._times += 1
        return True

    def on_release(self, who: str) -> bool:
        if self._open is None or not self._times:
            return False
        self._times -= 1
        if not self._times:
            fcntl.flock(self._open, fcntl.LOCK_UN)
        return True

    def end_run(self) -> None:
        if self._open is not None:
            os.close(self._open)
        self._open, self._times = None, 0

    def look(self) -> Facts:
        """Who holds it, by trying to share it."""
        file = os.open(self.path, os.O_RDONLY)
        try:
            holder = None if _locked(file, fcntl.LOCK_SH) else self.signer.read(self.path.read_text())
        finally:
            os.close(file)
        return {"holder": holder}


def _locked(file: int, how: int) -> bool:
    """Lock the open file if nobody else has."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
