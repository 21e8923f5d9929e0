"""What lesson 10 says is so, asked of the code in lesson 10."""

import pytest

from simlib.views import board, crash_strip, price_tag
from tests.lessons import cell, definitions, run, solved, survivors, with_text, without_line

WHOLE, WORD, TOLD = "old_or_new", "word_kept", "closed_or_told"
POWER = {"crashes": 1, "power_losses": 1, "disk_full": 1}


@pytest.fixture(scope="module")
def lesson():
    return definitions("10")


def asked(lesson, worker, **faults):
    return lesson["shop"].explore(lesson[worker], **faults)


def broken(lesson, worker, **faults):
    row = board(lesson["shop"], lesson[worker], **faults).reports[worker]
    return {claim for claim, report in row.items() if report.verdict != "holds"}


def test_the_happy_path_passes_its_unit_test(lesson):
    run(cell("10", "unit-test"), dict(lesson), "<unit test>")


def test_on_the_full_disk_the_file_says_2_12_and_the_tills_have_forgotten(lesson):
    report = lesson["full"].explore(lesson["close_day"], crashes=0)
    assert report.claim == WHOLE
    assert report.counterexample["disk"].contents("total") == "2 12"
    assert report.counterexample["tills"][2] is None


def test_without_anybody_s_fault_only_the_full_disk_breaks_it(lesson):
    assert asked(lesson, "close_day", crashes=0).verdict == "holds"


@pytest.mark.parametrize("fault", ["crashes", "disk_full", "power_losses"])
def test_one_fault_of_each_kind_finds_the_moment_when_the_file_is_empty(lesson, fault):
    report = asked(lesson, "close_day", **{fault: 1})
    assert (report.claim, report.counterexample["disk"].contents("total")) == (WHOLE, "")


def test_running_it_twice_does_no_harm(lesson):
    assert asked(lesson, "close_day", redeliveries=1).verdict == "holds"


# Half-measures


def test_who_has_asked_for_room_can_still_find_none(lesson):
    report = asked(lesson, "close_day_asked", disk_full=1)
    assert (report.claim, report.counterexample["disk"].contents("total")) == (WHOLE, "")
    verbs = [event.op.verb for event in report.counterexample.events if event.op]
    assert verbs.index("delete") < next(n for n, e in enumerate(report.counterexample.events) if e.move.fault)


@pytest.mark.parametrize(
    "worker, crash, power",
    [
        ("close_day", {WHOLE, TOLD}, {WHOLE, WORD, TOLD}),
        ("close_day_renamed", set(), {WHOLE, WORD, TOLD}),
        ("close_day_synced", set(), {WORD}),
        ("close_day_logged", set(), set()),
        ("close_day_durably", set(), set()),
    ],
)
def test_a_crash_of_the_process_and_the_loss_of_power_break_what_the_two_boards_say(lesson, worker, crash, power):
    assert broken(lesson, worker, crashes=1) == crash
    assert broken(lesson, worker, power_losses=1) == power


def test_without_fsync_the_name_stands_over_an_empty_file(lesson):
    report = lesson["shop"].asking(eventually=[lesson[WHOLE]]).explore(lesson["close_day_renamed"], power_losses=1)
    assert report.counterexample["disk"].contents("total") == ""


def test_with_fsync_of_the_file_the_old_total_comes_back_and_the_tills_have_forgotten(lesson):
    trace = asked(lesson, "close_day_synced", power_losses=1).counterexample
    assert (trace["disk"].contents("total"), trace["tills"][2], trace.broken) == ("1 20", None, WORD)


def test_logging_to_the_full_disk_passes_with_one_injected_error_and_goes_round_for_ever_on_a_full_disk(lesson):
    assert asked(lesson, "close_day_logged", disk_full=1).verdict == "holds"
    report = lesson["full"].explore(lesson["close_day_logged"], crashes=0)
    assert report.claim == "livelock"
    assert report.counterexample["disk"].files == ["errors.log", "total", "total.tmp"]  # the room is not given back
    assert lesson["full"].explore(lesson["close_day_renamed"], crashes=0).claim == "livelock"  # nor without a handler


