"""SELECT ... FOR UPDATE around a check, around a request, and around a mail run."""

from simlib import Database, Queue, Scenario, Service
from simlib.resources import AdvisoryLock
from tests.real_bugs import HARDER, NO_FAULT, found, holds, survives


# A job queue with a semaphore for each kind of job: one of them runs, the others are blocked
def enqueue(db):
    yield db.begin()
    if (yield db.read("semaphore")) > 0:
        yield db.add("semaphore", -1)
        yield db.insert("ready/b", "job")
    else:
        yield db.insert("blocked/b", "job")
    yield db.commit()


def enqueue_locked(db):
    yield db.begin()
    if (yield db.read("semaphore", for_update=True)) > 0:
        yield db.add("semaphore", -1)
        yield db.insert("ready/b", "job")
    else:
        yield db.insert("blocked/b", "job")
    yield db.commit()


def finish(db):
    yield db.compare_and_set("semaphore", 0, 1)  # UPDATE ... SET n = n + 1 WHERE n < 1
    yield db.begin()
    for blocked, job in (yield db.scan("blocked/", limit=1, for_update=True, skip_locked=True)):
        yield db.add("semaphore", -1)
        yield db.delete(blocked)
        yield db.insert("ready/b", job)
    yield db.commit()


def nobody_is_blocked_by_nobody(db):
    return "blocked/b" not in db or db["semaphore"] == 0


def one_runs_at_most(db):
    return db["semaphore"] >= 0


def test_a_job_is_blocked_just_when_the_semaphore_is_free_again():
    """solid_queue, the second of three causes: https://github.com/rails/solid_queue/pull/689"""
    queue = Scenario(db=Database({"semaphore": 0}), always=[one_runs_at_most], eventually=[nobody_is_blocked_by_nobody])
    trace = found(queue, [enqueue, finish], "nobody_is_blocked_by_nobody")
    survives(queue, [enqueue_locked, finish], trace)
    holds(queue, [enqueue_locked, finish], NO_FAULT, {"crashes": 2}, {"outages": 2})


# A shop: the page completes a checkout, and so does the payment provider's webhook
def complete(db, bank, page):
    checkout = yield db.read("checkout")
    if checkout is not None:
        yield bank.call("capture", idempotency_key="checkout")
        yield db.begin()
        if not (yield db.update("checkout", paid=True)):
            yield page.call("error")  # no such checkout
            return
        yield db.insert("order", checkout["cart"])
        yield db.delete("checkout")
        yield db.commit()
    yield page.call("thank you", idempotency_key="checkout")


def complete_locked(db, bank, page):
    if (yield db.read("checkout")) is not None:
        yield bank.call("capture", idempotency_key="checkout")
    yield db.begin()
    checkout = yield db.read("checkout", for_update=True)
    if checkout is not None:  # else the webhook was first
        yield db.insert("order", checkout["cart"])
        yield db.delete("checkout")
    yield db.commit()
    yield page.call("thank you", idempotency_key="checkout")


def webhook(hooks, db):
    event = yield hooks.receive()
    yield db.begin()
    checkout = yield db.read("checkout", for_update=True)
    if checkout is not None:
        yield db.insert("order", checkout["cart"])
        yield db.delete("checkout")
    yield db.commit()
    yield hooks.ack(event)


def who_has_paid_sees_no_error(page):
    return page.count("error") == 0


def ordered(db, page):
    return db["order"] == "shoes" and "checkout" not in db and page.count("thank you") == 1


def test_a_webhook_deletes_the_checkout_that_a_request_is_about_to_update():
    """saleor: https://github.com/saleor/saleor/issues/12652, and https://github.com/saleor/saleor/pull/12647"""
    shop = Scenario(
        hooks=Queue(["paid"], visibility_timeout=30), db=Database({"checkout": {"cart": "shoes", "paid": False}}),
        bank=Service(), page=Service(), always=[who_has_paid_sees_no_error], eventually=[ordered],
    )  # fmt: skip
    trace = found(shop, [complete, webhook], "who_has_paid_sees_no_error")
    survives(shop, [complete_locked, webhook], trace)
    holds(shop, [complete_locked, webhook], *HARDER, {"pauses": 1}, {"crashes": 1, "pauses": 1})


