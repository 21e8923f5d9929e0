"""A service that calls back, for real: the events are the server's, whoever handles them."""

from tests.test_real_bugs_webhooks import (
    place_order,
    place_order_once,
    shop,
    webhook,
    webhook_that_says_no,
    who_paid_has_a_paid_order,
)


def test_the_event_that_comes_too_early_comes_too_early_for_real_and_answered_4xx_it_comes_again():
    stall = shop(eventually=[who_paid_has_a_paid_order])
    found = stall.explore([place_order, webhook], crashes=0)
    assert stall.live([place_order, webhook], found).broken == "who_paid_has_a_paid_order"
    played = stall.live([place_order_once, webhook_that_says_no], found)
    assert (played.broken, played["db"]["order-1"]) == (None, "paid")
    assert {event.label for event in played.events if event.kind == "timer"} == {"next attempt to send bank-1"}


def test_random_kills_and_redeliveries_end_as_the_model_says():
    stall = shop(always=[], eventually=[])
    for seed in range(4):
        trace = stall.live([place_order_once, webhook_that_says_no], seed=seed, crashes=1, redeliveries=1)
        assert trace.broken is None
