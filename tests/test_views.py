"""The pictures: what is on them, and that both renderers draw the same marks."""

import itertools
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.colors import to_hex

from simlib import Database, Lock, Scenario, compare, lanes
from simlib.errors import Mistake
from simlib.views.canvas import Canvas
from simlib.views.comparison import picture
from simlib.views.figure import figure_of
from simlib.views.lanes import live_svg, rows_of
from simlib.views.layout import GAP, WIDTHS, scene
from simlib.views.source import side_by_side
from simlib.views.style import wrapped
from simlib.views.svg import svg_of
from tests.sample import charge, charge_once, shop


@pytest.fixture(scope="module")
def both():
    report = shop().explore(charge, crashes=1)
    return scene([report.counterexample, shop().replay(charge_once, report)])


def test_the_titles_state_the_findings(both):
    assert [panel.title for panel in both.panels] == [
        "charge: breaks “charged at most once” with 1 crash",
        "charge_once: the same crash, and it holds",
    ]
    assert [panel.mood for panel in both.panels] == ["bad", "good"]


def test_there_is_a_lane_for_each_worker_that_acts_and_for_what_the_broken_property_is_about(both):
    assert both.panels[0].lanes == ("worker A", "bank")


def test_the_upper_one_stops_where_it_breaks_and_the_lower_one_goes_on(both):
    upper, lower = ([mark.text for mark in panel.marks if mark.kind == "block"] for panel in both.panels)
    assert upper == ["receive", "charge", "receive", "charge"]
    assert lower == [*upper, "write", "ack"]


def test_the_same_event_stands_at_the_same_place_in_both(both):
    upper, lower = ({mark.event: mark.x for mark in panel.marks if mark.kind == "block"} for panel in both.panels)
    assert upper.items() <= lower.items()


def test_steps_are_equally_wide_and_do_not_overlap(both):
    for panel in both.panels:
        blocks = sorted((mark.x, mark.width) for mark in panel.marks if mark.kind == "block")
        assert {width for _, width in blocks} == {WIDTHS["step"]}
        assert all(x + width + GAP <= after + 1e-9 for (x, width), (after, _) in itertools.pairwise(blocks))


def test_red_is_the_violation_and_nothing_else(both):
    red = [[(mark.kind, mark.text) for mark in panel.marks if mark.bad] for panel in both.panels]
    assert red == [[("block", "charge"), ("bar", "2 charges")], []]


def test_a_repeated_call_with_the_same_key_says_that_it_had_no_effect(both):
    notes = [mark.above for mark in both.panels[1].marks if mark.text == "charge"]
    assert notes == ["", "same key: no effect"]


def test_a_stall_is_a_gap_between_the_steps_it_separates():
    def deposit(lock, db):
        lease = yield lock.acquire(ttl=10)
        balance = yield db.read("balance")
        yield db.write("balance", balance + 10, fence=lease.token)
        yield lock.release(lease)

    def nothing_lost(db):
        return db["balance"] == 120

    scenario = Scenario(lock=Lock(), db=Database({"balance": 100}), workers=2, eventually=[nothing_lost])
    report = scenario.explore(deposit, pauses=1)
    panel = scene([report.counterexample]).panels[0]
    (gap,) = [mark for mark in panel.marks if mark.kind == "pause"]
    before, after = [mark for mark in panel.marks if mark.kind == "block" and mark.lane == gap.lane][1:3]
    assert (before.text, gap.text, after.text) == ("read", "stalls 9 s", "write")
    assert before.x + before.width < gap.x < gap.x + gap.width < after.x
    assert report.counterexample.failure == ["A stalls for at least 9 s between its first db.read and db.write"]
    # What is red is the write that lost the other one, and the row; not the lock, which did as it should.
    assert [(mark.kind, mark.text) for mark in panel.marks if mark.bad] == [
        ("block", "write"),
        ("bar", "balance = 110"),
    ]


def test_the_svg_is_well_formed_and_tells_its_story_to_a_screen_reader(both):
    root = ElementTree.fromstring(live_svg(both))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"].startswith(
        "charge: breaks “charged at most once” with 1 crash. worker A receive, then"
    )
    texts = [text.text for text in root.iter("text")]
    assert texts.count("charge") == 4
    assert "2 charges" in texts


