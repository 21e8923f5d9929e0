"""Grades a property by what it notices: a property that nothing can break says nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any, Literal

from simlib.arguments import named
from simlib.engines.budget import KINDS, LIMITS
from simlib.engines.explore import Report
from simlib.engines.simulate.conditions import COUNTED
from simlib.errors import Mistake
from simlib.scenario import Scenario, Workers, about_a_scenario
from simlib.system import by_name, called
from simlib.text import name_of
from simlib.values import plural, show
from simlib.watchdog import interruptible


@dataclass(frozen=True)
class Audit:
    """What came of it. `killed` are the broken workers that the property found out, `survived` those it did not.

    `score` is how many it killed; 0 when it is false of the careful worker too.
    """

    claim: str
    worker: str  # the careful one
    careful: Report
    killed: Mapping[str, Report]
    survived: tuple[str, ...]
    undecided: tuple[str, ...] = ()  # the search was stopped before it could say

    @property
    def score(self) -> int:
        return len(self.killed) if self.sound else 0

    @property
    def sound(self) -> bool:
        """Whether it holds of the careful worker."""
        return self.careful.verdict == "holds"

    def __repr__(self) -> str:
        total = len(self.killed) + len(self.survived) + len(self.undecided)
        name = self.worker
        if not self.sound:
            because = f"it is {self.careful.verdict} for {name}, which does nothing wrong"
            return f"{self.claim}: 0 of {total}, for {because}.\n\n{self.careful}"
        lines = [f"{self.claim}: finds out {self.score} of {plural(total, 'broken worker')}, and holds for {name}."]
        lines += [f"  {worker}: found out, with {_with(report)}" for worker, report in self.killed.items()]
        lines += [f"  {worker}: not found out" for worker in self.survived]
        lines += [f"  {worker}: unfinished" for worker in self.undecided]
        if not self.killed and not self.undecided:
            lines.append("A property that nothing here can break says nothing. What does the customer notice?")
        return "\n".join(lines)


@about_a_scenario(*LIMITS, *KINDS, instead=COUNTED)
@interruptible()
def audit(
    scenario: Scenario,
    claim: Callable[..., bool],
    *,
    careful: Workers,
    broken: Sequence[Workers],
    when: Literal["always", "eventually"] = "always",
    workers: int | Mapping[str, int] | None = None,
    **faults: Any,
) -> Audit:
    """Ask this one property, and nothing else, of a careful worker and of broken ones.

    `when` says whether it should be true in every state, or where nothing more can happen. `faults` are those of
    `scenario.explore`, and so are limits. A worker that gets stuck is found out by that, not by the property. Raises
    Mistake.
    """
    if when not in ("always", "eventually"):
        raise Mistake(f'when={show(when)}: a property is true "always" or "eventually".')
    if not broken or not isinstance(broken, (list, tuple)):
        raise Mistake("audit(..., broken=[...]): give workers that are known to be wrong, to see which it finds out.")
    if not isinstance(claim, (FunctionType, MethodType)):
        raise Mistake(f"audit(scenario, {named(claim)}, ...): give the property, a plain function, without brackets.")
    asked = scenario.alone(when, claim)
    careful_report = asked.explore(careful, workers=workers, **faults)
    reports = {name: asked.explore(one, workers=workers, **faults) for name, one in by_name(broken).items()}
    killed = {name: report for name, report in reports.items() if report.claim == name_of(claim)}
    undecided = tuple(name for name, report in reports.items() if report.verdict == "unfinished")
    survived = tuple(name for name in reports if name not in killed and name not in undecided)
    return Audit(name_of(claim), called(careful), careful_report, killed, survived, undecided)


def _with(report: Report) -> str:
    return report.counterexample.describe_faults() if report.counterexample else report.verdict
