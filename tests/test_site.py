"""The site as its readers have it: a folder behind a plain web server, in a real Chromium, and no other network."""

import functools
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL

from simlib.course.progress_map import NO_LESSONS
from simlib.live import INSTEAD, NO_PROCESSES
from tests.browser import AXE, expected, moment, npm_package, press, seen
from tests.lessons import FOLDER, definitions

NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
PAGES = ["index", "workshop", *(name.removesuffix(".ipynb") for name in NOTEBOOKS)]
SLOW = 400_000  # milliseconds; a browser's Python is slow, and the machine may be busy
NOT_FOR_REAL = f"{NO_PROCESSES['emscripten']} {INSTEAD}\n"
# Python 3.14 compiles the condition of a `while` once where the others do it twice: one place in the code fewer.
PLACES = re.compile(r"\d[\d,]* states|\d[\d,]* schedules")

if shutil.which("npm") is None and not os.environ.get("CI"):  # in CI its absence is an error
    pytest.skip("needs npm, which has Python for the browser", allow_module_level=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built anew by its own command; what it is made of may be there from the last time."""
    folder = tmp_path_factory.mktemp("host") / "course"  # not at the root of its host
    command = [sys.executable, str(FOLDER / "pages.py"), str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True)
    if "JupyterLite is left out" in ran.stderr and not os.environ.get("CI"):
        pytest.skip(f"needs what it is made of once: {ran.stderr}")
    assert ran.stdout.endswith("lessons to read, and to run in the browser\n"), ran.stderr
    return folder


class Host(SimpleHTTPRequestHandler):
    """Any static host; but for this test JupyterLite's application is a variable of the page, by its own option."""

    def log_message(self, *_):
        pass

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if path.parts[-2:] != ("lab", "jupyter-lite.json") or path.parent.parent.name == "lab":
            return super().send_head()
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings["jupyter-config-data"] |= {"exposeAppInBrowser": True}
        self.send_response(200)
        self.end_headers()
        return io.BytesIO(json.dumps(settings).encode())


@pytest.fixture(scope="module")
def address(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=site.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/{site.name}"
    server.shutdown()
    server.server_close()


@contextmanager
def visitor(browser, address, beyond=(), **how):
    """A page in a browser that reaches only this machine. Asking for anything else, but `beyond`, fails the test."""
    context = browser.new_context(service_workers="block", **how)  # JupyterLite can do without
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    yield context.new_page()
    context.close()
    assert [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:", *beyond))] == []
    assert len(asked) > 1


# To read


class Parts(HTMLParser):
    """What a page refers to and what can be referred to, and its pictures."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.ids, self.pictures = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        self.loads += [attributes[name] for name in ("src", "href") if name in attributes and tag != "a"]
        if tag == "img" or (tag == "svg" and attributes.get("aria-hidden") != "true"):
            self.pictures.append(attributes.get("alt" if tag == "img" else "aria-label"))


@pytest.fixture(scope="module")
def pages(site):
    return {path.name: Parts(path.read_text(encoding="utf-8")) for path in sorted(site.glob("*.html"))}


def test_there_is_a_page_for_each_notebook_and_one_for_instructors(pages):
    assert sorted(pages) == sorted(f"{name}.html" for name in PAGES)


def test_every_link_leads_somewhere(site, pages):
    broken = []
    for name, parts in pages.items():
        for link in (*parts.links, *parts.loads):
            there = urlsplit(link)
            if there.scheme in ("https", "data"):
                continue
            target = site / unquote(there.path) if there.path else site / name
            asked = parse_qs(there.query).get("path", [])
            known = pages[target.name].ids if target.name in pages and there.fragment else {there.fragment}
            there_it_is = target.is_file() and unquote(there.fragment) in {unquote(one or "") for one in known}
            if not there_it_is or not all((site / "lab" / "files" / one).is_file() for one in asked):
                broken.append(f"{name}: {link}")
    assert broken == []
    assert sum(len(parts.links) for parts in pages.values()) > 100


def test_no_page_loads_anything_from_elsewhere(pages):
    loads = {load for parts in pages.values() for load in parts.loads}
    assert {load for load in loads if urlsplit(load).scheme not in ("", "data")} == set()


def test_the_index_leads_to_every_lesson_to_read_and_to_run(pages):
    for name in NOTEBOOKS:
        assert name.replace(".ipynb", ".html") in pages["index.html"].links
    runs = [link for link in pages["index.html"].links if link.startswith("lab/")]
    assert runs == [f"lab/lab/index.html?path={name}" for name in NOTEBOOKS if name[0].isdigit()]


def test_every_picture_has_an_alternative_text(pages):
    pictures = [(name, alt) for name, parts in pages.items() for alt in parts.pictures]
    assert [name for name, alt in pictures if not alt] == []
    assert len(pictures) > 100


def test_no_page_asks_anybody_but_its_own_host_for_anything_and_none_complains(browser, address):
    complaints = []
    with visitor(browser, address) as page:
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for name in PAGES:
            page.goto(f"{address}/{name}.html", wait_until="load")
    assert complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_player_on_a_page_shows_the_engine_s_run_moment_by_moment(browser, address, theme):
    names = definitions("00")
    report = names["shop"].explore(names["charge"], crashes=1)
    story = names["player"](names["shop"], names["charge"], names["charge_once"], failure=report).stories[0]
    with visitor(browser, address, color_scheme=theme) as page:
        page.goto(f"{address}/00_start_here.html")
        press(page, "Home")
        for at in range(story.length + 1):
            assert seen(page) == expected(story, at)
            press(page, "ArrowRight")
        ink, paper = page.locator(".mfp").first.evaluate(
            "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert (brightness(ink) > brightness(paper)) == (theme == "dark")


def brightness(colour):
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3]))


def test_every_player_of_the_course_moves(browser, address):
    moved = 0
    with visitor(browser, address) as page:
        for name in PAGES:
            page.goto(f"{address}/{name}.html")
            if page.locator(".mfp").count():
                press(page, "Home", "ArrowRight")
                assert moment(page) == 1, name
                moved += 1
    assert moved >= 10


def test_a_slider_moves_and_a_prediction_can_be_ticked(browser, address):
    with visitor(browser, address) as page:
        page.goto(f"{address}/00_start_here.html")
        title = page.locator("[data-slider] svg text").first
        assert title.text_content() == "charge: nothing goes wrong"
        page.get_by_role("slider", name="crash").press("ArrowRight")
        assert title.text_content() == "charge: with 1 crash, it holds"
        page.get_by_label("charge or write", exact=True).check()
        assert page.locator(".widget input:checked").count() == 1


@pytest.fixture(scope="module")
def axe():
    return (npm_package("axe-core", AXE) / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "00_start_here", "12_which_boundary", "workshop"])
def test_axe_finds_nothing_serious(browser, address, axe, name, theme):
    with visitor(browser, address, color_scheme=theme) as page:
        page.goto(f"{address}/{name}.html")
        page.evaluate(axe)
        found = page.evaluate("() => axe.run()")["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in grave] == []


def test_all_of_a_lesson_can_be_reached_by_keyboard(browser, address):
    with visitor(browser, address) as page:
        page.goto(f"{address}/00_start_here.html")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the text"
        reached = set()
        for _ in range(400):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        assert {"run", "mfp", "SUMMARY", "INPUT"} <= reached


# To run


READY = """async () => {
    const session = jupyterapp.shell.currentWidget.sessionContext;
    await session.ready;
    await session.session.kernel.info;
}"""
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
CELLS = "() => jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"


def open_in_lab(page, address, name):
    """JupyterLite with this notebook, and a kernel that has told of itself."""
    page.set_default_timeout(SLOW)
    page.goto(f"{address}/lab/lab/index.html?path={name}")
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady")
    page.evaluate(READY)


def run_all(page, address, name):
    """The notebook's code cells after the application's own command for all of them."""
    open_in_lab(page, address, name)
    page.evaluate(RUN_ALL)
    return {cell["id"]: cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"}


def said(cell):
    """What a cell shows, in text, and without the counts in which the Python versions differ."""
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell["outputs"]]
    text = "".join("".join(one) for one in shown)
    return PLACES.sub("...", text)


def is_picture(output):
    """Whether it is one in pixels, as saved, or one as SVG, as in the browser's Python."""
    data = output.get("data", {})
    return "image/png" in data or "".join(data.get("text/html", "")).startswith("<svg")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_lesson_runs_in_the_browser_and_says_what_it_said_when_it_was_saved(browser, address, name):
    saved = {cell["id"]: cell for cell in json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]}
    with visitor(browser, address, viewport={"width": 1400, "height": 1000}) as page:
        cells = run_all(page, address, name)
    outputs = [output for cell in cells.values() for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    assert [key for key, cell in cells.items() if cell["execution_count"] is None] == []
    for key, cell in cells.items():
        real = key.startswith("real-code")
        instead = {"progress-code": NO_LESSONS}  # only with a service worker does the kernel see the files beside it
        assert said(cell) == (NOT_FOR_REAL if real else instead.get(key, said(saved[key]))), key
        if not real:
            assert [is_picture(output) for output in cell["outputs"]] == [*map(is_picture, saved[key]["outputs"])], key


def test_only_a_cell_that_imports_matplotlib_asks_the_network_for_it(browser, address):
    asked = []
    with visitor(browser, address, beyond=[PYODIDE_CDN_URL]) as page:
        page.context.on("request", lambda request: asked.append(request.url))
        open_in_lab(page, address, "your_own_code.ipynb")
        run = "code => jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code}).done"
        page.evaluate(run, "import simlib.views.picture")
        before = [url for url in asked if url.startswith(PYODIDE_CDN_URL)]
        answer = page.evaluate(run, "import matplotlib")["content"]
    fetched = {url.rpartition("/")[2].partition("-")[0] for url in asked if url.startswith(PYODIDE_CDN_URL)}
    assert before == [] and {"matplotlib", "numpy"} <= fetched
    assert "No module named 'matplotlib'" in answer["evalue"]  # there is no network here


# Again, and without what it is made of


@pytest.fixture
def scripts(monkeypatch):
    """The two that build it, as they find each other."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("pages"), importlib.import_module("lite")


def test_what_is_built_over_an_earlier_build_loads_its_own_python_too(scripts, tmp_path, monkeypatch):
    _, lite = scripts
    monkeypatch.setattr(lite, "PARTS", tmp_path)

    def lay_out(folder):
        folder.mkdir(parents=True)
        (folder / "pyodide.mjs").touch()
        return ["simpy"]

    monkeypatch.setattr(lite, "lay_out_pyodide", lay_out)
    (tmp_path / "lessons").mkdir()
    for _ in range(2):
        lite.build(tmp_path / "lab", tmp_path / "lessons")
        config = json.loads((tmp_path / "lab" / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
        kernel = config["litePluginSettings"][lite.PLUGIN]
        assert kernel["loadPyodideOptions"] == {"packages": ["simpy"]}
        assert kernel["pyodideUrl"].startswith("./static/pyodide/pyodide.mjs")


def test_where_there_is_no_npm_the_build_says_what_to_install(scripts, tmp_path, monkeypatch):
    _, lite = scripts
    npm = importlib.import_module("npm")
    monkeypatch.setattr(lite, "PARTS", tmp_path)
    monkeypatch.setattr(npm.fetch, "__defaults__", (tmp_path,))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(lite.Missing, match=r"JupyterLite is left out.* install Node\.js, which brings npm"):
        lite.build(tmp_path / "lab", tmp_path)


def test_without_jupyterlite_the_lessons_are_there_and_nothing_leads_to_it(scripts, tmp_path, monkeypatch, capsys):
    pages, lite = scripts

    def missing(*_):
        raise lite.Missing("There is no npm.")

    monkeypatch.setattr(lite, "build", missing)
    pages.main(str(tmp_path))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html")}
    assert sorted(texts) == sorted(PAGES)
    assert [name for name, text in texts.items() if 'href="lab/' in text] == []
    assert capsys.readouterr() == (
        f"{Path(tmp_path).resolve()}: {len(NOTEBOOKS)} lessons to read\n",
        "There is no npm.\n",
    )
