"""One table of what a room has done: `make progress ROOM=folder`, with everybody's progress.jsonl in the folder.

A file is called after whom it is of: `ann.jsonl`, or `ann/progress.jsonl`. The table is printed, and written into the
folder as progress.csv. Lines that make no sense, of a full disk or of another version, are counted and left out.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from simlib.views.exercises import DONE, FILE, NOT_YET, SIGNS, TRIED, Attempt, Lesson, attempts, lessons, states

FOLDER = Path(__file__).resolve().parent
TABLE = "progress.csv"
MOST_NAMED = 5  # exercises at which the room is


@dataclass(frozen=True)
class Person:
    """What somebody's file says: each exercise's state, and how many of its lines say nothing."""

    name: str
    states: dict[str, str]
    lost: int

    def state(self, exercise: str) -> str:
        return self.states.get(exercise, NOT_YET)


def main(room: str = "") -> int:
    folder = Path(room)
    if not room or not folder.is_dir():
        print("Which room? make progress ROOM=folder, and in the folder everybody's progress.jsonl, as ann.jsonl.")
        return 1
    people = gathered(folder)
    if not people:
        print(f"No .jsonl file in {folder}. Collect everybody's {FILE} there, called after whom it is of: ann.jsonl.")
        return 1
    course = with_strangers(lessons(FOLDER), people)
    print(text_of(course, people))
    try:
        (folder / TABLE).write_text(csv_of(course, people), encoding="utf-8", newline="")
        print(f"\nFor a spreadsheet: {folder / TABLE}")
    except OSError as error:
        print(f"\nNot written, {folder / TABLE}: {error.strerror}.")
    return 0


def gathered(folder: Path) -> list[Person]:
    """Everybody whose file is in the folder, or in a folder of their own in it."""
    noted: dict[str, list[Attempt]] = {}
    lost: Counter[str] = Counter()
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob(f"*/{FILE}")]):
        name = path.parent.name if path.parent != folder else path.stem
        known, torn = attempts(path)
        noted.setdefault(name, []).extend(known)
        lost[name] += torn
    return [Person(name, states(known), lost[name]) for name, known in sorted(noted.items())]


def with_strangers(course: list[Lesson], people: list[Person]) -> list[Lesson]:
    """The lessons, and exercises that only the files know: they are of another version of the course."""
    known = {name for lesson in course for name in lesson.exercises}
    strange = sorted({name for person in people for name in person.states} - known)
    return [*course, Lesson("··", "of another version", tuple(strange))] if strange else course


def text_of(course: list[Lesson], people: list[Person]) -> str:
    """A row a person, a sign an exercise; and at which exercises the room is."""
    names = [name for lesson in course for name in lesson.exercises]
    wide = max(map(len, ["name", *(person.name for person in people)]))
    head = "  ".join(f"{lesson.number:{len(lesson.exercises)}}" for lesson in course)
    lines = [f"{'name':{wide}}  {head}   done"]
    for person in people:
        signs = "  ".join(
            f"{''.join(SIGNS[person.state(name)] for name in lesson.exercises):2}" for lesson in course
        )
        done = sum(person.state(name) == DONE for name in names)
        torn = f"  ({person.lost} lines say nothing)" if person.lost else ""
        lines.append(f"{person.name:{wide}}  {signs}   {done} of {len(names)}{torn}")
    lines += ["", "   ".join(f"{sign} {state}" for state, sign in SIGNS.items()), _order(course)]
    stuck = Counter(name for person in people for name in names if person.state(name) == TRIED)
    if stuck:
        named = ", ".join(f"{name} ({count})" for name, count in stuck.most_common(MOST_NAMED))
        lines.append(f"Tried, and not done yet: {named}")
    return "\n".join(lines)


def _order(course: list[Lesson]) -> str:
    """Which sign is which: what most lessons have, and those that have something else."""
    kinds = {lesson.number: ", ".join(name.split()[1] for name in lesson.exercises) for lesson in course}
    usual = Counter(kinds.values()).most_common(1)[0][0]
    others = "; ".join(f"{number}: {kind}" for number, kind in kinds.items() if kind != usual)
    return f"Each lesson: {usual}." + (f" {others}." if others else "")


def csv_of(course: list[Lesson], people: list[Person]) -> str:
    """A row a person, a column an exercise."""
    names = [name for lesson in course for name in lesson.exercises]
    page = io.StringIO()
    table = csv.writer(page)
    table.writerow(["name", *names, "lines that say nothing"])
    for person in people:
        table.writerow([person.name, *(person.state(name) for name in names), person.lost])
    return page.getvalue()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
