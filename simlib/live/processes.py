"""The supervisor's side of the warden: runs, their processes, and an end to them."""

from __future__ import annotations

import contextlib
import os
import pickle
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


class Reality:
    """`with Reality(system) as reality:` a warden, and through it any number of runs, one after the other."""

    def __init__(self, system: System, fills: bool, on: Mapping[str, str] | None = None) -> None:
        self.system = system  # of the next run
        self._fills = fills
        self._on = dict(on or {})
        self.kinds: dict[str, str] = {}
        self.how: dict[str, str] = {}
        self.folder = ""
        self._pids: set[int] = set()

    def __enter__(self) -> Reality:
        ours, theirs = socket.socketpair()
        self._handed, handing = socket.socketpair()
        with theirs, handing:
            ends = [theirs.fileno(), handing.fileno()]
            self._warden = subprocess.Popen(
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
        killed = self._warden.wait() != 0
        for pid in self._pids if killed else ():  # else it has done this itself
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def warden(self) -> int:
        """The warden's process id."""
        return self._warden.pid

    @property
    def processes(self) -> frozenset[int]:
        """The process ids of the workers and the keeper."""
        return frozenset(self._pids)

    def ask(self, *what: Any) -> Any:
        """Have the warden do something. Raises Mistake where it cannot."""
        try:
            return self._channel.ask(*what)
        except EOFError:
            raise Mistake("the process that looks after the run has been killed, and the run with it.") from None

    def begin(self) -> None:
        """A new run, in a world of its own."""
        self._pids.clear()
        self.folder, self.kinds, self.how = self.ask("begin", _pickled(self.system), self._fills, self._on)

    def fork(self, *what: Any) -> tuple[int, Channel]:
        """A new process and the channel to it."""
        pid = self.ask(*what)
        _, descriptors, _, _ = socket.recv_fds(self._handed, 1, 1)
        self._pids.add(pid)
        return pid, Channel(socket.socket(fileno=descriptors[0]), self.system.watchdog.heed)

    def kill(self, pid: int) -> bool:
        """SIGKILL, and wait until it is gone; False where it was. Nobody else can have its number by then: the warden
        is its parent."""
        if pid not in self._pids:
            return False
        os.kill(pid, signal.SIGKILL)
        self.ask("reap", pid)
        self._pids.discard(pid)
        return True


def _pickled(system: System) -> bytes:
    """The workers as bytes, with all that their code needs: they may have been written in a notebook."""
    try:
        import cloudpickle
    except ImportError:
        how = "pip install 'midflight[live]'"
        raise Mistake(f"`live` sends workers to other processes with cloudpickle: {how}.") from None
    try:
        return bytes(cloudpickle.dumps((system.resources, system.values, system.cast)))
    except (pickle.PicklingError, TypeError) as error:
        raise Mistake(f"{system.title} cannot be sent to another process: {error}.") from None
