"""The sample of the README, for every test that needs a worker that breaks and one that holds."""

from simlib import Database, Queue, Scenario, Service


def charge(inbox, bank, db):
    message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def charge_once(inbox, bank, db):
    message = yield inbox.receive()
    yield bank.call("charge", 20, idempotency_key=message.id)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def charged_at_most_once(bank):
    return bank.count("charge") <= 1


def shop(workers=2, restarts=True):
    return Scenario(
        inbox=Queue(["order-1"], visibility_timeout=30), bank=Service(), db=Database(), workers=workers,
        restarts=restarts, always=[charged_at_most_once],
    )  # fmt: skip
