"""The player: what it shows at each moment is what the trace says, and its page is safe, small and always the same."""

import inspect
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simlib import Clock, Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.errors import Mistake
from simlib.model.state import State
from simlib.schedule.replay import fork
from simlib.views.layout import MOST_LANES
from simlib.views.moments import AGAIN, NOW, PAST, START
from simlib.views.player import player
from simlib.views.state_table import Row, marked, table
from tests.sample import charge, charge_once, shop

ROOT = Path(__file__).parent.parent


def both():
    return player(shop(), charge, charge_once, failure=shop().explore(charge, crashes=1))


@pytest.fixture(scope="module")
def two():
    return both()


@pytest.fixture(scope="module")
def one():
    return player(shop(), charge)


def runs(page):
    return [run for story in page.stories for run in story.runs]


def embedded(html):
    """The data of the page's script, put together again as the script does it."""
    data = json.loads(re.search(r'\("[0-9a-f]{12}",\n(.*)\n\);</script>', html)[1])
    base = data["stories"][0]["panels"]
    for story in data["stories"][1:]:
        for place, panel in enumerate(story["panels"]):
            for part in ("marks", "moments"):
                same, *own = panel[part]
                panel[part] = base[place][part][:same] + own
    return data


class Tags(HTMLParser):
    """The page's tags, in order; complains about one that is not closed where it should be."""

    def __init__(self, html):
        super().__init__()
        self.open, self.seen, self.text = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), (tag, attrs)
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


# What is shown at each moment


def test_the_line_that_is_lit_is_that_of_the_trace_at_every_moment(two):
    for run in runs(two):
        for event, moment in zip(run.trace.events, run.moments[1:]):
            lit = [(place.worker, run.source.lines[place.row].number) for place in moment.places if place.mode == NOW]
            assert lit == ([(event.worker, event.line)] if event.op else [])


def test_the_lines_on_the_page_are_those_of_the_file(two):
    for run, worker in zip(two.stories[0].runs, (charge, charge_once)):
        text, first = inspect.getsourcelines(worker)
        shown = {line.number: line.text for line in run.source.lines if line.text is not None}
        assert shown == {first + place: line.rstrip("\n") for place, line in enumerate(text)}


def test_the_changed_lines_are_marked(two):
    for run in two.stories[0].runs:
        assert [line.text.strip() for line in run.source.lines if line.changed] == [
            line.strip()
            for line in inspect.getsource(run.system.cast["A"].function).splitlines()
            if "bank.call" in line
        ]


def test_the_state_is_that_of_the_trace_at_every_moment_and_what_changed_is_marked(two):
    for run in runs(two):
        before = run.trace.initial
        for world, moment in zip(run.trace.worlds(), run.moments[1:]):
            for name, rows in zip(world, moment.tables):
                old, new = dict(r[:2] for r in table(before[name])), dict(r[:2] for r in table(world[name]))
                assert {row.name: row.value for row in rows if row.change != "gone"} == new
                assert {row.name for row in rows if row.change == "new" and row.name} == {
                    key for key in new if key and new[key] != old.get(key)
                }
            before = world


def test_the_sentence_tells_the_time_the_worker_and_the_event(two):
    upper = two.stories[0].runs[0].moments
    assert [moment.said for moment in upper[:5]] == [
        "Nothing has happened yet.",
        '1 s · A · inbox.receive() -> inbox-1 "order-1"',
        '2 s · A · bank.call("charge", 20) -> "ok"',
        "2 s · A · CRASH: its memory is gone, it starts again",
        "31 s · inbox · visibility timeout of inbox-1 runs out",
    ]


def test_the_end_says_what_is_broken_and_what_was_found(two):
    upper, lower = (run.moments[-2] for run in two.stories[0].runs)
    assert upper.verdict == (
        '✖ charged at most once: expected bank.count("charge") <= 1, found that bank.count("charge") is 2'
    )
    assert lower.verdict == "Nothing more happens."


