"""Files that others have written: none is followed, executed or passed on to a terminal, or costs more than itself."""

import csv
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from notebooks import room
from simlib.course import exercises, progress, record
from simlib.course.exercises import FILE, MOST_BYTES, SWITCH, attempts
from simlib.course.progress_map import lessons
from simlib.errors import Mistake
from simlib.files import Odd, json_of, opened, read
from tests.test_exercises import person

ROOT = Path(__file__).parent.parent
GOOD = ("00 attack", True, "1")
LINE = {"version": 1, "lesson": "00", "exercise": "attack", "done": True, "code": "1"}
BIDI = "\u202e"  # what follows is shown from right to left


def link(path, to):
    path.symlink_to(to)


def listening(path, _):
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's address has room for 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


KINDS = {
    "a link to the passwords": (link, "/etc/passwd", "it is a link, and links are not followed"),
    "a link to somebody else's": (link, "ann.jsonl", "it is a link, and links are not followed"),
    "a link to itself": (link, "bad.jsonl", "it is a link, and links are not followed"),
    "a link to nothing": (link, "nowhere", "it is a link, and links are not followed"),
    "a link to a device without end": (link, "/dev/zero", "it is a link, and links are not followed"),
    "a FIFO": (lambda path, _: os.mkfifo(path), None, "it is a FIFO"),
    "a socket": (listening, None, "it is a socket"),
    "a folder": (lambda path, _: path.mkdir(), None, "it is a folder"),
    "a huge file": (lambda path, _: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 10**12), None,
        f"larger than {MOST_BYTES:,} bytes"),
}  # fmt: skip


def within_seconds(act, seconds=20):
    """Do this in a thread: it is a test's failure, and not its end, when it waits for ever."""
    came = Future()

    def acting():
        try:
            came.set_result(act())
        except BaseException as error:
            came.set_exception(error)

    threading.Thread(target=acting, daemon=True).start()
    return came.result(seconds)


@pytest.fixture
def table(tmp_path, capsys):
    """A room with ann in it, who has done an exercise; gives what is printed of it, and its table's rows."""
    person(tmp_path, "ann", GOOD)

    def made():
        assert within_seconds(lambda: room.main(str(tmp_path))) == 0
        said = capsys.readouterr().out
        with open(tmp_path / room.TABLE, encoding="utf-8", newline="") as file:
            rows = {row[0]: row[1:] for row in csv.reader(file)}
        assert rows["ann"][:2] == ["done", "not yet"]
        assert "\nann " in said
        assert said.replace("\n", "").isprintable()
        return said, rows

    return made


# A room's files


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_ordinary_file_costs_a_line_that_names_it(tmp_path, table, kind):
    make, given, why = KINDS[kind]
    make(tmp_path / "bad.jsonl", given)
    (tmp_path / "eve").mkdir()
    make(tmp_path / "eve" / FILE, given)
    said, rows = table()
    assert [line for line in said.splitlines() if "bad" in line] == [f'Left out, "bad.jsonl": {why}.']
    assert [line for line in said.splitlines() if "eve" in line] == [f'Left out, "eve/progress.jsonl": {why}.']
    assert set(rows) == {"name", "ann"}


def test_a_folder_that_is_a_link_is_not_gone_into(tmp_path, table, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    person(elsewhere, "progress", GOOD)
    link(tmp_path / "eve", elsewhere)
    said, rows = table()
    assert 'Left out, "eve": it is a link, and links are not followed.' in said
    assert set(rows) == {"name", "ann"}


@pytest.mark.parametrize("where", ["bad.jsonl", "eve/progress.jsonl"])
def test_a_file_that_may_not_be_read_costs_a_line(tmp_path, table, monkeypatch, where):
    (tmp_path / "eve").mkdir()
    (tmp_path / where).write_text("")
    look = os.open

    def refused(path, *how, **more):
        if str(path).endswith(where):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, *how, **more)

    monkeypatch.setattr(os, "open", refused)  # as root, everything may be read
    assert f'Left out, "{where}": Permission denied.' in table()[0]


