"""Reports: a verdict, and everything that a reader may ask about it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simlib.check.checker import runs_that_go_well
from simlib.check.findings import Findings, Loop, Uncaught, Wait
from simlib.errors import DoesNotHold, Unfinished
from simlib.model.system import System
from simlib.schedule.budget import Budget
from simlib.schedule.replay import follow
from simlib.schedule.trace import Trace
from simlib.text import listed, plural, show, wrapped

Verdict = Literal["violated", "holds", "unfinished"]
IN_STATES = (
    "In a test, limit the search by states alone: explore(..., max_states=1_000_000, max_seconds=None). "
    "Then its verdict is the same on every machine, however busy that is."
)


@dataclass(frozen=True)
class Report:
    """What `explore` found. `print` shows the verdict, the smallest counterexample, and the bounds.

    `counterexample` is the smallest run that breaks the claim: fewest faults, then fewest preemptions, then fewest
    steps; None if there is none, or if a `sometimes` never came true. `token` identifies this verdict for
    `scenario.replay`.
    """

    system: System
    budget: Budget
    findings: Findings
    counterexample: Trace | None
    token: str

    @property
    def verdict(self) -> Verdict:
        """ "violated", with a counterexample; "holds", in every schedule within the bounds; or "unfinished"."""
        if self.findings.found:
            return "violated"
        return "holds" if self.findings.complete else "unfinished"

    @property
    def claim(self) -> str | None:
        """The name of the property that was violated; None if none was.

        Three names are the checker's own: "stuck" (a worker waits, and nobody will ever unblock it), "livelock" (one
        loops forever and gets nowhere) and "error" (its own exception ended it).
        """
        return self.findings.found.claim if self.findings.found else None

    @property
    def states(self) -> int:
        """How many states were visited. States that differ only by swapping identical workers count once."""
        return self.findings.states

    @property
    def transitions(self) -> int:
        """How many transitions from one state to the next were tried."""
        return self.findings.transitions

    @property
    def schedules(self) -> int | None:
        """How many schedules there are: counted, not run. None if they were not counted, or are infinitely many."""
        return self.findings.schedules

    @property
    def outcomes(self) -> frozenset[object]:
        """The worlds that a run can end with, as an outsider finds them; `run.outcome` of `simulate` is one of them."""
        return frozenset(self.findings.outcomes)

    @property
    def loops(self) -> tuple[Loop, ...]:
        """Who can loop forever although the verdict holds, and where: the worker's letter, steps with their lines."""
        return tuple(self.findings.loops)

    @property
    def waits(self) -> tuple[Wait, ...]:
        """Who can wait forever although the verdict holds: for what is locked by another one, who waits for work."""
        return tuple(self.findings.waits)

    @property
    def uncaught(self) -> tuple[Uncaught, ...]:
        """The operations' errors that nobody caught and that ended a run: whose, where, and if it was restarted."""
        return tuple(self.findings.uncaught)

    @property
    def crash_points(self) -> list[str]:
        """The steps after which a crash was tried."""
        return self.findings.crash_points

    @property
    def compiled(self) -> bool:
        """Whether the compiled core ran the search, or plain Python; all else is the same. See simlib.check.core."""
        return self.findings.compiled

    def sample(self, count: int = 1) -> list[Trace]:
        """At most `count` runs that went well, those with the fewest faults first; empty if none is known."""
        good = self.findings.good
        if good is None:
            with self.system.watchdog:
                good = runs_that_go_well(self.system, self.budget, count)
        return [follow(self.system, moves) for moves in good[:count]]

    @property
    def sentence(self) -> str:
        """The verdict as one sentence."""
        return {"violated": self._violated, "holds": self._holds, "unfinished": self._unfinished}[self.verdict]()

    @property
    def small_print(self) -> str:
        """Every parameter of the search, to show below a picture."""
        workers = plural(len(self.system.cast), "worker")
        tried = f"{workers}, {self.budget}{self._levels()}, every order of the atomic steps"
        return f'{tried}. Blocks are equally wide: time is an order. Again: replay("{self.token}")'

    def assert_holds(self) -> None:
        """Fail a test unless the verdict is "holds": `bank.explore(withdraw).assert_holds()`.

        Warns if it holds, but something was not put to the test. Raises DoesNotHold, an AssertionError, if it is
        violated; the message is what `print(report)` shows, with how to replay it. Raises Unfinished, which is not an
        AssertionError, if the search was stopped: nothing is known to be wrong, and the search needs more room.
        """
        __tracebackhide__ = True  # pytest shows the line of the test, not this one
        if self.verdict == "violated":
            raise DoesNotHold(self._text(again=self._replay()))
        if self.verdict == "unfinished":
            raise Unfinished(self._text(again=wrapped(IN_STATES)))
        if self.vacuous:
            warnings.warn(self.sentence, stacklevel=2)

    def _replay(self) -> str:
        """The call that replays it, for a reader who has neither the report nor the notebook."""
        names = list(dict.fromkeys(role.name for role in self.system.cast.values()))
        worker = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
        return f'Again: scenario.replay({worker}, "{self.token}")'

    def __str__(self) -> str:
        return self._text(again=f'Again: replay("{self.token}")')

    __repr__ = __str__

    def _text(self, again: str) -> str:
        trace = self.counterexample
        failure = [wrapped(f"Only if {listed(trace.failure)}.")] if trace and trace.failure else []
        shown = ["", trace.who, *trace.lines(), "", *failure] if trace else []
        notes = [wrapped(note) for note in self.notes] if self.verdict != "violated" else []
        return "\n".join([wrapped(self.sentence), *notes, *shown, wrapped(self._bounds()), *([again] if again else [])])

    @property
    def notes(self) -> list[str]:
        """What happens although no property forbids it: who can loop or wait forever, which errors nobody caught."""
        loops = [
            f"{worker} can loop for ever, at {listed([f'`{op}`{where.aside}' for op, where in steps])}."
            for worker, steps in self.loops
        ]
        return [*loops, *map(_waiting, self.waits), *_uncaught(self.uncaught)]

    def _violated(self) -> str:
        found, trace = self.findings.found, self.counterexample
        assert found is not None
        claim = {"error": "a worker's own error"}.get(found.claim, found.claim)
        if trace is None:
            return f"violated: {claim} (sometimes) never came true: {found.because}"
        steps = plural(sum(event.kind == "step" for event in trace.events), "step")
        return f"violated: {claim}, with {trace.describe_faults()}, {steps}: {found.because}"

    def _holds(self) -> str:
        if self.schedules is None:
            counted = "schedules without number, since a worker can go round for ever"
        else:
            counted = f"{plural(self.schedules, 'schedule')} (counted)"
        return f"holds{self.vacuous}: {counted}, {plural(self.states, 'state')} (visited), 0 violations, nothing cut"

    @property
    def vacuous(self) -> str:
        """What was not put to the test, to append to "holds"; empty if everything was."""
        found, system = self.findings, self.system
        idle = [*map(str, found.idle_faults)]
        why = [] if system.always or system.eventually or system.sometimes else ["no property was asked"]
        why += [f"nothing that happens can change {listed(found.untried)}"] if found.untried else []
        why += [f"{listed(found.idle_workers)} never took a step"] if found.idle_workers else []
        why += [f"no {listed(idle, 'or')} had a place to strike"] if idle else []
        return f", but {listed(why)}" if why else ""

    def _unfinished(self) -> str:
        proven = self.findings.faults_proven
        done = (
            f"all schedules with up to {plural(proven, 'fault')} hold"
            if proven > 0
            else "all schedules without a fault hold"
        )
        known = done if proven >= 0 else "nothing is proven yet"
        if self.findings.wrong:
            known = f"{self.findings.wrong} can be violated, but the smallest way to it was not found yet"
        visited = plural(self.states, "state")
        return f"unfinished: stopped {self.findings.interrupted}, {visited} visited; {known}. {self._lower()}"

    def _lower(self) -> str:
        """What would make the search smaller."""
        if self.findings.endless:
            return "To finish, bound the loop, or let it wait for something"
        knobs = [f"workers={len(self.system.cast)}"] if len(self.system.cast) > 1 else []
        knobs += [f"{kind}={show(self.budget.counts[kind])}" for kind in self.budget.kinds]
        limits = "max_megabytes" if self.findings.interrupted.endswith("MB") else "max_states and max_seconds"
        lower = f"lower {listed(knobs, 'or')}" if knobs else "give it less to do: fewer messages, fewer steps"
        return f"To finish, {lower}, or raise {limits}"

    def _levels(self) -> str:
        """At which isolation levels transactions ran: `, transactions of db at read committed`."""
        levels = [f"{resource} at {listed(found)}" for resource, found in self.findings.levels.items()]
        return f", transactions of {listed(levels)}" if levels else ""

    def _bounds(self) -> str:
        workers = plural(len(self.system.cast), "worker")
        crashes = f", crashed after {listed(self.crash_points)}" if self.crash_points else ""
        return (
            f"Bounds: {workers}, {self.budget}{crashes}{self._levels()}; every order of the atomic steps. "
            "Assumes that one yield is atomic and that workers share nothing but the resources; nothing about speed."
        )


def _waiting(wait: Wait) -> str:
    """A sentence for a worker that waits for another one, who waits for work."""
    return (
        f"{wait.role} can wait for ever, at `{wait.step}`{wait.where.aside}: {wait.holder} has locked that, and waits "
        f"for work at `{wait.holder_step}`{wait.holder_where.aside}."
    )


def _uncaught(found: Sequence[Uncaught]) -> list[str]:
    """A sentence for each worker and error: `charge ended with Rejected, which nobody caught (line 2), and ...`."""
    places: dict[tuple[str, str, bool], list[str]] = {}
    for one in found:
        places.setdefault((one.role, one.error, one.restarted), []).append(str(one.where))
    after = {True: "was started again", False: "was not started again"}
    return [
        f"{role} ended with {error}, which nobody caught{_at(wheres)}, and {after[restarted]}."
        for (role, error, restarted), wheres in places.items()
    ]


def _at(wheres: Sequence[str]) -> str:
    known = [where for where in wheres if where]
    return f" ({listed(known)})" if known else ""
