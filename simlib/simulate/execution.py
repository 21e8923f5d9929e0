"""Runs the workers' steps. A step takes effect all at once, at the end of its latency; a crash before prevents it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import inf
from random import Random
from typing import Any

from simlib.errors import ENDS_A_RUN, OperationError, Terminated
from simlib.model import timing
from simlib.model.fault import LOST_REPLIES
from simlib.model.operation import BEGUN, NOWHERE, OK, Blocked, Op, Outcome
from simlib.model.process import Process
from simlib.model.system import System, queued
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.simulate.clock import Clock
from simlib.simulate.conditions import draw
from simlib.simulate.recorder import Recorder
from simlib.simulate.requests import Requests
from simlib.simulate.resource import Operation, Resource, Step, end_process
from simlib.simulate.worker import Worker
from simlib.text import show
from simlib.watchdog import Hanging

BLOCKED = object()  # in place of an answer
LOST = Outcome(LOST_REPLIES)
Chance = Mapping[str, Random]  # one generator for each kind of draw
Look = Callable[[Resource], None]


class Execution:
    """A system's workers and resources on a clock.

    `look_at` is called when a watched resource has changed, `settle` when a worker can no longer proceed by itself.
    """

    def __init__(
        self,
        system: System,
        clock: Clock,
        recorder: Recorder,
        chance: Chance,
        look_at: Look,
        settle: Callable[[], None],
    ) -> None:
        states, conditions = recorder.run.states, recorder.run.conditions
        self.workers = [Worker(name, role) for name, role in system.cast.items()]
        self.resources = {
            name: Resource(name, state, conditions, system.always, clock) for name, state in states.items()
        }
        queues = [state for state in states.values() if isinstance(state, QueueState)]
        self.arrived = {message.id: 0.0 for queue in queues for message in queue.ready}  # of unfinished messages
        self._clocks = [state for state in states.values() if isinstance(state, ClockState)]
        self._system, self._clock, self._recorder, self._chance = system, clock, recorder, chance
        self._restart = conditions.restart
        self._look_at, self._settle = look_at, settle
        self._requests = Requests(clock, recorder.run, partial(self._take_effect, outcome=LOST))
        self._watched = system.watchdog.run
        self._told = False  # whether the current step's worker has its answer

    # Processes

    def start(self, worker: Worker) -> None:
        """Start a new process for this worker."""
        worker.idle = worker.restarting = False
        worker.incarnation += 1
        worker.process = self._process(worker)
        worker.step = Step(self._take_effect, worker)
        self._begin_task(worker, worker.process)

    def _process(self, worker: Worker) -> Process:
        return self._system.start(worker.name, worker.incarnation)

    def _begin_task(self, worker: Worker, process: Process) -> None:
        worker.steps = 0
        worker.queued, worker.stopped = "", False
        worker.nth.clear()
        if worker.task is None:
            worker.task = self._clock.now
        self._next_step(worker, process)

    def _end_task(self, worker: Worker, process: Process) -> None:
        run, now = self._recorder.run, self._clock.now
        if isinstance(process.error, ENDS_A_RUN):
            if not isinstance(process.error, Terminated):
                run.counts[type(process.error).__name__] += 1
            self.kill(worker)  # to a supervisor, a failed process is like a killed one
        elif process.error is not None:
            self._stop(worker)
            self._recorder.violated("error", f"{process.name} raised {show(process.error)}", now)
        else:
            began = self.arrived.pop(worker.task, None) if isinstance(worker.task, str) else worker.task
            worker.task = None
            if began is not None:
                run.counts["completed"] += 1
                run.latencies.append(now - began)
            if worker.stopped and worker.queued == "receive":
                self.kill(worker)  # its process has ended, and another one takes the next message
            elif worker.queued == "receive":
                process.begin()
                self._begin_task(worker, process)
            else:
                self._stop(worker)
                worker.idle = True

    def _stop(self, worker: Worker) -> None:
        assert worker.step is not None
        worker.step.cancel()
        if worker.step.waits:
            worker.operation.resource.waiting.remove(worker.step)
        worker.step = None

    def kill(self, worker: Worker, freed: Iterable[Resource] = ()) -> None:
        """End the worker's process, whatever it waits for, and restart it after a while if its role restarts. Its end
        has freed these resources.
        """
        self._stop(worker)
        assert worker.process is not None
        worker.process.discard()
        for resource in freed:
            self.changed(resource)
        if worker.role.restarts:
            worker.restarting = True
            self._clock.after(draw(self._restart, self._chance["mishaps"]), self.start, worker)
        else:
            worker.idle, worker.task = True, None
            self._settle()

    def tell_to_stop(self, worker: Worker) -> None:
        """Tell the worker's process to stop, in place of the step that it was about to take."""
        process, recorder = worker.process, self._recorder
        assert process is not None and process.op is not None
        where, now = process.where if recorder.keeps_trace else NOWHERE, self._clock.now
        self._stop(worker)
        worker.stopped, worker.queued = True, queued(worker.queued, process.op)
        worker.step = Step(self._take_effect, worker)
        resource = worker.operation.resource
        resource.state.cancelled(worker.name)
        process.answer(Terminated())
        freed = end_process(self.resources.values() if process.op is None else (), worker.name)
        recorder.stop(worker, where, now)
        for one in dict.fromkeys((resource, *freed)):
            self.changed(one)
        self._next_step(worker, process)
        if worker.step is None:
            self._settle()

    # Steps

    def _next_step(self, worker: Worker, process: Process) -> None:
        """Start the worker's next step, or end its task."""
        op = process.op
        if op is None:
            self._end_task(worker, process)
            return
        resource = self.resources[op.resource]
        operation = worker.operation = resource.operation(op.verb)
        if not worker.queued and operation.queues:
            worker.queued = op.verb
        latency = operation.latency
        seconds = latency if type(latency) is float else draw(latency, self._chance["latency"])
        if operation.sleeps:
            seconds += op.args[0]
        assert worker.step is not None
        if operation.is_plain:
            self._clock.schedule(worker.step, seconds)
        else:
            worker.step.cancel()  # its request may still be in a queue
            worker.step = Step(self._take_effect, worker)
            self._requests.send(worker.step, operation, seconds)

    def _take_effect(self, worker: Worker, outcome: Outcome | None = None) -> None:
        """Let the worker's step take effect, with this outcome if one is given."""
        step, resource = worker.step, worker.operation.resource
        assert step is not None
        if step.waits:
            return
        if worker.paused_until > self._clock.now:
            self._wait_for_the_pause(step, outcome)
            return
        if not self._carry_out(worker, outcome):
            self._wait(step, resource)
        elif resource.is_watched or resource.waiting or (resource.arms and resource.state.has_timers):
            self.changed(resource)
        if worker.step is None or worker.step.waits:
            self._settle()

    def _wait(self, step: Step, resource: Resource) -> None:
        """Let a step wait until its resource changes."""
        step.waits = True
        resource.waiting.append(step)
        if step.until < inf:
            self._clock.after(step.until - self._clock.now, self._give_up, (step, step.until))
        if not resource.state.one_line:
            self.changed(resource)  # others may have waited for this worker

    def _has_to_wait(self, worker: Worker, op: Op, outcome: Outcome) -> bool:
        """Whether a step that waits for a message for a limited time finds none, and its time is not up."""
        step, now = worker.step, self._clock.now
        assert step is not None
        if outcome.fault or not worker.operation.resource.state.lasts(op):
            step.until = inf
            return False
        if step.until == inf:
            step.until = now + timing.seconds(op)
        waits = now < step.until
        if not waits:
            step.until = inf
        return waits

    def _give_up(self, about: tuple[Step, float]) -> None:
        """Its time is up, if this step still waits for a message."""
        step, until = about
        if step.about.step is step and step.waits and step.until == until:
            step.about.operation.resource.waiting.remove(step)
            step.waits, step.until = False, self._clock.now
            self._take_effect(step.about)

    def _wait_for_the_pause(self, step: Step, outcome: Outcome | None = None) -> None:
        self._clock.after(step.about.paused_until - self._clock.now, self._resume, (step, outcome))

    def _resume(self, about: tuple[Step, Outcome | None]) -> None:
        step, outcome = about
        if step.about.step is step:
            self._take_effect(step.about, outcome)

    def _carry_out(self, worker: Worker, outcome: Outcome | None = None) -> bool:
        """Carry out the step, pass its answer to the worker and start the next one; False if the step has to wait."""
        process, operation, recorder = worker.process, worker.operation, self._recorder
        assert process is not None and process.op is not None
        op = process.op
        if outcome is None:
            outcome = OK
            if operation.resource.may_go_otherwise:
                outcome = operation.resource.outcome(op, self._chance["faults"])
                if outcome.fault:
                    recorder.run.counts[outcome.fault] += 1
        if operation.receives and timing.waits(op) and self._has_to_wait(worker, op, outcome):
            return False
        where = process.where if recorder.keeps_trace else NOWHERE
        state, self._told = operation.resource.state, False
        before = None if state.one_line or not recorder.keeps_trace or not state.can_begin(op) else state.key()
        try:
            answer = self._watched(self._exchange, worker.name, process, operation, op, outcome)
        except Hanging as hanging:
            raise process.hangs(hanging) if self._told else self._system.cannot(op, worker.name, hanging) from None
        now = self._clock.now
        if answer is BLOCKED:
            if before is not None and state.key() != before:  # it has begun to wait, for others to see
                recorder.step(worker, op, BEGUN, f"waits for {state.awaited(op, worker.name)}", where, now)
            return False
        recorder.steps += 1
        worker.steps += 1
        for clock in self._clocks:
            clock.seconds = now
        if operation.is_noted and not isinstance(answer, BaseException):
            self._note(worker, operation, answer)
        freed = end_process(self.resources.values() if process.op is None else (), worker.name)
        if recorder.keeps_trace:
            recorder.step(worker, op, outcome, answer, where, now)
        for resource in freed:
            self.changed(resource)
        self._next_step(worker, process)
        return True

    def _exchange(self, who: str, process: Process, operation: Operation, op: Op, outcome: Outcome) -> Any:
        """Run learners' code: that of the values in the step, then the worker's, up to its next step."""
        try:
            if outcome is OK or operation.sleeps:
                handler = operation.handler
                answer = handler(who, *op.args, **op.kwargs) if op.kwargs else handler(who, *op.args)
            else:
                answer = operation.resource.state.perform(op, who, outcome)
        except Blocked:
            return BLOCKED
        except OperationError as error:
            answer = error
        except (KeyboardInterrupt, Hanging):
            raise
        except BaseException as error:
            raise self._system.cannot(op, who, error) from None
        self._told = True
        process.advance(answer)
        return answer

    def _note(self, worker: Worker, operation: Operation, answer: Any) -> None:
        """Record a successful step's effect on load and on tasks."""
        if operation.resource.server is not None:
            self._recorder.run.answered[operation.resource.name][int(self._clock.now)] += 1
        if operation.receives and answer is not None:
            worker.task = answer.id
        elif operation.sends:
            self.arrived[answer] = self._clock.now

    def changed(self, resource: Resource) -> None:
        """A resource has changed: check it, and retry the steps that wait for it."""
        if resource.is_watched or (resource.arms and resource.state.has_timers):
            self._look_at(resource)
        waiting, still = resource.waiting, 0
        while len(waiting) > still:
            step = waiting.popleft()
            worker: Worker = step.about
            step.waits = False
            if worker.paused_until > self._clock.now:
                self._wait_for_the_pause(step)
            elif self._carry_out(worker):
                still = 0  # it may have freed others
                if resource.is_watched or (resource.arms and resource.state.has_timers):
                    self._look_at(resource)
            else:
                step.waits = True
                if resource.state.one_line:
                    waiting.appendleft(step)
                    break
                waiting.append(step)
                still += 1
