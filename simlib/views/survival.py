"""Survival curve: how many days of production pass before a property is violated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Unpack

from simlib.arguments import above_zero, whole_number
from simlib.errors import Mistake
from simlib.scenario import Scenario, Workers, about_a_scenario, system_of
from simlib.simulate.conditions import MEASURED, CrashRate, Recorded, Weather
from simlib.text import listed, plural, show
from simlib.views.chart import Chart, Curve, shares_left, wilson
from simlib.views.picture import Drawn, Picture
from simlib.views.seeds import many_runs

DAY = 86_400.0
Bitten = tuple[float | None, ...]  # the day of each run's first violation


@dataclass(frozen=True, repr=False)
class Survival(Drawn):
    """By implementation, the day of each run's first violation; None if there was none.

    Jupyter shows a picture, `print` the text. `share(worker, day)` is a point of the curve.
    """

    days: float
    bitten: Mapping[str, Bitten]
    picture: Picture

    def share(self, worker: str, day: float) -> tuple[float, float, float]:
        """The share of runs without a violation by this day, and its 95 % interval (Wilson).

        Raises Mistake for an unknown worker.
        """
        if worker not in self.bitten:
            raise Mistake(f"no runs of {show(worker)}: there are {listed(list(self.bitten))}.")
        return _share(self.bitten[worker], day)

    def half_bitten(self, worker: str) -> float | None:
        """The day by which half of the runs have a violation, None if that takes longer than the simulation."""
        return _day_of_half(self.bitten[worker])


INSTEAD = {**MEASURED, "hours": "Give days=30.", "until_violation": "Each run ends at its first violation."}


class Stretch(Weather, CrashRate, Recorded, total=False):
    """The conditions of `simulate` that a curve does not set itself."""


@about_a_scenario(instead=INSTEAD)
def survival_curve(
    scenario: Scenario,
    *worker: Workers,
    days: float = 30,
    runs: int = 50,
    seed: int = 0,
    formula: Callable[[float], float] | None = None,
    **conditions: Unpack[Stretch],
) -> Survival:
    """Simulate many stretches of production with each implementation, and draw the share still unharmed over time.

    Each run has its own seed (`seed`, `seed + 1`, ...), the same for each implementation, and ends at its first
    violation. `formula` gives the expected share unharmed by a day, drawn beside the simulated one. `conditions` are
    those of `scenario.simulate`. Raises Mistake if `days` or `runs` is out of range.
    """
    runs = whole_number("runs", runs, 2, or_="; a curve says something from about 30 on")
    days = above_zero("days", days)
    found, said = many_runs(scenario, worker, runs, seed, hours=days * 24, until_violation=True, **conditions)
    bitten = {
        name: tuple(None if run.first_violation is None else run.first_violation / DAY for run in results)
        for name, results in found.items()
    }
    people = plural(len(system_of(scenario, worker[0], conditions.get("workers")).cast), "worker")
    small = f"{people}, {said}. Bands: 95 % intervals (Wilson)."
    lines = [_line(name, results, days) for name, results in bitten.items()]
    if formula is not None:
        lines.append("  by the formula: " + ", ".join(f"day {day:g}: {formula(day):.0%}" for day in _marks(days)))
    return Survival(days, bitten, _chart(bitten, days, small, formula).picture(lines))


def _share(results: Bitten, day: float) -> tuple[float, float, float]:
    well = _well(results, day)
    return well / len(results), *wilson(well, len(results))


def _well(results: Bitten, day: float) -> int:
    return sum(one is None or one > day for one in results)


def _day_of_half(results: Bitten) -> float | None:
    bitten = sorted(one for one in results if one is not None)
    place = (len(results) + 1) // 2
    return bitten[place - 1] if place <= len(bitten) else None


def _title(bitten: Mapping[str, Bitten], days: float) -> str:
    said = []
    for name, results in bitten.items():
        half, hits = _day_of_half(results), sum(one is not None for one in results)
        if half is not None:
            said.append(f"{name}: half of the runs bitten by day {half:.3g}")
        else:
            said.append(f"{name}: {hits or 'none'} of {len(results)} bitten in {days:g} days")
    return "; ".join(said)


def _marks(days: float) -> tuple[float, float, float]:
    return days / 4, days / 2, days


def _line(name: str, results: Bitten, days: float) -> str:
    points = []
    for day in _marks(days):
        share, low, high = _share(results, day)
        points.append(f"day {day:g}: {share:.0%} [{low:.0%}, {high:.0%}]")
    return f"  {name}, still unharmed on {', '.join(points)}"


def _chart(bitten: Mapping[str, Bitten], days: float, small: str, formula: Callable[[float], float] | None) -> Chart:
    curves = []
    for name, results in bitten.items():
        at = [0.0, *sorted(one for one in results if one is not None), days]
        curves.append(shares_left(name, at, [_well(results, day) for day in at], len(results)))
    if formula is not None:
        at = [days * place / 100 for place in range(101)]
        curves.append(Curve("formula", at, [formula(day) for day in at], is_formula=True))
    return Chart(_title(bitten, days), small, "simulated days", "still unharmed", curves, days, shares=True)
