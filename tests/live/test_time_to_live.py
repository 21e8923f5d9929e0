"""Rows with a time to live, for real: a deadline in the table, and a job that deletes what is past it."""

import pytest

from simlib import Database, Scenario
from tests.test_real_bugs_ttl import the_window_ends


def hit(db):
    if (yield db.compare_and_set("hits", None, 1)):
        yield db.expire("hits", 60)


def hit_in_one_step(db):
    if (yield db.read("hits")) is None:
        yield db.write("hits", 1, ttl=60)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def on(request):
    return {} if request.param == "SQLite" else {"db": request.getfixturevalue("postgresql_url")}


def windows():
    return Scenario(db=Database(), workers=2, eventually=[the_window_ends])


def test_a_counter_without_an_end_and_one_whose_row_is_deleted_at_its_deadline(on):
    found = windows().explore(hit, crashes=1)
    assert windows().live(hit, found, on=on).broken == "the_window_ends"
    ended = windows().live(hit_in_one_step, found, on=on)
    assert (ended.broken, ended["db"].rows) == (None, {})
    assert [event.label for event in ended.events if event.kind == "timer"] == ['time to live of "hits"']


def test_what_takes_it_off_and_what_keeps_it_for_real(on):
    def changes(db):
        for key in "ab":
            yield db.insert(key, 1, ttl=60)
        yield db.write("a", 2)
        yield db.transaction(db.compare_and_set("c", None, 1), db.expire("b", 30), db.expire("c", 30))
        yield db.compare_and_set("c", 1, 2)
        yield db.expire("d", 9)

    trace = Scenario(db=Database({"d": 1})).live(changes, on=on)
    assert {event.move.timer for event in trace.events if event.kind == "timer"} == {"b", "d"}
    assert {**trace["db"].rows} == {"a": 2, "c": 2}
