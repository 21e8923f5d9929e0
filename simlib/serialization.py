"""Functions and values as bytes, to be sent to another process: also those that were written in a notebook."""

from __future__ import annotations

import pickle
from typing import Any

from simlib.errors import Mistake


def serialized(caller: str, what: str, thing: Any) -> bytes:
    """The thing and all that its code needs, for `pickle.loads`. `caller` is who sends it, `what` is what it is called.

    Raises Mistake where cloudpickle is missing, and where the thing holds what only this process can have, such as a
    lock.
    """
    try:
        import cloudpickle
    except ImportError:
        how = "pip install 'midflight[live]'"
        raise Mistake(f"`{caller}` sends workers to other processes with cloudpickle: {how}.") from None
    try:
        return bytes(cloudpickle.dumps(thing))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise Mistake(f"{what} cannot be sent to another process: {error}.") from None
