"""A job that is enqueued between INSERT and COMMIT."""

from simlib import Clock, Database, Queue, Scenario, Service
from tests.real_bugs import HARDER, NO_FAULT, found, holds, survives


# A forum: who posts, and the job that tells others of it
def post(db, jobs):
    yield db.begin()
    yield db.insert("post-1", "hello")
    yield jobs.send("post-1")
    yield db.commit()


def post_then_enqueue(db, jobs):
    yield db.begin()
    yield db.insert("post-1", "hello")
    yield db.commit()
    yield jobs.send("post-1")


def post_with_outbox(db):
    yield db.begin()
    yield db.insert("post-1", "hello")
    yield db.insert("outbox/1", "post-1")
    yield db.commit()


def relay(db, jobs, clock):
    while True:
        for note, post in (yield db.scan("outbox/")):
            yield jobs.send(post)
            yield db.delete(note)
        yield clock.sleep(1)


def notify(db, jobs, mail):
    job = yield jobs.receive()
    text = yield db.read(job.body)
    if text is not None:  # else it has been deleted since
        yield mail.call("notify", text, idempotency_key=job.body)
    yield jobs.ack(job)


def a_post_is_told_of(db, mail):
    return "post-1" not in db or mail.count("notify") == 1


def nothing_is_told_of_no_post(db, mail):
    return "post-1" in db or mail.count("notify") == 0


def forum(request, **claims):
    """A request is not started again: who posted sees an error page."""
    return Scenario(
        db=Database(), jobs=Queue(visibility_timeout=30), mail=Service(), clock=Clock(),
        restarts={request.__name__: False}, **claims,
    )  # fmt: skip


def test_the_job_runs_before_its_row_is_there():
    """discourse: https://github.com/discourse/discourse/pull/11293"""
    trace = found(forum(post, eventually=[a_post_is_told_of]), [post, notify], "a_post_is_told_of")
    assert [event.op.name for event in trace.events][-2:] == ["jobs.ack", "db.commit"]
    safe = forum(post_then_enqueue, eventually=[a_post_is_told_of])
    survives(safe, [post_then_enqueue, notify], trace)


def test_enqueued_after_the_commit_it_runs_with_its_row():
    """The published fix. It says itself what it costs: a process that dies between the two has enqueued nothing."""
    safe = forum(post_then_enqueue, eventually=[a_post_is_told_of])
    holds(safe, [post_then_enqueue, notify], NO_FAULT)
    found(safe, [post_then_enqueue, notify], "a_post_is_told_of", crashes=1)


def test_a_row_of_an_outbox_is_enqueued_whatever_dies():
    safe = forum(post_with_outbox, always=[nothing_is_told_of_no_post], eventually=[a_post_is_told_of])
    holds(safe, [post_with_outbox, relay, notify], *HARDER)


# A task that is in the memory of the same process: it does not read the row
def post_an_idea(db, tasks):
    yield db.begin()
    yield db.insert("idea-1", "dark mode")
    yield tasks.send("dark mode")
    yield db.commit()


def post_an_idea_then_enqueue(db, tasks):
    yield db.begin()
    yield db.insert("idea-1", "dark mode")
    yield db.commit()
    yield tasks.send("dark mode")


def announce(tasks, mail):
    task = yield tasks.receive()
    yield mail.call("announce", task.body, idempotency_key=task.id)
    yield tasks.ack(task)


def nothing_is_announced_that_was_rolled_back(db, mail):
    return "idea-1" in db or mail.count("announce") == 0


def ideas(request):
    return Scenario(
        db=Database(), tasks=Queue(visibility_timeout=30), mail=Service(), restarts={request.__name__: False},
        eventually=[nothing_is_announced_that_was_rolled_back],
    )  # fmt: skip


def test_a_request_that_fails_has_enqueued_its_task():
    """fider: https://github.com/getfider/fider/pull/314, whose tests say what the fix is for: a request that fails
    enqueues nothing.
    """
    claim = "nothing_is_announced_that_was_rolled_back"
    found(ideas(post_an_idea), [post_an_idea, announce], claim, outages=1)
    found(ideas(post_an_idea), [post_an_idea, announce], claim, crashes=1)
    holds(ideas(post_an_idea_then_enqueue), [post_an_idea_then_enqueue, announce], *HARDER)
