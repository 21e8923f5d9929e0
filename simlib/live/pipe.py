"""The channel between two processes of a run.

It is an unnamed socket pair, made by one process and inherited by the other or passed to it over an existing channel.
No other process can open it or write to it, so messages are unsigned, and are unpickled. Everything that has a name (a
port, a file, a server's rows) is read as in stores/signed.py.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any


class Pipe(Connection):
    """A connection that also sends objects of classes without a module, such as a notebook's."""

    def send(self, what: Any) -> None:
        """Send it. Raises ConnectionError if the other end is gone."""
        import cloudpickle

        self.send_bytes(cloudpickle.dumps(what))
