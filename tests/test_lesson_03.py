"""What lesson 03 says is so, asked of the code in lesson 03."""

import pytest

from tests.lessons import cell, definitions, run, solved, survivors, with_text

LOST, TWICE = "no_order_is_lost", "no_order_is_there_twice"
FAULTS = ({"crashes": 2}, {"redeliveries": 2}, {"pauses": 2}, {"outages": 2}, {"lost_replies": 2})


@pytest.fixture(scope="module")
def lesson():
    return definitions("03")


def claims(lesson, worker, **question):
    """Which of the two properties break, each asked alone."""
    shop = lesson["shop"](3)
    return {
        name
        for name in (LOST, TWICE)
        if shop.asking(always=[lesson[name]]).explore(lesson[worker], **question).claim == name
    }


def test_the_happy_path_passes_its_unit_test(lesson):
    run(cell("03", "unit-test"), dict(lesson), "<unit test>")


def test_two_draws_of_one_number_overwrite_an_order_with_no_fault_and_no_second_worker(lesson):
    report = lesson["shop"](3).explore(lesson["take_order"], workers=1, crashes=0)
    assert report.claim == LOST
    assert {event.worker for event in report.counterexample.events} == {"A"}


def test_half_of_the_shops_are_bitten_on_the_third_day(lesson):
    chance = [lesson["none_alike"](40 * day, 10_000) for day in (2, 3)]
    assert chance[0] > 0.5 > chance[1]
    curve = lesson["survival_curve"](
        lesson["shop"](10_000, workers=1, requests=[]).asking(always=[lesson["no_order_is_written_over"]]),
        lesson["take_order"], days=8, runs=50, arrivals=2160, latency=0.01,
    )  # fmt: skip
    assert 2 < curve.half_bitten("take_order") < 4
    for day in (2, 3, 4, 5):
        _, low, high = curve.share("take_order", day)
        assert low <= lesson["none_alike"](40 * day, 10_000) <= high


def test_kubernetes_numbers_are_those_of_the_birthday_problem(lesson):
    none_alike, space = lesson["none_alike"], 27**5
    assert space == 14_348_907
    assert none_alike(4_460, space) == pytest.approx(0.5, abs=5e-4)
    assert 1 - none_alike(500, space) == pytest.approx(0.0087, abs=5e-5)
    assert 1_000_000 / space == pytest.approx(0.0697, abs=5e-5)


@pytest.mark.parametrize(
    "worker, workers, faults, broken",
    [
        ("take_order_checked", 1, {"crashes": 0}, set()),
        ("take_order_checked", 2, {"crashes": 0}, {LOST}),
        ("take_order_inserted", 2, {"crashes": 0}, set()),
        ("take_order_sequenced", 2, {"crashes": 0}, set()),
        ("take_order_inserted", 1, {"crashes": 1}, {TWICE}),
        ("take_order_sequenced", 1, {"crashes": 1}, {TWICE}),
        ("take_order", 2, {"crashes": 1}, {LOST, TWICE}),
        ("take_order_once", 2, {"crashes": 1}, set()),
    ],
)
def test_each_half_measure_fails_as_the_lesson_says(lesson, worker, workers, faults, broken):
    assert claims(lesson, worker, workers=workers, **faults) == broken


@pytest.mark.parametrize("faults", FAULTS)
def test_the_number_kept_with_the_request_holds_for_two_workers_and_two_faults(lesson, faults):
    assert lesson["shop"](2).explore(lesson["take_order_once"], workers=2, **faults).verdict == "holds"


def test_it_holds_under_the_hardship_of_the_lesson(lesson):
    shop, worker = lesson["shop"], lesson["take_order_once"]
    assert shop(2, workers=3).explore(worker, crashes=2).verdict == "holds"
    assert shop(2).explore(worker, redeliveries=1, pauses=1).verdict == "holds"


def test_not_instead_of_is_none_goes_round_for_ever_because_the_first_number_is_0(lesson):
    mutant = with_text(
        lesson["take_order_once"],
        "while (yield db.read(request.id)) is None:",
        "while not (yield db.read(request.id)):",
    )
    assert lesson["shop"](2).explore(mutant, crashes=0).claim == "livelock"


def test_a_worker_that_does_nothing_does_not_pass(lesson):
    names = dict(lesson)
    run("def lazy(requests):\n    yield requests.ack((yield requests.receive()))\n", names, "<lazy>")
    assert lesson["shop"](3).explore(names["lazy"], crashes=0).claim == LOST


def test_every_slip_in_the_careful_version_is_caught(lesson):
    left = survivors(lesson["shop"](2), lesson["take_order_once"], crashes=1, redeliveries=1)
    assert left == set()


@pytest.mark.parametrize(
    "before, after",
    [
        ("db.compare_and_set(number, None, request.body)", "db.write(number, request.body)"),
        ("db.compare_and_set(request.id, None, number)", "db.write(request.id, number)"),
        ("db.compare_and_set(request.id, None, number)", "db.compare_and_set(request.body, None, number)"),
        ("db.read(request.id)", "db.read(request.body)"),
    ],
)
def test_every_wrong_word_in_the_careful_version_is_caught(lesson, before, after):
    mutant = with_text(lesson["take_order_once"], before, after)
    assert lesson["shop"](2).explore(mutant, crashes=1, redeliveries=1).verdict == "violated"


# The exercise


def test_the_exercise_leaves_two_files_after_a_crash_and_the_given_attack_does_not(lesson):
    gallery = lesson["gallery"]
    assert gallery.explore(lesson["upload_mended"], crashes=1).claim == "no_file_is_there_twice"
    assert gallery.attack(lesson["upload"], "A", "crash A", workers=1).broken is None
    assert gallery.attack(lesson["upload"], "A 2", "crash A", workers=1).broken == "no_file_is_there_twice"


@pytest.mark.parametrize("faults", [{"crashes": 1}, {"crashes": 2}, {"redeliveries": 2}, {"pauses": 2}])
def test_the_solution_of_defend_passes(lesson, faults):
    worker = solved("03", lesson, 0)["upload_mended"]
    assert lesson["gallery"].explore(worker, **faults).verdict == "holds"


def test_acknowledging_first_is_no_solution(lesson):
    half = with_text(solved("03", lesson, 0)["upload_mended"], "    picture = yield uploads.receive()\n",
                     "    picture = yield uploads.receive()\n    yield uploads.ack(picture)\n")  # fmt: skip
    assert lesson["gallery"].explore(half, crashes=1).claim == "everybody_has_their_picture"
