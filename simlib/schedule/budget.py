"""The fault budget of a run, and the limits of a search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

from simlib.arguments import above_zero, whole_number
from simlib.errors import Mistake
from simlib.model.fault import AIMS, FAULT_NAMES, KINDS
from simlib.model.system import Counts, System
from simlib.text import did_you_mean, listed, plural, show

LIMITS = ("max_states", "max_seconds", "max_megabytes")
_BITS = 5
MOST = 2**_BITS - 1


class Faults(TypedDict, total=False):
    """How often each fault may strike in one run: anywhere, `outages=1`, or by where it strikes, `outages={"lock": 1}`.

    A resource's faults are those of the steps at it, and its pauses those in which a timer of it expires. A worker's
    function's are those of its workers: of their processes, of their steps, and of the timers that they own. Crashes,
    node losses and stops strike workers only; a task that is handed out again strikes the worker that has done it, or
    the step that receives it. A power loss strikes everybody, and takes a number. No count is above 31.
    """

    crashes: Counts  # a worker's memory is lost, and it is restarted
    node_losses: Counts  # a worker is gone, and not restarted
    power_losses: int  # all processes end, and unsynced data may be lost
    redeliveries: Counts  # a task that was handed out is handed out again
    lost_replies: Counts  # the step took effect, but its caller sees OutcomeUnknown
    outages: Counts  # the step did not take effect, and its caller sees Unavailable
    rejections: Counts  # it never will, and its caller sees Rejected
    disk_full: Counts
    pauses: Counts  # a worker stalls until its timer runs out
    stops: Counts  # a worker is told to stop (SIGTERM): it can finish or hand back, then its process ends


class SearchLimits(TypedDict, total=False):
    """Where a search stops."""

    max_states: int
    max_seconds: float | None  # None: no limit
    max_megabytes: float  # by which the process may grow


class Search(SearchLimits, Faults, total=False):
    """What a function that sets the number of workers itself passes on to `explore`."""


class Staff(TypedDict, total=False):
    """How many of each worker there are."""

    workers: Counts | None


class Question(Staff, Search, total=False):
    """What a function passes on to `explore`."""


@dataclass(frozen=True)
class Slot:
    """So many faults of one kind: anywhere, or at one resource, or of the workers that run one function."""

    kind: str
    at: str  # the name of that resource or function; empty for anywhere
    count: int

    def __str__(self) -> str:
        """`outage`, `outage of lock`."""
        return FAULT_NAMES[self.kind] + self._where

    @property
    def counted(self) -> str:
        """`2 outages`, `1 outage of lock`."""
        return plural(self.count, FAULT_NAMES[self.kind]) + self._where

    @property
    def _where(self) -> str:
        return f" of {self.at}" if self.at else ""


@dataclass(frozen=True)
class Budget:
    """How many faults of each kind one run may have, and where. Raises Mistake for what is no count."""

    counts: Mapping[str, Any]  # of Counts; a TypedDict's type does not say so

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", {kind: _checked(kind, count) for kind, count in self.counts.items()})

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """What may strike, in the order in which a search tries it."""
        return tuple(slot for kind in KINDS for slot in slots_of(kind, self.counts.get(kind, 0)) if slot.count)

    @property
    def total(self) -> int:
        return sum(slot.count for slot in self.slots)

    @property
    def kinds(self) -> list[str]:
        return [*dict.fromkeys(slot.kind for slot in self.slots)]

    def __str__(self) -> str:
        """`up to 1 crash and 1 redelivery`, `up to 1 outage of lock`, `no faults`."""
        return f"up to {listed([slot.counted for slot in self.slots])}" if self.slots else "no faults"

    def payers(self, kind: str, resource: str, role: str) -> tuple[int, ...]:
        """The numbers of the slots that can pay for such a fault: of a step of this role at this resource, of a timer
        of this resource that this role owns, or, without a resource, of a process of this role.
        """
        names = ("", resource, role)
        return tuple(place for place, slot in enumerate(self.slots) if slot.kind == kind and slot.at in names)

    def check_names(self, system: System) -> None:
        """Raise Mistake if a fault is aimed at what there is not, or at what it cannot strike."""
        there = {"resource": [*system.resources], "worker": [*dict.fromkeys(system.names.values())]}
        for kind, count in self.counts.items():
            for slot in slots_of(kind, count):
                if slot.at:
                    _check_aim(slot, f"{kind}={show(count)}", there)


def slots_of(kind: str, count: Counts) -> Iterator[Slot]:
    """What this count of a kind says, one place at a time."""
    counts = count if isinstance(count, Mapping) else {"": count}
    return (Slot(kind, at, one) for at, one in counts.items())


def _checked(kind: str, count: Any) -> Counts:
    if not isinstance(count, Mapping):
        return whole_number(kind, count, 0, MOST)
    said = f"{kind}={show({**count})}"
    if not AIMS[kind]:
        raise Mistake(f"{said}: a {FAULT_NAMES[kind]} ends all processes at once. Give a number: {kind}=1.")
    for name in count:
        if not isinstance(name, str) or not name:
            raise Mistake(f'{said}: say where it strikes by its name, as text: {kind}={{"relay": 1}}.')
    return {name: whole_number(f"{kind} of {name}", one, 0, MOST) for name, one in count.items()}


def _check_aim(slot: Slot, said: str, there: Mapping[str, list[str]]) -> None:
    """Raise Mistake unless this names one thing that such a fault can strike. `there` has the names of each."""
    aims = [what for what in AIMS[slot.kind] if slot.at in there[what]]
    if len(aims) == 1:
        return
    if aims:
        raise Mistake(
            f"{said}: {slot.at} is a resource and a worker's function here. Rename one of them, to tell them apart."
        )
    what, names = listed([*AIMS[slot.kind]], "or"), [name for what in AIMS[slot.kind] for name in there[what]]
    if slot.at in there["resource"]:
        raise Mistake(
            f"{said}: {slot.at} is a resource, and a {FAULT_NAMES[slot.kind]} strikes a {what}: {listed(names, 'or')}."
        )
    near = did_you_mean(slot.at, names)
    raise Mistake(f"{said}: there is no {what} called {slot.at}, but {listed(names)}.{near}")


class Account:
    """What is left of a budget, as one number, so that a state carries it cheaply; 0 if nothing is.

    Each slot has a bit field. Two slots may be able to pay for one fault: with `outages={"lock": 1, "relay": 1}`, an
    outage at the relay's step at the lock. Nobody decides which one did; the number then stands for all that may be
    left, so that a schedule is possible if there is any way to pay for it, and is one schedule all the same.
    """

    def __init__(self, budget: Budget, resources: Collection[str]) -> None:
        self._budget = budget
        aimed = {(slot.kind, slot.at in resources) for slot in budget.slots if slot.at}
        self.shared = any({(kind, True), (kind, False)} <= aimed for kind in KINDS)  # whether two slots may pay for one
        self._known = [frozenset({0})]  # all that may be left, by number
        self._numbers = {self._known[0]: 0}
        whole = sum(slot.count << _BITS * place for place, slot in enumerate(budget.slots))
        self.whole = self._number({whole}) if self.shared else whole

    def mask(self, kind: str) -> int:
        """The bits of which one is set if faults of this kind are left. If slots are shared, that is not certain."""
        slots = [place for place, slot in enumerate(self._budget.slots) if slot.kind == kind]
        return -1 if slots and self.shared else sum(MOST << _BITS * place for place in slots)

    def price(self, left: int, payers: tuple[int, ...]) -> tuple[int, int] | None:
        """What a fault costs for which one of these slots pays: the bits of which one has to be set, and what it adds
        to what is left. It depends on what is left only if slots are shared. None if nobody can pay.
        """
        if not payers:
            return None
        if not self.shared:
            (place,) = payers
            return MOST << _BITS * place, -(1 << _BITS * place)
        fields = [(MOST << _BITS * place, 1 << _BITS * place) for place in payers]
        after = {one - unit for one in self._known[left] for mask, unit in fields if one & mask}
        return (-1, self._number(after) - left) if after else None

    def _number(self, ways: Iterable[int]) -> int:
        found = frozenset(ways)
        number = self._numbers.setdefault(found, len(self._known))
        if number == len(self._known):
            self._known.append(found)
        return number


@dataclass(frozen=True)
class Limits:
    """Where a search stops, and says how far it got."""

    states: int = 1_000_000
    # For the whole answer: the verdict and the smallest counterexample; None: no limit.
    seconds: float | None = 10.0
    megabytes: float = 1_500.0  # by which the process may grow
    steps: int = 1_000  # of one worker in one run: more is taken for an infinite loop

    def __post_init__(self) -> None:
        whole_number("max_states", self.states, 1)
        above_zero("max_megabytes", self.megabytes)
        if self.seconds is not None:
            above_zero("max_seconds", self.seconds, of=" of seconds", or_=", or None for no limit")
