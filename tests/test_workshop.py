"""WORKSHOP.md is about these lessons: their minutes, their questions, their answers, their headings."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lessons import notebook, source

ROOT = Path(__file__).parent.parent
WORKSHOP = (ROOT / "WORKSHOP.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOR_THE_ROOM = 10  # minutes that a lesson takes beyond its own

LESSONS = {
    number: (title, path, int(minutes))
    for number, title, path, minutes in re.findall(r"^\| (\d\d) \| \[(.*?)\]\((.*?)\) \| .*? \| (\d+) \|", README, re.M)
}
ENTRIES = {
    entry[:2]: entry
    for entry in re.split(r"^### (?=\d\d · )", WORKSHOP.partition("\n## The lessons\n")[2], flags=re.M)[1:]
}
every_lesson = pytest.mark.parametrize("number", LESSONS)


def line(number, name):
    """One of the lines of a lesson's entry: Ask, Right, Wrong, Late."""
    (text,) = re.findall(rf"^- \*{name}:\* (.*)$", ENTRIES[number], re.M)
    return text


def quoted(text):
    return re.findall(r'"(.*?)"', text)


def headings(number):
    cells = [source(cell) for cell in notebook(number)["cells"] if cell["cell_type"] == "markdown"]
    return re.findall(r"^## (.*)$", "\n".join(cells), re.M)


def predictions(number):
    """Of each prediction of a lesson, in order: its question, its options, and the one that is revealed."""
    asked, revealed = {}, {}
    for cell in notebook(number)["cells"]:
        if cell["cell_type"] != "code":
            continue
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.Assign) and getattr(getattr(node.value, "func", None), "id", "") == "predict":
                asked[node.targets[0].id] = [ast.literal_eval(argument) for argument in node.value.args]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "reveal":
                revealed[node.func.value.id] = ast.literal_eval(node.args[0])
    return [(question, options, revealed[name]) for name, (question, *options) in asked.items()]


def plain(text):
    return re.sub(r"\s+", " ", text.replace("**", "").replace('\\"', '"'))


def discussed(number):
    """The predictions that the entry is about: the first, and with a *later* the second."""
    return predictions(number)[: 2 if "And later:" in line(number, "Ask") else 1]


# The lessons


def test_every_lesson_of_the_readme_has_its_entry_with_its_minutes_and_an_aim():
    told = {
        number: re.match(r"\d\d · \[(.*?)\]\((.*?)\)\n\n(\d+) minutes\. To [^.]*\.\n\n- ", entry)
        for number, entry in ENTRIES.items()
    }
    found = {number: (entry[1], entry[2], int(entry[3])) for number, entry in told.items()}
    assert found == LESSONS
    assert len(LESSONS) == 14


@every_lesson
def test_the_minutes_are_those_at_the_head_of_the_lesson(number):
    said = source(notebook(number)["cells"][0])
    minutes = LESSONS[number][2]
    assert f"About {minutes} minutes" in said or (minutes == 60 and "An hour or more" in said)


@every_lesson
def test_the_question_is_asked_in_the_lesson(number):
    text = plain("\n".join(source(cell) for cell in notebook(number)["cells"]))
    questions = quoted(line(number, "Ask"))
    assert len(questions) == len(discussed(number))
    assert [question for question in questions if plain(question) not in text] == []


@every_lesson
def test_the_right_answer_is_the_one_that_the_lesson_reveals(number):
    assert quoted(line(number, "Right")) == [answer for _, _, answer in discussed(number)]


@every_lesson
def test_each_other_option_has_the_thought_that_leads_to_it(number):
    others = [option for _, options, answer in discussed(number) for option in options if option != answer]
    assert sorted(quoted(line(number, "Wrong"))) == sorted(others)


@every_lesson
def test_who_is_late_goes_on_further_down_at_a_heading_that_is_there(number):
    late = line(number, "Late")
    there = headings(number)
    ways = re.findall(r"[Mm]inute (\d+) and still in `(.*?)`:(.*?)go on at `(.*?)`", late)
    assert len(ways) == 2
    assert [int(minute) for minute, *_ in ways] == sorted(int(minute) for minute, *_ in ways)
    for minute, here, _, further in ways:
        assert int(minute) < LESSONS[number][2]
        assert there.index(here) < there.index(further)
    assert set(re.findall(r"`([A-Z].*?)`", late)) <= set(there)


