"""What each check says of each fault: the whole catalogue at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simlib.course.catalogue import BOUNDARIES, Catalogue
from simlib.course.debrief import SHORT
from simlib.text import plural
from simlib.views import style
from simlib.views.drawing import Drawn, Picture, draw_notes
from simlib.views.page import Page

TINTS = (style.LINE, "#56B4E9", "#E69F00", "#CC79A7", "#0072B2")
ROW, CELL, LABELS, GAP = 0.3, 0.3, 1.75, 0.14  # inches
LETTER = 0.062  # inches of a finding's name
SMALL = "One colour a finding, grey for the one that most faults give. A cell of two colours: the fault's runs differ."


@dataclass(frozen=True, repr=False)
class Evidence(Drawn):
    """What each check says of each fault: `said[check][fault]` are its findings. `print` gives the text."""

    said: Mapping[str, Mapping[str, list[str]]]
    picture: Picture

    def alone(self, check: str, finding: str) -> list[str]:
        """The faults of which this check can say this."""
        return [fault for fault, findings in self.said[check].items() if finding in findings]


def evidence(catalogue: Catalogue) -> Evidence:
    """Ask every check of every fault, and draw the answers. Whoever looks at it before playing spoils the game."""
    said = {check.name: catalogue.said(check) for check in catalogue.checks}
    words = {name: _findings(answers) for name, answers in said.items()}
    title = f"{plural(len(said), 'check')}, {plural(len(catalogue.faults), 'fault')}"
    if all(count > 1 for counts in words.values() for count in counts.values()):
        title += ": none of the findings is of one fault alone"
    lines = [title]
    for check in catalogue.checks:
        counted = ", ".join(f"{finding} ({count})" for finding, count in words[check.name].items())
        lines.append(f"  {check.minutes:>2g} min  {check.name}: {counted}")
    lines.append("In brackets: of how many faults it can say so.")
    text = "\n".join(lines)
    return Evidence(said, Picture(text, text.replace("\n", ". "), lambda: _draw(catalogue, said, words, title)))


def _findings(answers: Mapping[str, list[str]]) -> dict[str, int]:
    """The check's findings and of how many faults it can give each; the most frequent first."""
    counts: dict[str, int] = {}
    for findings in answers.values():
        for finding in findings:
            counts[finding] = counts.get(finding, 0) + 1
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _draw(
    catalogue: Catalogue, said: Mapping[str, Mapping[str, list[str]]], words: Mapping[str, dict[str, int]], title: str
) -> Page:
    groups = [[one.name for one in catalogue.faults if one.boundary == boundary] for boundary in BOUNDARIES]
    columns: dict[str, float] = {}
    x, top = 0.2 + LABELS, 1.8
    bottom = top + ROW * len(said)
    width = x + CELL * len(catalogue.faults) + GAP * len(groups)
    page = Page(width + max(_legend_width(counts) for counts in words.values()), bottom + 0.6)
    page.text(0.2, 0.28, title, size=11, weight="bold", color=style.INK)
    for group, short in zip(groups, SHORT):
        middle = x + CELL * len(group) / 2
        page.text(middle, bottom + 0.1, short, size=8, ha="center", color=style.QUIET)
        for place, fault in enumerate(group):
            columns[fault] = x + CELL * place
            how: dict[str, Any] = {"size": 7.5, "rotation": 40, "va": "baseline", "color": style.INK}
            page.text(columns[fault] + 0.16, top - 0.06, fault, **how)
        x += CELL * len(group) + GAP
    for place, check in enumerate(catalogue.checks):
        y = top + ROW * place
        page.text(0.2, y + 0.13, f"{check.minutes:g} min  {check.name}", size=8.5, color=style.INK)
        tints = dict(zip(words[check.name], TINTS * 3))
        _draw_cells(page, said[check.name], columns, y, tints)
        _draw_legend(page, x + 0.05, y, tints)
    draw_notes(page, SMALL, 0.2, bottom + 0.38)
    return page


def _draw_cells(
    page: Page, answers: Mapping[str, list[str]], columns: Mapping[str, float], y: float, tints: Mapping[str, str]
) -> None:
    for fault, findings in answers.items():
        for number, finding in enumerate(findings):
            height = 0.26 / len(findings)
            corner = (columns[fault], y + height * number)
            page.box(*corner, CELL - 0.04, height, facecolor=tints[finding], rounded=False)


def _draw_legend(page: Page, x: float, y: float, tints: Mapping[str, str]) -> None:
    for finding, tint in tints.items():
        page.box(x, y + 0.07, 0.12, 0.12, facecolor=tint, rounded=False)
        page.text(x + 0.17, y + 0.13, finding, size=7.5, color=style.QUIET)
        x += 0.36 + LETTER * len(finding)


def _legend_width(counts: Mapping[str, int]) -> float:
    return 0.2 + sum(0.36 + LETTER * len(finding) for finding in counts)
