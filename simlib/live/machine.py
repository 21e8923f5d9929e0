"""A schedule's machine whose steps are carried out by real processes on real storage.

The machine's own states are the model. An operating-system process takes each step on real storage, each crash is a
SIGKILL, each pause a SIGSTOP. After each event the real parts are compared with the model. If they differ, the model is
wrong, and ModelIsWrong is raised.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from simlib.errors import Mistake
from simlib.live.actor import GONE, Actor
from simlib.live.processes import Processes
from simlib.live.race import OR, Answers, ModelIsWrong, Race, race
from simlib.live.stores.base import Facts
from simlib.live.stores.facts import expected, same
from simlib.model.fault import OUTAGES
from simlib.model.system import System
from simlib.model.values import freeze
from simlib.resources.transactional import TransactionalState
from simlib.schedule.machine import Machine
from simlib.schedule.trace import Event
from simlib.schedule.transition import RULES, Transition, strike
from simlib.text import show


class LiveMachine(Machine):
    """The machine whose steps are real. `killed`, `stopped` and `told` count its SIGKILLs, SIGSTOPs and SIGTERMs."""

    def __init__(self, system: System, processes: Processes) -> None:
        super().__init__(system)
        self._processes = processes
        self._actors: dict[str, Actor] = {}
        self._answers: Answers = {}  # to steps that were taken in a race
        self.killed = self.stopped = self.told = 0

    def __enter__(self) -> LiveMachine:
        self._processes.begin()
        _, self._observer = self._processes.fork("observer")
        super().__enter__()
        # Set here so that no worker has to run in this process to find out: whatever it started would outlive the run.
        vars(self.system).setdefault("first_operations", {worker: slot.op for worker, slot in self.slots.items()})
        return self

    def step_names(self) -> dict[str, set[str]]:
        """The steps that each worker takes, which a playback needs: found by running it in a process of the run."""
        _, channel = self._processes.fork("rehearse")
        try:
            return channel.hear()  # type: ignore[no-any-return]
        except EOFError:
            raise Mistake(GONE) from None
        finally:
            channel.close()

    def _start(self, worker: str, incarnation: int) -> Any:
        pid, channel = self._processes.fork("worker", worker, incarnation)
        self._actors[worker] = Actor(pid, channel)
        return self._actors[worker]

    def here(self, worker: str) -> Hashable:
        return self._actors[worker].here

    def actor(self, worker: str) -> Actor:
        """The process that runs this worker now."""
        return self._actors[worker]

    def facts(self) -> dict[str, Facts]:
        """The real state of each part."""
        return self._ask_observer("facts")  # type: ignore[no-any-return]

    def _ask_observer(self, *what: Any) -> Any:
        """Send the observer a request. Raises Mistake if the observer is gone."""
        try:
            return self._observer.ask(*what)
        except EOFError:
            raise Mistake(f"the process that looks at the real parts has died at {what[0]}; stderr says why.") from None

    def kill(self, worker: str) -> None:
        """SIGKILL the worker if it is still running."""
        self.killed += self._processes.kill(self._actors[worker].pid)

    def perform(self, move: Transition | Race) -> Event:
        event = self._perform_at_once(move) if isinstance(move, Race) else super().perform(move)
        self._compare()
        return event

    def can_race(self, worker: str) -> bool:
        """Whether this worker's next step may run concurrently with others."""
        op = self.slots[worker].op
        if op is None or op.resource not in self._processes.kinds:
            return False
        state = self.states[op.resource]
        waits = isinstance(state, TransactionalState) and (state.open or op.verb == "begin")
        return state.remote and not waits

    def enabled(self) -> Iterator[Transition]:
        """As in the model; but who waited for a row that is free now goes on at once, as it does on a server."""
        moves = [*super().enabled()]
        woken = {worker for worker in self.slots if self._is_woken(worker)}
        if woken:
            woken -= self._ask_observer("waiting")
        first = [move for move in moves if move.worker in woken and move.kind == "step" and not move.fault]
        return iter(first or moves)

    def _is_woken(self, worker: str) -> bool:
        """Whether this worker's statement has waited, and in the model need not any more."""
        slot = self.slots[worker]
        waits = slot.begun and slot.op is not None and isinstance(self.states[slot.op.resource], TransactionalState)
        return waits and self.can_step(worker)

    def _perform_at_once(self, together: Race) -> Event:
        """Take these steps concurrently, and kill one of the workers in the middle of its step if the race says so."""
        order, self._answers = race(self, together)
        for move in order:
            self.perform(move) if move.worker != together.killed else self._unheard(move)
        for move in together.moves:
            if move not in order and move.worker != together.killed:  # it had to wait
                self._actors[move.worker].answer(None)
        if together.killed:
            self.perform(strike("crash", together.killed))
        self._answers = {}
        return self.events[-1]

    def _unheard(self, move: Transition) -> None:
        """Record the step of a process that was killed before it could report it."""
        self._record(self._take(move))

    def _carry_out(self, move: Transition, busy: Sequence[str]) -> Any:
        modelled = super()._carry_out(move, busy)
        if move.worker in self._answers:  # already taken, in a race
            return self._answers[move.worker]
        actor = self._actors[move.worker]
        op = actor.op
        assert op is not None
        actor.go_on()
        with self._away(op.resource) if move.fault == OUTAGES else nullcontext():
            did = actor.channel.ask(move.outcome, modelled)
        if freeze(did) != freeze(modelled):
            real = f"{self._kind(op.resource)} {show(did)}"
            raise ModelIsWrong(f"{op}: the model answers {show(modelled)}, {real}. {OR}")
        return did

    @contextlib.contextmanager
    def _away(self, resource: str) -> Iterator[None]:
        """Make the real part unreachable for a while."""
        if resource in self._processes.kinds:
            self._ask_observer("take", resource)
        yield
        if resource in self._processes.kinds:
            self._ask_observer("let_go")

    def _kind(self, resource: str) -> str:
        return self._processes.kinds.get(resource, resource)

    def _restart(self, worker: str, incarnation: int) -> None:
        actor, slot = self._actors[worker], self.slots[worker]
        if incarnation == slot.incarnation:  # it has finished its task and takes the next one
            actor.once_more()
            slot.steps.clear()
            slot.last_at = self.now
            return
        self._processes.kill(actor.pid)
        super()._restart(worker, incarnation)

    def _strike(self, move: Transition) -> Event:
        fate = RULES[move.kind].fate
        if fate in ("killed", "lost"):
            self.kill(move.worker)
        self.told += fate == "told"
        return super()._strike(move)

    def _power_loss(self, move: Transition) -> Event:
        for worker, slot in self.slots.items():
            if slot.op is not None:
                self._processes.kill(self._actors[worker].pid)
        event = super()._power_loss(move)
        here = {
            name: state for name, state in self.states.items() if not state.remote and name in self._processes.kinds
        }
        self._ask_observer("lose_power", here)
        return event

    def _timer(self, move: Transition) -> Event:
        event = super()._timer(move)
        if event.stalled:
            self._actors[event.stalled[0]].stop()
            self.stopped += 1
        if move.resource in self._processes.kinds:
            self._ask_observer("expire", move.resource, move.timer)
        return event

    def _compare(self) -> None:
        """Compare the real parts with the model."""
        if len(self._answers) > 1:
            return  # the real parts already contain steps that come later in the order
        for name, found in self.facts().items():
            modelled = expected(self.states[name])
            if not same(found, modelled):
                there, said = show(found, 300), show(modelled, 300)
                raise ModelIsWrong(f"{name}: {self._kind(name)} has {there}, the model {said}. {OR}")
