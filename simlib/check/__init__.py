"""The checker: decides about every schedule within a budget of faults, by visiting every state once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from simlib.check.checker import findings_of
from simlib.check.findings import Findings
from simlib.check.report import Report
from simlib.check.restricted import FaultLocation, Overtaking
from simlib.errors import Mistake, NotDeterministic
from simlib.model.system import System
from simlib.schedule.budget import Budget, Limits
from simlib.schedule.replay import follow
from simlib.schedule.token import points, write_head, write_token
from simlib.schedule.trace import Trace
from simlib.schedule.transition import Transition
from simlib.watchdog import interruptible

__all__ = ["Report", "explore"]


def explore(
    system: System,
    budget: Budget,
    limits: Limits,
    *,
    merge: bool = True,
    symmetric: bool = True,
    location: FaultLocation | Overtaking | None = None,
) -> Report:
    """Visit every state that the system can reach within the budget, with faults nowhere but at `location`. See Report.

    `merge` merges histories that leave a worker in the same state; with `symmetric`, states that differ only by
    swapping identical workers count once. Neither changes a verdict; they can be turned off to compare. Raises Mistake
    for a budget that is aimed at what the system does not have.
    """
    budget.check_names(system)
    with interruptible() as interrupt:
        if interrupt.came:  # in an earlier one of many questions
            return Report(system, budget, Findings(interrupted="by you"), None, write_head(system, budget))
    before = system.memories()
    with system.watchdog, _without_gc():
        findings = findings_of(system, budget, limits, merge=merge, symmetric=symmetric, location=location)
        if findings.interrupted != "by you":  # an interrupt gives what is known
            system.compare_memories(before)
        try:
            trace = _counterexample(system, findings)
        except KeyboardInterrupt:  # show nothing that was not replayed
            trace, findings.found, findings.interrupted = None, None, "by you"
    head = write_head(system, budget)
    if trace is not None:
        head += "-" + write_token(points(trace))
    return Report(system, budget, findings, trace, head)


@contextmanager
def _without_gc() -> Iterator[None]:
    """A search makes many tuples and no cycles; looking for cycles took a third of its time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _counterexample(system: System, findings: Findings) -> Trace | None:
    """The violation, replayed with real generators. Raises NotDeterministic if it does not happen again."""
    found = findings.found
    if found is None or found.moves is None:
        return None
    trace = _replayed(system, found.moves)
    claims = {claim.name: claim for claim in (*system.always, *system.eventually)}
    if found.claim in claims and system.holds(claims[found.claim], {**system.values, **trace.final}):
        raise _went_elsewhere(system)
    if found.claim == "error" and trace.events and not any(event.error for event in trace.events):
        raise _went_elsewhere(system)
    about = claims[found.claim].parameters if found.claim in claims else ()
    return trace.but(broken=found.claim, because=found.because, about=about)


def _replayed(system: System, moves: tuple[Transition, ...]) -> Trace:
    try:
        return follow(system, moves)
    except Mistake:
        raise
    except Exception:  # a step that no longer exists, or cannot happen
        raise _went_elsewhere(system) from None


def _went_elsewhere(system: System) -> NotDeterministic:
    return NotDeterministic(
        f"{system.title} broke something, and did not when the same schedule was played again. A worker may depend on "
        "nothing but its answers: ask a Clock or a Random of the scenario, and keep no state in globals."
    )
