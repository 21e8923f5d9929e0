"""Somebody else's API: its effects cannot be taken back, and each way to fail says something else."""

import pytest

from simlib import NotFound, OutcomeUnknown, Rejected, Service, Unavailable
from simlib.errors import Mistake
from tests.resources import Driven


@pytest.fixture
def bank():
    return Driven(Service(), "bank")


def test_a_call_is_done_each_time_it_is_made(bank):
    assert [bank.by("A").call("charge", 20), bank.by("A").call("charge", 20)] == ["ok", "ok"]
    assert bank.seen.count("charge") == 2


def test_counts_are_by_action_or_by_action_and_arguments(bank):
    bank.by("A").call("charge", 20)
    bank.by("A").call("charge", 30)
    bank.by("A").call("refund", 30)
    count = bank.seen.count
    assert [count("charge"), count("charge", 20), count("charge", 40), count("refund")] == [2, 1, 0, 1]


def test_arguments_may_be_lists_and_dicts(bank):
    bank.by("A").call("send", {"to": ["ada", "bob"]}, idempotency_key=["mail", 1])
    bank.by("A").call("send", {"to": ["ada", "bob"]}, idempotency_key=["mail", 1])
    assert bank.seen.count("send", {"to": ["ada", "bob"]}) == 1


# Idempotency keys


def test_a_call_with_a_key_is_done_once_however_often_it_is_made(bank):
    answers = [bank.by(who).call("charge", 20, idempotency_key="order-1") for who in "ABA"]
    assert (answers, bank.seen.count("charge")) == (["ok", "ok", "ok"], 1)


def test_another_key_is_another_charge(bank):
    for key in ("order-1", "order-2"):
        bank.by("A").call("charge", 20, idempotency_key=key)
    assert bank.seen.count("charge", 20) == 2


@pytest.mark.parametrize("other", [("charge", 30), ("refund", 20), ("charge", 20, "eur")])
def test_a_key_that_comes_with_other_arguments_is_refused(bank, other):
    bank.by("A").call("charge", 20, idempotency_key="order-1")
    with pytest.raises(Rejected, match=r'^idempotency key "order-1" was used for other arguments$'):
        bank.by("A").call(*other, idempotency_key="order-1")
    assert [bank.seen.count("charge"), bank.seen.count("refund")] == [1, 0]


# Looking up


@pytest.mark.parametrize("key", ["order-1", 1, ("order", 1), ["order"]])
def test_what_was_done_under_a_key_can_be_looked_up(bank, key):
    bank.by("A").call("charge", 20, {"to": ["ada"]}, idempotency_key=key)
    assert bank.by("B").look_up(key) == ("charge", 20, {"to": ["ada"]})


def test_under_another_key_nothing_was_done(bank):
    bank.by("A").call("charge", 20, idempotency_key=1)
    bank.by("A").call("charge", 20)
    for key in (2, "1", 1.0, True):
        with pytest.raises(NotFound):
            bank.by("A").look_up(key)


def test_after_a_lost_reply_a_look_up_says_what_became_of_the_call(bank):
    with pytest.raises(NotFound, match=r"^order-1$"):
        bank.by("A").look_up("order-1")
    with pytest.raises(OutcomeUnknown):
        bank.by("A", "lost_replies").call("charge", 20, idempotency_key="order-1")
    assert bank.by("A").look_up("order-1") == ("charge", 20)


def test_what_was_rejected_or_refused_an_answer_is_not_found(bank):
    with pytest.raises(Rejected):
        bank.by("A", "rejections").call("charge", 20, idempotency_key="order-1")
    with pytest.raises(Unavailable):
        bank.by("A", "outages").call("charge", 30, idempotency_key="order-2")
    for key in ("order-1", "order-2"):
        with pytest.raises(NotFound):
            bank.by("A").look_up(key)


