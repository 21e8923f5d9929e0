"""Plays one incident: checks, a commitment to a boundary, fixes. Everything costs minutes of outage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simlib.course.catalogue import BOUNDARIES, Catalogue, Fault, World
from simlib.course.plans import Path, Plans, Step
from simlib.errors import Mistake
from simlib.text import did_you_mean, listed, plural, show


@dataclass(frozen=True)
class Entry:
    """A line of the incident's log: the minute, and what happened."""

    at: float
    text: str

    def __repr__(self) -> str:
        return f"minute {self.at:g}: {self.text}"


@dataclass
class Incident:
    """The incident with this number. Its fault stays hidden until it is over.

    `check(name)` inspects the running system, `commit(boundary)` records which boundary you believe is failing,
    `fix(name)` tries one of that boundary's fixes and runs the system again. `minutes` is the outage so far, `log` what
    was done, `over` whether orders flow again.
    """

    plans: Plans
    seed: int
    minutes: float = 0.0
    over: bool = False
    log: list[Entry] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list, repr=False)
    commits: list[str] = field(default_factory=list)
    tried: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._world = self.plans.draw(self.seed)
        seen, usual = self._catalogue.gauge(self._world), self._catalogue.usual(self._world)
        self.symptom = f"{seen:g} {self._catalogue.unit}; the healthy system: {usual:g}"

    @property
    def _catalogue(self) -> Catalogue:
        return self.plans.catalogue

    def check(self, name: str) -> Entry:
        """Run a check for its minutes; repeats are free. Raises Mistake for an unknown one, or once it is over."""
        check = self._catalogue.check(name)
        known = next((entry for entry in self.log if entry.text.startswith(f"{check.name}: ")), None)
        if known is not None:
            return known
        self._check_open(f"check({show(name)})")
        before = self.steps[-1].left if self.steps else self.plans.everything
        step = self.plans.look(self._world, check, before, self.minutes)
        self.steps.append(step)
        self.minutes = step.at
        _, numbers = self._catalogue.reading(check, self._world)
        return self._write(f"{check.name}: {step.finding} ({numbers})")

    def commit(self, boundary: str) -> Entry:
        """Record the boundary that you believe is failing, by its name or the start of it. Raises Mistake if none fits,
        if you are committed to it already, or once the incident is over.
        """
        call = f"commit({show(boundary)})"
        self._check_open(call)
        meant = [one for one in BOUNDARIES if isinstance(boundary, str) and boundary and one.startswith(boundary)]
        if len(meant) != 1:
            near = did_you_mean(str(boundary), BOUNDARIES)
            raise Mistake(f"{call}: the boundaries are {listed([*map(show, BOUNDARIES)])}.{near}")
        if self.commits[-1:] == meant:
            raise Mistake(f"{call}: that is what you are committed to. {self._fixes_of(meant[0])}")
        self.commits.append(meant[0])
        return self._write(f"committed to {meant[0]}")

    def fix(self, name: str) -> Entry:
        """Try a fix of the boundary that you committed to, for its minutes; one that does not help is undone. Raises
        Mistake for an unknown or repeated fix, before a commitment, or once the incident is over.
        """
        call = f"fix({show(name)})"
        self._check_open(call)
        if not self.commits:
            raise Mistake(
                f"{call}: commit to a boundary first, as in commit({show(BOUNDARIES[2])}). What you write "
                "down before you touch anything is what the debrief sets beside the truth."
            )
        fix = next((one for one in self.fixes() if name in (one.fix, one.name)), None)
        if fix is None:
            near = did_you_mean(str(name), [one.fix for one in self.fixes()])
            raise Mistake(
                f"{call}: you are committed to {self.commits[-1]}. {self._fixes_of(self.commits[-1])}{near} "
                "Or commit to another boundary."
            )
        if fix in self.tried:
            raise Mistake(f"{call}: you tried that, and it did not help. Try another.")
        self.tried.append(fix)
        self.minutes += fix.minutes
        self.over = self.plans.cures(fix, self._world)
        seen = self._catalogue.gauge(self._world, [fix])
        verdict = "it is over" if self.over else "no better"
        return self._write(f"{fix.fix}: {verdict}, {seen:g} {self._catalogue.unit}")

    def fixes(self) -> list[Fault]:
        """The fixes of the boundary that you committed to; empty before that."""
        return self._catalogue.faults_of(self.commits[-1]) if self.commits else []

    @property
    def truth(self) -> Fault:
        """The actual fault. Raises Mistake while the incident is open."""
        if not self.over:
            raise Mistake(f"the incident is still open, after {self.minutes:g} minutes. Check, commit, fix.")
        return self._world.fault

    @property
    def path(self) -> Path:
        """Your path through the incident. Raises Mistake while it is open."""
        assert self.truth
        return Path(tuple(self.steps), tuple(self.commits), tuple(self.tried), self.minutes)

    def instead(self, player: Callable[[World], Path]) -> Path:
        """Another player's path through it: `incident.instead(plans.best)`. Raises Mistake while it is open."""
        assert self.truth
        return player(self._world)

    def _write(self, text: str) -> Entry:
        self.log.append(Entry(self.minutes, text))
        return self.log[-1]

    def _check_open(self, what: str) -> None:
        if self.over:
            raise Mistake(
                f"{what}: the incident is over, after {self.minutes:g} minutes. Look at debrief(incident), or open "
                f"another: Incident(plans, {self.seed + 1})."
            )

    def _fixes_of(self, boundary: str) -> str:
        return f"Its fixes are {listed([show(one.fix) for one in self._catalogue.faults_of(boundary)])}."

    def __repr__(self) -> str:
        looks = [f"  {check.minutes:>4g} min  {check.name}" for check in self._catalogue.checks]
        state = "over" if self.over else "open"
        head = f"Incident {self.seed}, {state}, {plural(round(self.minutes), 'minute')} of outage. {self.symptom}."
        return "\n".join([head, "Checks:", *looks, "Log:", *(f"  {line}" for line in self.log or ("nothing yet",))])
