"""Random small programs: the checker, which visits states, against every schedule run one by one.

This is a part that takes a minute or two; `python benchmarks/differential.py` compares ten thousand.
"""

import pytest

from tests.agreement import compare_many
from tests.programs import (
    BUDGETS,
    programs_about_frames,
    programs_as_data,
    programs_as_source,
    programs_that_race,
    programs_with_clocks,
    programs_with_files,
    programs_with_times_to_live,
    programs_with_transactions,
    programs_with_webhooks,
)

EXAMPLES = 22  # programs a test
ENOUGH = 20  # of them have to have been compared; the generator may run out of new ones
DIFFERENT = 8  # of them at least, and with an end to every schedule


def ids(budget):
    return "+".join(f"{count}_{kind}" for kind, count in budget.items()) or "no_fault"


def enough(tally):
    assert tally.compared >= ENOUGH, vars(tally)
    assert len(tally.different) >= DIFFERENT, vars(tally)
    assert tally.large <= 2 * tally.compared, vars(tally)
    assert min(tally.holds, tally.violated) >= 2, vars(tally)
    assert tally.endless <= tally.compared // 2, vars(tally)


@pytest.mark.parametrize("budget", BUDGETS, ids=ids)
def test_interpreted_programs(budget):
    enough(compare_many(programs_as_data, budget, BUDGETS.index(budget), EXAMPLES))


@pytest.mark.parametrize("budget", BUDGETS, ids=ids)
def test_compiled_programs(budget):
    enough(compare_many(programs_as_source, budget, BUDGETS.index(budget), EXAMPLES))


@pytest.mark.parametrize("budget", [{}, {"pauses": 1}, {"crashes": 1}], ids=ids)
def test_programs_with_clocks(budget):
    tally = compare_many(programs_with_clocks, budget, 3, 30)
    assert len(tally.different) >= 12, vars(tally)


@pytest.mark.parametrize("budget", [{}, {"crashes": 1}, {"lost_replies": 1}, {"node_losses": 1}], ids=ids)
def test_programs_with_transactions(budget):
    tally = compare_many(programs_with_transactions, budget, 5, 25)
    assert len(tally.different) >= 15, vars(tally)


@pytest.mark.parametrize("budget", [{}, {"crashes": 1}, {"disk_full": 1}, {"power_losses": 1}, {"stops": 1}], ids=ids)
def test_programs_with_files(budget):
    tally = compare_many(programs_with_files, budget, 6, 25)
    assert len(tally.different) >= 15, vars(tally)


@pytest.mark.parametrize("budget", [{}, {"pauses": 1}, {"crashes": 1}, {"lost_replies": 1}], ids=ids)
def test_programs_with_times_to_live(budget):
    tally = compare_many(programs_with_times_to_live, budget, 7, 25)
    assert len(tally.different) >= 15, vars(tally)


@pytest.mark.parametrize("budget", [{}, {"pauses": 1}, {"crashes": 1}, {"redeliveries": 1}], ids=ids)
def test_programs_with_webhooks(budget):
    tally = compare_many(programs_with_webhooks, budget, 9, 25)
    assert len(tally.different) >= 12, vars(tally)


@pytest.mark.parametrize("number", range(2))
def test_programs_about_frames(number):
    tally = compare_many(programs_about_frames, {}, number, 100)
    assert tally.compared >= 90, vars(tally)
    assert len(tally.different) >= 65, vars(tally)
    assert tally.holds >= 50, vars(tally)


@pytest.mark.parametrize("budget", [{}, {"crashes": 1}], ids=ids)
def test_programs_that_race(budget):
    tally = compare_many(programs_that_race, budget, 1, 60)
    assert len(tally.different) >= 35, vars(tally)
    assert tally.overtaken >= 8, vars(tally)


def test_these_are_a_thousand_programs():
    assert 2 * len(BUDGETS) * ENOUGH + 2 * 90 >= 1_000
