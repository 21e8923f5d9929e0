"""The lessons as one course: the map in lesson 00, and what each lesson takes up again."""

import re

import pytest

from tests.lessons import FOLDER, cell, notebook, source

LESSONS = sorted(path.name for path in FOLDER.glob("[0-9]*.ipynb"))


def text(number):
    return "\n".join(source(cell) for cell in notebook(number)["cells"] if cell["cell_type"] == "markdown")


def test_the_map_leads_to_every_lesson_in_order():
    rows = re.findall(r"^\| \[(\d\d)\]\((.*?)\) \|", cell("00", "course"), re.M)
    assert rows == [(name[:2], name) for name in LESSONS[1:]]


@pytest.mark.parametrize("name", LESSONS[1:])
def test_a_lesson_takes_up_an_earlier_one(name):
    taken_up = {int(number) for number in re.findall(r"[Ll]essons? (\d\d)", text(name[:2]))}
    assert any(number < int(name[:2]) for number in taken_up)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_names_only_lessons_that_there_are(name):
    named = set(re.findall(r"(?:[Ll]essons? |[Ll]esson \d\d and |[Ll]essons \d\d, )(\d\d)", text(name[:2])))
    assert named <= {other[:2] for other in LESSONS}
