"""Rows with a time to live: what sets it, what takes it off, and what happens when it runs out."""

import pytest

from simlib import AlreadyExists, Clock, Database, OutcomeUnknown, Scenario
from simlib.errors import Mistake, SerializationFailure
from simlib.model.operation import Blocked
from tests.resources import Driven


@pytest.fixture
def db():
    return Driven(Database({"old": 1}), "db")


def test_a_row_runs_out_and_is_gone_as_if_it_had_been_deleted(db):
    db.by("A").insert("x", 1, ttl=60)
    assert db.timers() == [('time to live of "x"', "A", 60)]
    with pytest.raises(AlreadyExists):
        db.by("B").insert("x", 2, ttl=60)
    db.run_out()
    assert ("x" in db.seen, db.by("B").read("x"), db.by("B").add("x", 1), db.timers()) == (False, None, None, [])
    assert db.by("B").insert("x", 2, ttl=9) is None


def test_writing_it_again_takes_the_time_to_live_off_and_adding_to_it_does_not(db):
    def after(step):
        db.by("A").write("x", 1, ttl=60)
        step(db.by("B"))
        return [owner for _, owner, _ in db.timers()]

    assert after(lambda b: b.write("x", 2)) == []
    assert after(lambda b: b.update("x", 2)) == []
    assert after(lambda b: b.compare_and_set("x", 1, 2)) == []
    assert after(lambda b: b.transaction(b._driven.steps.write("x", 2))) == []
    assert after(lambda b: b.delete("x")) == []
    assert after(lambda b: b.add("x", 1)) == ["A"]
    assert after(lambda b: b.write("y", 1)) == ["A"]
    assert after(lambda b: b.write("x", 1, ttl=5)) == ["B"]
    db.by("A").write("x", {"n": 1}, ttl=60)
    db.by("B").update("x", n=2)
    db.by("B").add("x", 1, "n")
    assert (db.seen["x"], len(db.timers())) == ({"n": 3}, 1)


def test_expire_answers_whether_there_is_such_a_row_and_starts_its_time_anew(db):
    assert db.by("A").expire("x", 60) is False
    assert db.by("A").expire("old", 60) is True
    (before,) = db.state.timers()
    assert db.by("B").expire("old", 60) is True
    (timer,) = db.state.timers()
    assert (timer.owner, timer.seconds, timer.armed > before.armed) == ("B", 60, True)


def test_how_often_a_time_was_set_tells_no_states_apart(db):
    keys = set()
    for _ in range(3):
        db.by("A").expire("old", 60)
        keys |= {(db.state.key(), db.state.counted(), db.state.grown)}
    assert len(keys) == 1


def test_what_is_left_of_it_and_whose_it_is_tell_states_apart(db):
    without = db.state.key()
    db.by("A").expire("old", 60)
    of_a = db.state.key()
    db.state.owner_gone("A")
    of_nobody = db.state.key()
    db.by("A").expire("old", 30)
    assert len({without, of_a, of_nobody, db.state.key(), db.state.renamed({"A": "B"}).key()}) == 5


def test_the_writer_owns_it_until_its_run_is_over(db):
    db.by("A").write("x", 1, ttl=60)
    db.state.owner_gone("A")
    assert db.timers() == [('time to live of "x"', None, 60)]


def test_a_lost_reply_has_set_it_and_a_refused_one_has_not(db):
    with pytest.raises(OutcomeUnknown):
        db.by("A", "lost_replies").write("x", 1, ttl=60)
    assert len(db.timers()) == 1
    guarded = [db.steps.write("old", 2, ttl=60), db.steps.compare_and_set("x", None, 3)]
    assert db.by("A").transaction(*guarded) is False
    assert len(db.timers()) == 1


@pytest.mark.parametrize("ttl", [0, -1, "60", True, float("nan")])
def test_a_time_to_live_is_a_number_of_seconds(db, ttl):
    for step in (lambda: db.steps.write("x", 1, ttl=ttl), lambda: db.steps.expire("x", ttl)):
        with pytest.raises(Mistake, match="ttl"):
            step()
    with pytest.raises(Mistake, match="To keep a row for good, write it again"):
        db.steps.expire("x", None)


