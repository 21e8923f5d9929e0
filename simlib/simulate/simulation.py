"""Workers on SimPy's clock. A step takes effect, whole, when its latency is over; before that, a crash prevents it."""

from __future__ import annotations

import random
from typing import Any

from simlib.errors import OperationError
from simlib.model.operation import NOWHERE, OK, Blocked, Op, Outcome
from simlib.model.process import Process
from simlib.model.system import System
from simlib.progress import Progress
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.simulate.arrivals import Arrivals
from simlib.simulate.clock import Clockwork, Full
from simlib.simulate.conditions import Conditions, draw
from simlib.simulate.faults import Mishaps
from simlib.simulate.recorder import Record
from simlib.simulate.requests import Requests
from simlib.simulate.resource import Place, Way
from simlib.simulate.result import HOUR, Run
from simlib.simulate.servers import Server
from simlib.simulate.timers import Timers
from simlib.simulate.worker import Due, Worker
from simlib.text import show
from simlib.watchdog import Hanging

BLOCKED = object()  # instead of an answer


class Simulation:
    """One run of a system under conditions, from one seed."""

    def __init__(
        self, system: System, conditions: Conditions, seed: int, keep_trace: bool, until_violation: bool
    ) -> None:
        self._system = system
        self._conditions = conditions
        self._watched = system.watchdog.run
        self.clockwork = Clockwork(self.happen, system.watchdog)
        self._timers, self._requests = Timers(self), Requests(self)
        self.states = system.states()
        self.places = {name: Place(name, state, conditions, system.always) for name, state in self.states.items()}
        self._clocks = [state for state in self.states.values() if isinstance(state, ClockState)]
        self.workers = {name: Worker(name) for name in system.cast}
        self.arrived: dict[str, float] = {}  # when each message came that is not done yet
        self._chance = {name: random.Random(f"{seed} {name}") for name in ("latency", "arrivals", "faults", "mishaps")}
        self._moving = 0  # workers that go on by themselves: neither at their end nor waiting for a resource to change
        self._starting = 0  # workers that are on their way back
        self._told = False  # the worker whose step it is has been told of its answer
        self._until_violation = until_violation
        self.record = Record(system, conditions, seed, keep_trace, self.states)
        for name, capacity in conditions.capacity.items():
            if name in self.places:
                self.places[name].server = Server(capacity, self.clockwork.after, self.happen)

    def run(self) -> Run:
        """Run until the time is over or nothing more can happen; an interrupt ends it with what is known."""
        run = self.record.run
        try:
            self._begin()
            with Progress("simulating", self._conditions.hours * HOUR) as progress:
                self.clockwork.run(progress)
        except KeyboardInterrupt:
            run.interrupted = "by you"
        except Full:
            run.interrupted = f"at {self._system.watchdog.megabytes:,.0f} MB"
        finally:
            for worker in self.workers.values():
                if worker.process is not None:
                    worker.process.discard()
        self.record.close(self.clockwork.now)
        return run

    def _begin(self) -> None:
        self._conditions.check_names(self.states)
        self.clockwork.after(self._conditions.hours * HOUR, self._end, False)
        self._end_if(self.record.check(self._system.always, 0.0))
        for name, when in self._conditions.stalled.items():
            server = self.places[name].server
            assert server is not None  # Conditions has checked it
            server.stall(*when)
        for state in self.states.values():
            if isinstance(state, QueueState):
                self.arrived.update((message.id, 0.0) for message in state.ready)
        arrivals = Arrivals(self, self._system, self._conditions, self._chance["arrivals"])
        arrivals.begin()
        for worker in self.workers.values():
            if self._system.cast[worker.name].name not in arrivals.on_call:
                self.start(worker)
        Mishaps(self, self._conditions, self._chance["mishaps"]).begin()

    def _end(self, settled: bool) -> None:
        if not self.clockwork.ended:
            self.record.run.settled = settled
            self.clockwork.end()

    def _end_if(self, broken: bool) -> None:
        """End the run when a property has broken, if it is to end then."""
        if broken and self._until_violation:
            self._end(settled=False)

    def settle(self) -> None:
        """End the run if nothing more can happen: everybody has ended or waits, and no timer runs."""
        if self._moving or self._starting or self._conditions.arrivals is not None:
            return
        if not any(place.state.timers() for place in self.places.values() if place.state.has_timers):
            self._end(settled=True)

    # Workers

    def start(self, worker: Worker) -> None:
        """Start a new process."""
        worker.idle = False
        worker.incarnation += 1
        worker.process = self._system.start(worker.name, worker.incarnation)
        worker.due = Due(worker)
        self._moving += 1
        self._begin_task(worker)

    def _begin_task(self, worker: Worker) -> None:
        worker.steps = 0
        worker.queued = ""
        worker.nth.clear()
        if worker.task is None:
            worker.task = self.clockwork.now
        self._go_on(worker)

    def _stop(self, worker: Worker) -> None:
        """It goes on no more."""
        assert worker.due is not None
        if worker.due.blocked:
            worker.way.place.waiting.remove(worker.due)
        else:
            self._moving -= 1
        worker.due = None

    def kill(self, worker: Worker) -> None:
        """End the worker's process, whatever it was waiting for, and start it again after a while, if it is to be."""
        self._stop(worker)
        assert worker.process is not None
        worker.process.discard()
        if not self._system.cast[worker.name].restarts:
            worker.idle, worker.task = True, None
            self.settle()
            return
        self._starting += 1
        restart = draw(self._conditions.restart, self._chance["mishaps"])
        self.clockwork.after(restart, self._restart, worker)

    def _restart(self, worker: Worker) -> None:
        self._starting -= 1
        self.start(worker)

    def _go_on(self, worker: Worker) -> None:
        """Let the worker's next step take its time, or end its run."""
        process = worker.process
        assert process is not None
        op = process.op
        if op is None:
            self._ended(worker, process)
            return
        place = self.places[op.resource]
        way = worker.way = place.ways.get(op.verb) or place.new_way(op)
        if way.queues and not worker.queued:
            worker.queued = op.verb
        latency = way.latency
        seconds = latency if type(latency) is float else draw(latency, self._chance["latency"])
        if way.sleeps:
            seconds += op.args[0]
        if way.is_plain:
            assert worker.due is not None
            self.clockwork.take(worker.due, seconds)
        else:
            self._requests.send(worker, way, seconds)

    def _ended(self, worker: Worker, process: Process) -> None:
        for place in self.places.values():
            if place.minds_owners:
                place.state.owner_gone(worker.name)
        if isinstance(process.error, OperationError):
            self.record.count(type(process.error).__name__)
            self.kill(worker)  # a supervisor, if there is one, sees a failed process like one that was killed
        elif process.error is not None:
            self._stop(worker)
            first = self.record.broke("error", f"{process.name} raised {show(process.error)}", self.clockwork.now)
            self._end_if(first)
        else:
            self._completed(worker)
            if worker.queued == "receive":
                process.begin()
                self._begin_task(worker)
            else:
                self._stop(worker)
                worker.idle = True

    def _completed(self, worker: Worker) -> None:
        began = self.arrived.pop(worker.task, None) if isinstance(worker.task, str) else worker.task
        worker.task = None
        if began is not None:
            self.record.count("completed")
            self.record.run.latencies.append(self.clockwork.now - began)

    # What changes the world

    def happen(self, due: Due, outcome: Outcome | None = None) -> None:
        """The step takes effect, in this way if it is given."""
        worker = due.worker
        if worker.due is not due or due.blocked:
            return  # its process is gone, or waits for something else
        if worker.paused_until > self.clockwork.now:
            self._wait_for_the_pause(due, outcome)
            return
        place = worker.way.place
        if self._take_effect(worker, place, outcome):
            self.changed(place)
        else:
            due.blocked = True
            self._moving -= 1
            place.waiting.append(due)
        if not self._moving:
            self.settle()

    def _wait_for_the_pause(self, due: Due, outcome: Outcome | None = None) -> None:
        seconds = due.worker.paused_until - self.clockwork.now
        self.clockwork.after(seconds, self._requests.lose_reply if outcome else self.happen, due)

    def _take_effect(self, worker: Worker, place: Place, outcome: Outcome | None = None) -> bool:
        """Carry out the step, and tell its worker; False when it has to wait."""
        process, way, now = worker.process, worker.way, self.clockwork.now
        assert process is not None and process.op is not None
        op = process.op
        for clock in self._clocks:
            clock.seconds = now
        if outcome is None:
            outcome = OK
            if place.may_go_otherwise:
                outcome = place.outcome(op, now, self._chance["faults"])
                if outcome.fault:
                    self.record.count(outcome.fault)
        where = process.where if self.record.keeps_trace else NOWHERE
        self._told = False
        try:
            answer = self._watched(self._exchange, worker.name, process, way, op, outcome)
        except Hanging as hanging:
            raise process.hangs(hanging) if self._told else self._system.cannot(op, worker.name, hanging) from None
        if answer is BLOCKED:
            return False
        self.record.steps += 1
        worker.steps += 1
        if way.is_noted and not isinstance(answer, BaseException):
            self._note(worker, way, answer)
        if self.record.keeps_trace:
            self.record.step(worker, process, op, outcome, answer, where, now)
        self._go_on(worker)
        return True

    def _exchange(self, who: str, process: Process, way: Way, op: Op, outcome: Outcome) -> Any:
        """A learner's code runs in here: that of the values in the step, then the worker's, up to its next step."""
        try:
            if outcome is OK or way.sleeps:
                answer = way.carry_out(who, *op.args, **op.kwargs) if op.kwargs else way.carry_out(who, *op.args)
            else:
                answer = way.place.state.perform(op, who, outcome)
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

    def _note(self, worker: Worker, way: Way, answer: Any) -> None:
        """What a step that went well tells of load and of tasks."""
        if way.place.server is not None:
            self.record.run.answered[way.place.name][int(self.clockwork.now)] += 1
        if way.receives:
            worker.task = answer.id
        elif way.sends:
            self.arrived[answer] = self.clockwork.now

    def changed(self, place: Place) -> None:
        """A resource has changed: start its timers, check what is claimed of it, and see who can go on."""
        if place.is_watched:
            self._look_at(place)
        waiting = place.waiting
        while waiting:
            due = waiting.popleft()
            due.blocked = False
            self._moving += 1
            worker = due.worker
            if worker.paused_until > self.clockwork.now:
                self._wait_for_the_pause(due)
            elif self._take_effect(worker, place):
                if place.is_watched:
                    self._look_at(place)
            else:
                due.blocked = True
                self._moving -= 1
                waiting.appendleft(due)
                break

    def _look_at(self, place: Place) -> None:
        if place.state.has_timers:
            self._timers.arm(place)
        if place.claims:
            self._end_if(self.record.check(place.claims, self.clockwork.now))
