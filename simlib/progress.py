"""A progress bar for slow work. Without tqdm there is none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

PATIENCE = 0.5  # seconds
_MUTED = ContextVar("muted", default=False)


@contextmanager
def muted() -> Iterator[None]:
    """No bars in here: this is part of work that has its own bar, perhaps in another process."""
    before = _MUTED.set(True)
    try:
        yield
    finally:
        _MUTED.reset(before)


class Progress:
    """`with Progress("simulating", total) as progress: progress.reached(n)`. The bar disappears at the end.

    With no `total`, nobody knows how much there is to do, and only what `reached` says is shown.
    """

    def __init__(self, what: str, total: float | None = None) -> None:
        self._what, self._total = what, total
        self._shown = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.total = self._bar.n = self._bar.total or 1  # or a notebook's bar stays, and turns red
            self._bar.close()

    def reached(self, done: float, said: Callable[[], str] | None = None) -> None:
        """Show how much is done, and what this says of it."""
        now = time.monotonic()
        if now - self._shown < PATIENCE or _MUTED.get():
            return
        self._shown = now
        described = self._what if said is None else f"{self._what} {said()}"
        if self._bar is None:
            self._bar = _bar(described, self._total)
        self._bar.set_description_str(described, refresh=False)
        self._bar.n = done if self._total is None else min(done, self._total)
        self._bar.refresh()


class _NoBar:
    n = total = 0.0

    def set_description_str(self, said: str, refresh: bool) -> None: ...
    def refresh(self) -> None: ...
    def close(self) -> None: ...


def _bar(what: str, total: float | None) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _NoBar()
    bar = "{desc}; {elapsed}" if total is None else "{desc} {percentage:3.0f} % |{bar}| {elapsed}"
    # The notebook's bar ignores TQDM_DISABLE.
    return tqdm(desc=what, total=total, leave=False, bar_format=bar, disable=bool(os.environ.get("TQDM_DISABLE")))
