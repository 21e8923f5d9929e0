"""Crash strip, failure matrix and interleaving map: every cell is the engine's answer."""

import pytest

from simlib import Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.errors import Mistake
from simlib.views import crash_strip, failure_matrix, interleaving_map
from tests.sample import charge, charge_once, shop


def words(grid, worker):
    return [[cell.verdict for cell in step] for step in grid.rows[worker]]


def test_the_strip_says_after_which_steps_a_crash_breaks_what():
    assert repr(crash_strip(shop(), charge, charge_once)) == (
        "charge breaks at 2 of 3 crash points; charge_once at none of 3 crash points\n"
        "What if it crashes right after ...\n"
        "charge:\n"
        "  receive  holds\n"
        "  charge   charged_at_most_once\n"
        "  write    charged_at_most_once\n"
        "  ack      -\n"
        "charge_once:\n"
        "  receive  holds\n"
        "  charge   holds\n"
        "  write    holds\n"
        "  ack      -\n"
        "1 worker, 1 crash, right after that step; each cell is a search of every order of all that follows. "
        "∞: for ever."
    )


def test_the_strip_agrees_with_a_run_that_crashes_there():
    strip = crash_strip(shop(), charge)
    for step, (cell,) in enumerate(strip.rows["charge"], start=1):
        assert (cell.verdict == "violated") == (shop().run(charge, crash_after=step).broken is not None)


def test_the_counterexample_behind_a_cell_crashes_there_and_nowhere_else():
    strip = crash_strip(shop(), charge)
    assert strip.report("charge", 2).counterexample.failure == ["A crashes after its first bank.call"]
    assert strip.report("charge", 3).counterexample.failure == ["A crashes after its first db.write"]


def test_the_matrix_of_the_sample():
    grid = failure_matrix(shop(), charge)
    assert [condition.name for condition in grid.conditions] == [
        "crash before", "crash after", "run twice", "overtaken", "paused",
        "transient error", "permanent error", "lost reply",
    ]  # fmt: skip
    bad, fine, stuck, never = "violated", "holds", "stuck", ""
    assert words(grid, "charge") == [
        [never, fine, bad, fine, bad, fine, never, fine],
        [fine, bad, bad, fine, bad, fine, stuck, bad],
        [bad, bad, bad, fine, bad, bad, never, bad],
        [bad, never, bad, fine, bad, bad, never, fine],
    ]


def test_a_crash_before_a_step_is_a_crash_after_the_one_before_it():
    grid = failure_matrix(shop(), charge, charge_once)
    names = [condition.name for condition in grid.conditions]
    before, after = names.index("crash before"), names.index("crash after")
    for worker in ("charge", "charge_once"):
        table = words(grid, worker)
        assert [row[before] for row in table[1:]] == [row[after] for row in table[:-1]]


def test_every_violated_cell_has_one_fault_and_leads_to_its_timeline():
    grid = failure_matrix(shop(), charge)
    for step in grid.rows["charge"]:
        for cell in step:
            if cell.verdict == "violated":
                assert len(cell.report.counterexample.faults) == 1
                assert cell.report.counterexample.broken == "charged_at_most_once"


def test_a_lock_that_its_dead_holder_keeps_is_stuck_exactly_while_it_is_held():
    def work(lock, db):
        lease = yield lock.acquire()
        yield db.write("x", 1)
        yield lock.release(lease)
        yield db.write("y", 1)

    strip = crash_strip(Scenario(lock=Lock(), db=Database()), work)
    assert words(strip, "work") == [["stuck"], ["stuck"], ["holds"], [""]]


def test_a_full_disk_is_a_condition_of_writes_alone():
    def save(disk):
        yield disk.write("state", "n")  # a single character is never met in its middle
        yield disk.fsync("state")

    def old_or_new(disk):
        return disk.contents("state") in ("o", "n")

    grid = failure_matrix(Scenario(disk=Disk({"state": "o"}), always=[old_or_new]), save)
    column = [condition.name for condition in grid.conditions].index("disk full")
    assert [row[column] for row in words(grid, "save")] == ["violated", ""]


def withdraw(db):
    balance = yield db.read("account")
    yield db.write("account", balance - 10)


def take(db):
    for _ in range(3):
        balance = yield db.read("account")
        if (yield db.compare_and_set("account", balance, balance - 10)):
            return


def both_withdrawn(db):
    return db["account"] == 80


def bank():
    return Scenario(db=Database({"account": 100}), eventually=[both_withdrawn])


