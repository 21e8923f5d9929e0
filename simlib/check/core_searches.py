"""The searches, with their loops in the compiled core. What is found, and the conclusions, are as in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from simlib.check import core
from simlib.check.core_successors import CoreSuccessors
from simlib.check.edges import FAULT
from simlib.check.findings import Findings
from simlib.check.question import Question
from simlib.check.reachability import Reachability
from simlib.check.search import Search
from simlib.check.shortest import MOST_SAMPLES, Label, Shortest
from simlib.schedule.transition import Transition

Arrival = TypeVar("Arrival")
Value = TypeVar("Value")


def reachability(question: Question) -> Findings:
    """Visit every state once. See Reachability."""
    return (CoreReachability if core.takes(question) else Reachability)(question).run()


def shortest(question: Question, samples: int | None = None) -> Findings:
    """Look for the smallest violation. See Shortest."""
    return (CoreShortest if core.takes(question) else Shortest)(question, samples).run()


class CoreSearch(Search[Arrival]):
    """What both share. The core calls `judge`, `learned`, `rest`, `endless` and `look`, with its own numbers for states
    and for how they were reached.
    """

    kind_of_successors = CoreSuccessors
    _successors: CoreSuccessors

    def _search(self, loop: str) -> None:
        """Search in this loop of the core's until a violation, the end or a limit."""
        answers, successors, ended = self._property_answers, self._successors, False
        claims = (*answers.always, *answers.eventually, *answers.sometimes)
        first = successors.begin(sorted({resource for claim in claims for resource in claim.resources}))
        self.findings.compiled = True
        try:
            ended = getattr(successors.space, loop)(successors, self, first, self._limits.states)
        finally:
            _, self.findings.states, self.findings.transitions, self._able, _ = successors.space.so_far()
            self.findings.faults_proven = self._question.budget.total if ended else self._proven()
            successors.note_struck()

    def _proven(self) -> int:
        """All schedules with up to so many faults hold."""
        return int(self._successors.space.so_far()[-1]) // (2 * FAULT) - 1

    def judge(self, number: int, where: Arrival) -> bool:
        """Whether a state is wrong, whatever can happen next."""
        return self._is_wrong(self._checks.everywhere(self._successors.states[number]), where)

    def learned(self) -> None:
        """Raise Carry if states have to carry more, by what was learned in this one."""
        self._check_carried()

    def rest(self, number: int, where: Arrival) -> tuple[bool, bool]:
        """Whether it is wrong that nothing more can happen in this state; and whether to be asked of each such state,
        also if it differs from another one only in what is left, or in how workers came to their end.
        """
        return self._is_wrong(self._rest(number, where), where), self._wants_each_rest()

    def _wants_each_rest(self) -> bool:
        return False

    def endless(self, number: int, where: Arrival) -> None:
        """Look for a run without an end."""
        self._look_for_endless(where, number)

    def look(self, visited: int) -> bool:
        """Whether to stop here, after so many states."""
        self.findings.states, self.findings.faults_proven = visited, self._proven()
        return self._out_of_limits()

    def _count_schedules(self) -> int | None:
        digits = self._successors.space.schedules()
        return None if digits is None else sum(digit << 64 * place for place, digit in enumerate(digits))

    def _traps(self, below: int) -> list[list[int]]:
        return [[*circle] for circle in self._successors.space.circles(self._successors, below)]


class CoreReachability(CoreSearch[int], Reachability):
    """Whether anything is wrong."""

    def _best_first(self) -> None:
        self._search("reach")

    def _backwards(self, where: int) -> Iterator[Transition]:
        came = self._successors.space.came(where)
        while came is not None:
            edge, where = came
            yield self._successors.edge(edge).move
            came = self._successors.space.came(where)


class CoreShortest(CoreSearch[Label | int], Shortest):
    """The smallest violation, if there is one. Labels are the core's, by number, and few are ever looked at."""

    def __init__(self, question: Question, samples: int | None = None) -> None:
        super().__init__(question, samples)
        self._labels = Lazy(lambda state: [self._label(self._successors.space.first_label(state))])
        self._nexts = Lazy(self._successors.in_state)

    def _best_first(self) -> None:
        self._search("shortest")

    def _wants_each_rest(self) -> bool:
        return len(self._good) < MOST_SAMPLES

    def _backwards(self, where: Label | int) -> Iterator[Transition]:
        if isinstance(where, Label):
            yield from super()._backwards(where)
            return
        *_, before, edge = self._successors.space.label(where)
        while before is not None:
            yield self._successors.edge(edge).move
            *_, before, edge = self._successors.space.label(before)

    def _label(self, where: int) -> Label:
        way, label = [], None
        before: int | None = where
        while before is not None:
            state, last, cost, before, edge = self._successors.space.label(before)
            way.append((state, last, cost, edge))
        for state, last, cost, edge in reversed(way):
            move = None if edge is None else self._successors.edge(edge).move
            label = Label(state, last, cost, label, move)
        assert label is not None
        return label


class Lazy(dict[int, Value]):
    """What is asked of the core about a state when it is looked up."""

    def __init__(self, ask: Callable[[int], Value]) -> None:
        self._ask = ask

    def __missing__(self, state: int) -> Value:
        value = self[state] = self._ask(state)
        return value
