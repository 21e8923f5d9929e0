"""Pickle functions and values for another process, including those defined in a notebook."""

from __future__ import annotations

import pickle
from typing import Any

from simlib.errors import Mistake


def serialized(caller: str, what: str, thing: Any) -> bytes:
    """`thing` and everything that its code needs, as bytes for `pickle.loads`.

    Error messages name the `caller` that sends it and `what` it is. Raises Mistake if cloudpickle is missing, or if the
    thing holds something that only this process can have, such as a lock.
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
