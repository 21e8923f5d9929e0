"""Is every verdict, trace and token the same, byte for byte? `python benchmarks/determinism.py`.

Each lesson's scenarios are explored, simulated and run with each of its workers that fits, and all that is said of it
is hashed: on every CPython from 3.11 on that is found, under three hash seeds, in one process and in one a lesson. The
interpreters are found on the PATH by running them; `--python /path/to/one` adds another, `--notebooks` also saves the
notebooks again, which has to change nothing. SimPy and pytest, which are all that they need, are lent to them.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import importlib.util
import inspect
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HASH_SEEDS = ("0", "1", "2")
SEEDS = (0, 1, 2)  # of simulations
STATES = 300  # a search: where it stops must not be a matter of time
LENT = ("simpy", "pytest", "_pytest", "iniconfig", "packaging", "pluggy", "py", "pygments")  # lesson 11 imports pytest
NAMES = ("python3.11", "python3.12", "python3.13", "python3.14", "python3", "python")
PROBE = "import sys; print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3])"


# What is said, in one process


def lessons() -> list[str]:
    return [path.name[:2] for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))]


def said_of(lesson: str) -> Iterator[str]:
    """All that is said of what a lesson defines."""
    from simlib import Scenario
    from tests.lessons import definitions

    names = definitions(lesson)
    scenarios = {name: thing for name, thing in names.items() if isinstance(thing, Scenario)}
    workers = {name: thing for name, thing in names.items() if inspect.isgeneratorfunction(thing)}
    roles = {
        name: thing for name, thing in names.items() if isinstance(thing, (list, tuple)) and all(map(callable, thing))
    }
    for (scenario, shop), (worker, work) in itertools.product(scenarios.items(), {**workers, **roles}.items()):
        for said in (said_by_explore, said_by_simulate, said_by_run):
            yield f"# lesson {lesson}: {scenario}, {worker}, {said.__name__}"
            yield from attempt(said, shop, work)


def attempt(said, shop, work) -> Iterator[str]:
    from simlib.errors import Mistake

    try:
        yield from said(shop, work)
    except Mistake as mistake:  # most often: a worker of another scenario
        yield f"{type(mistake).__name__}: {mistake}"


def said_by_explore(shop, work) -> Iterator[str]:
    report = shop.explore(work, max_states=STATES, max_seconds=1e9)
    yield from (str(report), report.token, report.small_print)
    yield from sorted(map(str, report.outcomes))
    for trace in report.sample(2):
        yield from trace.lines()


def said_by_simulate(shop, work) -> Iterator[str]:
    for seed in SEEDS:
        run = shop.simulate(work, seed=seed, hours=0.01, crashes_per_day=10_000, trace=True)
        yield str(run)
        yield from map(event, run.trace.events)


def said_by_run(shop, work) -> Iterator[str]:
    for after in (None, 1, 2):
        yield from shop.run(work, crash_after=after).lines()


def event(one) -> str:
    return f"{one.at!r} {one.worker} {one.where} {one.story()}"


def speak(which: list[str]) -> None:
    """Print it all: what a process of the matrix does."""
    for lesson in which:
        for line in said_of(lesson):
            print(line)


# The matrix


def interpreters(more: list[str]) -> dict[str, str]:
    """A path for each version of CPython from 3.11 on that runs."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    candidates = [*more, sys.executable, *(str(Path(folder) / name) for name in NAMES for folder in folders)]
    found: dict[str, str] = {}
    for path in candidates:
        try:  # a shim may have the name and nothing behind it
            ran = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            continue
        name, _, version = ran.stdout.strip().partition(" ")
        if name == "cpython" and tuple(map(int, version.split("."))) >= (3, 11):
            found.setdefault(version, path)
    return found


def spoken(python: str, which: list[str], hash_seed: str, packages: str) -> str:
    """What this interpreter says of these lessons, in a process of its own."""
    environment = {
        "PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": hash_seed, "TQDM_DISABLE": "1", "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join([packages, str(ROOT)]), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    command = [python, str(Path(__file__)), "--speak", *which]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8")
    if ran.returncode:
        raise SystemExit(f"{python} failed:\n{ran.stderr}")
    return ran.stdout


def lend(folder: str) -> None:
    """They are pure Python: a copy serves every interpreter."""
    for name in LENT:
        place = Path(importlib.util.find_spec(name).origin)
        if place.name == "__init__.py":
            shutil.copytree(place.parent, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, folder)


def difference(one: str, other: str) -> str:
    lines = difflib.unified_diff(one.splitlines(), other.splitlines(), lineterm="", n=1)
    return "\n".join(itertools.islice(lines, 12))


def matrix(pythons: dict[str, str], which: list[str], hash_seeds: tuple[str, ...] = HASH_SEEDS) -> list[str]:
    """Run it, tell of it, and return what differs."""
    first, differs = "", []
    with tempfile.TemporaryDirectory() as folder:
        lend(folder)
        for version, python in pythons.items():
            for seed in hash_seeds:
                one = spoken(python, which, seed, folder)
                many = "".join(spoken(python, [lesson], seed, folder) for lesson in which)
                for how, text in (("one process", one), (f"{len(which)} processes", many)):
                    first = first or text
                    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
                    where = f"CPython {version}, PYTHONHASHSEED={seed}, {how}"
                    print(f"{digest}  {len(text.splitlines()):,} lines  {where}", flush=True)
                    if text != first:
                        differs.append(f"{where}:\n{difference(first, text)}")
    return differs


def saved_again() -> list[str]:
    """The notebooks that are not the same when they are run and saved again."""
    ran = subprocess.run([sys.executable, "notebooks/save.py"], cwd=ROOT, capture_output=True, text=True)
    print(ran.stdout, end="")
    return [line for line in (ran.stdout + ran.stderr).splitlines() if line and not line.endswith(": unchanged")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="their numbers; all if there is none")
    parser.add_argument("--python", action="append", default=[], help="an interpreter that is not on the PATH")
    parser.add_argument("--notebooks", action="store_true", help="also run and save the notebooks again")
    parser.add_argument("--speak", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    which = given.lessons or lessons()
    if given.speak:
        speak(which)
        return 0
    differs = matrix(interpreters(given.python), which) + (saved_again() if given.notebooks else [])
    print("\n\n".join(differs) or "all the same, byte for byte")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
