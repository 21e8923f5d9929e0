"""Builds the course for any static host: `python notebooks/pages.py [folder]`, `build/site` if none is given.

The lessons to read, as they were saved, with players that need no kernel; and JupyterLite in `lab/`, where they run in
the reader's browser. No page asks anybody but its own host for anything.
"""

from __future__ import annotations

import html
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment, FileSystemLoader
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from pygments.formatters import HtmlFormatter

NOTEBOOKS = Path(__file__).resolve().parent
ROOT = NOTEBOOKS.parent
HERE = NOTEBOOKS / "site"
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
PAGE = Environment(loader=FileSystemLoader(HERE)).get_template("page.html")
INDEX = ("Midflight", "Lessons", "Your own code")  # the README's sections that are for a reader of the site
OTHERS = (("Lessons", "index.html"), ("Your own code", "your_own_code.html"), ("For instructors", "workshop.html"))
ASLEEP = '<p class="asleep">This moves where the lesson runs: in the browser, or in JupyterLab.</p>'


def main(where: str = "") -> None:
    """Write the site, over the one that is there."""
    import lite  # beside this script

    folder = Path(where).resolve() if where else ROOT / "build" / "site"
    shutil.rmtree(folder, ignore_errors=True)
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    copy_lessons(folder / "notebooks", paths)
    try:
        lite.build(folder / "lab", folder / "notebooks")
        runs = True
    except lite.Missing as missing:
        print(missing, file=sys.stderr)
        runs = False
    shutil.copytree(NOTEBOOKS / "pictures", folder / "pictures")
    (folder / "style.css").write_text((HERE / "style.css").read_text(encoding="utf-8") + code_colours(), "utf-8")
    for place, path in enumerate(paths):
        write(folder / f"{path.stem}.html", lesson(path, neighbours(paths, place), runs))
    write(folder / "index.html", index(runs))
    workshop = (ROOT / "WORKSHOP.md").read_text(encoding="utf-8")
    write(folder / "workshop.html", page("For instructors", rendered(workshop), OTHERS))
    print(f"{folder}: {len(paths)} lessons to read" + (", and to run in the browser" if runs else ""))


def copy_lessons(folder: Path, paths: Sequence[Path]) -> None:
    """The notebooks and their pictures, to be downloaded, and to be run in JupyterLite."""
    shutil.copytree(NOTEBOOKS / "pictures", folder / "pictures")
    for path in paths:
        shutil.copyfile(path, folder / path.name)


def neighbours(paths: Sequence[Path], place: int) -> list[tuple[str, str]]:
    """Where else to go from a lesson."""
    ways = list(OTHERS)
    if place:
        ways.append(("← Before", f"{paths[place - 1].stem}.html"))
    if place + 1 < len(paths):
        ways.append(("Next →", f"{paths[place + 1].stem}.html"))
    return ways


def lesson(path: Path, ways: Sequence[tuple[str, str]], runs: bool) -> str:
    """A lesson as a page, with the outputs that it was saved with."""
    notebook = nbformat.read(path, as_version=4)
    state = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if VIEW in output.get("data", {}):
                output["data"] = {"text/html": still(state, output["data"][VIEW]["model_id"])}
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    return page(title_of(body), body, ways, notebook=path.name, lab=runs)


def still(state: dict[str, Any], model: str) -> str:
    """A widget as it was saved, without a kernel: what it shows, and its choices to tick."""
    kind, now = state[model]["model_name"], state[model]["state"]
    if kind in ("VBoxModel", "HBoxModel"):
        parts = "".join(still(state, child.removeprefix("IPY_MODEL_")) for child in now["children"])
        return f'<div class="widget">{parts}</div>'
    if kind == "HTMLModel":
        return f"<div>{now['value']}</div>"
    if kind in ("RadioButtonsModel", "ToggleButtonsModel"):
        choice = '<label><input type="radio" name="{}"> {}</label>'
        choices = "".join(choice.format(model, html.escape(label)) for label in now["_options_labels"])
        return f'<div class="choices" role="radiogroup" aria-label="Your answer">{choices}</div>'
    if kind == "SelectionSliderModel":
        label = html.escape(f"{now['description']}: {now['_options_labels'][now['index']]}")
        return f"<p><b>{label}</b></p>{ASLEEP}"
    return ASLEEP if kind == "ButtonModel" else ""


def index(runs: bool) -> str:
    """The README's beginning, its table of lessons, and what to do with one's own code."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    heads = re.split(r"^#+ (.+)\n", readme, flags=re.M)[1:]
    sections = dict(zip(heads[::2], heads[1::2]))
    program, lessons, own = (sections[name] for name in INDEX)
    say, begins, sample = program.partition("A worker is a plain generator.")
    if runs:
        run = r"\1 · [run](lab/lab/index.html?path=\2)"
        lessons = re.sub(r"(\[[^\]]+\]\(notebooks/(\d\d_\w+\.ipynb)\))", run, lessons)
    parts = {"# Midflight": say, "## Lessons": lessons, "## A whole program": begins + sample, "## Your own code": own}
    return page("Midflight", rendered("\n\n".join(f"{head}\n\n{text}" for head, text in parts.items())), OTHERS)


def rendered(markdown: str) -> str:
    """Markdown as a part of a page, by what renders a notebook's text."""
    return str(markdown2html_mistune(markdown))


def page(title: str, body: str, ways: Sequence[tuple[str, str]], **more: Any) -> str:
    return PAGE.render(title=title, body=relinked(body), ways=ways, **more)


def title_of(body: str) -> str:
    """The first heading, in plain text."""
    found = re.search(r"<h1[^>]*>(.*?)<a class|<h1[^>]*>(.*?)</h1>", body, re.S)
    return html.unescape(re.sub(r"<[^>]+>", "", (found[1] or found[2]) if found else "Midflight")).strip()


def relinked(body: str) -> str:
    """Links between files of the clone, as links between pages of the site."""
    body = re.sub(r'(href|src)="(?:\.\./)?notebooks/(?=pictures/|\w+\.ipynb")(?![^"]*" download)', r'\1="', body)
    body = re.sub(r'href="(\w+)\.ipynb"', r'href="\1.html"', body)
    return body.replace('href="WORKSHOP.md"', 'href="workshop.html"').replace('href="README.md"', 'href="index.html"')


def code_colours() -> str:
    """Of the code, in light and in dark."""
    light, dark = (HtmlFormatter(style=name).get_style_defs(".highlight") for name in ("default", "github-dark"))
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
