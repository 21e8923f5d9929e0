"""Somebody else's API, whose effects cannot be undone."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from simlib.errors import Mistake, NotFound, Rejected
from simlib.model.fault import REJECTIONS
from simlib.model.operation import OK, Op, Outcome
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.model.values import KEYS, freeze, unordered
from simlib.model.view import asked
from simlib.text import plural, printable, show


@dataclass
class ServiceState(State):
    """What was done, and under which keys; a property sees what Service says."""

    sees = ("count",)
    effects: dict[Hashable, int] = field(default_factory=dict)  # (action, arguments): how often
    totals: dict[str, int] = field(default_factory=dict)  # action: how often
    keys: dict[Hashable, tuple[Any, ...]] = field(default_factory=dict)  # idempotency key: (action, arguments)
    refused: dict[Hashable, bool] = field(default_factory=dict)

    def count(self, action: str, *args: Any) -> int:
        """How often `action` was done, with any arguments, or with these."""
        return self.effects.get(hashable((action, *args)), 0) if args else self.totals.get(action, 0)

    def on_call(self, who: str, action: str, *args: Any, idempotency_key: Any = None) -> str:
        effect, key = hashable((action, *args)), hashable(idempotency_key)
        if key in self.keys:  # repeat the stored answer, whatever has happened since
            if hashable(self.keys[key]) != effect:
                raise Rejected(f"idempotency key {show(idempotency_key)} was used for other arguments")
            return "ok"
        if effect in self.refused:
            raise Rejected(action)
        if key is not None:
            self.keys[key] = (action, *args)
        self.effects[effect] = self.effects.get(effect, 0) + 1
        self.totals[action] = self.totals.get(action, 0) + 1
        return "ok"

    def on_look_up(self, who: str, key: Any) -> tuple[Any, ...]:
        if hashable(key) not in self.keys:
            raise NotFound(key)
        return self.keys[hashable(key)]

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        yield from super().outcomes(op)
        if op.verb != "call":
            return
        if hashable(op.args) not in self.refused and hashable(op.kwargs.get("idempotency_key")) not in self.keys:
            yield Outcome(REJECTIONS)

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        if outcome.fault == REJECTIONS:
            self.refused[hashable(op.args)] = True
            raise Rejected(op.args[0])
        return super().perform(op, who, outcome)

    def key(self) -> Hashable:
        return (unordered(self.effects), unordered(self.keys), unordered(self.refused))

    def summary(self) -> str:
        done = [plural(times, printable(action)) for action, times in sorted(self.totals.items())]
        return ", ".join(done) or "nothing done"

    def outcome(self) -> Hashable:
        return tuple(sorted(f"{show(effect)} x {times}" for effect, times in self.effects.items()))


class Service(Resource):
    """Somebody else's API, whose effects cannot be undone: a bank, a mail provider, a carrier.

    Modelled on a payment provider's HTTP API. A call with an `idempotency_key` is done once however often it is made,
    and a key that is reused with other arguments is rejected (Stripe, "Designing robust and predictable APIs with
    idempotency", 2017, and API Reference, "Idempotent requests" and "Errors": idempotency_error). Under faults a call
    raises Unavailable (it did not happen), OutcomeUnknown (perhaps it did) or Rejected (it did not, and never will with
    these arguments). What was done under a key can be looked up, as a transfer can by its client's reference
    (Worldpay, "Query for a money transfer", by transactionReference).

    Left out: keys that expire after a day; concurrent calls with one key (here the second finds the first one done,
    there it is told to retry, 409); look-ups that lag behind (Stripe, "Search", "Data freshness": by a minute, and not
    for reading what was just written; its lists do not lag); errors stored under a key as answers are (Stripe repeats
    even a 500; here only what was done is stored, so a failed call can be retried with its key); and answers other
    than "ok".
    """

    def initial(self, name: str) -> ServiceState:
        return ServiceState()

    @asked
    def count(self, action: str, *args: Any) -> int:
        """For a property: how often `action` was really done, with any arguments, or with these."""
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


def hashable(value: Any) -> Hashable:
    """A key for the value, which is the value itself if it equals nothing else: 1, 1.0 and True are three, as in the
    text of a request.
    """
    if type(value) is tuple:
        return value if KEYS.issuperset(map(type, value)) else freeze(value)
    return value if type(value) in KEYS else freeze(value)
