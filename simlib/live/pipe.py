"""The channel between two processes of a run.

It is a socket pair without a name: made by one of them, inherited by the other, or handed to it over one that was. No
other process can open it, or say anything in it, so nothing on it is signed, and what comes is unpickled. Everything
with a name (a port, a file, a server's rows) is read as stores/signed.py reads it.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any


class Pipe(Connection):
    """Takes also objects of classes that have no module, such as those of a notebook."""

    def send(self, what: Any) -> None:
        """Send it. Raises ConnectionError when nobody hears it."""
        import cloudpickle

        self.send_bytes(cloudpickle.dumps(what))