# A mail run, which a task begins for every mail
def send_queued(db, smtp):
    for mail, address in (yield db.scan("queued/")):
        yield smtp.call("send", address)
        yield db.delete(mail)


def send_after_a_look_with_locks(db, smtp):
    yield db.begin()
    queued = yield db.scan("queued/", for_update=True, skip_locked=True)
    yield db.commit()  # and the rows are free
    for mail, address in queued:
        yield smtp.call("send", address)
        yield db.delete(mail)


def send_in_a_transaction(db, smtp):
    yield db.begin()
    for mail, address in (yield db.scan("queued/", for_update=True, skip_locked=True)):
        yield smtp.call("send", address)
        yield db.delete(mail)
    yield db.commit()


def send_with_a_key(db, smtp):
    yield db.begin()
    for mail, address in (yield db.scan("queued/", for_update=True, skip_locked=True)):
        yield smtp.call("send", address, idempotency_key=mail)
        yield db.delete(mail)
    yield db.commit()


def send_one_run_at_a_time(lock, db, smtp):
    yield lock.acquire()
    for mail, address in (yield db.scan("queued/")):
        yield smtp.call("send", address)
        yield db.delete(mail)
    yield lock.release()


def sent_once_at_most(smtp):
    return smtp.count("send", "ann") <= 1 and smtp.count("send", "bob") <= 1


def all_are_sent(smtp):
    return smtp.count("send", "ann") >= 1 and smtp.count("send", "bob") >= 1


def post_office(*always):
    return Scenario(
        db=Database({"queued/1": "ann", "queued/2": "bob"}), smtp=Service(), lock=AdvisoryLock(), workers=2,
        always=always, eventually=[all_are_sent],
    )  # fmt: skip


def test_two_mail_runs_send_the_same_mail():
    """post_office: https://github.com/ui/django-post_office/issues/326"""
    trace = found(post_office(sent_once_at_most), send_queued, "sent_once_at_most")
    for fix in (send_one_run_at_a_time, send_in_a_transaction):
        survives(post_office(sent_once_at_most), fix, trace)


def test_a_look_with_locks_that_ends_before_the_mail_is_sent_locks_nothing():
    """The first fix, which its reporter tried: https://github.com/ui/django-post_office/pull/338"""
    found(post_office(sent_once_at_most), send_after_a_look_with_locks, "sent_once_at_most")


def test_one_run_at_a_time_or_rows_locked_up_to_its_end_send_each_mail_once():
    """The published fix is a lock around the run: https://github.com/ui/django-post_office/pull/350. Mail has no
    idempotency key, so a crash between a mail and the commit sends it again: no lock helps there.
    """
    for run in (send_one_run_at_a_time, send_in_a_transaction):
        holds(post_office(sent_once_at_most), run, NO_FAULT)
        holds(post_office(), run, *HARDER)  # none is lost
        found(post_office(sent_once_at_most), run, "sent_once_at_most", crashes=1)
    holds(post_office(sent_once_at_most), send_with_a_key, *HARDER)


# The same as a queue of jobs in a table
def work_unlocked(db, smtp):
    for job, address in (yield db.scan("queued/", limit=1)):
        yield smtp.call("send", address)
        yield db.delete(job)


def work_then_forget(db, smtp):
    yield db.begin()
    jobs = yield db.scan("queued/", limit=1, for_update=True, skip_locked=True)
    for job, _ in jobs:
        yield db.delete(job)
    yield db.commit()
    for _, address in jobs:
        yield smtp.call("send", address)


def work(db, smtp):
    yield db.begin()
    for job, address in (yield db.scan("queued/", limit=1, for_update=True, skip_locked=True)):
        yield smtp.call("send", address, idempotency_key=job)
        yield db.delete(job)
    yield db.commit()


def test_a_job_that_is_claimed_without_a_lock_is_done_twice():
    """Why SKIP LOCKED: https://www.postgresql.org/docs/current/sql-select.html, "queue-like table"."""
    found(post_office(sent_once_at_most), work_unlocked, "sent_once_at_most")
    holds(post_office(sent_once_at_most), work, *HARDER)


def test_a_job_that_is_forgotten_before_it_is_done_is_lost_with_its_worker():
    holds(post_office(sent_once_at_most), work_then_forget, NO_FAULT)
    found(post_office(sent_once_at_most), work_then_forget, "all_are_sent", crashes=1)