# The careful one


@pytest.mark.parametrize(
    "faults",
    [
        {"crashes": 2}, {"disk_full": 2}, {"power_losses": 2}, {"redeliveries": 2}, {"outages": 2},
        {"lost_replies": 2}, {"crashes": 2, "power_losses": 2, "disk_full": 2},
    ],
)  # fmt: skip
def test_the_durable_one_holds_under_two_faults_of_every_kind(lesson, faults):
    assert asked(lesson, "close_day_durably", **faults).verdict == "holds"


@pytest.mark.parametrize("faults", [{"crashes": 2}, {"disk_full": 2}, {"outages": 2}, {"lost_replies": 2}])
def test_it_holds_on_the_disk_that_stays_full_and_keeps_the_old_total(lesson, faults):
    report = lesson["full"].explore(lesson["close_day_durably"], **faults)
    assert report.verdict == "holds"
    (good,) = lesson["full"].explore(lesson["close_day_durably"], crashes=0).sample(1)
    assert (good["disk"].contents("total"), good["tills"][2], good["pager"].count("disk full")) == ("1 20", 100, 1)


@pytest.mark.parametrize("faults", [{"redeliveries": 2}, {"outages": 2}, {"lost_replies": 2}])
def test_two_jobs_at_a_time_do_no_harm_while_disk_and_power_and_processes_last(lesson, faults):
    assert lesson["shop"].explore(lesson["close_day_durably"], workers=2, **faults).verdict == "holds"


@pytest.mark.parametrize("faults", [{"crashes": 2}, {"disk_full": 1}, {"power_losses": 1}])
def test_beyond_that_two_need_a_temporary_each_as_the_review_says(lesson, faults):
    worker = lesson["close_day_durably"]
    assert lesson["shop"].explore(worker, workers=2, **faults).verdict == "violated"
    each = with_text(with_text(worker, '"total.tmp"', 'f"{me}.tmp"'), "disk, pager)", "disk, pager, me)")
    assert lesson["shop"].explore(each, workers=2, **faults).verdict == "holds"


def test_a_second_start_reads_what_is_not_on_disk_so_the_last_fsync_stands_outside_the_if(lesson):
    inside = with_text(
        lesson["close_day_durably"], "    yield disk.fsync_directory()", "        yield disk.fsync_directory()"
    )
    for fault in ("crashes", "power_losses"):
        assert lesson["shop"].explore(inside, **{fault: 2}).verdict == "holds"
    report = lesson["shop"].explore(inside, crashes=1, power_losses=1)
    assert (report.claim, report.counterexample["disk"].contents("total")) == (WORD, "1 20")


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run('def lazy(disk):\n    yield disk.read("total")\n', names, "<lazy>")
    assert lesson["shop"].explore(names["lazy"], crashes=0).claim == TOLD


def test_none_of_its_steps_can_be_left_out_and_only_the_two_of_the_handler_exchanged(lesson):
    worker = lesson["close_day_durably"]
    roomy = survivors(lesson["shop"], worker, **POWER)
    full = survivors(lesson["full"], worker, crashes=1)
    # Who crashes between the two does both again, so it does not matter which is first.
    pager, room = 'yield pager.call("disk full")  # not by the disk', 'yield disk.delete("total.tmp")  # give'
    assert {what.replace(" the room back", "") for what in roomy & full} == {f"`{pager}` before `{room}`"}


@pytest.mark.parametrize(
    "before, after",
    [
        ('disk.fsync("total.tmp")', 'disk.fsync("total")'),
        ('disk.rename("total.tmp", "total")', 'disk.write("total", f"{day} {total}")'),
        ("except DiskFull", "except NotFound"),
        ("tills.write(day, None)", "tills.write(day + 1, None)"),
        ("total + takings", "takings"),
    ],
)
def test_every_wrong_word_in_it_is_caught(lesson, before, after):
    mutant = with_text(lesson["close_day_durably"], before, after)
    found = [lesson["shop"].explore(mutant, **POWER), lesson["full"].explore(mutant, crashes=1)]
    assert "violated" in [report.verdict for report in found]