def test_a_folder_that_may_not_be_looked_into_costs_a_line(tmp_path, table, monkeypatch):
    (tmp_path / "eve").mkdir()
    look = os.lstat

    def refused(path, **how):
        if "eve" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **how)

    monkeypatch.setattr(os, "lstat", refused)
    assert 'Left out, "eve/progress.jsonl": Permission denied.' in table()[0]


@pytest.mark.parametrize("name", ["", " ", "  "])
def test_a_file_that_is_called_after_nobody_costs_a_line(tmp_path, table, name):
    person(tmp_path, name, GOOD)
    said, rows = table()
    assert f'Left out, "{name}.jsonl": it is called after nobody.' in said
    assert len(rows) == 2


NAMES = {
    "\x1b]0;owned\x07": r"\x1b]0;owned\x07",
    "\x1b[2J\x1b[31mred": r"\x1b[2J\x1b[31mred",
    "\x9b31mred": r"\x9b31mred",
    "two\nlines\rback\ttab": r"two\nlines\rback\ttab",
    f"{BIDI}lsj": r"\u202elsj",
    "no\u200bbody": r"no\u200bbody",
    "line\u2028line": r"line\u2028line",
    os.fsdecode(b"\xff\xfe"): r"\udcff\udcfe",
    "Åsa Öberg": "Åsa Öberg",
    "O'Neill": "O'Neill",
    "ANN": "ANN",
    "x.jsonl": "x.jsonl",
}


@pytest.mark.parametrize("name", NAMES, ids=NAMES.values())
def test_a_name_is_shown_and_obeyed_by_nobody(tmp_path, table, name):
    person(tmp_path, name, GOOD)
    said, rows = table()
    assert f"\n{NAMES[name]} " in said
    assert rows[NAMES[name]][:2] == ["done", "not yet"]


def test_a_name_as_long_as_a_file_s_leaves_the_table_narrow(tmp_path, table):
    person(tmp_path, "x" * 240, GOOD)
    said, rows = table()
    assert max(map(len, said.splitlines()[:4])) < 160
    assert "x" * 240 in rows


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "'=1", '"=1', "＝1", "＋1", "－1", "＠1", "=cmd|' ∕C calc'!A0", "a;=1",
     "a; -1"],
)  # fmt: skip
def test_no_spreadsheet_takes_a_name_for_a_formula(tmp_path, table, name):
    person(tmp_path, name, GOOD)
    _, rows = table()
    (cell,) = set(rows) - {"name", "ann"}
    assert cell.replace("'", "") == name.replace("'", "")
    for part in cell.split(";"):  # where the comma is the decimal sign, the semicolon separates
        assert part.lstrip()[:1] not in ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("name", ["\t=1", "\r=1", "\n=1"])
def test_nor_one_behind_a_character_that_cannot_be_seen(tmp_path, table, name):
    person(tmp_path, name, GOOD)
    (cell,) = set(table()[1]) - {"name", "ann"}
    assert cell == repr(name)[1:-1]


ODD_LINES = {
    "deep": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a huge number": b'{"lesson": ' + b"9" * 10_000 + b"}",
    "a huge number as text": json.dumps({**LINE, "lesson": "9" * 10_000}).encode(),
    "no number": json.dumps({**LINE, "done": float("nan")}).encode(),
    "a number for true": json.dumps({**LINE, "done": 1}).encode(),
    "text for true": json.dumps({**LINE, "done": "false"}).encode(),
    "a list for a name": json.dumps({**LINE, "exercise": ["attack"]}).encode(),
    "nothing for a name": json.dumps({**LINE, "lesson": None}).encode(),
    "a name with orders to a terminal": json.dumps({**LINE, "exercise": "\x1b[2Jattack"}).encode(),
    "a name that turns around": json.dumps({**LINE, "exercise": f"{BIDI}attack"}).encode(),
    "a name that no encoding takes": json.dumps({**LINE, "exercise": "\ud800"}).encode(),
    "a name that is a formula": json.dumps({**LINE, "exercise": "=cmd()"}).encode(),
    "a name of two words": json.dumps({**LINE, "exercise": "attack defend"}).encode(),
    "a name of other digits": json.dumps({**LINE, "lesson": "٠٠"}).encode(),
    "a name without end": json.dumps({**LINE, "exercise": "a" * 100_000}).encode(),
    "a name twice": json.dumps(LINE).encode()[:-1] + b', "done": false}',
    "not UTF-8": json.dumps(LINE).encode()[:-1] + b', "x": "\xff"}',
    "UTF-16": json.dumps(LINE).encode("utf-16")[2:].replace(b"\n", b""),
    "no object": b"12",
    "nulls": b"\0" * 500,
}


