"""Tokens: schedules as short text, each move named so that it can be found again."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import NamedTuple

from simlib.errors import Mistake
from simlib.model.fault import AIMS, LETTERS
from simlib.model.state import State
from simlib.model.system import Counts, System
from simlib.schedule.budget import MOST, Budget
from simlib.schedule.trace import Event, Trace
from simlib.schedule.transition import RULES, STRIKES, Kind
from simlib.text import plural, show

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Point(NamedTuple):
    """One move of a schedule, named so that it can be found again in another implementation.

    `step` is two letters that stand for the step's name; `way` is the index of the outcome among the possible ones, or
    says which timer or power loss it was.
    """

    kind: Kind
    worker: str = ""
    step: str = ""
    resource: int = 0
    way: int = 0


def points(trace: Trace) -> list[Point]:
    """The moves of a trace, named. Arrivals from outside are nobody's moves, and left out."""
    states = zip(trace.events, (trace.initial, *trace.worlds()))
    return [_point(event, before) for event, before in states if event.kind != "arrival"]


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

MARKS = {rule.mark: kind for kind, rule in RULES.items()}


def write_head(system: System, budget: Budget) -> str:
    """`2c1r1`: two workers, one crash, one redelivery. `1.1o1(0)c1(B)`: an outage of the first resource, and a crash of
    worker B or of another that runs the same function.
    """
    roles = list(dict.fromkeys(system.cast.values()))
    counts = ".".join(str(list(system.cast.values()).count(role)) for role in roles)
    resources, first = list(system.resources), {role: worker for worker, role in reversed(system.names.items())}
    head = counts
    for slot in budget.slots:
        of_resource = "resource" in AIMS[slot.kind] and slot.at in system.resources
        place = resources.index(slot.at) if of_resource else first.get(slot.at, "")
        head += f"{LETTERS[slot.kind]}{slot.count}" + (f"({place})" if slot.at else "")
    return head


def write_token(named: Sequence[Point]) -> str:
    """`Ak2f0-xA-t0-Ak2f0`: A takes two steps, crashes, the first resource's timer runs out, A takes two more."""
    parts: list[str] = []
    current = ""
    for point in named:
        way = f"({point.way})" if point.way else ""
        if point.kind == "step":
            if current != point.worker:
                parts.append(point.worker)
            parts[-1] += point.step + way
            current = point.worker
        else:
            where = str(point.resource) if point.kind == "timer" else point.worker
            parts.append(RULES[point.kind].mark + where + way)
            current = ""
    return "-".join(parts)


class Token(NamedTuple):
    """What a token says: how many of each role, the budget, and the schedule; None for a verdict without one."""

    counts: tuple[int, ...]
    faults: dict[tuple[str, str], int]  # by kind and place: a resource's number, a worker's letter, empty for anywhere
    schedule: list[Point] | None

    def budget(self, resources: Sequence[str], roles: Sequence[str]) -> dict[str, Counts]:
        """The budget, with the places by their names; `roles` has a name for each of the `counts`."""
        people = [role for role, count in zip(roles, self.counts) for _ in range(count)]
        named: dict[str, Counts] = {}
        for (kind, place), count in self.faults.items():
            if not place:
                named[kind] = count
                continue
            at = resources[int(place)] if place.isdecimal() else people[ascii_uppercase.index(place)]
            before = named.get(kind, {})
            assert isinstance(before, Mapping), "read_token refuses a kind that is both aimed and not"
            named[kind] = {**before, at: count}
        return named


FAULT = r"([a-z])([1-9][0-9]?)(?:\(([0-9]{1,3}|[A-Z])\))?"
HEAD = re.compile(rf"([1-9][0-9]?(?:\.[1-9][0-9]?)*)((?:{FAULT})*)")
WAY = r"(?:\(([0-9]{1,6})\))?"
STEP = re.compile(rf"([0-9a-z]{{2}}){WAY}")
STRUCK = "".join(RULES[kind].mark for kind in STRIKES)  # what happens to one worker
PART = re.compile(rf"([A-Z])((?:[0-9a-z]{{2}}(?:\([0-9]{{1,6}}\))?)+)|([{STRUCK}])([A-Z])|p{WAY}|t([0-9]{{1,3}}){WAY}")
LOOKS = (
    'A token is what a report prints after `Again:`, such as "2c1r1-Ak2f0-xA": how many workers, how often each '
    "fault may strike, and the schedule."
)


def read_token(token: str, resources: int) -> Token:
    """What a token says, in a scenario with so many resources. Raises Mistake if it is not a token, or does not fit."""
    head, dash, schedule = token.partition("-")
    match = HEAD.fullmatch(head)
    if match is None:
        raise _no_token(token, f"{show(head, 20)} does not read as workers and faults")
    counts = tuple(map(int, match[1].split(".")))
    if sum(counts) > len(ascii_uppercase):
        raise _no_token(token, f"there are at most {len(ascii_uppercase)} workers")
    faults = _read_faults(token, match[2], sum(counts), resources)
    points = [point for part in schedule.split("-") for point in _read_part(token, part)] if dash else None
    for point in points or ():
        if point.worker and ascii_uppercase.index(point.worker) >= sum(counts):
            raise _no_token(token, f"it begins with {plural(sum(counts), 'worker')}, and goes on with {point.worker}")
        if point.resource >= resources:
            raise _no_token(token, f"`t{point.resource}` is a timer of a resource that the scenario does not have")
    return Token(counts, faults, points)


def _read_faults(token: str, head: str, workers: int, resources: int) -> dict[tuple[str, str], int]:
    kinds = {letter: kind for kind, letter in LETTERS.items()}
    faults: dict[tuple[str, str], int] = {}
    for letter, count, place in re.findall(FAULT, head):
        if letter not in kinds or int(count) > MOST:
            raise _no_token(token, f"`{letter}{count}` is no fault, up to {MOST} times")
        kind, what = kinds[letter], "resource" if place.isdecimal() else "worker"
        if place and what not in AIMS[kind]:
            raise _no_token(token, f"`{letter}{count}({place})` aims at a {what}, which such a fault does not strike")
        if place and (int(place) >= resources if place.isdecimal() else ascii_uppercase.index(place) >= workers):
            raise _no_token(token, f"`{letter}{count}({place})` is a fault of a {what} that the scenario does not have")
        if (kind, place) in faults or any(one == kind and "" in (at, place) for one, at in faults):
            raise _no_token(token, "a fault is there twice")
        faults[kind, place] = int(count)
    return faults


def _read_part(token: str, part: str) -> Iterator[Point]:
    match = PART.fullmatch(part)
    if match is None:
        raise _no_token(token, f"{show(part, 20)} does not read as steps or a fault")
    worker, steps, mark, whose, power, resource, timer = match.groups()
    if worker:
        yield from (Point("step", worker, step, way=int(way or 0)) for step, way in STEP.findall(steps))
    elif mark:
        yield Point(MARKS[mark], whose)
    elif resource:
        yield Point("timer", resource=int(resource), way=int(timer or 0))
    else:
        yield Point("power loss", way=int(power or 0))


def _no_token(token: str, why: str) -> Mistake:
    return Mistake(f"{show(token)} is no token of a verdict: {why}. {LOOKS}")
