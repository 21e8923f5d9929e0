"""A REST collection: what is not there is a 404, and a PUT can be repeated."""

import pytest

from simlib import NotFound, OutcomeUnknown, Unavailable
from simlib.errors import Conflict, Mistake
from simlib.resources import Collection
from tests.resources import Driven


def schedule(items=None):
    return Driven(Collection(items), "schedule")


def test_put_stores_whatever_was_there_before():
    there = schedule({"ann": "monthly"})
    there.by("A").put("ann", "yearly")
    there.by("A").put("bob", "monthly")
    assert dict(there.seen.items) == {"ann": "yearly", "bob": "monthly"}


def test_get_and_list_answer_what_is_there():
    there = schedule({"bob": [1], "ann": "monthly"})
    assert (there.by("A").get("bob"), there.by("A").list()) == ([1], ["ann", "bob"])


def test_create_adds_what_is_not_there():
    there = schedule({"ann": "monthly"})
    there.by("A").create("bob", "yearly")
    assert dict(there.seen.items) == {"ann": "monthly", "bob": "yearly"}


def test_what_is_there_already_is_a_conflict_and_stays_as_it_is():
    there = schedule({"ann": "monthly"})
    with pytest.raises(Conflict, match=r"^ann$"):
        there.by("A").create("ann", "yearly")
    assert there.seen["ann"] == "monthly"


def test_a_lost_reply_makes_a_conflict_of_the_next_try():
    there = schedule()
    with pytest.raises(OutcomeUnknown):
        there.by("A", "lost_replies").create("ann", "monthly")
    with pytest.raises(Conflict):
        there.by("A").create("ann", "monthly")


@pytest.mark.parametrize("verb", ["get", "delete"])
def test_what_is_not_there_is_not_found(verb):
    there = schedule({"ann": "monthly"})
    with pytest.raises(NotFound, match=r"^bob$"):
        getattr(there.by("A"), verb)("bob")
    assert dict(there.seen.items) == {"ann": "monthly"}


def test_a_second_delete_is_not_found():
    there = schedule({"ann": "monthly"})
    there.by("A").delete("ann")
    with pytest.raises(NotFound):
        there.by("A").delete("ann")


def test_a_delete_whose_reply_is_lost_has_deleted():
    there = schedule({"ann": "monthly"})
    with pytest.raises(OutcomeUnknown):
        there.by("A", "lost_replies").delete("ann")
    assert "ann" not in there.seen and there.seen["ann"] is None


def test_a_service_that_is_away_does_nothing():
    there = schedule({"ann": "monthly"})
    with pytest.raises(Unavailable):
        there.by("A", "outages").delete("ann")
    assert (there.seen["ann"], there.state.summary()) == ("monthly", "ann = monthly")


@pytest.mark.parametrize("make", [lambda: Collection(["ann"]), lambda: Collection({1: "ann"})])
def test_items_have_names(make):
    with pytest.raises(Mistake, match="Collection"):
        make()
