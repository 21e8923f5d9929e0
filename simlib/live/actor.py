"""The supervisor's handle on a worker process, and its channel to it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Hashable
from typing import Any

from simlib.errors import Mistake, Terminated
from simlib.live.pipe import Pipe
from simlib.live.worker import Told
from simlib.model.operation import NOWHERE, Op

PATIENCE = 20.0  # seconds to wait for a process before giving up on it
SILENT = f"no word from a process for {PATIENCE:g} s: does a step of its worker wait for ever?"
GONE = "a worker's process ended without a word: does it call os._exit, or kill itself?"
SLICE = 0.1  # seconds until an interrupt is noticed


class Channel:
    """A channel to another process. Waiting on it can be interrupted."""

    def __init__(self, end: socket.socket, heed: Callable[[], None]) -> None:
        self._end = end.dup()
        self._channel = Pipe(end.detach())
        self._heed = heed

    def say(self, what: Any) -> None:
        """Send a message, whether or not the other end is alive."""
        with contextlib.suppress(ConnectionError):
            self._channel.send(what)

    def hear(self) -> Any:
        """Receive a message. Raises EOFError if the other end is gone, the Mistake that it sends, or one if it is
        silent too long.
        """
        try:
            heard = self._channel.recv() if self._wait() else Mistake(SILENT)
        except ConnectionError:
            raise EOFError from None
        if isinstance(heard, Mistake):
            raise heard
        return heard

    def _wait(self) -> bool:
        for _ in range(round(PATIENCE / SLICE)):
            self._heed()
            if self._channel.poll(SLICE):
                return True
        return False

    def ask(self, *what: Any) -> Any:
        """Send a message and return the answer."""
        self.say(what)
        return self.hear()

    def close(self) -> None:
        """Shut the channel down: the other end notices even if a forked process still has a copy of this end."""
        with contextlib.suppress(OSError):  # the other end is gone
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()
        self._channel.close()


class Actor:
    """A worker process, as the supervisor sees it: its next operation, and how to let it proceed, stop it or end it."""

    def __init__(self, pid: int, channel: Channel) -> None:
        self.pid, self.channel = pid, channel
        self.op: Op | None = None
        self.error: BaseException | None = None
        self.where = NOWHERE
        self.here: Hashable = None
        self.stopped = False
        self._listen()

    def _listen(self) -> None:
        try:
            told: Told = self.channel.hear()
        except EOFError:
            raise Mistake(GONE) from None
        self.op, self.where, self.here, self.error = told.op, told.where, told.here, told.raised
        if told.failed:
            name, text = told.failed
            self.error = type(name, (Exception,), {})(*([text] if text else []))

    def answer(self, answer: Any) -> None:
        """Let it run on to its next step, now that the answer to this one is known; or tell it to stop (SIGTERM)."""
        if isinstance(answer, Terminated):
            self.go_on()  # a stopped process gets the signal only when it goes on
            os.kill(self.pid, signal.SIGTERM)
        else:
            self.channel.say("heard")
        self._listen()

    def once_more(self) -> None:
        """Give it the next task after it has finished one."""
        self.channel.say("next")
        self._listen()

    def stop(self) -> None:
        """Stop it (SIGSTOP), wherever it is."""
        os.kill(self.pid, signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        if self.stopped:
            os.kill(self.pid, signal.SIGCONT)
            self.stopped = False

    def discard(self) -> None:
        """Close its channel: it is no longer needed."""
        self.channel.close()
