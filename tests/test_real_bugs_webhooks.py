"""A bug that somebody reported about a webhook: it is found, and its fix holds. No code of the report is here."""

from simlib import Database, Scenario, Service

# duncanmcclean/statamic-cargo #190: the customer pays, and the browser is to come back and place the order. The payment
# provider's webhook comes first, finds no order, and is answered 200: the order stays unpaid for good. The usual fix is
# to answer 4xx: then the provider sends it again.


def place_order(bank, db):
    yield bank.call("pay", "order-1", idempotency_key="order-1")
    yield db.write("order-1", "placed")


def webhook(bank, db):
    event = yield bank.receive()
    _, order = event.body
    yield db.compare_and_set(order, "placed", "paid")  # UPDATE ... WHERE: of no row, here
    yield bank.ack(event)


def webhook_that_says_no(bank, db):
    event = yield bank.receive()
    _, order = event.body
    if (yield db.compare_and_set(order, "placed", "paid")) or (yield db.read(order)) == "paid":
        yield bank.ack(event)
    else:
        yield bank.nack(event)


def place_order_once(bank, db):
    yield bank.call("pay", "order-1", idempotency_key="order-1")
    yield db.compare_and_set("order-1", None, "placed")


def who_paid_has_a_paid_order(bank, db):
    return bank.count("pay") == 0 or db["order-1"] == "paid"


def no_order_is_paid_for_nothing(bank, db):
    return db["order-1"] != "paid" or bank.count("pay") == 1


def shop(**more):
    return Scenario(bank=Service(webhooks=True), db=Database(), **more)


def test_a_webhook_that_comes_before_its_order_and_is_answered_200_leaves_the_order_unpaid():
    report = shop(eventually=[who_paid_has_a_paid_order]).explore([place_order, webhook], crashes=0)
    assert (report.verdict, report.claim) == ("violated", "who_paid_has_a_paid_order")
    assert not report.counterexample.faults


def test_answered_4xx_it_comes_again_until_the_order_is_there():
    careful = shop(eventually=[who_paid_has_a_paid_order])
    for faults in (
        {"crashes": 0},
        {"crashes": 1},
        {"crashes": 2},
        {"redeliveries": 1},
        {"lost_replies": 1},
        {"pauses": 1},
    ):
        assert careful.explore([place_order_once, webhook_that_says_no], **faults).verdict == "holds", faults


def test_a_provider_that_asks_in_vain_gives_up_and_that_is_no_loop_without_an_end():
    for faults in ({"crashes": 1}, {"node_losses": 1}):
        orphaned = shop(always=[no_order_is_paid_for_nothing], restarts={"place_order_once": False})
        report = orphaned.explore([place_order_once, webhook_that_says_no], **faults)
        assert report.verdict == "holds"
        assert {loop.worker for loop in report.loops} == {"B"}


def test_what_should_come_true_in_the_end_and_does_not_is_no_less_found():
    unpaid = shop(eventually=[who_paid_has_a_paid_order], restarts={"place_order_once": False})
    report = unpaid.explore([place_order_once, webhook_that_says_no], crashes=1)
    assert (report.verdict, report.claim) == ("violated", "livelock")
    assert "who_paid_has_a_paid_order stays false" in " ".join(str(report).split())
    played = unpaid.replay([place_order_once, webhook_that_says_no], report)
    assert played.broken == "livelock"


def test_a_worker_that_polls_beside_it_or_inside_of_it_is_still_a_loop_without_an_end():
    def poll(db):
        while (yield db.read("order-2")) is None:
            pass

    def webhook_that_polls(bank, db):
        event = yield bank.receive()
        yield from poll(db)
        yield bank.nack(event)

    for roles in ([place_order_once, webhook_that_says_no, poll], [place_order_once, webhook_that_polls]):
        report = shop(always=[no_order_is_paid_for_nothing], restarts=False).explore(roles, crashes=1)
        assert (report.verdict, report.claim) == ("violated", "livelock")


def test_a_bug_that_a_handler_meets_is_not_hidden_by_its_retries():
    def webhook_that_pays_too_early(bank, db):
        event = yield bank.receive()
        if event.deliveries > 2:
            yield db.write("order-1", "lost")
        yield bank.nack(event)

    def never_lost(db):
        return db["order-1"] != "lost"

    report = shop(always=[never_lost]).explore([place_order_once, webhook_that_pays_too_early], crashes=0)
    assert (report.verdict, report.claim) == ("violated", "never_lost")
