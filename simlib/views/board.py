"""The board: one worker or several against each property of a scenario by itself."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from simlib.check import Report
from simlib.errors import Mistake
from simlib.model.system import by_name
from simlib.scenario import Scenario, Workers, about_a_scenario, asking_one
from simlib.schedule.budget import Question
from simlib.simulate.conditions import COUNTED
from simlib.text import listed, plural, show
from simlib.views import style
from simlib.views.drawing import Drawn, Picture
from simlib.views.page import Page
from simlib.watchdog import interruptible

NOTHING_STUCK = "nothing_gets_stuck"
ROW, CELL = 0.34, 1.9  # inches


@dataclass(frozen=True, repr=False)
class Board(Drawn):
    """Reports by worker and property. Jupyter shows a picture, `print` the text.

    A property is asked alone, so that one that is false does not hide another. `nothing_gets_stuck` is asked always:
    nobody waits for ever, goes round for ever while a property stays false, or dies of something that is no answer of
    an operation.
    """

    reports: Mapping[str, Mapping[str, Report]]
    picture: Picture

    def report(self, worker: str, claim: str) -> Report:
        """The search behind a cell. Raises Mistake where there is none."""
        if claim not in self.reports.get(worker, {}):
            claims = list(next(iter(self.reports.values())))
            raise Mistake(
                f"no cell for {show(worker)}, {show(claim)}: there are {listed(list(self.reports))}, {listed(claims)}."
            )
        return self.reports[worker][claim]

    def score(self, worker: str) -> int:
        """How many of the properties hold of this worker."""
        return sum(report.verdict == "holds" for report in self.reports[worker].values())


@about_a_scenario(instead=COUNTED)
@interruptible()
def board(scenario: Scenario, *worker: Workers, **question: Unpack[Question]) -> Board:
    """Ask each of the scenario's properties alone of each worker. `question` is what `scenario.explore` takes.

    Raises Mistake.
    """
    asked = _questions(scenario)
    reports = {name: _row(scenario, asked, one, question) for name, one in by_name(worker).items()}
    small = _small_print(next(iter(next(iter(reports.values())).values())))
    text = "\n".join([_title(reports), *_table(reports), small])
    return Board(reports, Picture(text, text.replace("\n", ". "), lambda: _draw(reports, small)))


def _questions(scenario: Scenario) -> dict[str, Scenario]:
    """A part of the scenario for each property, and one for none."""
    kinds = {"always": scenario.always, "eventually": scenario.eventually, "sometimes": scenario.sometimes}
    parts = {
        claim.name: asking_one(scenario, kind, claim.function) for kind, claims in kinds.items() for claim in claims
    }
    return {**parts, NOTHING_STUCK: asking_one(scenario)}


def _row(scenario: Scenario, asked: Mapping[str, Scenario], worker: Workers, question: Question) -> dict[str, Report]:
    """The answers for one worker. If all hold together, each of them does: one search answers all."""
    together = scenario.explore(worker, **question)
    if together.verdict == "holds":
        return dict.fromkeys(asked, together)
    row = {name: part.explore(worker, **question) for name, part in asked.items()}
    # Who goes round for ever so that a property stays false is stuck, too.
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
    """What a cell says. A search that ended in another defect has not decided about its own claim."""
    if report.verdict != "violated":
        return report.verdict
    with_ = report.counterexample.describe_faults() if report.counterexample else "never seen"
    if not _decided(claim, report):
        return f"{report.claim} first"
    said = {claim: "broken", "livelock": "for ever"} if claim != NOTHING_STUCK else {}
    return f"{said.get(report.claim or '', report.claim)}: {with_}"


def _decided(claim: str, report: Report) -> bool:
    """Whether the search that found something wrong found this wrong."""
    stays_false = report.claim == "livelock" and claim in [one.name for one in report.system.eventually]
    return claim in (report.claim, NOTHING_STUCK) or stays_false


def _table(reports: Mapping[str, Mapping[str, Report]]) -> list[str]:
    claims = list(next(iter(reports.values())))
    rows = [["", *reports], *([claim, *(_word(claim, row[claim]) for row in reports.values())] for claim in claims)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  " + "  ".join(f"{word:<{width}}" for word, width in zip(row, widths)).rstrip() for row in rows]


def _draw(reports: Mapping[str, Mapping[str, Report]], small: str) -> Page:
    claims = list(next(iter(reports.values())))
    left = 0.4 + 0.073 * max(map(len, claims))
    heads = {name: textwrap.wrap(name.replace(", ", ",\n"), 22, break_long_words=False) for name in reports}
    table = left + (CELL + 0.07) * len(reports) + 0.2
    titles = textwrap.wrap(_title(reports), max(60, int(table / 0.1)))
    top = 0.5 + 0.22 * len(titles) + 0.16 * max(map(len, heads.values()))
    width = max(table, 0.1 * max(map(len, titles)) + 0.4, 0.062 * len(small) + 0.4)
    page = Page(width, top + 0.1 + ROW * len(claims) + 0.4)
    for line, title in enumerate(titles):
        page.text(0.2, 0.26 + 0.22 * line, title, size=11, weight="bold", color=style.INK)
    for column, lines in enumerate(heads.values()):
        middle = left + (CELL + 0.07) * column + CELL / 2
        page.text(middle, top - 0.08, "\n".join(lines), size=9.5, ha="center", va="bottom", color=style.INK)
    for place, claim in enumerate(claims):
        y = top + ROW * place
        said = claim.replace("_", " ")
        page.text(left - 0.12, y + 0.14, said, size=9, ha="right", color=style.INK)
        for column, row in enumerate(reports.values()):
            _draw_cell(page, claim, row[claim], left + (CELL + 0.07) * column, y)
    page.text(0.2, top + 0.2 + ROW * len(claims), small, size=7.5, color=style.QUIET)
    return page


def _draw_cell(page: Page, claim: str, report: Report, x: float, y: float) -> None:
    own = _decided(claim, report)
    looks: dict[str, Any] = {"facecolor": style.GOOD_CELL}
    if report.verdict == "violated":
        looks = {"facecolor": style.RED if own else style.tint(style.RED)}
    elif report.verdict == "unfinished":
        looks = {"facecolor": style.LINE}
    page.box(x, y, CELL, 0.28, **looks)
    ink = style.PAPER if report.verdict == "violated" and own else style.QUIET
    sign = {"violated": "✖  ", "holds": "✔  "}.get(report.verdict, "")
    word = _word(claim, report).removeprefix("broken: ")
    page.text(x + CELL / 2, y + 0.14, sign + word, size=8, ha="center", color=ink)
