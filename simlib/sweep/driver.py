"""Hands out the runs of a sweep in chunks, takes in what comes of them, and gives what was lost another try."""

from __future__ import annotations

import itertools
import pickle
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import Any

from simlib.errors import Mistake
from simlib.progress import Progress
from simlib.sweep.chunk import Answer, run_chunk
from simlib.sweep.plan import Plan
from simlib.sweep.pool import Hands
from simlib.sweep.record import Record
from simlib.sweep.result import Sweep
from simlib.sweep.store import Store
from simlib.text import show
from simlib.watchdog import interruptible

CHUNK = 1.0  # seconds of work: long beside the handing out, short to lose
HANDING_OUT = 0.001  # seconds that a cluster's scheduler has for each of those that are on their way: an assumption
MOST = 10_000  # runs in a chunk
HEED = 0.1  # seconds after which an interrupt is heeded
PATIENCE = 10.0  # seconds for an executor that broke to say so of all that it had
TRIES = 3
MOST_LOST = 10  # runs, one after the other: then it is not the runs


@dataclass
class Chunk:
    """Some places that somebody is at, or will be."""

    places: list[int]
    losses: int = 0  # how often whoever was at it was lost
    sent: float = 0.0  # on the monotonic clock


class Driver:
    """One sweep on its way."""

    def __init__(self, plan: Plan, hands: Hands, store: Store) -> None:
        self._plan, self._hands, self._store = plan, hands, store
        self._experiment = _pickled("the workers", (plan.scenario, plan.workers))
        self._measured = dict(store.known)
        self._failed: dict[int, str] = {}
        self._fresh = (place for place in range(len(plan)) if place not in store.known)
        self._unsent = len(plan) - len(store.known)  # of the fresh ones
        self._again: deque[Chunk] = deque()
        self._suspects: deque[int] = deque()  # run one by one, with nothing else on its way
        self._flying: dict[Future[Answer], Chunk] = {}
        self._window = 2 * hands.count
        self._seconds, self._runs = 0.0, 0
        self._lost_in_a_row = 0
        self._stopped = ""

    def run(self) -> Sweep:
        """All runs that are not known yet; an interrupt ends it with what is known. Raises Mistake."""
        with interruptible() as interrupt, Progress("sweeping", len(self._plan)) as progress:
            while not self._stopped and self._send():
                done, _ = wait(self._flying, HEED, FIRST_COMPLETED)
                self._take_in(done)
                progress.reached(len(self._measured) + len(self._failed))
                if interrupt.came:
                    self._stopped = "by you"
        self._take_in([future for future in self._flying if future.done()])
        for future in self._flying:
            future.cancel()
        self._keep([], last=True)
        return Sweep(self._plan, self._measured, self._failed, self._stopped)

    # Handing out

    def _send(self) -> bool:
        """Have as much on its way as there should be. False when there is nothing more to wait for."""
        while (not self._suspects and len(self._flying) < self._window) or not self._flying:
            chunk = self._next()
            if chunk is None:
                break
            work = [(place, *self._plan.parts(place)) for place in chunk.places]
            cells = {cell: {**self._plan.conditions, **self._plan.cells[cell]} for _, _, cell, _ in work}
            chunk.sent = time.monotonic()
            try:
                packed = _pickled("parameters", cells)
                future = self._hands.submit(run_chunk, self._experiment, packed, work, 2 * self._chunk)
            except BrokenExecutor as error:  # it broke while nobody was waiting for it
                self._again.appendleft(chunk)
                self._broke(error)
            except RuntimeError as error:
                self._stopped = f"because its executor takes no more: {show(error)}"
            else:
                self._flying[future] = chunk
            if self._stopped:
                break
        return bool(self._flying)

    def _next(self) -> Chunk | None:
        if self._again:
            return self._again.popleft()
        if self._suspects:
            return Chunk([self._suspects.popleft()], TRIES - 1)
        places = [*itertools.islice(self._fresh, self._size())]
        self._unsent -= len(places)
        return Chunk(places) if places else None

    @property
    def _chunk(self) -> float:
        """Seconds of work in a chunk. The more there are at work, the longer, or whoever hands out falls behind."""
        return max(CHUNK, self._window * HANDING_OUT)

    def _size(self) -> int:
        """Runs for the next chunk: less of them towards the end, so that all come to it at the same time."""
        if not self._runs:
            return 1
        a_second = self._runs / max(self._seconds, 1e-9)
        fair = max(-(-self._unsent // self._window), int(a_second * self._window * HANDING_OUT))
        return max(1, min(fair, int(a_second * self._chunk), MOST))

    # Taking in

    def _take_in(self, done: Iterable[Future[Answer]]) -> None:
        errors = [self._land(future) for future in done]
        broken = next((error for error in errors if isinstance(error, BrokenExecutor)), None)
        if broken is not None:
            self._broke(broken)

    def _land(self, future: Future[Answer]) -> BaseException | None:
        """Take in what came of a chunk; or the error, when whoever was at it was lost.

        Each kind of executor has its own: BrokenProcessPool, Dask's KilledWorker and its CancelledError, the
        KeyboardInterrupt that a process died of.
        """
        chunk = self._flying.pop(future)
        try:
            answer = future.result(0)
        except BaseException as error:
            self._lost(chunk, error)
            return error
        self._came(chunk, answer)
        return None

    def _came(self, chunk: Chunk, answer: Answer) -> None:
        records = {place: {**self._plan.head(place), **found} for place, found in answer.measured.items()}
        self._measured |= records
        self._keep([*records.values()])
        for place, why in answer.mistakes.items():
            self._fail(place, why)
        count = len(records) + len(answer.mistakes)
        if count:
            self._lost_in_a_row = 0
            self._seconds += answer.seconds
            self._runs += count
        left = [place for place in chunk.places if place not in records and place not in answer.mistakes]
        if left:  # its time was over, or it was interrupted
            self._put_back(Chunk(left, chunk.losses + (not count)), "it was interrupted")
        if time.monotonic() - chunk.sent < 2 * answer.seconds:  # it waited less than it worked: there are idle hands
            self._window += 1

    def _keep(self, records: list[Record], last: bool = False) -> None:
        try:
            self._store.add(records, last)
        except OSError as error:
            self._stopped = f"because {self._store.name} could not be written: {error.strerror}"

    def _lost(self, chunk: Chunk, error: BaseException) -> None:
        chunk.losses += 1
        self._put_back(chunk, f"its process was lost {TRIES} times: {show(error, 200)}")

    def _put_back(self, chunk: Chunk, why: str) -> None:
        """One more try. From the last one on, which is alone, it is known who is to blame."""
        if chunk.losses < TRIES - 1:
            self._again.append(chunk)
        elif chunk.losses == TRIES - 1:
            self._suspects.extend(chunk.places)
        else:
            self._lost_in_a_row += 1
            for place in chunk.places:
                self._fail(place, why)
            if self._lost_in_a_row == MOST_LOST:
                self._stopped = f"after {MOST_LOST} runs, one after the other, that lost their process"

    def _fail(self, place: int, why: str) -> None:
        if place < self._plan.row:  # of the first seed
            raise Mistake(f"{self._plan.call(place)}: {why}")
        self._failed[place] = why

    def _broke(self, error: BaseException) -> None:
        """The executor is of no more use. What was on its way is lost with it."""
        if self._hands.lasting:
            self._stopped = f"because its executor broke: {show(error, 200)}"
        self._hands.drop()
        wait(self._flying, PATIENCE)
        for future in [*self._flying]:
            self._land(future)


def _pickled(what: str, thing: Any) -> bytes:
    """As bytes, with the functions that stand in the notebook."""
    try:
        import cloudpickle
    except ImportError:
        raise Mistake(
            "`sweep` sends workers to other processes with cloudpickle: pip install 'midflight[live]'."
        ) from None
    try:
        return bytes(cloudpickle.dumps(thing))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise Mistake(f"{what} cannot be sent to another process: {error}.") from None
