"""Every lesson where it is read: in JupyterLab with a live kernel, light and dark; lesson 00 as an exported page."""

import collections
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.browser import AXE, expected, findings, moment, npm_package, press, seen
from tests.lessons import FOLDER, definitions

LESSON = "00_start_here.ipynb"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
SETTINGS = {
    # All cells in the page at once: JupyterLab takes those out of it that are scrolled away.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false"},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}
MINUTE = 60_000
# Before the kernel has told of itself, "run all" runs one cell and says nothing.
RUN_ALL = """async () => {
    const session = jupyterapp.shell.currentWidget.sessionContext;
    await session.ready;
    await session.session.kernel.info;
    await jupyterapp.commands.execute('notebook:run-all-cells');
}"""
COUNTS = """() => jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model)
    .filter(model => model.type === 'code').map(model => model.executionCount)"""
END = """async () => {
    const lesson = jupyterapp.shell.currentWidget;
    await lesson.sessionContext.shutdown();
    lesson.dispose(); // without the question whether to save it
}"""
THEME = """async theme => {
    await jupyterapp.commands.execute('apputils:change-theme', { theme });
    while (document.body.dataset.jpThemeName !== theme) await new Promise(requestAnimationFrame);
}"""
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
TITLES = (
    "charge: nothing goes wrong",
    "charge: with 1 crash, it holds",
    "charge: breaks “charged at most once” with 1 crash",
    "charge: breaks “charged at most once” with 1 crash",
    "charge: nothing goes wrong",
)
SLIDER = "[data-slider]"


@pytest.fixture(scope="module")
def story():
    """What lesson 00's player has to show: the engine's own runs of the lesson's code."""
    names = definitions("00")
    report = names["shop"].explore(names["charge"], crashes=1)
    return names["player"](names["shop"], names["charge"], names["charge_once"], failure=report).stories[0]


# With a kernel


@contextmanager
def jupyterlab(folder):
    """A JupyterLab of its own with all lessons, and nothing of this machine's settings; gives its address."""
    for plugin, values in SETTINGS.items():
        path = folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    for name in NAMES:
        shutil.copy(FOLDER / name, folder / name)
    shutil.copytree(FOLDER / "pictures", folder / "pictures")
    places = {
        name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    environment = {**os.environ, **places, "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "TQDM_DISABLE": "1"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    options = ["--IdentityProvider.token=secret", "--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True"]
    how = {"cwd": folder, "env": environment, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, *options], **how) as server:
        said = list(itertools.takewhile(lambda line: "is running at" not in line, server.stderr))
        assert server.poll() is None, "".join(said)
        # Read to its end: a full pipe would stop the server.
        reader = threading.Thread(target=collections.deque, args=(server.stderr, 0), daemon=True)
        reader.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()  # with its kernels
            reader.join(timeout=60)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with jupyterlab(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture(scope="module")
def window(browser, server):
    """One JupyterLab for all lessons: to load it takes longer than to open the next one in it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(MINUTE)
    page.goto(f"{server}/lab?token=secret&reset", timeout=2 * MINUTE)
    page.wait_for_function("() => window.jupyterapp?.restored", timeout=2 * MINUTE)
    page.evaluate("() => jupyterapp.restored")
    yield page
    page.close()


@pytest.fixture(scope="module", params=NAMES, ids=lambda name: name[:12])
def lab(request, window):
    """A lesson in JupyterLab, with every cell run."""
    window.evaluate("async path => { await jupyterapp.commands.execute('docmanager:open', { path }); }", request.param)
    window.wait_for_function("() => window.jupyterapp.shell.currentWidget?.context?.isReady")
    window.evaluate(THEME, LIGHT)
    window.evaluate(RUN_ALL)
    yield window
    window.evaluate(END)


only_00 = pytest.mark.parametrize("lab", [LESSON], indirect=True)


def test_every_cell_runs_without_an_error(lab):
    assert lab.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert lab.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
    counts = lab.evaluate(COUNTS)
    assert counts == list(range(1, len(counts) + 1))
    assert lab.locator(".jp-RenderedImage img").count() >= 2


def test_each_slider_shows_something_else_when_it_is_moved_and_the_same_when_it_is_moved_back(lab):
    for slider in lab.locator(SLIDER).all():
        handle, shown = slider.get_by_role("slider"), slider.locator("> div")
        first = shown.inner_html()
        handle.press("ArrowRight")
        assert shown.inner_html() != first
        handle.press("ArrowLeft")
        assert shown.inner_html() == first
        handle.press("End")
        assert handle.get_attribute("aria-valuetext") == slider.locator("output").text_content() != ""


def test_each_player_goes_through_its_moments(lab):
    for number in range(lab.locator(".mfp").count()):
        player = lab.locator(".mfp").nth(number)
        last = int(player.locator(".mfp-range").get_attribute("max"))
        shown = []
        player.press("Home")
        for at in range(last + 1):
            assert int(player.get_attribute("data-moment")) == at
            shown.append(json.dumps(seen(lab, f".mfp >> nth={number}")))
            player.press("ArrowRight")
        assert all(one != two for one, two in itertools.pairwise(shown))


def test_light_and_dark_what_is_shown_can_be_read_and_named(lab):
    """axe-core's serious and critical findings, in what the cells show: contrast, names, roles, keyboard."""
    lab.evaluate((npm_package("axe-core", AXE) / "axe.min.js").read_text(encoding="utf-8"))
    for theme in (LIGHT, DARK):
        lab.evaluate(THEME, theme)
        assert findings(lab, ".mfp", SLIDER, ".jp-RenderedHTML", ".jupyter-widgets.widget-vbox") == [], theme
        ink, paper = lab.locator(".jp-Notebook").evaluate(BRIGHTNESS)
        assert (ink < paper) == (theme == LIGHT)
        for player in lab.locator(".mfp").all():
            ink, paper = player.evaluate(BRIGHTNESS)
            assert (ink < paper) == (theme == LIGHT)
    lab.evaluate(THEME, LIGHT)


BRIGHTNESS = """element => {
    const opaque = element => {
        const colour = getComputedStyle(element).backgroundColor;
        return /, 0\\)$/.test(colour) && element.parentElement ? opaque(element.parentElement) : colour;
    };
    const sum = colour => colour.match(/[0-9.]+/g).slice(0, 3).map(Number).reduce((one, two) => one + two);
    return [sum(getComputedStyle(element).color), sum(opaque(element))];
}"""


@only_00
def test_the_player_in_jupyterlab_shows_the_engine_s_run_moment_by_moment(lab, story):
    press(lab, "Home")
    for at in range(story.length + 1):
        assert moment(lab) == at
        assert seen(lab) == expected(story, at)
        press(lab, "ArrowRight")
    scrubber = lab.locator(".mfp-range").first
    scrubber.fill("3")
    assert seen(lab) == expected(story, 3)


@only_00
def test_the_player_plays_in_jupyterlab_to_the_end(lab, story):
    press(lab, "End", "ArrowLeft", "ArrowLeft", "Space")
    lab.wait_for_function(f"() => +document.querySelector('.mfp').dataset.moment === {story.length}", timeout=MINUTE)
    assert seen(lab) == expected(story, story.length)


@only_00
def test_the_player_s_keys_do_not_move_the_notebook(lab):
    before = lab.locator(".jp-mod-selected.jp-Cell").first.get_attribute("class")
    press(lab, "Home", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert moment(lab) == 1
    assert lab.locator(".jp-mod-selected.jp-Cell").first.get_attribute("class") == before


@only_00
def test_each_move_of_the_crash_slider_shows_its_run(lab):
    shown, handle = lab.locator(f"{SLIDER} svg text").first, lab.locator(SLIDER).get_by_role("slider")
    handle.press("Home")
    for title in TITLES:
        assert shown.text_content() == title
        handle.press("ArrowRight")


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
