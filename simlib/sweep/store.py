"""Records in a file: JSON, a record a line, below a first line that says what was asked."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from simlib.errors import Mistake
from simlib.files import Odd, check_ordinary, json_of
from simlib.sweep.identity import describe, digest, of_simlib
from simlib.sweep.plan import Plan
from simlib.sweep.record import Record, record_of
from simlib.text import listed, show

SYNC_EVERY = 1.0  # seconds
About = dict[str, str]


class Store:
    """`known` is what was in it when it was opened, by place; `add` writes."""

    def __init__(self, plan: Plan, name: str = "", file: int | None = None) -> None:
        self.name = name
        self.known = {} if file is None else _read(file, name, plan)
        self._file = file
        self._synced = time.monotonic()

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
    """The file of this plan, new or gone on with. Raises Mistake where it is of another sweep, or of none, and where
    a line of it is no record of this plan.
    """
    if to is None:
        yield Store(plan)
        return
    try:
        name = os.path.basename(os.fsdecode(to))
        file = os.open(to, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise Mistake(f"to={name}: {error.strerror}.") from None
    except (TypeError, ValueError):
        raise Mistake(f'to={show(to)}: give the name of a file, such as to="found.jsonl".') from None
    try:
        try:
            check_ordinary(os.fstat(file))
            _lock(file, name)
            store = Store(plan, name, file)
            os.fsync(file)
            _sync_folder(os.path.dirname(os.path.abspath(to)))  # or a power loss could take the file's name
        except OSError as error:
            raise Mistake(f"to={name}: {error.strerror}.") from None
        yield store
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


def _read(file: int, name: str, plan: Plan) -> dict[int, Record]:
    """The records that are there, by place. A last line that was torn by a crash is cut off; its run is made again.

    Raises Mistake, before anything is changed, where there is something else in it.
    """
    with os.fdopen(os.dup(file), "rb") as whole:
        whole.seek(0)
        lines = whole.read().split(b"\n")
    torn, now = lines.pop(), about(plan)
    if not lines and (not torn or b'{"sweep": {"python":'.startswith(torn[:20])):
        os.ftruncate(file, 0)
        _write(file, [{"sweep": now}])
        return {}
    there = _asked(lines[0]) if lines else None
    if there is None:
        raise Mistake(f"to={name}: there is something in it that is no sweep. Give another name.")
    if there != now:
        raise Mistake(f"to={name} has another sweep in it. {_differences(there, now)} Give another name.")
    known = _records(name, plan, lines[1:])
    os.ftruncate(file, sum(len(line) + 1 for line in lines))
    return known


def _asked(head: bytes) -> About | None:
    """What the first line says that was asked; None where it says nothing of the kind."""
    try:
        asked = json_of(head)["sweep"]
        return asked if all(isinstance(said, str) for said in asked.values()) else None
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _records(name: str, plan: Plan, lines: Iterable[bytes]) -> dict[int, Record]:
    """Those that were asked for. A line that is damaged, and so is no JSON, is passed over: its run is made again."""
    known: dict[int, Record] = {}
    for number, line in enumerate(lines, start=2):
        try:
            record = record_of(json_of(line), plan.types)
            place = plan.place(record)
            if place is not None and known.setdefault(place, record) != record:
                raise Odd("a line above has another record of the same run, so delete that one too")
        except Odd as odd:
            undo = "Delete the line, and its run is made again; or give another name."
            raise Mistake(f"to={name}, line {number}: {odd}. {undo}") from None
        except ValueError:
            continue
    return known


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
        elif name == "simlib" or name.partition(" ")[0] in ("worker", "always", "eventually", "sometimes"):
            said.append(f"{name} is other code")
        else:
            said.append(f"{name} is {_short(before)} there and {now} here")
    return listed(said) + "."
