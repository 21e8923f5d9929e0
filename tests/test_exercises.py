"""What becomes of the exercises is noted beside the notebooks, shown in lesson 00, and no lesson depends on it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from notebooks import room
from simlib import audit, lanes
from simlib.course import grade, progress, record
from simlib.course.exercises import DONE, FILE, NOT_YET, SWITCH, TRIED, Attempt, attempts, judged, states
from simlib.course.progress_map import lessons
from simlib.errors import Mistake
from tests.kernel import live_kernel
from tests.lessons import definitions, notebook, solved, source
from tests.sample import charge, charge_once, charged_at_most_once, shop

FOLDER = Path(__file__).parent.parent / "notebooks"
COURSE = lessons(FOLDER)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of a learner's own, where progress is kept."""
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(folder):
    return [json.loads(line) for line in (folder / FILE).read_text(encoding="utf-8").splitlines()]


# What is noted


def test_a_line_says_which_exercise_what_came_of_it_and_when(here):
    report = shop().explore(charge_once, crashes=1)
    assert record("00 defend", report) is report
    (line,) = lines(here)
    assert {name: line[name] for name in ("version", "lesson", "exercise", "done", "result")} == {
        "version": 1, "lesson": "00", "exercise": "defend", "done": True, "result": "holds",
    }  # fmt: skip
    assert line["when"].endswith("Z") and len(line["when"]) == 20


def at_most_one_charge(bank):
    return bank.count("charge") <= 1


def anything(bank):
    return bank.count("charge") >= 0


def test_what_counts_as_done_is_what_the_exercise_asks_for():
    attack = shop().run
    assert judged(shop().explore(charge, crashes=1)) == (False, "violated")
    assert judged(shop().explore(charge_once, crashes=1)) == (True, "holds")
    assert judged(shop().explore(charge_once, crashes=1, max_states=2)) == (False, "unfinished")
    broke = {"breaks": charged_at_most_once}
    assert judged(attack(charge, crash_after=1), **broke) == (False, "charged_at_most_once did not break")
    assert judged(attack(charge, crash_after=2), **broke) == (True, "charged_at_most_once broke")
    assert judged(grade(shop(), charge, crashes=1)) == (False, "0 of 1")
    assert judged(grade(shop(), charge_once, budgets=[{"crashes": 1}, {"pauses": 1}])) == (True, "2 of 2")
    found = audit(shop(), at_most_one_charge, careful=charge_once, broken=[charge], crashes=1)
    assert judged(found) == (True, "1 of 1")
    assert judged(audit(shop(), anything, careful=charge_once, broken=[charge], crashes=1)) == (False, "0 of 1")
    assert judged(9, of=10) == (False, "9 of 10") and judged(10, of=10) == (True, "10 of 10")
    assert judged(False) == (False, "not done") and judged(True) == (True, "done")


def test_a_run_that_breaks_something_else_is_not_the_attack_that_was_asked_for(here, capsys):
    run = shop().run(charge, crash_after=2)
    record("00 attack", run, breaks=anything)
    (line,) = lines(here)
    assert (line["done"], line["result"]) == (False, "charged_at_most_once broke instead of anything")
    assert capsys.readouterr().out == "00 attack: not yet. charged_at_most_once broke instead of anything.\n"


def test_of_two_runs_both_have_to_break_what_is_theirs(here, capsys):
    harm, none = shop().run(charge, crash_after=2), shop().run(charge, crash_after=1)
    wanted = [charged_at_most_once, charged_at_most_once]
    assert judged([harm, none], breaks=wanted)[0] is False
    assert judged([none, harm], breaks=wanted)[0] is False
    assert record("01 attack", [harm, harm], breaks=wanted) == [harm, harm]
    assert capsys.readouterr().out == "01 attack: done. charged_at_most_once and charged_at_most_once broke.\n"


@pytest.mark.parametrize("breaks", [(), [charged_at_most_once, anything]])
def test_an_attack_that_names_no_property_is_a_mistake_of_whoever_wrote_the_lesson(here, breaks):
    with pytest.raises(Mistake, match="for each run, name the property"):
        record("00 attack", shop().run(charge, crash_after=2), breaks=breaks)
    assert not (here / FILE).exists()


def test_a_name_that_is_none_is_a_mistake_that_says_how_to_name(here):
    for name in ("defend", "2 defend", "02 Defend", "02"):
        with pytest.raises(Mistake, match="as in record"):
            record(name, True)
    assert not (here / FILE).exists()


def test_importing_and_looking_writes_nothing(here):
    code = "import simlib, simlib.course; print(simlib.course.progress())"
    subprocess.run([sys.executable, "-c", code], cwd=here, check=True, capture_output=True)
    progress()
    assert list(here.iterdir()) == []


def test_where_it_is_switched_off_nothing_is_noted_and_nothing_known(here, monkeypatch):
    record("00 defend", True)
    monkeypatch.setenv(SWITCH, "off")
    record("00 attack", True)
    assert len(lines(here)) == 1
    assert progress().states == {}


