"""Makes the sheets of a workshop from the lessons: `python notebooks/sheets.py [folder]`, `build` if none is given.

`participants` has the lessons without solutions and without outputs. A saved output answers the prediction above it,
and says which crash breaks the exercise; a question whose answer can be seen is none. `instructors` has them whole,
run, and with the solutions unfolded, so that they can be shown without a kernel. Neither is kept: both are made anew.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import shutil
import sys
import zlib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PICTURE = re.compile(r"\]\(pictures/(.*?)\)")
HINT = "<summary>Hint"
PACKED = """\
# One way to do it. The cells below need it, so it is here, packed; your instructor has it to read.
import base64, zlib

packed = '''
{}
'''
exec(zlib.decompress(base64.b85decode("".join(packed.split()))))
"""

Notebook = dict[str, Any]
Cell = dict[str, Any]


def main(where: str = "build") -> None:
    """Write both folders of sheets, over those that are there."""
    for name, make in (("participants", participants), ("instructors", instructors)):
        folder = Path(where, name)
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        paths = sorted(FOLDER.glob("*.ipynb"))
        for path in paths:
            text = path.read_text(encoding="utf-8")
            sheet = json.dumps(make(json.loads(text)), indent=1, sort_keys=True, ensure_ascii=False)
            (folder / path.name).write_text(f"{sheet}\n", encoding="utf-8", newline="\n")
            for picture in PICTURE.findall(text):
                shutil.copyfile(FOLDER / "pictures" / picture, folder / "pictures" / picture)
        print(f"{folder}: {len(paths)} notebooks")


def participants(lesson: Notebook) -> Notebook:
    """The lesson without its solutions, as if nobody had run it. It still runs from the top."""
    sheet = copy.deepcopy(lesson)
    sheet["metadata"].pop("widgets", None)
    sheet["cells"] = [cell for cell in sheet["cells"] if not is_solution(cell)]
    for cell in sheet["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            if is_folded(cell):
                cell["source"] = packed(source(cell)).splitlines(keepends=True)
    return sheet


def instructors(lesson: Notebook) -> Notebook:
    """The lesson with its solutions unfolded. Hints stay folded: they are for reading one at a time."""
    sheet = copy.deepcopy(lesson)
    for cell in sheet["cells"]:
        if is_solution(cell):
            cell["source"] = source(cell).replace("<details>", "<details open>").splitlines(keepends=True)
        if is_folded(cell):
            del cell["metadata"]["jupyter"]
    return sheet


def is_solution(cell: Cell) -> bool:
    """Whether this is text to unfold that is no hint."""
    text = source(cell)
    return cell["cell_type"] == "markdown" and "<summary>" in text and HINT not in text


def is_folded(cell: Cell) -> bool:
    """Whether this is code that other cells need and that is not to be read yet: the capstone's reference."""
    return bool(cell["metadata"].get("jupyter", {}).get("source_hidden"))


def packed(code: str) -> str:
    """Code that does the same and cannot be read."""
    text = base64.b85encode(zlib.compress(code.encode(), 9)).decode()
    return PACKED.format("\n".join(text[start : start + 100] for start in range(0, len(text), 100)))


def source(cell: Cell) -> str:
    return "".join(cell["source"])


if __name__ == "__main__":
    main(*sys.argv[1:])
