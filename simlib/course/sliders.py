"""Sliders over precomputed pictures, embedded in the page: moving one needs no kernel, on an exported page and on a
slide as in a notebook.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Unpack

from simlib.arguments import number, whole_number
from simlib.check import Report
from simlib.errors import Mistake
from simlib.model.fault import CRASHES
from simlib.model.process import Worker
from simlib.model.system import by_name
from simlib.scenario import Scenario, about_a_scenario, one_question
from simlib.schedule.budget import Search
from simlib.schedule.trace import Trace
from simlib.simulate import Run
from simlib.simulate.conditions import COUNTED, MEASURED, Length, Recorded, Seed, Weather
from simlib.text import name_of, show, span
from simlib.views.canvas import PIXELS
from simlib.views.lanes import live_svg, panels_height, watched
from simlib.views.layout import Scene, scene, verb_of
from simlib.views.markup import escape
from simlib.watchdog import interruptible

CELL = 'style="text-align:left;padding:2px 14px 2px 0"'


@dataclass(frozen=True, repr=False)
class Slider:
    """A slider and its pages: `pages[n]` is shown at the position named `names[n]`."""

    label: str
    names: tuple[str, ...]
    pages: tuple[str, ...]

    def __repr__(self) -> str:
        return f"A slider, {self.label}: {'; '.join(self.names)}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self.html()}

    def html(self) -> str:
        """The slider as a block of HTML. It needs no network and no kernel; without scripts its first page is shown."""
        script = files("simlib.course").joinpath("slider.js").read_text(encoding="utf-8").rstrip()
        parts = (json.dumps(part, ensure_ascii=False) for part in (self.names, self.pages))
        data = ",\n".join(parts).replace("<", "\\u003c")
        number = hashlib.sha256(f"{self.label}{script}{data}".encode()).hexdigest()[:12]
        return (
            f'<div data-slider="{number}" data-label="{escape(self.label)}" data-lm-suppress-shortcuts="true">'
            f'<div>{self.pages[0]}</div><script>{script}("{number}", {data});</script></div>'
        )


@about_a_scenario()
def crash_slider(scenario: Scenario, *workers: Worker) -> Slider:
    """A slider that moves one crash through these implementations, and shows the lanes of the resulting runs.

    Each picture is a run by the engine. Raises Mistake for a list of functions, and whenever `scenario.run` would.
    """
    _check(workers)
    names = ["nowhere"]
    names += [f"after step {step}, {name}" for step, name in enumerate(_steps(scenario, workers), start=1)]
    scenes = [_crashed(scenario, workers, step) for step in range(len(names))]
    return Slider("crash", tuple(names), tuple(_same_size(scenes)))


@about_a_scenario(instead={**COUNTED, "workers": "The slider moves that: most=4."})
@one_question
def workers_slider(scenario: Scenario, *workers: Worker, most: int = 4, **faults: Unpack[Search]) -> Slider:
    """A slider over the number of workers, 1 to `most`: each implementation's verdict and its smallest failure.

    `faults` are those of `scenario.explore`. Raises Mistake for a list of functions, and whenever `explore` would.
    """
    _check(workers)
    most = whole_number("most", most, 2, 26, of=" of workers")
    found = [[scenario.explore(worker, workers=count, **faults) for worker in workers] for count in range(1, most + 1)]
    traces = [
        [report.counterexample or next(iter(report.sample(1)), None) or scenario.run(worker) for worker, report in row]
        for row in (list(zip(workers, reports)) for reports in found)
    ]
    pictures = _same_size([scene(each, watched(scenario)) for each in traces])
    pages = [_verdicts(workers, reports) + picture for reports, picture in zip(found, pictures)]
    return Slider("workers", tuple(map(str, range(1, most + 1))), tuple(pages))


class Rest(Seed, Length, Weather, Recorded, total=False):
    """The conditions of `simulate` that the slider does not move."""


@about_a_scenario(instead={**MEASURED, "crashes_per_day": "The slider moves that: rates=(0, 1, 10)."})
@interruptible()
def crash_rate_slider(
    scenario: Scenario, *worker: Worker, rates: Sequence[float] = (0, 1, 10, 100, 1000), **conditions: Unpack[Rest]
) -> Slider:
    """A slider over the crashes per day of each worker: what `simulate` measures for each implementation.

    `conditions` are those of `simulate`. Raises Mistake for a list of functions, without `rates`, and as `simulate`
    does.
    """
    _check(worker)
    if isinstance(rates, str) or not isinstance(rates, Iterable) or not (chosen := [*rates]):
        raise Mistake(f"rates={show(rates)}: give the crashes a day to choose from, such as (0, 1, 10).")
    rates = [number("rates", rate) for rate in chosen]
    runs = [[scenario.simulate(one, crashes_per_day=rate, **conditions) for one in worker] for rate in rates]
    pages = tuple(_measured(worker, each) for each in runs)
    return Slider("crashes a day", tuple(f"{rate:g}" for rate in rates), pages)


def _check(workers: Sequence[Worker]) -> None:
    for name, worker in by_name(workers).items():
        if not callable(worker):
            raise Mistake(f"{name}: a slider shows implementations of one function each, and no list.")


def _same_size(scenes: Sequence[Scene]) -> list[str]:
    """The pictures, padded to the size of the largest, so that the page does not jump."""
    widest = max(one.width for one in scenes)
    height = round(PIXELS * max(map(panels_height, scenes)))
    return [f'<div style="min-height:{height}px">{live_svg(one, widest)}</div>' for one in scenes]


def _crashed(scenario: Scenario, workers: tuple[Worker, ...], step: int) -> Scene:
    traces: list[Trace] = [scenario.run(worker, crash_after=step or None) for worker in workers]
    return scene(traces, watched(scenario))


def _steps(scenario: Scenario, workers: tuple[Worker, ...]) -> list[str]:
    """The steps of the implementation with the most steps, in words."""
    runs = [[verb_of(event.op) for event in scenario.run(worker).events if event.op] for worker in workers]
    return max(runs, key=len)


def _verdicts(workers: tuple[Worker, ...], reports: Sequence[Report]) -> str:
    rows = [(name_of(worker), str(report).partition("\n")[0]) for worker, report in zip(workers, reports)]
    return _table(["", "verdict"], rows)


def _measured(workers: tuple[Worker, ...], runs: Sequence[Run]) -> str:
    head = ["", "completed", CRASHES, "median", "99 %", "first broken"]
    return _table(head, [(name_of(worker), *_figures(run)) for worker, run in zip(workers, runs)])


def _figures(run: Run) -> tuple[str, ...]:
    median, slow = run.latency(), run.latency(0.99)
    times = ("-", "-") if median is None or slow is None else (f"{median:.3g} s", f"{slow:.3g} s")
    broken = "never" if run.first_violation is None else f"after {span(run.first_violation)}: {run.broken}"
    return (f"{run.completed:,}", f"{run.counts[CRASHES]:,}", *times, broken.replace("_", " "))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heading = "".join(f'<th scope="col" {CELL}>{escape(word)}</th>' for word in head)
    body = "".join(
        f'<tr><th scope="row" {CELL}>{escape(row[0])}</th>'
        + "".join(f"<td {CELL}>{escape(word)}</td>" for word in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table>"
