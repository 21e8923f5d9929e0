"""Every schedule of a small system, run one by one: what the checker is held against.

Written to be obviously right and not fast: a schedule is a list of choices, and each is run from the start with real
generators and real resource states. Nothing is remembered between schedules, no two states are taken for one.
"""

import copy
import itertools
import math
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any, NamedTuple

from simlib.errors import OperationError, Terminated
from simlib.model.operation import BEGUN, OK, Blocked
from simlib.model.system import ME, outcome_of
from simlib.model.timing import JUST_NOW
from simlib.resources.advisory_lock import AdvisoryLockState
from simlib.resources.clock import ClockState
from simlib.resources.database_state import DatabaseState
from simlib.resources.lock import LockState
from simlib.resources.queue import QueueState


class Choice(NamedTuple):
    """One thing that can happen: what, the fault that pays for it (or None), whether it overtakes somebody."""

    kind: str  # step, timer, crash, power loss, again, stop
    who: str  # the worker, or the resource of a timer
    how: Any = None  # the outcome, the timer's id, or in which way each disk survives
    fault: str | None = None
    overtakes: bool = False


class Size(NamedTuple):
    """How large a schedule is. The smallest counterexample is the one with the smallest of these."""

    faults: int
    preemptions: int
    moves: int


class Person:
    """One run of a worker, from its first step: a bare generator."""

    def __init__(self, system, letter, incarnation=1):
        role = system.cast[letter]
        given = {}
        for name in role.parameters:
            if name == ME:
                given[name] = f"{letter}.{incarnation}"
            elif name in system.resources:
                given[name] = system.resources[name].handle(name, [])
            else:
                given[name] = copy.deepcopy(system.values[name])
        self.generator = role.function(**given)
        self.incarnation = incarnation
        self.taken = 0  # steps, in this run
        self.received = None  # whether it asked for a message, in this run, before it sent one
        self.begun = False  # its step is under way
        self.lost = False  # its machine is gone
        self.stopped = False  # it was told to stop
        self.error = None
        self.tell(None)

    def tell(self, answer):
        """Let it go on to its next step: `op`, None when its run is over."""
        try:
            if isinstance(answer, BaseException):
                self.op = self.generator.throw(type(answer)(*answer.args))
            else:
                self.op = self.generator.send(copy.deepcopy(answer))
        except StopIteration:
            self.op = None
        except Exception as error:
            self.op, self.error = None, error
        except SystemExit:
            assert self.stopped
            self.op, self.error = None, Terminated()

    def asked(self):
        """Note whether it asks for a message before it sends one."""
        if self.received is None and self.op.verb in ("receive", "send"):
            self.received = self.op.verb == "receive"

    @property
    def failed(self):
        """Whether something other than its own bug ended it."""
        return isinstance(self.error, (OperationError, Terminated))

    @property
    def seconds(self):
        """For how long it sleeps, or waits for a message; None if neither."""
        if self.op is None:
            return None
        return self.op.args[0] if self.op.verb == "sleep" else self.op.kwargs.get("wait")

    def lose(self):
        """Its machine is gone: there is no next step, and no other task."""
        self.op, self.lost = None, True

    def bury(self):
        """Close the generator, however its `finally` blocks protest: nothing that they ask for is done."""
        for _ in range(10):
            try:
                self.generator.close()
                return
            except BaseException:
                continue


class Running:
    """A timer that runs: for how long at least, for how long by the clock, and when somebody fell asleep."""

    def __init__(self, timer):
        self.timer, self.least, self.aged, self.before = timer, 0, 0, {}


