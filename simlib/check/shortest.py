"""Best-first search over paths: the first violation found is the smallest, and the same on every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import heappop, heappush
from typing import NamedTuple

from simlib.check.edges import FAULT, NOBODY, PREEMPTION, STEP, Edge
from simlib.check.findings import Found
from simlib.check.question import Question
from simlib.check.search import LOOK_EVERY, Search, turn
from simlib.check.successors import Following
from simlib.schedule.transition import Transition

MOST_SAMPLES = 100


class Label(NamedTuple):
    """One way in which a state was reached."""

    state: int
    last: int  # the worker whose turn it was; NOBODY if the next one overtakes nobody
    cost: int
    before: Label | None
    move: Transition | None


class Shortest(Search[Label]):
    """The smallest violation, if there is one. `samples` ends the search after so many runs that went well."""

    def __init__(self, question: Question, samples: int | None = None) -> None:
        super().__init__(question)
        self._samples = samples
        self._good = self.findings.good = []
        self._labels: dict[int, list[Label]] = {}  # by state, those that were followed; the first is the cheapest
        self._nexts: dict[int, Following] = {}

    def _finish(self) -> None:
        if self._has_samples():
            return
        if not self.findings.found and not self.findings.interrupted:
            self._conclude()
        elif self.findings.faults_proven >= 0 and not (self.findings.found and self._question.location):
            self._look_for_livelock()  # a livelock with fewer faults is smaller than what was found
        if self.findings.found:
            self._audit()  # before it is shown: it may come from something that is not deterministic

    def _cut(self, why: str) -> None:
        super()._cut(why)
        self._labels.clear()  # most of the memory
        self._nexts.clear()

    def _best_first(self) -> None:
        first = Label(self._successors.initial(), NOBODY, 0, None, None)
        buckets, costs = {0: [first]}, [0]  # by cost; within it, those whose newest move is a fault come last
        while costs:
            bucket = heappop(costs)
            self.findings.faults_proven = bucket // (2 * FAULT) - 1
            for label in buckets.pop(bucket):
                if self._follow(label, buckets, costs):
                    self._check_endless(label)
                    if self.findings.found or self._out_of_limits():
                        return
        self.findings.faults_proven = self._question.budget.total

    def _follow(self, label: Label, buckets: dict[int, list[Label]], costs: list[int]) -> bool:
        """Continue from a label, unless an earlier one of its state can do all that it can, as cheaply."""
        state, last, so_far, labels = label.state, label.last, label.cost, self._labels
        known = labels.get(state)
        first = known is None
        if known is None:
            labels[state] = [label]
            entered = self._enter(state, label)
            if entered is None:
                return True
            self._nexts[state] = entered
        elif _beaten(known, last, so_far):
            return False
        else:
            known.append(label)
        targets, edges, able, _ = self._nexts[state]
        could_go_on = able >> last & 1
        for target, edge in zip(targets, edges):
            cost = so_far + edge.cost
            if could_go_on and edge.steps and edge.worker != last:
                if not first:
                    continue  # the state's first label took this step at no higher cost
                cost += PREEMPTION
            whose = turn(edge, last)
            if _beaten(labels.get(target), whose, cost):
                continue
            into = 2 * cost + (edge.price & 1)
            if into not in buckets:
                buckets[into] = []
                heappush(costs, into)
            buckets[into].append(Label(target, whose, cost, label, edge.move))
        return True

    def _rest(self, number: int, where: Label) -> Found | None:
        found = super()._rest(number, where)
        if found is None and len(self._good) < MOST_SAMPLES:
            self._good.append(self._moves(where))
        return found

    def _has_samples(self) -> bool:
        return len(self._good) == self._samples

    def _out_of_limits(self) -> bool:
        return self._has_samples() or super()._out_of_limits()

    def _check_endless(self, label: Label) -> None:
        if label.cost % PREEMPTION // STEP % LOOK_EVERY == 0:
            self._look_for_endless(label, label.state)

    def _backwards(self, where: Label) -> Iterator[Transition]:
        label: Label | None = where
        while label is not None and label.move is not None:
            yield label.move
            label = label.before

    def _look_for_livelock(self) -> None:
        """Look among the fully explored states for sets that cannot be left without a fault."""
        traps, labels = self._traps((self.findings.faults_proven + 1) * FAULT), self._labels
        for trap in sorted(traps, key=lambda trap: min(labels[state][0].cost for state in trap)):
            found = self._going_round(trap)
            if found:
                label = min((labels[state][0] for state in trap), key=lambda label: label.cost)
                again = self._again(label) if len(trap) == 1 else ()
                self.findings.found = replace(found, moves=(*self._moves(label), *again))
                return
            for state in trap:
                self._reached(state)

    def _reached_below(self, cost: int) -> Iterator[int]:
        return (state for state, labels in self._labels.items() if labels[0].cost < cost)

    def _again(self, label: Label) -> tuple[Transition, ...]:
        """The step that repeats forever in a state that leads to itself, unless the way there ends with it."""
        edges = self._nexts[label.state][1]
        edge = next((edge for edge in edges if edge.steps and edge.cost < FAULT), None)
        if edge is None:
            return ()
        here, before = (self._op_of(edge, one.state) for one in (label, label.before or label))
        return () if label.move == edge.move and before == here else (edge.move,)

    def _op_of(self, edge: Edge, state: int) -> int:
        return self._local_states.op[self._successors.encoding.nodes(self._successors.states[state])[edge.worker]]


def _beaten(known: list[Label] | None, last: int, cost: int) -> bool:
    """Whether whatever continues a label with this turn and cost also continues a known one of its state, for no more.

    From the same state, another turn costs at most one preemption more. Faults are equal: they are part of the state.
    """
    for one in known or ():  # noqa: SIM110 - the inner loop; as a generator it costs twice as much
        if one.last == last or one.last == NOBODY or cost - one.cost >= PREEMPTION:
            return True
    return False
