"""The fork server: forks a run's processes and cleans up after them, however the supervisor ends.

It is one small process without threads, because forking a threaded process (such as a notebook's kernel) is unsafe. It
has its own session, so that Ctrl-C does not reach it. The end of its channel tells it that the supervisor is gone:
after an exception, a kernel restart or a `kill -9` alike.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simlib.errors import Mistake
from simlib.live.observer import observe
from simlib.live.pipe import Pipe
from simlib.live.stores import RemoteService, Store, stores_for
from simlib.live.stores.http import serve
from simlib.live.worker import work
from simlib.model.system import System
from simlib.schedule.replay import step_names

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class ForkServer:
    """Serves one supervisor. A request is the name of a method and its arguments."""

    def __init__(self, channel: Pipe, handing: socket.socket) -> None:
        self._channel = channel
        self._handing = handing  # sends the supervisor its end of each new process's channel
        self._children: set[int] = set()
        self._servers: list[Pipe] = []  # a server runs until nobody holds the other end
        self._folder: Path | None = None
        self._stores: dict[str, Store] = {}
        self._system: System | None = None

    def serve(self) -> None:
        """Answer the supervisor's requests until it is gone; then end everything."""
        try:
            while True:
                name, *arguments = self._channel.recv()
                self._channel.send(self._answer(name, arguments))
        except (EOFError, ConnectionError):
            pass
        finally:
            self.end()

    def _answer(self, name: str, arguments: list[Any]) -> Any:
        try:
            return getattr(self, name)(*arguments)
        except Mistake as mistake:
            return mistake
        except Exception as error:
            return Mistake(f"the real parts cannot be made: {type(error).__name__}: {error}")

    def begin(self, pickled: bytes, fills: bool, on: Mapping[str, str]) -> tuple[str, dict[str, str], dict[str, str]]:
        """Start a run: create its folder and real parts. Returns the folder, each part's kind, and how it was set
        up.
        """
        self.end()
        self._system = made = System(*pickle.loads(pickled))
        folder = self._folder = Path(tempfile.mkdtemp(prefix="midflight-"))
        self._stores = stores_for(made.resources, folder, fills, on)
        for name, store in self._stores.items():
            if isinstance(store, RemoteService):
                self._serve(store)
            store.prepare(made.resources[name].initial(name))
            store.close()
        stores = self._stores.items()
        return str(folder), {name: store.kind for name, store in stores}, {name: store.how for name, store in stores}

    def _serve(self, store: RemoteService) -> None:
        ours, theirs = socket.socketpair()
        self._fork(lambda channel: serve(channel, store), theirs)
        channel = Pipe(ours.detach())
        store.port, store.dead_port = channel.recv()
        self._servers.append(channel)

    def worker(self, name: str, incarnation: int) -> int:
        """Fork a process that runs this worker. The supervisor's end of its channel follows over `handing`."""
        system = self._system
        assert system is not None  # a run has begun
        return self._child(lambda channel: work(channel, system, name, incarnation, self._stores))

    def observer(self) -> int:
        """Fork a process that inspects the real parts for the supervisor."""
        return self._child(lambda channel: observe(channel, self._stores))

    def rehearse(self) -> int:
        """Fork a process that runs the workers on the model and reports the steps that they take there."""
        system = self._system
        assert system is not None  # a run has begun

        def rehearsed(channel: Pipe) -> None:
            try:
                channel.send(step_names(system))
            except Mistake as mistake:
                channel.send(mistake)

        return self._child(rehearsed)

    def reap(self, child: int) -> None:
        """Wait for the end of a child that has been killed."""
        if child in self._children:
            os.waitpid(child, 0)
            self._children.discard(child)

    def _child(self, run: Callable[[Pipe], None]) -> int:
        ours, theirs = socket.socketpair()
        child = self._fork(run, theirs)
        with ours:
            socket.send_fds(self._handing, [b"."], [ours.fileno()])
        return child

    def _fork(self, run: Callable[[Pipe], None], end: socket.socket) -> int:
        server = os.getpid()
        child = os.fork()
        if child:
            end.close()
            self._children.add(child)
            return child
        status = 1
        try:
            _die_with(server)
            self._handing.close()
            self._channel.close()
            with Pipe(end.detach()) as channel:
                run(channel)
            status = 0
        except (EOFError, ConnectionError, SystemExit):
            pass  # the supervisor is gone, or the worker's own error ended it
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)  # skip the fork server's own cleanup

    def end(self) -> None:
        """Kill whatever is left of the run, and remove what it made."""
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for child in self._children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)
        self._children.clear()
        _end_orphans()
        for store in self._stores.values():
            with contextlib.suppress(Exception):  # its server may be gone; clean up the others anyway
                store.drop()
        self._stores, self._servers = {}, []
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (prctl(2), Linux). Elsewhere the channel's end must do."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _adopt_orphans() -> bool:
    """Become the parent of every process that outlives the worker that started it (prctl(2), Linux), even after a
    double fork in its own session. False if the system has no such feature.
    """
    try:
        return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1) == 0)
    except (AttributeError, OSError):
        return False


def _end_orphans() -> None:
    """Kill what the workers left behind, generation by generation: a killed process's children become ours."""
    while doomed := [child for child in _children() if _kill(child)]:
        for child in doomed:
            os.waitpid(child, 0)


def _children() -> list[int]:
    """The children of this process; empty if the system cannot tell."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # faster than looking through all processes
        return []
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == os.getpid()]


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0


def _kill(child: int) -> bool:
    """SIGKILL. False if the process now belongs to another user, as after setuid."""
    try:
        os.kill(child, signal.SIGKILL)
    except PermissionError:
        return False
    return True


def main() -> None:
    """Run the fork server for the supervisor at the other end of the channel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)  # only this user may read the run's files
    adopted = _adopt_orphans()
    channel, handing = map(int, sys.argv[1:])
    ForkServer(Pipe(channel), socket.socket(fileno=handing)).serve()
    if not adopted:  # macOS: kill whatever is still in the fork server's process group
        os.killpg(0, signal.SIGKILL)
