"""A lock that is a key in a store: whoever deletes the key frees it, and a holder learns of that only by asking."""

import pytest

from simlib import Lock, OutcomeUnknown
from simlib.model.operation import Blocked
from tests.resources import Driven


@pytest.fixture
def lock():
    return Driven(Lock(), "lock")


# Acquiring


def test_acquire_answers_a_lease_with_a_value_of_its_own_and_a_token(lock):
    lease = lock.by("A").acquire()
    assert (lease.value, lease.token, lock.seen.holder) == ("A#1", 1, "A#1")


def test_acquire_waits_while_the_lock_is_held(lock):
    lock.by("A").acquire()
    with pytest.raises(Blocked):
        lock.by("B").acquire()


def test_try_acquire_answers_none_at_once_while_the_lock_is_held(lock):
    assert lock.by("A").try_acquire().token == 1
    assert lock.by("B").try_acquire() is None
    assert lock.seen.holder == "A#1"


def test_nobody_is_let_in_twice_not_even_the_holder(lock):
    lock.by("A").acquire("me")
    assert lock.by("A").try_acquire("me") is None


def test_tokens_grow_with_every_acquisition(lock):
    tokens = []
    for who in "ABA":
        lease = lock.by(who).acquire()
        tokens.append(lease.token)
        lock.by(who).release(lease)
    assert tokens == [1, 2, 3]


# Both kinds of release of lesson 02


def test_with_a_shared_value_delete_frees_somebody_elses_lock(lock):
    lock.by("A").acquire("locked", ttl=10)
    lock.run_out()
    lock.by("B").acquire("locked", ttl=10)
    assert lock.by("A").delete() is None  # as if it were still A's
    assert lock.seen.holder is None
    assert lock.by("C").try_acquire("locked") is not None  # while B believes to hold it


def test_with_a_shared_value_comparing_first_does_not_help(lock):
    lease = lock.by("A").acquire("locked", ttl=10)
    lock.run_out()
    lock.by("B").acquire("locked", ttl=10)
    assert lock.by("A").release(lease) is True


def test_with_a_value_of_its_own_compare_and_delete_leaves_somebody_elses_lock_alone(lock):
    lease = lock.by("A").acquire(ttl=10)
    lock.run_out()
    lock.by("B").acquire(ttl=10)
    assert lock.by("A").release(lease) is False
    assert lock.seen.holder == "B#2"


def test_get_compare_delete_in_two_steps_can_be_written_and_is_wrong(lock):
    lease = lock.by("A").acquire(ttl=10)
    assert lock.by("A").read() == lease.value  # still A's ...
    lock.run_out()
    lock.by("B").acquire(ttl=10)
    lock.by("A").delete()  # ... and now it is B's that goes
    assert lock.seen.holder is None


def test_properties_see_how_often_somebody_else_freed_it(lock):
    lease = lock.by("A").acquire()
    lock.by("A").release(lease)
    assert lock.seen.freed_by_others == 0
    lock.by("A").acquire("locked")
    lock.by("B").delete()
    assert lock.seen.freed_by_others == 1
    lock.by("B").delete()  # it is free: nobody is harmed
    assert lock.seen.freed_by_others == 1


def test_release_answers_whether_it_freed_the_lock(lock):
    lease = lock.by("A").acquire()
    assert [lock.by("A").release(lease), lock.by("A").release(lease)] == [True, False]


def test_delete_of_a_free_lock_does_nothing(lock):
    assert lock.by("A").delete() is None


# Leases


def test_a_lease_has_a_timer_that_belongs_to_its_holder(lock):
    lock.by("A").acquire(ttl=10)
    assert lock.timers() == [("lease", "A", 10)]


def test_without_a_ttl_a_holder_that_dies_keeps_the_lock_for_ever(lock):
    lock.by("A").acquire()
    lock.state.owner_gone("A")
    assert lock.timers() == []
    with pytest.raises(Blocked):
        lock.by("B").acquire()


def test_when_the_holder_is_gone_the_lease_is_nobodys_and_still_runs(lock):
    lock.by("A").acquire(ttl=10)
    lock.state.owner_gone("B")
    assert lock.timers() == [("lease", "A", 10)]
    lock.state.owner_gone("A")
    assert lock.timers() == [("lease", None, 10)]
    lock.run_out()
    assert lock.by("B").try_acquire() is not None


def test_after_its_lease_ran_out_a_holder_learns_of_it_only_by_asking(lock):
    lease = lock.by("A").acquire(ttl=10)
    lock.run_out()
    assert (lease.value, lease.token) == ("A#1", 1)  # in its hand nothing has changed
    assert lock.by("A").read() is None
    assert lock.by("A").renew(lease, ttl=10) is False
    assert lock.by("A").release(lease) is False
    lock.by("B").acquire()
    assert lock.by("A").read() == "B#2"


def test_renewing_starts_the_time_again(lock):
    lease = lock.by("A").acquire(ttl=10)
    (first,) = lock.state.timers()
    assert lock.by("A").renew(lease, ttl=30) is True
    assert lock.timers() == [("lease", "A", 30)]
    assert first not in lock.state.timers()  # so that a clock knows its old wake-up call to be stale
    (second,) = lock.state.timers()
    assert lock.by("A").renew(lease, ttl=30) is True
    assert second not in lock.state.timers()  # also where it is for as long as before
    lock.run_out()
    assert lock.seen.holder is None


def test_the_timer_of_a_lease_that_was_released_is_stale(lock):
    lease = lock.by("A").acquire("locked", ttl=10)
    (timer,) = lock.state.timers()
    lock.by("A").release(lease)
    lock.by("B").acquire("locked", ttl=10)
    (newer,) = lock.state.timers()
    assert newer.id == timer.id and newer.armed != timer.armed


def test_a_lease_that_ran_out_renews_nobody_elses(lock):
    lease = lock.by("A").acquire(ttl=10)
    lock.run_out()
    lock.by("B").acquire(ttl=10)
    assert lock.by("A").renew(lease, ttl=99) is False
    assert lock.timers() == [("lease", "B", 10)]


def test_renewing_with_a_shared_value_keeps_somebody_elses_lease_alive(lock):
    lease = lock.by("A").acquire("locked", ttl=10)
    lock.run_out()
    lock.by("B").acquire("locked", ttl=10)
    assert lock.by("A").renew(lease, ttl=10) is True
    assert lock.timers() == [("lease", "A", 10)]


# Faults and sight


def test_a_lost_reply_leaves_a_lock_that_nobody_knows_to_hold(lock):
    with pytest.raises(OutcomeUnknown):
        lock.by("A", "lost_replies").acquire(ttl=10)
    assert lock.seen.holder == "A#1"


def test_a_lease_reads_as_its_value_and_token(lock):
    assert repr(lock.by("A").acquire("locked")) == 'lease "locked", token 1'


def test_a_lock_is_summed_up_in_a_few_words(lock):
    assert lock.state.summary() == "free"
    lock.by("A").acquire("locked")
    assert lock.state.summary() == "held: locked"


def test_long_values_that_differ_at_their_end_make_different_states():
    one, other = Driven(Lock(), "lock"), Driven(Lock(), "lock")
    one.by("A").acquire("a" * 99 + "1")
    other.by("A").acquire("a" * 99 + "2")
    assert one.state.key() != other.state.key()
