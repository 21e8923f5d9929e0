"""Best first over states: the first violation found is the smallest, and an empty queue is the proof."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import NamedTuple

from simlib.engines.budget import KINDS, Budget, Limits
from simlib.engines.explore.count import circles, schedules
from simlib.engines.explore.histories import Histories
from simlib.engines.explore.ledger import Ledger
from simlib.engines.explore.rules import EVERYBODY, NOBODY, Numbers, Rules
from simlib.engines.progress import Progress
from simlib.engines.watchdog import Watchdog
from simlib.resources.base import State
from simlib.resources.clock import ClockState
from simlib.resources.queue import QueueState
from simlib.system import System, outcome_of
from simlib.trace import Move
from simlib.values import listed, plural, show

# A cost is one number: faults, then preemptions, then steps, and to break ties the rank of the faults.
FAULT, PREEMPTION, STEP = 1 << 56, 1 << 36, 1 << 12
RANK: dict[str | None, int] = {None: 0, **{kind: place for place, kind in enumerate(KINDS)}}
USUAL_DELIVERIES = 10
MOST_SAMPLES = 100
LOOK_EVERY = 500


@dataclass(frozen=True)
class Found:
    """A violation: which claim, the moves that lead there, and why, where that is not the property's to say."""

    claim: str  # a property's name, or "stuck", "livelock", "error"
    moves: tuple[Move, ...] = ()
    because: str = ""


@dataclass
class Findings:
    """What a search came to know."""

    states: int = 0
    transitions: int = 0
    schedules: int | None = None  # None: not counted, or without bound
    found: Found | None = None
    complete: bool = False
    interrupted: str = ""  # what stopped it: "200,000 states", "10 s", "you"
    faults_proven: int = -1  # all schedules with up to so many faults hold
    outcomes: dict[object, int] = field(default_factory=dict)  # final worlds, as an outsider sees them: how many
    good: list[tuple[Move, ...]] = field(default_factory=list)  # schedules that went well
    unseen: list[str] = field(default_factory=list)  # `sometimes` that never were
    idle_faults: list[str] = field(default_factory=list)  # kinds of fault that had no place to strike
    crash_points: list[str] = field(default_factory=list)
    hint: str = ""  # on an unfinished search: what to lower


class Label(NamedTuple):
    """One way in which a state was reached."""

    state: int
    last: int  # the worker whose turn it was, NOBODY when the next one overtakes nobody
    cost: int
    before: Label | None
    move: Move | None


class Edge(NamedTuple):
    """What can happen in a state, as the search keeps it."""

    target: int
    move: Move
    worker: int
    steps: bool
    over: bool
    cost: int


class _AskedTheTime(Exception):
    """A worker asked what time it is: from now on states have to carry it."""


