"""The board: workers against each property of a scenario on its own."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Unpack

from simlib.check import Report
from simlib.errors import Mistake
from simlib.model.system import by_name
from simlib.scenario import Scenario, Workers, about_a_scenario, asking_one, one_question
from simlib.schedule.budget import Question
from simlib.simulate.conditions import COUNTED
from simlib.text import listed, plural, show
from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.grid import LOOKS, Grid, Look, aligned
from simlib.views.picture import Drawn, Picture

NOTHING_STUCK = "nothing_gets_stuck"


@dataclass(frozen=True, repr=False)
class Board(Drawn):
    """Reports by worker and property. Jupyter shows a picture, `print` the text.

    Each property is checked on its own, so that a false one does not hide another. `nothing_gets_stuck` is always
    checked: nobody waits forever, loops forever while a property stays false, or dies of an error that is not an
    operation's answer.
    """

    reports: Mapping[str, Mapping[str, Report]]
    picture: Picture

    def report(self, worker: str, claim: str) -> Report:
        """The search behind a cell. Raises Mistake if there is none."""
        if claim not in self.reports.get(worker, {}):
            claims = list(next(iter(self.reports.values())))
            raise Mistake(
                f"no cell for {show(worker)}, {show(claim)}: there are {listed(list(self.reports))}, {listed(claims)}."
            )
        return self.reports[worker][claim]

    def score(self, worker: str) -> int:
        """How many of the properties hold for this worker."""
        return sum(report.verdict == "holds" for report in self.reports[worker].values())


@about_a_scenario(instead=COUNTED)
@one_question
def board(scenario: Scenario, *worker: Workers, **question: Unpack[Question]) -> Board:
    """Check each of the scenario's properties on its own for each worker. `question` is what `scenario.explore` takes.

    Raises Mistake whenever `explore` would.
    """
    asked = _questions(scenario)
    reports = {name: _row(scenario, asked, one, question) for name, one in by_name(worker).items()}
    small = _small_print(next(iter(next(iter(reports.values())).values())))
    title = _title(reports)
    table = [["", *reports], *([claim, *(_word(claim, row[claim]) for row in reports.values())] for claim in asked)]
    text = "\n".join([title, *aligned(table), small])
    return Board(reports, Picture(text, lambda: _draw(title, reports, small)))


def _questions(scenario: Scenario) -> dict[str, Scenario]:
    """The scenario with one property, for each of them, and with none."""
    kinds = {"always": scenario.always, "eventually": scenario.eventually, "sometimes": scenario.sometimes}
    parts = {
        claim.name: asking_one(scenario, kind, claim.function) for kind, claims in kinds.items() for claim in claims
    }
    return {**parts, NOTHING_STUCK: asking_one(scenario)}


def _row(scenario: Scenario, asked: Mapping[str, Scenario], worker: Workers, question: Question) -> dict[str, Report]:
    """The reports for one worker. If all properties hold together, each holds, so that one search answers them all."""
    together = scenario.explore(worker, **question)
    if together.verdict == "holds":
        return dict.fromkeys(asked, together)
    row = {name: part.explore(worker, **question) for name, part in asked.items()}
    # A worker that loops forever while a property stays false counts as stuck.
    endless = next((report for report in row.values() if report.claim == "livelock"), None)
    if endless and row[NOTHING_STUCK].verdict == "holds":
        row[NOTHING_STUCK] = endless
    return row


def _small_print(report: Report) -> str:
    workers = plural(len(report.system.cast), "worker")
    return f"Each property alone; every order of the atomic steps of {workers}, with {report.budget}."


def _title(reports: Mapping[str, Mapping[str, Report]]) -> str:
    said = [
        f"{name}: {sum(report.verdict == 'holds' for report in row.values())} of {len(row)} hold"
        for name, row in reports.items()
    ]
    return "; ".join(said)


def _word(claim: str, report: Report) -> str:
    """What a cell says. A search that found another defect has not decided its own property."""
    if report.verdict != "violated":
        return report.verdict
    with_ = report.counterexample.describe_faults() if report.counterexample else "never seen"
    if not _decided(claim, report):
        return f"{report.claim} first"
    said = {claim: "broken", "livelock": "for ever"} if claim != NOTHING_STUCK else {}
    return f"{said.get(report.claim or '', report.claim)}: {with_}"


def _decided(claim: str, report: Report) -> bool:
    """Whether a search that found a violation found one of this property."""
    stays_false = report.claim == "livelock" and claim in [one.name for one in report.system.eventually]
    return claim in (report.claim, NOTHING_STUCK) or stays_false


def _draw(title: str, reports: Mapping[str, Mapping[str, Report]], small: str) -> Canvas:
    claims = list(next(iter(reports.values())))
    heads = ["\n".join(textwrap.wrap(name.replace(", ", ",\n"), 24, break_long_words=False)) for name in reports]
    looks = [[_look(claim, row[claim]) for row in reports.values()] for claim in claims]
    grid = Grid([claim.replace("_", " ") for claim in claims], heads, looks, (1.9, 0.28), size=8)
    canvas, top = sheet(title, small, grid.left + grid.width + 0.2, grid.head + grid.height)
    grid.draw(canvas, grid.left, top + grid.head)
    return canvas


def _look(claim: str, report: Report) -> Look:
    sign = {"violated": "✖  ", "holds": "✔  "}.get(report.verdict, "")
    words = sign + _word(claim, report).removeprefix("broken: ")
    if report.verdict == "violated" and not _decided(claim, report):
        return Look((style.tint(style.RED),), words)
    return replace(LOOKS[report.verdict], words=words)
