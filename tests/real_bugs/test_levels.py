"""What a transaction at the wrong level lets through, and what it costs at the right one."""

from simlib import Database, Queue, Scenario
from simlib.errors import AlreadyExists, SerializationFailure, TransactionAborted
from tests.real_bugs import HARDER, NO_FAULT, found, holds, survives

FAULTS = [NO_FAULT, {"crashes": 2}, {"outages": 1}]  # a deposit that is made again after a lost reply is another one


# A lost update
def deposit(db):
    yield db.begin()
    balance = yield db.read("balance")
    yield db.update("balance", balance + 10)
    yield db.commit()


def deposit_by_adding(db):
    yield db.begin()
    yield db.add("balance", 10)
    yield db.commit()


def deposit_locked(db):
    yield db.begin()
    balance = yield db.read("balance", for_update=True)
    yield db.update("balance", balance + 10)
    yield db.commit()


def deposit_again(db):
    while True:
        try:
            yield db.begin("repeatable read")
            balance = yield db.read("balance")
            yield db.update("balance", balance + 10)
            yield db.commit()
            return
        except SerializationFailure:
            yield db.rollback()


def deposit_once(db):
    yield db.begin("repeatable read")
    balance = yield db.read("balance")
    yield db.update("balance", balance + 10)
    yield db.commit()


def both_are_paid_in(db):
    return db["balance"] == 20


def test_a_deposit_is_lost_at_read_committed_and_its_three_fixes_lose_none():
    """P4 of https://github.com/ept/hermitage; PostgreSQL's manual, "Transaction Isolation"."""
    account = Scenario(db=Database({"balance": 0}), workers=2, eventually=[both_are_paid_in])
    trace = found(account, deposit, "both_are_paid_in")
    for fix in (deposit_by_adding, deposit_locked, deposit_again):
        holds(account, fix, *FAULTS)
        survives(account, fix, trace)


def test_repeatable_read_without_a_retry_loses_the_request_instead():
    requests = Scenario(db=Database({"balance": 0}), workers=2, restarts=False, eventually=[both_are_paid_in])
    trace = found(requests, deposit_once, "both_are_paid_in")
    assert type(trace.events[-1].answer) is SerializationFailure
    holds(requests, deposit_again, NO_FAULT)


# Two doctors on call, both of whom ask to go home
def go_home(inbox, db):
    doctor = yield inbox.receive()
    yield db.begin("repeatable read")
    if len((yield db.scan("on call/"))) > 1:
        yield db.delete(f"on call/{doctor.body}")
    yield db.commit()
    yield inbox.ack(doctor)


def go_home_serializable(inbox, db):
    doctor, answered = (yield inbox.receive()), False
    while not answered:
        try:
            yield db.begin("serializable")
            if len((yield db.scan("on call/"))) > 1:
                yield db.delete(f"on call/{doctor.body}")
            answered = yield db.commit()
        except SerializationFailure:
            yield db.rollback()
    yield inbox.ack(doctor)


def go_home_locked(inbox, db):
    doctor = yield inbox.receive()
    yield db.begin()
    if len((yield db.scan("on call/", for_update=True))) > 1:
        yield db.delete(f"on call/{doctor.body}")
    yield db.commit()
    yield inbox.ack(doctor)


def somebody_is_on_call(db):
    return len(db.rows) >= 1


def one_has_gone_home(db):
    return len(db.rows) == 1


def test_both_doctors_go_home_at_repeatable_read():
    """Kleppmann, "Designing Data-Intensive Applications", 2017, chapter 7; Ports and Grittner, "Serializable Snapshot
    Isolation in PostgreSQL", 2012.
    """
    hospital = Scenario(
        inbox=Queue(["ann", "bob"], visibility_timeout=30), workers=2,
        db=Database({"on call/ann": True, "on call/bob": True}),
        always=[somebody_is_on_call], eventually=[one_has_gone_home],
    )  # fmt: skip
    trace = found(hospital, go_home, "somebody_is_on_call")
    for fix in (go_home_serializable, go_home_locked):
        holds(hospital, fix, *HARDER, {"pauses": 1})
        survives(hospital, fix, trace)


# Get or create, in a transaction that has read before
def tag(db):
    yield db.begin("repeatable read")
    tag = yield db.read("tag")
    while tag is None:
        try:
            yield db.insert("tag", "python")
            tag = yield db.read("tag")
        except (AlreadyExists, TransactionAborted):
            tag = None  # somebody else was first: look again
    yield db.insert((yield db.next_id("post")), tag)
    yield db.commit()


def tag_once(db):
    yield db.begin("repeatable read")
    tag = yield db.read("tag")
    if tag is None:
        try:
            yield db.insert("tag", "python")
        except AlreadyExists:
            pass  # somebody else was first
        tag = yield db.read("tag")
    yield db.insert((yield db.next_id("post")), tag)
    yield db.commit()


def tag_at_read_committed(db):
    yield db.begin("read committed")
    yield db.compare_and_set("tag", None, "python")  # INSERT ... ON CONFLICT DO NOTHING
    tag = yield db.read("tag")
    yield db.insert((yield db.next_id("post")), tag)
    yield db.commit()


def tag_in_a_new_transaction(db):
    while True:
        try:
            yield db.begin("repeatable read")
            tag = yield db.read("tag")
            if tag is None:
                yield db.insert("tag", tag := "python")
            yield db.insert((yield db.next_id("post")), tag)
            yield db.commit()
            return
        except AlreadyExists:
            yield db.rollback()


def both_posts_are_tagged(db):
    return db["tag"] == "python" and list(db.rows.values()).count("python") == 3


def test_a_row_that_is_there_and_is_never_seen():
    """Django: https://code.djangoproject.com/ticket/13906, on MySQL. There an error leaves a transaction open, so that
    a second look answers what the first did; PostgreSQL refuses to look.
    """
    posts = Scenario(db=Database(), workers=2, restarts=False, eventually=[both_posts_are_tagged])
    trace = found(posts, tag_once, "both_posts_are_tagged")
    assert [type(event.answer) for event in trace.events[-2:]] == [AlreadyExists, TransactionAborted]
    found(posts, tag, "livelock")
    for fix in (tag_at_read_committed, tag_in_a_new_transaction):
        holds(posts, fix, NO_FAULT)
        holds(Scenario(db=Database(), workers=2, eventually=[both_posts_are_tagged]), fix, *FAULTS)
