"""Keeps a sweep's records in a file: JSON, one record a line, after a first line that describes the sweep."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from typing import Any

from simlib.errors import Mistake
from simlib.files import Odd, check_ordinary, json_of, why
from simlib.sweep.chunk import FIGURES, Record, RunId
from simlib.sweep.identity import describe, digest, of_simlib
from simlib.sweep.plan import Plan
from simlib.text import listed, show

SYNC_EVERY = 1.0  # seconds
CLAIMS = ("always", "eventually", "sometimes")
BEGINNING = b'{"sweep": {"python":'
MOST_COUNTED = 2**63 - 1  # the most that a table's column can hold
IN_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
Asked = dict[str, str]


class Store:
    """`known` has the records that the file held when opened; `add` appends more."""

    def __init__(self, plan: Plan, name: str = "", file: FileIO | None = None) -> None:
        self.name = name
        self.known = {} if file is None else _read(file, name, plan)
        self._file = file
        self._synced = time.monotonic()

    def add(self, records: Collection[Record], last: bool = False) -> None:
        """Append the records in one write. Raises OSError if that fails."""
        if self._file is None:
            return
        _write(self._file, records)
        if last or time.monotonic() - self._synced > SYNC_EVERY:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()


@contextmanager
def open_store(plan: Plan, to: str | os.PathLike[str] | None) -> Iterator[Store]:
    """Open the plan's file, to start it or to resume. Raises Mistake if it holds anything but this sweep, or a line
    that is not a record of this plan.
    """
    if to is None:
        yield Store(plan)
        return
    with ExitStack() as until_the_end:
        try:
            try:
                name = os.path.basename(os.fsdecode(to))
                file = until_the_end.enter_context(FileIO(to, "a+"))
            except (TypeError, ValueError):
                raise Mistake(f'to={show(to)}: give the name of a file, such as to="found.jsonl".') from None
            check_ordinary(os.fstat(file.fileno()))
            _lock(file)
            store = Store(plan, name, file)
            os.fsync(file.fileno())
            if os.name == "posix":  # or a power loss could undo the file's creation
                folder = os.open(os.path.dirname(os.path.abspath(to)), os.O_RDONLY)
                until_the_end.callback(os.close, folder)
                os.fsync(folder)
        except OSError as error:
            raise Mistake(f"to={name}: {why(error)}.") from None
        yield store


def _lock(file: FileIO) -> None:
    """Raises OSError if another process holds it: two sweeps would each do all of the work."""
    with suppress(ImportError):  # Windows
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(error.errno, "another sweep is writing to it") from None


def _asked(plan: Plan) -> Asked:
    """Everything that must be equal for records to belong together: all but the seeds."""
    scenario = plan.scenario
    groups: dict[str, Mapping[str, Any]] = {
        "resource": scenario.resources,
        "value": scenario.values,
        **{kind: {claim.name: claim.function for claim in getattr(scenario, kind)} for kind in CLAIMS},
        "worker": plan.workers,
        "condition": plan.conditions,
    }
    things = {
        "workers of each": scenario.workers,
        "restarts": scenario.restarts,
        "parameters": plan.shown,
        "what the parameters are": plan.cells,
        **{f"{kind} {name}": thing for kind, group in groups.items() for name, thing in group.items()},
    }
    python = "{}.{}".format(*sys.version_info)
    return {
        "python": python,
        "simlib": of_simlib(),
        **{name: _short(describe(thing)) for name, thing in things.items()},
    }


def _differences(there: Asked, here: Asked) -> str:
    said = []
    for name in {**there, **here}:
        if name not in there or name not in here:
            said.append(f"{name} is only {'here' if name in here else 'there'}")
        elif there[name] != here[name] and name.partition(" ")[0] in ("simlib", "worker", *CLAIMS):
            said.append(f"{name} is other code")
        elif there[name] != here[name]:
            said.append(f"{name} is {_short(there[name])} there and {here[name]} here")
    return listed(said) + "."


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]}… ({digest(text)})"


def _read(file: FileIO, name: str, plan: Plan) -> dict[RunId, Record]:
    """The file's records. A last line torn by a crash is cut off, and its run is made again.

    Raises Mistake, before changing anything, if the file holds anything else.
    """
    asked = _asked(plan)
    known: dict[RunId, Record] = {}
    with open(file.fileno(), "rb", closefd=False) as lines:
        lines.seek(0)
        head = lines.readline()
        if not head.endswith(b"\n") and BEGINNING.startswith(head[: len(BEGINNING)]):
            file.truncate(0)
            _write(file, [{"sweep": asked}])
            return known
        _check_head(head, name, asked)
        for number, line in enumerate(lines, start=2):
            if not line.endswith(b"\n"):
                file.truncate(lines.tell() - len(line))
            else:
                _note(line, f"to={name}, line {number}", plan, known)
    return known


def _check_head(head: bytes, name: str, asked: Asked) -> None:
    """Raise Mistake unless the first line describes this sweep."""
    try:
        there = json_of(head)["sweep"]
        known = head.endswith(b"\n") and all(isinstance(said, str) for said in there.values())
    except (ValueError, LookupError, TypeError, AttributeError):
        known = False
    if not known:
        raise Mistake(f"to={name}: there is something in it that is no sweep. Give another name.")
    if there != asked:
        raise Mistake(f"to={name} has another sweep in it. {_differences(there, asked)} Give another name.")


def _note(line: bytes, where: str, plan: Plan, known: dict[RunId, Record]) -> None:
    """Add this line's record if the plan includes it. A damaged line, which is not JSON, is skipped."""
    try:
        record = record_of(json_of(line), plan.types)
        run = plan.run_of(record)
        if run is not None and known.setdefault(run, record) != record:
            raise Odd("a line above has another record of the same run, so delete that one too")
    except Odd as odd:
        raise Mistake(f"{where}: {odd}. Delete the line, and its run is made again; or give another name.") from None
    except ValueError:
        return


def record_of(found: Any, types: Mapping[str, type]) -> Record:
    """The record that was read, with its fields in order. Raises Odd, naming the field, if one has another type."""
    if not isinstance(found, dict):
        raise Odd(f"it is {show(found)}, and no record")
    for name in (*found, *types):
        if name not in types:
            raise Odd(f"`{name}` is no field of a record")
        if name not in found:
            raise Odd(f"`{name}` is missing")
    return {name: _field(name, found[name], kind) for name, kind in types.items()}


def _field(name: str, value: Any, kind: Any) -> Any:
    if value is None and kind is float:
        return math.nan  # JSON has no nan
    if type(value) is not kind:
        raise Odd(f"`{name}` is {show(value)}, and not {IN_WORDS[kind]}")
    if kind is float and math.isinf(value) and name in FIGURES:
        raise Odd(f"`{name}` is {show(value)}, and no run measures that")
    if kind is int and not 0 <= value <= MOST_COUNTED and name in FIGURES:
        raise Odd(f"`{name}` is {show(value)}, and a count is none of these")
    return value


def _write(file: FileIO, lines: Collection[Mapping[str, object]]) -> None:
    """Append these lines as JSON, with null for nan, which JSON lacks."""
    text = "".join(json.dumps({name: it if it == it else None for name, it in line.items()}) + "\n" for line in lines)
    data = memoryview(text.encode())
    while data:
        data = data[os.write(file.fileno(), data) :]
