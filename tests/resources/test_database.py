"""A table whose steps are atomic: unique inserts, compare-and-set, sequences, transactions, fences."""

import pytest

from simlib import AlreadyExists, Database, OutcomeUnknown, StaleToken, Unavailable
from tests.resources import Driven


def database(rows=None):
    return Driven(Database(rows), "db")


# One row


def test_read_answers_the_row_or_none():
    db = database({"x": 1})
    assert [db.by("A").read("x"), db.by("A").read("y")] == [1, None]


def test_write_stores_whatever_was_there_before():
    db = database({"x": 1})
    assert [db.by("A").write("x", 2), db.by("A").write("y", 3)] == [None, None]
    assert dict(db.seen.rows) == {"x": 2, "y": 3}


def test_insert_of_a_key_that_is_taken_raises_and_changes_nothing():
    db = database()
    db.by("A").insert("x", 1)
    with pytest.raises(AlreadyExists, match=r"^x$"):
        db.by("B").insert("x", 2)
    assert db.seen["x"] == 1


def test_delete_removes_the_row_and_answers_whether_there_was_one():
    db = database({"x": None})
    assert [db.by("A").delete("x"), db.by("A").delete("x")] == [True, False]
    assert "x" not in db.seen


@pytest.mark.parametrize("column", ["ttl", "key", "row", "who", "verb", "method", "args", "columns", "locked"])
def test_a_column_may_have_any_name(column):
    db = database({"x": {"n": 1}})
    assert db.by("A").update("x", **{column: 2}) is True
    assert db.seen["x"] == {"n": 1, column: 2}


def test_compare_and_set_stores_only_over_what_it_expects():
    db = database({"x": "new"})
    assert db.by("A").compare_and_set("x", "new", "taken by A") is True
    assert db.by("B").compare_and_set("x", "new", "taken by B") is False
    assert db.seen["x"] == "taken by A"


def test_compare_and_set_expecting_none_stores_where_there_is_no_row():
    db = database()
    assert [db.by(who).compare_and_set("x", None, who) for who in "AB"] == [True, False]
    assert db.seen["x"] == "A"


def test_next_id_gives_each_number_once_and_counts_each_sequence_apart():
    db = database()
    assert [db.by("A").next_id(), db.by("B").next_id(), db.by("A").next_id("orders")] == [1, 2, 1]


def test_scan_answers_the_rows_under_a_prefix_in_the_order_of_their_keys():
    db = database({"order-2": "b", "order-1": "a", "mail-1": "c", 7: "d"})
    assert db.by("A").scan("order-") == [("order-1", "a"), ("order-2", "b")]


# Transactions


def test_a_transaction_does_all_its_writes_in_one_step():
    db = database({"old": 1, "x": 1})
    steps = db.steps
    done = db.by("A").transaction(
        steps.write("a", 1), steps.insert("b", 2), steps.delete("old"), steps.compare_and_set("x", 1, 2)
    )
    assert (done, dict(db.seen.rows)) == (True, {"x": 2, "a": 1, "b": 2})


def test_a_compare_and_set_that_fails_in_the_middle_undoes_the_transaction_and_answers_false():
    db = database({"x": 1})
    steps = db.steps
    done = db.by("A").transaction(steps.write("a", 1), steps.compare_and_set("x", 9, 2), steps.write("b", 1))
    assert (done, dict(db.seen.rows)) == (False, {"x": 1})


def test_a_delete_of_nothing_in_the_middle_undoes_no_transaction():
    db = database()
    steps = db.steps
    assert db.by("A").transaction(steps.write("a", 1), steps.delete("nothing"), steps.write("b", 1)) is True
    assert dict(db.seen.rows) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    "failing, error",
    [
        (lambda steps: steps.insert("x", 2), AlreadyExists),
        (lambda steps: steps.write("fenced", 2, fence=1), StaleToken),
    ],
)
def test_an_error_in_the_middle_undoes_the_transaction_and_is_raised(failing, error):
    db = database({"x": 1})
    db.by("A").write("fenced", 1, fence=2)
    before = dict(db.seen.rows)
    with pytest.raises(error):
        db.by("A").transaction(db.steps.write("a", 1), failing(db.steps), db.steps.write("b", 1))
    assert dict(db.seen.rows) == before


