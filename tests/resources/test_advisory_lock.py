"""A lock that belongs to a session: freed by its release and by the session's end, and by nothing else."""

import pytest

from simlib import OutcomeUnknown, Unavailable
from simlib.model.operation import Blocked
from simlib.resources import AdvisoryLock
from tests.resources import Driven


@pytest.fixture
def lock():
    return Driven(AdvisoryLock(), "lock")


def test_whoever_acquires_it_holds_it_until_it_is_released(lock):
    assert lock.by("A").acquire() is None
    assert lock.seen.holder == "A"
    assert lock.by("A").release() is True
    assert lock.seen.holder is None


def test_while_one_holds_it_another_waits_or_is_told_no(lock):
    lock.by("A").acquire()
    with pytest.raises(Blocked):
        lock.by("B").acquire()
    assert lock.by("B").try_acquire() is False
    assert lock.state.awaited(lock.steps.acquire(), "B") == "A"
    lock.by("A").release()
    assert lock.by("B").try_acquire() is True


def test_requests_stack_so_whoever_acquires_twice_releases_twice(lock):
    lock.by("A").acquire()
    assert lock.by("A").try_acquire() is True
    assert lock.state.summary() == "held by A, 2 times"
    assert lock.by("A").release() is True
    assert lock.by("B").try_acquire() is False
    assert lock.by("A").release() is True
    assert lock.by("B").try_acquire() is True


def test_nobody_releases_what_another_holds(lock):
    assert lock.by("A").release() is False
    lock.by("A").acquire()
    assert lock.by("B").release() is False
    assert lock.seen.holder == "A"


def test_it_has_no_timer(lock):
    lock.by("A").acquire()
    assert (lock.state.has_timers, lock.timers()) == (False, [])


@pytest.mark.parametrize("who", ["A", None])
def test_the_end_of_the_holders_run_frees_all_that_it_held(lock, who):
    lock.by("A").acquire()
    lock.by("A").acquire()
    lock.state.owner_gone(who)
    assert lock.by("B").try_acquire() is True


def test_the_end_of_anothers_run_frees_nothing(lock):
    lock.by("A").acquire()
    lock.state.owner_gone("B")
    assert lock.seen.holder == "A"


# The connection


@pytest.mark.parametrize("verb", ["acquire", "try_acquire", "release"])
@pytest.mark.parametrize(("fault", "error"), [("outages", Unavailable), ("lost_replies", OutcomeUnknown)])
def test_a_fault_at_a_step_loses_the_session_and_all_that_it_held(lock, verb, fault, error):
    lock.by("A").acquire()
    lock.by("A").acquire()
    with pytest.raises(error):
        getattr(lock.by("A", fault), verb)()
    assert lock.seen.holder is None
    assert lock.by("A").release() is False


def test_a_lost_reply_leaves_nothing_acquired(lock):
    with pytest.raises(OutcomeUnknown):
        lock.by("A", "lost_replies").acquire()
    assert lock.seen.holder is None


def test_the_fault_of_another_session_frees_nothing(lock):
    lock.by("A").acquire()
    for fault, error in (("outages", Unavailable), ("lost_replies", OutcomeUnknown)):
        with pytest.raises(error):
            lock.by("B", fault).try_acquire()
    assert lock.seen.holder == "A"


def test_only_the_connection_can_fail(lock):
    assert lock.ways(lock.steps.acquire()) == [("outages", None), ("lost_replies", None)]


# What others make of it


def test_its_holder_gets_another_name_with_its_worker(lock):
    lock.by("A").acquire()
    lock.by("A").acquire()
    renamed = lock.state.renamed({"A": "B", "B": "A"})
    assert (renamed.holder, renamed.times) == ("B", 2)
    assert lock.state.holder == "A"


def test_an_outsider_finds_it_held_or_free_whoever_holds_it(lock):
    outcomes = [lock.state.outcome()]
    for who in "AB":
        lock.by(who).acquire()
        outcomes.append(lock.state.outcome())
        lock.by(who).release()
    assert outcomes == ["free", "held", "held"]
