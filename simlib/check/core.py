"""The compiled core: whether there is one, and which questions it takes.

`midflight-core`, a distribution of its own, has the loops of both searches in C++ (the folder `core/`). It visits the
same states in the same order, gives the same answers, and asks Python only for what is new. Without it, or for what it
does not take, the loops in `reachability` and `shortest` do all of it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from simlib.check.question import Question

VERSION = 1  # of what simlib and the core ask one another
MOST_FAULTS = 100  # of a budget in all: a cost has 64 bits there
SWITCH = "MIDFLIGHT_CORE"  # an environment variable: "off" switches it off
_SWITCHED_OFF = ContextVar("switched_off", default=False)


def available() -> bool:
    """Whether searches run in the compiled core: it can be imported, it fits this simlib, and it is not switched off.

    The environment variable MIDFLIGHT_CORE=off switches it off, and so does `with switched_off():`. Whether a search
    that is over ran there, `report.compiled` says.
    """
    return module() is not None


def module() -> Any:
    """The compiled module, or None."""
    off = _SWITCHED_OFF.get() or os.environ.get(SWITCH) == "off"
    return None if off else _imported()


@contextmanager
def switched_off() -> Iterator[None]:
    """In here, searches run in plain Python."""
    before = _SWITCHED_OFF.set(True)
    try:
        yield
    finally:
        _SWITCHED_OFF.reset(before)


@cache
def _imported() -> Any:
    try:
        found = importlib.import_module("midflight_core")
    except ImportError:
        return None
    return found if getattr(found, "VERSION", None) == VERSION else None


def takes(question: Question) -> bool:
    """Whether the core can search for the answer: it is there, no counts are merged, and a cost fits."""
    return available() and not question.merges_counts and question.budget.total <= MOST_FAULTS
