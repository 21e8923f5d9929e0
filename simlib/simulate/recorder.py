"""Records a run: counts, the first violation, and every event if a trace is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simlib.model.fault import STOPS
from simlib.model.operation import BEGUN, OK, Op, Outcome, Where
from simlib.model.properties import Property
from simlib.model.state import State
from simlib.model.system import System
from simlib.resources.clock import ClockState
from simlib.schedule.trace import Event, Trace, copied
from simlib.schedule.transition import Transition, step, strike
from simlib.simulate.result import Run
from simlib.simulate.worker import Worker


class TimedEvent(Event):
    """An event of a simulation, where time advances by itself, and not through timers or sleeps."""

    __slots__ = ()

    def end_wait(self, states: Mapping[str, State], op: Op, answer: Any) -> None:
        """Nothing: the clock has told the time that passed."""

    def act(self, states: Mapping[str, State]) -> None:
        """Apply it to the states; a Clock shows the time of the last step."""
        for state in states.values():
            if self.op and isinstance(state, ClockState):
                state.seconds = self.at
        if self.kind == "timer":
            states[self.move.resource].expire(self.move.timer)
        elif self.kind != "stop" and not (self.op and self.op.verb == "sleep"):
            super().act(states)

    def tells(self, name: str, state: State) -> bool:
        """Whether the trace prints a clock's state: only after its own steps, since each event starts with the time."""
        return not isinstance(state, ClockState) or (self.op is not None and self.op.resource == name)


def _ending(worker: Worker, event: Event) -> Event:
    """The event, with how it ended the worker's run, if it did."""
    process = worker.process
    if process is not None and process.op is None and not event.begins:
        event.ended = "raised" if process.error else "returned"
        event.error, event.raised = process.error, process.where
    return event


class Recorder:
    """Writes to `run`, and reads the run's states. `stop` is called at the first violation."""

    def __init__(self, system: System, run: Run, keep_trace: bool, stop: Callable[[], None]) -> None:
        self.run = run
        self.keeps_trace = keep_trace
        self.steps = 0
        self._system = system
        self._stop = stop
        self._seen = {**system.values, **run.states}
        self._initial = copied(run.states)
        self._events: list[Event] = []

    def check(self, claims: Sequence[Property], now: float) -> None:
        """Check these properties. After the first violation, nothing is checked any more."""
        if self.run.first_violation is None:
            broken = next((claim for claim in claims if not self._system.holds(claim, self._seen)), None)
            if broken is not None:
                because = self._system.because(broken, self.run.states)
                self.violated(broken.name, because, now, broken.parameters)

    def violated(self, claim: str, because: str, now: float, about: tuple[str, ...] = ()) -> None:
        """Record this violation if it is the first."""
        run = self.run
        if run.first_violation is None:
            run.first_violation, run.broken, run.because, run.about = now, claim, because, about
            self._stop()

    def event(self, move: Transition, now: float, **about: Any) -> None:
        """Count it if it is a fault, and add it to the trace if there is one."""
        if move.fault:
            self.run.counts[move.fault] += 1
        if self.keeps_trace:
            self._events.append(TimedEvent(move, now, **about))

    def step(self, worker: Worker, op: Op, outcome: Outcome, answer: Any, where: Where, now: float) -> None:
        """Add a worker's step to the trace."""
        name = op.name
        nth = worker.nth.get(name, 0) + 1
        if outcome is not BEGUN:
            worker.nth[name] = nth
        event = TimedEvent(worker.move if outcome is OK else step(worker.name, outcome), now, op, answer, where, nth)
        if worker.process is not None and worker.process.op is None:
            _ending(worker, event)
        self._events.append(event)

    def stop(self, worker: Worker, where: Where, now: float) -> None:
        """Count a worker that was told to stop, and add it to the trace."""
        self.run.counts[STOPS] += 1
        if self.keeps_trace:
            self._events.append(_ending(worker, TimedEvent(strike("stop", worker.name), now, where=where)))

    def close(self, now: float) -> None:
        """End the run: check the `eventually` properties and build the trace."""
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