class Run:
    """A system on its way through one schedule."""

    def __init__(self, system, budget):
        self.system = system
        self.budget = budget
        self.struck = []  # each fault so far: its kind, and the names that it may have been aimed at
        self.world = {name: resource.initial(name) for name, resource in system.resources.items()}
        self.people = {letter: Person(system, letter) for letter in system.cast}
        self.buried = []
        self.clock = 0  # the least that it can be now
        self.bedtimes = {}  # of those who sleep: what the clock said
        self.running_timers = {}
        self.look_at_timers()
        self.turn = None  # the worker who took the last step and has not reached the end of its run
        self.size = Size(0, 0, 0)

    def close(self):
        for person in [*self.buried, *self.people.values()]:
            person.bury()

    # What can happen

    def choices(self):
        lazy = {letter for letter in self.people if self.is_lazy(letter)}
        ways = {letter: [way for way in self.ways(letter) if way.fault or letter not in lazy] for letter in self.people}
        able = {letter for letter, outcomes in ways.items() if any(one.fault is None for one in outcomes)}
        found = [
            Choice("step", letter, outcome, outcome.fault, self.turn in able - {letter})
            for letter, outcomes in ways.items()
            for outcome in outcomes
        ]
        struck = [*self.crashes(), *self.node_losses(), *self.power_losses(), *self.agains(), *self.stops()]
        return [*found, *self.timers({*able, *lazy}), *struck]

    def is_lazy(self, letter):
        """Whether a run begins with a wait for a message of which there is none, and would end without one and begin
        again, with no timer any older: then it may as well wait on.
        """
        person = self.people[letter]
        if person.taken or person.stopped or not self.naps(letter) or not self.ways(letter):
            return False
        if person.op.verb != "receive":
            return False
        again = Person(self.system, letter, person.incarnation)
        again.tell(None)
        ends = again.op is None and again.error is None
        again.bury()
        return ends and all(
            self.is_no_older(running, letter, person.seconds) for running in self.running_timers.values()
        )

    def is_no_older(self, running, letter, seconds):
        slept = running.before.get(letter)
        if slept != running.least:
            return False
        return self.acts(running.timer.owner) or min(running.timer.seconds, slept + seconds) == slept

    def naps(self, letter):
        """Whether it can do nothing but sleep, or wait for a message of which there is none."""
        op = self.people[letter].op
        if op is None or self.people[letter].seconds is None:
            return False
        return op.verb == "sleep" or not self.world[op.resource].ready

    def ways(self, letter):
        """The outcomes that this worker's next step can have now."""
        op = self.people[letter].op
        if op is None:
            return []
        held = self.naps(letter) and any(self.must_end_before(clock, letter) for clock in self.running_timers.values())
        state, found = self.world[op.resource], []
        if op.verb == "sleep":
            return [] if held else [OK]
        for outcome in state.outcomes(op):
            if held and outcome.fault is None:
                continue
            if outcome.fault is None or self.can_pay(outcome.fault, op.resource, letter):
                try:
                    state.copy().perform(op, letter, outcome)
                except Blocked:
                    continue
                except OperationError:
                    pass  # an answer like any other
                found.append(outcome)
        return found

    def can_pay(self, fault, resource=None, letter=None):
        """Whether there is a way to pay for all faults so far, and for this one at this resource, of this worker."""
        return can_pay([*self.struck, self.aims(fault, resource, letter)], self.budget)

    def aims(self, fault, resource=None, letter=None):
        role = self.system.cast[letter].function.__name__ if letter else None
        return fault, {resource, role} - {None}

    def timers(self, able):
        """Free when its owner is gone or nobody can step, or while somebody sleeps for as long as it runs and its owner
        cannot act; a pause when it beats an owner who is alive.
        """
        for name, state in self.world.items():
            for timer in state.timers():
                if timer.owner is None or not able or self.may_end(name, timer):
                    yield Choice("timer", name, timer.id)
                elif self.can_pay("pauses", name, timer.owner):
                    yield Choice("timer", name, timer.id, "pauses")

    def running(self):
        """Who is somewhere between a first step and the end: whoever has something to lose."""
        people = self.people.items()
        begun = {letter for letter, person in people if person.taken or person.begun or person.stopped}
        return [letter for letter, person in people if person.op is not None and letter in begun]

    def stops(self):
        """Whoever has a step to take can be told to stop, once a run."""
        for letter, person in self.people.items():
            if person.op is not None and not person.stopped and self.can_pay("stops", None, letter):
                yield Choice("stop", letter, fault="stops")

    def crashes(self):
        for letter in self.running():
            if self.can_pay("crashes", None, letter):
                yield Choice("crash", letter, fault="crashes")

    def node_losses(self):
        for letter in self.running():
            if self.can_pay("node_losses", None, letter):
                yield Choice("node loss", letter, fault="node_losses")

    def power_losses(self):
        ways = [range(state.power_losses()) for state in self.world.values()]
        if self.can_pay("power_losses") and (self.running() or math.prod(map(len, ways)) > 1):
            for way in itertools.product(*ways):
                yield Choice("power loss", "", way, "power_losses")

    def agains(self):
        """A task whose worker is done with it can be handed out once more."""
        for letter, person in self.people.items():
            failed = person.error is not None and not person.failed
            off = person.stopped and person.received
            done = person.op is None and not failed and not person.lost and not off
            if done and self.can_pay("redeliveries", None, letter):
                yield Choice("again", letter, fault="redeliveries")

    # Time

    def acts(self, letter):
        """Whether this worker can do something other than to sleep on."""
        person = self.people.get(letter)
        if person is None or person.op is None or self.naps(letter):
            return False
        return any(way.fault is None for way in self.ways(letter))

    def must_end_before(self, clock, sleeper):
        """Whether this timer runs out before the worker has slept."""
        slept = clock.before.get(sleeper)
        whole = self.people[sleeper].seconds
        return slept is not None and not self.acts(clock.timer.owner) and slept + whole >= clock.timer.seconds

    def may_end(self, name, timer):
        clock = self.running_timers[name, timer.id, timer.armed]
        asleep = [letter for letter in self.people if self.naps(letter)]
        if self.acts(timer.owner):
            return False
        return any(clock.before.get(one, 0) + self.people[one].seconds >= timer.seconds for one in asleep)

    def sleep(self, letter, seconds):
        """It has slept."""
        for clock in self.running_timers.values():
            slept = clock.before.get(letter)
            if slept is not None and not self.acts(clock.timer.owner):
                clock.least = min(clock.timer.seconds, max(clock.least, slept + seconds))
        self.time_is(max(self.clock, self.bedtimes[letter] + seconds))

    def time_is(self, seconds):
        for clock in self.running_timers.values():
            clock.aged = min(clock.timer.seconds, clock.aged + seconds - self.clock)
        self.clock = seconds
        for state in self.world.values():
            if isinstance(state, ClockState):
                state.seconds = seconds

    def look_at_timers(self):
        """Which timers run now, and who has gone to sleep."""
        running = {
            (name, timer.id, timer.armed): timer for name, state in self.world.items() for timer in state.timers()
        }
        known = self.running_timers
        self.running_timers = {key: known.get(key) or Running(timer) for key, timer in running.items()}
        for key, timer in running.items():
            self.running_timers[key].timer = timer
        asleep = {letter for letter, person in self.people.items() if person.seconds is not None}
        for letter in self.people:
            if letter not in asleep or self.people[letter] is not self.bedtimes.get((letter, "who")):
                self.bedtimes.pop(letter, None)
                for clock in self.running_timers.values():
                    clock.before.pop(letter, None)
        for letter in asleep - {*self.bedtimes}:
            self.bedtimes[letter], self.bedtimes[letter, "who"] = self.clock, self.people[letter]
            for clock in self.running_timers.values():
                clock.before[letter] = clock.least

    # Making it happen

    def make(self, choice):
        self.happen(choice)
        self.look_at_timers()

    def happen(self, choice):
        faults, preemptions, moves = self.size
        self.size = Size(faults + bool(choice.fault), preemptions + choice.overtakes, moves + 1)
        if choice.fault:
            self.struck.append(self.aimed_by(choice))
        if choice.kind == "step":
            self.step(choice.who, choice.how)
        elif choice.kind == "timer":
            self.timer(choice.who, choice.how)
        elif choice.kind == "power loss":
            for state, way in zip(self.world.values(), choice.how):
                state.lose_power(way)
            for letter, person in self.people.items():
                if person.op is not None:
                    self.kill(letter)
        elif choice.kind == "node loss":
            self.end(choice.who, 0, again=False)
            self.people[choice.who].lose()
        elif choice.kind == "crash":
            self.kill(choice.who)
        elif choice.kind == "stop":
            self.stop(choice.who)
        else:
            self.end(choice.who, self.people[choice.who].incarnation + 1)

    def aimed_by(self, choice):
        if choice.kind == "step":
            return self.aims(choice.fault, self.people[choice.who].op.resource, choice.who)
        if choice.kind == "timer":
            owner = next(timer.owner for timer in self.world[choice.who].timers() if timer.id == choice.how)
            return self.aims(choice.fault, choice.who, owner)
        return self.aims(choice.fault, None, choice.who)

    def step(self, letter, outcome):
        person = self.people[letter]
        try:
            if person.op.verb == "sleep":
                answer = self.sleep(letter, person.op.args[0])
            else:
                napped = self.naps(letter) and outcome.fault is None
                answer = self.world[person.op.resource].perform(person.op, letter, outcome)
                if napped:
                    self.sleep(letter, person.seconds)
        except OperationError as error:
            answer = error
        self.wake(letter)
        person.begun, self.turn = outcome == BEGUN, letter
        if person.begun:
            return
        person.taken += 1
        person.asked()
        person.tell(answer)
        self.end_if_over(letter)

    def wake(self, letter):
        """It sleeps and waits no longer, however long it has."""
        self.bedtimes.pop(letter, None)
        for clock in self.running_timers.values():
            clock.before.pop(letter, None)

    def stop(self, letter):
        """It hears of it in place of its step, which it does not take."""
        person = self.people[letter]
        self.wake(letter)
        self.world[person.op.resource].cancelled(letter)
        person.asked()
        person.stopped, person.begun = True, False
        person.tell(Terminated())
        self.end_if_over(letter)

    def end_if_over(self, letter):
        person, restarts = self.people[letter], self.system.cast[letter].restarts
        if person.op is not None:
            return
        if person.error is not None:
            again = person.failed and restarts
        else:
            again = person.received and (restarts or not person.stopped)
        self.end(letter, person.incarnation + (person.stopped or person.failed), again)

    def kill(self, letter):
        """Its process is gone; a supervisor starts it again, where there is one."""
        person = self.people[letter]
        again = self.system.cast[letter].restarts
        self.end(letter, person.incarnation + 1, again)
        if not again:
            person.op = None

    def end(self, letter, incarnation, again=True):
        """This run is over: what it held has no owner any more, and going on with another overtakes nobody."""
        for state in self.world.values():
            state.owner_gone(letter)
        if self.turn == letter:
            self.turn = None
        if again:
            self.buried.append(self.people[letter])
            self.people[letter] = Person(self.system, letter, incarnation)

    def timer(self, name, which):
        timer = next(timer for timer in self.world[name].timers() if timer.id == which)
        aged = self.running_timers.pop((name, timer.id, timer.armed)).aged
        self.world[name].expire(which)
        self.time_is(self.clock + max(0, timer.seconds - aged))

    # What is wrong

    def is_idle(self, letter, asking=()):
        """Done, or waiting for work, or for a lock whose holder is alive and waits for work."""
        op = self.people[letter].op
        if op is None or op.verb == "receive":
            return True
        holder = holder_of(self.world[op.resource], letter)
        return holder is not None and holder not in (letter, *asking) and self.is_idle(holder, (*asking, letter))

    def wrong(self, choices):
        """The claim that is broken here, None if all is well."""
        errors = [person.error for person in self.people.values() if person.op is None]
        if any(error is not None and not isinstance(error, (OperationError, Terminated)) for error in errors):
            return "error"
        broken = self.system.broken(self.system.always, self.world)
        if broken is None and at_rest(choices):
            if not all(map(self.is_idle, self.people)):
                return "stuck"
            broken = self.system.broken(self.system.eventually, self.world)
        return broken and broken.name

    def key(self):
        return key_of(self.world)


