"""What the model says is there, in the words in which a real part says it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from simlib.engines.live.stores.base import Facts, written
from simlib.resources.base import State
from simlib.resources.database import DatabaseState
from simlib.resources.disk import DiskState
from simlib.resources.lock import LockState
from simlib.resources.queue import Message, QueueState
from simlib.resources.service import ServiceState


@singledispatch
def expected(state: State) -> Facts:
    """Everything in this state that a property can see, and what the resource remembers beside it."""
    raise NotImplementedError(type(state))


@expected.register
def _(state: DatabaseState) -> Facts:
    return {"rows": state.rows, "sequences": state.sequences, "fences": state.fences}


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
def _(state: DiskState) -> Facts:
    return {name: state.contents(name) for name in state.files}


@expected.register
def _(state: ServiceState) -> Facts:
    return {
        "effects": {written(effect): times for effect, times in state.effects.items()},
        "keys": {written(key): written(effect) for key, effect in state.keys.items()},
        "refused": sorted(map(written, state.refused)),
    }
