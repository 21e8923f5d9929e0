"""What a player tells: runs under one scrubber."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simlib.schedule.trace import Event
from simlib.text import show
from simlib.views.layout import Scene
from simlib.views.state_table import Run


@dataclass(frozen=True)
class Story:
    """Runs under one scrubber, laid out under each other. `note` says which crash was added, if one was."""

    runs: tuple[Run, ...]
    scene: Scene
    note: str = ""

    @property
    def length(self) -> int:
        return max(len(run.trace.events) for run in self.runs)

    @cached_property
    def parted(self) -> int | None:
        """The first event at which the two part ways: in what happens, in the answer, or in what properties see.

        A step with the same name, answer and effect is the same step, also when it is called with one argument more.
        """
        told = ([(*_told(event), seen) for event, seen in zip(run.trace.events, run.shown[1:])] for run in self.runs)
        pairs = enumerate(itertools.zip_longest(*told))
        return next((number for number, pair in pairs if any(one != pair[0] for one in pair)), None)


def _told(event: Event) -> tuple[Any, ...]:
    what = event.op.name if event.op else (event.move.resource, event.label)
    return event.kind, event.worker, what, type(event.answer), show(event.answer, 1000), event.ended
