"""What lesson 13 says is so, asked of the code in lesson 13."""

import itertools

import pytest

from simlib.course import grade
from simlib.views import board, crash_strip
from tests.answers import lesson_13 as answers
from tests.lessons import cell, definitions, mutants, run, with_text

KINDS = [
    "crashes", "node_losses", "power_losses", "redeliveries", "pauses", "lost_replies", "outages", "rejections",
    "disk_full",
]  # fmt: skip
PAIRS = [pair for pair in itertools.combinations_with_replacement(KINDS, 2) if pair != ("node_losses", "node_losses")]


@pytest.fixture(scope="module")
def lesson():
    return definitions("13")


def exchanged(lesson, **others):
    """The careful pipeline with other pieces."""
    return lesson["pipeline"]("mutant", **{**lesson["pieces"], **others})


def test_the_happy_path_passes_its_unit_test(lesson):
    run(cell("13", "unit-test"), dict(lesson), "<unit test>")


def test_two_customers_get_the_one_widget_with_nothing_going_wrong(lesson):
    assert lesson["shop"].explore(lesson["fulfil"], crashes=0).claim == "widgets_are_conserved"


def test_one_crash_does_harm_at_eight_of_twelve_places_and_at_none_of_the_careful_one(lesson):
    rows = crash_strip(lesson["shop"], lesson["fulfil"], lesson["fulfil_once"]).rows
    struck = {name: [step[0].verdict for step in steps if step[0].verdict] for name, steps in rows.items()}
    assert {name: (len(cells), cells.count("violated")) for name, cells in struck.items()} == {
        "fulfil": (12, 8),
        "fulfil_once": (20, 0),
    }


def test_each_stage_mends_what_the_board_says(lesson):
    stages = [
        lesson["pipeline"](f"with {name}", **dict(list(lesson["pieces"].items())[: place + 1]))
        for place, name in enumerate(lesson["pieces"])
    ]
    found = board(lesson["shop"], lesson["fulfil"], *stages, crashes=1)
    assert [found.score(name) for name in found.reports] == [4, 4, 7, 7, 7, 9]
    # A hole behind a hole: with the stock mended, a second delivery is served, and charged, a second time.
    assert found.report("fulfil", "charged_at_most_once").verdict == "holds"
    assert found.report("with reserve", "charged_at_most_once").verdict == "violated"


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_the_reference_holds_for_two_workers_and_two_faults_of_any_kinds(lesson, pair):
    faults = {kind: pair.count(kind) for kind in pair}
    report = lesson["shop"].explore(lesson["fulfil_once"], **faults, max_seconds=300)
    assert report.verdict == "holds", report


def test_with_both_nodes_lost_nobody_is_left(lesson):
    report = lesson["shop"].explore(lesson["fulfil_once"], node_losses=2)
    assert report.claim == "everybody_is_told_the_truth"
    assert report.counterexample.faults == ["node loss"] * 2


QUESTIONS = ({"crashes": 0}, {"crashes": 1}, {"rejections": 1}, {"power_losses": 1})
SLIPS = 25


def caught(lesson, worker, questions=QUESTIONS):
    reports = (lesson["shop"].explore(worker, **faults) for faults in questions)
    # One that renames before it syncs never ends, and leaves a longer directory each time: unfinished, and no pass.
    return any(report.verdict != "holds" or report.loops for report in reports)


def test_every_slip_in_a_piece_of_the_reference_is_caught_under_one_fault(lesson):
    made = [(piece, what, mutant) for piece, function in lesson["pieces"].items() for what, mutant in mutants(function)]
    assert len(made) == SLIPS
    assert [what for piece, what, mutant in made if not caught(lesson, exchanged(lesson, **{piece: mutant}))] == []


@pytest.mark.parametrize(
    "piece, before, after, faults",
    [
        ("reserve", 'stock.compare_and_set("widget", left, ', 'stock.write("widget", ', {"crashes": 0}),
        ("reserve", '"reserved" if left else "sold out"', '"reserved"', {"crashes": 0}),
        ("give_back", "left + 1", "left", {"rejections": 1}),
        ("pay", "idempotency_key=order.id", "idempotency_key=order.deliveries", {"crashes": 1}),
        ("pay", ", idempotency_key=order.id", "", {"lost_replies": 1}),
        ("tell", ", idempotency_key=order.id", "", {"crashes": 1}),
    ],
)  # fmt: skip
def test_every_wrong_word_is_caught(lesson, piece, before, after, faults):
    mutant = with_text(lesson["pieces"][piece], before, after)
    assert lesson["shop"].explore(exchanged(lesson, **{piece: mutant}), **faults).verdict == "violated"


def test_a_sold_out_that_is_not_written_down_is_taken_back_when_a_widget_comes_back(lesson):
    names = dict(lesson)
    run(
        "def reserve_reading(stock, order):\n"
        "    while (yield stock.read(order.id)) is None:\n"
        "        left = yield stock.read('widget')\n"
        "        if left == 0:\n"
        "            return False\n"
        "        yield stock.transaction(\n"
        "            stock.compare_and_set('widget', left, left - 1),\n"
        "            stock.compare_and_set(order.id, None, 'reserved'),\n"
        "        )\n"
        "    return True\n",
        names, "<reading>",
    )  # fmt: skip
    worker = exchanged(lesson, reserve=names["reserve_reading"])
    assert caught(lesson, worker, [{"crashes": 1, "rejections": 1}])


@pytest.mark.parametrize(
    "before, after",
    [
        ("yield from book(ledger, order)", "pass"),
        ("yield from give_back(stock, order)", "pass"),
        ("order = yield orders.receive()", "order = yield orders.receive()\n        yield orders.ack(order)"),
    ],
)
def test_a_pipeline_that_leaves_a_piece_out_is_caught(lesson, before, after):
    mutant = with_text(lesson["pipeline"], before, after)("mutant", **lesson["pieces"])
    assert caught(lesson, mutant)


def test_a_pipeline_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(orders):\n    yield orders.ack((yield orders.receive()))\n", names, "<lazy>")
    assert lesson["shop"].explore(names["lazy"], crashes=0).verdict == "violated"


# The exercises


def test_the_given_attack_does_no_harm_and_a_crash_after_the_charge_does(lesson):
    shop, fulfil = lesson["shop"], lesson["fulfil"]
    assert shop.attack(fulfil, "A", "crash A", workers=1).broken is None
    trace = shop.attack(fulfil, "A 4", "crash A", workers=1)
    assert trace.broken and trace["bank"].count("charge", "ann") == 1 and trace["mail"].count("sold out", "ann") == 1


GRADED = [pair for pair in PAIRS if "node_losses" not in pair]


def test_each_of_the_eight_kinds_that_are_graded_is_in_one_of_the_five_budgets(lesson):
    assert len(GRADED) == 36 and len(lesson["PAIRS"]) == 5
    assert {kind for budget in lesson["PAIRS"] for kind in budget} == {kind for pair in GRADED for kind in pair}


@pytest.mark.parametrize("what", answers.HARMLESS)
def test_what_the_five_budgets_do_not_find_no_pair_of_faults_finds(lesson, what):
    names = dict(lesson)
    run(answers.HARMLESS[what], names, f"<{what}>")
    assert grade(lesson["shop"], names["mine"], budgets=lesson["PAIRS"]).done
    pairs = [{kind: pair.count(kind) for kind in pair} for pair in GRADED]
    assert grade(lesson["shop"], names["mine"], budgets=pairs, max_seconds=300).done
