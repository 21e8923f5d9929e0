"""The checker, which visits states, held against every schedule run one by one, on random programs.

Four ways to the same answers: `explore` as it is used, `explore` with each of its reductions turned off (merge=False: a
worker's place is named by its answers alone; symmetric=False: workers that are alike are told apart), and the
enumeration. They have to agree on the reachable worlds, the final ones, the number of schedules, the verdict, and the
size of the smallest counterexample; with and without symmetry, on each of its moves.
"""

import hashlib
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field, fields, replace

from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from simlib import Clock
from simlib.check import explore
from simlib.check.symmetry import alike
from simlib.schedule.budget import Budget, Limits
from tests.enumeration import every_schedule, how_many, key_of, retrace
from tests.programs import MOST_SCHEDULES

REDUCTIONS = [{}, {"symmetric": False}, {"merge": False}]  # as it is used, and each of them turned off


class Spy:
    """A property that is always true and writes down every world that it is shown, in full.

    It does not look at clocks: where nobody does, the search leaves out what time it is, and that is to be tried too.
    """

    name = "spy"

    def __init__(self, system, symmetric):
        self.seen = set()
        self.symmetric = symmetric
        self.function = Spy.holds
        self.renamings = renamings(system) if symmetric else [{}]
        self.parameters = tuple(name for name, thing in system.resources.items() if not isinstance(thing, Clock))

    def holds(self, states):
        for names in self.renamings:
            self.seen.add(key_of({name: states[name].renamed(names) for name in self.parameters}))
        return True

    def memory(self):
        """What it writes down is the test's own, and no part of its answer."""
        return {}

    def saw(self, worlds):
        """Whether these are the worlds that it was shown."""
        if self.symmetric:
            return {*map(nameless, self.seen)} == {*map(nameless, worlds)}
        return self.seen == worlds


def nameless(key):
    """The world without the name in the values that a lock makes up: a search that tells nobody apart leaves it out.

    Also where a worker has stored one. Then the search is made again by name, after its properties saw some worlds so.
    """
    if isinstance(key, (tuple, frozenset)):
        return (tuple if isinstance(key, tuple) else frozenset)(map(nameless, key))
    return re.sub(r"^[A-Z]?#(?=\d+$)", "#", key) if isinstance(key, str) else key


def renamings(system):
    """Every way to exchange the names of workers who are alike: of these worlds, a search may show any one."""
    groups = [[[*system.cast][worker] for worker in group] for group in alike(system)]
    ways = itertools.product(*(itertools.permutations(group) for group in groups))
    return [dict(zip(itertools.chain(*groups), itertools.chain(*way))) for way in ways]


@dataclass
class Tally:
    """How many programs were really compared, so that skipping cannot hide."""

    compared: int = 0
    holds: int = 0
    violated: int = 0
    endless: int = 0  # of those compared: programs with a schedule that has no end, held against a bound alone
    large: int = 0  # not compared
    alike: int = 0  # of those compared: programs in which workers were not told apart
    fewer: int = 0  # states of which symmetry spared the visit, in those that hold
    bare: int = 0  # of those violated: compared once more with nothing claimed
    schedules: int = 0
    overtaken: int = 0  # smallest counterexamples in which somebody is overtaken
    replayed: int = 0  # counterexamples played again from their token
    needed: int = 0  # faults of counterexamples, each of which was taken away in turn
    different: set = field(default_factory=set)
    claims: Counter = field(default_factory=Counter)
    resources: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)  # that found a place to strike

    def __iadd__(self, other):
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine | theirs if isinstance(mine, set) else mine + theirs)
        return self


def agree(case, budget, tally):
    """Compare on one program. Raises AssertionError for a disagreement."""
    system = case.system()
    everything = every_schedule(system, budget, most_schedules=MOST_SCHEDULES)
    if everything.cut == "too many":
        tally.large += 1
        reject()  # another program is drawn in its place
    tally.compared += 1
    if not everything.cut:
        tally.different.add(digest(repr((case, budget))))
    tally.schedules += everything.schedules
    tally.overtaken += min(everything.smallest.values(), default=(0, 0, 0))[1] > 0
    tally.resources.update([*system.resources])
    reports = [agrees(system, budget, everything, off, tally if not off else Tally()) for off in REDUCTIONS]
    agree_with_each_other(reports, tally)
    if not everything.cut:
        assert {report.claim for report in reports} == {reports[0].claim}
    if everything.unseen or any(size.faults < how_many(budget) for size in everything.smallest.values()):
        agrees_on_all(replace(system, always=(), eventually=(), sometimes=()), budget, tally)
    if reports[0].counterexample and reports[0].counterexample.events and not everything.cut:
        plays_again(case, reports[0], tally)
        if all(isinstance(count, int) for count in budget.values()):  # fewer of those aimed are not fewer anywhere
            needs_each_fault(system, reports[0], tally)