def test_a_folder_that_cannot_be_written_to_breaks_no_lesson_and_is_told_in_one_sentence(here, monkeypatch, capsys):
    (here / FILE).mkdir()  # cannot be written to, not by root either
    assert record("00 defend", True) is True
    assert capsys.readouterr() == ("", "")
    assert progress().note == "progress.jsonl cannot be read."
    (here / FILE).rmdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    said = "Nothing can be written into this folder, so your results are not kept."
    assert progress().sentence == f"0 of 0 exercises done. {said}"


def test_a_torn_line_spoils_neither_its_neighbours_nor_the_next(here):
    record("00 attack", True)
    with open(here / FILE, "a", encoding="utf-8") as file:
        file.write('{"version": 1, "lesson": "00", "exerc')
    record("00 defend", True)
    known, lost = attempts(here / FILE)
    assert [one.exercise for one in known] == ["00 attack", "00 defend"] and lost == 1


def test_a_line_that_another_kernel_is_writing_is_not_taken_for_a_torn_one(here):
    record("00 attack", True)
    whole = (here / FILE).read_bytes()
    (here / FILE).write_bytes(whole[:-1])  # what a look at the file's end can meet: all but its last byte is there
    record("00 defend", True)
    with open(here / FILE, "r+b") as file:  # and the other one's last byte comes after that look
        both = file.read()
        file.seek(0)
        file.write(whole + both[len(whole) - 1 :])
    known, lost = attempts(here / FILE)
    assert [one.exercise for one in known] == ["00 attack", "00 defend"] and lost == 0


def test_several_processes_at_once_lose_no_line(here):
    code = "from simlib.course import record\nfor number in range(200): record('03 audit', number, of=1000)"
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=here) for _ in range(3)]
    assert [one.wait() for one in running] == [0, 0, 0]
    known, lost = attempts(here / FILE)
    assert len(known) == 600 and lost == 0


def test_what_was_noted_outlives_a_killed_kernel(here):
    with live_kernel(here) as kernel:
        kernel.run("from simlib.course import record\nrecord('00 attack', True)")
    assert [one.exercise for one in attempts(here / FILE)[0]] == ["00 attack"]


# What it amounts to


def test_done_once_is_done_and_what_was_only_run_as_it_stands_is_not_tried():
    given, other = (Attempt("02 defend", False, code=code) for code in "12")
    good = Attempt("02 defend", True, code="3")
    assert states([]) == {}
    assert states([given, given]) == {"02 defend": NOT_YET}
    assert states([given, other]) == {"02 defend": TRIED}
    assert states([good, given, other]) == {"02 defend": DONE}


def test_a_kernel_tells_the_same_cell_from_a_changed_one(here):
    cell = "from simlib.course import record\nrecord('00 attack', {0})"
    with live_kernel(here) as kernel:
        for value in ("False", "False", "False or False"):
            kernel.run(cell.format(value))
    one, two, three = (attempt.code for attempt in attempts(here / FILE)[0])
    assert one == two != three


def test_a_lesson_that_is_run_from_top_to_bottom_has_tried_nothing(here):
    (here / "00_start_here.ipynb").write_bytes((FOLDER / "00_start_here.ipynb").read_bytes())
    cells = {cell["id"]: source(cell) for cell in notebook("00")["cells"]}
    exercise = [cells[name] for name in ("imports", "fulfil", "attack-code", "defend-code")]
    mended = cells["defend-code"].replace("message.body)", "message.body, idempotency_key=message.id)")
    with live_kernel(here) as kernel:
        for code in exercise * 2:
            assert kernel.run(code).error == ""
        assert "○ attack     ○ defend" in kernel.run("progress()").shown
        kernel.run(mended)  # one key for two effects: not yet
        assert "○ attack     ◐ defend" in kernel.run("progress()").shown
        kernel.run(cells["attack-code"].replace("crash_after=1", "crash_after=2"))
        assert "● attack     ◐ defend" in kernel.run("progress()").shown
        assert kernel.run("progress()").shown.startswith("1 of 2 exercises done.")


def test_a_solution_is_an_exercise_done(here):
    names = solved("00", definitions("00"), 0)
    record("00 defend", names["warehouse"].explore(names["fulfil_mended"], crashes=1, redeliveries=1))
    assert states(attempts(here / FILE)[0]) == {"00 defend": DONE}


# The map


def test_each_lesson_records_its_exercises_each_once():
    assert [lesson.number for lesson in COURSE] == [f"{number:02}" for number in range(14)]
    for lesson in COURSE:
        code = [source(cell) for cell in notebook(lesson.number)["cells"] if cell["cell_type"] == "code"]
        assert "\n".join(code).count("record(") == len(lesson.exercises)
        assert all(name.startswith(f"{lesson.number} ") for name in lesson.exercises)
        assert {name[3:] for name in lesson.exercises} >= {"attack", "defend"}
    assert [lesson.number for lesson in COURSE if f"{lesson.number} audit" not in lesson.exercises] == ["00"]