def test_matplotlib_and_svg_draw_the_same_page():
    page = picture(compare(shop(), happy_path=charge, failure_mode=charge_once).sheet).draw()
    page.path([(0, 0), (1, 1), (2, 0)], stroke="#123456", dashes=(5, 2), fill="#654321", opacity=0.5)
    axes, svg = figure_of(page).axes[0], ElementTree.fromstring(svg_of(page, "what <is> on it"))
    words = [(round(float(text.get("x")), 1), text.text, text.get("fill")) for text in svg.iter("text")]
    drawn = [
        (round(100 * one.get_position()[0], 1), line, one.get_color())
        for one in axes.texts
        for line in one.get_text().split("\n")
    ]
    assert sorted(words) == sorted(one for one in drawn if one[1])
    paper, *boxes = (one.get("fill") for one in svg.iter("rect"))
    assert (paper, svg.get("aria-label")) == ("#FFFFFF", "what <is> on it")
    (path,) = svg.iter("path")
    assert sorted([*boxes, path.get("fill")]) == sorted(to_hex(one.get_facecolor()).upper() for one in axes.patches)
    assert path.get("d") == "M0 0L100 100L200 0" and path.get("stroke") == axes.lines[-1].get_color()
    assert len([*svg.iter("line"), path]) == len(axes.lines) > 1


def test_a_page_as_svg_turns_its_words_and_hatches_and_dashes_its_boxes():
    page = Canvas(2, 1)
    page.line(0, 2, 0.9, color="#000000", linewidth=0.72)
    page.box(0.2, 0.2, 1, 0.2, stroke="#123456", linewidth=0.72, dashes=(3, 1), hatched=True)
    page.text(1, 0.5, "up & down", rotation=40, ha="right", va="bottom")
    svg = ElementTree.fromstring(svg_of(page, "a page"))
    _, line, box, hatch, words = svg
    assert [one.tag for one in (line, hatch)] == ["line", "path"]  # a later mark covers an earlier one
    assert (box.get("stroke-dasharray"), hatch.get("stroke")) == ("3 1", "#123456")
    strokes = hatch.get("d").split("M")[1:]
    assert (strokes[0], strokes[-1]) == ("20 25l5 -5", "115 40l5 -5")  # from its corner to its other one
    assert strokes[3] == "20 40l20 -20" and len(strokes) == 23
    assert (words.get("transform"), words.get("text-anchor")) == ("rotate(-40 100 50)", "end")
    assert words.text == "up & down"


def test_svg_text_is_escaped():
    def sneaky(db):
        yield db.write("<script>alert(1)</script>", "&")

    def never(db):
        return db["<script>alert(1)</script>"] is None

    report = Scenario(db=Database(), always=[never]).explore(sneaky, crashes=0)
    root = ElementTree.fromstring(live_svg(scene([report.counterexample])))
    assert not list(root.iter("script"))


def test_a_picture_has_the_same_bytes_twice():
    report = shop().explore(charge, crashes=1)
    assert lanes(report).png() == lanes(report).png()


def test_a_picture_comes_with_its_text_and_an_alternative_text():
    data, about = lanes(shop().explore(charge, crashes=1))._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"].startswith("charge: breaks “charged at most once” with 1 crash\n   1 s  A")
    assert "worker A crash" in about["image/png"]["alt"]


