"""One table of what a room has done: `make progress ROOM=folder`, with everybody's progress.jsonl in the folder.

A file is called after whom it is of: `ann.jsonl`, or `ann/progress.jsonl`. The table is printed, and written into the
folder as progress.csv. Lines that make no sense, of a full disk or of another version, are counted and left out. A file
that cannot be read, or is no ordinary file, costs a line that names it.
"""

from __future__ import annotations

import csv
import io
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simlib.course.exercises import DONE, FILE, NOT_YET, TRIED, Attempt, attempts, states
from simlib.course.progress_map import SIGNS, Lesson, lessons
from simlib.files import why
from simlib.text import plural, printable, show

FOLDER = Path(__file__).resolve().parent
TABLE = "progress.csv"
ENDING = ".jsonl"
MOST_NAMED = 5  # exercises at which the room is
MOST_STRANGE = 20  # exercises of one file that no lesson has: of another version there are a few
LONGEST_NAME = 40  # letters
# A spreadsheet takes a cell for a formula that begins like this, and where the comma is no separator, a part of one.
FORMULA = re.compile("(^|;)(?=[ '\"]*[=+@＝＋－＠-])")


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
    course = lessons(FOLDER)
    people, left_out = gathered(folder, {name for lesson in course for name in lesson.exercises})
    if people:
        course = with_strangers(course, people)
        print(text_of(course, people))
    else:
        where = printable(str(folder))
        print(f"No .jsonl file in {where}. Collect everybody's {FILE} there, called after whom it is of: ann.jsonl.")
    for line in left_out:
        print(f"Left out, {line}")
    if people:
        print(f"\n{written(folder / TABLE, csv_of(course, people))}")
    return 0 if people else 1


def gathered(folder: Path, known: set[str]) -> tuple[list[Person], list[str]]:
    """Everybody whose file is in the folder, or in a folder of their own in it; and what was left out, with why."""
    noted: dict[str, list[Attempt]] = {}
    lost: Counter[str] = Counter()
    left_out = []
    for path, name in files_in(folder):
        try:
            found, torn = _checked(path, name, known)
        except OSError as error:
            left_out.append(f"{show(str(path.relative_to(folder)), 2 * LONGEST_NAME)}: {why(error)}.")
            continue
        noted.setdefault(name, []).extend(found)
        lost[name] += torn
    return [Person(name, states(known), lost[name]) for name, known in sorted(noted.items())], left_out


def files_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """What is in the folder that may be somebody's file, and after whom it is called. No link is followed."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        inner = Path(entry.path, FILE)
        if entry.is_dir(follow_symlinks=False) and _is_there(inner):
            yield inner, entry.name
        elif entry.name.endswith(ENDING):
            yield Path(entry.path), entry.name.removesuffix(ENDING)
        elif entry.is_symlink() and entry.name != TABLE:  # to somebody's folder, maybe
            yield Path(entry.path), entry.name


def _is_there(path: Path) -> bool:
    """Whether something is there, or may be: in a folder that cannot be looked into, that is said later."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _checked(path: Path, name: str, known: set[str]) -> tuple[list[Attempt], int]:
    """What somebody has noted. Raises OSError, with what is wrong with the file."""
    if not name.strip():
        raise OSError(0, "it is called after nobody")
    found, torn = attempts(path)
    strange = {one.exercise for one in found} - known
    if len(strange) > MOST_STRANGE:
        raise OSError(0, f"it has {plural(len(strange), 'exercise')} that no lesson has")
    return found, torn


def with_strangers(course: list[Lesson], people: list[Person]) -> list[Lesson]:
    """The lessons, and exercises that only the files know: they are of another version of the course."""
    known = {name for lesson in course for name in lesson.exercises}
    strange = sorted({name for person in people for name in person.states} - known)
    return [*course, Lesson("··", "of another version", tuple(strange))] if strange else course


def text_of(course: list[Lesson], people: list[Person]) -> str:
    """A row a person, a sign an exercise; and at which exercises the room is."""
    names = [name for lesson in course for name in lesson.exercises]
    called = [_clipped(printable(person.name)) for person in people]
    wide = max(map(len, ["name", *called]))
    head = "  ".join(f"{lesson.number:{len(lesson.exercises)}}" for lesson in course)
    lines = [f"{'name':{wide}}  {head}   done"]
    for who, person in zip(called, people):
        signs = "  ".join(f"{''.join(SIGNS[person.state(name)] for name in lesson.exercises):2}" for lesson in course)
        done = sum(person.state(name) == DONE for name in names)
        torn = f"  ({person.lost} lines say nothing)" if person.lost else ""
        lines.append(f"{who:{wide}}  {signs}   {done} of {len(names)}{torn}")
    lines += ["", "   ".join(f"{sign} {state}" for state, sign in SIGNS.items()), _order(course)]
    stuck = Counter(name for person in people for name in names if person.state(name) == TRIED)
    if stuck:
        named = ", ".join(f"{name} ({count})" for name, count in stuck.most_common(MOST_NAMED))
        lines.append(f"Tried, and not done yet: {named}")
    return "\n".join(lines)


def _clipped(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


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
        table.writerow([_cell(person.name), *(person.state(name) for name in names), person.lost])
    return page.getvalue()


def _cell(text: str) -> str:
    """Text that no spreadsheet executes: an apostrophe before it says that it is text."""
    return FORMULA.sub(r"\1'", printable(text))


def written(path: Path, table: str) -> str:
    """Write the table, and say so. A new file takes the place of what is there: a link is not written through."""
    where = printable(str(path))
    try:
        file, name = tempfile.mkstemp(dir=path.parent)
        try:
            with open(file, "w", encoding="utf-8", newline="") as page:
                page.write(table)
            mask = os.umask(0o077)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)  # as any new file; mkstemp's is for its owner alone
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise
    except OSError as error:
        return f"Not written, {where}: {why(error)}."
    return f"For a spreadsheet: {where}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