def test_a_crash_is_dark_for_its_moment_and_the_worker_stands_at_its_beginning_again(two):
    run = two.stories[0].runs[0]
    assert [moment.dark for moment in run.moments] == [(), (), (), ("A",), (), (), (), ()]
    modes = [[place.mode for place in moment.places] for moment in run.moments]
    assert modes == [[START], [NOW], [NOW], [AGAIN], [AGAIN], [NOW], [NOW], [PAST]]
    assert run.source.lines[run.moments[3].places[0].row].text.startswith("def charge(")


def test_a_run_that_is_over_stays_as_it_is_while_the_other_goes_on(two):
    end, over = two.stories[0].runs[0].moments[-2:]
    assert over.tables != end.tables and [[r[:2] for r in rows] for rows in over.tables] == [
        [row[:2] for row in rows] for rows in end.tables
    ]
    assert not any(row.change for rows in over.tables for row in rows)


def test_a_step_inside_a_helper_lights_the_line_of_the_worker_that_waits_for_it():
    def pay(bank):
        yield bank.call("authorise")
        yield bank.call("capture")

    def order(bank):
        yield from pay(bank)
        yield bank.call("mail")

    run = player(Scenario(bank=Service()), order).stories[0].runs[0]
    lit = [run.source.lines[place.row].text.strip() for moment in run.moments[1:4] for place in moment.places]
    assert lit == ["yield from pay(bank)", "yield from pay(bank)", 'yield bank.call("mail")']


def test_a_worker_whose_source_is_another_function_s_lights_no_line():
    import functools

    @functools.wraps(charge)
    def wrapper(inbox, bank, db):
        yield from charge(inbox, bank, db)

    run = player(shop(), wrapper).stories[0].runs[0]
    assert not any(place.mode == NOW for moment in run.moments for place in moment.places)


def test_each_role_has_its_source_and_its_own_line():
    def place_order(db, outbox):
        yield db.write("order", "new")
        yield outbox.send("order")

    def relay(outbox, mail):
        message = yield outbox.receive()
        yield mail.call("send")
        yield outbox.ack(message)

    system = Scenario(db=Database(), outbox=Queue(), mail=Service())
    page = player(system, [place_order, relay])
    run = page.stories[0].runs[0]
    assert [line.pane for line in run.source.lines if (line.text or "").startswith("def ")] == [0, 1]
    assert page.html().count("<pre") == 2
    for event, moment in zip(run.trace.events, run.moments[1:]):
        (place,) = [place for place in moment.places if place.mode == NOW]
        assert (place.worker, run.source.lines[place.row].number) == (event.worker, event.line)


def test_a_resource_about_which_there_is_a_property_and_a_lock_have_a_lane():
    def guarded(lock, db, bank):
        lease = yield lock.acquire()
        yield db.write("a", 1)
        yield bank.call("charge")
        yield lock.release(lease)

    def written(db):
        return db["a"] in (None, 1)

    page = player(Scenario(bank=Service(), lock=Lock(), db=Database(), always=[written]), guarded)
    assert page.stories[0].scene.panels[0].lanes == ("worker A", "lock", "db")
    assert len(page.stories[0].scene.panels[0].lanes) - 1 <= MOST_LANES


# The state as a table


@pytest.mark.parametrize(
    ("resource", "steps", "rows"),
    [
        (Database({"a": 1}), [("write", "b", "x")], [("a", "1"), ("b", '"x"')]),
        (Database(), [], [("", "no rows")]),
        (Queue(["x"]), [], [("ready", 'it-1 "x"'), ("in flight", "–"), ("acked", "–")]),
        (
            Queue(["x", "y"], max_receives=2),
            [("receive",)],
            [("ready", 'it-2 "y"'), ("in flight", 'it-1 "x"'), ("acked", "–"), ("dead letters", "–")],
        ),
        (Queue("abcde"[i] for i in range(5)), [],
         [("ready", 'it-1 "a", it-2 "b", it-3 "c" and 2 more'), ("in flight", "–"), ("acked", "–")]),
        (Service(), [("call", "charge", 20)] * 2 + [("call", "mail")], [("charge 20", "2 times"), ("mail", "once")]),
        (Service(), [("call", "send", ["a"])], [("send", "once")]),
        (Service(), [], [("", "nothing done")]),
        (Lock(), [], [("holder", "nobody"), ("token", "0")]),
        (Lock(), [("acquire", "A.1")], [("holder", "A.1"), ("token", "1")]),
        (Disk({"state": "0"}), [("append", "log", "x")], [("log", '"x"'), ("state", '"0"')]),
        (Disk(), [], [("", "no files")]),
        (Clock(), [("sleep", 2.5)], [("seconds", "2.5")]),
        (Random(), [], []),
    ],
)  # fmt: skip
def test_a_state_is_shown_as_properties_see_it(resource, steps, rows):
    state = resource.initial("it")
    for verb, *args in steps:
        getattr(state, f"on_{verb}")("A", *args)
    assert [(row.name, row.value) for row in table(state)] == rows


