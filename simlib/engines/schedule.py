"""Schedules as something to keep: each move named, so that it can be found again, and written as a short token."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simlib.errors import Mistake
from simlib.resources.base import State
from simlib.trace import Event, Trace

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Point(NamedTuple):
    """One move of a schedule, named so that it can be found again in another implementation.

    `step` is two letters that stand for the step's name; `way` is the outcome's place among the possible ones, or
    which timer or power loss it was.
    """

    kind: str
    worker: str = ""
    step: str = ""
    resource: int = 0
    way: int = 0


def points(trace: Trace) -> list[Point]:
    """The moves of a trace, named."""
    states = {name: state.copy() for name, state in trace.initial.items()}
    named = []
    for event in trace.events:
        named.append(_point(event, states))
        event.apply(states)
    return named


def _point(event: Event, states: Mapping[str, State]) -> Point:
    move = event.move
    if event.op is not None:
        way = list(states[event.op.resource].outcomes(event.op)).index(move.outcome)
        return Point("step", move.worker, letters(event.op.name), way=way)
    if move.kind == "timer":
        timers = [timer.id for timer in states[move.resource].timers()]
        return Point("timer", resource=list(states).index(move.resource), way=timers.index(move.timer))
    return Point(move.kind, move.worker, way=int(move.outcome.choice or 0))


def letters(name: str) -> str:
    """Two letters that stand for a step's name: enough to notice when the code has changed."""
    high, low = divmod(zlib.crc32(name.encode()) % 36**2, 36)
    return DIGITS[high] + DIGITS[low]


# Tokens

MARKS = {"crash": "x", "node loss": "n", "again": "r", "power loss": "p", "timer": "t"}


def write_token(named: Sequence[Point]) -> str:
    """`Ak2f0-xA-t0-Ak2f0`: A takes two steps, crashes, the first resource's timer runs out, A takes two again."""
    parts: list[str] = []
    runs = ""
    for point in named:
        way = f"({point.way})" if point.way else ""
        if point.kind == "step":
            if runs != point.worker:
                parts.append(point.worker)
            parts[-1] += point.step + way
            runs = point.worker
        else:
            where = str(point.resource) if point.kind == "timer" else point.worker
            parts.append(MARKS[point.kind] + where + way)
            runs = ""
    return "-".join(parts)


def read_token(token: str) -> list[Point]:
    """The points of a token. Raises Mistake where it is none."""
    named: list[Point] = []
    kinds = {mark: kind for kind, mark in MARKS.items()}
    for part in token.split("-") if token else []:
        match = re.fullmatch(r"(?:([A-Z])((?:[0-9a-z]{2}(?:\(\d+\))?)+)|([xnrpt])([A-Z]?)(\d*)(?:\((\d+)\))?)", part)
        if match is None:
            raise Mistake(f'"{token}" is no token of a verdict: `{part}` does not read as steps or a fault.')
        worker, steps, mark, whose, resource, way = match.groups()
        if worker:
            for step, outcome in re.findall(r"([0-9a-z]{2})(?:\((\d+)\))?", steps):
                named.append(Point("step", worker, step, way=int(outcome or 0)))
        else:
            named.append(Point(kinds[mark], whose, resource=int(resource or 0), way=int(way or 0)))
    return named
