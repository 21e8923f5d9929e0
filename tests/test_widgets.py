"""What a learner moves and answers. The sliders are moved in a browser in test_sliders_in_browser."""

from xml.etree import ElementTree

import pytest

from simlib import Database, Queue, Scenario, Service, exponential
from simlib.course import calibration, crash_rate_slider, crash_slider, predict, workers_slider
from simlib.errors import Mistake
from tests.sample import charge, charge_once, charged_at_most_once, shop


def pages(slider):
    """What the slider shows at each of its positions."""
    return iter(slider.pages)


def names(slider):
    return list(slider.names)


def test_moving_the_slider_shows_the_run_with_the_crash_there():
    titles = [
        next(ElementTree.fromstring(page).iter("text")).text
        for page in pages(crash_slider(shop(), charge, charge_once))
    ]
    assert titles == [
        "charge: nothing goes wrong",
        "charge: with 1 crash, it holds",
        "charge: breaks “charged at most once” with 1 crash",
        "charge: breaks “charged at most once” with 1 crash",
        "charge: nothing goes wrong",
    ]


def test_the_crash_slider_names_the_steps():
    assert names(crash_slider(shop(), charge)) == [
        "nowhere", "after step 1, receive", "after step 2, charge", "after step 3, write", "after step 4, ack",
    ]  # fmt: skip


def test_no_picture_of_a_slider_makes_the_page_jump():
    heights = {ElementTree.fromstring(page).get("style") for page in pages(crash_slider(shop(), charge, charge_once))}
    assert len(heights) == 1


def test_the_workers_slider_shows_from_how_many_on_it_breaks():
    def charge_alone(bank):
        yield bank.call("charge", 20)

    widget = workers_slider(Scenario(bank=Service(), always=[charged_at_most_once]), charge_alone, most=3, crashes=0)
    assert names(widget) == ["1", "2", "3"]
    verdicts = [page.partition("<td")[2].partition(">")[2].partition("<")[0].split(":")[0] for page in pages(widget)]
    assert verdicts == ["holds", "violated", "violated"]


def test_the_crash_rate_slider_shows_what_simulate_measured():
    def never_more(bank, inbox):
        return bank.count("charge") <= inbox.sent

    def take(inbox, bank):
        message = yield inbox.receive()
        yield bank.call("charge", 20)
        yield inbox.ack(message)

    production = Scenario(inbox=Queue(visibility_timeout=30), bank=Service(), always=[never_more])
    widget = crash_rate_slider(
        production, take, rates=(0, 2000), hours=2, arrivals=exponential(5), latency=exponential(1), seed=1
    )
    calm, rough = pages(widget)
    assert names(widget) == ["0", "2000"]
    assert ">never<" in calm and "after" in rough and "never more" in rough
    run = production.simulate(
        take, crashes_per_day=2000, hours=2, arrivals=exponential(5), latency=exponential(1), seed=1
    )
    assert f">{run.completed:,}<" in rough and f">{run.counts['crashes']:,}<" in rough


def test_sliders_that_make_no_sense_are_refused():
    with pytest.raises(Mistake, match="most=1"):
        workers_slider(shop(), charge, most=1)
    with pytest.raises(Mistake, match="crashes a day to choose from"):
        crash_rate_slider(shop(), charge, rates=())


def test_a_slider_is_one_block_of_html_that_says_the_same_each_time():
    html = crash_slider(shop(), charge, charge_once).html()
    assert html == crash_slider(shop(), charge, charge_once).html()
    assert len(html) < 120_000
    assert "http" not in html.replace("http://www.w3.org", "")
    assert repr(crash_slider(shop(), charge)) == (
        "A slider, crash: nowhere; after step 1, receive; after step 2, charge; after step 3, write; after step 4, ack"
    )


def test_no_answer_of_a_worker_ends_the_script_of_a_slider():
    def writes(db):
        yield db.write("</script><b>", "<!-- <script>")

    html = crash_slider(Scenario(db=Database()), writes).html()
    assert html.count("</script>") == 1


# Predictions


def chosen(answer, sure, truth):
    prediction = predict("After which step?", "receive", "charge", "ack", "none")
    prediction._choice.value = answer
    prediction._sure.value = sure
    prediction.reveal(truth)
    return prediction


def test_without_an_answer_only_the_truth_is_shown(capsys):
    predict("After which step?", "receive", "charge").reveal("charge")
    assert capsys.readouterr().out == "You made no prediction.\nIt is: charge.\n"


def test_an_answer_is_shown_with_how_sure_it_was_beside_the_truth(capsys):
    chosen("receive", "90 % sure", "charge")
    assert capsys.readouterr().out == "You said: receive (90 % sure).\nIt is: charge.\n"
    chosen("charge", "certain", "charge")
    assert capsys.readouterr().out == "You said: charge (99 % sure).\nAnd so it is.\n"


def test_a_guess_is_as_sure_as_chance():
    assert chosen("charge", "a guess", "charge").committed.sure == 0.25


def test_what_was_committed_cannot_be_rewritten_afterwards(capsys):
    prediction = chosen("receive", "certain", "charge")
    assert prediction._choice.disabled and prediction._sure.disabled
    prediction._choice.value = "charge"
    prediction.reveal("charge")
    assert capsys.readouterr().out.count("You said: receive (99 % sure).") == 2


def test_a_truth_that_is_none_of_the_answers_is_a_mistake():
    with pytest.raises(Mistake, match="none of the answers, receive or charge"):
        predict("After which step?", "receive", "charge").reveal("charges")


def test_a_question_with_one_answer_is_no_question():
    with pytest.raises(Mistake, match="two answers or more"):
        predict("After which step?", "charge")


def test_calibration_without_a_prediction_says_how_to_make_one():
    said = str(calibration(predict("After which step?", "receive", "charge")))
    assert said.startswith("You made no predictions. Choose an answer before you run")


@pytest.mark.parametrize(
    "given, head, advice",
    [
        ([("receive", "certain"), ("charge", "certain")],
         "2 predictions, 1 right (50 %); on average you were 99 % sure.", "You were surer than you were right"),
        ([("charge", "a guess")] * 2, "2 predictions, 2 right (100 %); on average you were 25 % sure.",
         "You were righter than you were sure"),
        ([("charge", "90 % sure")], "1 prediction, 1 right (100 %); on average you were 90 % sure.",
         "You were about as sure as you were right"),
    ],
)  # fmt: skip
def test_calibration_sets_how_sure_against_how_often_right(given, head, advice):
    summary = str(calibration(*(chosen(answer, sure, "charge") for answer, sure in given)))
    assert summary.startswith(f"{head} {advice}")
    assert "So few say little" in summary


def test_calibration_lists_each_prediction():
    summary = str(calibration(chosen("receive", "70 % sure", "charge"))).splitlines()
    assert summary[1] == "  After which step? You said: receive (70 % sure); it is: charge."
