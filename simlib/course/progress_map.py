"""The progress map of a course: the exercises of its lessons, and whether each is done, tried or untouched."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlib.course.exercises import DONE, FILE, NOT_YET, TRIED, attempts, states, switched_off
from simlib.files import json_of, read
from simlib.text import plural, printable
from simlib.views.markup import escape

MOST_NOTEBOOK_BYTES = 50_000_000
SIGNS = {DONE: "●", TRIED: "◐", NOT_YET: "○"}
RECORDED = re.compile(r'\brecord\("(\d\d [a-z]+)"')
TITLE = re.compile(r"^# \d\d · (.*)$", re.M)
PLACE = 9  # the longest exercise's name plus one, in characters
NO_LESSONS = "No lessons can be seen in this folder, so there is no map of them."
CELL = "padding:2px 14px 2px 0;white-space:nowrap"
PLAIN = f'style="text-align:left;font-weight:normal;{CELL}"'  # only done exercises are bold
STYLE = f'style="text-align:left;{CELL}"'


@dataclass(frozen=True)
class Lesson:
    """A lesson's number, its title, and its exercises in order."""

    number: str
    title: str
    exercises: tuple[str, ...]


def lessons(folder: Path) -> list[Lesson]:
    """The lessons in a folder. Their exercises are those that their cells record."""
    found = []
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        try:
            found.append(_lesson(path, json_of(read(path, MOST_NOTEBOOK_BYTES))))
        except (OSError, ValueError, LookupError, TypeError):
            continue  # being saved, or not a notebook
    return found


def _lesson(path: Path, notebook: Any) -> Lesson:
    texts: dict[str, list[str]] = {kind: [] for kind in ("code", "markdown", "raw")}
    for cell in notebook["cells"]:
        texts[cell["cell_type"]].append("".join(cell["source"]))
    title = TITLE.search("\n".join(texts["markdown"]))
    names = dict.fromkeys(RECORDED.findall("\n".join(texts["code"])))
    return Lesson(path.name[:2], printable(title[1] if title else path.stem[3:]), tuple(names))


@dataclass(frozen=True)
class Progress:
    """The map of a course: each lesson's exercises and their states."""

    course: tuple[Lesson, ...]
    states: Mapping[str, str]
    note: str = ""

    def state(self, exercise: str) -> str:
        """Done, tried or not yet."""
        return self.states.get(exercise, NOT_YET)

    @property
    def sentence(self) -> str:
        """The progress in a sentence."""
        names = [name for lesson in self.course for name in lesson.exercises]
        done = sum(self.state(name) == DONE for name in names)
        said = f"{done} of {plural(len(names), 'exercise')} done."
        return f"{said} {self.note}" if self.note else said

    def __repr__(self) -> str:
        if not self.course:
            return NO_LESSONS
        wide = max(len(lesson.title) for lesson in self.course)
        rows = [f"{lesson.number}  {lesson.title:{wide}}  {self._signs(lesson)}".rstrip() for lesson in self.course]
        legend = "   ".join(f"{sign} {state}" for state, sign in SIGNS.items())
        return "\n".join([self.sentence, "", *rows, "", legend])

    def _signs(self, lesson: Lesson) -> str:
        return "  ".join(f"{SIGNS[self.state(name)]} {name[3:]:{PLACE}}" for name in lesson.exercises)

    def _repr_html_(self) -> str:
        most = max((len(lesson.exercises) for lesson in self.course), default=0)
        rows = []
        for lesson in self.course:
            cells = [_cell(name[3:], self.state(name)) for name in lesson.exercises]
            cells += [f"<td {STYLE}></td>"] * (most - len(cells))
            head = f'<td {STYLE}>{lesson.number}</td><th scope="row" {PLAIN}>{escape(lesson.title)}</th>'
            rows.append(f"<tr>{head}{''.join(cells)}</tr>")
        legend = " &nbsp; ".join(f"{sign} {state}" for state, sign in SIGNS.items())
        table = f"<table><tbody>{''.join(rows)}</tbody></table>"
        return f"<p>{escape(self.sentence)}</p>{table}<p>{legend}</p>" if self.course else escape(repr(self))


def _cell(name: str, state: str) -> str:
    weight = "bold" if state == DONE else "normal"
    told = f'<span aria-hidden="true">{SIGNS[state]}</span> <span style="font-weight:{weight}">{escape(name)}</span>'
    return f'<td {STYLE} title="{state}" aria-label="{escape(name)}: {state}">{told}</td>'


def progress() -> Progress:
    """The map of the lessons in the working folder, from this folder's progress.jsonl."""
    file, known, note = Path(FILE), {}, ""
    if not switched_off():
        try:
            known = states(attempts(file)[0])
            writable = os.access(file, os.W_OK)
        except FileNotFoundError:
            writable = os.access(file.absolute().parent, os.W_OK)
        except OSError:
            writable, note = True, f"{FILE} cannot be read."
        if not writable:
            note = "Nothing can be written into this folder, so your results are not kept."
    return Progress(tuple(lessons(Path())), known, note)
