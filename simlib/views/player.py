"""The player: steps through runs event by event, with a crash at any moment, without a kernel.

Everything is computed here and embedded as data; the script only shows a moment. The initial HTML shows the last
moment, so that a page without scripts still has the finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simlib.arguments import named as described
from simlib.check import Report
from simlib.errors import Mistake
from simlib.model.system import System, roles_of
from simlib.resources.advisory_lock import AdvisoryLockState
from simlib.resources.lock import LockState
from simlib.scenario import Scenario, Workers, about_a_scenario, system_of
from simlib.schedule.replay import fork, play
from simlib.schedule.token import points
from simlib.schedule.trace import Trace
from simlib.text import listed, name_of, plural
from simlib.views.lanes import run_of, watched
from simlib.views.layout import MOST_LANES, scene
from simlib.views.markup import escape
from simlib.views.moments import Run, Source, Story, functions_of
from simlib.views.player_page import PlayerPage
from simlib.views.source import side_by_side, source_of

MOST_FORKED = 4000  # events of precomputed runs with a crash


@dataclass(frozen=True)
class Player:
    """The result of `player`. Jupyter shows an interactive page; `print` and `repr` give the traces as text.

    `stories[0]` has the runs themselves. `forks[m]` is the index of the story with a crash after the m-th event, None
    if a crash would lose nothing, and then `why[m]` says why.
    """

    stories: tuple[Story, ...]
    forks: tuple[int | None, ...]
    why: tuple[str, ...]
    small_print: str

    def __repr__(self) -> str:
        panels = (f"{panel.title}\n{panel.text}" for panel in self.stories[0].scene.panels)
        return "\n\n".join([*panels, self.small_print])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self.html()}

    def html(self, standalone: bool = False) -> str:
        """The player as a block of HTML, or a whole page with `standalone=True`. It needs no network and no kernel."""
        block = PlayerPage(self.stories, self.forks, self.why, self.small_print).html()
        if not standalone:
            return block
        title = escape(self.stories[0].scene.panels[0].title)
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
        return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body class="mfp-page">{block}</body></html>\n'


@about_a_scenario()
def player(scenario: Scenario, *workers: Workers, failure: Report | Trace | None = None) -> Player:
    """Step through the runs of one or two implementations event by event, and add a crash at any moment.

    `failure` is played on each of them, as in `scenario.replay`; without one, the run has no faults. A list of
    functions is one implementation with several roles. Raises Mistake if `failure` is not a report or a trace.
    """
    if not 1 <= len(workers) <= 2:
        raise Mistake(f"a player shows one or two implementations, and got {len(workers)}: player(scenario, charge).")
    played = [_played(scenario, worker, failure) for worker in workers]
    sources = _sources([system for system, _ in played])
    runs = tuple(Run(system, trace, source) for (system, trace), source in zip(played, sources))
    held = [name for name, state in runs[0].trace.initial.items() if isinstance(state, (LockState, AdvisoryLockState))]
    watch = watched(scenario, [*held, *(name for run in runs for name in run.trace.about)])[:MOST_LANES]
    no_fork: list[int | None] = [None]
    told = Story(runs, scene([run.trace for run in runs], watch))
    stories, forks, why, room = [told], no_fork, ["nobody has begun"], MOST_FORKED
    for number in range(1, told.length + 1):
        branch, reason = _fork(told, number, watch) if room > 0 else (None, "this run is too long to have them all")
        forks.append(len(stories) if branch else None)
        why.append(reason)
        if branch:
            stories.append(branch)
            room -= sum(len(run.trace.events) - number for run in branch.runs)
    return Player(tuple(stories), tuple(forks), tuple(why), _small_print(runs, failure))


def _played(scenario: Scenario, worker: Workers, failure: Report | Trace | None) -> tuple[System, Trace]:
    """The run of the failure on this implementation."""
    if failure is None:
        return system_of(scenario, worker, 1), scenario.run(worker)
    if not isinstance(failure, (Report, Trace)):
        raise Mistake(f"failure={described(failure)}: give a report or a trace.")
    if isinstance(failure, Trace):
        return system_of(scenario, worker), play(system_of(scenario, worker), points(failure))
    trace = run_of(failure, to="play")
    names = [name_of(role) for role in roles_of(worker)]
    counts = Counter(role.name for role in failure.system.cast.values()).values()
    system = system_of(scenario, worker, dict(zip(names, counts)))
    return system, play(system, points(trace))


def _sources(systems: Sequence[System]) -> list[Source]:
    """The sources, aligned line by line if each implementation is one function."""
    functions = [functions_of(system) for system in systems]
    if [len(each) for each in functions] != [1, 1]:
        panes = [[[(line, False) for line in source_of(function)] for function in each] for each in functions]
        return [Source(system, each) for system, each in zip(systems, panes)]
    rows = side_by_side(functions[0][0], functions[1][0])
    halves = ([(row.left, row.changed) for row in rows], [(row.right, row.changed) for row in rows])
    return [Source(system, [half]) for system, half in zip(systems, halves)]


def _fork(told: Story, number: int, watch: tuple[str, ...]) -> tuple[Story | None, str]:
    """The same runs with a crash after so many events, of whichever worker acted last; or why there is none."""
    runs, notes, reasons = [], [], []
    for run in told.runs:
        events = run.trace.events[:number]
        actors = (event.worker or (event.stalled or ("",))[0] for event in reversed(events))
        actor = next((worker for worker in actors if worker), "")
        over = len(events) < number or (run.trace.broken and number == len(run.trace.events))
        trace = fork(run.system, [event.move for event in events], actor) if actor and not over else None
        runs.append(Run(run.system, trace, run.source) if trace else run)
        notes += [trace.failure[sum(bool(event.move.fault) for event in events)]] if trace else []
        reasons += [] if over else [f"{actor or 'nobody'} has nothing to lose here"]
    if not notes:
        return None, (*reasons, "it is over")[0]
    return Story(tuple(runs), scene([run.trace for run in runs], watch), listed(list(dict.fromkeys(notes)))), ""


def _small_print(runs: Sequence[Run], failure: Report | Trace | None) -> str:
    trace, faults = runs[0].trace, runs[0].trace.describe_faults()
    where = f": {listed(trace.failure)}" if trace.failure else ""
    token = f' Again: replay("{failure.token}").' if isinstance(failure, Report) else ""
    return f"{plural(len(runs[0].system.cast), 'worker')}, {faults}{where}.{token} Each run is the engine's own."