def test_every_exercise_of_a_lesson_is_one_that_its_text_announces():
    for lesson in COURSE:
        text = "\n".join(source(cell) for cell in notebook(lesson.number)["cells"] if cell["cell_type"] == "markdown")
        for name in lesson.exercises:
            assert f"**{name[3:].capitalize()}.**" in text or f"*{name[3:]}*" in text, name


def test_the_map_can_be_read_in_grey_and_heard(here):
    for name in ("00_start_here", "01_errors_that_vanish"):
        (here / f"{name}.ipynb").write_bytes((FOLDER / f"{name}.ipynb").read_bytes())
    record("00 defend", True)
    seen = progress()
    assert repr(seen).splitlines() == [
        "1 of 5 exercises done.",
        "",
        "00  What happens if it crashes here?  ○ attack     ● defend",
        "01  Which error did you expect?       ○ attack     ○ defend     ○ audit",
        "",
        "● done   ◐ tried   ○ not yet",
    ]
    html = seen._repr_html_()
    assert 'aria-label="defend: done"' in html and 'aria-label="attack: not yet"' in html
    assert "color" not in html


def test_a_folder_without_lessons_and_one_with_half_a_notebook_are_no_error(here):
    assert repr(progress()) == "No lessons can be seen in this folder, so there is no map of them."
    (here / "00_half.ipynb").write_text('{"cells": [', encoding="utf-8")
    assert repr(progress()) == "No lessons can be seen in this folder, so there is no map of them."


def test_the_saved_map_is_that_of_nobody():
    (cell,) = [cell for cell in notebook("00")["cells"] if cell["id"] == "progress-code"]
    text = "".join(cell["outputs"][0]["data"]["text/plain"])
    total = sum(len(lesson.exercises) for lesson in COURSE)
    assert text.startswith(f"0 of {total} exercises done.")
    assert "●" not in text.replace("● done", "") and "◐" not in text.replace("◐ tried", "")


def test_whatever_is_compared_with_saved_outputs_runs_with_it_off():
    """nbval's kernels inherit this process's environment, which conftest.py has set; save.py sets its own."""
    assert os.environ[SWITCH] == "off"
    assert f'os.environ["{SWITCH}"] = "off"' in (FOLDER / "save.py").read_text(encoding="utf-8")


def test_the_file_is_not_git_s():
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", f"notebooks/{FILE}"], cwd=FOLDER.parent, capture_output=True
    ).returncode
    assert ignored == 0


def test_what_is_recorded_can_be_drawn_as_before(here):
    run = record("00 attack", shop().run(charge, crash_after=2), breaks=charged_at_most_once)
    assert "2 charges" in repr(lanes(run))


# A room


def person(folder, name, *noted):
    text = "".join(
        json.dumps({"version": 1, "lesson": one[:2], "exercise": one[3:], "done": done, "code": code}) + "\n"
        for one, done, code in noted
    )
    path = folder / f"{name}.jsonl" if "/" not in name else folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_room_s_files_become_one_table(tmp_path, capsys):
    person(tmp_path, "ben", ("00 attack", True, "1"), ("00 defend", False, "1"), ("00 defend", False, "2"))
    done = [("00 attack", True, "1"), ("00 defend", True, "2"), ("06 classify", True, "3")]
    person(tmp_path, "ann/progress.jsonl", *done)
    assert room.main(str(tmp_path)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("ann   ●●  ○○○") and said[1].endswith("   3 of 43")
    assert said[2].startswith("ben   ●◐  ○○○") and said[2].endswith("   1 of 43")
    assert said[5].startswith("Each lesson: attack, defend, audit. 00: attack, defend; 06: attack, classify, defend, ")
    assert said[6] == "Tried, and not done yet: 00 defend (1)"
    head, ann, ben = (tmp_path / room.TABLE).read_text(encoding="utf-8").splitlines()
    assert head.startswith("name,00 attack,00 defend,01 attack,") and head.endswith(",13 audit,lines that say nothing")
    assert ann.startswith("ann,done,done,not yet,") and ben.startswith("ben,done,tried,not yet,")
    assert head.count(",") == ann.count(",") == 44


def test_torn_lines_and_lines_of_another_version_are_counted_and_cost_nobody_their_row(tmp_path, capsys):
    path = person(tmp_path, "ann", ("00 attack", True, "1"), ("05 explain", True, "1"))
    with open(path, "ab") as file:
        file.write(b'{"lesson": "00", "done": true}\n[1, 2]\nnull\n\xff\xfe{"les')
    path.with_name("nobody.jsonl").write_text("", encoding="utf-8")
    assert room.main(str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "(4 lines say nothing)" in said and "\nnobody" in said
    assert "··: explain" in said and "2 of 44" in said


@pytest.mark.parametrize("where", ["", "no such folder", "."])
def test_a_room_that_is_not_there_is_told_what_to_give(where, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert room.main(where) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "ann.jsonl" in said
