"""Signed text: values that only this run can have written.

Anybody who can write to a server or reach a port can put anything there. So each text carries a signature (HMAC-SHA256;
the secret is drawn when the run begins and stays in its processes), which is checked before the text is parsed. A
signed text can still be moved to another place: that is only data, and shows when the facts are compared with the
model.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from simlib.live.stores.plain import dumps, loads
from simlib.text import show

SHOWN = 40  # characters to quote of a foreign text


class Signer:
    """Signs values and reads what it has signed. Copies of it in forked processes share its secret."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def write(self, value: Any) -> str:
        """The value as signed text, the same for equal values. Raises Mistake if it is not plain data."""
        text = dumps(value)
        return f"{self._signature(text)}:{text}"

    def read(self, signed: Any) -> Any:
        """The value that was written. Raises ValueError for a text that this has not signed."""
        if isinstance(signed, str):
            signature, _, text = signed.partition(":")
            if self._same(signature, self._signature(text)):
                return loads(text)
        raise ValueError(f"{show(signed, SHOWN)} has not the run's signature")

    @property
    def token(self) -> str:
        """The token of each request of the run. It reveals no key for signing: a stranger may have taken the port."""
        return self._signature("a request")

    def admits(self, token: str) -> bool:
        """Whether this is the run's token."""
        return self._same(token, self.token)

    def _signature(self, text: str) -> str:
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    @staticmethod
    def _same(given: str, right: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
