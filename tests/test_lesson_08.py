"""What lesson 08 says is so, asked of the code in lesson 08."""

import pytest

from simlib.views import interleaving_map
from tests.lessons import cell, definitions, run, solved, survivors, with_text

TWICE, LOST = "printed_at_most_once", "printed_and_done"


@pytest.fixture(scope="module")
def lesson():
    return definitions("08")


def test_the_happy_path_passes_its_unit_test(lesson):
    run(cell("08", "unit-test"), dict(lesson), "<unit test>")


def test_two_workers_print_twice_with_nothing_going_wrong(lesson):
    report = lesson["office"].explore(lesson["work"], crashes=0)
    assert (report.claim, report.counterexample.faults) == (TWICE, [])
    assert lesson["office"].explore(lesson["work"], workers=1, crashes=0).verdict == "holds"


def test_the_window_is_the_one_step_between_looking_and_taking(lesson):
    rows = [[found.claim for found in row] for row in interleaving_map(lesson["office"], lesson["work"]).reports]
    assert rows == [[TWICE] * 4, [None] * 4, [None] * 4, [None] * 4]


def test_a_claim_in_one_step_has_no_window(lesson):
    found = interleaving_map(lesson["office"], lesson["work_claimed"]).reports
    assert {report.verdict for row in found for report in row} == {"holds"}
    assert lesson["office"].explore(lesson["work_claimed"], workers=3, crashes=0).verdict == "holds"


@pytest.mark.parametrize(
    "worker, faults, claim",
    [
        ("work_locked", {"crashes": 0}, None),
        ("work_locked", {"crashes": 1}, "stuck"),
        ("work_locked", {"node_losses": 1}, "stuck"),
        ("work_leased", {"crashes": 0}, None),
        ("work_leased", {"crashes": 1}, TWICE),
        ("work_leased", {"pauses": 1}, TWICE),
        ("work_claimed", {"pauses": 1}, None),
        ("work_claimed", {"crashes": 1}, LOST),
        ("work_claimed", {"node_losses": 1}, LOST),
    ],
)
def test_each_half_measure_closes_one_window_and_opens_another(lesson, worker, faults, claim):
    assert lesson["office"].explore(lesson[worker], **faults).claim == claim


def test_the_lease_is_stolen_from_one_who_is_only_away_for_28_seconds(lesson):
    report = lesson["office"].explore(lesson["work_leased"], pauses=1)
    assert report.counterexample.failure == ["A stalls for at least 28 s after its first printer.call"]


@pytest.mark.parametrize(
    "faults",
    [
        {"crashes": 2}, {"pauses": 2}, {"lost_replies": 2}, {"outages": 2}, {"redeliveries": 2},
        {"node_losses": 1, "pauses": 1}, {"crashes": 1, "pauses": 1},
    ],
)  # fmt: skip
def test_the_fenced_claim_holds_for_two_workers_and_two_faults(lesson, faults):
    assert lesson["office"].explore(lesson["work_fenced"], **faults).verdict == "holds"


def test_the_fenced_claim_holds_for_three_workers(lesson):
    assert lesson["office"].explore(lesson["work_fenced"], workers=3, crashes=1, pauses=1).verdict == "holds"


def test_the_row_refuses_the_word_of_a_stale_claim(lesson):
    office = lesson["office"]
    trace = office.replay(lesson["work_fenced"], office.explore(lesson["work_leased"], pauses=1))
    assert "StaleToken" in [type(event.answer).__name__ for event in trace.events]
    assert (trace.broken, trace["printer"].count("print")) == (None, 1)


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(db):\n    yield db.read('job')\n", names, "<lazy>")
    assert lesson["office"].explore(names["lazy"], crashes=0).claim == LOST


def test_every_slip_in_the_careful_version_is_caught_but_for_what_is_there_for_people(lesson):
    assert survivors(lesson["office"], lesson["work_fenced"], node_losses=1, pauses=1) == {
        # For those who look at the table, before the print or after it.
        'without `yield db.write("job", "taken", fence=lease.token)`',
        '`yield printer.call("print", idempotency_key="job")` before '
        '`yield db.write("job", "taken", fence=lease.token)`',
        # The fence refuses whoever gave the lock back too early.
        '`yield lock.release(lease)` before `if (yield db.read("job", fence=lease.token)) != "done":`',
        # The lease runs out by itself, only later.
        "without `yield lock.release(lease)`",
    }


@pytest.mark.parametrize(
    "before, after",
    [
        ('db.read("job", fence=lease.token)', 'db.read("job")'),
        ('"taken", fence=lease.token', '"taken"'),
        ('"done", fence=lease.token', '"done"'),
        (', idempotency_key="job"', ""),
        ('idempotency_key="job"', "idempotency_key=lease.token"),
        ("ttl=30", ""),
        ('!= "done"', '== "new"'),
    ],
)
def test_every_token_and_key_is_needed(lesson, before, after):
    mutant = with_text(lesson["work_fenced"], before, after)
    assert lesson["office"].explore(mutant, node_losses=1, pauses=1).verdict == "violated"


# The exercise


def test_the_exercise_leaves_a_job_behind_as_given_and_the_given_attack_does_no_harm(lesson):
    gallery = lesson["gallery"]
    assert gallery.explore(lesson["resize"], crashes=0).verdict == "holds"
    assert gallery.explore(lesson["resize_mended"], crashes=1).claim == "all_done"
    assert gallery.attack(lesson["resize"], "A", "crash A", workers=1).broken is None
    assert gallery.attack(lesson["resize"], "A 2", "crash A", workers=1).broken == "all_done"


@pytest.mark.parametrize("faults", [{"crashes": 2}, {"outages": 2}, {"lost_replies": 1}, {"redeliveries": 1}])
def test_the_solution_of_defend_passes(lesson, faults):
    assert lesson["gallery"].explore(solved("08", lesson, 0)["resize_mended"], **faults).verdict == "holds"


def test_the_solution_is_bound_to_a_worker_that_comes_back(lesson):
    assert lesson["gallery"].explore(solved("08", lesson, 0)["resize_mended"], node_losses=1).claim == "all_done"


@pytest.mark.parametrize(
    "before, after, claim",
    [(", idempotency_key=job", "", "resized_at_most_once"), ("state == name", "state == me", "all_done")],
)
def test_half_a_solution_does_not_pass(lesson, before, after, claim):
    half = with_text(solved("08", lesson, 0)["resize_mended"], before, after)
    assert lesson["gallery"].explore(half, crashes=1).claim == claim
