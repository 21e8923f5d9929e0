"""A catalogue of faults with the same symptom, the checks that tell them apart, and the simulated runs behind both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from simlib.arguments import above_zero
from simlib.errors import Mistake
from simlib.progress import Progress
from simlib.simulate import Run
from simlib.text import did_you_mean, listed, show

BOUNDARIES = (
    "application logic", "runtime configuration", "routing", "lifecycle", "storage durability", "platform behaviour",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One way to break the system. `changes` are the parts that differ from the healthy system, by name.

    `fix` describes the repair, which takes so many `minutes`, including the check that it worked. It restores the parts
    named in `mends` to their healthy state.
    """

    name: str
    boundary: str
    fix: str
    minutes: float
    changes: Mapping[str, Any] = field(compare=False)
    mends: tuple[str, ...]


def fault(
    name: str, boundary: str, *, fix: str, minutes: float, mends: Sequence[str] | None = None, **changes: Any
) -> Fault:
    """Describe a fault. `mends` names the parts that its fix restores: all of the changes by default.

    Raises Mistake for an unknown boundary, for a fault that changes nothing, and for a fix that restores none of it.
    """
    if boundary not in BOUNDARIES:
        near = did_you_mean(str(boundary), BOUNDARIES)
        raise Mistake(f"fault({show(name)}, {show(boundary)}): boundaries are {listed(list(BOUNDARIES))}.{near}")
    if not changes:
        example = f"fault({show(name)}, {show(boundary)}, fix=..., minutes=..., pool=1)"
        raise Mistake(f"fault({show(name)}) changes nothing: say which parts of the system are others: {example}.")
    mended = tuple(changes) if mends is None else tuple(mends)
    if not mended or not set(mended) <= set(changes):
        both = f"its fix mends {listed(list(mended))}, and it changes {listed([*changes])}"
        raise Mistake(f"fault({show(name)}): {both}. A fix puts back some of what the fault changed: mends=[...].")
    return Fault(name, boundary, fix, _minutes(name, minutes), changes, mended)


@dataclass(frozen=True)
class Check:
    """An inspection of the running system, which takes so many `minutes`.

    `look(case)` returns two texts: the finding in a few words, which can be compared between systems, and the numbers
    of this run behind it.
    """

    name: str
    minutes: float
    look: Callable[[Case], tuple[str, str]]

    def __post_init__(self) -> None:
        _minutes(self.name, self.minutes)


class World(NamedTuple):
    """A fault, and the seed of a run in which customers noticed it."""

    fault: Fault
    seed: int


class Case:
    """What a check inspects: `run`, the system as it is; `usual`, the healthy one with the same seed."""

    def __init__(self, catalogue: Catalogue, world: World) -> None:
        self._catalogue, self._world = catalogue, world

    @cached_property
    def run(self) -> Run:
        """The system with its fault."""
        return self._catalogue.rerun(self._world)

    @cached_property
    def usual(self) -> Run:
        """The healthy system, with the same seed."""
        return self._catalogue.rerun(self._world, keep=())

    @cached_property
    def staging(self) -> Run:
        """The deployed code on a machine where everything else is healthy."""
        code = [name for name, value in self._world.fault.changes.items() if callable(value)]
        return self._catalogue.rerun(self._world, keep=code)


