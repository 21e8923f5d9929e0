"""The evidence table: what each check finds for each fault of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simlib.course.catalogue import BOUNDARIES, Catalogue
from simlib.course.debrief import SHORT
from simlib.text import plural
from simlib.views import style
from simlib.views.canvas import Canvas, sheet
from simlib.views.grid import Grid, Look
from simlib.views.picture import Drawn, Picture

TINTS = (style.LINE, "#56B4E9", "#E69F00", "#CC79A7", "#0072B2")
GAP = 0.14  # inches between boundaries
LETTER = 0.062  # inches per letter of a finding
SMALL = "One colour a finding, grey for the one that most faults give. A cell of two colours: the fault's runs differ."


@dataclass(frozen=True, repr=False)
class Evidence(Drawn):
    """What each check finds for each fault: `said[check][fault]` lists its findings. `print` gives the text."""

    said: Mapping[str, Mapping[str, list[str]]]
    picture: Picture

    def alone(self, check: str, finding: str) -> list[str]:
        """The faults for which this check can have this finding."""
        return [fault for fault, findings in self.said[check].items() if finding in findings]


def evidence(catalogue: Catalogue) -> Evidence:
    """Run every check on every fault, and draw the findings. Seeing it before playing spoils the game."""
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
    return Evidence(said, Picture(text, lambda: _draw(catalogue, said, words, title)))


def _findings(answers: Mapping[str, list[str]]) -> dict[str, int]:
    """The check's findings, and for how many faults each is possible; the most frequent first."""
    counts: dict[str, int] = {}
    for findings in answers.values():
        for finding in findings:
            counts[finding] = counts.get(finding, 0) + 1
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _draw(
    catalogue: Catalogue, said: Mapping[str, Mapping[str, list[str]]], words: Mapping[str, dict[str, int]], title: str
) -> Canvas:
    tints = {check: dict(zip(counts, TINTS * 3)) for check, counts in words.items()}
    rows = [f"{check.minutes:g} min  {check.name}" for check in catalogue.checks]
    grids: list[Grid] = []
    for boundary in BOUNDARIES:
        faults = [one.name for one in catalogue.faults if one.boundary == boundary]
        looks = [[Look(tuple(tints[check][one] for one in said[check][name])) for name in faults] for check in said]
        grids.append(Grid([] if grids else rows, faults, looks, (0.26, 0.26), gap=0.04, slanted=True))
    head, left, high = max(one.head for one in grids), grids[0].left, grids[0].height
    width = left + sum(one.width + GAP for one in grids)
    legends = max(sum(0.36 + LETTER * len(finding) for finding in counts) for counts in words.values())
    canvas, top = sheet(title, SMALL, width + legends + 0.2, head + high + 0.3)
    x, y = left, top + head
    for one, short in zip(grids, SHORT):
        one.draw(canvas, x, y)
        canvas.text(x + one.width / 2, y + high + 0.1, short, size=8, ha="center", color=style.QUIET)
        x += one.width + GAP
    for place, check in enumerate(said):
        _draw_legend(canvas, x + 0.05, y + high / len(said) * place, tints[check])
    return canvas


def _draw_legend(canvas: Canvas, x: float, y: float, tints: Mapping[str, str]) -> None:
    for finding, tint in tints.items():
        canvas.box(x, y + 0.07, 0.12, 0.12, fill=tint, radius=0)
        canvas.text(x + 0.17, y + 0.13, finding, size=7.5, color=style.QUIET)
        x += 0.36 + LETTER * len(finding)