def agree_with_each_other(reports, tally):
    """What is not told of workers by name is the same whether they are told apart or not; and what is told."""
    some, all_of_them = reports[:2]
    if "unfinished" in (some.verdict, all_of_them.verdict):
        return
    assert (some.claim, some.token) == (all_of_them.claim, all_of_them.token)
    assert repr(some.counterexample) == repr(all_of_them.counterexample)
    if some.verdict == "holds":
        assert (some.schedules, some.outcomes) == (all_of_them.schedules, all_of_them.outcomes)
        assert (some.sentence.partition(":")[0], {*some.crash_points}) == (
            all_of_them.sentence.partition(":")[0], {*all_of_them.crash_points},
        )  # fmt: skip
        assert [*map(str, some.sample(2))] == [*map(str, all_of_them.sample(2))]
        assert some.states <= all_of_them.states
        tally.alike += some.states < all_of_them.states
        tally.fewer += all_of_them.states - some.states


def agrees_on_all(system, budget, tally):
    """A search ends at a violation. Where nothing is claimed, it goes on to what more faults can do."""
    everything = every_schedule(system, budget, most_schedules=MOST_SCHEDULES)
    if not everything.cut:
        tally.bare += 1
        for off in REDUCTIONS:
            agrees(system, budget, everything, off, Tally())


def digest(text):
    """Ten thousand programs as texts would be many megabytes to hand over."""
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def agrees(system, budget, everything, off, tally):
    """Explore with this turned off, and compare."""
    symmetric = off.get("symmetric", True)
    reached, rests = Spy(system, symmetric), Spy(system, symmetric)
    watched = replace(system, always=(reached, *system.always))
    if not everything.cut:  # with something that is eventually true, going round for ever is fine
        watched = replace(watched, eventually=(rests, *system.eventually))
    limits = Limits(states=150 if everything.cut else 5_000)
    report = explore(watched, Budget(budget), limits, **off)
    if everything.cut:
        tally.endless += 1
        goes_round(system, budget, everything, report)
    elif everything.smallest:
        tally.violated += 1
        breaks(system, budget, everything, report)
    elif everything.unseen:
        tally.violated += 1
        assert (report.verdict, report.claim) == ("violated", everything.unseen[0])
        assert report.counterexample is None
    else:
        tally.holds += 1
        assert report.verdict == "holds", report
        assert report.schedules == everything.schedules
        assert report.outcomes == set(everything.ends)
        assert rests.saw(everything.rests)
        assert reached.saw(everything.reached)
    tally.claims[report.claim] += 1
    tally.faults.update({*budget}.difference(slot.kind for slot in report.findings.idle_faults))
    return report


def breaks(system, budget, everything, report):
    assert report.verdict == "violated", everything.smallest
    smallest = min(everything.smallest.values())
    moves = [event.move for event in report.counterexample.events]
    claim, size = retrace(system, budget, moves)
    assert claim == report.claim
    assert size == smallest
    assert everything.smallest[claim] == smallest


def plays_again(case, report, tally):
    """A verdict's token shows the same failure again."""
    tally.replayed += 1
    trace = case.scenario.replay(case.roles, report.token)
    assert [event.move for event in trace.events] == [event.move for event in report.counterexample.events]
    assert (trace.broken, trace.parted) == (report.claim, None)


def needs_each_fault(system, report, tally):
    """With the faults of a counterexample but one, nothing breaks (unless by going round for ever)."""
    for fewer in one_fault_less(report):
        tally.needed += 1
        less = explore(replace(system, sometimes=()), Budget(fewer), Limits(states=5_000))
        assert less.verdict == "holds" or less.claim == "livelock", less


def one_fault_less(report):
    """The faults that a counterexample took, without one of each kind in turn."""
    taken = Counter(event.move.fault for event in report.counterexample.events if event.move.fault)
    return [{**taken, kind: taken[kind] - 1} for kind in taken]


def goes_round(system, budget, everything, report):
    """Where a schedule has no end, nobody can run them all; what was run so far is still a bound."""
    if report.verdict == "holds":
        assert report.schedules is None
    elif report.counterexample and report.claim not in ("livelock", "stuck"):
        claim, size = retrace(system, budget, [event.move for event in report.counterexample.events])
        assert claim == report.claim
        assert size <= min(everything.smallest.values(), default=size)
    elif report.verdict == "violated":
        assert report.claim in ("livelock", "stuck") or report.claim in everything.unseen


def compare_many(programs, budget, number, examples):
    """So many programs of this kind, drawn from this seed. Raises what `agree` does, with a small such program."""
    tally = Tally()
    each_of(programs(budget), number, examples, lambda case: agree(case, budget, tally))
    return tally


def each_of(programs, number, examples, compare):
    """Compare so many of these programs, drawn from this seed; of one that fails, a small one is shown."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(programs)
    def compared(case):
        compare(case)

    compared()
