"""The board: each property by itself, for several workers."""

import pytest

from simlib import Queue, Scenario, Service
from simlib.errors import Mistake
from simlib.views import board
from tests.sample import charged_at_most_once


def charged(bank):
    return bank.count("charge") >= 1


def charge(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield inbox.ack(message)


def charge_early(inbox, bank):
    message = yield inbox.receive()
    yield inbox.ack(message)
    yield bank.call("charge", 20)


def charge_keyed(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge", 20, idempotency_key=message.id)
    yield inbox.ack(message)


@pytest.fixture(scope="module")
def shop():
    return Scenario(inbox=Queue(["order"]), bank=Service(), always=[charged_at_most_once], eventually=[charged])


def test_each_property_is_asked_alone_of_each_worker(shop):
    found = board(shop, charge, charge_early, charge_keyed, crashes=1)
    verdicts = {name: [report.verdict for report in row.values()] for name, row in found.reports.items()}
    assert verdicts == {
        "charge": ["violated", "holds", "holds"],
        "charge_early": ["holds", "violated", "holds"],
        "charge_keyed": ["holds", "holds", "holds"],
    }
    assert [found.score(name) for name in verdicts] == [2, 2, 3]


def test_the_text_says_with_what_each_one_breaks_and_what_was_asked(shop):
    assert str(board(shop, charge, charge_keyed, crashes=1)) == (
        "charge: 2 of 3 hold; charge_keyed: 3 of 3 hold\n"
        "                        charge           charge_keyed\n"
        "  charged_at_most_once  broken: 1 crash  holds\n"
        "  charged               holds            holds\n"
        "  nothing_gets_stuck    holds            holds\n"
        "Each property alone; every order of the atomic steps of 1 worker, with up to 1 crash."
    )


def test_a_loop_that_never_ends_breaks_what_has_to_come_true_and_no_other_claim(shop):
    found = str(board(shop, charge_keyed, crashes=0, rejections=1)).splitlines()
    assert [line.split(maxsplit=1)[1] for line in found[2:5]] == [
        "holds",
        "for ever: 1 rejection",
        "livelock: 1 rejection",
    ]


def test_a_cell_leads_to_its_search(shop):
    found = board(shop, charge, crashes=1)
    assert found.report("charge", "charged_at_most_once").counterexample.faults == ["crash"]
    with pytest.raises(Mistake, match="no cell for"):
        found.report("charge", "paid")


def test_a_board_of_nobody_is_refused(shop):
    with pytest.raises(Mistake, match="give the implementations"):
        board(shop)


def test_a_board_is_a_picture_with_an_alternative_text(shop):
    data, about = board(shop, charge, crashes=1)._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "broken: 1 crash" in about["image/png"]["alt"]
