"""From a question to what there is to say about it: a proof, or the smallest way in which it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

from simlib.check.counters import floors
from simlib.check.findings import Carry, Findings
from simlib.check.question import Question, deadline
from simlib.check.reachability import Reachability
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.check.shortest import Shortest
from simlib.check.symmetry import NotAlike, alike
from simlib.errors import Hangs, Mistake, NotDeterministic
from simlib.model.system import System
from simlib.resources.clock import Clock
from simlib.resources.lock import Lock
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
    """Search until a violation, the end or a limit: first whether anything is wrong, which is quick; then, if it is,
    on which smallest way it comes about.
    """
    about = partial(Question.about, system, budget, limits, merge=merge, location=location, deadline=deadline(limits))
    with closing(Checker(system, about)) as asker:
        return _findings(asker, symmetric and bool(alike(system)), location is not None)


def _findings(asker: Checker, symmetric: bool, location: bool) -> Findings:
    if location:  # it tells worker A from all others
        return asker.ask(lambda question: Shortest(question).run())
    try:
        proof = _proof(asker, symmetric)
    except (NotDeterministic, Hangs):  # to ask again would take as long again
        raise
    except Mistake:
        smallest = asker.ask(lambda question: Shortest(question).run())  # it makes the same on the shortest way
        if smallest.found or smallest.interrupted:
            return smallest
        raise
    if proof.found is None or proof.found.moves is None:
        return proof
    smallest = asker.ask(lambda question: Shortest(question).run())
    if smallest.interrupted and not smallest.found:
        smallest.wrong = proof.found.claim
    return smallest


def _proof(asker: Checker, symmetric: bool) -> Findings:
    try:
        return asker.ask(lambda question: Reachability(question).run(), anonymous=symmetric)
    except NotAlike:
        return asker.ask(lambda question: Reachability(question).run())


def runs_that_go_well(system: System, budget: Budget, most: int) -> list[tuple[Transition, ...]]:
    """So many at most, the ones with the fewest faults first."""
    with closing(Checker(system, partial(Question.about, system, budget, Limits()))) as asker:
        return asker.ask(lambda question: Shortest(question, most).run()).good or []


class Checker:
    """Keeps what the searches for one answer can share, and asks again, with more in each state, where that matters:
    what time it is, in which order messages were acknowledged, how large a count is.
    """

    def __init__(self, system: System, about: Callable[..., Question]) -> None:
        clocks = {name for name, resource in system.resources.items() if isinstance(resource, Clock)}
        claims = (*system.always, *system.eventually, *system.sometimes)
        timed = any(clocks & set(claim.parameters) for claim in claims)
        self._carried: frozenset[str] = frozenset({"time"} if timed else ())
        self._floor: float | None = None
        self._floors = floors(system)
        self._has_locks = any(isinstance(resource, Lock) for resource in system.resources.values())
        self._about = about
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
        self._question = self._about(carried=self._carried, floor=self._floor, anonymous=anonymous)
        return self._question

    def close(self) -> None:
        if self._question:
            self._question.local_states.close()
