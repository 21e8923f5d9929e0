"""Bugs that people reported, redrawn: what is found, and that the published fix holds. No code of a report is here."""

from simlib import Database, Lock, Queue, Scenario, Service
from simlib.resources import AdvisoryLock

# rails/solid_queue #689, saleor #12652, ui/django-post_office #326: a check, a payment, a mail run, each done twice at
# once. The fix is a lock that ends with its session: SELECT FOR UPDATE, for which an advisory lock stands here.


def enqueue(db):
    if not (yield db.read("running")):
        yield db.write("running", True)
        yield db.insert((yield db.next_id()), "job")


def enqueue_locked(lock, db):
    yield lock.acquire()
    yield from enqueue(db)
    yield lock.release()


def one_job(db):
    return len([key for key in db.rows if key != "running"]) <= 1


def pay(bank, db):
    if (yield db.read("order")) != "paid":
        yield bank.call("charge", 20, idempotency_key=(yield db.next_id()))  # a new key for each request
        yield db.write("order", "paid")


def pay_locked(lock, bank, db):
    yield lock.acquire()
    if (yield db.read("order")) != "paid":
        yield bank.call("charge", 20, idempotency_key="order")
        yield db.write("order", "paid")
    yield lock.release()


def charged_once(bank):
    return bank.count("charge") <= 1


def paid(db):
    return db["order"] == "paid"


def send_queued(mail, db):
    for number, state in (yield db.scan("mail")):
        if state == "queued":
            yield mail.call("send", number)
            yield db.write(number, "sent")


def send_queued_locked(lock, mail, db):
    yield lock.acquire()
    yield from send_queued(mail, db)
    yield lock.release()


def sent_once(mail):
    return mail.count("send", "mail 1") <= 1 and mail.count("send", "mail 2") <= 1


def all_sent(db):
    return all(state == "sent" for state in db.rows.values())


def jobs(**more):
    return Scenario(db=Database(), always=[one_job], **more)


def orders(**more):
    return Scenario(bank=Service(), db=Database(), always=[charged_once], eventually=[paid], **more)


def mails(**more):
    rows = {"mail 1": "queued", "mail 2": "queued"}
    return Scenario(mail=Service(), db=Database(rows), eventually=[all_sent], **more)


def verdict(scenario, worker, **faults):
    return scenario.explore(worker, workers=2, **faults).verdict


def test_a_check_a_payment_and_a_mail_run_that_two_do_at_once_are_done_twice():
    assert verdict(jobs(), enqueue, crashes=0) == "violated"
    assert verdict(orders(), pay, crashes=0) == "violated"
    assert verdict(mails(always=[sent_once]), send_queued, crashes=0) == "violated"


def test_under_a_lock_that_ends_with_its_session_each_is_done_once_whatever_happens_to_its_holder():
    for fault in ("crashes", "pauses", "node_losses", "power_losses"):
        assert verdict(jobs(lock=AdvisoryLock()), enqueue_locked, **{fault: 1}) == "holds"
        assert verdict(mails(lock=AdvisoryLock()), send_queued_locked, **{fault: 1}) == "holds"
        if fault != "node_losses":  # of both workers, nobody may be left
            assert verdict(orders(lock=AdvisoryLock()), pay_locked, **{fault: 1}) == "holds"
    assert verdict(mails(lock=AdvisoryLock(), always=[sent_once]), send_queued_locked, pauses=1) == "holds"


def test_what_is_sent_before_a_crash_is_sent_again_for_no_lock_makes_it_atomic():
    assert verdict(mails(lock=AdvisoryLock(), always=[sent_once]), send_queued_locked, crashes=1) == "violated"


def test_a_key_in_a_store_is_no_such_lock_a_crash_keeps_it_for_ever_or_a_pause_ends_it():
    def kept(lock, mail, db):
        lease = yield lock.acquire()
        yield from send_queued(mail, db)
        yield lock.release(lease)

    def ends(lock, mail, db):
        lease = yield lock.acquire(ttl=10)
        yield from send_queued(mail, db)
        yield lock.release(lease)

    assert mails(lock=Lock()).explore(kept, workers=2, crashes=1).claim == "stuck"
    assert verdict(mails(lock=Lock(), always=[sent_once]), ends, pauses=1) == "violated"


# goauthentik #23876: the lock of a migration is taken through a pooler, which gives each statement to any of its
# connections; the release comes to another one than the acquisition, and answers false, which nobody reads. A pooled
# connection outlives its clients, so each is a role of its own. The fix (its #23013): a connection past the pooler.


def connection(pooler, answers, lock):
    while True:
        statement = yield pooler.receive()
        if statement.body == "lock":
            yield lock.acquire()
        else:
            yield lock.release()
        yield answers.send(statement.body)
        yield pooler.ack(statement)


def migrate(pooler, answers, db):
    for statement in ("lock", "unlock"):
        yield pooler.send(statement)
        answer = yield answers.receive()
        yield answers.ack(answer)
        if statement == "lock":
            yield db.write("schema", 2)


def migrate_directly(lock, db):
    yield lock.acquire()
    yield db.write("schema", 2)
    yield lock.release()


def never_locked_for_good(lock):
    return lock.holder is None


def test_a_lock_taken_through_a_pooler_is_never_released():
    pods = Scenario(
        pooler=Queue(), answers=Queue(), lock=AdvisoryLock(), db=Database(), eventually=[never_locked_for_good]
    )
    report = pods.explore([migrate, connection], workers={"connection": 2}, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "never_locked_for_good")
    assert [event.answer for event in report.counterexample.events if event.op.verb == "release"] == [False]


def test_taken_past_the_pooler_it_is_released_by_a_crash_too():
    pods = Scenario(lock=AdvisoryLock(), db=Database(), eventually=[never_locked_for_good])
    for fault in ("crashes", "pauses", "node_losses"):
        assert pods.explore(migrate_directly, workers=3, **{fault: 2}).verdict == "holds"
