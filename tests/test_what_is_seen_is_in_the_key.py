"""Two states that a property can tell apart have different keys: of every resource, for all that it shows."""

import random

import pytest

from simlib import Clock, Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.errors import OperationError
from simlib.model.operation import Blocked
from simlib.model.shown import Items, Table
from simlib.model.state import State
from simlib.resources import AdvisoryLock, Collection, Lease, Message, Resource
from simlib.resources.service_state import ServiceState
from tests.resources import Driven

KEYS = ["a", "b"]


def any_message(it, draw):
    flying = [*it.state.in_flight, *it.state.ready, *it.state.acked]
    return draw.choice(flying) if flying else Message("it-1", None, 1, 1)


def any_event(it, draw):
    events = it.state.events
    return draw.choice([*it.state.pending_webhooks, *events.acked] or [Message("it-1", None, 1, 1)])


def any_lease(it, draw):
    token = draw.randint(max(0, it.state.token - 1), it.state.token + 1)
    return Lease(draw.choice([f"A#{token}", f"B#{token}", "mine"]), token)


STEPS = {
    Queue: lambda it, draw: draw.choice([
        it.steps.receive, lambda: it.steps.send(draw.choice([1, "x"])), lambda: it.steps.ack(any_message(it, draw)),
        lambda: it.steps.nack(any_message(it, draw)),
    ])(),
    Database: lambda it, draw: draw.choice([
        lambda key: it.steps.write(key, draw.choice([1, 2, None, [1]])), lambda key: it.steps.insert(key, 1),
        it.steps.delete, lambda key: it.steps.compare_and_set(key, 1, 2), lambda key: it.steps.next_id(),
        lambda key: it.steps.write(key, 1, fence=draw.choice([1, 2])), lambda key: it.steps.write(key, 2, ttl=9),
    ])(draw.choice(KEYS)),
    Collection: lambda it, draw: draw.choice([
        lambda key: it.steps.put(key, draw.choice([1, 2])), lambda key: it.steps.create(key, 1), it.steps.delete,
    ])(draw.choice(KEYS)),
    Lock: lambda it, draw: draw.choice([
        lambda: it.steps.try_acquire(ttl=5), lambda: it.steps.try_acquire("mine"), it.steps.delete,
        lambda: it.steps.release(any_lease(it, draw)), lambda: it.steps.renew(any_lease(it, draw), ttl=9),
    ])(),
    AdvisoryLock: lambda it, draw: draw.choice([it.steps.try_acquire, it.steps.try_acquire, it.steps.release])(),
    Disk: lambda it, draw: draw.choice([
        lambda key: it.steps.write(key, draw.choice(["x", "yy"])), lambda key: it.steps.append(key, "z"),
        it.steps.delete, it.steps.fsync, lambda key: it.steps.rename(key, draw.choice(KEYS)),
        lambda key: it.steps.fsync_directory(),
    ])(draw.choice(KEYS)),
    Service: lambda it, draw: draw.choice([
        lambda: it.steps.call(
            draw.choice(["pay", "mail"]), draw.choice([1, 2]), idempotency_key=draw.choice([None, None, "k"])
        ),
        *([] if type(it.state) is ServiceState else [
            it.steps.receive, lambda: it.steps.ack(any_event(it, draw)), lambda: it.steps.nack(any_event(it, draw)),
        ]),
    ])(),
    Clock: lambda it, draw: it.steps.sleep(draw.choice([1, 2])),
    Random: lambda it, draw: it.steps.choice([1, 2]),
}  # fmt: skip


def shown(state):
    """All that a property can see of a state, in the order in which it sees it."""
    view = state.seen()
    for name in state.sees:
        value = getattr(view, name)
        if callable(value):
            yield [repr(value(*args)) for args in (("a",), ("b",), ("pay",), ("mail",), ("pay", 1), ("pay", 2))
                   if len(args) == 1 or name == "count"]  # fmt: skip
        elif isinstance(value, (Items, list)):
            yield [repr(one) + repr(getattr(one, "deliveries", "")) for one in value]
        elif isinstance(value, Table):
            yield [*map(repr, value.items())]
        else:
            yield repr(value)
    if hasattr(state, "__getitem__"):
        yield [(repr(view[key]), key in view) for key in KEYS]


