"""Workers on SimPy's clock. A step takes effect, whole, when its latency is over; before that, a crash prevents it."""

from __future__ import annotations

import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable
from typing import Any

import simpy

from simlib.engines.progress import Progress
from simlib.engines.simulate.arrivals import Arrivals
from simlib.engines.simulate.conditions import Conditions, draw
from simlib.engines.simulate.mishaps import Mishaps
from simlib.engines.simulate.run import HOUR, Run
from simlib.engines.simulate.servers import Server
from simlib.engines.simulate.worker import Worker
from simlib.errors import Mistake, OperationError
from simlib.ops import OK, Blocked, Op, Outcome
from simlib.process import Process
from simlib.properties import Property
from simlib.resources.base import State
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.system import System
from simlib.trace import Event, Move, Trace
from simlib.values import show

Due = Any  # a SimPy event that is due; its `value` is what it is about
LOST, DOWN = Outcome("lost_replies"), Outcome("outages")
MOST_AT_ONCE = 20_000  # events without any time passing: a loop


class Full(Exception):
    """The process has grown too large."""


class Simulation:
    """One run of a system under conditions, from one seed."""

    def __init__(
        self, system: System, conditions: Conditions, seed: int, keep_trace: bool, until_violation: bool
    ) -> None:
        self._system = system
        self._conditions = conditions
        self._environment = simpy.Environment()
        self._over = self._environment.event()
        self.states = system.states()
        self._timed = {name for name, state in self.states.items() if type(state).timers is not State.timers}
        self._clocks = [state for state in self.states.values() if isinstance(state, ClockState)]
        self.workers = {name: Worker(name) for name in system.cast}
        self._waiting: dict[str, deque[Worker]] = defaultdict(deque)
        self._armed: dict[str, set[Hashable]] = defaultdict(set)
        self._dead: list[Process] = []  # kept: dropping a suspended generator would run its `finally` blocks
        self._arrived: dict[str, float] = {}  # when each message came that is not done yet
        self._chance = {name: random.Random(f"{seed} {name}") for name in ("latency", "arrivals", "faults", "mishaps")}
        self._risks = [kind for kind, chance in conditions.chances.items() if chance]
        self._claims: dict[str, list[Property]] = {
            name: [claim for claim in system.always if name in claim.parameters] for name in self.states
        }
        self._starting = 0  # workers that are on their way back
        self._at_once = 0
        self._keep_trace = keep_trace
        self._until_violation = until_violation
        self._servers = {name: Server(places, self.after) for name, places in conditions.capacity.items()}
        self._events: list[Event] = []
        self._initial = {name: state.copy() for name, state in self.states.items()}
        self.run_ = Run(system.title, seed, states=self.states, conditions=conditions)
        for by_second in (self.run_.requests, self.run_.answered):
            by_second.update((name, Counter()) for name in conditions.capacity)

    def run(self) -> Run:
        """Run until the time is over or nothing more can happen; an interrupt ends it with what is known."""
        run = self.run_
        try:
            self._begin()
            with Progress("simulating", self._conditions.hours * HOUR) as self._progress:
                self._environment.run(until=self._over)
        except KeyboardInterrupt:
            run.interrupted = "by you"
        except Full:
            run.interrupted = f"at {self._system.watchdog.megabytes:,.0f} MB"
        finally:
            for process in (*self._dead, *(worker.process for worker in self.workers.values())):
                if process is not None:
                    process.discard()
        run.seconds = self._environment.now
        if run.settled and run.first_violation is None and not run.interrupted:
            self._check(self._system.eventually)
        if self._keep_trace:
            run.trace = Trace(
                run.title, tuple(self._events), self._initial, run.broken, run.because, run.about,
                roles=self._system.names,
            )  # fmt: skip
        return run

    def _begin(self) -> None:
        self._conditions.check_names(self.states)
        self.after(self._conditions.hours * HOUR, self._time_is_up)
        self._check(self._system.always)
        for name, when in self._conditions.stalled.items():
            self._servers[name].stall(*when)
        for state in self.states.values():
            if isinstance(state, QueueState):
                self._arrived.update((message.id, 0.0) for message in state.ready)
        arrivals = Arrivals(self, self._conditions, self._chance["arrivals"])
        arrivals.begin()
        for worker in self.workers.values():
            if self._system.cast[worker.name].name not in arrivals.on_call:
                self._start(worker)
        Mishaps(self, self._conditions, self._chance["mishaps"]).begin()

    @property
    def roles_without_a_queue(self) -> list[str]:
        """The roles that do not begin by receiving."""
        cast, consumers = self._system.cast, self._system.consumers
        return list(dict.fromkeys(role.name for worker, role in cast.items() if worker not in consumers))

    @property
    def now(self) -> float:
        """Simulated seconds since the start."""
        return self._environment.now

    # SimPy: a timeout with something to call

    def after(self, seconds: float, call: Callable[[Any], None], about: Any = None) -> None:
        """Call it with the event when so many seconds have passed; `event.value` is what it is about."""
        watchdog = self._system.watchdog
        watchdog.heed()
        if watchdog.full:
            raise Full
        timeout = simpy.Timeout(self._environment, seconds, about)
        assert timeout.callbacks is not None
        timeout.callbacks.append(call)

    def _time_is_up(self, _: Any) -> None:
        self._end(settled=False)

    def _end(self, settled: bool) -> None:
        if not self._over.triggered:
            self.run_.settled = settled
            self._over.succeed()

    # Workers

    def _start(self, worker: Worker, same_process: bool = False) -> None:
        worker.incarnation += not same_process
        worker.idle = False
        worker.steps = Counter()
        worker.process = self._system.start(worker.name, worker.incarnation)
        if worker.task is None:
            worker.task = self._environment.now
        self._continue(worker)

    def _restart_due(self, event: Due) -> None:
        worker, wake = event.value
        self._starting -= 1
        if wake == worker.wake:
            self._start(worker)

    def _restart_later(self, worker: Worker) -> None:
        if worker.process is not None:
            self._dead.append(worker.process)
        worker.process = None
        worker.wake += 1
        self._starting += 1
        self.after(draw(self._conditions.restart, self._chance["mishaps"]), self._restart_due, (worker, worker.wake))

    def _continue(self, worker: Worker) -> None:
        """Let the worker's next step take its time, or end its run."""
        process = worker.process
        assert process is not None
        op = process.op
        worker.wake += 1
        if op is None:
            self._ended(worker, process)
            return
        seconds = draw(self._conditions.latency_of(op.name), self._chance["latency"])
        if op.verb == "sleep":
            seconds += op.args[0]
        self._ask(worker, op, seconds)

    def _ask(self, worker: Worker, op: Op, seconds: float) -> None:
        """Send the step on its way, and set the client's alarm."""
        server = self._servers.get(op.resource)
        if server is not None:
            self.run_.requests[op.resource][int(self._environment.now)] += 1
        if server is None or self._is_down(op.resource):  # who is not there keeps nobody waiting in a line
            self.after(seconds, self._due, (worker, worker.wake))
        else:
            server.request(seconds, self._happen, worker, worker.wake)
        patience = self._conditions.timeout_of(op.name)
        if patience is not None and (server is not None or seconds > patience):
            self.after(patience, self._gives_up, (worker, worker.wake))

    def _gives_up(self, event: Due) -> None:
        worker, wake = event.value
        if wake == worker.wake and worker not in self._waiting[worker.process.op.resource]:
            self._count(LOST)
            self._happen(worker, wake, LOST)

    def _due(self, event: Due) -> None:
        self._happen(*event.value)

    def _happen(self, worker: Worker, wake: int, outcome: Outcome | None = None) -> None:
        """The worker's step takes effect, in this way if it is given."""
        if wake != worker.wake:
            return  # its process is gone, or waits no longer
        now = self._environment.now
        if now < worker.paused_until:
            self.after(worker.paused_until - now, self._due, (worker, wake, outcome))
            return
        self._count_event()
        assert worker.process is not None and worker.process.op is not None
        op = worker.process.op
        if not self._try(worker, op, outcome):
            self._waiting[op.resource].append(worker)
            self._settle()
            return
        self.changed(op.resource)

    def _try(self, worker: Worker, op: Op, outcome: Outcome | None = None) -> bool:
        """Carry out the step; False when it has to wait."""
        for clock in self._clocks:
            clock.seconds = self._environment.now
        state = self.states[op.resource]
        outcome = outcome or self._outcome(state, op)
        line = worker.process.line if worker.process else 0
        try:
            answer = self._system.perform(state, op, worker.name, outcome) if op.verb != "sleep" else None
        except Blocked:
            return False
        except OperationError as error:
            answer = error
        self._note(worker, op, outcome, answer)
        process = worker.process
        assert process is not None
        process.answer(answer)
        if self._keep_trace:
            self._record_step(worker, op, outcome, answer, line)
        self._continue(worker)
        return True

    def _outcome(self, state: State, op: Op) -> Outcome:
        if self._is_down(op.resource):
            return self._count(DOWN)
        chance = self._chance["faults"]
        for kind in self._risks:
            ways = [way for way in state.outcomes(op) if way.fault == kind]
            if ways and chance.random() < self._conditions.chances[kind]:
                return self._count(chance.choice(ways))
        choices = state.choices(op)
        return Outcome(None, chance.randrange(choices)) if choices > 1 else OK

    def _is_down(self, resource: str) -> bool:
        since, until = self._conditions.down.get(resource, (0.0, 0.0))
        return since <= self._environment.now < until

    def _count(self, outcome: Outcome) -> Outcome:
        self.run_.counts[outcome.fault or ""] += 1
        return outcome

    def _note(self, worker: Worker, op: Op, outcome: Outcome, answer: Any) -> None:
        self.run_.counts["steps"] += 1
        worker.steps[op.name] += 1
        if op.resource in self._servers and not isinstance(answer, BaseException):
            self.run_.answered[op.resource][int(self._environment.now)] += 1
        if op.verb == "receive" and not isinstance(answer, BaseException):
            worker.task = answer.id
        elif op.verb == "send" and isinstance(answer, str):
            self._arrived[answer] = self._environment.now

    def _ended(self, worker: Worker, process: Process) -> None:
        for state in self.states.values():
            state.owner_gone(worker.name)
        if isinstance(process.error, OperationError):
            self.run_.counts[type(process.error).__name__] += 1
            self._restart_later(worker)
        elif process.error is not None:
            self._broke("error", f"{process.name} raised {show(process.error)}")
        else:
            self._completed(worker)
            if worker.name in self._system.consumers:
                self._start(worker, same_process=True)
            else:
                worker.idle = True
        self._settle()

    def _completed(self, worker: Worker) -> None:
        began = self._arrived.pop(worker.task, None) if isinstance(worker.task, str) else worker.task
        worker.task = None
        if began is not None:
            self.run_.counts["completed"] += 1
            self.run_.latencies.append(self._environment.now - began)

    # What changes the world besides steps

    def send(self, queue: str) -> None:
        """A new message arrives at the queue."""
        self._count_event()
        state = self.states[queue]
        assert isinstance(state, QueueState)
        message = state.on_send("", f"task-{state.sent + 1}")
        self._arrived[message] = self._environment.now
        self.changed(queue)

    def call(self, role: str) -> None:
        """A new task arrives for a worker of this role (any, if "") that has none. If all are busy, it is refused."""
        self._count_event()
        cast = self._system.cast
        able = (worker for worker in self.workers.values() if not role or cast[worker.name].name == role)
        idle = next((worker for worker in able if worker.idle), None)
        if idle is None:
            self.run_.counts["refused task"] += 1
        else:
            self._start(idle)

    def kill(self, worker: Worker) -> None:
        """End the worker's process, whatever it was waiting for, and start it again after a while."""
        for waiting in self._waiting.values():
            if worker in waiting:
                waiting.remove(worker)
        self._restart_later(worker)

    def changed(self, resource: str) -> None:
        """A resource has changed: start its timers, check what is claimed of it, and see who can go on."""
        if resource in self._timed:
            self._arm(resource)
        if self._claims[resource] and self.run_.first_violation is None:
            self._check(self._claims[resource])
        waiting = self._waiting[resource]
        while waiting:
            worker = waiting.popleft()
            now = self._environment.now
            if now < worker.paused_until:
                self.after(worker.paused_until - now, self._due, (worker, worker.wake))
                continue
            assert worker.process is not None and worker.process.op is not None
            if not self._try(worker, worker.process.op):
                waiting.appendleft(worker)
                break
            if resource in self._timed:
                self._arm(resource)
            if self._claims[resource] and self.run_.first_violation is None:
                self._check(self._claims[resource])

    def _arm(self, resource: str) -> None:
        running = {(timer.id, timer.armed): timer for timer in self.states[resource].timers()}
        for armed in running.keys() - self._armed[resource]:
            self.after(running[armed].seconds, self._expire, (resource, armed))
        self._armed[resource] = set(running)

    def _expire(self, event: Due) -> None:
        resource, armed = event.value
        state = self.states[resource]
        timer = next((timer for timer in state.timers() if (timer.id, timer.armed) == armed), None)
        if timer is None:
            return  # released, renewed or acknowledged in time
        state.expire(timer.id)
        now = self._environment.now
        self.record(Event(Move("timer", "", resource, timer.id), now, label=timer.label, seconds=timer.seconds))
        self.changed(resource)
        self._settle()

    # Watching

    def _check(self, claims: tuple[Property, ...] | list[Property]) -> None:
        broken = self._system.broken(claims, self.states)
        if broken:
            self._broke(broken.name, self._system.because(broken, self.states), broken.parameters)

    def _broke(self, claim: str, because: str, about: tuple[str, ...] = ()) -> None:
        run = self.run_
        if run.first_violation is None:
            run.first_violation = self._environment.now
            run.broken, run.because, run.about = claim, because, about
            if self._until_violation:
                self._end(settled=False)

    def _settle(self) -> None:
        """End the run when nothing more can happen: everybody has ended or waits, and no timer runs."""
        if self._conditions.arrivals is not None or self._starting or self._over.triggered:
            return
        waiting = sum(map(len, self._waiting.values()))
        ended = sum(worker.process is not None and worker.process.op is None for worker in self.workers.values())
        if waiting + ended == len(self.workers) and not any(self.states[name].timers() for name in self._timed):
            self._end(settled=True)

    def _count_event(self) -> None:
        now = self._environment.now
        self._at_once = self._at_once + 1 if now == self._last else 0
        self._last = now
        if self._at_once > MOST_AT_ONCE:
            raise Mistake(
                f"{MOST_AT_ONCE:,} steps and no time has passed: a loop whose steps take 0 s. Give it a latency."
            )
        if self.run_.counts["steps"] % 4096 == 0:
            self._progress.reached(now)

    _last = -1.0
    _progress: Progress

    def _record_step(self, worker: Worker, op: Op, outcome: Outcome, answer: Any, line: int) -> None:
        process = worker.process
        assert process is not None
        ended = "" if process.op else "raised" if process.error else "returned"
        move = Move("step", worker.name, outcome=outcome, fault=outcome.fault)
        now, nth = self._environment.now, worker.steps[op.name]
        self._events.append(Event(move, now, op, answer, line, nth, ended, process.error))  # type: ignore[arg-type]

    def record(self, event: Event) -> None:
        """Add to the trace, if one is kept."""
        if self._keep_trace:
            self._events.append(event)
