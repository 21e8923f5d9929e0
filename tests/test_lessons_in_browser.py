"""Lesson 00 where it is read: in JupyterLab with a live kernel, and as an exported page opened from disk."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.browser import chromium, expected, moment, press, seen, sync_api
from tests.lessons import FOLDER, definitions

LESSON = "00_start_here.ipynb"
# All cells in the page at once: JupyterLab takes those out of it that are scrolled away.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false"},
}
MINUTE = 60_000
# Before the kernel has told of itself, "run all" runs one cell and says nothing.
RUN_ALL = """async () => {
    const session = jupyterapp.shell.currentWidget.sessionContext;
    await session.ready;
    await session.session.kernel.info;
    await jupyterapp.commands.execute('notebook:run-all-cells');
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def story():
    """What the lesson's player has to show: the engine's own runs of the lesson's code."""
    names = definitions("00")
    report = names["shop"].explore(names["charge"], crashes=1)
    return names["player"](names["shop"], names["charge"], names["charge_once"], failure=report).stories[0]


# With a kernel


@contextmanager
def jupyterlab(folder, theme):
    """A JupyterLab of its own, with nothing of this machine's settings; gives its address."""
    settings = {**SETTINGS, "@jupyterlab/apputils-extension/themes": {"theme": theme}}
    for plugin, values in settings.items():
        path = folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    shutil.copy(FOLDER / LESSON, folder / LESSON)
    shutil.copytree(FOLDER / "pictures", folder / "pictures")
    places = {
        name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    environment = {**os.environ, **places, "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "TQDM_DISABLE": "1"}
    subprocess.run([sys.executable, "-m", "jupyter", "trust", LESSON], cwd=folder, env=environment, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    options = ["--IdentityProvider.token=secret", "--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True"]
    server = subprocess.Popen([*command, *options], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        next(line for line in server.stderr if f":{port}/lab" in line)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.communicate()


@pytest.fixture(scope="module", params=["JupyterLab Light", "JupyterLab Dark"])
def lab(request, browser, tmp_path_factory):
    """Lesson 00 in JupyterLab, with every cell run; (theme, page)."""
    folder = tmp_path_factory.mktemp("lab")
    with jupyterlab(folder, request.param) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"{address}/lab/tree/{LESSON}?token=secret")
        page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady", timeout=2 * MINUTE)
        page.set_default_timeout(MINUTE)
        page.evaluate(RUN_ALL)
        yield request.param, page
        page.close()


def test_every_cell_of_the_lesson_runs_in_jupyterlab_without_an_error(lab):
    _, page = lab
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator(".jp-RenderedImage img").count() >= 5


def test_the_player_in_jupyterlab_shows_the_engine_s_run_moment_by_moment(lab, story):
    _, page = lab
    press(page, "Home")
    for at in range(story.length + 1):
        assert moment(page) == at
        assert seen(page) == expected(story, at)
        press(page, "ArrowRight")
    scrubber = page.locator(".mfp-range").first
    scrubber.fill("3")
    assert seen(page) == expected(story, 3)


def test_the_player_plays_in_jupyterlab_to_the_end(lab, story):
    _, page = lab
    press(page, "End", "ArrowLeft", "ArrowLeft", "Space")
    page.wait_for_function(f"() => +document.querySelector('.mfp').dataset.moment === {story.length}", timeout=MINUTE)
    assert seen(page) == expected(story, story.length)


def test_the_player_s_keys_do_not_move_the_notebook(lab):
    _, page = lab
    before = page.locator(".jp-mod-selected.jp-Cell").first.get_attribute("class")
    press(page, "Home", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert moment(page) == 1
    assert page.locator(".jp-mod-selected.jp-Cell").first.get_attribute("class") == before


def test_each_move_of_the_crash_slider_shows_its_run(lab):
    _, page = lab
    shown = page.locator(".widget-html-content svg text").first
    for title in (
        "charge: nothing goes wrong",
        "charge: with 1 crash, it holds",
        "charge: breaks “charged at most once” with 1 crash",
        "charge: breaks “charged at most once” with 1 crash",
        "charge: nothing goes wrong",
    ):
        sync_api.expect(shown).to_have_text(title, timeout=MINUTE)
        page.locator(".noUi-handle").first.press("ArrowRight")


def test_the_player_has_the_ink_and_the_paper_of_the_theme(lab):
    theme, page = lab
    ink = page.locator(".mfp").first.evaluate(
        "e => getComputedStyle(e).color.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    assert (sum(ink) < 384) == (theme == "JupyterLab Light")


# Without one


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The saved lesson as nbconvert exports it. Its template asks a CDN for scripts; nothing here may need them."""
    lesson = nbformat.read(FOLDER / LESSON, as_version=4)
    html, _ = HTMLExporter().from_notebook_node(lesson)
    path = tmp_path_factory.mktemp("exported") / "lesson.html"
    path.write_text(html, encoding="utf-8")
    return path


def page_of(browser, path, **how):
    context = browser.new_context(**how)
    context.route(re.compile("^(?!file:)"), lambda route: route.abort())
    context.set_offline(True)
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="load")
    return page


def test_the_player_works_in_an_exported_page_with_no_network(browser, exported, story):
    page = page_of(browser, exported)
    press(page, "Home")
    for at in range(story.length + 1):
        assert seen(page) == expected(story, at)
        page.keyboard.press("ArrowRight")
    page.context.close()


def test_an_exported_page_whose_scripts_are_stripped_has_every_picture_and_the_player_s_finding(browser, exported):
    page = page_of(browser, exported, java_script_enabled=False)
    assert page.locator(".mfp-title").first.is_visible()
    assert page.locator(".mfp-marks rect").first.is_visible()
    widths = page.locator("img").evaluate_all(
        "all => all.filter(one => one.src.startsWith('data:')).map(one => one.naturalWidth)"
    )
    assert len(widths) >= 5 and min(widths) > 100
    page.context.close()


def test_what_a_stripping_renderer_keeps_of_each_picture_is_a_png_and_its_text():
    cells = json.loads((FOLDER / LESSON).read_text(encoding="utf-8"))["cells"]
    outputs = {cell["id"]: output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output}
    pictures = [name for name, data in outputs.items() if "image/png" in data]
    assert len(pictures) >= 5
    assert all("text/plain" in data for data in outputs.values())
