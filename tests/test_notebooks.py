"""Every lesson is saved as a learner should meet it: run from the top, with nothing of the author's machine.

nbval compares outputs; it lets a notebook pass that was never run, for it has none to compare.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

HOME = re.compile(r"/home/|/root/|/Users/|[A-Za-z]:\\+Users\\|/tmp/ipykernel_")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
CLOCK = re.compile(r"stopped after [0-9.,]+ m?s\b")
EMBEDDED = re.compile(r"base64,[A-Za-z0-9+/=\s]+")  # a picture can spell anything


def complaints(notebook: dict[str, Any]) -> list[str]:
    """What keeps this notebook from being a saved lesson; empty if nothing does."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and source(cell).strip()]
    found = []
    for count, cell in enumerate(cells, start=1):
        where = f"cell {count}, `{source(cell).strip().splitlines()[0]}`:"
        if cell["execution_count"] != count:
            found.append(f"{where} execution count {cell['execution_count']}, not {count}")
        if source(cell).rstrip().endswith(";"):
            found.append(f"{where} ends in `;`, which nbval compares as unequal")
        if any(output["output_type"] == "error" for output in cell["outputs"]):
            found.append(f"{where} has an error as its output")
        found += [f"{where} {leak}" for leak in leaks(cell["outputs"])]
    found += [f"the widgets' saved state: {leak}" for leak in leaks(notebook["metadata"].get("widgets", {}))]
    return found


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def leaks(saved: Any) -> list[str]:
    """What would be different on another machine or in another run."""
    whole = EMBEDDED.sub("", "\n".join(texts(saved)))
    homes = [f"names a folder of this machine, `{match}`" for match in HOME.findall(whole)]
    clocks = [f"`{match}`: a faster machine says more; limit it by states" for match in CLOCK.findall(whole)]
    return homes + clocks + [f"shows a memory address, `{match}`" for match in ADDRESS.findall(whole)]


def texts(saved: Any) -> Iterator[str]:
    if isinstance(saved, str):
        yield saved
    elif isinstance(saved, list):
        for part in saved:
            yield from texts(part)
    elif isinstance(saved, dict):
        if saved.get("encoding") == "base64":  # a widget's binary value
            return
        for key, part in saved.items():
            if key not in ("image/png", "image/jpeg"):
                yield from texts(part)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_is_saved_as_it_runs(path):
    assert complaints(json.loads(path.read_text(encoding="utf-8"))) == []


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": metadata}


def code(text: str, count: int | None, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": [text], "execution_count": count, "outputs": list(outputs)}


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": [text]}


def test_a_notebook_that_was_run_from_the_top_passes():
    text = {"cell_type": "markdown", "source": ["# Title"]}
    cells = [text, code("1 + 1", 1), code("print(2)", 2, printed("2")), code("", None)]
    assert complaints(notebook(*cells)) == []


def test_a_notebook_that_was_never_run_fails():
    assert complaints(notebook(code("1 + 1", None))) == ["cell 1, `1 + 1`: execution count None, not 1"]


def test_a_notebook_that_was_run_out_of_order_fails():
    assert len(complaints(notebook(code("a", 2), code("b", 1)))) == 2


def test_a_saved_error_fails():
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}
    assert complaints(notebook(code("lost", 1, error))) == ["cell 1, `lost`: has an error as its output"]


def test_a_semicolon_at_the_end_fails():
    assert complaints(notebook(code("x = 1\nplot(x);\n", 1)))[0].endswith("which nbval compares as unequal")


@pytest.mark.parametrize(
    "leak", ["/home/ada/x.py", "/Users/ada", r"C:\Users\ada", "<f at 0x7f80a1b2c3d0>", "stopped after 10 s"]
)
def test_an_output_from_this_machine_only_fails(leak):
    assert len(complaints(notebook(code("f", 1, printed(leak))))) == 1
    widgets = {"state": {"1": {"state": {"value": leak}}}}
    assert len(complaints(notebook(code("f", 1), widgets=widgets))) == 1


def test_what_a_picture_happens_to_spell_does_not_count():
    png = {"image/png": "AA/root/0xabcdef", "text/plain": ["<Figure>"]}
    html = {"text/html": ['<img src="data:image/png;base64,A/root/B">']}
    outputs = [{"output_type": "display_data", "data": data} for data in (png, html)]
    assert complaints(notebook(code("show()", 1, *outputs))) == []
