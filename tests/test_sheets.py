"""A workshop's sheets: participants get no solutions, instructors get all of them, and nobody keeps them twice."""

import json
import os
import runpy
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
sheets = runpy.run_path(str(FOLDER / "sheets.py"))
source, is_solution, is_folded = sheets["source"], sheets["is_solution"], sheets["is_folded"]

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def is_answer(cell):
    return is_solution(cell) or is_folded(cell)


def lines_of(cells):
    return {line.strip() for cell in cells for line in source(cell).splitlines()} - {""}


def only_in_answers(lesson):
    """The lines that stand in a solution and nowhere else in the lesson."""
    answers = [cell for cell in lesson["cells"] if is_answer(cell)]
    return lines_of(answers) - lines_of(cell for cell in lesson["cells"] if not is_answer(cell))


@every_notebook
def test_the_solutions_are_the_cells_that_are_named_so(path):
    cells = read(path)["cells"]
    assert [cell["id"] for cell in cells if is_solution(cell)] == [
        cell["id"] for cell in cells if cell["id"].startswith("solution")
    ]


def test_every_lesson_has_a_solution_and_the_capstone_folds_its_reference():
    assert [path.name[:2] for path in NOTEBOOKS if only_in_answers(read(path))] == [f"{n:02}" for n in range(14)]
    folded = [(path.name[:2], cell["id"]) for path in NOTEBOOKS for cell in read(path)["cells"] if is_folded(cell)]
    assert folded == [("13", "careful")]


@every_notebook
def test_a_participants_sheet_has_nothing_of_a_solution_and_all_the_rest(path):
    lesson = read(path)
    sheet = sheets["participants"](lesson)
    written = "\n".join(map(source, sheet["cells"]))
    assert [line for line in only_in_answers(lesson) if line in written.splitlines()] == []
    assert "<summary>A solution" not in written
    kept = [cell["id"] for cell in lesson["cells"] if not is_solution(cell)]
    assert [cell["id"] for cell in sheet["cells"]] == kept


@every_notebook
def test_a_participants_sheet_looks_as_if_nobody_had_run_it(path):
    sheet = sheets["participants"](read(path))
    run = [cell for cell in sheet["cells"] if cell.get("outputs") or cell.get("execution_count")]
    assert run == [] and "widgets" not in sheet["metadata"]


@every_notebook
def test_an_instructors_sheet_has_every_solution_open_and_every_output(path):
    lesson = read(path)
    sheet = sheets["instructors"](lesson)
    assert only_in_answers(lesson) <= {line.replace("<details open>", "<details>") for line in lines_of(sheet["cells"])}
    assert [cell.get("outputs") for cell in sheet["cells"]] == [cell.get("outputs") for cell in lesson["cells"]]
    assert [cell["id"] for cell in sheet["cells"] if is_folded(cell)] == []
    assert [cell["id"] for cell in sheet["cells"] if is_solution(cell) and "<details open>" not in source(cell)] == []
    assert all("<details open>" not in source(cell) for cell in sheet["cells"] if not is_solution(cell))


def test_packed_code_does_what_the_code_does_and_does_not_show_it():
    names = {}
    packed = sheets["packed"]("def double(n):\n    return 2 * n\n")
    exec(packed, names)
    assert names["double"](21) == 42
    assert "return" not in packed


def test_the_sheets_are_notebooks_with_their_pictures(tmp_path, capsys):
    sheets["main"](str(tmp_path))
    for kind in ("participants", "instructors"):
        assert {path.name for path in (tmp_path / kind).glob("*.ipynb")} == {path.name for path in NOTEBOOKS}
        for path in (tmp_path / kind).glob("*.ipynb"):
            nbformat.validate(nbformat.read(path, as_version=4))
            for picture in sheets["PICTURE"].findall(path.read_text(encoding="utf-8")):
                assert (tmp_path / kind / "pictures" / picture).is_file()
    assert capsys.readouterr().out.count(": 15 notebooks\n") == 2


def test_the_capstone_s_packed_cell_defines_what_the_folded_one_does():
    (path,) = FOLDER.glob("13_*.ipynb")
    lesson = read(path)
    (folded,) = [cell for cell in lesson["cells"] if is_folded(cell)]
    (packed,) = [cell for cell in sheets["participants"](lesson)["cells"] if is_folded(cell)]
    assert functions(source(packed)) == functions(source(folded)) != {}


def functions(text):
    """What this code defines, by name: the instructions, without the file that they were read from."""
    names = {}
    exec("class Rejected(Exception): pass", names)
    exec(text, names)
    found = {name: thing.__code__ for name, thing in names.items() if hasattr(thing, "__code__")}
    return {name: (code.co_code, code.co_consts, code.co_names, code.co_varnames) for name, code in found.items()}


def test_a_participants_sheet_runs_from_the_top(tmp_path, monkeypatch):
    (path,) = FOLDER.glob("00_*.ipynb")
    monkeypatch.setitem(os.environ, "TQDM_DISABLE", "1")
    sheet = nbformat.reads(json.dumps(sheets["participants"](read(path))), as_version=4)
    NotebookClient(sheet, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
