"""Stock that is sold twice, with and without FOR UPDATE, and two rows that are locked in opposite order."""

from simlib import Database, Queue, Scenario, Service
from simlib.errors import Deadlock
from tests.real_bugs import HARDER, NO_FAULT, found, holds, survives

PAUSED = {"crashes": 1, "pauses": 1}


# A purchase that reads the stock, and writes what is left
def purchase(db):
    yield db.begin()
    left = yield db.read("stock")
    if left > 0:
        yield db.update("stock", left - 1)
        yield db.insert((yield db.next_id("order")), "shoes")
    yield db.commit()


def purchase_locked(db):
    yield db.begin()
    left = yield db.read("stock", for_update=True)
    if left > 0:
        yield db.update("stock", left - 1)
        yield db.insert((yield db.next_id("order")), "shoes")
    yield db.commit()


def purchase_by_subtracting(db):
    yield db.begin()
    if (yield db.add("stock", -1)) < 0:
        yield db.rollback()
        return
    yield db.insert((yield db.next_id("order")), "shoes")
    yield db.commit()


def one_pair_one_order(db):
    return db["stock"] + len(db.rows) - 1 == 1


def sold(db):
    return db["stock"] == 0


def test_two_purchases_read_the_same_stock():
    """django-shop, not fixed yet: https://github.com/awesto/django-shop/issues/888"""
    shop = Scenario(db=Database({"stock": 1}), workers=2, always=[one_pair_one_order], eventually=[sold])
    trace = found(shop, purchase, "one_pair_one_order")
    for fix in (purchase_locked, purchase_by_subtracting):
        holds(shop, fix, *HARDER)
        survives(shop, fix, trace)


# A checkout that looks at the stock in one transaction, is paid, and takes from the stock in another
def settle(inbox, db, bank):
    order = yield inbox.receive()
    yield db.begin()
    left = yield db.read("stock", for_update=True)
    yield db.commit()
    if left > 0:
        yield bank.call("charge", order.body, idempotency_key=order.body)
        yield db.begin()
        yield db.add("stock", -1)
        yield db.insert(order.body, "paid")
        yield db.commit()
    yield inbox.ack(order)


def settle_looking_again(inbox, db, bank):
    order = yield inbox.receive()
    yield bank.call("charge", order.body, idempotency_key=order.body)
    yield db.begin()
    left = yield db.read("stock", for_update=True)
    placed = yield db.read(order.body)
    if left > 0 and not placed:
        yield db.update("stock", left - 1)
        yield db.insert(order.body, "paid")
    yield db.commit()
    if left == 0 and not placed:
        yield bank.call("refund", order.body, idempotency_key=f"refund {order.body}")
    yield inbox.ack(order)


def not_oversold(db):
    return db["stock"] >= 0


def who_pays_gets_shoes_or_a_refund(db, bank):
    return bank.count("charge") - bank.count("refund") == len(db.rows) - 1


def test_stock_is_looked_at_in_one_transaction_and_taken_in_another():
    """vendure: https://github.com/vendurehq/vendure/pull/4930"""
    shop = Scenario(
        inbox=Queue(["ann", "bob"], visibility_timeout=30), db=Database({"stock": 1}), bank=Service(), workers=2,
        always=[not_oversold], eventually=[one_pair_one_order, who_pays_gets_shoes_or_a_refund],
    )  # fmt: skip
    survives(shop, settle_looking_again, found(shop, settle, "not_oversold"))
    holds(shop, settle_looking_again, *HARDER, PAUSED)


# Two batches that change the same rows, each in its own order
def ingest(batches, db):
    batch = yield batches.receive()
    try:
        yield db.begin()
        for key in batch.body:
            row = yield db.read(key, for_update=True)
            yield db.update(key, {**row, batch.id: True})
        yield db.commit()
    except Deadlock:
        yield db.rollback()  # it is logged
    yield batches.ack(batch)


def ingest_in_one_order(batches, db):
    batch = yield batches.receive()
    yield db.begin()
    for key in sorted(batch.body):
        row = yield db.read(key, for_update=True)
        yield db.update(key, {**row, batch.id: True})
    yield db.commit()
    yield batches.ack(batch)


def ingest_again(batches, db):
    batch = yield batches.receive()
    done = False
    while not done:
        try:
            yield db.begin()
            for key in batch.body:
                row = yield db.read(key, for_update=True)
                yield db.update(key, {**row, batch.id: True})
            done = yield db.commit()
        except Deadlock:
            yield db.rollback()
    yield batches.ack(batch)


def both_are_in(db):
    return len(db["a"]) == len(db["b"]) == 2


def test_two_batches_lock_two_rows_in_opposite_order():
    """datahub: https://github.com/datahub-project/datahub/pull/18401. The fix is to lock in one order."""
    batches = Queue([["a", "b"], ["b", "a"]], visibility_timeout=30)
    store = Scenario(batches=batches, db=Database({"a": {}, "b": {}}), workers=2, eventually=[both_are_in])
    trace = found(store, ingest, "both_are_in")
    assert "Deadlock" in str(trace)
    survives(store, ingest_in_one_order, trace)
    survives(store, ingest_again, trace)
    holds(store, ingest_in_one_order, *HARDER)
    holds(store, ingest_again, *HARDER, {"pauses": 1})
    assert not store.explore(ingest_in_one_order, crashes=0).uncaught  # and there is no Deadlock any more


def test_a_deadlock_that_nobody_catches_is_told_of():
    """Whoever is started again by a supervisor loses nothing; it has to be said all the same."""

    def ingest_bravely(batches, db):
        batch = yield batches.receive()
        yield db.begin()
        for key in batch.body:
            row = yield db.read(key, for_update=True)
            yield db.update(key, {**row, batch.id: True})
        yield db.commit()
        yield batches.ack(batch)

    batches = Queue([["a", "b"], ["b", "a"]], visibility_timeout=30)
    store = Scenario(batches=batches, db=Database({"a": {}, "b": {}}), workers=2, eventually=[both_are_in])
    holds(store, ingest_bravely, NO_FAULT)
    assert "ingest_bravely ended with Deadlock, which nobody caught" in str(store.explore(ingest_bravely, crashes=0))
