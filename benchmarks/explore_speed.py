"""How soon `explore` has its answer, beside what one would use instead, on the same systems.

`python benchmarks/explore_speed.py` needs SPIN and a C compiler; `--quick` takes a minute or two. With frontrun
installed (`pip install frontrun`; nothing else needs it) the system that it can express is put to it too. All of it
runs interleaved, one round after the other. Figures are ratios to what `explore` takes, from its call to its report:
the median of the rounds, with the least and the most. Times are of the wall; memory is what tracemalloc sees at the
peak.

- SPIN with its partial-order reduction, on models with the same atomic steps; its C compiler counted, and not.
- Hypothesis: a RuleBasedStateMachine that draws who or what is next, until the first run that breaks a property, and
  until it has made that as small as it can, which is what `explore` reports.
- frontrun, which runs threads under its own scheduler, prunes equivalent schedules and knows no crash, lease or queue.
- Every schedule, one by one (tests/enumeration.py): the time for all of them, from what the first ones take.
- The floor: the same states as tuples in a dictionary, with what can happen in each of them known beforehand.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import shutil
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TQDM_DISABLE"] = "1"

from explore_peers import MOST_RUNS, Spin, by_frontrun, by_hypothesis, floor
from explore_systems import Case, cases

from tests.enumeration import every_schedule

# Measuring


class Figures(dict[tuple[str, str], list[float]]):
    """What was measured of each system, by tool, in each round."""

    def note(self, case: Case, what: str, value: float) -> None:
        self.setdefault((case.name, what), []).append(value)

    def median(self, case: Case, what: str) -> float | None:
        found = self.get((case.name, what))
        return statistics.median(found) if found else None

    def ratio(self, case: Case, what: str, to: str) -> str:
        """How many times more of it there was, in the same round."""
        pairs = [*zip(self.get((case.name, what), []), self.get((case.name, to), []))]
        ratios = [one / other for one, other in pairs if other]
        return spread(ratios) if ratios else "-"


def spread(values: list[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return number(middle) if high - low < 0.005 * middle else f"{number(middle)} [{number(low)}, {number(high)}]"


def number(value: float) -> str:
    if value >= 1e6:
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def timed(code: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    begun = time.perf_counter()
    result = code()
    return time.perf_counter() - begun, result


def one_round(case: Case, number: int, spin: Spin | None, bare: Callable[[], int] | None, figures: Figures) -> None:
    seconds, report = timed(case.explore)
    figures.note(case, "explore", seconds)
    figures.note(case, "states", report.states)
    figures.note(case, "transitions", report.transitions)
    figures.note(case, "rate", report.transitions / seconds)
    if spin:
        ran, stored, error = spin.run(case)
        assert error == (report.verdict == "violated"), case.name
        figures.note(case, "spin run", ran)
        figures.note(case, "spin", ran + spin.seconds)
        figures.note(case, "spin states", stored)
    if report.verdict == "violated":
        seconds, all_seconds, runs = by_hypothesis(case, number)
        figures.note(case, "hypothesis", seconds)
        figures.note(case, "hypothesis, smallest", all_seconds)
        figures.note(case, "hypothesis runs", runs)
        threads = by_frontrun(case)
        if threads:
            figures.note(case, "frontrun", threads[0])
        return
    if bare:
        gc.disable()
        seconds, taken = timed(bare)
        gc.enable()
        figures.note(case, "floor rate", taken / seconds)
    few = 200
    seconds, found = timed(lambda: every_schedule(case.system(), case.faults, most_schedules=few, most_moves=200))
    ran_all = not found.cut
    figures.note(case, "every schedule", seconds if ran_all else seconds / few * (report.schedules or few))


def memory_of(case: Case) -> float:
    """Bytes for each state at the peak of a search, as Python allocates them."""
    importlib.import_module("tqdm.auto")  # the progress bar's own megabytes are not the search's
    gc.collect()
    tracemalloc.start()
    report = case.explore()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / report.states


# The tables


def proofs(case: Case, figures: Figures) -> list[str]:
    return [
        case.name,
        number(figures.median(case, "states") or 0),
        figures.ratio(case, "spin states", "states"),
        figures.ratio(case, "spin", "explore"),
        figures.ratio(case, "spin run", "explore"),
        figures.ratio(case, "every schedule", "explore"),
        figures.ratio(case, "rate", "floor rate"),
        number(figures.median(case, "bytes") or 0),
    ]


def bugs(case: Case, figures: Figures) -> list[str]:
    runs = figures.get((case.name, "hypothesis runs"), [])
    return [
        case.name,
        number(figures.median(case, "states") or 0),
        figures.ratio(case, "spin", "explore"),
        figures.ratio(case, "spin run", "explore"),
        figures.ratio(case, "hypothesis", "explore"),
        figures.ratio(case, "hypothesis, smallest", "explore"),
        spread(runs) + (" (given up)" if max(runs) >= MOST_RUNS else ""),
        figures.ratio(case, "frontrun", "explore"),
    ]


PROOFS = [
    "holds", "states", "SPIN's states", "SPIN, compiled", "SPIN's run alone", "every schedule",
    "rate, of the floor's", "bytes a state",
]  # fmt: skip
BUGS = ["violated", "states", "SPIN, compiled", "SPIN's run alone", "Hypothesis", "until small", "its runs", "frontrun"]


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller systems, fewer rounds")
    parser.add_argument("--rounds", type=int, help="rounds (9, quick 3)")
    given = parser.parse_args()
    if not shutil.which("spin") or not shutil.which("cc"):
        parser.error("needs SPIN and a C compiler on the PATH (Debian: apt install spin gcc)")
    all_cases, figures, rounds = cases(given.quick), Figures(), given.rounds or (3 if given.quick else 9)
    verdicts = {case.name: case.explore().verdict for case in all_cases}
    with tempfile.TemporaryDirectory() as temporary:
        for at in range(rounds):
            for case in all_cases:
                holds = verdicts[case.name] == "holds"
                folder = Path(temporary, f"{at} {case.name}")
                folder.mkdir()
                spin = Spin(case, folder) if case.model else None
                one_round(case, at, spin, floor(case) if holds else None, figures)
                print(f"round {at + 1} of {rounds}: {case.name}", file=sys.stderr)
    holding = [case for case in all_cases if verdicts[case.name] == "holds"]
    for case in holding:
        figures.note(case, "bytes", memory_of(case))
    broken = [case for case in all_cases if verdicts[case.name] == "violated"]
    print("\n".join(table(PROOFS, [proofs(case, figures) for case in holding])), end="\n\n")
    print("\n".join(table(BUGS, [bugs(case, figures) for case in broken])), end="\n\n")
    soonest, smallest = (
        [(figures.median(case, what) or 0) / (figures.median(case, "explore") or 1) for case in broken]
        for what in ("hypothesis", "hypothesis, smallest")
    )
    rates = [rate for case in holding for rate in figures.get((case.name, "rate"), [])]
    print(f"Hypothesis takes {spread(soonest)} times as long to a first bug, over the {len(broken)} systems,")
    print(f"and {spread(smallest)} times as long until it has made it small.")
    print(f"On this machine {spread(rates)} transitions a second, over the {len(holding)} proofs.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
