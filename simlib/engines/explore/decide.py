"""From a question to what there is to say about it: a proof, or the smallest way in which it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from simlib.engines.budget import Budget, Limits
from simlib.engines.explore.findings import Findings
from simlib.engines.explore.proof import Proof
from simlib.engines.explore.search import AskedTheTime, Question
from simlib.engines.explore.smallest import Smallest
from simlib.engines.explore.spot import Overtaking, Spot
from simlib.engines.explore.symmetry import NotAlike
from simlib.errors import Mistake, NotDeterministic, WorkerHangs
from simlib.resources.clock import Clock
from simlib.system import System
from simlib.trace import Move

T = TypeVar("T")


def decide(
    system: System,
    budget: Budget,
    limits: Limits,
    *,
    merge: bool = True,
    symmetric: bool = True,
    spot: Spot | Overtaking | None = None,
) -> Findings:
    """Search until a violation, the end or a limit. `merge=False` names workers' places by their answers alone."""
    return _asked(system, budget, limits, merge, spot, lambda question: _answer(question, symmetric))


def runs_that_go_well(system: System, budget: Budget, most: int) -> list[tuple[Move, ...]]:
    """So many at most, the ones with the fewest faults first."""
    found = _asked(system, budget, Limits(), True, None, lambda question: Smallest(question, most).run())
    return found.good or []


def _asked(
    system: System,
    budget: Budget,
    limits: Limits,
    merge: bool,
    spot: Spot | Overtaking | None,
    answer: Callable[[Question], T],
) -> T:
    """The answer to this question; asked a second time where it turns out that what time it is matters."""
    clocks = {name for name, resource in system.resources.items() if isinstance(resource, Clock)}
    claims = (*system.always, *system.eventually, *system.sometimes)
    question = Question.about(
        system, budget, limits, merge, spot, timed=any(clocks & set(claim.parameters) for claim in claims)
    )
    try:
        return answer(question)
    except AskedTheTime:
        question.histories.close()
        question = Question.about(system, budget, limits, merge, spot, timed=True)
        return answer(question)
    finally:
        question.histories.close()


def _answer(question: Question, symmetric: bool) -> Findings:
    """First whether anything is wrong, which is quick; then, if it is, on which smallest way it comes about."""
    if question.spot:
        return Smallest(question).run()
    proof = _proof(question, symmetric)
    if isinstance(proof, Findings) and (proof.interrupted or not proof.found or proof.found.moves is None):
        return proof
    smallest = Smallest(question).run()
    if isinstance(proof, Mistake) and not smallest.found and not smallest.interrupted:
        raise proof
    return smallest


def _proof(question: Question, symmetric: bool) -> Findings | Mistake:
    try:
        try:
            return Proof(question, symmetric).run()
        except NotAlike:
            return Proof(question, symmetric=False).run()
    except (NotDeterministic, WorkerHangs):
        raise
    except Mistake as mistake:  # the other search makes it on the shortest way
        return mistake
