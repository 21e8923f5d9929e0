"""Price tags: what the careful version costs in steps, latency and throughput."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Unpack

from simlib.errors import Mistake
from simlib.scenario import Scenario, Workers, about_a_scenario
from simlib.simulate import Run
from simlib.simulate.conditions import MEASURED, Production
from simlib.text import listed, show
from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.chart import BAR, Bar, draw_bars
from simlib.views.picture import Drawn, Picture
from simlib.views.seeds import many_runs

ROWS = ("steps a task", "latency, median", "latency, 99 %", "tasks an hour")
UNITS = {"latency, median": " s", "latency, 99 %": " s"}
LEFT, LONGEST = 1.55, 3.4  # inches: the names, the longest bar


@dataclass(frozen=True)
class Figures:
    """One quantity over all runs."""

    mean: float
    least: float
    most: float


@dataclass(frozen=True, repr=False)
class PriceTag(Drawn):
    """What each implementation costs; the others are compared with the first.

    `tag.of("charge", "steps a task")` is the mean over the runs, with the minimum and the maximum.
    """

    prices: Mapping[str, Mapping[str, Figures]]
    runs: Mapping[str, tuple[Run, ...]]
    picture: Picture

    def of(self, worker: str, what: str = "steps a task") -> Figures:
        """One figure. Raises Mistake if there is none of that name."""
        if worker not in self.prices or what not in ROWS:
            raise Mistake(
                f"no {show(what)} of {show(worker)}: there are {listed(list(ROWS))} of {listed([*self.prices])}."
            )
        return self.prices[worker][what]


@about_a_scenario(instead=MEASURED)
def price_tag(
    scenario: Scenario, *worker: Workers, runs: int = 3, seed: int = 0, **conditions: Unpack[Production]
) -> PriceTag:
    """Run each implementation under the same conditions and report its costs: the first one's figures, then the
    changes.

    `runs` seeds from `seed` on, the same for each. `conditions` are those of `scenario.simulate`. Latency is measured
    from a task's arrival to its end, over all retries. Raises Mistake if an implementation completes no task.
    """
    found, said = many_runs(scenario, worker, runs, seed, **conditions)
    idle = [name for name, results in found.items() if not all(run.completed for run in results)]
    if idle:
        raise Mistake(f"{listed(idle)} completed no task in this time: simulate for longer, or give arrivals=.")
    prices = {name: _prices(results) for name, results in found.items()}
    title, small = _title(prices), f"{said}. Mean of the runs [least, most]."
    text = "\n".join([title, *_table(prices), small])
    return PriceTag(prices, found, Picture(text, lambda: _draw(title, prices, small)))


def _prices(runs: tuple[Run, ...]) -> dict[str, Figures]:
    figures = zip(
        *((run.counts["steps"] / run.completed, run.latency(), run.latency(0.99), run.throughput) for run in runs)
    )
    return {row: Figures(fmean(of), min(of), max(of)) for row, of in zip(ROWS, figures)}


def _change(now: float, before: float) -> str:
    change = now / before - 1 if before else 0.0
    if abs(change) < 0.02:
        return "the same" if abs(change) < 0.005 else "about the same"
    return f"{change:+.0%}".replace("%", " %").replace("-", "−")


def _title(prices: Mapping[str, Mapping[str, Figures]]) -> str:
    (first, base), *others = prices.items()
    if not others:
        return f"{first}: {base['steps a task'].mean:.3g} steps a task"
    said = []
    for name, row in others:
        steps, latency = (_change(row[what].mean, base[what].mean) for what in ROWS[:2])
        said.append(f"{name} costs {steps} steps, {latency} median latency".replace("the same steps", "no more steps"))
    return f"Against {first}, " + "; ".join(said)


def _table(prices: Mapping[str, Mapping[str, Figures]]) -> list[str]:
    lines = []
    base = next(iter(prices.values()))
    for row in ROWS:
        lines.append(f"  {row}")
        for name, figures in prices.items():
            change = "" if figures is base else f"   {_change(figures[row].mean, base[row].mean)}"
            lines.append(f"    {name:<{max(map(len, prices))}}  {_said(row, figures[row])}{change}")
    return lines


def _said(row: str, figures: Figures) -> str:
    mean, least, most = (f"{value:.3g}" if value < 1000 else f"{value:,.0f}" for value in vars(figures).values())
    spread = f" [{least}, {most}]" if least != most else ""
    return f"{mean}{UNITS.get(row, '')}{spread}"


def _draw(title: str, prices: Mapping[str, Mapping[str, Figures]], small: str) -> Canvas:
    each, names = BAR * len(prices) + 0.16, 0.08 * max(map(len, prices)) + 0.1
    canvas, top = sheet(title, small, 8, each * len(ROWS) - 0.05)
    for place, row in enumerate(ROWS):
        y, base = top + 0.1 + each * place, next(iter(prices.values()))[row]
        canvas.text(0.2, y, row, size=9, bold=True)
        bars = []
        for name, figures in prices.items():
            first, said = figures[row] is base, _said(row, figures[row]).split(" [")[0]
            change = "" if first else f"   {_change(figures[row].mean, base.mean)}"
            colour = style.LINE if first else style.RESOURCES[0]
            bars.append(Bar(name, figures[row].mean, said + change, colour))
        draw_bars(canvas, LEFT + names, y, bars, LONGEST - max(0.0, names - 1.0))
    return canvas
