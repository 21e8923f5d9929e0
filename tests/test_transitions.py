"""What can happen next is said once: the checker looks it up, and adds nothing of its own to it."""

import ast
import random
from collections import Counter
from pathlib import Path

import simlib
from simlib.check.question import Question
from simlib.check.successors import Successors
from simlib.model.fault import FAULTS, KINDS
from simlib.schedule.budget import MOST, Budget, Limits
from simlib.schedule.machine import Machine
from simlib.schedule.transition import RULES
from tests.agreement import each_of
from tests.programs import (
    programs_as_data,
    programs_that_race,
    programs_that_stop,
    programs_with_clocks,
    programs_with_transactions,
)

STEPS = 25  # fewer than the budget has of any fault
SOURCES = Path(simlib.__file__).parent


def walk(system, chance, met):
    """One random schedule, with everything that can go wrong: at each state both have to list the same, in order."""
    question = Question.about(system, Budget(dict.fromkeys(KINDS, MOST)), Limits(), carried=frozenset({"time"}))
    successors = Successors(system, question.local_states, question.resource_states, question.budget)
    state = successors.initial()
    try:
        with Machine(system) as machine:
            for _ in range(STEPS):
                targets, edges, _, _ = successors.of(successors.states[state])
                enabled = list(machine.enabled())
                assert [edge.move for edge in edges] == enabled
                if not enabled:
                    return
                number = chance.randrange(len(enabled))
                met[enabled[number].kind, enabled[number].fault] += 1
                machine.perform(enabled[number])
                state = targets[number]
                world = question.resource_states.world(
                    successors.encoding.numbers(successors.encoding.world(successors.states[state]))
                )
                assert {name: state.key() for name, state in world.items()} == {
                    name: state.key() for name, state in machine.states.items()
                }
    finally:
        question.local_states.close()


def test_the_checker_and_a_running_system_can_do_the_same_in_every_state():
    met = Counter()
    for programs in (
        programs_as_data, programs_with_clocks, programs_with_transactions, programs_that_race, programs_that_stop,
    ):  # fmt: skip
        each_of(programs({}), 18, 20, lambda case: [walk(case.system(), random.Random(one), met) for one in range(3)])
    assert {kind for kind, _ in met} == {*RULES} - {"arrival"}  # which comes from outside of the system
    assert {fault for _, fault in met} == {None, *KINDS}


def test_each_fault_is_named_in_one_place():
    """Elsewhere it is a constant; only what a caller writes, `crashes=1`, spells it again, in signatures and texts."""
    named = [
        f"{path.relative_to(SOURCES)}, line {node.lineno}: {node.value}"
        for path in sorted(SOURCES.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in KINDS and path.name not in ("fault.py", "transition.py")
    ]
    assert named == []


def test_each_kind_of_transition_has_a_letter_and_each_fault_another():
    assert len({rule.mark for rule in RULES.values()}) == len(RULES)
    assert len({fault.letter for fault in FAULTS}) == len({fault.name for fault in FAULTS}) == len(FAULTS)