def test_compare_says_the_same_in_another_process_with_another_hash_seed():
    program = (
        "from tests.test_views import *; print(compare(shop(), happy_path=charge, failure_mode=charge_once, crashes=1))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(texts) == 1
    assert "If it crashes mid-flight:\n  charge: charged at most once: broken with 1 crash" in texts.pop()


def test_compare_asks_the_three_questions_of_each():
    comparison = compare(shop(), happy_path=charge, failure_mode=charge_once, crashes=1)
    verdicts = {side: [report.verdict for report in asked.values()] for side, asked in comparison.reports.items()}
    assert verdicts == {"happy path": ["violated"] * 3, "failure mode": ["holds"] * 3}
    assert list(comparison.reports["happy path"]) == [
        "crashes mid-flight",
        "runs twice",
        "runs concurrently with itself",
    ]


def test_compare_of_two_that_hold_shows_a_run_that_went_well():
    comparison = compare(shop(), happy_path=charge_once, failure_mode=charge_once)
    assert comparison.failure is None
    assert all(trace.broken is None for trace in comparison.traces.values())


def test_compare_adds_further_faults_to_each_question():
    comparison = compare(shop(), happy_path=charge, failure_mode=charge_once, lost_replies=1)
    assert all(report.budget.counts["lost_replies"] == 1 for report in comparison.reports["failure mode"].values())


def test_compare_says_what_was_not_put_to_the_test():
    def note(db):
        yield db.write("note", 1)

    comparison = compare(Scenario(db=Database()), happy_path=note, failure_mode=note)
    untested = "but no property was asked and no crash had a place to strike"
    assert f"note: holds in its only schedule, {untested}" in str(comparison)


def test_only_changed_lines_are_marked_and_the_name_is_no_change():
    rows = side_by_side(charge, charge_once)
    assert [row.changed for row in rows] == [False, False, True, False, False]


def test_a_line_that_only_one_of_them_has_stands_beside_a_gap():
    def longer(inbox, bank, db):
        message = yield inbox.receive()
        # why
        yield bank.call("charge", 20)
        yield db.write(message.body, "paid")
        yield inbox.ack(message)

    rows = side_by_side(charge, longer)
    assert [(row.left is None, row.right.strip()) for row in rows if row.changed] == [(True, "# why")]


def test_nothing_to_draw_is_said():
    with pytest.raises(Mistake, match="there is no run to draw"):
        lanes(shop().explore(charge_once, max_states=1))


def test_a_long_run_is_cut_into_rows_and_loses_no_step():
    def count_up(db):
        for _ in range(20):
            yield db.write("n", ((yield db.read("n")) or 0) + 1)

    whole = scene([Scenario(db=Database()).run(count_up)])
    rows = rows_of(whole, 14)
    blocks = [[mark.event for mark in row.panels[0].marks if mark.kind == "block"] for row in rows]
    assert [event for row in blocks for event in row] == list(range(40))
    assert [len(row) for row in blocks] == [10, 10, 10, 10]
    assert all(mark.x + mark.width <= row.width for row in rows for mark in row.panels[0].marks)
    assert [row.panels[0].title for row in rows[:2]] == ["count_up: nothing goes wrong", "count_up, continued"]


def test_beside_a_long_run_a_short_one_is_not_cut():
    def count(db, to):
        for number in range(to):
            yield db.write("n", number)

    short, long = (Scenario(db=Database(), to=to).run(count) for to in (9, 15))
    first, second = rows_of(scene([short, long, short]), 14)
    blocks = [[sum(mark.kind == "block" for mark in panel.marks) for panel in row.panels] for row in (first, second)]
    assert blocks == [[9, 9, 9], [6]]
    assert [panel.title for panel in second.panels] == ["count, continued"]


def test_a_short_run_is_one_row():
    whole = scene([shop().run(charge)])
    assert [row.panels for row in rows_of(whole, 14)] == [whole.panels]


def test_a_step_that_did_not_take_effect_is_hollow_and_one_whose_reply_was_lost_is_not():
    def marks(*moves):
        (panel,) = scene([shop().attack(charge_once, *moves)]).panels
        return [(mark.failed, mark.above) for mark in panel.marks if mark.kind == "block"][:2]

    assert marks("A", "A: outage")[1] == (True, "outage, restarts")
    assert marks("A", "A: lost reply")[1] == (False, "lost reply, restarts")


@pytest.mark.parametrize(
    "text, shown",
    [
        ("receive", "receive"),
        ("compare and set", "compare and\nset"),
        ("authorise_and_charge_card", "authorise_\nand_charge…"),
        ("supercalifragilistic", "supercalif…"),
        ("one two three four five six", "one two\nthree four…"),
    ],
)
def test_a_block_s_text_stays_within_its_block(text, shown):
    assert wrapped(text) == shown
