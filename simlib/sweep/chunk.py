"""Some runs of a sweep, made wherever an executor has put them."""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from simlib.errors import Mistake
from simlib.progress import muted
from simlib.scenario import Scenario, Workers
from simlib.sweep.plan import split
from simlib.sweep.record import Record, figures
from simlib.text import show
from simlib.watchdog import interruptible

Work = tuple[int, int, int, str]  # a run: its place, its seed, its parameter set, its worker


class Answer(NamedTuple):
    """What came of a chunk: of these places. One that is in neither has not been run."""

    measured: dict[int, Record]
    mistakes: dict[int, str]
    seconds: float = 0.0  # of work


def run_chunk(experiment: bytes, cells: bytes, chunk: Sequence[Work], patience: float) -> Answer:
    """Make these runs, until so many seconds have passed or somebody interrupts."""
    answer = Answer({}, {})
    try:
        scenario, workers = pickle.loads(experiment)
        conditions = pickle.loads(cells)
    except Exception as error:
        why = f"where it was to run, it cannot be loaded: {show(error, 200)}"
        return Answer({}, {work[0]: why for work in chunk})
    began = time.perf_counter()  # not with what is imported for the first of all chunks
    with muted(), interruptible():  # one thread looks after all of them
        for work in chunk:
            if not _run(scenario, workers[work[3]], conditions[work[2]], work, answer):
                break
            if time.perf_counter() - began > patience:
                break
    return answer._replace(seconds=time.perf_counter() - began)


def _run(scenario: Scenario, worker: Workers, named: dict[str, Any], work: Work, answer: Answer) -> bool:
    """Make a run, and note what came of it; False when it was interrupted."""
    place, seed, *_ = work
    try:
        changed, conditions = split(scenario, named)
        run = changed.simulate(worker, seed=seed, **conditions)
    except Mistake as mistake:
        answer.mistakes[place] = str(mistake)
        return True
    except Exception as error:  # of simlib's own, or of no memory
        answer.mistakes[place] = show(error, 200)
        return True
    if run.interrupted.endswith("MB"):
        answer.mistakes[place] = f"stopped {run.interrupted}: lower hours"
    elif run.interrupted:
        return False
    else:
        answer.measured[place] = figures(run)
    return True
