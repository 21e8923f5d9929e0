"""Strategies for an incident: the best plan, and players with strategies of their own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2

from simlib.course.catalogue import BOUNDARIES, Catalogue, Check, Fault, World
from simlib.text import wrapped

Belief = frozenset[World]
Choose = Callable[[Belief], Check | None]


@dataclass(frozen=True)
class Step:
    """A check on a path: its finding, the worlds it left, and the minutes of outage at its end."""

    check: Check
    finding: str
    left: Belief
    at: float


@dataclass(frozen=True)
class Path:
    """A path through an incident. `minutes` is how long it took until the symptom was gone."""

    steps: tuple[Step, ...]
    commits: tuple[str, ...]  # boundaries, in order
    fixes: tuple[Fault, ...]  # in the order tried: the last one cured it
    minutes: float

    def __repr__(self) -> str:
        did = [f"{step.check.name}: {step.finding}" for step in self.steps]
        did += [f"tried to {fix.fix} ({fix.minutes:g} min)" for fix in self.fixes]
        return wrapped(f"{self.minutes:g} minutes: {'; '.join(did)}.")


class Plans:
    """Players for one catalogue. At the start every fault is equally likely."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._best: dict[Belief, tuple[float, Check | None]] = {}
        self._greedy: dict[Belief, Check | None] = {}
        self._parts: dict[tuple[Belief, str], dict[str, Belief]] = {}
        self._cured: dict[tuple[World, str], bool] = {}

    @property
    def everything(self) -> Belief:
        """Every world that is possible before the first check."""
        return frozenset(self.catalogue.worlds)

    # The best plan

    def expected(self, belief: Belief) -> float:
        """The expected minutes of the best plan from here on.

        Exact for plans that first check, as often as they like, then commit, and then only try fixes: the minimum of
        stopping now and of each check followed by the best plan after each of its findings.
        """
        return self._value(belief)[0]

    def best_check(self, belief: Belief) -> Check | None:
        """The best plan's next check; None if it commits now."""
        return self._value(belief)[1]

    def _value(self, belief: Belief) -> tuple[float, Check | None]:
        if belief not in self._best:
            value: tuple[float, Check | None] = (self._fixing(belief), None)
            for check in self.catalogue.checks:
                parts = self.parts(belief, check)
                if len(parts) == 1 or check.minutes >= value[0]:
                    continue
                after = sum(len(part) * self._value(part)[0] for part in parts.values()) / len(belief)
                if check.minutes + after < value[0] - 1e-9:
                    value = (check.minutes + after, check)
            self._best[belief] = value
        return self._best[belief]

    def parts(self, belief: Belief, check: Check) -> dict[str, Belief]:
        """The worlds, grouped by this check's finding."""
        key = (belief, check.name)
        if key not in self._parts:
            said: dict[str, set[World]] = {}
            for world in belief:
                said.setdefault(self.catalogue.finding(check, world), set()).add(world)
            self._parts[key] = {finding: frozenset(said[finding]) for finding in sorted(said)}
        return self._parts[key]

    # Fixing

    def order(self, belief: Belief) -> list[Fault]:
        """All fixes in the order with the least expected minutes: by boundary, the likeliest per minute first.

        The fixes of faults that are no longer possible come last, quickest first.
        """
        weight = Counter(world.fault.name for world in belief)
        possible = [one for one in self.catalogue.faults if weight[one.name]]
        others = sorted((one for one in self.catalogue.faults if not weight[one.name]), key=lambda one: one.minutes)

        def rate(faults: Sequence[Fault]) -> float:
            return -sum(weight[one.name] for one in faults) / sum(one.minutes for one in faults)

        groups = [[one for one in possible if one.boundary == boundary] for boundary in BOUNDARIES]
        ranked = sorted((group for group in groups if group), key=rate)
        return [one for group in ranked for one in sorted(group, key=lambda one: rate([one]))] + others

    def _fixing(self, belief: Belief) -> float:
        spent, total = 0.0, 0.0
        weight = Counter(world.fault.name for world in belief)
        for one in self.order(belief):
            spent += one.minutes
            total += weight[one.name] * spent
        return total / len(belief)

    def cures(self, fix: Fault, world: World) -> bool:
        """Whether this fix removes the symptom from this system: it is run again with it."""
        key = (world, fix.name)
        if key not in self._cured:
            self._cured[key] = not self.catalogue.suffers(world, [fix])
        return self._cured[key]

    # Players

    def play(self, world: World, choose: Choose) -> Path:
        """Run the checks that `choose` picks, commit to the likeliest boundary per minute, and try its fixes."""
        belief, spent = self.everything, 0.0
        steps: list[Step] = []
        while (check := choose(belief)) is not None and check not in [step.check for step in steps]:
            steps.append(self.look(world, check, belief, spent))
            belief, spent = steps[-1].left, steps[-1].at
        return self.repair(world, self.order(belief), tuple(steps))

    def look(self, world: World, check: Check, belief: Belief, spent: float) -> Step:
        """Run one more check, after `spent` minutes. A finding that fits no known world teaches nothing."""
        finding = self.catalogue.finding(check, world)
        left = self.catalogue.consistent(belief, check, finding) or belief
        return Step(check, finding, left, spent + check.minutes)

    def repair(self, world: World, order: Sequence[Fault], steps: tuple[Step, ...] = ()) -> Path:
        """Try these fixes in this order until one cures it."""
        spent = steps[-1].at if steps else 0.0
        tried: list[Fault] = []
        for fix in order:
            tried.append(fix)
            spent += fix.minutes
            if self.cures(fix, world):
                break
        return Path(steps, tuple(dict.fromkeys(fix.boundary for fix in tried)), tuple(tried), spent)

    def best(self, world: World) -> Path:
        """Play the plan with the least expected minutes."""
        return self.play(world, self.best_check)

    def boundary_first(self, world: World) -> Path:
        """Run the check that best separates the boundaries per minute, until one is left or no check helps."""
        return self.play(world, self.greedy_check)

    def fix_first(self, world: World) -> Path:
        """No checks: the quickest fix first, then the next."""
        return self.repair(world, sorted(self.catalogue.faults, key=lambda one: one.minutes))

    def players(self) -> dict[str, Callable[[World, int], Path]]:
        """The players by name: `player(world, number of the incident)`."""
        return {
            "random guess": self.random_guess,
            "fix first": lambda world, _: self.fix_first(world),
            "boundary first": lambda world, _: self.boundary_first(world),
            "the best plan": lambda world, _: self.best(world),
        }

    def after(self, world: World, checks: Sequence[Check]) -> Path:
        """Run these checks in this order, whatever they find; then commit and fix by what they left."""
        order = iter(dict.fromkeys(checks))  # repeating a check finds nothing new
        return self.play(world, lambda belief: next(order, None))

    def random_guess(self, world: World, seed: int) -> Path:
        """No checks: the fixes in random order, none twice."""
        order = list(self.catalogue.faults)
        random.Random(f"guess {seed}").shuffle(order)
        return self.repair(world, order)

    def greedy_check(self, belief: Belief) -> Check | None:
        """The check with the most information about the boundary per minute; None if no check gives any."""
        if belief not in self._greedy:
            gains = [(round(self._gain(belief, check) / check.minutes, 9), check) for check in self.catalogue.checks]
            most, check = max(gains, key=lambda gain: gain[0])
            self._greedy[belief] = check if most > 1e-9 else None
        return self._greedy[belief]

    def _gain(self, belief: Belief, check: Check) -> float:
        parts = self.parts(belief, check).values()
        return _doubt(belief) - sum(len(part) * _doubt(part) for part in parts) / len(belief)

    def draw(self, seed: int) -> World:
        """The incident with this number: any fault, in any of its runs."""
        return random.Random(f"incident {seed}").choice(self.catalogue.worlds)


def _doubt(belief: Belief) -> float:
    """The entropy of the boundary, in bits."""
    counts = Counter(world.fault.boundary for world in belief)
    return -sum(count / len(belief) * log2(count / len(belief)) for count in sorted(counts.values()))
