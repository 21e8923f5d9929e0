"""The plain machine again, with real processes and real parts under it.

The machine's own states are the model. Each step is taken by an operating-system process on a real storage, each crash
is a SIGKILL, each pause a SIGSTOP; and after each of them what is really there is held against the model. Where the two
differ, the model is wrong, and that is an error of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator
from contextlib import nullcontext
from typing import Any

from simlib.engines.live.actor import Actor
from simlib.engines.live.reality import Reality
from simlib.engines.live.stores.facts import expected
from simlib.engines.machine import Machine
from simlib.errors import Mistake
from simlib.ops import Op
from simlib.system import System
from simlib.trace import Event, Move
from simlib.values import freeze, show


class ModelIsWrong(Mistake):
    """A real part did something that the model of it does not do."""


class LiveMachine(Machine):
    """The machine whose steps are real. `kinds` says what each resource is."""

    def __init__(self, system: System, reality: Reality) -> None:
        super().__init__(system)
        self._reality = reality
        self._actors: dict[str, Actor] = {}
        self.killed = self.stopped = 0

    def __enter__(self) -> LiveMachine:
        self._reality.begin()
        _, self._keeper = self._reality.fork("keeper")
        super().__enter__()
        return self

    def _start(self, worker: str, incarnation: int) -> Any:
        pid, channel = self._reality.fork("worker", worker, incarnation)
        self._actors[worker] = Actor(pid, channel)
        return self._actors[worker]

    def here(self, worker: str) -> Hashable:
        return self._actors[worker].here

    def perform(self, move: Move) -> Event:
        event = super().perform(move)
        self._compare()
        return event

    def _carry_out(self, op: Op, move: Move) -> Any:
        actor = self._actors[move.worker]
        actor.go_on()
        modelled = super()._carry_out(op, move)
        with self._away(op.resource) if move.fault == "outages" else nullcontext():
            did = actor.channel.ask(move.outcome, modelled)
        if freeze(did) != freeze(modelled):
            raise ModelIsWrong(f"{op}: the model answers {show(modelled)}, {self._kind(op.resource)} {show(did)}.")
        return did

    @contextlib.contextmanager
    def _away(self, resource: str) -> Iterator[None]:
        """The real part is not to be had."""
        if resource in self._reality.kinds:
            self._keeper.ask("take", resource)
        yield
        if resource in self._reality.kinds:
            self._keeper.ask("let_go")

    def _kind(self, resource: str) -> str:
        return self._reality.kinds.get(resource, resource)

    def _restart(self, worker: str, incarnation: int) -> None:
        actor, slot = self._actors[worker], self.slots[worker]
        if incarnation == slot.incarnation:  # it has done its task, and takes the next one
            actor.once_more()
            slot.steps.clear()
            slot.last_at = self.now
            return
        self._reality.kill(actor.pid)
        super()._restart(worker, incarnation)

    def _crash(self, move: Move) -> Event:
        self.killed += 1
        return super()._crash(move)

    def _lose(self, move: Move) -> Event:
        self.killed += 1
        self._reality.kill(self._actors[move.worker].pid)
        return super()._lose(move)

    def _power_loss(self, move: Move) -> Event:
        event = super()._power_loss(move)
        here = {name: state for name, state in self.states.items() if not state.remote and name in self._reality.kinds}
        self._keeper.ask("lose_power", here)
        return event

    def _timer(self, move: Move) -> Event:
        event = super()._timer(move)
        if event.stalled:
            self._actors[event.stalled[0]].stop()
            self.stopped += 1
        if move.resource in self._reality.kinds:
            self._keeper.ask("expire", move.resource, move.timer)
        return event

    def _compare(self) -> None:
        """Hold what is really there against the model."""
        for name, found in self._keeper.ask("facts").items():
            modelled = expected(self.states[name])
            if found != modelled:
                there, said = show(found, 300), show(modelled, 300)
                raise ModelIsWrong(f"{name}: {self._kind(name)} has {there}, the model {said}.")
