"""The sliders on an exported page: moved by keys and by hand, with no kernel and no network."""

import pytest

from simlib import Queue, Scenario, Service
from simlib.course import crash_rate_slider, crash_slider, workers_slider
from tests.sample import charge, charge_once, shop


@pytest.fixture
def opened(browser, tmp_path):
    contexts, wrong = [], []

    def open_(*sliders, **how):
        context = browser.new_context(**how)
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        path = tmp_path / "slider.html"
        blocks = "".join(slider.html() for slider in sliders)
        path.write_text(f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>x</title>{blocks}', "utf-8")
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def shown(page, number=0):
    return page.locator("[data-slider]").nth(number).locator("> div").evaluate("element => element.innerHTML")


def parsed(page, html):
    """This HTML as a browser writes it."""
    return page.evaluate("html => Object.assign(document.createElement('div'), { innerHTML: html }).innerHTML", html)


def test_each_position_shows_its_page_and_says_its_name(opened):
    slider = crash_slider(shop(), charge, charge_once)
    page = opened(slider)
    handle = page.get_by_role("slider", name="crash")
    handle.focus()
    for name, expected in zip(slider.names, slider.pages):
        assert handle.get_attribute("aria-valuetext") == name == page.locator("output").text_content()
        assert shown(page) == parsed(page, expected)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert shown(page) == parsed(page, slider.pages[0])
    handle.fill("2")
    assert shown(page) == parsed(page, slider.pages[2])


def test_the_focus_can_be_seen(opened):
    page = opened(crash_slider(shop(), charge))
    page.keyboard.press("Tab")
    assert page.get_by_role("slider").evaluate("e => document.activeElement === e && e.matches(':focus-visible')")
    assert page.get_by_role("slider").evaluate("e => getComputedStyle(e).outlineStyle") != "none"


def test_several_sliders_on_a_page_do_not_disturb_each_other(opened):
    few = workers_slider(shop(), charge, most=2)
    rates = crash_rate_slider(
        Scenario(inbox=Queue(), bank=Service()), charge_alone, rates=(0, 100), hours=1, arrivals=60, seed=1
    )
    page = opened(few, few, rates)
    assert page.get_by_role("slider").count() == 3
    page.get_by_role("slider").nth(1).press("ArrowRight")
    assert shown(page, 0) == parsed(page, few.pages[0])
    assert shown(page, 1) == parsed(page, few.pages[1])
    page.get_by_role("slider", name="crashes a day").press("End")
    assert shown(page, 2) == parsed(page, rates.pages[1])


def charge_alone(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield inbox.ack(message)


def test_without_scripts_the_first_page_is_there(opened):
    page = opened(crash_slider(shop(), charge), java_script_enabled=False)
    assert page.locator("svg rect").first.is_visible()
    assert page.get_by_role("slider").count() == 0
