"""Sends a sweep's runs to an executor in chunks, collects the records, and retries lost runs."""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait

from simlib.errors import Mistake
from simlib.files import why
from simlib.progress import Progress
from simlib.serialization import serialized
from simlib.sweep.chunk import Answer, Record, RunId, run_chunk
from simlib.sweep.plan import Plan
from simlib.sweep.pool import Processes, open_executor, processors
from simlib.sweep.result import Sweep
from simlib.sweep.store import Store, open_store
from simlib.text import show
from simlib.watchdog import interruptible

CHUNK = 1.0  # seconds of work: long compared with sending it, short enough to lose
HANDING_OUT = 0.001  # seconds that a cluster's scheduler needs per chunk in flight: an assumption
MOST = 10_000  # runs in a chunk
HEED = 0.1  # seconds until an interrupt is noticed
PATIENCE = 10.0  # seconds for a broken executor to fail all of its futures
TRIES = 3
MOST_LOST = 10  # runs in a row: more are not the runs' fault


def run_sweep(plan: Plan, executor: Executor | int | None, to: str | os.PathLike[str] | None) -> Sweep:
    """Run this plan. Raises Mistake, as `sweep` does."""
    with open_store(plan, to) as store, open_executor(executor) as opened:
        return Driver(plan, opened, store).run()


class Driver:
    """A sweep in progress."""

    def __init__(self, plan: Plan, executor: Executor, store: Store) -> None:
        self._plan, self._executor, self._store = plan, executor, store
        self._experiment = serialized("sweep", "the workers", (plan.scenario, plan.workers))
        self._measured = dict(store.known)
        self._failed: dict[RunId, str] = {}
        self._fresh = (run for run in plan.runs() if run not in store.known)
        self._again: deque[RunId] = deque()
        self._unsent = len(plan) - len(store.known)
        self._losses: Counter[RunId] = Counter()  # how often each run has lost its process
        self._lost_in_a_row = 0
        self._flying: dict[Future[Answer], tuple[list[RunId], float]] = {}  # and when each was sent
        self._window = 2 * (executor.count if isinstance(executor, Processes) else processors())
        self._seconds, self._runs = 0.0, 0
        self._stopped = ""

    def run(self) -> Sweep:
        """Make all runs without a record, until an interrupt. Raises Mistake if one with the first seed fails."""
        with interruptible() as interrupt, Progress("sweeping", len(self._plan)) as progress:
            while not self._stopped and self._send():
                self._take_in(wait(self._flying, HEED, FIRST_COMPLETED).done)
                progress.reached(len(self._measured) + len(self._failed))
                if interrupt.came:
                    self._stopped = "by you"
        self._take_in([future for future in self._flying if future.done()])
        for future in self._flying:
            future.cancel()
        self._keep([], last=True)
        return Sweep(self._plan, self._measured, self._failed, self._stopped)

    # Sending

    def _send(self) -> bool:
        """Fill the window of chunks in flight. False if there is nothing left to wait for."""
        while not self._stopped:
            alone = TRIES - 1 in self._losses.values()  # so that a last loss has only one run to blame
            if len(self._flying) >= (1 if alone else self._window):
                break
            runs = [*itertools.islice(iter(self._next, None), 1 if alone else self._size())]
            if not runs:
                break
            self._unsent -= len(runs)
            cells = {cell: {**self._plan.conditions, **self._plan.cells[cell]} for _, cell, _ in runs}
            parameters = serialized("sweep", "parameters", cells)
            patience = 2 * max(CHUNK, self._window * HANDING_OUT)
            now = time.monotonic()
            try:
                future = self._executor.submit(run_chunk, self._experiment, parameters, runs, patience)
            except BrokenExecutor as error:  # it broke while idle
                self._put_back(runs)
                self._broke(error)
            except RuntimeError as error:
                self._stopped = f"because its executor takes no more: {show(error)}"
            else:
                self._flying[future] = runs, now
        return bool(self._flying)

    def _next(self) -> RunId | None:
        return self._again.popleft() if self._again else next(self._fresh, None)

    def _size(self) -> int:
        """The runs in the next chunk: a second's work, less towards the end, so that all processes finish together.

        The more chunks are in flight, the longer each is: otherwise the scheduler falls behind.
        """
        if not self._runs:
            return 1
        per_second = self._runs / max(self._seconds, 1e-9)
        share = -(-self._unsent // self._window)
        return min(MOST, max(1, int(per_second * self._window * HANDING_OUT), min(share, int(per_second * CHUNK))))

    # Collecting

    def _take_in(self, done: Iterable[Future[Answer]]) -> None:
        """Record the results of these chunks, and put back the runs whose process was lost."""
        broken: BrokenExecutor | None = None
        for future in done:
            runs, sent = self._flying.pop(future)
            try:
                answer, reason = future.result(0), "it was interrupted"
            # Each executor raises its own: BrokenProcessPool, Dask's KilledWorker and CancelledError, or the
            # KeyboardInterrupt that killed a process.
            except BaseException as error:
                answer, reason = Answer({}), f"its process was lost {TRIES} times: {show(error, 200)}"
                broken = error if isinstance(error, BrokenExecutor) else broken
            if answer.found:
                self._came(runs, answer)
            else:
                self._lost(runs, reason)
            if time.monotonic() - sent < 2 * answer.seconds:  # it hardly waited: some processes are idle
                self._window += 1
        if broken is not None:
            self._broke(broken)

    def _came(self, runs: list[RunId], answer: Answer) -> None:
        records = {run: {**self._plan.head(run), **it} for run, it in answer.found.items() if isinstance(it, dict)}
        self._measured |= records
        self._keep(records.values())
        for run, it in answer.found.items():
            del self._losses[run]
            if isinstance(it, str):
                self._fail(run, it)
        self._lost_in_a_row = 0
        self._seconds += answer.seconds
        self._runs += len(answer.found)
        self._put_back([run for run in runs if run not in answer.found])  # its chunk ran out of time

    def _keep(self, records: Collection[Record], last: bool = False) -> None:
        try:
            self._store.add(records, last)
        except OSError as error:
            self._stopped = f"because {self._store.name} could not be written: {why(error)}"

    def _lost(self, runs: list[RunId], reason: str) -> None:
        """Retry each run. One that has used up its tries, the last of them alone in its chunk, has failed."""
        for run in runs:
            self._losses[run] += 1
            if self._losses[run] < TRIES:
                self._put_back([run])
            else:
                del self._losses[run]
                self._lost_in_a_row += 1
                self._fail(run, reason)
        if self._lost_in_a_row >= MOST_LOST:
            self._stopped = f"after {MOST_LOST} runs, one after the other, that lost their process"

    def _put_back(self, runs: list[RunId]) -> None:
        self._again.extend(runs)
        self._unsent += len(runs)

    def _fail(self, run: RunId, reason: str) -> None:
        if run[0] == next(iter(self._plan.seeds)):  # all seeds would fail alike
            raise Mistake(f"{self._plan.call(run)}: {reason}")
        self._failed[run] = reason

    def _broke(self, error: BaseException) -> None:
        """The executor is unusable, and the chunks in flight are lost with it."""
        if isinstance(self._executor, Processes):
            self._executor.shutdown()
        else:
            self._stopped = f"because its executor broke: {show(error, 200)}"
        wait(self._flying, PATIENCE)
        self._take_in([*self._flying])