def wander(resource, seed):
    """States that a resource can come to, whatever befalls it."""
    draw, it = random.Random(seed), Driven(resource, "it")
    if isinstance(resource, Queue):
        it.state.ordered = True  # as where a property looks at the order
    for _ in range(8):
        op = STEPS[type(resource)](it, draw)
        ways = [*it.state.outcomes(op)]
        try:
            it.state.perform(op, draw.choice("AB"), draw.choice(ways[:1] * 3 + ways))
        except (OperationError, Blocked):
            pass
        timers = it.state.timers()
        if timers and draw.random() < 0.3:
            it.state.expire(draw.choice(timers).id)
        if draw.random() < 0.1:
            it.state.owner_gone(draw.choice([None, "A"]))
            it.state.lose_power(draw.randrange(it.state.power_losses()))
        yield it.state.copy()


RESOURCES = [
    Queue(["m", "n"]), Queue(["m", "n"], max_receives=2), Database({"a": 1}), Collection({"a": 1}), Lock(),
    AdvisoryLock(), Disk(), Disk(capacity=3), Service(), Service(webhooks=True), Clock(), Random(),
]  # fmt: skip


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: type(one).__name__)
def test_two_states_that_a_property_can_tell_apart_have_different_keys(resource):
    seen = {}
    for seed in range(300):
        for state in wander(resource, seed):
            shows = [*shown(state)]
            assert seen.setdefault(state.key(), shows) == shows
    assert len(seen) >= (1 if isinstance(resource, Random) else 8)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: type(one).__name__)
def test_two_states_whose_keys_differ_in_counts_alone_show_the_same_but_for_these(resource):
    def number(count):
        return count.value + 5 if count.value else 0

    for seed in range(40):
        for state in wander(resource, seed):
            other = state.recounted(number)
            assert other.recounted(lambda count: count.value - 5 if count.value else 0).key() == state.key()
            assert other.summary() == state.summary() or isinstance(resource, Lock)


def test_all_resources_are_tried():
    assert {type(resource) for resource in RESOURCES} == {*Resource.__subclasses__()}
    assert all(kind.sees for kind in State.__subclasses__() if kind.__name__ != "RandomState")


# As a property meets it


def take(inbox):
    message = yield inbox.receive()
    yield inbox.ack(message)


def holds_of(claim, **how):
    return Scenario(inbox=Queue(["a", "b"]), workers=2, **how, always=[claim]).explore(take, crashes=0)


def test_the_order_of_acknowledgements_is_told_apart_where_a_property_asks_for_it():
    def finished_in_order(inbox):
        done = [message.number for message in inbox.acked]
        return done == sorted(done)

    def first_is_first(inbox):
        return len(inbox.acked) == 0 or inbox.acked[0].body == "a" or len(inbox.acked) < 2

    assert holds_of(finished_in_order).verdict == "violated"
    assert holds_of(first_is_first).verdict == "violated"


def test_where_none_does_they_are_one():
    def few(inbox):
        return len(inbox.acked) <= 2

    def all_there(inbox):
        return len([*inbox.acked]) <= 2

    assert holds_of(few).states < holds_of(all_there).states


def test_what_is_in_flight_is_shown_in_the_order_of_sending():
    def in_order(inbox):
        numbers = [message.number for message in inbox.in_flight]
        return numbers == sorted(numbers)

    def hands_back(inbox):
        message = yield inbox.receive()
        yield inbox.nack(message)
        yield from take(inbox)

    office = Scenario(inbox=Queue(["a", "b"]), workers=2, always=[in_order])
    assert office.explore(hands_back, crashes=0).verdict == "holds"


def test_rows_are_shown_in_the_order_of_their_keys():
    def sorted_keys(db):
        return [*db.rows] == sorted(db.rows) and [*db.rows.items()] == sorted(db.rows.items())

    def write(db):
        for key in ("c", "a", "b"):
            yield db.write(key, 1)

    assert Scenario(db=Database(), always=[sorted_keys]).explore(write).verdict == "holds"
