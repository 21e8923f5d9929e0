"""The supervisor's side of the fork server: starts runs and their processes, and ends them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from simlib.errors import Mistake
from simlib.live.actor import Channel
from simlib.model.system import System
from simlib.serialization import serialized


class Processes:
    """`with Processes(system) as processes:` starts a fork server, for any number of runs one after the other."""

    def __init__(self, system: System, fills: bool, on: Mapping[str, str] | None = None) -> None:
        self.system = system  # for the next run
        self._fills = fills
        self._on = dict(on or {})
        self.kinds: dict[str, str] = {}
        self.how: dict[str, str] = {}
        self.folder = ""
        self._pids: set[int] = set()

    def __enter__(self) -> Processes:
        ours, theirs = socket.socketpair()
        self._handed, handing = socket.socketpair()
        with theirs, handing:
            ends = [theirs.fileno(), handing.fileno()]
            self._fork_server = subprocess.Popen(
                [sys.executable, "-c", "from simlib.live import fork_server; fork_server.main()", *map(str, ends)],
                pass_fds=ends,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._channel = Channel(ours, self.system.watchdog.heed)
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._handed.close()
        killed = self._fork_server.wait() != 0
        for pid in self._pids if killed else ():  # otherwise it has killed them itself
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def fork_server(self) -> int:
        """The fork server's process id."""
        return self._fork_server.pid

    @property
    def pids(self) -> frozenset[int]:
        """The process ids of the workers and the observer."""
        return frozenset(self._pids)

    def ask(self, *what: Any) -> Any:
        """Send the fork server a request. Raises the Mistake that it answers, or one if it is gone."""
        try:
            return self._channel.ask(*what)
        except EOFError:
            raise Mistake("the process that looks after the run has been killed, and the run with it.") from None

    def begin(self) -> None:
        """Start a new run in a folder of its own."""
        self._pids.clear()
        system = self.system
        parts = serialized("live", system.title, (system.resources, system.values, system.cast))
        self.folder, self.kinds, self.how = self.ask("begin", parts, self._fills, self._on)

    def fork(self, *what: Any) -> tuple[int, Channel]:
        """Fork a process: its process id and the channel to it."""
        pid = self.ask(*what)
        _, descriptors, _, _ = socket.recv_fds(self._handed, 1, 1)
        self._pids.add(pid)
        return pid, Channel(socket.socket(fileno=descriptors[0]), self.system.watchdog.heed)

    def kill(self, pid: int) -> bool:
        """SIGKILL the process and wait for its end; False if it was gone already. Its id cannot have been reused: the
        fork server, its parent, has not reaped it yet.
        """
        if pid not in self._pids:
            return False
        os.kill(pid, signal.SIGKILL)
        self.ask("reap", pid)
        self._pids.discard(pid)
        return True
