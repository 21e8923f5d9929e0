"""A slow read that writes a stale value back after the invalidation."""

from simlib import Database, Scenario
from tests.real_bugs import HARDER, NO_FAULT, found, holds, survives


def look(cache, db):
    if (yield cache.read("app")) is None:
        app = yield db.read("app")
        yield cache.write("app", app)


def rename(cache, db):
    yield db.update("app", "new")
    yield cache.delete("app")


def look_and_undo(cache, db):
    if (yield cache.read("app")) is None:
        generation = yield cache.read("generation")
        app = yield db.read("app")
        yield cache.write("app", app)
        if (yield cache.read("generation")) != generation:
            yield cache.delete("app")


def look_and_compare(cache, db):
    if (yield cache.read("app")) is None:
        generation = yield cache.read("generation")
        app = yield db.read("app")
        yield cache.transaction(
            cache.compare_and_set("generation", generation, generation),
            cache.write("app", app),
        )


def rename_with_a_generation(cache, db):
    yield db.update("app", "new")
    yield cache.add("generation", 1)
    yield cache.delete("app")


def rename_and_delete_first(cache, db):
    yield db.update("app", "new")
    yield cache.delete("app")
    yield cache.add("generation", 1)


def not_stale(cache, db):
    return cache["app"] in (None, db["app"])


SHOP = Scenario(cache=Database({"generation": 0}), db=Database({"app": "old"}), eventually=[not_stale])


def test_a_slow_read_writes_back_what_has_been_invalidated():
    """logto: https://github.com/logto-io/logto/pull/9428"""
    trace = found(SHOP, [look, rename], "not_stale")
    assert trace.events[-2].answer is False  # there was nothing to delete, which is no error
    survives(SHOP, [look_and_undo, rename_with_a_generation], trace)
    survives(SHOP, [look_and_compare, rename_with_a_generation], trace)


def test_a_generation_that_is_counted_up_before_the_deletion_undoes_it():
    """The published fix, and https://github.com/logto-io/logto/pull/9436, which says what it promises and what not: a
    reader that dies before it has undone its write leaves it to the cache's time to live.
    """
    holds(SHOP, [look_and_undo, rename_with_a_generation], NO_FAULT)
    found(SHOP, [look_and_undo, rename_with_a_generation], "not_stale", crashes=1)
    found(SHOP, [look_and_compare, rename_and_delete_first], "not_stale")


def test_a_write_that_compares_the_generation_in_the_same_step_needs_no_undoing():
    """A script on Redis, or WATCH and MULTI."""
    holds(SHOP, [look_and_compare, rename_with_a_generation], *HARDER)