def test_a_resource_of_somebody_s_own_shows_what_it_lets_properties_see():
    class Counter(State):
        sees = ("total_so_far", "count")
        total_so_far = 3

        def count(self):
            return 3

    assert table(Counter()) == (Row("total so far", "3"),)


def test_a_row_that_goes_is_shown_once_more():
    before, after = (Row("a", "1"), Row("b", "2")), (Row("b", "3"),)
    assert marked(before, after) == (Row("b", "3", "new"), Row("a", "1", "gone"))
    assert marked((Row("", "no rows"),), (Row("a", "1"),)) == (Row("a", "1", "new"),)
    assert marked((Row("a", "1"),), (Row("", "no rows"),)) == (Row("", "no rows"), Row("a", "1", "gone"))


# Where they part, and what if


def test_they_part_where_the_second_charge_counts_for_one_of_them(two):
    assert two.stories[0].parted == 5
    assert embedded(two.html())["stories"][0]["parted"] == 6


def test_implementations_that_do_the_same_do_not_part():
    assert player(shop(), charge, charge_once).stories[0].parted is None
    assert player(shop(), charge).stories[0].parted is None


def test_they_part_where_one_of_them_is_over():
    def careless(inbox, bank, db):
        yield inbox.receive()
        yield bank.call("charge", 20)

    assert player(shop(), charge, careless).stories[0].parted == 1  # the step that ends one and not the other


@pytest.mark.parametrize("worker", [charge, charge_once])
def test_a_crash_at_a_moment_is_the_engine_s_run_with_that_crash(worker):
    page = player(shop(), worker)
    assert str(page.stories[0].runs[0].trace) == str(shop().run(worker))
    for steps in (1, 2, 3):
        branch = page.stories[page.forks[steps]]
        assert str(branch.runs[0].trace) == str(shop().run(worker, crash_after=steps))
        assert branch.runs[0].trace.broken == shop().run(worker, crash_after=steps).broken
    assert [found is None for found in page.forks] == [True, False, False, False, True]


def test_a_crash_in_a_failure_is_a_run_of_the_same_events_then_the_crash_for_each_implementation(two):
    told = two.stories[0]
    for number, found in enumerate(two.forks):
        for run, base in zip(two.stories[found].runs if found else (), told.runs):
            if run is base:
                assert len(base.trace.events) <= number and base.trace.broken
                continue
            moves = [event.move for event in base.trace.events[:number]]
            assert [event.move for event in run.trace.events[:number]] == moves
            assert run.trace.events[number].kind == "crash"
            assert str(run.trace) == str(fork(base.system, moves, run.trace.events[number].worker))
    assert [found is not None for found in two.forks] == [
        False, True, True, False, False, True, True, True, False,
    ]  # fmt: skip


def test_where_a_crash_takes_nothing_the_page_says_why(two, one):
    assert one.why[0] == "nobody has begun"
    assert one.why[4] == "A has nothing to lose here"
    assert {two.why[3], two.why[4]} == {"A has nothing to lose here"}


