"""Imports ipywidgets when a widget is made."""

from __future__ import annotations

from typing import Any

from simlib.errors import Mistake


def ipywidgets() -> Any:
    """The package. Raises Mistake if it is not installed."""
    try:
        import ipywidgets
    except ImportError:
        raise Mistake("this needs ipywidgets: pip install 'midflight[notebooks]'.") from None
    return ipywidgets