# The agendas


def agendas():
    part = WORKSHOP.partition("\n## Agendas\n")[2].partition("\n## ")[0]
    for agenda in re.split(r"^### ", part, flags=re.M)[1:]:
        title = agenda.splitlines()[0]
        days = [re.findall(r"^\| (\d+) \| (.*) \|$", day, re.M) for day in agenda.split("| minutes | what |")[1:]]
        yield title, [[(int(minutes), what) for minutes, what in day] for day in days]


AGENDAS = dict(agendas())
every_agenda = pytest.mark.parametrize("title", AGENDAS)


def lessons_in(title):
    rows = [(minutes, what) for day in AGENDAS[title] for minutes, what in day]
    return [(what.removeprefix("Lesson "), minutes) for minutes, what in rows if what.startswith("Lesson ")]


def test_there_are_three_agendas_and_the_last_takes_two_days():
    assert [len(days) for days in AGENDAS.values()] == [1, 1, 2]


@every_agenda
def test_its_minutes_add_up(title):
    (minutes,) = re.findall(r"(\d+) minutes", title)
    assert [sum(part for part, _ in day) for day in AGENDAS[title]] == [int(minutes)] * len(AGENDAS[title])


@every_agenda
def test_a_lesson_has_its_minutes_and_ten_for_the_room(title):
    assert lessons_in(title) == [(number, LESSONS[number][2] + FOR_THE_ROOM) for number, _ in lessons_in(title)]


@every_agenda
def test_a_lesson_comes_after_those_that_it_needs(title):
    order = [number for number, _ in lessons_in(title)]
    for place, number in enumerate(order):
        needed = re.search(r"After lessons? ([^;.]*)[;.]", source(notebook(number)["cells"][0]))
        assert set(re.findall(r"\d\d", needed[1] if needed else "")) <= set(order[:place])


def test_two_days_have_every_lesson():
    assert [number for number, _ in lessons_in("Two days: 420 minutes each")] == list(LESSONS)


def test_what_is_shown_of_the_template_is_there():
    assert {"From code to worker", "Break it"} <= set(headings("your"))


# What it tells people to run


def test_its_commands_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z]+)", WORKSHOP)):
        assert re.search(rf"^{target}:", makefile, re.M), target


READY = ROOT / "notebooks" / "ready.py"


def test_a_machine_that_can_run_the_tests_is_ready():
    ran = subprocess.run([sys.executable, str(READY)], capture_output=True, text=True, encoding="utf-8")
    *tried, last = ran.stdout.splitlines()
    assert last == "Ready.", ran.stdout + ran.stderr
    assert len(tried) == 5 and all(line.endswith(": yes") for line in tried)


def fails():
    raise ImportError("No module named 'matplotlib'\nand more")


def test_a_machine_that_is_not_ready_says_so_in_one_line_with_what_to_do(capsys):
    verdict = runpy.run_path(str(READY))["verdict"]
    said = verdict([("checker", int, ""), ("pictures", fails, "make clean."), ("never tried", fails, "")])
    assert said == "Not ready: no pictures (ImportError: No module named 'matplotlib'). Do this: make clean."
    assert capsys.readouterr().out == "  checker: yes\n"


def test_a_machine_without_real_processes_is_ready_for_all_the_rest():
    names = runpy.run_path(str(READY))
    (what, attempt, remedy) = names["CHECKS"][-1]
    names["verdict"].__globals__["shop"] = fails
    said = names["verdict"]([(what, attempt, remedy)])
    assert said.startswith("Ready, but for the cells under `For real`: no real processes (ImportError: ")


def test_the_workshop_quotes_the_lines_that_are_printed():
    text = READY.read_text(encoding="utf-8")
    for said in ("Ready.", "Not ready", "Ready, but for the cells under"):
        assert said in text and f"`{said}" in WORKSHOP
