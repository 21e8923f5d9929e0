"""From a question to its answer: a proof, or the smallest counterexample."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

from simlib.check.core_searches import reachability, shortest
from simlib.check.counters import floors
from simlib.check.findings import Carry, Findings
from simlib.check.learned import Sharing, has_locks
from simlib.check.question import Question, deadline
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.check.symmetry import NotAlike, alike
from simlib.errors import Hangs, Mistake, NotDeterministic
from simlib.model.system import System
from simlib.resources.clock import Clock
from simlib.schedule.budget import Budget, Limits
from simlib.schedule.transition import Transition


def findings_of(
    system: System,
    budget: Budget,
    limits: Limits,
    *,
    merge: bool,
    symmetric: bool,
    location: FaultLocation | Overtaking | None,
) -> Findings:
    """Search until a violation, the end or a limit: first for any violation, which is quick; then, if there is one, for
    the smallest way to it.
    """
    about = partial(Question.about, system, budget, limits, merge=merge, location=location, deadline=deadline(limits))
    with closing(Checker(system, about)) as checker:
        return _findings(checker, symmetric and bool(alike(system)), location is not None)


def _findings(checker: Checker, symmetric: bool, location: bool) -> Findings:
    if location:  # it singles out worker A
        return checker.ask(shortest)
    try:
        proof = _proof(checker, symmetric)
    except (NotDeterministic, Hangs):  # asking again would take as long again
        raise
    except Mistake:
        smallest = checker.ask(shortest)  # raises the same, on the shortest way
        if smallest.found or smallest.interrupted:
            return smallest
        raise
    if proof.found is None or proof.found.moves is None:
        return proof
    smallest = checker.ask(shortest)
    if smallest.interrupted and not smallest.found:
        smallest.wrong = proof.found.claim
    return smallest


def _proof(checker: Checker, symmetric: bool) -> Findings:
    try:
        return checker.ask(reachability, anonymous=symmetric)
    except NotAlike:
        return checker.ask(reachability)


def runs_that_go_well(system: System, budget: Budget, most: int) -> list[tuple[Transition, ...]]:
    """At most `most` runs that go well, those with the fewest faults first."""
    with closing(Checker(system, partial(Question.about, system, budget, Limits()))) as checker:
        return checker.ask(lambda question: shortest(question, most)).good or []


class Checker:
    """Shares work between the searches for one answer, and repeats a search with more in each state if that matters:
    the time, the order of acknowledgements, the size of a count.
    """

    def __init__(self, system: System, about: Callable[..., Question]) -> None:
        clocks = {name for name, resource in system.resources.items() if isinstance(resource, Clock)}
        claims = (*system.always, *system.eventually, *system.sometimes)
        timed = any(clocks & set(claim.parameters) for claim in claims)
        self._carried: frozenset[str] = frozenset({"time"} if timed else ())
        self._floor: float | None = None
        self._floors = floors(system)
        self._has_locks = has_locks(system)
        self._about, self._sharing = about, system.sharing or Sharing()
        self._question: Question | None = None

    def ask(self, search: Callable[[Question], Findings], anonymous: bool = False) -> Findings:
        while True:
            try:
                return search(self._asked(anonymous))
            except Carry as more:
                if more.args[0] == "counts":
                    self._floor = next(self._floors)
                else:
                    self._carried |= {more.args[0]}

    def _asked(self, anonymous: bool) -> Question:
        known, carried = self._question, (self._carried, self._floor)
        if known and (known.carried, known.floor) == carried and (known.anonymous == anonymous or not self._has_locks):
            return replace(known, anonymous=anonymous)
        self.close()
        self._question = self._about(
            sharing=self._sharing, carried=self._carried, floor=self._floor, anonymous=anonymous
        )
        return self._question

    def close(self) -> None:
        if self._question:
            self._question.local_states.close()