def holder_of(state, waiting):
    """Who holds what this worker waits for: a lock, or a row."""
    if not isinstance(state, DatabaseState):
        return state.holder if isinstance(state, AdvisoryLockState) else getattr(state, "owner", None)
    wanted = state.open[waiting].waits_for
    return next((who for who, one in state.open.items() if who != waiting and {*wanted} <= one.locks), None)


def can_pay(struck, budget):
    """Whether a budget pays for these faults: for the first in some way, and then for the rest with what is left."""
    if not struck:
        return True
    (fault, names), *rest = struck
    left = budget.get(fault, 0)
    if isinstance(left, int):
        return left > 0 and can_pay(rest, {**budget, fault: left - 1})
    ways = [{**left, name: left[name] - 1} for name in names if left.get(name, 0) > 0]
    return any(can_pay(rest, {**budget, fault: way}) for way in ways)


def how_many(budget):
    """All faults of a budget together."""
    return sum(count if isinstance(count, int) else sum(count.values()) for count in budget.values())


def at_rest(choices):
    """Where nothing more happens unless something goes wrong."""
    return all(choice.fault for choice in choices)


def key_of(world):
    """All that the world holds. Clocks are left out: where nobody asks the time, time is nothing."""
    return tuple((name, _key(state)) for name, state in world.items() if not isinstance(state, ClockState))


