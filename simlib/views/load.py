"""Load curve: requests per second that reach a server of limited capacity, and how many of them are useful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Unpack

from simlib.errors import Mistake
from simlib.scenario import Scenario, Workers, about_a_scenario
from simlib.simulate import Run
from simlib.simulate.conditions import MEASURED, Production
from simlib.text import listed, show
from simlib.views.chart import Chart, Curve
from simlib.views.picture import Drawn, Picture
from simlib.views.seeds import many_runs

BINS = 60


@dataclass(frozen=True, repr=False)
class Load(Drawn):
    """Requests per second over time, by implementation. `runs[name]` is the simulated run behind each line."""

    resource: str
    runs: dict[str, Run]
    picture: Picture

    def requests(self, worker: str, since: float, until: float) -> float:
        """Requests per second that reached the resource between two moments, in seconds."""
        return rate(self.runs[worker].requests[self.resource], since, until)

    def answered(self, worker: str, since: float, until: float) -> float:
        """Requests per second answered successfully and in time between two moments, in seconds."""
        return rate(self.runs[worker].answered[self.resource], since, until)


@about_a_scenario(instead=MEASURED)
def load_curve(
    scenario: Scenario, resource: str, *worker: Workers, seed: int = 0, **conditions: Unpack[Production]
) -> Load:
    """Simulate each implementation once and draw the requests per second that reach `resource`.

    `conditions` are those of `scenario.simulate`. Raises Mistake without a `capacity` for the resource.
    """
    capacity = conditions.get("capacity")
    if not isinstance(resource, str) or not isinstance(capacity, Mapping) or resource not in capacity:
        raise Mistake(
            f"load_curve(scenario, {show(resource)}, worker, ..., capacity={{{show(resource)}: 4}}): name a resource "
            "with a capacity."
        )
    runs = {name: run for name, (run,) in many_runs(scenario, worker, 1, seed, **conditions)[0].items()}
    some = next(iter(runs.values()))
    small = f"One run of each, seed {seed}; {some.conditions}."
    return Load(resource, runs, _chart(runs, resource, small).picture(_lines(runs, resource)))


def rate(counts: Counter[int], since: float, until: float) -> float:
    """The average per second between two moments, in whole seconds."""
    return sum(counts[second] for second in range(int(since), int(until))) / max(1, int(until) - int(since))


def _phases(run: Run, resource: str) -> list[tuple[str, float, float]]:
    end = run.conditions.hours * 3_600
    trouble = _trouble(run, resource)
    if trouble is None:
        return [("all along", 0, end)]
    what, since, until = trouble
    return [("before", 0, since), (f"while it is {what}", since, until), ("afterwards", until, end)]


def _trouble(run: Run, resource: str) -> tuple[str, float, float] | None:
    """The resource's outage or stall, and its start and end in seconds."""
    for what, when in (("down", run.conditions.down), ("stalled", run.conditions.stalled)):
        if resource in when:
            return (what, *when[resource])
    return None


def _lines(runs: dict[str, Run], resource: str) -> list[str]:
    lines = []
    for name, run in runs.items():
        said = [
            f"{phase} {rate(run.requests[resource], since, until):.1f}, "
            f"answered {rate(run.answered[resource], since, until):.1f}"
            for phase, since, until in _phases(run, resource)
            if until > since
        ]
        lines.append(f"  {name}, requests a second: {'; '.join(said)}")
    return lines


def _title(runs: dict[str, Run], resource: str) -> str:
    phases = _phases(next(iter(runs.values())), resource)
    if len(phases) == 1:
        return f"Load on {resource}, and what of it is answered"
    _, since, until = phases[-1]
    before = {name: rate(run.answered[resource], 0, phases[0][2]) for name, run in runs.items()}
    after = {name: rate(run.answered[resource], since, until) for name, run in runs.items()}
    sick = [name for name in runs if after[name] < before[name] / 2]
    well = [name for name in runs if name not in sick]
    if not sick:
        return f"{resource} recovers under {listed(well)}"
    return f"The trouble is over, and {listed(sick)} keep{'s' if len(sick) == 1 else ''} {resource} down" + (
        f"; {listed(well)} let{'s' if len(well) == 1 else ''} it recover" if well else ""
    )


def _chart(runs: dict[str, Run], resource: str, small: str) -> Chart:
    some = next(iter(runs.values()))
    end = some.conditions.hours * 3_600
    width = max(1.0, end / BINS)
    edges = [width * place for place in range(round(end / width))]
    middles = [edge + width / 2 for edge in edges]
    curves = []
    for name, run in runs.items():
        asked, answered = (
            [rate(counts[resource], edge, edge + width) for edge in edges] for counts in (run.requests, run.answered)
        )
        curves.append(Curve(name, middles, asked, band=([0.0] * len(edges), answered)))
    y = "requests a second; shaded: answered"
    return Chart(_title(runs, resource), small, "simulated seconds", y, curves, end, trouble=_trouble(some, resource))
