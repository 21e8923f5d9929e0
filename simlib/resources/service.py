"""Somebody else's API, whose effects cannot be undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simlib.errors import Mistake
from simlib.model.builders import Fits
from simlib.model.operation import Op
from simlib.model.resource import Resource
from simlib.model.values import SURE
from simlib.model.view import asked
from simlib.resources.message import Message
from simlib.resources.queue import QueueState, owned
from simlib.resources.service_state import ServiceState
from simlib.resources.webhooks import RESEND, CallingState
from simlib.text import show


class Service(Resource):
    """Somebody else's API, whose effects cannot be undone: a bank, a mail provider, a carrier.

    Modelled on a payment provider's HTTP API. A call with an `idempotency_key` is done once however often it is made,
    and a key that is reused with other arguments is rejected (Stripe, "Designing robust and predictable APIs with
    idempotency", 2017, and API Reference, "Idempotent requests" and "Errors": idempotency_error). Under faults a call
    raises Unavailable (it did not happen), OutcomeUnknown (perhaps it did) or Rejected (it did not, and never will with
    these arguments). What was done under a key can be looked up, as a transfer can by its client's reference
    (Worldpay, "Query for a money transfer", by transactionReference).

    With `webhooks=True` it calls back: for each effect that it really has there is an event, whose `body` is the action
    and its arguments. A handler is a role that receives events, one a run, and answers each: `ack` is a 2xx, `nack` any
    other status. An event that is not answered with 2xx within 30 seconds, or whose handler has died, is sent again.
    Events come at least once (the fault `redeliveries` sends one again although it was answered, as when the answer is
    lost) and in any order (Stripe, "Receive Stripe events in your webhook endpoint": event ordering, duplicate events,
    and automatic retries for up to three days). Then a provider gives up: so a handler that only receives and answers
    no is not called a loop without an end, unless what should be true eventually stays false.

    Left out: the growing delays between two attempts (here each may come at any time after the answer; in `simulate` 30
    seconds after the last) and their end, signatures, and events that are listed or fetched later; keys that expire
    after a day; concurrent calls with one key (here the second finds the first one done, there it is told to retry,
    409); look-ups that lag behind (Stripe, "Search", "Data freshness": by a minute, and not for reading what was just
    written; its lists do not lag); errors stored under a key as answers are (Stripe repeats even a 500; here only what
    was done is stored, so a failed call can be retried with its key); and answers other than "ok".
    """

    def __init__(self, *, webhooks: bool = False) -> None:
        if not isinstance(webhooks, bool):
            raise Mistake(f"Service(webhooks={show(webhooks)}): say True or False.")
        self._webhooks = webhooks

    def initial(self, name: str) -> ServiceState:
        return CallingState(events=QueueState(name, RESEND, None)) if self._webhooks else ServiceState()

    def _usual(self, name: str) -> Mapping[str, Fits]:
        return {"call": _is_plain}

    @asked
    def count(self, action: str, *args: Any) -> int:
        """For a property: how often `action` was really done, with any arguments, or with these."""
        raise NotImplementedError

    @property
    def pending_webhooks(self) -> list[Message]:
        """For a property: with `webhooks=True`, the events that have not been answered with 2xx, in the order of what
        they tell of.
        """
        raise NotImplementedError

    def call(self, action: str, *args: Any, idempotency_key: Any = None) -> Op:
        """Do `action` with these arguments. Answers "ok".

        Raises Rejected if the key was used for something else, or if the fault `rejections` strikes; then every retry
        fails too. Raises Unavailable or OutcomeUnknown under `outages` and `lost_replies`. 1, 1.0 and True are three
        arguments, and three keys. Raises Mistake if `action` is not text, or an argument is not plain data.
        """
        if not isinstance(action, str):
            raise Mistake(f'call({show(action)}): say first what to do, as text: call("charge", 20).')
        key = {} if idempotency_key is None else {"idempotency_key": idempotency_key}
        return Op(self._name, "call", (action, *args), key)

    def look_up(self, key: Any) -> Op:
        """Ask what was done under this idempotency key. Answers the action and its arguments: ("charge", 20).

        Raises NotFound (404) if nothing was: then nothing has happened under it so far. Raises Unavailable or
        OutcomeUnknown under `outages` and `lost_replies`. Raises Mistake if `key` is None, or is not plain data.
        """
        if key is None:
            raise Mistake("look_up(None): nothing is done under no key. Give the idempotency key of the call.")
        return Op(self._name, "look_up", (key,))

    def receive(self) -> Op:
        """With `webhooks=True`: answers an event that is to be sent, any of them; waits while there is none. A Message.

        Raises Mistake if the service does not call back.
        """
        return Op(self._name, "receive", self._calling_back("receive"))

    def ack(self, event: Message) -> Op:
        """Answer 2xx: the event is not sent again. An answer to an older delivery of it has no effect.

        Raises Mistake if it is not an event of this service.
        """
        return Op(self._name, "ack", (*self._calling_back("ack"), owned(self._name, "ack", event)))

    def nack(self, event: Message) -> Op:
        """Answer 4xx or 5xx: the event is sent again later. Raises Mistake, as `ack`."""
        return Op(self._name, "nack", (*self._calling_back("nack"), owned(self._name, "nack", event)))

    def _calling_back(self, verb: str) -> tuple[()]:
        if not self._webhooks:
            raise Mistake(f"{verb}(...): this service calls nobody back. Describe it as Service(webhooks=True).")
        return ()


def _is_plain(action: Any, *args: Any) -> bool:
    """Whether this is what to do, with arguments that need no copy."""
    return type(action) is str and (not args or SURE.issuperset(map(type, args)))