def test_the_map_of_a_lost_update_hurts_between_the_read_and_the_write():
    table = interleaving_map(bank(), withdraw)
    assert [[report.verdict for report in row] for row in table.reports] == [["violated"] * 2, ["holds"] * 2]
    assert repr(table).splitlines()[0] == "withdraw: it hurts to be overtaken in 2 of 4 places"


def test_the_map_of_a_compare_and_set_does_not_hurt():
    assert repr(interleaving_map(bank(), take)).startswith("take: overtaking does no harm")


def test_the_cell_of_a_map_is_its_schedule():
    trace = interleaving_map(bank(), withdraw).trace(1, 2)
    assert [(event.worker, event.op.verb) for event in trace.events] == [
        ("A", "read"), ("B", "read"), ("B", "write"), ("A", "write"),
    ]  # fmt: skip


def test_a_random_draw_in_a_cell_is_tried_in_every_way():
    def number(db, chance):
        drawn = yield chance.choice([1, 2])
        if not (yield db.read(drawn)):
            yield db.insert(drawn, "order")

    def never_both_of_one(db):
        return len(db.rows) == 2

    scenario = Scenario(db=Database(), chance=Random(), eventually=[never_both_of_one])
    verdicts = [[report.verdict for report in row] for row in interleaving_map(scenario, number).reports]
    assert verdicts == [["violated"] * 3] * 3  # both draw 1: whoever comes later finds it taken


def test_who_waits_for_a_lock_lets_the_other_one_pass():
    def locked(lock, db):
        lease = yield lock.acquire()
        balance = yield db.read("account")
        yield db.write("account", balance - 10)
        yield lock.release(lease)

    scenario = Scenario(lock=Lock(), db=Database({"account": 100}), eventually=[both_withdrawn])
    assert repr(interleaving_map(scenario, locked)).startswith("locked: overtaking does no harm")


def test_who_polls_for_a_lock_is_not_taken_for_a_livelock():
    def polls(lock, db):
        while (lease := (yield lock.try_acquire())) is None:
            pass
        balance = yield db.read("account")
        yield db.write("account", balance - 10)
        yield lock.release(lease)

    scenario = Scenario(lock=Lock(), db=Database({"account": 100}), eventually=[both_withdrawn])
    assert repr(interleaving_map(scenario, polls)).startswith("polls: overtaking does no harm")


def test_every_bad_cell_of_a_map_is_a_world_that_explore_reaches():
    report = bank().explore(withdraw, workers=2, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "both_withdrawn")


def test_two_consumers_of_one_message_meet_through_a_redelivery():
    scenario = Scenario(inbox=Queue(["order"]), bank=Service(), db=Database())
    assert interleaving_map(scenario, charge).trace(2, 1).faults == ["redelivery"]


@pytest.mark.parametrize("grid", [crash_strip, failure_matrix])
def test_a_grid_is_a_picture_with_an_alternative_text(grid):
    data, about = grid(shop(), charge, charge_once)._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "charged_at_most_once" in about["image/png"]["alt"]


def test_a_cell_that_is_not_there_is_explained():
    with pytest.raises(Mistake) as caught:
        crash_strip(shop(), charge).report("charge", 5)
    assert str(caught.value) == (
        'no cell for "charge", step 5, "crash after": there are charge, steps from 1, and crash after.'
    )


def test_a_worker_without_a_last_step_is_sent_to_explore_first():
    def forever(db):
        while True:
            yield db.read("x")

    with pytest.raises(Mistake, match="forever goes round for ever with nothing going wrong"):
        crash_strip(Scenario(db=Database()), forever)


def test_each_turn_of_a_loop_has_a_row_that_faults_strike():
    # Turns that leave a worker in the same place are one state; the rows behind the first used to be struck by nothing.
    def draw_until_four(db):
        while (yield db.next_id()) < 4:
            pass
        yield db.write("x", 1)

    strip = crash_strip(Scenario(db=Database()), draw_until_four)
    assert words(strip, "draw_until_four") == [["holds"]] * 4 + [[""]]


def test_who_was_never_let_in_is_not_stuck():
    # B may begin only while A stands at the step. Where it did not, it used to count as waiting for ever.
    def write_twice(db, me):
        yield db.write(me, 1)
        yield db.write(me, 2)

    grid = failure_matrix(Scenario(db=Database()), write_twice)
    overtaken = [condition.name for condition in grid.conditions].index("overtaken")
    assert [step[overtaken] for step in words(grid, "write_twice")] == ["holds", "holds"]
