"""The observer: a process that inspects the real parts and expires their timers for the supervisor."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import ExitStack
from typing import Any

from simlib.errors import Mistake
from simlib.live.pipe import Pipe
from simlib.live.stores import Store
from simlib.live.stores.base import Facts


def observe(channel: Pipe, stores: Mapping[str, Store]) -> None:
    """Answer the supervisor's requests until it is gone."""
    observer = Observer(stores)
    while True:
        name, *arguments = channel.recv()
        try:
            answer = getattr(observer, name)(*arguments)
        except Mistake as mistake:
            answer = mistake
        channel.send(answer)


class Observer:
    """The requests that it answers."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = stores
        self._held = ExitStack()

    def facts(self) -> dict[str, Facts]:
        """The state of every part."""
        return {name: store.facts() for name, store in self._stores.items()}

    def waiting(self) -> set[str]:
        """The workers whose steps wait in some part."""
        return set().union(*(store.waiting() for store in self._stores.values()))

    def expire(self, resource: str, timer: Hashable) -> None:
        """Expire this timer."""
        store = self._stores[resource]
        with store.untouched():
            store.expire(timer)

    def take(self, resource: str) -> None:
        """Make this part unreachable for everybody else."""
        store = self._stores[resource]
        with store.untouched():
            self._held.enter_context(store.down())

    def let_go(self) -> None:
        """Make every part reachable again."""
        self._held.close()

    def lose_power(self, states: Mapping[str, Any]) -> None:
        """Set the parts to what the machine finds when it comes up again."""
        for name, state in states.items():
            self._stores[name].lose_power(state)