@pytest.mark.parametrize("odd", ODD_LINES)
def test_a_bad_line_in_a_good_file_is_counted(tmp_path, table, odd):
    path = person(tmp_path, "eve", GOOD)
    path.write_bytes(path.read_bytes() + ODD_LINES[odd] + b"\n" + json.dumps({**LINE, "exercise": "defend"}).encode())
    said, rows = table()
    (row,) = [line for line in said.splitlines() if line.startswith("eve")]
    assert row.endswith("2 of 43  (1 lines say nothing)")
    assert rows["eve"][:2] == ["done", "done"] and rows["eve"][-1] == "1"


def test_what_else_stands_in_a_line_is_nobody_s_concern(tmp_path, table):
    path = person(tmp_path, "eve", GOOD)
    more = {**LINE, "result": ["\ud800"] * 3, "when": {"a": float("nan")}, "code": 10**400, "=1": "\x1b"}
    path.write_text(json.dumps(more) + "\n")
    assert table()[1]["eve"][0] == "done"


def letters(number):
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def test_a_file_with_thousands_of_exercises_that_no_lesson_has_costs_a_line_and_no_column(tmp_path, table):
    person(tmp_path, "eve", GOOD, *((f"99 {letters(number)}", True, "1") for number in range(5_000)))
    person(tmp_path, "old", GOOD, *((f"99 {letters(number)}", True, "1") for number in range(room.MOST_STRANGE)))
    said, rows = table()
    assert 'Left out, "eve.jsonl": it has 5,000 exercises that no lesson has.' in said
    assert len(rows["name"]) == len(rows["old"]) == 43 + room.MOST_STRANGE + 1


def test_of_names_that_differ_in_case_alone_each_has_a_row(tmp_path, table):
    person(tmp_path, "Ann", ("00 defend", True, "1"))
    _, rows = table()
    assert rows["Ann"][:2] == ["not yet", "done"]


def test_where_all_files_are_bad_each_has_its_line(tmp_path, capsys):
    os.mkfifo(tmp_path / "eve.jsonl")
    assert within_seconds(lambda: room.main(str(tmp_path))) == 1
    said = capsys.readouterr().out
    assert said.startswith("No .jsonl file in ") and said.endswith('\nLeft out, "eve.jsonl": it is a FIFO.\n')


# The table's own file


def plant_link(path, victim):
    path.symlink_to(victim)


def plant_another_name(path, victim):
    os.link(victim, path)


