"""What the compiled core gains, and what searches gain that share what they learn: `python benchmarks/explore_core.py`.

Each question is asked in the core and in plain Python, and the questions of many searches also as if each were asked
alone. All take turns in each round, and the answers have to be the same. Printed is how many times as long the slower
one takes, in processor time: the median of the rounds [least, most].
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.explore_systems import lost_updates
from simlib import audit
from simlib.check import core
from simlib.check.learned import Sharing
from simlib.views import board, crash_strip, failure_matrix
from tests.lessons import definitions

Ask = Callable[[], Any]


@contextmanager
def asked_alone() -> Iterator[None]:
    """In here, no search knows what another one has learned."""
    learned = Sharing.learned
    Sharing.learned = lambda self, *about: learned(Sharing(), *about)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Sharing.learned = learned  # type: ignore[method-assign]


def one_search(quick: bool) -> Iterator[tuple[str, Ask]]:
    sizes = [(3, 2, 1), (4, 2, 1)] if quick else [(3, 2, 1), (4, 2, 1), (4, 3, 1)]
    for size in sizes:
        for case in lost_updates(*size):
            yield case.name, case.explore


def many_searches() -> Iterator[tuple[str, Ask]]:
    capstone, club = definitions("13"), definitions("09")
    shop, worker, careful = capstone["shop"], capstone["fulfil"], capstone["fulfil_once"]
    yield "the capstone's matrix, two workers", lambda: failure_matrix(shop, worker, careful)
    yield "the capstone's strip, two workers", lambda: crash_strip(shop, worker, careful)
    yield "the capstone's board", lambda: board(shop, worker, careful, crashes=1)
    yield (
        "lesson 09's audit",
        lambda: audit(
            club["club"], club["ten_points"], careful=[club["credit_once"]], broken=[club["credit"]], crashes=1
        ),
    )


def seconds(ask: Ask) -> tuple[float, str]:
    before = time.process_time()
    answer = ask()
    return time.process_time() - before, str(getattr(answer, "sentence", answer))


def compare(name: str, ask: Ask, ways: dict[str, Callable[[], Any]], rounds: int) -> str:
    """A row of the table: by how much each way is slower than the first one."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        answers = set()
        for way, on in ways.items():
            with on():
                spent, answer = seconds(ask)
            taken[way].append(spent)
            answers.add(answer)
        if len(answers) > 1:
            raise SystemExit(f"{name}: not the same answer:\n" + "\n\n".join(answers))
    first, *others = taken
    cells = [ratio(taken[way], taken[first]) for way in others]
    return f"| {name} | {' | '.join(cells)} |"


def ratio(slow: list[float], quick: list[float]) -> str:
    ratios = [one / other for one, other in zip(slow, quick)]
    return f"{statistics.median(ratios):.3g} [{min(ratios):.3g}, {max(ratios):.3g}]"


@contextmanager
def as_used() -> Iterator[None]:
    yield


@contextmanager
def as_before() -> Iterator[None]:
    with core.switched_off(), asked_alone():
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the largest system")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if not core.available():
        sys.exit("There is no compiled core here: make test builds it where a C++ compiler is.")
    print("| one search | plain Python |\n|---|---|")
    for name, ask in one_search(args.quick):
        print(compare(name, ask, {"core": as_used, "plain": core.switched_off}, args.rounds), flush=True)
    print("\n| many searches | each alone | plain Python | both |\n|---|---|---|---|")
    ways = {"both": as_used, "alone": asked_alone, "plain": core.switched_off, "neither": as_before}
    for name, ask in many_searches():
        print(compare(name, ask, ways, args.rounds), flush=True)


if __name__ == "__main__":
    main()