# In transactions


def test_between_begin_and_commit_it_begins_at_the_commit(db):
    db.by("A").begin()
    db.by("A").insert("x", 1, ttl=60)
    assert (db.timers(), db.seen["x"]) == ([], None)
    db.by("A").commit()
    assert db.timers() == [('time to live of "x"', "A", 60)]
    db.by("A").begin()
    db.by("A").write("x", 2)
    assert len(db.timers()) == 1
    db.by("A").rollback()
    assert len(db.timers()) == 1


def locked_by_a(db, level="read committed"):
    db.by("A").expire("old", 60)
    db.by("A").begin(level)
    assert db.by("A").read("old", for_update=True) == 1
    db.run_out()
    assert (db.seen["old"], db.timers()) == (1, [])  # the deletion waits


def test_a_row_that_is_locked_when_its_time_is_over_is_deleted_when_the_lock_is_free(db):
    for end in ("commit", "rollback"):
        locked_by_a(db)
        assert db.by("A").read("old") == 1
        db.by("A").add("old", 1)
        getattr(db.by("A"), end)()
        assert "old" not in db.seen
        db.by("A").write("old", 1)


def test_it_stays_if_who_has_locked_it_gives_it_more_time_or_keeps_it_for_good(db):
    locked_by_a(db)
    db.by("A").expire("old", 60)
    db.by("A").commit()
    assert (db.seen["old"], len(db.timers())) == (1, 1)
    db.by("A").write("old", 1)
    locked_by_a(db)
    db.by("A").write("old", 2)
    db.by("A").commit()
    assert (db.seen["old"], db.timers()) == (2, [])


def test_a_crash_of_who_has_locked_it_deletes_it(db):
    locked_by_a(db)
    db.state.owner_gone("A")
    assert "old" not in db.seen


def test_who_has_a_snapshot_still_sees_it_and_cannot_change_it(db):
    db.by("A").expire("old", 60)
    db.by("B").begin("repeatable read")
    db.by("B").read("old")
    db.run_out()
    assert db.by("B").read("old") == 1
    with pytest.raises(SerializationFailure):
        db.by("B").update("old", 2)


def test_who_waits_for_a_row_that_runs_out_meanwhile_finds_none(db):
    locked_by_a(db)
    with pytest.raises(Blocked):
        db.by("B").update("old", 3)
    db.by("A").commit()
    assert db.by("B").update("old", 3) is False


# In time


def test_who_sleeps_for_longer_than_that_finds_it_gone():
    def twice(db, clock, nap):
        yield db.write("x", 1, ttl=10)
        yield clock.sleep(nap)
        yield db.write("found", (yield db.read("x")))

    def found(db):
        return db["found"] is None

    for nap, holds in ((5, False), (20, True)):
        place = Scenario(db=Database(), clock=Clock(), nap=nap, eventually=[found])
        assert (place.explore(twice, crashes=0).verdict == "holds") is holds
        assert (place.simulate(twice, hours=1)["db"]["found"] is None) is holds


def test_it_runs_out_early_only_under_a_pause_while_its_writer_lives():
    def notes(db):
        yield db.write("x", 1, ttl=10)
        yield db.write("found", (yield db.read("x")))

    def found(db):
        return db["found"] == 1

    notebook = Scenario(db=Database(), eventually=[found])
    assert notebook.explore(notes, crashes=2).verdict == "holds"
    assert notebook.explore(notes, pauses=1).verdict == "violated"


def test_a_simulated_row_runs_out_at_its_time():
    def notes(db):
        yield db.write("x", 1, ttl=100)
        yield db.write("y", 1, ttl=50)
        yield db.expire("y", 200)

    trace = Scenario(db=Database()).simulate(notes, hours=1, trace=True).trace
    ends = [(event.label, round(event.at)) for event in trace.events if event.kind == "timer"]
    assert ends == [('time to live of "x"', 100), ('time to live of "y"', 200)]
