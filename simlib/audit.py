"""Grade a property by the broken workers that it catches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Literal, Unpack

from simlib.arguments import named
from simlib.check import Report
from simlib.errors import Mistake
from simlib.model.system import Counts, by_name
from simlib.scenario import Scenario, Workers, about_a_scenario, asking_one, one_question
from simlib.schedule.budget import Search
from simlib.simulate.conditions import COUNTED
from simlib.text import listed, name_of, plural, show

OWN_CLAIMS = ("stuck", "livelock", "error")


@dataclass(frozen=True)
class Audit:
    """Which broken workers a property catches. `claim` is its name.

    `careful` maps each careful worker to its report, and `killed` each broken worker that the property catches to its.
    `survived` names the broken workers that it misses, `undecided` those whose search stopped before it could tell.
    """

    claim: str
    careful: Mapping[str, Report]
    killed: Mapping[str, Report]
    survived: tuple[str, ...]
    undecided: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many broken workers there are."""
        return len(self.killed) + len(self.survived) + len(self.undecided)

    @property
    def score(self) -> int:
        """How many broken workers it catches; 0 if the property fails for a careful worker."""
        return len(self.killed) if self.sound else 0

    @property
    def done(self) -> bool:
        """Whether it catches every broken worker."""
        return self.score == self.total

    @property
    def sound(self) -> bool:
        """Whether it holds for every careful worker."""
        return all(report.verdict == "holds" for report in self.careful.values())

    def __repr__(self) -> str:
        for name, report in self.careful.items():
            if report.verdict != "holds":
                because = f"it is {report.verdict} for {name}, which does nothing wrong"
                return f"{self.claim}: 0 of {self.total}, for {because}.\n\n{report}"
        broken = plural(self.total, "broken worker")
        lines = [f"{self.claim}: catches {self.score} of {broken}, and holds for {listed(list(self.careful))}."]
        lines += [f"  {worker}: caught, with {_with(report)}" for worker, report in self.killed.items()]
        lines += [f"  {worker}: missed" for worker in self.survived]
        lines += [f"  {worker}: unfinished" for worker in self.undecided]
        if not self.killed and not self.undecided:
            lines.append("A property that nothing here can break says nothing. What does the customer notice?")
        return "\n".join(lines)


@about_a_scenario(instead=COUNTED)
@one_question
def audit(
    scenario: Scenario,
    claim: Callable[..., bool],
    *,
    careful: Workers | Sequence[Workers],
    broken: Sequence[Workers],
    when: Literal["always", "eventually"] = "always",
    workers: Counts | None = None,
    **faults: Unpack[Search],
) -> Audit:
    """Check this one property, and nothing else, against careful workers and broken ones.

    Each entry of `careful` and `broken` is a worker, or a list of functions if there are several roles. `when` says
    whether the property should be true in every state ("always") or wherever nothing more can happen ("eventually").
    `faults` and limits are those of `scenario.explore`. A broken worker that only gets stuck or loops forever is not
    caught: the property itself has to fail.

    Raises Mistake if `claim` is not a function or has one of the checker's own names (stuck, livelock, error), if
    `when` is anything else, if `careful` or `broken` is empty, if workers share a name, and whenever `explore` would.
    """
    if when not in ("always", "eventually"):
        raise Mistake(f'when={show(when)}: a property is true "always" or "eventually".')
    if not broken or not isinstance(broken, (list, tuple)) or not careful:
        raise Mistake("audit(..., careful=[...], broken=[...]): give workers that are right, and some that are wrong.")
    if not isinstance(claim, (FunctionType, MethodType)):
        raise Mistake(f"audit(scenario, {named(claim)}, ...): give the property, a plain function, without brackets.")
    if name_of(claim) in OWN_CLAIMS:
        raise Mistake(f"{name_of(claim)} is the checker's own word. Give your property another name.")
    asked = asking_one(scenario, when, claim)

    def reports(implementations: Sequence[Workers]) -> dict[str, Report]:
        return {name: asked.explore(one, workers=workers, **faults) for name, one in by_name(implementations).items()}

    sound, found = reports([careful] if callable(careful) else careful), reports(broken)
    killed = {name: report for name, report in found.items() if report.claim == name_of(claim)}
    undecided = tuple(name for name, report in found.items() if report.verdict == "unfinished")
    survived = tuple(name for name in found if name not in killed and name not in undecided)
    return Audit(name_of(claim), sound, killed, survived, undecided)


def _with(report: Report) -> str:
    return report.counterexample.describe_faults() if report.counterexample else report.verdict
