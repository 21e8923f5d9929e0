"""Values as text that nobody but the run can have written.

Whoever can write to a server, or talk to a port, can put anything there. So each text carries a signature (HMAC-SHA256
under a secret that is drawn when the run begins and stays in its processes), and that is looked at before anything of
the text is. A text that the run has signed can still be put in another's place: that is data, and shows as such when
what is there is held against the model.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from simlib.live.stores.plain import dumps, loads
from simlib.text import show

SHOWN = 40  # characters of a text that is somebody else's


class Signer:
    """Signs, and reads what it has signed. Copies of it (in the processes that are forked with it) share its secret."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def write(self, value: Any) -> str:
        """The value as a signed text: one and the same for equal values. Raises Mistake for what is not plain data."""
        text = dumps(value)
        return f"{self._signature(text)}:{text}"

    def read(self, signed: Any) -> Any:
        """The value that was written. Raises ValueError for what this has not signed."""
        if isinstance(signed, str):
            signature, _, text = signed.partition(":")
            if self._same(signature, self._signature(text)):
                return loads(text)
        raise ValueError(f"{show(signed, SHOWN)} has not the run's signature")

    @property
    def token(self) -> str:
        """What each request of the run carries. No signature can be made of it: a stranger may have taken the port."""
        return self._signature("a request")

    def admits(self, token: str) -> bool:
        """Whether this is the run's token."""
        return self._same(token, self.token)

    def _signature(self, text: str) -> str:
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    @staticmethod
    def _same(given: str, right: str) -> bool:
        """Compared in a time that does not tell how much of it is right."""
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
