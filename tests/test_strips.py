"""Each lesson's icon: a crash strip of its own code. Lesson 12 breaks nothing: there it is how a plan narrows an
incident down. `python tests/test_strips.py` draws them anew."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # run as a program, it is not a package's module

from simlib.course.debrief import save_icon  # noqa: E402
from simlib.views import crash_strip  # noqa: E402
from tests.lessons import definitions, notebook, run_until, source  # noqa: E402

# The scenario, and the workers from the happy path to the careful one, each with its roles where there are several.
STRIPS = {
    "00": ("shop", "charge", "charge_once"),
    "01": ("billing", "cancel_bare", "cancel_expected"),
    "03": ("tea", "take_order_inserted", "take_order_once"),
    "02": ("alone", "book_locked", "book_fenced"),
    "04": ("office", "sign_up", "sign_up_after", "sign_up_keyed"),
    "05": ("bank", "pay_interest", "pay_interest_renamed", "pay_interest_by_state"),
    "06": ("shop", "pay", "pay_sorted"),
    "07": ("shop", ("order", "ship"), ("order_outboxed", "ship", "relay")),
    "08": ("office", "work", "work_claimed", "work_fenced"),
    "09": ("club", "credit_early", "credit", "credit_once"),
    "10": ("shop", "close_day", "close_day_renamed", "close_day_durably"),
    "13": ("shop", "fulfil", "fulfil_once"),
    "11": ("club", "credit", "credit_checked", "credit_once"),
}
NARROWED = {"12": 20}  # the number of an incident; tests/test_lesson_12.py looks at it
LESSONS = sorted(path.name[:2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


def strip(number):
    names = definitions(number)
    scenario, *workers = STRIPS[number]
    roles = [[names[name] for name in ([one] if isinstance(one, str) else one)] for one in workers]
    return crash_strip(names[scenario], *roles)


def best_way(number):
    plans = run_until(number, "catalogue")["plans"]
    return plans.best(plans.draw(NARROWED[number]))


def picture(number):
    return ROOT / "notebooks" / "pictures" / f"strip_{number}.png"


@pytest.mark.parametrize("number", STRIPS)
def test_a_lesson_s_strip_goes_from_red_to_calm(number):
    rows = list(strip(number).rows.values())
    verdicts = [{step[0].verdict for step in steps} - {""} for steps in rows]
    assert verdicts[0] - {"holds"}, "the first worker breaks somewhere"
    assert verdicts[-1] == {"holds"}, "the last one nowhere"


def test_every_lesson_has_a_strip_or_a_narrowing():
    assert sorted([*STRIPS, *NARROWED]) == LESSONS


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_is_headed_by_its_strip_and_so_is_its_row_in_the_readme(number):
    image = rf"!\[[^\]]{{20,}}\]\((notebooks/)?pictures/strip_{number}\.png\)"
    assert re.search(image, source(notebook(number)["cells"][0]))
    (row,) = re.findall(rf"^\| {number} .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert re.search(image, row)
    assert picture(number).read_bytes().startswith(b"\x89PNG")


if __name__ == "__main__":
    for number in sys.argv[1:] or LESSONS:
        if number in NARROWED:
            save_icon(best_way(number), str(picture(number)))
        else:
            strip(number).save_thumbnail(str(picture(number)))
