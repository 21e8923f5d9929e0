"""What is written down of a run: what happened how often, what broke first, and every event if a trace is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from simlib.model.operation import OK, Op, Outcome, Where
from simlib.model.process import Process
from simlib.model.properties import Property
from simlib.model.resource import State
from simlib.model.system import System
from simlib.schedule.trace import Event, Trace
from simlib.schedule.transition import Transition
from simlib.simulate.conditions import Conditions
from simlib.simulate.result import Run
from simlib.simulate.worker import Worker


class Record:
    """Written by a simulation; `run` is what comes of it."""

    def __init__(
        self, system: System, conditions: Conditions, seed: int, keep_trace: bool, states: Mapping[str, State]
    ) -> None:
        self.keeps_trace = keep_trace
        self.steps = 0
        self.run = Run(system.title, seed, states=states, conditions=conditions)
        for by_second in (self.run.requests, self.run.answered):
            by_second.update((name, Counter()) for name in conditions.capacity)
        self._system = system
        self._states = states
        self._seen = {**system.values, **states}
        self._initial = {name: state.copy() for name, state in states.items()}
        self._events: list[Event] = []

    def count(self, what: str) -> None:
        """It happened once more."""
        self.run.counts[what] += 1

    def check(self, claims: Sequence[Property], now: float) -> bool:
        """Whether one of these is not true, for the first time. What comes after a violation is not looked at."""
        if self.run.first_violation is not None:
            return False
        broken = next((claim for claim in claims if not self._system.holds(claim, self._seen)), None)
        if broken is None:
            return False
        return self.broke(broken.name, self._system.because(broken, self._states), now, broken.parameters)

    def broke(self, claim: str, because: str, now: float, about: tuple[str, ...] = ()) -> bool:
        """Write down that this broke; whether it was the first."""
        run = self.run
        if run.first_violation is not None:
            return False
        run.first_violation, run.broken, run.because, run.about = now, claim, because, about
        return True

    def event(self, event: Event) -> None:
        """Add to the trace, if one is kept."""
        if self.keeps_trace:
            self._events.append(event)

    def step(
        self, worker: Worker, process: Process, op: Op, outcome: Outcome, answer: Any, where: Where, now: float
    ) -> None:
        """Add a worker's step to the trace that is kept."""
        name, counted = worker.way.name, worker.nth
        nth = counted[name] = counted.get(name, 0) + 1
        move = worker.move
        if outcome is not OK:
            move = Transition("step", worker.name, outcome=outcome, fault=outcome.fault)
        event = Event(move, now, op, answer, where, nth)
        if process.op is None:
            event.ended = "raised" if process.error else "returned"
            event.error, event.raised = process.error, process.where
        self._events.append(event)

    def close(self, now: float) -> None:
        """The run is over: look at what should have become true, and put the trace together."""
        run = self.run
        run.seconds = now
        if self.steps:
            run.counts["steps"] = self.steps
        if run.settled and not run.interrupted:
            self.check(self._system.eventually, now)
        if self.keeps_trace:
            run.trace = Trace(
                run.title, tuple(self._events), self._initial, run.broken, run.because, run.about,
                roles=self._system.names,
            )  # fmt: skip