class Search:
    """One search. `run` gives what it found; `merge=False` names workers' places by their answers alone."""

    def __init__(self, system: System, budget: Budget, limits: Limits, watchdog: Watchdog, merge: bool = True) -> None:
        self._system = system
        self._budget = budget
        self._limits = limits
        self._watchdog = watchdog
        self._merge = merge
        self._timed = False
        self._people = len(system.cast)
        self._most_deliveries = USUAL_DELIVERIES + budget.total

    def run(self) -> Findings:
        """Search until a violation, the end or a limit; an interrupt ends it with what is known."""
        self._prepare()
        try:
            self._best_first()
            if not self.findings.found and not self.findings.interrupted:
                self._conclude()
        except _AskedTheTime:
            self._timed = True
            return self.run()
        except KeyboardInterrupt:
            self.findings.interrupted = "by you"
        finally:
            self._histories.close()
        return self._summed_up()

    def _prepare(self) -> None:
        self.findings = Findings()
        self._histories = Histories(self._system, self._watchdog, self._limits.steps, self._merge)
        states = self._system.states()
        for state in states.values():
            if isinstance(state, ClockState):
                state.running = self._timed
        self._ledger = Ledger(states, self._histories, self._budget.kinds)
        self._rules = Rules(self._system, self._histories, self._ledger, self._budget.kinds)
        self._states: list[Numbers] = []
        self._numbers: dict[Numbers, int] = {}
        self._labels: list[list[Label]] = []  # of each state, those that were followed; the first is the cheapest
        self._edges: list[list[Edge]] = []
        self._able: list[set[int]] = []
        self._rests: set[int] = set()
        self._unseen = list(self._system.sometimes)
        self._sound: dict[Numbers, Found | None] = {}

    # The search

    def _best_first(self) -> None:
        buckets = {0: [Label(self._number(self._rules.initial(self._budget.packed)), NOBODY, 0, None, None)]}
        costs = [0]
        with Progress("exploring", self._limits.states) as progress:
            started = time.monotonic()
            while costs:
                cost = heappop(costs)
                self.findings.faults_proven = cost // FAULT - 1
                for label in buckets.pop(cost):
                    if not self._follow(label, buckets, costs):
                        continue
                    self._check_endless(label)
                    if self.findings.found or self._out_of_limits(started):
                        return
                    progress.reached(self.findings.states)
        self.findings.complete = True
        self.findings.faults_proven = self._budget.total

    def _check_endless(self, label: Label) -> None:
        """Raise Mistake for a run without end, which an unbounded world keeps from closing into a circle."""
        if label.cost % PREEMPTION // STEP % LOOK_EVERY or label.move is None or label.move.kind != "step":
            return
        worker, moves = label.move.worker, _moves(label)
        run = list(itertools.takewhile(lambda move: move.kind == "step", reversed(moves)))
        if len(run) >= self._limits.steps and all(move.worker == worker for move in run[: self._limits.steps]):
            place = list(self._system.cast).index(worker)
            node = self._states[label.state][place]
            if self._histories.op[node] >= 0 and worker not in self._system.consumers:
                self._histories.complain_endless(node)

    def _number(self, state: Numbers) -> int:
        number = self._numbers.get(state)
        if number is None:
            number = self._numbers[state] = len(self._states)
            self._states.append(state)
            self._labels.append([])
            self._edges.append([])
            self._able.append(set())
        return number

    def _follow(self, label: Label, buckets: dict[int, list[Label]], costs: list[int]) -> bool:
        """Go on from a label, unless an earlier one of its state can do all that it can, as cheaply."""
        state, last = label.state, label.last
        known = self._labels[state]
        if known and any(_beats(other, label) for other in known):
            return False
        known.append(label)
        if len(known) == 1:
            self._enter(label)
            if self.findings.found:
                return True
        able = self._able[state]
        for edge in self._edges[state]:
            overtakes = edge.steps and last >= 0 and edge.worker != last and last in able
            cost = label.cost + edge.cost + (PREEMPTION if overtakes else 0)
            after = Label(edge.target, _turn(edge, last), cost, label, edge.move)
            if any(_beats(other, after) for other in self._labels[edge.target]):
                continue
            if cost not in buckets:
                buckets[cost] = []
                heappush(costs, cost)
            buckets[cost].append(after)
        return True

    def _enter(self, label: Label) -> None:
        """A state that has not been seen before: check it, and work out what can happen in it."""
        numbers = self._states[label.state]
        self.findings.states += 1
        found = self._check(numbers)
        if found is None:
            following, able = self._rules.successors(numbers)
            if self._histories.ask_the_time and not self._timed:
                raise _AskedTheTime
            self._able[label.state] = able
            self._edges[label.state] = [
                Edge(self._number(one.state), *one[1:], cost_of(one.move.fault)) for one in following
            ]
            self.findings.transitions += len(following)
            if all(edge.move.fault for edge in self._edges[label.state]):
                found = self._rest(label)
        if found is not None:
            self.findings.found = replace(found, moves=_moves(label))

    def _out_of_limits(self, started: float) -> bool:
        states, seconds = self._limits.states, self._limits.seconds
        if self.findings.states >= states and len(self._states) > states:
            self.findings.interrupted = f"at {states:,} states"
        elif self.findings.states % 64 == 0 and time.monotonic() - started > seconds:
            self.findings.interrupted = f"after {seconds:g} s"
        return bool(self.findings.interrupted)

    # The checks

    def _check(self, numbers: Numbers) -> Found | None:
        """What is wrong in this state, whoever is where in their code."""
        if self._histories.bugs:
            bug = next((node for node in numbers[: self._people] if node in self._histories.bugs), None)
            if bug is not None:
                return self._own_error(bug)
        world = numbers[self._people : -1]
        if world not in self._sound:
            self._sound[world] = self._check_world(self._ledger.world(world))
        return self._sound[world]

    def _check_world(self, states: dict[str, State]) -> Found | None:
        seen = {**self._system.values, **states}
        self._unseen = [claim for claim in self._unseen if not claim.holds(seen)]
        broken = self._system.broken(self._system.always, states)
        if broken:
            return Found(broken.name, because=broken.because(seen))
        for name, state in states.items():
            if isinstance(state, QueueState):
                poison = next((held for held in state.in_flight if held.deliveries > self._most_deliveries), None)
                if poison:
                    return Found("livelock", because=_poisoned(name, poison.id, poison.deliveries - 1))
        return None

    def _own_error(self, node: int) -> Found:
        error, role = self._histories.error[node], self._system.cast[self._histories.start[node][0]]
        before = self._histories.parent[node][0]
        after = f" after line {self._histories.line[before]}" if before >= 0 else ""
        return Found("error", because=f"{role.name} raised {show(error)}{after}, which is no answer of an operation")

    def _rest(self, label: Label) -> Found | None:
        """A state in which, if nothing goes wrong, nothing more can happen."""
        self._rests.add(label.state)
        numbers = self._states[label.state]
        states = self._ledger.world(numbers[self._people : -1])
        stuck = [text for worker in range(self._people) if (text := self._waits(worker, numbers[worker]))]
        if stuck:
            return Found("stuck", because=f"{listed(stuck)}, for ever")
        unmet = self._system.broken(self._system.eventually, states)
        if unmet:
            return Found(unmet.name, because=unmet.because({**self._system.values, **states}))
        outcome = outcome_of(states)
        self.findings.outcomes[outcome] = self.findings.outcomes.get(outcome, 0) + 1
        if len(self.findings.good) < MOST_SAMPLES:
            self.findings.good.append(_moves(label))
        return None

    def _waits(self, worker: int, node: int) -> str:
        """What this worker waits for, unless it has ended or is a consumer with nothing to do."""
        if self._histories.op[node] < 0:
            return ""
        op, name = self._histories.ops.things[self._histories.op[node]], list(self._system.cast)[worker]
        if name in self._system.consumers and op == self._system.first_operations[name]:
            return ""
        return f"{name} waits at `{op}` (line {self._histories.line[node]})"

    # The end

    def _conclude(self) -> None:
        """Everything was visited: count the schedules, look for circles, run every history again."""
        targets = [[edge.target for edge in edges] for edges in self._edges]
        self.findings.schedules = schedules(targets, self._rests)
        if self.findings.schedules is None:
            self._look_for_livelock()
        self._histories.audit()
        if not self.findings.found and self._unseen:
            because = f"it was true in none of {plural(self.findings.states, 'state')}"
            self.findings.found = Found(self._unseen[0].name, because=because)

    def _look_for_livelock(self) -> None:
        free = [[edge.target for edge in edges if not edge.move.fault] for edges in self._edges]
        traps = sorted(circles(free), key=lambda states: min(self._labels[state][0].cost for state in states))
        for states in traps:
            found = self._going_round(states)
            if found:
                label = min((self._labels[state][0] for state in states), key=lambda label: label.cost)
                self.findings.found = replace(found, moves=_moves(label))
                return

    def _going_round(self, states: list[int]) -> Found | None:
        """A system that goes round for ever is fine if all that must be true eventually is, wherever it is."""
        for state in states:
            world = self._ledger.world(self._states[state][self._people : -1])
            unmet = self._system.broken(self._system.eventually, world)
            if unmet or not self._system.eventually:
                round_ = [self._step_text(at, edge) for at in sorted(states) for edge in self._edges[at] if edge.steps]
                claim = f", and {unmet.name} stays false" if unmet else ""
                once = (
                    "the same answer each time, and nothing else changes" if len(states) == 1 else "and nothing ends it"
                )
                return Found("livelock", because=f"for ever: {listed(list(dict.fromkeys(round_)))}; {once}{claim}")
            outcome = outcome_of(world)
            self.findings.outcomes[outcome] = self.findings.outcomes.get(outcome, 0) + 1
        return None

    def _step_text(self, state: int, edge: Edge) -> str:
        node = self._states[state][edge.worker]
        op = self._histories.ops.things[self._histories.op[node]]
        return f"{edge.move.worker} `{op}` (line {self._histories.line[node]})"

    def _summed_up(self) -> Findings:
        struck = self._rules.struck
        self.findings.unseen = [claim.name for claim in self._unseen]
        self.findings.idle_faults = [kind for kind, nodes in struck.items() if not nodes]
        points = sorted(self._histories.parent[node][0] for node in struck.get("crashes", ()))
        names = [self._histories.ops.things[self._histories.op[node]].name for node in points]
        self.findings.crash_points = list(dict.fromkeys(names))
        return self.findings


def cost_of(fault: str | None) -> int:
    """Of one move, without its preemption."""
    return STEP + FAULT + RANK[fault] if fault else STEP


def _beats(one: Label, other: Label) -> bool:
    """Whether whatever continues `other` continues `one` at no higher cost; `one` came first, so costs no more.

    From the same state, another turn costs at most one preemption more. Faults are equal: the state knows them.
    """
    return one.last in (other.last, NOBODY) or other.cost - one.cost >= PREEMPTION


def _turn(edge: Edge, last: int) -> int:
    if edge.steps:
        return NOBODY if edge.over else edge.worker
    return NOBODY if edge.over and edge.worker in (last, EVERYBODY) else last


def _moves(label: Label | None) -> tuple[Move, ...]:
    moves = []
    while label is not None and label.move is not None:
        moves.append(label.move)
        label = label.before
    return tuple(reversed(moves))


def _poisoned(queue: str, message: str, times: int) -> str:
    return (
        f"{message} has been delivered {times} times and will be again: each time its run ends without an ack. "
        f"Give {queue} max_receives, and the message goes to its dead letters"
    )