class Catalogue:
    """The faults that can cause one symptom, and what each check finds for each of them.

    `run(seed, **changes)` simulates the system, healthy without changes. `gauge(run)` is what customers notice, a
    number of `unit`; below `alarm`, that is the symptom. An incident is a run that shows it: each fault is listed with
    the first `variants` seeds that do. Runs are cached: each is simulated once.
    """

    def __init__(
        self,
        run: Callable[..., Run],
        faults: Sequence[Fault],
        checks: Sequence[Check],
        *,
        gauge: Callable[[Run], float],
        alarm: float,
        unit: str,
        variants: int = 3,
        most_seeds: int = 30,
    ) -> None:
        for kind, names in (("fault", [one.name for one in faults]), ("check", [one.name for one in checks])):
            twice = sorted({name for name in names if names.count(name) > 1})
            if not names or twice:
                raise Mistake(f"{kind}s {listed(names)}: give each a name of its own, and at least one.")
        self._run, self._gauge, self.alarm, self.unit = run, gauge, alarm, unit
        self.faults, self.checks = tuple(faults), tuple(checks)
        self.variants, self.most_seeds = variants, most_seeds
        self._runs: dict[tuple[int, str, tuple[str, ...]], tuple[Run, float]] = {}
        self._readings: dict[tuple[str, str, int], tuple[str, str]] = {}

    def adding(self, *checks: Check) -> Catalogue:
        """The same faults and runs, with these checks added. Raises Mistake for a name that exists already."""
        other = Catalogue(
            self._run, self.faults, [*self.checks, *checks], gauge=self._gauge, alarm=self.alarm, unit=self.unit,
            variants=self.variants, most_seeds=self.most_seeds,
        )  # fmt: skip
        other._runs = self._runs
        return other

    @cached_property
    def worlds(self) -> tuple[World, ...]:
        """Each fault with the first seeds that show the symptom. Raises Mistake for a fault that rarely shows it."""
        return self._worlds(self.variants)

    def later(self, count: int = 1) -> tuple[World, ...]:
        """Each fault with the next `count` seeds that show the symptom: runs that are not in `worlds`."""
        return tuple(world for world in self._worlds(self.variants + count) if world not in self.worlds)

    def _worlds(self, each: int) -> tuple[World, ...]:
        found: list[World] = []
        with Progress("simulating", len(self.faults)) as progress:
            for number, one in enumerate(self.faults):
                found += self._worlds_of(one, each)
                progress.reached(number + 1)
        return tuple(found)

    def _worlds_of(self, one: Fault, each: int) -> list[World]:
        found: list[World] = []
        for seed in range(self.most_seeds):
            if len(found) < each and self.suffers(World(one, seed)):
                found.append(World(one, seed))
        if len(found) < each:
            raise Mistake(
                f"{one.name}: customers notice it with {len(found)} of {self.most_seeds} seeds. It is no fault of this "
                "catalogue: make it worse, or run the system for longer."
            )
        return found

    def rerun(self, world: World, keep: Sequence[str] | None = None) -> Run:
        """The run with this fault, or only with those of its changes that are in `keep`."""
        return self._ran(world, keep)[0]

    def _ran(self, world: World, keep: Sequence[str] | None) -> tuple[Run, float]:
        """A run, and what customers see of it: they are asked once, and not for every fix that changes nothing."""
        changes = {name: value for name, value in world.fault.changes.items() if keep is None or name in keep}
        key = (world.seed, world.fault.name if changes else "", tuple(changes))
        if key not in self._runs:
            run = self._run(world.seed, **changes)
            self._runs[key] = run, self._gauge(run)
        return self._runs[key]

    def gauge(self, world: World, fixes: Sequence[Fault] = ()) -> float:
        """What customers see with these fixes applied: the system is run again with the same seed."""
        mended = {name for fix in fixes for name in fix.mends}
        return self._ran(world, [name for name in world.fault.changes if name not in mended])[1]

    def suffers(self, world: World, fixes: Sequence[Fault] = ()) -> bool:
        """Whether customers notice it with these fixes applied."""
        return self.gauge(world, fixes) < self.alarm

    def usual(self, world: World) -> float:
        """What customers see of the healthy system with the same seed."""
        return self._ran(world, keep=())[1]

    def reading(self, check: Check, world: World) -> tuple[str, str]:
        """The check's finding in this run, and its numbers. Raises Mistake if it returns anything else."""
        key = (check.name, world.fault.name, world.seed)
        if key not in self._readings:
            said = check.look(Case(self, world))
            if not (isinstance(said, tuple) and len(said) == 2 and all(isinstance(one, str) for one in said)):
                raise Mistake(
                    f"check {show(check.name)} answered {show(said)}. Return the finding and its numbers, two texts: "
                    '`return "piling up", f"{n} orders wait"`.'
                )
            self._readings[key] = said
        return self._readings[key]

    def finding(self, check: Check, world: World) -> str:
        """The check's finding in this run, in words that can be compared."""
        return self.reading(check, world)[0]

    def said(self, check: Check) -> dict[str, list[str]]:
        """The check's findings by fault: each finding that one of the fault's runs gives, in order."""
        found: dict[str, list[str]] = {one.name: [] for one in self.faults}
        for world in self.worlds:
            finding = self.finding(check, world)
            if finding not in found[world.fault.name]:
                found[world.fault.name].append(finding)
        return found

    def consistent(self, worlds: frozenset[World], check: Check, finding: str) -> frozenset[World]:
        """The worlds in which this check has this finding."""
        return frozenset(world for world in worlds if self.finding(check, world) == finding)

    def left(self, worlds: frozenset[World]) -> dict[str, int]:
        """How many faults these worlds leave possible at each boundary."""
        possible = {world.fault.name: world.fault.boundary for world in worlds}
        return {boundary: list(possible.values()).count(boundary) for boundary in BOUNDARIES}

    def faults_of(self, boundary: str) -> list[Fault]:
        """The faults at this boundary."""
        return [one for one in self.faults if one.boundary == boundary]

    def check(self, name: str) -> Check:
        """The check of this name. Raises Mistake if there is none."""
        found = next((one for one in self.checks if one.name == name), None)
        if found is None:
            names = [one.name for one in self.checks]
            near = did_you_mean(str(name), names)
            raise Mistake(f"there is no check {show(name)}. There are {listed([*map(show, names)])}.{near}")
        return found


def _minutes(name: str, minutes: float) -> float:
    return above_zero(f"{name}: minutes", minutes, of=" of minutes")