def _key(state):
    """Who owns something says only whose timer it is: where no timer runs, nobody can tell."""
    if isinstance(state, (LockState, QueueState)):  # how long a timer has run is the search's own bookkeeping
        state = state.copy()
        state.elapsed = {} if isinstance(state, QueueState) else JUST_NOW
    if isinstance(state, QueueState):
        state.ordered = False  # a search tells the orders of acknowledgements apart only where a property looks
    if isinstance(state, (LockState, QueueState)) and not state.timers():
        for letter in ascii_uppercase[:4]:
            state.owner_gone(letter)
    return state.key()


@dataclass
class Everything:
    """What all the schedules together show."""

    schedules: int = 0  # that come to rest
    ends: dict = field(default_factory=dict)  # worlds at rest, as an outsider finds them: the smallest way there
    rests: set = field(default_factory=set)  # worlds at rest, in full
    reached: set = field(default_factory=set)  # all worlds, in full
    smallest: dict = field(default_factory=dict)  # a broken claim: the smallest schedule that breaks it
    unseen: list = field(default_factory=list)  # what should be true sometimes and never was
    cut: str = ""  # "too many" or "too long": this is not everything


def every_schedule(system, budget, most_schedules=20_000, most_moves=60):
    """Run every schedule of the system within the budget. One that breaks a claim is not followed any further."""
    found = Everything(unseen=list(system.sometimes))
    runs, waiting = 0, [()]
    while waiting and not found.cut:
        schedule = waiting.pop()
        run = Run(system, budget)
        for choice in schedule:
            run.make(choice)
        others = _finish(run, list(schedule), found, most_moves)
        run.close()
        waiting += others
        runs += 1
        if runs + len(waiting) > most_schedules and not found.cut:  # each that waits is one to run
            found.cut = "too many"
    found.unseen = [claim.name for claim in found.unseen]
    return found