def test_what_is_asked_for_is_not_changed_by_the_forks(two):
    report = shop().explore(charge, crashes=1)
    assert str(two.stories[0].runs[0].trace) == str(shop().replay(charge, report))
    assert str(two.stories[0].runs[1].trace) == str(shop().replay(charge_once, report))
    assert [story.note for story in two.stories[:2]] == ["", "A crashes after its first inbox.receive"]


def test_a_trace_is_played_as_replay_plays_it():
    trace = shop().run(charge, crash_after=2)
    page = player(shop(), charge_once, failure=trace)
    assert str(page.stories[0].runs[0].trace) == str(shop().replay(charge_once, trace))


def test_a_trace_is_read_on_the_implementation_that_it_was_found_on():
    def careless(inbox, bank, db):
        message = yield inbox.receive()
        yield inbox.ack(message)

    page = player(shop(), charge_once, careless, failure=shop().run(charge_once, crash_after=3))
    first, second = (run.trace for run in page.stories[0].runs)
    assert [event.kind for event in first.events[:4]] == ["step", "step", "step", "crash"]
    assert [event.op.verb for event in second.events if event.op] == ["receive", "ack"]


def test_a_report_that_holds_is_played_by_a_run_that_went_well():
    report = shop().explore(charge_once, crashes=1)
    assert report.verdict == "holds"
    assert player(shop(), charge_once, failure=report).stories[0].runs[0].trace.broken is None


def test_a_power_loss_is_dark_for_everybody():
    def save(disk):
        yield disk.write("state", "12")
        yield disk.rename("state", "kept")

    def all_or_nothing(disk):
        return disk.contents("kept") in (None, "12")

    system = Scenario(disk=Disk(), always=[all_or_nothing])
    report = system.explore(save, power_losses=1)
    run = player(system, save, failure=report).stories[0].runs[0]
    dark = [moment.dark for moment in run.moments[1:-1]]
    assert dark == [("A",) if event.kind == "power loss" else () for event in run.trace.events]
    assert dark.count(("A",)) == 1


def test_only_one_or_two_implementations_are_shown():
    with pytest.raises(Mistake, match="give the implementations"):
        player(shop())
    with pytest.raises(Mistake, match="and got 3"):
        player(shop(), charge, charge, charge)


# The page


def test_the_text_form_has_the_findings_the_runs_and_the_parameters(two):
    text = repr(two)
    assert two._repr_mimebundle_()["text/plain"] == text
    assert [line for line in text.splitlines() if not line.startswith(" ")] == [
        "charge: breaks “charged at most once” with 1 crash",
        'charged_at_most_once: expected bank.count("charge") <= 1, found that bank.count("charge") is 2',
        "",
        "charge_once: the same crash, and it holds",
        "",
        two.small_print,
    ]
    report = shop().explore(charge, crashes=1)
    assert two.small_print == (
        f'2 workers, 1 crash: A crashes after its first bank.call. Again: replay("{report.token}"). '
        "Each run is the engine's own."
    )


def test_the_data_of_the_script_are_the_moments(two):
    data = embedded(two.html())
    share = data["shared"]
    for story, told in zip(data["stories"], two.stories):
        assert share[story["note"]] == (f"And if {told.note}:" if told.note else "")
        for panel, run in zip(story["panels"], told.runs):
            assert len(panel["moments"]) == len(run.trace.events) + 2
            for number, moment in zip(panel["moments"], run.moments):
                said, verdict, places, tables, lanes, _ = share[number]
                assert (share[said], share[verdict]) == (moment.said, moment.verdict)
                assert [place[1:] for place in share[places]] == [[*place[1:]] for place in moment.places]
                assert [share[rows] for rows in share[tables]] == [[[*row] for row in rows] for rows in moment.tables]
                assert len(lanes) == len(moment.dark)


def test_the_first_paint_is_the_last_moment(two):
    html = two.html().partition("<script>")[0]
    lit = re.findall(r'<span class="mfp-line mfp-now"[^>]*>(.*?)\n</span>', html)
    assert len(lit) == 1 and lit[0].endswith("    yield inbox.ack(message)")
    assert html.count("<tr") == sum(len(rows) for run in two.stories[0].runs for rows in run.moments[-1].tables)
    assert "2 times" in html and "expected bank.count(&quot;charge&quot;) &lt;= 1" in html
    assert '<rect class="mfp-veil" x="0" width="0"' in html


