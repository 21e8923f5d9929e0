"""Each lesson is a talk: it opens from disk with no network, goes on by the arrow keys, and can be read."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from notebooks import slides
from notebooks.sheets import is_folded, is_solution, source
from tests.browser import npm_package

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SIZE = {"width": 1280, "height": 720}
TYPES = {"slide", "-", "fragment", "notes", "skip"}
LESSONS = [path for path in NOTEBOOKS if path.name[:2].isdigit()]
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:12])
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem[:2])


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def slide_type(cell):
    return cell["metadata"].get("slideshow", {}).get("slide_type")


def on_slides(path):
    return [cell for cell in cells_of(path) if slide_type(cell) in ("slide", "-", "fragment")]


# What is on them


@every_notebook
def test_every_cell_says_what_it_is_in_the_talk(path):
    assert [cell["id"] for cell in cells_of(path) if slide_type(cell) not in TYPES] == []
    assert slide_type(cells_of(path)[0]) == "slide"


@every_lesson
def test_a_talk_has_the_parts_of_its_lesson_in_order(path):
    shown = on_slides(path)
    headings = [
        line.removeprefix("## ").partition(":")[0]
        for cell in shown
        if cell["cell_type"] == "markdown"
        for line in source(cell).splitlines()
        if line.startswith("## ")
    ]
    parts = ["The incident", "The system", "Predict", "Side by side", "The price", "Your turn"]
    order = {part: headings.index(part) for part in parts}
    assert order["The incident"] < order["The system"] < order["Predict"] < order["Side by side"]
    assert headings[-1] in ("In the code review", "In the incident review")
    assert 12 <= sum(slide_type(cell) == "slide" for cell in shown) <= 20
    asked = [cell for cell in shown if "predict(" in source(cell) and cell["cell_type"] == "code"]
    assert asked


@every_notebook
def test_no_solution_is_on_a_slide_and_every_solution_is_in_the_notes(path):
    answers = [cell for cell in cells_of(path) if is_solution(cell) or is_folded(cell)]
    assert {slide_type(cell) for cell in answers} <= {"notes", "skip"}
    assert all(slide_type(cell) == "notes" for cell in answers if not is_folded(cell))
    talk = slides.talk(nbformat.read(path, as_version=4))
    seen = "\n".join(cell.source for cell in talk.cells if slides.kind(cell) != "notes")
    assert "<summary>" not in seen


def test_prose_goes_to_the_notes_and_headings_lists_and_pictures_stay():
    text = "## The price\n\nIt costs this.\n\n- a\n- b\n\n![strip](pictures/strip_00.png)\n\n**Further.** And that."
    assert slides.halves(text) == (
        "## The price\n\n- a\n- b\n\n![strip](pictures/strip_00.png)",
        "It costs this.\n\n**Further.** And that.",
    )


def test_code_in_a_text_stays_whole():
    text = "Look:\n\n```python\na = 1\n\nb = 2\n```\n\nThat is it."
    assert slides.halves(text) == ("```python\na = 1\n\nb = 2\n```", "Look:\n\nThat is it.")


def test_a_prediction_is_a_question_to_the_room():
    asked = slides.question('p = predict("Does `f` hold?", "yes", "no <b>")\np')
    assert asked == (
        '<p><b>Does <code>f</code> hold?</b></p><ol class="answers"><li>yes</li><li>no &lt;b&gt;</li></ol>'
    )
    with pytest.raises(ValueError, match="no prediction"):
        slides.question("crash_slider(shop, charge)")


def test_without_npm_it_is_said_what_to_install(tmp_path):
    script = "import sys; sys.path.insert(0, sys.argv[1]); import npm, slides, pathlib\n"
    script += "npm.fetch.__defaults__ = (pathlib.Path('nowhere'),)\nsys.exit(slides.main('talks'))"
    ran = subprocess.run(
        [sys.executable, "-c", script, str(FOLDER)],
        cwd=tmp_path, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 1 and ran.stderr == ""
    assert ran.stdout.count("\n") == 1 and "Do this: install Node.js" in ran.stdout


# In a browser


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    """All of them, as `make slides` makes them."""
    npm_package("reveal.js", slides.REVEAL)
    folder = tmp_path_factory.mktemp("talks")
    subprocess.run([sys.executable, str(FOLDER / "slides.py"), str(folder)], check=True)
    return folder


@pytest.fixture
def opened(browser, talks):
    """Open a talk from disk with the network cut; what it asks for beyond its folder, and every complaint, fails."""
    contexts, wrong = [], []

    def let(route):
        if route.request.url.startswith(talks.as_uri()):
            return route.continue_()
        wrong.append(route.request.url)
        return route.abort()

    def open_(path):
        context = browser.new_context(viewport=SIZE)
        contexts.append(context)
        context.set_offline(True)
        context.route("**/*", let)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(request.url))
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.goto((talks / f"{path.stem}.html").as_uri())
        page.wait_for_function("() => window.Reveal && Reveal.isReady()")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


SEEN = """() => {
    const slide = Reveal.getCurrentSlide(), stage = slide.getBoundingClientRect();
    const visible = element => {
        const box = element.getBoundingClientRect(), style = getComputedStyle(element);
        return box.width > 0 && box.height > 0 && style.visibility !== 'hidden' && !element.closest('aside.notes');
    };
    const all = what => Array.from(slide.querySelectorAll(what)).filter(visible);
    const outside = all('h1, h2, p, li, pre, img, .mfp').filter(element => {
        const box = element.getBoundingClientRect();
        return box.right > stage.right + 1 || box.bottom > stage.bottom + 1 || box.left < stage.left - 1;
    });
    const size = element => parseFloat(getComputedStyle(element).fontSize);
    return {
        number: Reveal.getSlidePastCount(), last: Reveal.isLastSlide(), more: Reveal.availableFragments().next,
        heading: slide.querySelector('h1, h2')?.textContent ?? '', title: !!slide.querySelector('h1'),
        overflow: [slide.scrollWidth - stage.width, slide.scrollHeight - stage.height],
        outside: outside.map(element => element.outerHTML.slice(0, 80)),
        code: Math.min(99, ...all('pre').filter(pre => !pre.closest('.mfp')).map(size)),
        text: Math.min(99, ...all('p, li').filter(part => !part.closest('.mfp')).map(size)),
        images: all('img').map(image => [image.naturalWidth, image.getBoundingClientRect().height, image.alt]),
        things: all('p, li, pre, img, .mfp').length,
    };
}"""


def gone_through(page):
    """Every slide, by the arrow key, as it stands when all of it has come."""
    seen = []
    while True:
        now = page.evaluate(SEEN)
        if not now["more"]:
            seen.append(now)
            if now["last"]:
                return seen
        page.keyboard.press("ArrowRight")
        assert len(seen) < 60


@every_notebook
def test_the_arrow_keys_go_through_every_slide_and_each_fits_the_screen_and_can_be_read(opened, path):
    seen = gone_through(opened(path))
    slides_in_lesson = sum(slide_type(cell) == "slide" for cell in cells_of(path))
    assert [slide["number"] for slide in seen] == list(range(slides_in_lesson))
    for slide in seen:
        where = f"slide {slide['number'] + 1}, {slide['heading']}"
        assert slide["overflow"] == [0, 0] and slide["outside"] == [], where
        assert slide["code"] >= 20 and slide["text"] >= 22, where
        assert slide["title"] or slide["things"] >= 1, f"{where}: nothing but a heading"
        assert all(width > 0 and height >= 50 for width, height, _ in slide["images"]), where
        assert all(len(said) > 10 and not said.startswith("No description") for *_, said in slide["images"]), where


@functools.cache
def first_with_a_player(path):
    cells = on_slides(path)
    (place,) = [number for number, cell in enumerate(cells) if source(cell).startswith("player(")]
    return sum(slide_type(cell) == "slide" for cell in cells[: place + 1]) - 1


def test_the_player_works_on_its_slide_and_its_keys_turn_no_slide(opened):
    path = LESSONS[0]
    page = opened(path)
    for _ in range(60):
        if page.evaluate(SEEN)["number"] == first_with_a_player(path):
            break
        page.keyboard.press("ArrowRight")
    here = page.evaluate(SEEN)["number"]
    player = page.locator("section.present .mfp").first

    def moment():
        return int(player.get_attribute("data-moment"))

    player.focus()
    page.keyboard.press("Home")
    for at in range(4):
        assert moment() == at
        page.keyboard.press("ArrowRight")
    for key in ("Home", "ArrowRight", "c"):
        page.keyboard.press(key)
    assert page.locator("section.present .mfp-note").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press(" ")
    page.keyboard.press(" ")
    assert page.evaluate(SEEN)["number"] == here
    page.keyboard.press("End")
    block = page.locator("section.present .mfp-svg").first.get_by_text("charge", exact=True).first
    block.click()  # enlarged, and still the block that is clicked
    assert moment() == 2
    page.keyboard.press("PageDown")  # what a presenter's remote sends
    assert page.evaluate(SEEN)["number"] == here + 1


def test_the_notes_say_what_to_say_and_the_solution(opened):
    page = opened(LESSONS[2])
    notes = page.locator("aside.notes").all_text_contents()
    assert any("Follow the lock's lane" in note for note in notes)
    assert any("keeps others from waking us up" in note for note in notes)
    assert page.locator("aside.notes").first.is_hidden()


def test_s_opens_the_presenter_s_window_beside_the_slides(opened):
    page = opened(LESSONS[2])
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes = popup.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("Set the key if it is not there").wait_for()
