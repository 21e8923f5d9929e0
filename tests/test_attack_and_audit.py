"""A learner's own schedules, and a learner's own properties."""

import pytest

from simlib import Database, Lock, Scenario, Service, audit
from simlib.errors import Mistake
from tests.sample import charge, charge_once, charged_at_most_once, shop


def kinds(trace):
    return [event.op.name if event.op else event.kind for event in trace.events]


def test_an_attack_plays_exactly_its_moves_and_then_everybody_finishes():
    trace = shop().attack(charge_once, "A 2", "crash A", "expire inbox", "B 3")
    assert kinds(trace)[:4] == ["inbox.receive", "bank.call", "crash", "timer"]
    assert [event.worker for event in trace.events[4:7]] == ["B", "B", "B"]
    assert trace.broken is None
    assert trace["inbox"].ready == [] and trace["bank"].count("charge") == 1


def test_an_attack_stops_where_a_property_breaks():
    trace = shop().attack(charge, "A 2", "crash A", "expire inbox", "B 2", "B", "B")
    assert trace.broken == "charged_at_most_once"
    assert kinds(trace) == ["inbox.receive", "bank.call", "crash", "timer", "inbox.receive", "bank.call"]


def test_an_attack_reaches_what_explore_found():
    found = shop().explore(charge, crashes=1).counterexample
    trace = shop().attack(charge, "A 2", "crash A", "expire inbox", "A 2")
    assert [str(event.move) for event in trace.events] == [str(event.move) for event in found.events]


def test_each_fault_of_a_step_can_be_placed_by_its_name():
    trace = shop().attack(charge_once, "A", "A: lost reply")
    assert [event.move.fault for event in trace.events[:2]] == [None, "lost_replies"]
    trace = shop().attack(charge_once, "A", "A: outage")
    assert trace.events[1].move.fault == "outages"
    assert trace["bank"].count("charge") == 1  # after the restart


def test_a_lease_that_is_made_to_run_out_under_a_live_holder_is_a_pause():
    def work(lock, db):
        lease = yield lock.acquire(ttl=10)
        yield db.write("by", lease.token)
        yield lock.release(lease)

    trace = Scenario(lock=Lock(), db=Database(), workers=2).attack(work, "A", "expire lock", "B 3", "A")
    assert trace.faults == ["pause"]
    assert trace["db"]["by"] == 1  # the paused one wrote last


def test_what_was_done_can_be_handed_out_again():
    def work(bank):
        yield bank.call("charge")

    trace = Scenario(bank=Service()).attack(work, "A", "again A", "A")
    assert trace["bank"].count("charge") == 2


@pytest.mark.parametrize(
    "move, said",
    [
        ("C", '"C" is no move here: the workers are A and B'),
        ("A 9", "A waits at `inbox.receive\\(\\)`, and somebody else has to move first"),
        ("crash A", "A has taken no step since it was started, so there is no memory to lose"),
        ("again A", "A has not done its task yet"),
        ("A: full disk", "the next step of A is `inbox.receive\\(\\)`, which it cannot strike"),
        ("expire lock", "there is no such resource, but inbox, bank and db."),
        ("expire inbox", "no timer of inbox is running now"),
        ("A 501", "is no move here"),
        (3, "3 is no move"),
    ],
)
def test_a_move_that_cannot_be_made_says_why(move, said):
    with pytest.raises(Mistake, match=said):
        shop().attack(charge, move)


def always_true(bank):
    return True


def never_charged(bank):
    return bank.count("charge") == 0


def charged(bank):
    return bank.count("charge") >= 1


def charge_after_ack(inbox, bank):
    message = yield inbox.receive()
    yield inbox.ack(message)
    yield bank.call("charge", 20)


def audited(claim, **more):
    return audit(shop(), claim, careful=charge_once, broken=[charge, charge_after_ack], crashes=1, **more)


def test_a_property_is_graded_by_the_broken_workers_that_it_catches():
    found = audited(charged_at_most_once)
    assert (found.score, list(found.killed), found.survived) == (1, ["charge"], ("charge_after_ack",))
    assert str(found).splitlines() == [
        "charged_at_most_once: catches 1 of 2 broken workers, and holds for charge_once.",
        "  charge: caught, with 1 crash",
        "  charge_after_ack: missed",
    ]


def test_what_should_be_true_in_the_end_is_asked_in_the_end():
    found = audited(charged, when="eventually")
    assert (found.score, list(found.killed)) == (1, ["charge_after_ack"])


def test_a_vacuous_property_scores_nothing():
    found = audited(always_true)
    assert found.score == 0
    assert "A property that nothing here can break says nothing." in str(found)


def test_a_property_that_is_false_of_the_careful_worker_scores_nothing():
    found = audited(never_charged)
    assert (found.score, found.sound) == (0, False)
    assert str(found).startswith("never_charged: 0 of 2, for it is violated for charge_once, which does nothing wrong.")


def test_the_scenario_s_own_properties_do_not_help_the_learner_s():
    assert shop().asking(always=[always_true]).explore(charge, crashes=1).verdict == "holds"
    assert shop().explore(charge, crashes=1).verdict == "violated"


def charge_by_order(inbox, bank):
    message = yield inbox.receive()
    yield bank.call("charge", 20, idempotency_key=message.body)
    yield inbox.ack(message)


def nothing_without_its_row(inbox, db):
    return inbox.acked == [] or "order-1" in db


def test_a_property_has_to_hold_of_every_careful_worker():
    both = {"careful": [charge_once, charge_by_order], "broken": [charge], "crashes": 1}
    assert audit(shop(), charged_at_most_once, **both).done
    found = audit(shop(), nothing_without_its_row, **both)
    assert (found.score, found.sound, found.done) == (0, False, False)
    assert "violated for charge_by_order, which does nothing wrong" in str(found)


def livelock(bank):
    return bank.count("charge") <= 1


def test_a_worker_that_loops_is_not_caught_by_a_property_that_is_called_so():
    with pytest.raises(Mistake, match="the checker's own word"):
        audit(shop(), livelock, careful=charge_once, broken=[charge])


def test_two_broken_workers_of_one_name_would_count_as_one():
    with pytest.raises(Mistake, match="have one name"):
        audit(shop(), charged_at_most_once, careful=charge_once, broken=[charge, charge])


@pytest.mark.parametrize(
    "wrong, said", [({"when": "never"}, "when="), ({"broken": []}, "broken="), ({"careful": []}, "careful=")]
)
def test_an_audit_that_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(Mistake, match=said):
        audit(shop(), always_true, **{"careful": charge_once, "broken": [charge], **wrong})
