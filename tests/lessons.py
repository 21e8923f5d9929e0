"""Reads the lessons themselves: the code of a lesson lives in its notebook and nowhere else."""

import ast
import inspect
import json
import linecache
import re
import textwrap
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "notebooks"


def notebook(number):
    (path,) = FOLDER.glob(f"{number}_*.ipynb")
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def definitions(number):
    """Run the cells of a lesson that import and define, and return what they made.

    Cells that only show something are left to nbval. The sources are known to `inspect`, as in a notebook.
    """
    names = {}
    for cell in notebook(number)["cells"]:
        text = source(cell)
        if cell["cell_type"] == "code" and re.search(r"^(def|from|import|class|\w+ = Scenario)", text, re.M):
            kept = _definitions_only(text)
            run(kept, names, f"<lesson {number}, {cell['id']}>")
    return names


def _definitions_only(text):

    tree = ast.parse(text)
    keep = (ast.FunctionDef, ast.Import, ast.ImportFrom)
    lines = text.splitlines()
    parts = [
        "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in tree.body
        if isinstance(node, keep) or (isinstance(node, ast.Assign) and "Scenario(" in ast.unparse(node.value))
    ]
    return "\n\n".join(parts) + "\n"


def run(text, names, label):
    linecache.cache[label] = (len(text), None, text.splitlines(keepends=True), label)
    exec(compile(text, label, "exec"), names)


def solutions(number):
    """The code in the lesson's collapsed solutions, in order."""
    texts = [source(cell) for cell in notebook(number)["cells"] if cell["cell_type"] == "markdown"]
    return [
        code
        for text in texts
        if "<summary>A solution" in text
        for code in re.findall(r"```python\n(.*?)```", text, re.S)
    ]


def without_line(function, fragment):
    """The function again, with the one line that has this fragment taken out: a mutant."""

    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    (place,) = [number for number, line in enumerate(lines) if fragment in line]
    return changed(function, lines[:place] + lines[place + 1 :])


def with_text(function, before, after):
    """The function again, with `before` replaced by `after`, which has to change it."""

    text = textwrap.dedent(inspect.getsource(function))
    assert text.count(before) >= 1
    return changed(function, text.replace(before, after).splitlines())


def changed(function, lines):
    names = dict(function.__globals__)
    text = "\n".join(lines) + "\n"
    run(text, names, f"<mutant of {function.__name__}: {hash(text)}>")
    return names[function.__name__]