def _finish(run, schedule, found, most_moves):
    """Take the first choice on and on. Gives the schedules that take another one somewhere on the way."""
    others = []
    while True:
        choices = run.choices()
        claim = run.wrong(choices)
        found.reached.add(run.key())
        found.unseen = [one for one in found.unseen if not one.holds({**run.system.values, **run.world})]
        if claim is not None:
            found.smallest[claim] = min(run.size, found.smallest.get(claim, run.size))
            return others
        if at_rest(choices):
            found.schedules += 1
            end = outcome_of(run.world)
            found.ends[end] = min(run.size, found.ends.get(end, run.size))
            found.rests.add(run.key())
        if not choices:
            return others
        if len(schedule) >= most_moves:
            found.cut = "too long"
            return others
        others += [(*schedule, choice) for choice in choices[1:]]
        schedule.append(choices[0])
        run.make(choices[0])


def retrace(system, budget, moves):
    """Follow a trace's moves. Gives what is broken at their end, and how large they are; they have to be possible."""
    run = Run(system, budget)
    try:
        for move in moves:
            run.make(_possible(run, move))
        return run.wrong(run.choices()), run.size
    finally:
        run.close()


def _possible(run, move):
    who = move.resource if move.kind == "timer" else move.worker
    how = {"step": move.outcome, "timer": move.timer}.get(move.kind)
    if move.kind == "power loss":
        how = _digits(run, move)
    for choice in run.choices():
        if choice[:4] == (move.kind, who, how, move.fault):
            return choice
    raise AssertionError(f"{move} cannot happen here, only {run.choices()}")


def _digits(run, move):
    """A trace writes the ways in which all disks survive as one number, the first disk's in the lowest place."""
    number, digits = int(move.outcome.choice or 0), []
    for state in run.world.values():
        number, digit = divmod(number, state.power_losses())
        digits.append(digit)
    return tuple(digits)
