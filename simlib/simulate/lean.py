"""The lean loop: the same run as on SimPy's clock, event for event, for steps that nothing unusual can happen to.

Such a step takes effect, its worker is answered and runs on to its next step, and that is put into the heap: all in
one function, over a heap of (moment, number), which is the order of SimPy's. A step at a resource with a chance of
faults, a capacity or timeouts goes the general way, and so does whatever is not a step, such as a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from simlib.errors import Mistake, OperationError
from simlib.model.operation import NOWHERE, OK, WAITS, Blocked, Op, Outcome, Where
from simlib.model.process import Process
from simlib.model.state import State
from simlib.model.values import ATOMS, fresh
from simlib.progress import Progress
from simlib.resources.message import Message
from simlib.simulate.clock import OFTEN, Clock, Full
from simlib.simulate.conditions import draw
from simlib.simulate.execution import Execution
from simlib.simulate.resource import Operation, Step, end_process
from simlib.simulate.worker import Worker
from simlib.watchdog import Hanging, Watchdog

NOT_YET: Any = object()  # in place of an answer, or of a step
OVER: Any = object()  # in place of a step: the worker has returned
Call = Callable[[Any], None]


def _over(_: None) -> None:
    """Stands in the heap where the run ends."""


class LeanClock(Clock):
    """A clock with a heap of its own. A step stands in it without a `call`; `drive` runs until `end` is called."""

    drive: Callable[[Progress], None]

    def __init__(self, watchdog: Watchdog) -> None:
        super().__init__(watchdog)
        self.heap: list[tuple[float, int, Call | None, Any]] = []
        self.number = 0
        self.next: Step | None = None  # bypasses the heap
        self._ends = self._runs = False

    def run(self, progress: Progress) -> None:
        self._runs = True
        self.drive(progress)

    def end(self) -> bool:
        if self._ends:
            return False
        self._ends = True
        self._push(0.0, _over)
        return True

    def after(self, seconds: float, call: Call, about: Any = None) -> None:
        if not seconds:
            self._count_at_once()
        self._push(seconds, call, about)

    def schedule(self, step: Any, seconds: float) -> None:
        if not seconds:
            if self.now == self._instant:
                self._count_at_once()
            else:
                self._instant, self._at_once = self.now, 0
            if self._runs and self.next is None and not (self.heap and self.heap[0][0] <= self.now):
                self.next = step
                return
        self._push(seconds, None, step)

    def _push(self, seconds: float, call: Call | None, about: Any = None) -> None:
        self.number += 1
        heappush(self.heap, (self.now + seconds, self.number, call, about))


class LeanExecution(Execution):
    """Runs workers' steps on a LeanClock."""

    _clock: LeanClock

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._clock.drive = self._drive
        self._watchdog = self._system.watchdog
        self._latencies = self._chance["latency"]
        self._traces = self._recorder.keeps_trace
        states = self._recorder.run.states.values()
        self._frees = any(type(state).frees is not State.frees for state in states)
        self._owners = [state.owner_gone for state in states if type(state).owner_gone is not State.owner_gone]

    def _process(self, worker: Worker) -> Process:
        """Its process: the one that it had, begun anew, unless that would be called by another name."""
        process = worker.process
        if process is None or worker.role.knows_itself:
            return self._system.start(worker.name, worker.incarnation, self._bind)
        process.begin()
        return process

    def _bind(self, resource: str, verb: str) -> Operation:
        return self.resources[resource].operation(verb)

    def _drive(self, progress: Progress) -> None:
        clock, heap, watchdog, carry_out = self._clock, self._clock.heap, self._watchdog, self._carry_out
        events = 0
        while True:
            now, _, call, about = heappop(heap)
            clock.now = now
            if call is _over:
                return
            while True:
                if call is not None:
                    call(about)
                else:
                    worker = about.about
                    resource = worker.operation.resource
                    if about is not worker.step or about.waits or worker.paused_until > now:
                        about.call(worker)
                    elif not carry_out(worker):
                        self._wait(about, resource)
                        self._settle()
                    else:
                        if resource.waiting or resource.is_watched or (resource.arms and resource.state.has_timers):
                            self.changed(resource)
                        about = worker.step
                        if about is None or about.waits:
                            self._settle()
                events += 1
                if watchdog.called_off or not events % OFTEN:
                    self._look_up(progress)
                about = clock.next
                if about is None:
                    break
                call = clock.next = None

    def _look_up(self, progress: Progress) -> None:
        """Stop if the watchdog says so, else say how far the run has come."""
        if self._watchdog.called_off:
            self._watchdog.heed()
            raise Full
        progress.reached(self._clock.now)

    def _carry_out(self, worker: Worker, outcome: Outcome | None = None) -> bool:
        operation, process, watchdog, clock = worker.operation, worker.process, self._watchdog, self._clock
        assert process is not None
        op: Any = process.op
        if outcome is not None or not operation.is_lean or op.kwargs or (self._traces and operation.can_begin(op)):
            return super()._carry_out(worker, outcome)
        where = process.where if self._traces else NOWHERE
        answer, asked, error = NOT_YET, NOT_YET, None
        watchdog.stretch += 1
        try:
            answer = operation.direct(worker.name, *op.args)
            if answer is WAITS:
                return False
            if type(answer) in ATOMS or (type(answer) is Message and type(answer.body) in ATOMS):
                asked = process.send(answer)
            else:
                asked = process.send(fresh(answer))
        except StopIteration:
            asked = OVER
        except BaseException as raised:
            error = raised
        finally:
            watchdog.stretch += 1
        built = process.built
        if type(asked) is Op and len(built) == 1 and built[0] is asked and watchdog.asked is None:
            built.clear()
            process.op = asked
        else:
            answer = self._otherwise(worker, process, answer, asked, error)
            error = None  # it would keep this frame
            if answer is WAITS:
                return False
            asked = process.op
        worker.steps += 1
        self._recorder.steps += 1
        if operation.queues:
            self._note_task(worker, operation, answer)
        if asked is None:
            self._over(worker, process, op, answer, where)
            return True
        if self._traces:
            self._recorder.step(worker, op, OK, answer, where, clock.now)
        bound = asked.bound
        if bound is None or not bound.delay or (bound.queues and not worker.queued):
            self._next_step(worker, process)
        else:
            worker.operation = bound
            clock.number = number = clock.number + 1
            heappush(clock.heap, (clock.now + bound.delay, number, None, worker.step))
        return True

    def _note_task(self, worker: Worker, operation: Operation, answer: Any) -> None:
        """Record which message this worker has received, or when the one that it has sent came."""
        if type(answer) is Message:
            worker.task = answer.id
        elif operation.sends and type(answer) is str:
            self.arrived[answer] = self._clock.now
        elif not isinstance(answer, BaseException):
            self._note(worker, operation, answer)

    def _next_step(self, worker: Worker, process: Process) -> None:
        op = process.op
        if op is None:
            self._end_task(worker, process)
            return
        operation = worker.operation = op.bound or self._bind(op.resource, op.verb)
        if operation.queues and not worker.queued:
            worker.queued = op.verb
        latency = operation.latency
        if not operation.is_plain:
            super()._next_step(worker, process)
        else:
            self._clock.schedule(worker.step, latency if type(latency) is float else draw(latency, self._latencies))

    def _otherwise(self, worker: Worker, process: Process, answer: Any, asked: Any, error: BaseException | None) -> Any:
        """What came of a step whose worker has not just yielded the next one. Returns its answer, WAITS if it waits."""
        told, watchdog, op = answer is not NOT_YET, self._watchdog, process.op
        if told and asked is OVER and not process.built and watchdog.asked is None:
            process.op = None  # it has returned
            return answer
        try:
            try:
                if asked is OVER or error is not None:
                    raise error or StopIteration
                process.op = process.checked(asked)
            finally:
                watchdog.settle()
        except Hanging as hanging:
            raise process.hangs(hanging) if told else self._cannot(op, worker, hanging) from None
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            if told and raised is not error and asked is not OVER:
                raise  # a slip with a `yield`
            if told:
                process.ended_by(raised)
                return answer
            if isinstance(raised, Blocked):
                return WAITS
            if not isinstance(raised, OperationError):
                raise self._cannot(op, worker, raised) from None
            process.answer(raised)
            return raised
        return answer

    def _cannot(self, op: Op | None, worker: Worker, error: BaseException) -> Mistake:
        assert op is not None
        return self._system.cannot(op, worker.name, error)

    def _over(self, worker: Worker, process: Process, op: Op, answer: Any, where: Where) -> None:
        """A worker's run has ended with this step: end its task, and begin the next one if it is a consumer."""
        now, freed = self._clock.now, []
        if self._frees:
            freed = end_process(self.resources.values(), worker.name)
        else:
            for owner_gone in self._owners:
                owner_gone(worker.name)
        if self._traces:
            self._recorder.step(worker, op, OK, answer, where, now)
        for resource in freed:
            self.changed(resource)
        if worker.queued != "receive" or worker.stopped or process.error is not None:
            self._end_task(worker, process)
            return
        task, worker.task = worker.task, now
        began = self.arrived.pop(task, None) if isinstance(task, str) else task
        if began is not None:
            self._recorder.run.counts["completed"] += 1
            self._recorder.run.latencies.append(now - began)
        worker.steps, worker.queued = 0, ""
        worker.nth.clear()
        self._begin(worker, process)
        self._next_step(worker, process)

    def _begin(self, worker: Worker, process: Process) -> None:
        """`process.begin`, without its calls."""
        watchdog, asked, error = self._watchdog, NOT_YET, None
        process.renew()
        watchdog.stretch += 1
        try:
            asked = process.send(None)
        except StopIteration:
            asked = OVER
        except BaseException as raised:
            error = raised
        finally:
            watchdog.stretch += 1
        built = process.built
        if type(asked) is Op and len(built) == 1 and built[0] is asked and watchdog.asked is None:
            built.clear()
            process.op = asked
        else:
            self._otherwise(worker, process, None, asked, error)
            error = None
