"""The player in a real browser, opened from disk with no network: keys, scrubber, play, and a crash at any moment."""

import pytest

from simlib.views.player import player
from tests.browser import expected, moment, press, seen
from tests.test_player import both, charge, shop

MOMENTS = range(9)


@pytest.fixture(scope="module")
def two():
    return both()


@pytest.fixture
def opened(browser, tmp_path):
    """Open HTML from disk, with nothing but files allowed; any error on the page fails the test."""
    contexts, wrong = [], []

    def let(route):
        if not route.request.url.startswith("file:"):
            wrong.append(route.request.url)
            return route.abort()
        return route.continue_()

    def open_(html, **how):
        context = browser.new_context(**how)
        contexts.append(context)
        context.set_offline(True)
        context.route("**/*", let)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        path = tmp_path / "player.html"
        path.write_text(html, encoding="utf-8")
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def test_it_opens_at_the_finding(opened, two):
    page = opened(two.html(standalone=True))
    assert moment(page) == 8
    assert seen(page) == expected(two.stories[0], 8)
    assert page.locator(".mfp-parted").text_content() == "they part here"


def test_the_arrow_keys_go_through_the_events_and_each_moment_is_that_of_the_trace(opened, two):
    page = opened(two.html(standalone=True))
    press(page, "Home")
    for at in MOMENTS:
        assert moment(page) == at
        assert seen(page) == expected(two.stories[0], at)
        page.keyboard.press("ArrowRight")
    assert moment(page) == 8  # and there it stays
    page.keyboard.press("ArrowLeft")
    assert seen(page) == expected(two.stories[0], 7)
    page.keyboard.press("End")
    assert moment(page) == 8


def test_the_scrubber_moves_by_keys_and_by_hand(opened, two):
    page = opened(two.html(standalone=True))
    scrubber = page.get_by_role("slider", name="moment")
    scrubber.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert moment(page) == 1 and scrubber.get_attribute("aria-valuetext") == "moment 1 of 8"
    scrubber.fill("5")
    assert seen(page) == expected(two.stories[0], 5)
    box = scrubber.bounding_box()
    page.mouse.click(box["x"] + 8 + (box["width"] - 16) * 3 / 8, box["y"] + box["height"] / 2)
    assert seen(page) == expected(two.stories[0], 3)


def test_a_click_on_a_block_goes_to_its_moment(opened, two):
    page = opened(two.html(standalone=True))
    page.locator(".mfp-svg").first.get_by_text("charge", exact=True).first.click()
    assert moment(page) == 2


def test_what_is_to_come_is_veiled_and_the_present_stands_out(opened, two):
    page = opened(two.html(standalone=True))
    press(page, "Home")
    edges = []
    for _ in MOMENTS:
        edges.append(page.locator(".mfp-veil").nth(1).evaluate("veil => +veil.getAttribute('width')"))
        page.keyboard.press("ArrowRight")
    assert edges == sorted(edges, reverse=True) and edges[-1] == 0
    press(page, "Home", "ArrowRight", "ArrowRight")
    band, block = (page.locator(what).first.bounding_box() for what in (".mfp-band", ".mfp-marks g:nth-child(2) rect"))
    assert band["x"] <= block["x"] and block["x"] + block["width"] <= band["x"] + band["width"]


def test_the_present_stays_in_view_when_the_window_becomes_narrow(opened, two):
    page = opened(two.html(standalone=True), viewport={"width": 1200, "height": 700})
    in_view = """() => Array.from(document.querySelectorAll('.mfp-scroll'), part => {
        const marks = Array.from(part.querySelectorAll('.mfp-marks g'), mark => mark.getBoundingClientRect().right);
        return part.scrollWidth > part.clientWidth && Math.max(...marks) <= part.getBoundingClientRect().right + 1;
    })"""
    assert page.evaluate(in_view) == [False, False]  # there is nothing to scroll
    page.set_viewport_size({"width": 480, "height": 700})
    page.wait_for_function(f"() => ({in_view})()[1]")  # the longer run, at its end


def test_space_plays_to_the_end_and_pauses(opened, two):
    page = opened(two.html(standalone=True))
    page.clock.install()
    press(page, "Home", "Space")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.clock.run_for(2 * 900 + 50)
    assert moment(page) == 2
    page.keyboard.press("Space")
    page.clock.run_for(5000)
    assert moment(page) == 2
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(20_000)
    assert moment(page) == 8
    assert page.get_by_role("button", name="Play").is_visible()
    assert seen(page) == expected(two.stories[0], 8)


def test_c_crashes_here_and_escape_goes_back(opened, two):
    page = opened(two.html(standalone=True))
    before = page.locator(".mfp-marks").first.inner_html()
    press(page, "Home", "ArrowRight", "c")
    story = two.stories[two.forks[1]]
    assert page.locator(".mfp-note").text_content() == "And if A crashes after its first inbox.receive:"
    for at in range(2, story.length + 1):
        assert moment(page) == at
        assert seen(page) == expected(story, at)
        page.keyboard.press("ArrowRight")
    assert page.locator(".mfp-title").first.text_content() == story.scene.panels[0].title
    page.keyboard.press("Escape")
    assert moment(page) == 1
    assert seen(page) == expected(two.stories[0], 1)
    assert page.locator(".mfp-note").is_hidden()
    assert page.locator(".mfp-marks").first.inner_html() == before


