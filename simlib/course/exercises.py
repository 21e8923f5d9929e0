"""Records attempts at exercises in a file beside the notebooks. Nothing leaves the machine."""

from __future__ import annotations

import json
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from simlib.audit import Audit
from simlib.check import Report
from simlib.course.grading import Grade
from simlib.errors import Mistake
from simlib.files import json_of, opened, read
from simlib.schedule.trace import Trace
from simlib.text import listed, name_of, show

FILE = "progress.jsonl"
SWITCH = "MIDFLIGHT_PROGRESS"  # "off": nothing is recorded or read, for runs that are compared with saved ones
VERSION = 1
MOST_BYTES = 2_000_000  # of progress.jsonl: some ten thousand attempts
DONE, TRIED, NOT_YET = "done", "tried", "not yet"
NAME = re.compile(r"[0-9]{2} [a-z]{1,20}")

Result = TypeVar("Result")
Breaks = Callable[..., bool] | Sequence[Callable[..., bool]]


@dataclass(frozen=True)
class Attempt:
    """A line of the file. `code` is the same for the same attempt at the same exercise, `when` is in UTC."""

    exercise: str
    done: bool
    result: str = ""
    code: str = ""
    when: str = ""


def record(exercise: str, result: Result, of: int | None = None, breaks: Breaks = ()) -> Result:
    """Record the result of this exercise, `"02 defend"`, in progress.jsonl in the working folder; returns the result.

    An exercise is done by a grade or a report that holds, a run that violates the property it should (`breaks`, one per
    run; the outcome is printed), an audit that catches every broken worker, `of` points of `of`, or any other true
    value. A result that cannot be written is dropped silently: a lesson must not fail over its file. Raises Mistake if
    the name is not a lesson and an exercise, or if an attack does not name a property for each run.
    """
    if not isinstance(exercise, str) or not NAME.fullmatch(exercise):
        raise Mistake(f'record({show(exercise)}, ...): name lesson and exercise, as in record("02 defend", ...).')
    done, said = judged(result, of, breaks)
    if _runs(result):
        print(f"{exercise}: {'done' if done else 'not yet'}. {said}.")
    if not switched_off():
        lesson, name = exercise.split()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = {"version": VERSION, "lesson": lesson, "exercise": name, "done": done, "result": said}
        _append(Path(FILE), {**line, "code": _code(result), "when": now})
    return result


def judged(result: Any, of: int | None = None, breaks: Breaks = ()) -> tuple[bool, str]:
    """Whether this result completes an exercise, and a short description of it. Raises Mistake as `record` does."""
    runs = _runs(result)
    if runs:
        return _attacked(runs, [breaks] if callable(breaks) else list(breaks))
    if isinstance(result, Report):
        return result.verdict == "holds", result.verdict
    if isinstance(result, Grade):
        return result.done, f"{result.score} of {result.budgets}"
    if isinstance(result, Audit):
        return result.done, f"{result.score} of {result.total}"
    if of is not None:
        return result >= of, f"{result} of {of}"
    return bool(result), "done" if result else "not done"


def _runs(result: Any) -> list[Trace]:
    """The runs of an attack: one, or several."""
    runs = result if isinstance(result, (list, tuple)) else [result]
    return list(runs) if all(isinstance(run, Trace) for run in runs) else []


def _attacked(runs: list[Trace], breaks: list[Callable[..., bool]]) -> tuple[bool, str]:
    """Whether each run violated its own property: one that violates another belongs to a different exercise."""
    if len(runs) != len(breaks):
        raise Mistake("record(..., run, breaks=its_property): for each run, name the property that it is to break.")
    wanted = [name_of(claim) for claim in breaks]
    pairs = [(run.broken, name) for run, name in zip(runs, wanted) if run.broken != name]
    off = [f"{broken} broke instead of {name}" if broken else f"{name} did not break" for broken, name in pairs]
    return not off, "; ".join(off) or f"{listed(wanted)} broke"


def attempts(path: Path) -> tuple[list[Attempt], int]:
    """The file's attempts, and how many lines could not be read: torn, or not written by us.

    Raises OSError, also if it is not a regular file (a link, a FIFO) or larger than a learner could make it.
    """
    found, lost = [], 0
    for line in filter(None, read(path, MOST_BYTES).split(b"\n")):  # `_append` may leave empty lines
        try:
            found.append(_attempt(json_of(line)))
        except (ValueError, LookupError, TypeError):
            lost += 1
    return found, lost


def _attempt(noted: Any) -> Attempt:
    """Raises ValueError, LookupError or TypeError if it is not an attempt."""
    where = f"{noted['lesson']} {noted['exercise']}"
    if not isinstance(noted["done"], bool) or not NAME.fullmatch(where):
        raise ValueError(where)
    return Attempt(where, noted["done"], *(str(noted.get(name, "")) for name in ("result", "code", "when")))


def states(noted: Iterable[Attempt]) -> dict[str, str]:
    """The state of each exercise that was run: done if it ever was, tried if it was run in more than one way.

    Running a lesson from top to bottom runs its exercises as they stand, which is not an attempt.
    """
    codes: dict[str, set[str]] = {}
    done = set()
    for one in noted:
        codes.setdefault(one.exercise, set()).add(one.code)
        if one.done:
            done.add(one.exercise)
    return {name: DONE if name in done else TRIED if len(ways) > 1 else NOT_YET for name, ways in codes.items()}


def switched_off() -> bool:
    """Whether recording and reading are switched off."""
    return os.environ.get(SWITCH, "").lower() == "off"


def _code(result: object) -> str:
    """A hash of this attempt: the cell's text and its result."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cell = shell.user_ns.get("In", [""])[-1] if shell else ""
    return format(zlib.crc32(f"{cell}\n{result!r}".encode("utf-8", "surrogatepass")), "08x")


def _append(path: Path, line: Mapping[str, Any]) -> None:
    """Append a line in one write, so that two kernels keep their lines apart. It survives the kernel's death. A line
    torn before, by a full disk, stays on its own.
    """
    text = json.dumps(line) + "\n"
    try:
        with os.fdopen(opened(path, os.O_RDWR | os.O_APPEND | os.O_CREAT), "a+b", buffering=0) as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else f"\n{text}"
            file.write(text.encode())
    except OSError:
        pass  # a read-only folder, a full disk, a FIFO in its place: the lesson continues
