"""The observer: a process that looks at the real parts, and lets time pass in them, for the supervisor."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import ExitStack
from typing import Any

from simlib.errors import Mistake
from simlib.live.pipe import Pipe
from simlib.live.stores import Store
from simlib.live.stores.base import Facts


def observe(channel: Pipe, stores: Mapping[str, Store]) -> None:
    """Serve the supervisor until it is gone."""
    observer = Observer(stores)
    while True:
        name, *arguments = channel.recv()
        try:
            answer = getattr(observer, name)(*arguments)
        except Mistake as mistake:
            answer = mistake
        channel.send(answer)


class Observer:
    """What can be asked."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = stores
        self._held = ExitStack()

    def facts(self) -> dict[str, Facts]:
        """What is there, in every part."""
        return {name: store.facts() for name, store in self._stores.items()}

    def expire(self, resource: str, timer: Hashable) -> None:
        """Let this timer run out."""
        store = self._stores[resource]
        with store.untouched():
            store.expire(timer)

    def take(self, resource: str) -> None:
        """Hold this part, so that nobody else gets it."""
        store = self._stores[resource]
        with store.untouched():
            self._held.enter_context(store.down())

    def let_go(self) -> None:
        """Everybody gets it again."""
        self._held.close()

    def lose_power(self, states: Mapping[str, Any]) -> None:
        """The machine comes up again with these."""
        for name, state in states.items():
            self._stores[name].lose_power(state)
