"""Makes a talk of each lesson: `python notebooks/slides.py [folder]`, `build/slides` if none is given.

Which cells are on a slide is said in the lessons themselves, by the slide type that JupyterLab shows beside a cell.
A slide has its cell's headings, pictures and lists; the prose between them is what the presenter says, and stands in
the notes (key S), as the solutions do. Three tags change that: `slide-text` keeps a cell's prose on the slide,
`slide-code` leaves its output away, `slide-output` its code.

reveal.js comes from npm into `build`. The slides bring all that they need: they open from disk, with no network.
"""

from __future__ import annotations

import ast
import copy
import re
import shutil
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import SlidesExporter
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parent
REVEAL = "4.6.1"  # the last of the 4.x that nbconvert's template is written for
THEME = "midflight"
BRINGS = ("LICENSE", "dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js")
TEXT, CODE, OUTPUT = "slide-text", "slide-code", "slide-output"
NO_PREDICTION = "You made no prediction.\n"
BLOCK = re.compile(r"```.*?^```|\S.*?(?=\n\n|\Z)", re.S | re.M)  # code in a text, with its empty lines; a paragraph
STAYS = re.compile(r"#|!\[|[-*] |\d+\. |\||```|> ")  # how a block begins that is no prose

Notebook = Any
Cell = Any


def main(where: str = "build/slides") -> int:
    """Write a page for each notebook, and what the pages share."""
    from npm import NotFetched, fetch  # beside this script

    try:
        reveal = fetch("reveal.js", REVEAL)
    except NotFetched as error:
        print(error)
        return 1
    folder = Path(where)
    (folder / "reveal.js" / "dist" / "theme").mkdir(parents=True, exist_ok=True)
    for name in BRINGS:
        (folder / "reveal.js" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(reveal / name, folder / "reveal.js" / name)
    shutil.copyfile(FOLDER / "slides" / "deck.css", folder / "reveal.js" / "dist" / "theme" / f"{THEME}.css")
    shutil.copyfile(FOLDER / "slides" / "deck.js", folder / "deck.js")
    shutil.copytree(FOLDER / "pictures", folder / "pictures", dirs_exist_ok=True)
    paths = sorted(FOLDER.glob("*.ipynb"))
    for path in paths:
        page = page_of(nbformat.read(path, as_version=4), path.stem)
        (folder / f"{path.stem}.html").write_text(page, encoding="utf-8", newline="\n")
    print(f"{folder}: {len(paths)} talks. Arrow keys go through one, S shows what to say.")
    return 0


def page_of(lesson: Notebook, name: str) -> str:
    """A lesson's talk as a page, which asks for nothing but `reveal.js` and `pictures` beside it."""
    removed = {"enabled": True, "remove_input_tags": {OUTPUT}, "remove_all_outputs_tags": {CODE}}
    config = Config(TagRemovePreprocessor=Config(removed), CSSHTMLHeaderPreprocessor=Config(style="friendly"))
    exporter = SlidesExporter(
        config=config, template_name="slides", extra_template_basedirs=[str(FOLDER)],
        reveal_url_prefix="reveal.js", reveal_theme=THEME,
        exclude_input_prompt=True, exclude_output_prompt=True,
    )  # fmt: skip
    page, _ = exporter.from_notebook_node(talk(lesson), {"metadata": {"name": name}})
    return str(page)


def talk(lesson: Notebook) -> Notebook:
    """The lesson as it is shown: prose in the notes, predictions as questions to the room, no widget."""
    notebook = copy.deepcopy(lesson)
    notebook.metadata.pop("widgets", None)
    notebook.cells = [part for cell in notebook.cells if kind(cell) != "skip" for part in parts(cell)]
    return notebook


def kind(cell: Cell) -> str:
    """Its slide type; a cell that says nothing goes on where the last one was."""
    return str(cell.metadata.get("slideshow", {}).get("slide_type", "-"))


def parts(cell: Cell) -> Iterator[Cell]:
    """The cell, and behind it what is said of it."""
    tags = cell.metadata.get("tags", [])
    if cell.cell_type == "code":
        cell.outputs = [shown(cell, output) for output in cell.outputs]
        yield cell
    elif kind(cell) == "notes" or TEXT in tags:
        yield cell
    else:
        seen, said = halves(cell.source)
        cell.source = seen
        yield cell
        if said:
            notes = nbformat.v4.new_markdown_cell(said, metadata={"slideshow": {"slide_type": "notes"}})
            yield notes


def halves(text: str) -> tuple[str, str]:
    """What a slide shows of a text, and its prose."""
    parts: dict[bool, list[str]] = {True: [], False: []}
    for block in BLOCK.findall(text):
        parts[bool(STAYS.match(block))].append(block.strip())
    return "\n\n".join(parts[True]), "\n\n".join(parts[False])


def shown(cell: Cell, output: Any) -> Any:
    """An output that needs no kernel: a prediction is a question with its answers, and a revealed one is the truth."""
    if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
        return nbformat.v4.new_output("display_data", {"text/html": question(cell.source)})
    if output.get("text", "").startswith(NO_PREDICTION):
        said = output["text"].removeprefix(NO_PREDICTION).strip()
        return nbformat.v4.new_output("display_data", {"text/html": f'<p class="answer">{in_html(said)}</p>'})
    if "text" in output:
        output["text"] = output["text"].replace(NO_PREDICTION, "")
    return output


def question(code: str) -> str:
    """The question that `predict` asks in this cell. Any other widget has nothing to say without a kernel."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "predict":
            asked, *answers = (in_html(ast.literal_eval(argument)) for argument in node.args)
            items = "".join(f"<li>{answer}</li>" for answer in answers)
            return f'<p><b>{asked}</b></p><ol class="answers">{items}</ol>'
    raise ValueError(f"no prediction in: {code}")


def in_html(text: str) -> str:
    """A text whose `code` stands between backticks."""
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(text))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
