"""Two sources side by side, aligned line by line, with the changed lines marked."""

from __future__ import annotations

import difflib
import inspect
import re
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from simlib.model.process import Worker
from simlib.model.system import roles_of
from simlib.text import printable


class Row(NamedTuple):
    """A line of each source (None if a source lacks it), and whether they differ."""

    left: str | None
    right: str | None
    changed: bool


def source_of(worker: Worker | Sequence[Worker]) -> list[str]:
    """An implementation's source lines, one role after the other."""
    first, *others = map(_source_of, roles_of(worker))
    return [*first, *(line for other in others for line in ("", *other))]


def _source_of(worker: Worker) -> list[str]:
    """The function's source lines; only its signature if the source is unavailable."""
    try:
        lines = textwrap.dedent(inspect.getsource(worker)).rstrip().split("\n")
    except (OSError, TypeError, ValueError):  # ValueError: an impossible file name
        lines = [f"def {worker.__name__}{inspect.signature(worker)}: ..."]
    return [printable(line, keep="\t") for line in lines]


def side_by_side(left: Worker | Sequence[Worker], right: Worker | Sequence[Worker]) -> list[Row]:
    """The two sources aligned. A different function name is not a change."""
    ours, theirs = source_of(left), source_of(right)
    rows: list[Row] = []
    matcher = difflib.SequenceMatcher(None, _unnamed(ours), _unnamed(theirs), autojunk=False)
    for tag, our_start, our_end, their_start, their_end in matcher.get_opcodes():
        here, there = ours[our_start:our_end], theirs[their_start:their_end]
        height = max(len(here), len(there))
        here_padded = [*here, *[None] * (height - len(here))]
        there_padded = [*there, *[None] * (height - len(there))]
        rows += [Row(one, other, tag != "equal") for one, other in zip(here_padded, there_padded)]
    return rows


def _unnamed(lines: list[str]) -> list[str]:
    return [re.sub(r"^def \w+\(", "def (", line) for line in lines]