def test_a_write_in_a_transaction_sees_the_ones_before_it():
    db = database()
    steps = db.steps
    assert db.by("A").transaction(steps.write("x", 1), steps.compare_and_set("x", 1, 2)) is True
    with pytest.raises(AlreadyExists):
        db.by("A").transaction(steps.insert("y", 1), steps.insert("y", 2))
    assert dict(db.seen.rows) == {"x": 2}


def test_a_transaction_that_is_undone_leaves_no_fence_behind():
    db = database({"x": 1})
    steps = db.steps
    db.by("A").transaction(steps.write("a", 1, fence=5), steps.compare_and_set("x", 9, 2))
    assert db.by("B").write("a", 2, fence=1) is None


# Fences


def test_a_row_refuses_a_token_older_than_one_that_it_has_seen():
    db = database()
    db.by("B").write("x", "B", fence=34)
    with pytest.raises(StaleToken, match=r'^"x" has seen token 34, this is 33$'):
        db.by("A").write("x", "A", fence=33)
    assert db.seen["x"] == "B"


def test_the_same_token_and_newer_ones_are_welcome():
    db = database()
    assert [db.by("A").write("x", token, fence=token) for token in (33, 33, 34)] == [None] * 3


def test_every_operation_on_a_row_can_be_fenced():
    db = database({"x": 1})
    db.by("B").read("x", fence=2)
    old = {"fence": 1}
    for act in (
        lambda by: by.read("x", **old),
        lambda by: by.write("x", 2, **old),
        lambda by: by.insert("x", 2, **old),
        lambda by: by.delete("x", **old),
        lambda by: by.compare_and_set("x", 1, 2, **old),
    ):
        with pytest.raises(StaleToken):
            act(db.by("A"))
    assert db.seen["x"] == 1


def test_fences_are_kept_per_row():
    db = database()
    db.by("B").write("x", 1, fence=9)
    assert db.by("A").write("y", 1, fence=1) is None


def test_without_a_token_a_fence_stops_nobody():
    db = database()
    db.by("B").write("x", "B", fence=9)
    db.by("A").write("x", "A")
    assert db.seen["x"] == "A"


def test_a_step_that_fails_moves_no_fence():
    db = database({"x": 1})
    with pytest.raises(AlreadyExists):
        db.by("B").insert("x", 2, fence=9)
    assert db.by("A").write("x", "A", fence=8) is None


@pytest.mark.parametrize(
    "act",
    [
        lambda db: db.write("x", 1, fence=9),
        lambda db: db.insert("x", 1, fence=9),
        lambda db: db.compare_and_set("x", None, 1, fence=9),
    ],
)
def test_a_new_row_remembers_the_fence_that_it_was_made_under(act):
    db = database()
    act(db.by("B"))
    with pytest.raises(StaleToken):
        db.by("A").write("x", 2, fence=8)


@pytest.mark.parametrize("rows", [{"x": 1}, {}])
def test_a_fence_lives_in_the_row_and_goes_with_it(rows):
    db = database(rows)
    db.by("B").read("x", fence=8)
    db.by("B").delete("x", fence=9)
    assert db.by("A").insert("x", 2, fence=1) is None


# Faults and sight


def test_an_outage_means_that_it_did_not_happen():
    db = database()
    with pytest.raises(Unavailable):
        db.by("A", "outages").write("x", 1)
    assert "x" not in db.seen


def test_a_lost_reply_means_that_it_did_happen_or_was_refused_and_nobody_was_told():
    db = database({"x": 1})
    for key in ("x", "y"):
        with pytest.raises(OutcomeUnknown):
            db.by("A", "lost_replies").insert(key, 2)
    assert dict(db.seen.rows) == {"x": 1, "y": 2}


def test_the_order_of_writes_makes_no_different_state():
    one, other = database(), database()
    one.by("A").write("x", 1), one.by("A").write("y", 2)
    other.by("A").write("y", 2), other.by("A").write("x", 1)
    assert one.state.key() == other.state.key()


def test_outcomes_tell_apart_what_a_summary_shows_alike():
    assert database({"x": 1}).state.summary() == database({"x": "1"}).state.summary() == "x = 1"
    assert database({"x": 1}).state.outcome() != database({"x": "1"}).state.outcome()
    long = "a" * 99
    assert database({"x": [long, 1]}).state.outcome() != database({"x": [long, 2]}).state.outcome()
