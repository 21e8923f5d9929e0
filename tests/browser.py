"""A real Chromium, and what it shows of a player."""

import os
import shutil
from contextlib import contextmanager

import pytest

from notebooks.npm import NotFetched, fetch

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python: pip install playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None and not os.environ.get("CI"):  # in CI its absence is an error
    pytest.skip("needs a Chromium on the PATH; none is downloaded", allow_module_level=True)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # whatever is there of a network, it is cut off


@contextmanager
def chromium():
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield running
        finally:
            running.close()


def seen(page, root=".mfp >> nth=0"):
    """What the page shows of each implementation: the lit lines with who is there, and the tables."""
    return page.locator(root).evaluate(
        """root => Array.from(root.querySelectorAll('.mfp-side')).map(side => ({
            lit: Array.from(side.querySelectorAll('.mfp-now'), line => [
                line.querySelector('.mfp-who').textContent, parseInt(line.querySelector('.mfp-number').textContent)]),
            dark: side.querySelectorAll('.mfp-dark').length,
            said: side.querySelector('.mfp-said').textContent,
            tables: Array.from(side.querySelectorAll('tbody'), body => Array.from(body.rows, row => [
                row.cells[1].textContent, row.cells[2].textContent, row.className.replace('mfp-', '')])),
        }))"""
    )


def expected(story, at):
    """The same, of the traces."""
    shown = []
    for run in story.runs:
        now = min(at, len(run.trace.events) + 1)
        event = run.trace.events[now - 1] if 0 < now <= len(run.trace.events) else None
        worlds = [run.trace.initial, *run.trace.worlds()]
        moment = run.moments[now]
        tables = [[[*row] for row in rows] for rows in moment.tables]
        assert len(worlds[min(now, len(worlds) - 1)]) == len(tables)
        shown.append({
            "lit": [[event.worker, event.line]] if event and event.op else [],
            "dark": int(event is not None and event.kind == "crash"),
            "said": moment.said,
            "tables": tables,
        })  # fmt: skip
    return shown


def moment(page):
    return int(page.locator(".mfp").first.get_attribute("data-moment"))


def press(page, *keys):
    """Press keys on the player, which is given the focus for each: JupyterLab takes it away when a cell has run."""
    for key in keys:
        page.locator(".mfp").first.press(key)


def npm_package(name, version):
    """The folder of a package of npm; where it cannot be had the test is skipped, and in CI it fails."""
    try:
        return fetch(name, version)
    except NotFetched as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error}")


AXE = "4.10.3"
FIND = """async where => {
    const there = where.filter(part => document.querySelector(part));
    if (!there.length) return [];
    const found = await axe.run({ include: there.map(part => [part]) }, { resultTypes: ['violations'] });
    return found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(one =>
        [one.id, one.nodes.length, one.nodes[0].html.slice(0, 200), one.nodes[0].failureSummary.slice(0, 300)]);
}"""


def findings(page, *where):
    """What axe-core, which the page has to have by now, finds serious or critical in these parts of it."""
    return page.evaluate(FIND, where)