def test_every_crash_on_the_page_is_the_engine_s_run(opened):
    alone = player(shop(), charge)
    page = opened(alone.html(standalone=True))
    for steps in (1, 2, 3):
        press(page, "Escape", "Home", *["ArrowRight"] * steps)
        page.get_by_role("button", name="and if it crashed here?").click()
        trace = shop().run(charge, crash_after=steps)
        assert page.locator(".mfp-title").text_content() == alone.stories[alone.forks[steps]].scene.panels[0].title
        for at in range(steps + 1, len(trace.events) + 1):
            assert moment(page) == at
            (shown,) = seen(page)
            assert shown["said"].endswith(trace.events[at - 1].story())
            page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="back to the run").click()
        assert moment(page) == steps


def test_where_a_crash_takes_nothing_the_button_is_off_and_says_why(opened, two):
    page = opened(two.html(standalone=True))
    press(page, "Home")
    assert page.get_by_role("button", name="and if it crashed here?").is_disabled()
    assert page.locator(".mfp-why").text_content() == "nobody has begun"
    page.keyboard.press("c")
    assert page.locator(".mfp-note").is_hidden()


def test_a_screen_reader_hears_the_moment_as_a_sentence(opened, two):
    page = opened(two.html(standalone=True))
    press(page, "Home", "ArrowRight")
    said = page.get_by_role("status").text_content()
    assert said.startswith('charge: 1 s · A · inbox.receive() -> inbox-1 "order-1".')
    assert "charge_once: 1 s · A" in said
    assert page.locator(".mfp-now").first.get_attribute("aria-current") == "step"


def test_the_focus_can_be_seen(opened, two):
    page = opened(two.html(standalone=True))
    page.keyboard.press("Tab")
    outline = "element => getComputedStyle(element).outlineStyle + getComputedStyle(element).outlineWidth"
    assert page.locator(".mfp").evaluate(outline) == "solid2px"


def test_with_reduced_motion_nothing_moves_by_itself(opened, two):
    page = opened(two.html(standalone=True), reduced_motion="reduce")
    moving = """() => Array.from(document.querySelectorAll('.mfp, .mfp *'), element => getComputedStyle(element))
        .filter(style => style.transitionProperty !== 'none' && parseFloat(style.transitionDuration) > 0).length"""
    assert page.evaluate(moving) == 0
    assert opened(two.html(standalone=True)).evaluate(moving) == 2  # the two sources, when it is not asked for
    press(page, "Home", "ArrowRight")
    assert seen(page) == expected(two.stories[0], 1)


def test_several_players_on_a_page_do_not_disturb_each_other(opened, two):
    alone = player(shop(), charge)
    page = opened(f"<!DOCTYPE html><meta charset=utf-8>{two.html()}{alone.html()}{two.html()}")
    assert page.locator(".mfp-controls").count() == 3
    press(page, "Home", "ArrowRight")
    at = [page.locator(".mfp").nth(place).get_attribute("data-moment") for place in range(3)]
    assert at == ["1", "4", "8"]
    names = """() => {
        const frame = document.body.appendChild(document.createElement('iframe'));
        const usual = new Set(Object.getOwnPropertyNames(frame.contentWindow));
        return Object.getOwnPropertyNames(window).filter(name => !usual.has(name) && isNaN(name));
    }"""
    assert page.evaluate(names) == []  # the page has no name more than an empty one


def test_without_scripts_the_finding_is_there(opened, two):
    page = opened(two.html(standalone=True), java_script_enabled=False)
    assert page.locator(".mfp-title").first.is_visible()
    assert page.locator("td:text-is('2 times')").first.is_visible()
    assert page.locator(".mfp-marks rect").first.is_visible()
    assert page.get_by_role("slider").count() == 0


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_ink_and_paper_follow_the_reader_s_theme(opened, two, scheme, light):
    page = opened(two.html(standalone=True), color_scheme=scheme)
    brightness = "([element, what]) => getComputedStyle(element)[what].match(/\\d+/g).slice(0, 3).map(Number)"
    paper, ink, around = (
        sum(page.locator(where).evaluate_handle("e => e").evaluate(f"e => ({brightness})([e, '{what}'])"))
        for where, what in ((".mfp", "backgroundColor"), (".mfp", "color"), ("body", "backgroundColor"))
    )
    assert (paper > 600, ink < 200, around > 600) == (light, light, light)


def test_a_moment_of_two_long_runs_is_shown_well_under_a_tenth_of_a_second(opened):
    from simlib import Database, Scenario

    def count(db):
        for number in range(200):
            yield db.write("n", number)

    def count_on(db):
        for number in range(200):
            yield db.write("n", number)

    page = opened(player(Scenario(db=Database()), count, count_on).html(standalone=True))
    assert page.locator(".mfp-marks > g").count() >= 2 * 200
    worst = page.evaluate("""() => {
        const scrubber = document.querySelector('.mfp-range'), took = [];
        for (let at = 0; at <= 200; at += 4) {
            const begun = performance.now();
            scrubber.value = at;
            scrubber.dispatchEvent(new Event('input'));
            document.body.getBoundingClientRect();
            took.push(performance.now() - begun);
        }
        return took.sort((a, b) => a - b)[Math.floor(took.length / 2)];
    }""")
    assert worst < 100
    print(f"a moment takes {worst:.2f} ms")
