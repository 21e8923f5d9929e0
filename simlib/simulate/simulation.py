"""One simulated run: a system on a clock, with its timers, its arrivals and the faults that strike it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from random import Random
from typing import Any

import simpy

from simlib.model.fault import CRASHES, PAUSES, POWER_LOSSES, STOPS
from simlib.model.system import System
from simlib.model.timing import Timer
from simlib.progress import Progress
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.schedule.transition import (
    Transition,
    lose_power,
    power_loss,
    strike,
    timeout,
    ways_to_lose_power,
)
from simlib.simulate.arrivals import interarrival_times, schedule_arrivals
from simlib.simulate.clock import Clock, Full, SimPyClock
from simlib.simulate.conditions import Conditions, draw
from simlib.simulate.execution import Execution
from simlib.simulate.faults import Strike, schedule_faults
from simlib.simulate.lean import LeanClock, LeanExecution
from simlib.simulate.recorder import Recorder
from simlib.simulate.resource import Resource, end_process
from simlib.simulate.result import HOUR, Run
from simlib.simulate.timers import Timers
from simlib.simulate.worker import Worker

# What makes a SimPy process of the user's own, which may look at the run while it lasts.
Beside = Callable[[simpy.Environment, Run], Generator[simpy.Event, Any, Any]]
STREAMS = ("latency", "arrivals", "faults", "mishaps")  # independent random streams


class Simulation:
    """One run of a system under conditions, from one seed."""

    def __init__(
        self,
        system: System,
        conditions: Conditions,
        seed: int,
        keep_trace: bool,
        until_violation: bool,
        environment: simpy.Environment | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._system, self._conditions, self._until_violation = system, conditions, until_violation
        watchdog = system.watchdog
        self._chance = {name: Random(f"{seed} {name}") for name in STREAMS}
        requests, answered = ({name: Counter[int]() for name in conditions.capacity} for _ in range(2))
        self.run = Run(
            system.title, seed, conditions=conditions, requests=requests, answered=answered, states=system.states()
        )
        conditions.check_names(self.run.states, dict.fromkeys(system.names.values()))
        asks_simpy = any(isinstance(state, ClockState) for state in self.run.states.values())
        lean = environment is None and beside is None and not asks_simpy
        self._environment, self._beside = environment or simpy.Environment(), beside
        self._clock: Clock = LeanClock(watchdog) if lean else SimPyClock(watchdog, self._environment)
        self._clock.after(conditions.hours * HOUR, self._end, False)
        self._recorder = Recorder(system, self.run, keep_trace, self._violated)
        self._timers = Timers(self._clock, self._run_out)
        self._execution = (LeanExecution if lean else Execution)(
            system, self._clock, self._recorder, self._chance, self._look_at, self._settle
        )

    def finish(self) -> Run:
        """Run until the time is up or nothing more can happen; an interrupt keeps the results so far."""
        try:
            self._begin()
            with Progress("simulating", self._conditions.hours * HOUR) as progress:
                self._clock.run(progress)
        except KeyboardInterrupt:
            self.run.interrupted = "by you"
        except Full:
            self.run.interrupted = f"at {self._system.watchdog.megabytes:,.0f} MB"
        finally:
            for worker in self._execution.workers:
                if worker.process is not None:
                    worker.process.discard()
        self._recorder.close(self._clock.now)
        return self.run

    def _begin(self) -> None:
        clock, conditions, execution, chance = self._clock, self._conditions, self._execution, self._chance
        self._recorder.check(self._system.always, 0.0)
        if self._beside is not None:
            self._environment.process(self._beside(self._environment, self.run))
        queues = [name for name, state in self.run.states.items() if isinstance(state, QueueState)]
        consumers = self._system.consumers
        roles = list(dict.fromkeys(one.role.name for one in execution.workers if one.name not in consumers))
        times = interarrival_times(conditions.arrivals, queues, roles)
        schedule_arrivals(clock, times, chance["arrivals"], self._arrive)
        on_call = times.keys() - {*queues}
        for worker in execution.workers:
            if not on_call & {"", worker.role.name}:
                execution.start(worker)
        strikes: dict[str, Strike] = {
            CRASHES: self._crash, PAUSES: self._pause, POWER_LOSSES: self._lose_power, STOPS: self._stop,
        }  # fmt: skip
        schedule_faults(clock, conditions, chance["mishaps"], execution.workers, strikes)

    def _end(self, settled: bool) -> None:
        if self._clock.end():
            self.run.settled = settled

    def _violated(self) -> None:
        if self._until_violation:
            self._end(settled=False)

    def _settle(self) -> None:
        """End the run if nothing more can happen: every worker has ended or waits, and no timer runs."""
        if self._conditions.arrivals is not None:
            return
        for worker in self._execution.workers:
            if worker.goes_on:
                return
        if not any(state.timers() for state in self.run.states.values() if state.has_timers):
            self._end(settled=True)

    def _look_at(self, resource: Resource) -> None:
        """Start the timers of a resource that has changed, and check the properties that depend on it."""
        if resource.state.has_timers:
            self._timers.arm(resource)
        if resource.claims:
            self._recorder.check(resource.claims, self._clock.now)

    def _run_out(self, resource: Resource, timer: Timer) -> None:
        resource.state.expire(timer.id)
        move = timeout(resource.name, timer, early=False)
        self._recorder.event(move, self._clock.now, label=timer.label, seconds=timer.seconds)
        self._execution.changed(resource)
        self._settle()

    def _arrive(self, name: str) -> None:
        """A message arrives at the queue of this name, or a task for the role of this name (any role if "")."""
        resource, now = self._execution.resources.get(name), self._clock.now
        if resource is not None and isinstance(resource.state, QueueState):
            state = resource.state
            self._execution.arrived[state.on_send("", f"task-{state.sent + 1}")] = now
            if self._recorder.keeps_trace:
                self._recorder.event(Transition("arrival", resource=name), now, answer=state.ready[-1])
            self._execution.changed(resource)
            return
        idle = (one for one in self._execution.workers if one.idle and name in ("", one.role.name))
        worker = next(idle, None)
        label = f"a task for {name}" if name else "a task"
        self._recorder.event(Transition("arrival", worker.name if worker else ""), now, label=label)
        if worker is None:
            self.run.counts["refused task"] += 1
        else:
            self._execution.start(worker)

    def _crash(self, worker: Worker) -> None:
        if worker.step is None or not (worker.steps or worker.stopped):
            return  # not running, or it has taken no step yet and has nothing to lose
        freed = end_process(self._execution.resources.values(), worker.name)
        self._recorder.event(strike("crash", worker.name), self._clock.now)
        self._execution.kill(worker, freed)

    def _pause(self, worker: Worker) -> None:
        if worker.step is not None:
            self.run.counts[PAUSES] += 1
            worker.paused_until = self._clock.now + draw(self._conditions.pause, self._chance["mishaps"])

    def _stop(self, worker: Worker) -> None:
        if worker.step is None or worker.stopped:
            return
        if worker.paused_until > self._clock.now:  # a process that is stalled hears of it afterwards
            self._clock.after(worker.paused_until - self._clock.now, self._stop, worker)
            return
        self._execution.tell_to_stop(worker)

    def _lose_power(self, _: None) -> None:
        states, execution = self.run.states, self._execution
        choice = self._chance["mishaps"].randrange(ways_to_lose_power(states))
        lose_power(states, choice)
        self._recorder.event(power_loss(choice), self._clock.now)
        for worker in execution.workers:
            if worker.step is not None:
                execution.kill(worker)
        for resource in execution.resources.values():
            execution.changed(resource)
