"""A fault may be aimed at a resource or at a worker's function: it strikes there, and nowhere else."""

from collections import Counter

import pytest
from hypothesis import strategies as st

from simlib import Database, Disk, Lock, Queue, Scenario, Service, compare
from simlib.check import explore
from simlib.check.fault_matrix import Condition, cells
from simlib.check.restricted import FaultLocation
from simlib.course import grade
from simlib.errors import DoesNotHold, Mistake, OperationError
from simlib.model.fault import AIMS, KINDS
from simlib.scenario import system_of
from simlib.schedule.budget import Account, Budget, Limits
from simlib.schedule.machine import Machine
from simlib.schedule.random import RandomSchedule
from tests.agreement import Tally, agree, each_of
from tests.enumeration import retrace
from tests.programs import FAMILIES, programs_as_data, programs_as_source, programs_with_clocks

STEPS = 60  # of a random schedule


# Held against every schedule run one by one


@st.composite
def aimed(draw, programs, kinds, shared=False):
    """A random program whose functions have names of their own, and a budget that is aimed at some of its names.

    With `shared`, at a resource and at a function, so that two may pay for one fault.
    """
    case = draw(programs(dict.fromkeys(kinds, 1)))
    for role, name in zip(case.roles, ("first", "second")):
        role.__name__ = name
    names = {"resource": [*case.scenario.resources], "worker": [role.__name__ for role in case.roles]}
    budget = {}
    for kind in kinds:
        if shared:
            at = [draw(st.sampled_from(names[what])) for what in AIMS[kind]]
        else:
            what = draw(st.sampled_from(AIMS[kind]))
            likely = [FAMILIES[kind]] * 3 if what == "resource" and FAMILIES.get(kind) in names[what] else []
            at = [draw(st.sampled_from([*likely, *names[what]]))]
        budget[kind] = dict.fromkeys(at, 1)
    return case, budget


def compared(programs, number, examples):
    tally = Tally()
    each_of(programs, number, examples, lambda drawn: agree(*drawn, tally))
    return tally


ALL_AIMED = [[kind] for kind in KINDS if AIMS[kind]]
PAIRS = [["crashes", "outages"], ["pauses", "node_losses"], ["redeliveries", "lost_replies"]]


@pytest.mark.parametrize("kinds", ALL_AIMED + PAIRS, ids="+".join)
def test_a_search_finds_exactly_what_an_enumeration_finds(kinds):
    tally = compared(aimed(programs_as_data, kinds), len(kinds), 16)
    assert len(tally.different) >= 5, vars(tally)
    assert min(tally.holds, tally.violated) >= 1, vars(tally)
    assert set(tally.faults) == {*kinds}, "no fault had a place to strike"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if len(AIMS[kind]) > 1])
def test_so_it_does_when_two_may_pay_for_one_fault(kind):
    tally = compared(aimed(programs_as_source if kind == "outages" else programs_as_data, [kind], shared=True), 7, 16)
    assert len(tally.different) >= 5, vars(tally)
    assert min(tally.holds, tally.violated) >= 1, vars(tally)


def test_so_it_does_with_clocks():
    tally = compared(aimed(programs_with_clocks, ["pauses"]), 2, 20)
    assert len(tally.different) >= 6, vars(tally)


def test_symmetry_spares_states_under_an_aimed_budget_too():
    tally = compared(aimed(programs_as_data, ["crashes"]), 5, 20)
    assert tally.alike >= 2, vars(tally)
    assert tally.fewer > 0, vars(tally)


def test_a_random_schedule_stays_within_its_budget_and_uses_it():
    met = Counter()

    def walk(drawn):
        case, budget = drawn
        system = case.system()
        for seed in range(3):
            with Machine(system) as machine:
                schedule = RandomSchedule(machine, Budget(budget), seed)
                for _ in range(STEPS):
                    move = schedule.next([*machine.enabled()])
                    if move is None:
                        break
                    machine.perform(move)
                moves = [event.move for event in machine.events]
            retrace(system, budget, moves)  # raises if the budget does not pay for it
            met.update(move.fault for move in moves if move.fault)

    kinds = ["crashes", "outages", "pauses", "redeliveries"]
    each_of(aimed(programs_as_data, kinds), 3, 20, walk)
    each_of(aimed(programs_as_data, ["outages"], shared=True), 4, 20, walk)
    assert {*met} == {*kinds}, met