def test_a_look_up_does_nothing_and_only_its_connection_can_fail(bank):
    bank.by("A").call("charge", 20, idempotency_key="order-1")
    before = bank.state.key()
    bank.by("A").look_up("order-1")
    assert bank.state.key() == before
    assert bank.ways(bank.steps.look_up("order-1")) == [("outages", None), ("lost_replies", None)]


def test_no_key_is_nothing_to_look_up(bank):
    with pytest.raises(Mistake, match=r"^look_up\(None\): nothing is done under no key"):
        bank.by("A").look_up(None)


# Faults


def test_each_fault_can_strike_a_call(bank):
    assert bank.ways(bank.steps.call("charge", 20)) == [
        ("outages", None),
        ("lost_replies", None),
        ("rejections", None),
    ]


def test_unavailable_means_that_it_did_not_happen_and_may_work_later(bank):
    with pytest.raises(Unavailable, match=r"^bank.call$"):
        bank.by("A", "outages").call("charge", 20)
    assert bank.seen.count("charge") == 0
    assert bank.by("A").call("charge", 20) == "ok"


def test_a_call_that_was_unavailable_can_be_made_again_with_its_key(bank):
    with pytest.raises(Unavailable):
        bank.by("A", "outages").call("charge", 20, idempotency_key="order-1")
    bank.by("A").call("charge", 20, idempotency_key="order-1")
    assert bank.seen.count("charge") == 1


def test_outcome_unknown_means_that_it_did_happen_and_the_reply_was_lost(bank):
    with pytest.raises(OutcomeUnknown, match=r"^bank.call$"):
        bank.by("A", "lost_replies").call("charge", 20)
    assert bank.seen.count("charge") == 1


def test_after_a_lost_reply_a_retry_charges_twice_without_a_key_and_once_with_one(bank):
    for how in ({}, {"idempotency_key": "order-1"}):
        with pytest.raises(OutcomeUnknown):
            bank.by("A", "lost_replies").call("charge", len(how), **how)
        bank.by("A").call("charge", len(how), **how)
    assert [bank.seen.count("charge", 0), bank.seen.count("charge", 1)] == [2, 1]


def test_a_lost_reply_may_also_be_that_of_a_refusal(bank):
    with pytest.raises(Rejected):
        bank.by("A", "rejections").call("charge", 20)
    with pytest.raises(OutcomeUnknown):
        bank.by("A", "lost_replies").call("charge", 20)
    assert bank.seen.count("charge") == 0


def test_a_rejection_is_permanent_for_these_arguments_and_for_nobody_else(bank):
    for how in (("rejections",), ()):
        with pytest.raises(Rejected, match=r"^charge$"):
            bank.by("A", *how).call("charge", 20)
    assert bank.by("B").call("charge", 30) == "ok"
    assert bank.seen.count("charge") == 1


def test_a_rejection_is_permanent_whatever_the_key(bank):
    for key in (None, "order-1", "order-2"):
        with pytest.raises(Rejected):
            bank.by("A", *([] if key else ["rejections"])).call("charge", 20, idempotency_key=key)


def test_what_was_rejected_is_not_rejected_anew(bank):
    with pytest.raises(Rejected):
        bank.by("A", "rejections").call("charge", 20)
    assert ("rejections", None) not in bank.ways(bank.steps.call("charge", 20))


def test_what_was_done_under_a_key_stays_done(bank):
    call = bank.steps.call("charge", 20, idempotency_key="order-1")
    bank.state.perform(call, "A")
    assert ("rejections", None) not in bank.ways(call)
    with pytest.raises(Rejected):
        bank.by("B", "rejections").call("charge", 20)  # another customer's, without that key
    assert bank.state.perform(call, "A") == "ok"


def test_a_service_is_summed_up_in_a_few_words(bank):
    assert bank.state.summary() == "nothing done"
    for action in ("charge", "charge", "mail"):
        bank.by("A").call(action)
    assert bank.state.summary() == "2 charges, 1 mail"
