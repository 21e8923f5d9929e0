"""Visits every state once: if nothing is wrong in any of them, an empty queue is the proof.

States come by their number of faults and, within that, roughly by preemptions and steps, so that a violation is met
early. `shortest` finds the smallest way to one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from heapq import heappop, heappush

from simlib.check.edges import FAULT, NOBODY, PREEMPTION, STEP, Edge
from simlib.check.findings import Findings
from simlib.check.question import Question
from simlib.check.search import LOOK_EVERY, Search, turn
from simlib.check.successors import Successors
from simlib.check.symmetry import NotAlike, alike, minds_names
from simlib.schedule.transition import Transition

NEVER = 1 << 70  # above any cost


class Reachability(Search[int]):
    """Whether anything is wrong. If the question is anonymous, identical workers are not told apart.

    The way to a violation need not be the smallest, and if workers are not told apart, its moves name the wrong ones.
    """

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        # For each state, the cheapest bucket that it was put into, and how it got there
        self._buckets: list[int] = []
        self._before = array("I")
        self._how: list[Edge | None] = []
        self._turns = bytearray()  # whose turn it was; NOBODY if the next one overtakes nobody

    def _make_successors(self) -> Successors:
        successors = super()._make_successors()
        if self._question.anonymous:
            successors.tell_nobody_apart()
        return successors

    def _grow(self, states: int) -> None:
        super()._grow(states)
        self._buckets += [NEVER] * states
        self._before.frombytes(bytes(self._before.itemsize * states))
        self._how += [None] * states
        self._turns += bytes(states)

    def _best_first(self) -> None:
        first = self._successors.initial()
        self._make_room()
        self._buckets[first], self._turns[first] = 0, NOBODY
        waiting, costs = {0: [first]}, [0]  # by cost; within it, those whose newest move is a fault come last
        while costs:
            bucket = heappop(costs)
            self.findings.faults_proven = bucket // (2 * FAULT) - 1
            for state in waiting.pop(bucket):
                if self._buckets[state] == bucket:  # not reached for less meanwhile
                    self._visit(state, bucket, waiting, costs)
                    if self.findings.found or self._out_of_limits():
                        return
        self.findings.faults_proven = self._question.budget.total

    def _visit(self, state: int, bucket: int, waiting: dict[int, list[int]], costs: list[int]) -> None:
        """Check a state, and put its successors into their buckets."""
        following = self._enter(state, state)
        self._check_endless(state, bucket)
        if following is None:
            return
        targets, edges, able, _ = following
        buckets, last, so_far = self._buckets, self._turns[state], bucket & ~1
        overtakes = able >> last & 1
        for target, edge in zip(targets, edges):
            if buckets[target] <= bucket:
                continue
            into = so_far + edge.price
            if overtakes and edge.steps and edge.worker != last:
                into += 2 * PREEMPTION
            if into < buckets[target]:
                buckets[target], self._before[target], self._how[target] = into, state, edge
                self._turns[target] = turn(edge, last)
                if into not in waiting:
                    waiting[into] = []
                    heappush(costs, into)
                waiting[into].append(target)

    def _finish(self) -> None:
        if self._successors.symmetry and not self.findings.found and minds_names(self._local_states, self._system.cast):
            raise NotAlike
        if self.findings.interrupted and self.findings.faults_proven >= 0:
            self._look_for_livelock()  # within the number of faults that is fully explored
        elif not self.findings.found and not self.findings.interrupted:
            self._conclude()

    def _check_endless(self, state: int, bucket: int) -> None:
        if (bucket >> 1) % PREEMPTION // STEP % LOOK_EVERY == 0:
            self._look_for_endless(state, state)

    def _backwards(self, where: int) -> Iterator[Transition]:
        edge = self._how[where]
        while edge is not None:
            yield edge.move
            where = self._before[where]
            edge = self._how[where]

    def _look_for_livelock(self) -> None:
        traps = self._traps(2 * FAULT * (self.findings.faults_proven + 1))
        if traps and self._successors.symmetry:
            raise NotAlike  # the finding names who loops, and who waits
        for trap in traps:
            self.findings.found = self._going_round(trap)
            if self.findings.found:
                return
            for state in trap:
                self._reached(state)

    def _reached_below(self, cost: int) -> Iterator[int]:
        return (state for state, bucket in enumerate(self._buckets) if bucket < cost)

    def _summed_up(self) -> Findings:
        if self._rests:
            self.findings.good = None  # the smallest ones were not sought
        return super()._summed_up()

    def _idle_workers(self) -> list[str]:
        for group in alike(self._system):
            if any(self._able >> worker & 1 for worker in group):
                self._able |= sum(1 << worker for worker in group)
        return super()._idle_workers()