def test_the_strip_shows_one_red_step_of_the_happy_path_and_no_difference_between_the_other_two(lesson):
    grid = crash_strip(*(lesson[name] for name in ("shop", "close_day", "close_day_renamed", "close_day_durably")))
    red = {name: sum(step[0].verdict == "violated" for step in steps) for name, steps in grid.rows.items()}
    assert red == {"close_day": 1, "close_day_renamed": 0, "close_day_durably": 0}


def test_the_price_is_two_steps_and_five_times_the_time(lesson):
    tag = price_tag(
        lesson["decade"], lesson["close_day"], lesson["close_day_durably"], hours=24, arrivals=120,
        latency={"disk.fsync": 0.005, "disk.fsync_directory": 0.005, "*": 0.0005},
    )  # fmt: skip
    happy, careful = "close_day", "close_day_durably"
    assert (tag.of(happy).mean, tag.of(careful).mean) == pytest.approx((5, 7))
    median = "latency, median"
    assert tag.of(careful, median).mean == pytest.approx(5 * tag.of(happy, median).mean)
    assert tag.of(careful, median).mean - tag.of(happy, median).mean == pytest.approx(0.010)


# The exercise


def test_the_given_power_loss_does_no_harm_and_one_step_later_it_does(lesson):
    sales, note = lesson["sales"], lesson["note"]
    assert sales.attack(note, "A 2", "power loss").broken is None
    assert sales.attack(note, "A 3", "power loss").broken == "every_sale_noted"


def test_the_exercise_as_given_writes_the_next_line_to_a_torn_tail(lesson):
    sales, worker = lesson["sales"], lesson["note_mended"]
    report = sales.explore(worker, **POWER)
    assert (report.claim, report.counterexample["disk"].contents("log")) == ("every_sale_noted", "bob 20\nannann 30\n")
    assert sales.attack(worker, "A 4", "power loss").broken is None  # with an fsync, the sale is safe
    assert sales.explore(worker, crashes=2).verdict == "holds"


@pytest.mark.parametrize("faults", [POWER, {"crashes": 2, "disk_full": 1}, {"power_losses": 2, "disk_full": 2}])
def test_the_solution_of_defend_passes(lesson, faults):
    worker = solved("10", lesson, 0)["note_mended"]
    assert lesson["sales"].explore(worker, **faults).verdict == "holds"


def test_every_slip_in_the_solution_is_caught(lesson):
    worker = solved("10", lesson, 0)["note_mended"]
    assert survivors(lesson["sales"], worker, crashes=1, disk_full=2, power_losses=1) == {
        # Both are before the acknowledgement, which is all that counts.
        '`yield disk.fsync_directory()` before `yield disk.fsync("log")`',
        # Nobody else writes to the log between the two.
        '`log = yield disk.read("log")` before `sale = yield inbox.receive()`',
    }


def in_place(worker):
    cut = with_text(worker, '"log.tmp", log[', '"log", log[')
    return without_line(without_line(cut, 'fsync("log.tmp")'), "rename")


def ended_only(worker):
    text = 'yield disk.write("log.tmp", log[: log.rfind("\\n") + 1])'
    ended = with_text(worker, text, 'yield disk.append("log", "\\n")')
    return without_line(without_line(ended, 'fsync("log.tmp")'), "rename")


def directory_only_after_a_rename(worker):
    moved = without_line(worker, "fsync_directory")
    rename = 'yield disk.rename("log.tmp", "log")'
    return with_text(moved, rename, f"{rename}\n        yield disk.fsync_directory()")


@pytest.mark.parametrize("half", [in_place, ended_only, directory_only_after_a_rename])
def test_half_a_solution_does_not_pass(lesson, half):
    worker = half(solved("10", lesson, 0)["note_mended"])
    assert lesson["sales"].explore(worker, **POWER).claim == "every_sale_noted"