def test_the_first_paint_has_the_marks_that_the_script_has(two):
    html, data = two.html(), embedded(two.html())
    for panel in data["stories"][0]["panels"]:
        marks = "".join(
            f'<g transform="translate({x} {y})">{data["shared"][drawn]}</g>' for drawn, x, y in panel["marks"]
        )
        assert f'<g class="mfp-marks">{marks}</g>' in html


def test_red_is_in_the_lanes_of_the_one_that_breaks_and_nowhere_else(two):
    upper, lower = re.findall(r'<svg class="mfp-svg".*?</svg>', two.html(), re.S)
    assert "--mfp-red" in upper and "--mfp-red" not in lower


def test_the_page_is_well_formed(two, one):
    for page in (two, one):
        for html in (page.html(), page.html(standalone=True)):
            tags = Tags(html)
            assert [tag for tag, _ in tags.seen if tag in ("script", "style")] == ["style", "script"]
            assert not [attributes for _, attributes in tags.seen if "id" in attributes]
        for drawing in re.findall(r"<svg.*?</svg>", page.html(), re.S):
            ElementTree.fromstring(drawing)


def test_the_page_needs_nothing_from_anywhere(two):
    html = two.html(standalone=True)
    assert not re.search(r"https?:|//\w|@import|url\(|<link|src=|fetch\(|import\(|localStorage", html)


def test_a_screen_reader_is_told(two):
    tags = Tags(two.html()).seen
    assert tags[0][1]["role"] == "group" and tags[0][1]["aria-label"].startswith("Player. charge: breaks")
    images = [attributes for tag, attributes in tags if tag == "svg" and attributes.get("role") == "img"]
    assert [image["aria-label"].partition(".")[0] for image in images] == [
        "charge: breaks “charged at most once” with 1 crash",
        "charge_once: the same crash, and it holds",
    ]
    for promise in ('aria-live", "polite"', 'aria-label="moment"', "aria-valuetext", "prefers-reduced-motion"):
        assert promise in two.html()


def test_what_a_learner_writes_is_text_on_the_page_and_nothing_else():
    def evil(inbox, db):
        message = yield inbox.receive()
        yield db.write('</script><img src=x onerror="alert(1)">', "<!--<script>&amp;")
        yield inbox.ack(message)

    hostile = Scenario(inbox=Queue(['<b title="x">\u2028']), db=Database({"<i>": "</style>"}))
    html = player(hostile, evil).html(standalone=True)
    tags = Tags(html)
    names = {tag for tag, _ in tags.seen}
    assert not names & {"img", "i"} and [tag for tag, _ in tags.seen].count("script") == 1
    assert not any("title" in attributes or "onerror" in attributes for _, attributes in tags.seen)
    assert '</script><img src=x onerror="alert(1)">' in "".join(tags.text)
    assert html.count("</script") == 1 and "<!--" not in html
    assert any("</script><img src=x" in json.dumps(value) for value in embedded(html)["shared"])


def test_the_html_is_the_same_in_another_process_with_another_hash_seed(two):
    program = (
        "from tests.test_player import both; import hashlib; print(hashlib.sha256(both().html().encode()).hexdigest())"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert printed[0] == printed[1]
    assert both().html() == two.html()


def test_players_are_told_apart_by_their_content(two, one):
    names = [re.search(r'data-mfp="(\w+)"', page.html())[1] for page in (two, one, both())]
    assert names[0] != names[1] and names[0] == names[2]


def test_the_page_of_two_short_runs_is_small(two):
    assert len(two.html().encode()) < 50_000


def test_a_long_run_is_not_forked_without_end():
    def count(db):
        for number in range(1000):
            yield db.write("number", number)

    page = player(Scenario(db=Database()), count)
    assert page.stories[0].length == 500
    assert page.why[-1] == "this run is too long to have them all"
    assert sum(found is not None for found in page.forks) < 20
