"""What a lesson shows can be seen, heard and operated: axe-core finds nothing serious, keys reach everything, and every
picture has a text."""

import json
import re
from pathlib import Path

import pytest

from tests.browser import AXE, findings, moment, npm_package

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PAGE = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{}</title><body class="mfp-page"><main>{}</main>'
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:12])


def outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["id"], output) for cell in cells for output in cell.get("outputs", []) if "data" in output]


def blocks(path, sign):
    """The saved players, or sliders, of a lesson."""
    html = ["".join(output["data"].get("text/html", "")) for _, output in outputs(path)]
    return [block for block in html if sign in block]


@pytest.fixture(scope="module")
def axe():
    return (npm_package("axe-core", AXE) / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def opened(browser, tmp_path):
    contexts = []

    def open_(block, **how):
        # Half-way through a change of colours no contrast means anything.
        context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", **how)
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        path = tmp_path / "page.html"
        path.write_text(PAGE.format("exported", block), encoding="utf-8")
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


# axe-core


# What can look different from one moment to the next: axe-core takes a second, and most moments look alike.
LOOKS = """() => Array.from(document.querySelectorAll('.mfp [class*=mfp-]'), element => element.className)
    .filter((name, place, all) => all.indexOf(name) === place).sort().join(' ')"""


@every_notebook
def test_at_no_moment_has_a_player_a_serious_finding(opened, axe, path):
    for block in blocks(path, 'class="mfp"'):
        page, looks = opened(block), set()
        page.evaluate(axe)
        for at in [*range(int(page.locator(".mfp-range").get_attribute("max")) + 1), None]:
            if at is None:
                page.locator(".mfp-range").fill("1")
                page.locator(".mfp").press("c")
            else:
                page.locator(".mfp-range").fill(str(at))
            look = page.evaluate(LOOKS)
            if look not in looks:
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    assert findings(page, ".mfp") == [], f"moment {at}, {scheme}"
            looks.add(look)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_no_position_has_a_slider_a_serious_finding(opened, axe, scheme):
    sliders = [block for path in NOTEBOOKS for block in blocks(path, "data-slider=")]
    assert len(sliders) >= 2
    for block in sliders:
        page = opened(block, color_scheme=scheme)
        page.evaluate(axe)
        for _ in range(12):
            assert findings(page, "[data-slider]") == []
            page.get_by_role("slider").press("ArrowRight")


def test_a_finding_is_found(opened, axe):
    page = opened('<div class="mfp"><button></button><img src="x"></div>')
    page.evaluate(axe)
    assert {name for name, *_ in findings(page, ".mfp")} == {"button-name", "image-alt"}


# Keys alone


FOCUSED = """() => {
    const element = document.activeElement, style = getComputedStyle(element);
    return [element.className || element.tagName, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0];
}"""


def test_every_control_of_the_player_is_reached_by_tab_with_a_focus_that_can_be_seen_and_left_again(opened):
    (path,) = FOLDER.glob("02_*.ipynb")
    (block,) = blocks(path, 'class="mfp"')
    page = opened(f"{block}<button class=behind>behind</button>")
    page.locator(".mfp-range").evaluate("range => { range.value = 1; range.dispatchEvent(new Event('input')); }")
    stops = []
    while not stops or stops[-1][0] != "behind":
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
        assert len(stops) < 20
    assert sorted(name for name, _ in stops) == sorted([
        "mfp", "mfp-range", "mfp-play", "mfp-less", "mfp-more", "mfp-fork", "mfp-scroll", "mfp-scroll", "behind",
    ])  # fmt: skip
    assert all(visible for _, visible in stops)


def test_each_control_of_the_player_does_by_keys_what_it_does_by_hand(opened):
    (path,) = FOLDER.glob("00_*.ipynb")
    (block,) = blocks(path, 'class="mfp"')
    page = opened(block)
    page.clock.install()
    page.locator(".mfp-range").focus()
    page.keyboard.press("Home")
    assert moment(page) == 0
    for control, key, then in (("more", "Enter", 1), ("more", " ", 2), ("less", "Enter", 1)):
        page.locator(f".mfp-{control}").focus()
        page.keyboard.press(key)
        assert moment(page) == then
    page.locator(".mfp-fork").focus()
    page.keyboard.press("Enter")
    assert page.locator(".mfp-note").is_visible()
    assert page.evaluate("() => document.activeElement.className") == "mfp"  # not lost with the button
    page.locator(".mfp-back").focus()
    page.keyboard.press("Enter")
    assert page.locator(".mfp-note").is_hidden() and moment(page) == 1
    page.locator(".mfp-play").focus()
    page.keyboard.press("Enter")
    page.clock.run_for(950)
    assert moment(page) == 2


# Pictures


@every_notebook
def test_every_saved_picture_has_an_alternative_text_that_says_what_is_found(path):
    for name, output in outputs(path):
        for kind in ("image/png", "image/jpeg", "image/svg+xml"):
            if kind in output["data"]:
                said = output["metadata"].get(kind, {}).get("alt", "")
                assert len(said) > 20, name
                assert not re.fullmatch(r"(?i)(figure|image|plot|picture).*", said), name


@every_notebook
def test_every_drawing_in_html_has_a_role_and_a_name_or_is_hidden(path):
    for name, output in outputs(path):
        html = "".join(output["data"].get("text/html", "")).partition("<script>")[0]
        for opening in re.findall(r"<svg\b[^>]*>", html):
            assert 'aria-hidden="true"' in opening or ('role="img"' in opening and "aria-label=" in opening), name
        assert all('alt="' in image for image in re.findall(r"<img\b[^>]*>", html)), name


@every_notebook
def test_every_picture_in_the_text_has_an_alternative_text(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert all(len(said) > 20 for said in re.findall(r"!\[(.*?)\]\(", text))
    assert "<img" not in text
