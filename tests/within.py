"""What `simulate` can come to with no drawn fault has to be among what `explore` says is possible.

Random programs with clocks, sleeps, leases and visibility timeouts, or with transactions. Steps take next to no time
beside them, and where a program asks what time it is, none at all.
"""

from dataclasses import dataclass, field, fields

from simlib import Clock, Database, Lock, Queue, exponential
from simlib.check import explore
from simlib.errors import Mistake
from simlib.model.system import outcome_of
from simlib.schedule.budget import Budget, Limits
from simlib.simulate import Conditions, simulate
from tests.agreement import digest, each_of
from tests.programs import programs_with_clocks

SEEDS = 4
HOURS = 0.5


@dataclass
class Within:
    """How many were really compared."""

    programs: set = field(default_factory=set)
    runs: int = 0
    undecided: int = 0  # `explore` found somebody stuck, or did not finish: it has not seen everything
    endless: int = 0  # runs that did not come to rest
    asleep: int = 0  # programs that sleep
    expired: int = 0  # programs in which a timer runs out in some run
    outcomes: int = 0  # that were met, of each program

    def __iadd__(self, other):
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine | theirs if isinstance(mine, set) else mine + theirs)
        return self


def whatever():
    return True


def simulates_within(case, tally):
    """Raises AssertionError for a run that ends as `explore` says that none can."""
    scenario = case.scenario.asking(eventually=[whatever])
    case = case._replace(scenario=scenario)
    system = case.system()
    report = explore(system, Budget({"crashes": 0}), Limits(states=3_000, seconds=None))
    if report.verdict != "holds":
        tally.undecided += 1
        return
    met = set()
    for number in range(SEEDS):
        trace = run_of(case, number)
        if trace is None or not trace.settled:
            tally.endless += 1
            continue
        tally.runs += 1
        outcome = outcome_of(trace.states)
        met.add(outcome)
        assert outcome in report.outcomes, f"seed {number}: {outcome}\n{trace.trace}\nnone of {report.outcomes}"
        tally.expired += any(event.kind == "timer" for event in trace.trace.events)
    tally.outcomes += len(met)
    tally.asleep += any(isinstance(thing, Clock) for thing in system.resources.values())
    if any(isinstance(thing, (Database, Lock, Queue)) for thing in system.resources.values()):
        tally.programs.add(digest(repr(case)))


def run_of(case, number):
    """One run, in which steps take no time, or hardly any; None where it goes on and on without any time passing."""
    asks = any("now" in str(role.source) for role in case.roles)
    latency = 0 if asks or number == 0 else exponential(0.001)
    try:
        return simulate(case.system(), Conditions(hours=HOURS, latency=latency, restart=0), number, True, False)
    except Mistake:
        return None


def compare_many(number, examples, programs=programs_with_clocks):
    """So many programs, drawn from this seed. Raises what `simulates_within` does, with a small such program."""
    tally = Within()
    each_of(programs({}), number, examples, lambda case: simulates_within(case, tally))
    return tally
