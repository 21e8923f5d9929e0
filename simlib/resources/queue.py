"""A message queue with at-least-once delivery."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlib.arguments import whole_number
from simlib.errors import Mistake
from simlib.model import timing
from simlib.model.builders import Fits
from simlib.model.fault import REDELIVERIES
from simlib.model.operation import OK, WAITS, Blocked, Op, Outcome
from simlib.model.resource import Resource, positive
from simlib.model.state import ANYBODY, Renumber, State
from simlib.model.timing import JUST_NOW, Elapsed, Slept, Timer
from simlib.model.values import SURE, freeze, fresh, unordered
from simlib.resources.message import Message, plain_of
from simlib.text import plural, show


@dataclass
class QueueState(State):
    """Messages that are ready, in flight or done with; a property sees what Queue says."""

    sees = ("ready", "in_flight", "acked", "dead_letters", "sent")
    name: str
    visibility_timeout: float | None
    max_receives: int | None
    ready: list[Message] = field(default_factory=list)
    flights: dict[tuple[str, int], tuple[Message, str | None]] = field(default_factory=dict)  # receipt: (what, to whom)
    done: dict[str, Message] = field(default_factory=dict)
    dead_letters: list[Message] = field(default_factory=list)
    sent: int = 0
    elapsed: dict[str, Elapsed] = field(default_factory=dict)  # of the visibility timeouts, by message
    ordered: bool = False  # whether the order of acknowledgements tells states apart
    order_is_asked: Callable[[], None] | None = None  # called when a property looks at that order

    @property
    def in_flight(self) -> list[Message]:
        """Delivered, not acknowledged and not timed out; in the order of sending, whoever received first."""
        return sorted((message for message, _ in self.flights.values()), key=lambda message: message.number)

    @property
    def acked(self) -> Collection[Message]:
        """Acknowledged, in that order; a real queue has forgotten them."""
        return self.done.values()

    def order_seen(self) -> None:
        if self.order_is_asked is not None:
            self.order_is_asked()

    def on_send(self, who: str, body: Any) -> str:
        self.sent += 1
        message = Message(f"{self.name}-{self.sent}", body, number=self.sent)
        self.ready.append(message)
        return message.id

    def on_receive(self, who: str, wait: float | None = None) -> Message | None:
        if not self.ready:
            if wait is not None:
                return None
            raise Blocked
        return self.deliver(self.ready.pop(0), who)

    def direct(self, verb: str) -> Callable[..., Any]:
        return self._receive_or_wait if verb == "receive" else super().direct(verb)

    def _receive_or_wait(self, who: str) -> Any:
        return self.deliver(self.ready.pop(0), who) if self.ready else WAITS

    def on_ack(self, who: str, message: Message) -> None:
        receipt = (message.id, message.deliveries)
        if self.elapsed:
            self._forget(receipt)
        if self.flights.pop(receipt, None) or self._take_back(receipt):
            self.done[message.id] = message

    def on_nack(self, who: str, message: Message) -> None:
        self._return((message.id, message.deliveries))

    def disown(self, message: Message) -> None:
        """Whoever has received it will not acknowledge it any more: it comes back when its timeout runs out."""
        if (message.id, message.deliveries) in self.flights:
            self.flights[message.id, message.deliveries] = (message, None)

    def deliver(self, message: Message, who: str) -> Message:
        if message.deliveries:
            self.flights.pop((message.id, message.deliveries), None)  # its receipt is now an old one
        if self.elapsed:
            self.elapsed.pop(message.id, None)
        message = Message(message.id, message.body, message.deliveries + 1, message.number)
        self.flights[message.id, message.deliveries] = (message, who)
        return message

    def _take_back(self, receipt: tuple[str, int]) -> bool:
        """Take a timed-out delivery off the ready messages: it can be acknowledged until it is received again."""
        waiting = len(self.ready)
        self.ready = [message for message in self.ready if (message.id, message.deliveries) != receipt]
        return len(self.ready) < waiting

    def _return(self, receipt: tuple[str, int]) -> None:
        self._forget(receipt)
        message, _ = self.flights.pop(receipt, (None, None))
        if message is None:
            return
        if self.max_receives is not None and message.deliveries >= self.max_receives:
            self.dead_letters.append(message)
        else:
            self.ready.append(message)
            self.ready.sort(key=lambda waiting: waiting.number)

    def _forget(self, receipt: tuple[str, int]) -> None:
        """Stop its visibility timeout, if that runs."""
        if receipt in self.flights:
            self.elapsed.pop(receipt[0], None)

    def _redeliverable(self) -> Iterator[str]:
        """The messages that were handed out and may be handed out once more."""
        kept = {message.id for message in (*self.ready, *self.dead_letters)}  # these come anyway, or never again
        in_flight = (message_id for message_id, _ in self.flights if message_id not in self.done)
        return (message_id for message_id in itertools.chain(self.done, in_flight) if message_id not in kept)

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        yield from super().outcomes(op)
        if op.verb == "receive":
            yield from (Outcome(REDELIVERIES, message_id) for message_id in self._redeliverable())

    def ways(self, op: Op, fault: str) -> Iterator[Outcome]:
        if fault == REDELIVERIES:
            return super().ways(op, fault)
        return (one for one in super().outcomes(op) if one.fault == fault)  # without listing every message ever sent

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        if outcome.fault == REDELIVERIES:
            newest = {message.id: message for message in (*self.done.values(), *self.in_flight)}
            return self.deliver(newest[str(outcome.choice)], who)
        return super().perform(op, who, outcome)

    def lasts(self, op: Op) -> bool:
        return not self.ready and timing.waits(op)

    def awaited(self, op: Op, who: str) -> str | None:
        return ANYBODY

    @property
    def has_timers(self) -> bool:
        return self.visibility_timeout is not None

    def timers(self) -> tuple[Timer, ...]:
        if self.visibility_timeout is None:
            return ()
        return tuple(
            Timer(
                message.id, owner, self.visibility_timeout, f"visibility timeout of {message.id}",
                self.elapsed.get(message.id, JUST_NOW), message.deliveries,
            )
            for message, owner in self.flights.values()
        )  # fmt: skip

    def fell_asleep(self, who: str) -> None:
        self._set({timer.id: timer.elapsed.fell_asleep(who) for timer in self.timers()})

    def woke(self, sleep: Slept) -> None:
        self._set({timer.id: timer.elapsed.woke(sleep, timer.owner, timer.seconds) for timer in self.timers()})

    def advance(self, seconds: float) -> None:
        self._set({timer.id: timer.elapsed.later(seconds, timer.seconds) for timer in self.timers()})

    def _set(self, elapsed: Mapping[Any, Elapsed]) -> None:
        self.elapsed = {message: how for message, how in elapsed.items() if how != JUST_NOW}

    def expire(self, timer: Hashable) -> None:
        for receipt in [receipt for receipt in self.flights if receipt[0] == timer]:
            self._return(receipt)

    def owner_gone(self, who: str | None) -> None:
        for receipt, (message, owner) in self.flights.items():
            if who in (None, owner):
                self.flights[receipt] = (message, None)
        if self.elapsed:
            self._set({message: elapsed.gone(who) for message, elapsed in self.elapsed.items()})

    def renamed(self, names: Mapping[str, str]) -> QueueState:
        state = self.copy()
        state.flights = {
            receipt: (message, None if owner is None else names.get(owner, owner))
            for receipt, (message, owner) in self.flights.items()
        }
        state.elapsed = {message: elapsed.renamed(names) for message, elapsed in self.elapsed.items()}
        return state

    def counted(self) -> Hashable:
        flights = sorted(self.flights.values(), key=lambda flight: flight[0].number)
        done = [*self.done.values()] if self.ordered else sorted(self.done.values(), key=lambda message: message.number)
        places = (self.ready, [message for message, _ in flights], done, self.dead_letters)
        held = [tuple([message.counted() for message in place]) for place in places]
        return (*held, tuple(owner for _, owner in flights), self.sent, self._elapsed())

    def recounted(self, number: Renumber) -> QueueState:
        state = self.copy()
        state.ready = [message.recounted(number) for message in self.ready]
        flights = [(message.recounted(number), owner) for message, owner in self.flights.values()]
        state.flights = {(message.id, message.deliveries): (message, owner) for message, owner in flights}
        state.done = {name: message.recounted(number) for name, message in self.done.items()}
        state.dead_letters = [message.recounted(number) for message in self.dead_letters]
        return state

    def key(self) -> Hashable:
        waiting, dead = freeze(self.ready), freeze(self.dead_letters)
        done = self._done(map(freeze, self.done.values()))
        return (waiting, unordered(self.flights), done, dead, self.sent, self._elapsed())

    def _elapsed(self) -> Hashable:
        return frozenset(self.elapsed.items())

    def _done(self, keys: Iterable[Hashable]) -> Hashable:
        return tuple(keys) if self.ordered else frozenset(keys)

    def summary(self) -> str:
        parts = [(len(self.ready), "ready"), (len(self.flights), "in flight"), (len(self.dead_letters), "dead")]
        return ", ".join(f"{count} {what}" for count, what in parts if count) or "empty"

    def outcome(self) -> Hashable:
        waiting = sorted(message.number for message in self.ready + self.in_flight)
        return (plural(self.sent, "message"), tuple(waiting), tuple(letter.number for letter in self.dead_letters))


class Queue(Resource):
    """A queue that delivers each message at least once, oldest first.

    Modelled on Amazon SQS. A delivered message is in flight until it is acknowledged; if `visibility_timeout` (seconds;
    None: never) runs out first, or the message is handed back, it is delivered again. With `max_receives`, a message
    that has been delivered that often moves to `dead_letters` instead. As SQS says of its standard queues, the timeout
    is no guarantee against a second delivery: the fault `redeliveries` delivers a message once more while it is in
    flight, or after it was acknowledged. Only the newest delivery's receipt counts.

    `messages` are the initial ones. Raises Mistake if a message is not plain data, the timeout is not above 0, or
    `max_receives` is not a whole number, 1 or more.

    Source: Amazon SQS Developer Guide, "visibility timeout" and "dead-letter queues", and API Reference,
    "DeleteMessage". Left out: batches, delays, retention, extending a visibility timeout, message groups (an in-flight
    message does not hold back the ones behind it), and the loss of order of standard queues: here a message that comes
    back keeps its place. SQS moves a message to the dead letters when it would be received once too often; here that
    happens when its last delivery comes back, so an ack after that is too late. A queue in a table that is read with
    SELECT ... FOR UPDATE SKIP LOCKED skips a message that another transaction is taking; if that rolls back, a younger
    message has gone out first. Here the oldest one always goes first.
    """

    def __init__(
        self, messages: Iterable[Any] = (), *, visibility_timeout: float | None = 30, max_receives: int | None = None
    ) -> None:
        if isinstance(messages, str):
            raise Mistake(f"Queue({show(messages)}) would be one message per letter. Write Queue([{show(messages)}]).")
        if isinstance(messages, (bytes, dict)) or not isinstance(messages, Iterable):
            raise Mistake(f"Queue({show(messages)}): give a list of messages: Queue([{show(messages)}]).")
        self._messages = [fresh(body) for body in messages]
        self._visibility_timeout = positive("visibility_timeout", visibility_timeout)
        self._max_receives = max_receives
        if max_receives is not None:
            self._max_receives = whole_number("max_receives", max_receives, 1, or_=", or leave it out")

    def initial(self, name: str) -> QueueState:
        state = QueueState(name, self._visibility_timeout, self._max_receives)
        for body in self._messages:
            state.on_send("", fresh(body))
        return state

    def _usual(self, name: str) -> Mapping[str, Fits]:
        return {"receive": (), "send": (SURE,), "ack": plain_of(name), "nack": plain_of(name)}

    @property
    def ready(self) -> list[Message]:
        """For a property: the messages that wait to be received, oldest first."""
        raise NotImplementedError

    @property
    def in_flight(self) -> list[Message]:
        """For a property: delivered, not acknowledged and not timed out, in the order of sending."""
        raise NotImplementedError

    @property
    def acked(self) -> list[Message]:
        """For a property: acknowledged, in that order."""
        raise NotImplementedError

    @property
    def dead_letters(self) -> list[Message]:
        """For a property: given up after `max_receives` deliveries."""
        raise NotImplementedError

    @property
    def sent(self) -> int:
        """For a property: how many messages were ever sent, the initial ones included."""
        raise NotImplementedError

    def receive(self, *, wait: float | None = None) -> Op:
        """Answers the oldest Message that is ready; waits while there is none.

        With `wait`, it gives up after so many seconds and answers None, as SQS's ReceiveMessage with WaitTimeSeconds
        and Redis's BRPOP with a timeout do. Time passes as in a sleep: in `explore` it may give up before or after
        whatever others do, but not before a timer that is sure to end sooner; in `simulate` it gives up then, exactly.

        A run that gets None goes on. If it then returns, the next one begins and waits again, as after a message: the
        worker is a consumer. One that waits over and over, and comes back to where it was each time, is idle, like one
        that waits without an end; it does not go round for ever.

        Raises Mistake if `wait` is not a number above 0. Source: Amazon SQS API Reference, "ReceiveMessage"; Redis
        commands, "BRPOP". Left out: SQS's short polling (WaitTimeSeconds=0), which may miss a message that is there.
        """
        seconds = positive("wait", wait)
        return Op(self._name, "receive", (), {} if seconds is None else {"wait": seconds})

    def ack(self, message: Message) -> Op:
        """Done with this delivery: the queue forgets the message.

        With the receipt of an older delivery, once the message was delivered again, nothing happens, and no error says
        so: the message stays. (SQS: the request succeeds, and the message is not deleted.) Raises Mistake if it is not
        a message, or if another queue delivered it.
        """
        return Op(self._name, "ack", (owned(self._name, "ack", message),))

    def nack(self, message: Message) -> Op:
        """Hand the message back: it is ready again at once. An old receipt has no effect. Raises Mistake, as `ack`."""
        return Op(self._name, "nack", (owned(self._name, "nack", message),))

    def send(self, body: Any) -> Op:
        """Add a message. Answers its id."""
        return Op(self._name, "send", (body,))


def owned(name: str, verb: str, message: Any) -> Message:
    """Check what is handed back to the resource of this name. Raises Mistake if it is no message of its own."""
    if not isinstance(message, Message):
        write = f"Write `message = yield {name}.receive()` first, then `yield {name}.{verb}(message)`."
        raise Mistake(f"{verb}({show(message)}): that is not a message. {write}")
    queue = message.id.rpartition("-")[0]
    if queue != name:
        why = f"{name} never delivered it, {queue} did. Write `yield {queue}.{verb}(message)`."
        raise Mistake(f"{verb}({show(message)}): {why}")
    return message
