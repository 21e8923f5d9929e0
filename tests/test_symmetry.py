"""Workers that are alike: one state stands for all that differ only in who of them is where."""

import random

import pytest

from simlib import Database, Lock, Queue, Scenario
from simlib.check import explore
from simlib.check.encoding import FIELD, MASK, Encoding
from simlib.check.symmetry import Symmetry
from simlib.resources import AdvisoryLock
from simlib.scenario import system_of
from simlib.schedule.budget import Budget, Limits


def reads(db):
    yield db.read("x")


def writes(db):
    yield db.write("x", 1)


def asks_who(me, db):
    yield db.write("x", me)


class Names:
    """In the place of a ledger: writes down which names were exchanged."""

    owned = (0,)

    def renamed(self, place, number, names):
        self.names = dict(names)
        return number


@pytest.mark.parametrize("counts", [(4, 1), (2, 3), (1, 2), (3, 3)])
def test_a_worker_that_overtakes_is_put_where_sorting_them_all_puts_it_and_names_follow(counts):
    system = system_of(Scenario(db=Database()), [reads, writes], dict(zip(("reads", "writes"), counts)))
    letters, layout, ledger = [*system.cast], Encoding(sum(counts), 1), Names()
    symmetry, draw = Symmetry(system, layout, ledger), random.Random(0)
    for _ in range(500):
        state = symmetry.sorted(layout.pack((*(draw.randrange(5) for _ in letters), 0), 7))
        nodes, worker, node = layout.nodes(state), draw.randrange(len(letters)), draw.randrange(5)
        moved = state + (node - nodes[worker] << FIELD * worker)
        _, low, high = symmetry.neighbours[worker]
        bounds, ledger.names = [*nodes, 0, MASK], {}
        if not bounds[low] <= node <= bounds[high]:
            moved = symmetry.overtaken(moved, nodes, worker, node)
        nodes[worker] = node
        assert moved == symmetry.sorted(moved)
        assert {ledger.names.get(letter, letter): at for letter, at in zip(letters, nodes)} == dict(
            zip(letters, layout.nodes(moved))
        )


def both(scenario, worker, **faults):
    system = system_of(scenario, worker, 2)
    return [explore(system, Budget(faults), Limits(), symmetric=on) for on in (True, False)]


def test_workers_who_ask_who_they_are_are_told_apart():
    some, all_of_them = both(Scenario(db=Database()), asks_who, crashes=1)
    assert some.states == all_of_them.states


# Leases say whose they are, and not everybody minds


def takes_a_lease(lock, db):
    lease = yield lock.acquire(ttl=9)
    yield db.write("x", lease.token)
    yield lock.release(lease)


def writes_it_down(lock, db):
    lease = yield lock.acquire(ttl=9)
    yield db.write("x", lease.value)
    yield lock.release(lease)


def stores_it(lock, db):
    lease = yield lock.acquire(ttl=9)
    yield db.write("x", lease)
    yield lock.release(lease)


def sends_it(lock, inbox):
    lease = yield lock.acquire(ttl=9)
    yield inbox.send([lease])
    yield lock.release(lease)


def prefers_a(lock, db):
    lease = yield lock.acquire(ttl=9)
    if lease.value[0] == "A":
        yield db.write("x", 1)
    yield lock.release(lease)


def remembers_a_letter(lock, db):
    lease = yield lock.acquire(ttl=9)
    held = lease.value[:1]
    yield lock.release(lease)
    yield db.write("x", held == "B")


def looks_who_holds_it(lock, db):
    lease = yield lock.acquire(ttl=9)
    yield db.write("x", (yield lock.read()))
    yield lock.release(lease)


def shop(**claims):
    return Scenario(lock=Lock(), db=Database(), inbox=Queue(), **claims)


def test_who_hands_a_lease_back_without_looking_is_like_the_others():
    some, all_of_them = both(shop(), takes_a_lease, crashes=1, pauses=1)
    assert (some.schedules, some.outcomes) == (all_of_them.schedules, all_of_them.outcomes)
    assert some.states < 0.6 * all_of_them.states


@pytest.mark.parametrize(
    "worker", [writes_it_down, stores_it, sends_it, prefers_a, remembers_a_letter, looks_who_holds_it]
)
def test_who_makes_something_of_its_name_is_not(worker):
    some, all_of_them = both(shop(), worker, crashes=1)
    assert some.states == all_of_them.states
    assert (some.schedules, some.outcomes) == (all_of_them.schedules, all_of_them.outcomes)


def test_a_property_that_reads_the_name_is_asked_of_everybody_by_name():
    def b_never_holds_it(lock):
        return lock.holder is None or not lock.holder.startswith("B")

    some, all_of_them = both(shop(always=[b_never_holds_it]), takes_a_lease)
    assert some.verdict == "violated"
    assert str(some) == str(all_of_them)
    assert some.counterexample["lock"].holder == "B#1"


# Locks that belong to a session say whose


def takes_turns(lock, db):
    yield lock.acquire()
    yield db.write("x", 1)
    yield lock.release()


def guarded(**claims):
    return Scenario(lock=AdvisoryLock(), other=AdvisoryLock(), db=Database(), **claims)


def test_who_holds_a_sessions_lock_is_like_the_others():
    some, all_of_them = both(guarded(always=[lambda lock: lock.holder != "C"]), takes_turns, crashes=1)
    assert (some.schedules, some.outcomes) == (all_of_them.schedules, all_of_them.outcomes)
    assert some.states < 0.6 * all_of_them.states


def test_a_property_that_asks_for_one_of_them_by_name_is_asked_of_each():
    some, all_of_them = both(guarded(always=[lambda lock: lock.holder != "B"]), takes_turns)
    assert some.verdict == "violated"
    assert str(some) == str(all_of_them)


def takes_both(lock, other):
    yield lock.acquire()
    yield other.acquire()
    yield other.release()
    yield lock.release()


def test_two_locks_that_one_holds_are_never_shown_as_held_by_two():
    def together(lock, other):
        return None in (lock.holder, other.holder) or lock.holder == other.holder

    some, all_of_them = both(guarded(always=[together]), takes_both, crashes=1)
    assert (some.verdict, some.schedules) == ("holds", all_of_them.schedules)
    assert some.states < all_of_them.states