@pytest.mark.parametrize("plant", [plant_link, plant_another_name])
def test_a_planted_table_is_replaced_and_what_it_leads_to_is_not_touched(tmp_path, table, plant, tmp_path_factory):
    victim = tmp_path_factory.mktemp("home") / "authorized_keys"
    victim.write_text("a key")
    plant(tmp_path / room.TABLE, victim)
    said, rows = table()
    assert victim.read_text() == "a key"
    assert "For a spreadsheet" in said and set(rows) == {"name", "ann"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ann.jsonl", room.TABLE]
    assert not (tmp_path / room.TABLE).is_symlink()
    assert (tmp_path / room.TABLE).stat().st_mode == (tmp_path / "ann.jsonl").stat().st_mode


@pytest.mark.parametrize("plant", [os.mkfifo, os.mkdir])
def test_a_planted_table_that_is_no_file_hangs_nobody(tmp_path, capsys, plant):
    person(tmp_path, "ann", GOOD)
    plant(tmp_path / room.TABLE)
    assert within_seconds(lambda: room.main(str(tmp_path))) == 0
    said = capsys.readouterr().out
    assert ("Not written, " if plant is os.mkdir else "For a spreadsheet: ") in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ann.jsonl", room.TABLE]


# A learner's own file


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_put_in_its_place_hangs_no_lesson_and_is_not_written_to(here, kind):
    make, given, _ = KINDS[kind]
    victim = here / "nowhere"
    make(here / FILE, given)
    if kind != "a huge file":
        assert within_seconds(lambda: record("00 attack", True)) is True
    assert within_seconds(progress).states == {}
    assert progress().note == "progress.jsonl cannot be read."
    assert not victim.exists()


def test_what_an_exercise_says_is_noted_whatever_it_is(here):
    class Odd:
        def __repr__(self):
            return "\ud800\x1b"

        def __ge__(self, other):
            return True

    record("00 attack", Odd(), of=3)
    assert attempts(here / FILE)[0][0].done


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a huge file"])
def test_a_lesson_s_file_that_is_none_hangs_no_map(here, kind):
    make, given, _ = KINDS[kind]
    make(here / "00_bad.ipynb", given)
    assert within_seconds(lambda: lessons(here)) == []


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "[]", "3", '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"cell_type": [], "source": ""}]}',
     '{"cells": [{"cell_type": "new", "source": ""}]}', '{"cells": [{"cell_type": "code", "source": [3]}]}'],
)  # fmt: skip
def test_a_lesson_that_makes_no_sense_is_left_out_of_the_map(here, text):
    (here / "00_bad.ipynb").write_text(text)
    assert lessons(here) == []


def test_a_lesson_s_title_gives_no_orders(here):
    cells = [{"cell_type": "markdown", "source": "# 00 · \x1b[2J<b>" + BIDI},
             {"cell_type": "code", "source": 'record("00 attack", 1)'}]  # fmt: skip
    (here / "00_bad.ipynb").write_text(json.dumps({"cells": cells}))
    seen = progress()
    assert r"00  \x1b[2J<b>\u202e  " in repr(seen)
    assert r"\x1b[2J&lt;b&gt;\u202e" in seen._repr_html_()


# How a file is opened


def test_a_file_that_is_exchanged_between_look_and_opening_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "it"
    path.write_text("fine")
    look = os.lstat

    def exchanging(*given, **how):
        seen = look(*given, **how)
        path.unlink()
        os.mkfifo(path)
        return seen

    monkeypatch.setattr(os, "lstat", exchanging)
    before = os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd") else []
    with pytest.raises(OSError, match="it is a FIFO"):
        within_seconds(lambda: opened(path))
    assert len(os.listdir("/proc/self/fd") if before else []) == len(before)


def test_a_file_of_just_the_size_that_is_read_is_read(tmp_path):
    path = tmp_path / "it"
    path.write_bytes(b"12345")
    assert read(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read(path, 4)


def test_a_line_that_is_odd_is_told_from_one_that_is_damaged():
    for text in (b"[" * 10_000 + b"]" * 10_000, b"9" * 10_000, b'{"a": 1, "a": 1}'):
        with pytest.raises(Odd):
            json_of(text)
    for text in (b"", b"{", b'{"a": "\xff"}', b"\0"):
        with pytest.raises(ValueError) as raised:
            json_of(text)
        assert not isinstance(raised.value, Odd)


def test_a_thousand_names_of_which_the_last_is_there_twice_are_read_at_once():
    names = ",".join(f'"{number}":0' for number in range(100_000))
    with pytest.raises(Odd, match="`99999` is there twice"):
        json_of(f'{{{names},"99999":0}}'.encode())


def test_the_command_prints_nothing_that_a_terminal_obeys(tmp_path):
    person(tmp_path, "\x1b[2J" + os.fsdecode(b"\xff"), GOOD)
    ran = subprocess.run([sys.executable, ROOT / "notebooks" / "room.py", tmp_path], capture_output=True, cwd=ROOT,
                         env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert ran.returncode == 0 and b"\x1b" not in ran.stdout and rb"\x1b[2J\udcff" in ran.stdout


def test_a_name_that_is_no_text_is_a_mistake_that_says_how_to_name(here):
    for name in (None, 3, ["00 attack"], "00 attack\n", "٠٠ attack", "00 " + "a" * 21):
        with pytest.raises(Mistake, match="as in record"):
            record(name, True)
    assert exercises.NAME.fullmatch("06 classify")
