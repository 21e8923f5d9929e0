"""Best first over states: the first violation found is the smallest, and an empty queue is the proof."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from heapq import heappop, heappush
from typing import NamedTuple

from simlib.engines.budget import Budget, Limits
from simlib.engines.explore.checks import Checks
from simlib.engines.explore.count import circles, schedules
from simlib.engines.explore.findings import Findings, Found
from simlib.engines.explore.histories import ENDED, Histories
from simlib.engines.explore.ledger import Ledger
from simlib.engines.explore.rules import EVERYBODY, FAULT, NOBODY, PREEMPTION, STEP, Next, Rules, Way
from simlib.engines.explore.spot import Overtaking, Spot
from simlib.engines.progress import Progress
from simlib.resources.clock import Clock, ClockState
from simlib.system import System
from simlib.trace import Move
from simlib.values import plural

MOST_SAMPLES = 100
LOOK_EVERY = 500  # steps


class Label(NamedTuple):
    """One way in which a state was reached."""

    state: int
    last: int  # the worker whose turn it was, NOBODY when the next one overtakes nobody
    cost: int
    before: Label | None
    move: Move | None


class _AskedTheTime(Exception):
    """A worker asked what time it is: from now on states have to carry it."""


class Search:
    """One search. `run` gives what it found; `merge=False` names workers' places by their answers alone."""

    def __init__(
        self,
        system: System,
        budget: Budget,
        limits: Limits,
        merge: bool = True,
        spot: Spot | Overtaking | None = None,
    ) -> None:
        self._system = system
        self._budget = budget
        self._limits = limits
        self._merge = merge
        self._spot = spot
        self._watchdog = system.watchdog
        self._watchdog.megabytes = limits.megabytes
        clocks = {name for name, resource in system.resources.items() if isinstance(resource, Clock)}
        claims = (*system.always, *system.eventually, *system.sometimes)
        self._timed = any(clocks & set(claim.parameters) for claim in claims)

    def run(self) -> Findings:
        """Search until a violation, the end or a limit; an interrupt ends it with what is known."""
        self._prepare()
        try:
            self._search()
        except _AskedTheTime:
            self._timed = True
            return self.run()
        except KeyboardInterrupt:
            self._cut("by you")
        except MemoryError:
            self._cut("where this machine has no more memory")
        finally:
            self._histories.close()
        return self._summed_up()

    def _search(self) -> None:
        self._best_first()
        if not self.findings.found and not self.findings.interrupted:
            self._conclude()
        elif self.findings.faults_proven >= 0 and not (self.findings.found and self._spot):
            self._look_for_livelock()  # one with fewer faults than what was found is smaller
        if self.findings.found:
            self._histories.audit()  # before it is shown: it may come of a worker that is not deterministic

    def _cut(self, why: str) -> None:
        self.findings.interrupted = why
        self._labels.clear()  # most of the memory

    def _prepare(self) -> None:
        self.findings = Findings()
        step = (self._spot.name, self._spot.nth) if isinstance(self._spot, Spot) else None
        self._histories = Histories(self._system, self._limits.steps, self._merge, step)
        states = self._system.states()
        for state in states.values():
            if isinstance(state, ClockState):
                state.running = self._timed
        kinds = self._budget.kinds
        ledger = Ledger(states, self._histories, kinds)
        self._rules = Rules(self._system, self._histories, ledger, kinds, self._spot)
        self._checks = Checks(self._system, self._histories, ledger, self._budget.total)
        self._labels: dict[int, list[Label]] = {}  # of each state, those that were followed; the first is the cheapest
        self._following: dict[int, list[Next]] = {}
        self._able: dict[int, set[int]] = {}
        self._rests: set[int] = set()

    # The search

    def _best_first(self) -> None:
        first = Label(self._rules.initial(self._budget.packed), NOBODY, 0, None, None)
        buckets, costs = {0: [first]}, [0]  # by cost, and within it those whose newest move is a fault last
        with Progress("exploring", self._limits.states) as progress:
            started = time.monotonic()
            while costs:
                bucket = heappop(costs)
                self.findings.faults_proven = bucket // (2 * FAULT) - 1
                for label in buckets.pop(bucket):
                    if not self._follow(label, buckets, costs):
                        continue
                    self._check_endless(label)
                    if self.findings.found or self._out_of_limits(started):
                        return
                    progress.reached(self.findings.states)
        self.findings.faults_proven = self._budget.total

    def _follow(self, label: Label, buckets: dict[int, list[Label]], costs: list[int]) -> bool:
        """Go on from a label, unless an earlier one of its state can do all that it can, as cheaply."""
        state, last, labels = label.state, label.last, self._labels
        known = labels.get(state)
        first = known is None
        if known is None:
            labels[state] = [label]
            self._enter(label)
            if self.findings.found:
                return True
        elif _beaten(known, last, label.cost):
            return False
        else:
            known.append(label)
        could_go_on = last in self._able[state]
        for target, way in self._following[state]:
            cost = label.cost + way.cost
            if could_go_on and way.steps and way.worker != last:
                if not first:
                    continue  # the state's first label took this step for no more
                cost += PREEMPTION
            turn = _turn(way, last)
            if _beaten(labels.get(target), turn, cost):
                continue
            after = Label(target, turn, cost, label, way.move)
            # Among equals the earliest crash wins, but the latest pause: it takes the shortest stall.
            bucket = 2 * cost + (way.cost >= FAULT and way.move.kind != "timer")
            if bucket not in buckets:
                buckets[bucket] = []
                heappush(costs, bucket)
            buckets[bucket].append(after)
        return True

    def _enter(self, label: Label) -> None:
        """A state that has not been seen before: check it, and work out what can happen in it."""
        state = self._rules.states[label.state]
        self.findings.states += 1
        found = self._checks.everywhere(state)
        if found is None:
            following, self._able[label.state], rests = self._rules.successors(state)
            if self._histories.ask_the_time and not self._timed:
                raise _AskedTheTime
            self._following[label.state] = following
            self.findings.transitions += len(following)
            if rests:
                found = self._rest(label)
        if found is not None:
            self.findings.found = replace(found, moves=_moves(label))

    def _rest(self, label: Label) -> Found | None:
        """A state in which, if nothing goes wrong, nothing more can happen."""
        state = self._rules.states[label.state]
        found = self._checks.at_rest(state)
        if found is None:
            self._rests.add(label.state)
            self._reached(label.state)
            if len(self.findings.good) < MOST_SAMPLES:
                self.findings.good.append(_moves(label))
        return found

    def _reached(self, state: int) -> None:
        outcome = self._checks.outcome(self._rules.states[state])
        self.findings.outcomes[outcome] = self.findings.outcomes.get(outcome, 0) + 1

    def _out_of_limits(self, started: float) -> bool:
        states, seconds, watchdog = self._limits.states, self._limits.seconds, self._watchdog
        if watchdog.interrupted or watchdog.full:
            self.findings.interrupted = "by you" if watchdog.interrupted else f"at {watchdog.megabytes:,.0f} MB"
        elif self.findings.states >= states and len(self._rules.states) > states:
            self.findings.interrupted = f"at {states:,} states"
        elif time.monotonic() - started > seconds:
            self.findings.interrupted = f"after {seconds:g} s"
        return bool(self.findings.interrupted)

    def _check_endless(self, label: Label) -> None:
        """Raise Mistake for a run without end, which an unbounded world keeps from closing into a circle."""
        if label.cost % PREEMPTION // STEP % LOOK_EVERY or label.move is None or label.move.kind != "step":
            return
        worker, limit = label.move.worker, self._limits.steps
        run = list(itertools.islice(itertools.takewhile(lambda move: move.worker == worker, _backwards(label)), limit))
        if len(run) == limit and worker not in self._system.consumers:
            node = self._rules.states[label.state][list(self._system.cast).index(worker)]
            if self._histories.op[node] != ENDED:
                self._histories.complain_endless(node)

    # The end

    def _conclude(self) -> None:
        """Everything was visited: count the schedules, look for circles, run every history again."""
        targets = self._targets(2 * FAULT)
        self.findings.schedules = schedules(targets, self._rests)
        if self.findings.schedules is None:
            self._look_for_livelock()
        self._histories.audit()
        if not self.findings.found and self._checks.unseen:
            because = f"it was true in none of {plural(self.findings.states, 'state')}"
            self.findings.found = Found(self._checks.unseen[0].name, None, because)
        self.findings.complete = True

    def _targets(self, most: int) -> list[list[int]]:
        """The states that each state leads to, by what costs less than this."""
        following = self._following
        return [
            [target for target, way in following.get(state, ()) if way.cost < most]
            for state in range(len(self._rules.states))
        ]

    def _look_for_livelock(self) -> None:
        """Among the states whose number of faults is done with: without a fault, nothing leads out of them."""
        done = (self.findings.faults_proven + 1) * FAULT
        within = {state for state, labels in self._labels.items() if labels[0].cost < done}
        free = self._targets(FAULT)
        traps = circles([targets if state in within else [] for state, targets in enumerate(free)])
        for states in sorted(traps, key=lambda states: min(self._labels[state][0].cost for state in states)):
            found = self._checks.going_round((self._rules.states[at], self._following[at]) for at in sorted(states))
            if found:
                label = min((self._labels[state][0] for state in states), key=lambda label: label.cost)
                again = self._again(label) if len(states) == 1 else ()
                self.findings.found = replace(found, moves=(*_moves(label), *again))
                return
            for state in states:
                self._reached(state)

    def _again(self, label: Label) -> tuple[Move, ...]:
        """The step that is taken for ever in a state that leads to itself, if the way there does not end with it."""
        way = next((way for _, way in self._following[label.state] if way.steps and way.cost < FAULT), None)
        if way is None:
            return ()
        here, before = (self._rules.states[one.state][way.worker] for one in (label, label.before or label))
        if label.move == way.move and self._histories.op[before] == self._histories.op[here]:
            return ()
        return (way.move,)

    def _summed_up(self) -> Findings:
        struck = self._rules.struck
        self.findings.unseen = [claim.name for claim in self._checks.unseen]
        self.findings.idle_faults = [kind for kind, nodes in struck.items() if not nodes]
        able = set().union(*self._able.values())
        self.findings.idle_workers = [name for place, name in enumerate(self._system.cast) if place not in able]
        self.findings.untried = self._checks.untried()
        points = sorted(self._histories.parent[node][0] for node in struck.get("crashes", ()))
        names = [self._histories.ops.things[self._histories.op[node]].name for node in points]
        self.findings.crash_points = list(dict.fromkeys(names))
        return self.findings


def _beaten(known: list[Label] | None, last: int, cost: int) -> bool:
    """Whether whatever continues a label with this turn and cost continues a known one of its state for no more.

    From the same state, another turn costs at most one preemption more. Faults are equal: the state knows them.
    """
    for one in known or ():  # noqa: SIM110 - the inner loop; as a generator it costs twice as much
        if one.last == last or one.last == NOBODY or cost - one.cost >= PREEMPTION:
            return True
    return False


def _turn(way: Way, last: int) -> int:
    """Whose turn it is afterwards."""
    if way.steps:
        return NOBODY if way.over else way.worker
    return NOBODY if way.over and way.worker in (last, EVERYBODY) else last


def _backwards(label: Label | None) -> Iterator[Move]:
    while label is not None and label.move is not None:
        yield label.move
        label = label.before


def _moves(label: Label) -> tuple[Move, ...]:
    return tuple(_backwards(label))[::-1]
