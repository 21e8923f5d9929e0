"""A COMMIT that rolls back, and an idempotency key that is not committed with its effect."""

from simlib import Database, Queue, Scenario, Service
from simlib.errors import AlreadyExists, Unavailable
from tests.real_bugs import HARDER, NO_FAULT, found, holds, survives

PAUSED = {"crashes": 1, "redeliveries": 1, "pauses": 1}


# An order, and the customer's row if she is new
def order(inbox, db, mail):
    cart = yield inbox.receive()
    yield db.begin()
    yield db.insert(cart.id, "shoes")
    try:
        yield db.insert(f"customer/{cart.body}", "new")
    except AlreadyExists:
        pass  # she has ordered before
    yield db.commit()
    yield mail.call("confirm", cart.id, idempotency_key=cart.id)
    yield inbox.ack(cart)


def order_asking_the_commit(inbox, db, mail):
    cart = yield inbox.receive()
    yield db.begin()
    yield db.compare_and_set(cart.id, None, "shoes")  # INSERT ... ON CONFLICT DO NOTHING
    yield db.compare_and_set(f"customer/{cart.body}", None, "new")
    if not (yield db.commit()):
        raise Unavailable("the order is not stored")
    yield mail.call("confirm", cart.id, idempotency_key=cart.id)
    yield inbox.ack(cart)


def what_is_confirmed_is_stored(mail, db):
    return all(cart in db for cart in ("inbox-1", "inbox-2") if mail.count("confirm", cart))


def both_are_confirmed(mail):
    return mail.count("confirm") == 2


def test_a_commit_answers_without_an_error_and_has_rolled_back():
    """pgjdbc: https://github.com/pgjdbc/pgjdbc/issues/1697. Its commit raises since
    https://github.com/pgjdbc/pgjdbc/pull/1729; psycopg's still does not. An error that is caught fails the transaction
    all the same.
    """
    shop = Scenario(
        inbox=Queue(["ann", "ann"], visibility_timeout=30), db=Database(), mail=Service(), workers=2,
        always=[what_is_confirmed_is_stored], eventually=[both_are_confirmed],
    )  # fmt: skip
    trace = found(shop, order, "what_is_confirmed_is_stored")
    assert [event.answer for event in trace.events if event.op.name == "db.commit"][-1] is False
    survives(shop, order_asking_the_commit, trace)
    holds(shop, order_asking_the_commit, *HARDER, {"crashes": 1, "pauses": 1})


# A payment that is asked for with an idempotency key
def pay_key_first(inbox, db):
    request = yield inbox.receive()
    try:
        yield db.insert(f"key/{request.id}", "seen")
        yield db.add("balance", -20)
    except AlreadyExists:
        pass  # it is asked for again
    yield inbox.ack(request)


def pay_key_last(inbox, db):
    request = yield inbox.receive()
    if (yield db.read(f"key/{request.id}")) is None:
        yield db.add("balance", -20)
        yield db.write(f"key/{request.id}", "done")
    yield inbox.ack(request)


def pay(inbox, db):
    request = yield inbox.receive()
    try:
        yield db.begin()
        yield db.insert(f"key/{request.id}", "done")
        yield db.add("balance", -20)
        yield db.commit()
    except AlreadyExists:
        yield db.rollback()
    yield inbox.ack(request)


def paid_once_at_most(db):
    return db["balance"] >= 80


def paid(db):
    return db["balance"] == 80


def test_a_key_that_is_not_committed_with_its_effect():
    """Brandur Leach, "Implementing Stripe-like Idempotency Keys in Postgres", 2017, brandur.org/idempotency-keys"""
    bank = Scenario(
        inbox=Queue(["pay"], visibility_timeout=30), db=Database({"balance": 100}), workers=2,
        always=[paid_once_at_most], eventually=[paid],
    )  # fmt: skip
    found(bank, pay_key_first, "paid", crashes=1)
    for fault in ("crashes", "redeliveries", "pauses"):
        survives(bank, pay, found(bank, pay_key_last, "paid_once_at_most", **{fault: 1}))
    holds(bank, pay, NO_FAULT, *HARDER, PAUSED)
