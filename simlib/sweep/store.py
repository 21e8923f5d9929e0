"""Records in a file: JSON, a record a line, below a first line that says what was asked."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from simlib.errors import Mistake
from simlib.sweep.identity import describe, digest, of_simlib
from simlib.sweep.plan import Plan
from simlib.sweep.record import FIGURES, NAN, Record
from simlib.values import listed

SYNC_EVERY = 1.0  # seconds
About = dict[str, str]


class Store:
    """`known` is what was in it when it was opened, by place; `add` writes."""

    def __init__(self, plan: Plan, name: str = "", file: int | None = None, known: Iterable[Record] = ()) -> None:
        self.name = name
        self._file = file
        self._synced = time.monotonic()
        places = ((plan.place(record), record) for record in known)
        self.known = {place: record for place, record in places if place is not None}

    def add(self, records: Iterable[Record], last: bool = False) -> None:
        """Append them, with one write. Raises OSError where that cannot be done."""
        if self._file is None:
            return
        _write(self._file, records)
        if last or time.monotonic() - self._synced > SYNC_EVERY:
            os.fsync(self._file)
            self._synced = time.monotonic()


@contextmanager
def open_store(plan: Plan, to: str | os.PathLike[str] | None) -> Iterator[Store]:
    """The file of this plan, new or gone on with. Raises Mistake where it is of another sweep, or of none."""
    if to is None:
        yield Store(plan)
        return
    name = os.path.basename(to)
    try:
        file = os.open(to, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise Mistake(f"to={name}: {error.strerror}.") from None
    try:
        _lock(file, name)
        try:
            known = _read(file, name, about(plan))
            os.fsync(file)
            _sync_folder(os.path.dirname(os.path.abspath(to)))  # or a power loss could take the file's name
        except OSError as error:
            raise Mistake(f"to={name}: {error.strerror}.") from None
        yield Store(plan, name, file, known)
    finally:
        os.close(file)


def _sync_folder(folder: str) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def about(plan: Plan) -> About:
    """What has to be the same for its records to go together: all but the seeds."""
    scenario = plan.scenario
    told = {
        "python": "{}.{}".format(*sys.version_info),
        "simlib": of_simlib(),
        "workers of each": _short(describe(scenario.workers)),
        "parameters": _short(describe(plan.shown)),
        "what the parameters are": _short(describe(plan.cells)),
    }
    for name, resource in scenario.resources.items():
        told[f"resource {name}"] = _short(describe(resource))
    for name, value in scenario.values.items():
        told[f"value {name}"] = _short(describe(value))
    for kind in ("always", "eventually", "sometimes"):
        for claim in getattr(scenario, kind):
            told[f"{kind} {claim.name}"] = digest(describe(claim.function))
    for name, worker in plan.workers.items():
        told[f"worker {name}"] = digest(describe(worker))
    for name, value in plan.conditions.items():
        told[f"condition {name}"] = _short(describe(value))
    return told


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]}… ({digest(text)})"


def _lock(file: int, name: str) -> None:
    """Two sweeps into one file would each do all of the work."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Mistake(f"to={name}: another sweep is writing to it.") from None


def _read(file: int, name: str, now: About) -> list[Record]:
    """The records that are there. A last line that was torn by a crash is cut off; its run is made again."""
    with os.fdopen(os.dup(file), "rb") as whole:
        whole.seek(0)
        lines = whole.read().split(b"\n")
    torn = lines.pop()
    head = _object(lines[0] if lines else torn)
    if not lines and (not torn or b'{"sweep": {"python":'.startswith(torn[:20])):
        os.ftruncate(file, 0)
        _write(file, [{"sweep": now}])
        return []
    if not lines or not isinstance(head.get("sweep"), dict):
        raise Mistake(f"to={name}: there is something in it that is no sweep. Give another name.")
    if head["sweep"] != now:
        raise Mistake(f"to={name} has another sweep in it. {_differences(head['sweep'], now)} Give another name.")
    os.ftruncate(file, sum(len(line) + 1 for line in lines))
    return [_record(found) for found in map(_object, lines[1:]) if found]


def _object(line: bytes) -> dict[str, Any]:
    """What stands in the line; nothing where it is damaged."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _record(found: dict[str, Any]) -> Record:
    return {name: NAN if value is None and name in FIGURES else value for name, value in found.items()}


def _line(record: Mapping[str, object]) -> str:
    """As JSON has no nan, null stands for it."""
    return json.dumps({name: None if value != value else value for name, value in record.items()}) + "\n"


def _write(file: int, lines: Iterable[Mapping[str, object]]) -> None:
    data = memoryview("".join(map(_line, lines)).encode())
    while data:
        data = data[os.write(file, data) :]


def _differences(there: About, here: About) -> str:
    said = []
    for name in {**there, **here}:
        before, now = there.get(name), here.get(name)
        if before == now:
            continue
        if before is None or now is None:
            said.append(f"{name} is only {'here' if before is None else 'there'}")
        elif name == "simlib" or name.split()[0] in ("worker", "always", "eventually", "sometimes"):
            said.append(f"{name} is other code")
        else:
            said.append(f"{name} is {before} there and {now} here")
    return listed(said) + "."
