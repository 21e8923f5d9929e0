"""Converts the model's state to facts, the form in which real parts report theirs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from simlib.live.stores.base import Facts
from simlib.model.state import State
from simlib.model.values import freeze
from simlib.resources.advisory_lock import AdvisoryLockState
from simlib.resources.collection import CollectionState
from simlib.resources.database_state import DatabaseState
from simlib.resources.disk import DiskState
from simlib.resources.lock import LockState
from simlib.resources.message import Message
from simlib.resources.queue import QueueState
from simlib.resources.service_state import ServiceState, hashable
from simlib.resources.webhooks import CallingState


def same(found: Facts, modelled: Facts) -> bool:
    """Whether a worker could not tell them apart."""
    return found.keys() == modelled.keys() and all(_key(part) == _key(modelled[name]) for name, part in found.items())


def _key(part: Any) -> Any:
    """Dict keys and set members are hashable and unordered, so they are compared directly."""
    if type(part) is dict:
        return {key: freeze(value) for key, value in part.items()}
    return part if type(part) is set else freeze(part)


@singledispatch
def expected(state: State) -> Facts:
    """The facts of this state: everything that properties can see, and what the resource remembers besides."""
    raise NotImplementedError(type(state))


@expected.register
def _(state: DatabaseState) -> Facts:
    rows = {freeze(key): row for key, row in state.rows.items()}
    fences = {freeze(key): token for key, token in state.fences.items()}
    return {"rows": rows, "sequences": state.sequences, "fences": fences, "mortal": {*map(freeze, state.lives)}}


@expected.register
def _(state: CollectionState) -> Facts:
    return {"items": state.items}


@expected.register
def _(state: QueueState) -> Facts:
    acked = sorted(state.acked, key=_number)
    return {
        "ready": _messages(state.ready), "flight": _messages(state.in_flight), "dead": _messages(state.dead_letters),
        "acked": [message.id for message in acked], "sent": state.sent,
    }  # fmt: skip


def _messages(messages: Sequence[Message]) -> list[tuple[str, Any, int]]:
    return [(message.id, message.body, message.deliveries) for message in sorted(messages, key=_number)]


def _number(message: Message) -> int:
    return message.number


@expected.register
def _(state: LockState) -> Facts:
    return {"holder": state.holder, "token": state.token, "freed_by_others": state.freed_by_others}


@expected.register
def _(state: AdvisoryLockState) -> Facts:
    return {"holder": state.holder}


@expected.register
def _(state: DiskState) -> Facts:
    return {name: state.contents(name) for name in state.files}


@expected.register
def _(state: ServiceState) -> Facts:
    return {
        "effects": {**state.effects},
        "keys": {(key, hashable(done)) for key, done in state.keys.items()},
        "refused": {*state.refused},
    }


@expected.register
def _(state: CallingState) -> Facts:
    done: Facts = expected.dispatch(ServiceState)(state)
    events = state.events
    held = {
        "sent": events.sent, "ready": _events(events.ready), "flight": _events(events.in_flight),
        "answered": {event.number: event.deliveries for event in events.acked},
    }  # fmt: skip
    return {**done, "events": held}


def _events(events: Sequence[Message]) -> list[tuple[int, Any, int]]:
    return [(event.number, event.body, event.deliveries) for event in events]
