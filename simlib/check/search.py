"""What the two searches share: states are entered once, checked, and counted at the end."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from simlib.check.behaviour import ENDED
from simlib.check.counters import NOTHING, STEPS, VALUES, Counters
from simlib.check.determinism import audit
from simlib.check.edges import EVERYBODY, FAULT, NOBODY, Edge
from simlib.check.findings import Carry, Findings, Found, Loop
from simlib.check.graph import Graph, circles, schedules
from simlib.check.question import Question
from simlib.check.successors import Following, Successors
from simlib.check.violations import Violations
from simlib.model.fault import CRASHES
from simlib.model.operation import Op, Where
from simlib.progress import Progress
from simlib.schedule.transition import Transition
from simlib.text import plural

LOOK_EVERY = 500  # steps
LOOK_AFTER = 0.05  # seconds
Arrival = TypeVar("Arrival")  # how a search reached a state


class Search(Generic[Arrival]):
    """One search. `run` returns what it found."""

    kind_of_successors: type[Successors] = Successors

    def __init__(self, question: Question) -> None:
        self._question = question
        self._system, self._local_states, self._limits = question.system, question.local_states, question.limits
        self._watchdog = self._system.watchdog
        self._watchdog.megabytes = self._limits.megabytes
        self._successors = self._make_successors()
        self._property_answers = question.property_answers
        self._checks = Violations(
            self._system,
            self._local_states,
            question.resource_states,
            self._property_answers,
            self._successors.encoding,
            self._successors,
        )
        self.findings = Findings()
        self._graph = Graph()
        self._rests: set[int] = set()
        self._counts_matter = NOTHING
        self._able = 0  # a bit for each worker that could ever take a step
        self._began = self._look_at = time.monotonic()

    def _make_successors(self) -> Successors:
        question, local_states = self._question, self._local_states
        successors = self.kind_of_successors(
            self._system, local_states, question.resource_states, question.budget, question.location
        )
        if question.merges_counts:
            successors.counts = Counters(
                local_states, question.resource_states, successors.encoding, question.floor or 0
            )
        return successors

    def run(self) -> Findings:
        """Search until a violation, the end or a limit; an interrupt ends it with what is known."""
        try:
            with Progress("exploring") as self._progress:
                self._best_first()
                if not self.findings.found:
                    self._is_out_of_limits(time.monotonic())  # an interrupt is heeded, however late
            self._try_out_counts()
            self._finish()
            if self._counts_matter == VALUES and not (self.findings.found and self.findings.found.claim == "livelock"):
                raise Carry("counts")
        except KeyboardInterrupt:
            self._cut("by you")
        except MemoryError:
            self._cut("where this machine has no more memory")
        return self._summed_up()

    def _best_first(self) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        """Draw the conclusions, when the search is over."""
        raise NotImplementedError

    def _try_out_counts(self) -> None:
        """Raise Carry if merging counts changed the steps of a worker.

        If they only get into values, and not into decisions, a loop without an end is one all the same.
        """
        self._counts_matter = (
            NOTHING if self._successors.counts is None else self._successors.counts.matter(self._in_time)
        )
        if self._counts_matter == STEPS and self._in_time():
            raise Carry("counts")
        if self._counts_matter == STEPS:
            self.findings.interrupted, self.findings.faults_proven = f"after {self._limits.seconds:g} s", -1

    def _in_time(self) -> bool:
        return time.monotonic() <= self._question.deadline

    def _cut(self, why: str) -> None:
        self.findings.interrupted = why

    def _moves(self, where: Arrival) -> tuple[Transition, ...]:
        return tuple(self._backwards(where))[::-1]

    def _backwards(self, where: Arrival) -> Iterator[Transition]:
        """The moves that lead there, newest first."""
        raise NotImplementedError

    def _enter(self, number: int, where: Arrival) -> Following | None:
        """Check a state that is new, and compute what can happen in it. None if it is wrong."""
        state, following = self._successors.states[number], None
        self.findings.states += 1
        found = self._checks.everywhere(state)
        if found is None:
            following = self._successors.in_state(number)
            self._check_carried()
            targets, _, able, rests = following
            self._able |= able
            self.findings.transitions += len(targets)
            if len(self._successors.states) > len(self._graph):
                self._make_room()
            self._graph.fill(number, targets)
            if rests:
                found = self._rest(number, where)
        return None if self._is_wrong(found, where) else following

    def _check_carried(self) -> None:
        """Raise Carry if states have to carry more."""
        if self._local_states.ask_the_time and "time" not in self._question.carried:
            raise Carry("time")
        self._question.check_growth()

    def _is_wrong(self, found: Found | None, where: Arrival) -> bool:
        """Note what was found, if anything, with the moves that lead there."""
        if found is not None:
            self.findings.found = replace(found, moves=self._moves(where))
        return found is not None

    def _make_room(self) -> None:
        """Make room for newly numbered states; for many at once, since most states lead to few new ones."""
        missing = len(self._successors.states) - len(self._graph)
        self._grow(missing + len(self._graph) // 8 + 100)

    def _grow(self, states: int) -> None:
        self._graph.grow(states)

    def _rest(self, number: int, where: Arrival) -> Found | None:
        """Check a state in which, without a fault, nothing more can happen."""
        found = self._checks.at_rest(self._successors.states[number])
        if found is None:
            self._rests.add(number)
            self._reached(number)
        return found

    def _reached(self, number: int) -> None:
        self.findings.outcomes.add(self._checks.outcome(self._successors.states[number]))

    def _out_of_limits(self) -> bool:
        """Whether to stop here; checked now and then, and when the states reach their limit."""
        now = time.monotonic()
        if now < self._look_at and self.findings.states < self._limits.states and self._local_states.too_long is None:
            return False
        self._look_at = now + LOOK_AFTER
        self._progress.reached(self.findings.states, self._how_far)
        return self._is_out_of_limits(now)

    def _how_far(self) -> str:
        """How far this has come: states, how many a second, and what is proven."""
        states, proven = self.findings.states, self.findings.faults_proven
        done = f"up to {plural(proven, 'fault')} it holds" if proven else "without a fault it holds"
        rate = f"{states:,} states, {states / (time.monotonic() - self._began):,.0f} a second"
        return f"{rate}; {done}" if proven >= 0 else rate

    def _is_out_of_limits(self, now: float) -> bool:
        states, seconds, watchdog = self._limits.states, self._limits.seconds, self._watchdog
        if watchdog.interrupted or watchdog.full:
            self.findings.interrupted = "by you" if watchdog.interrupted else f"at {watchdog.megabytes:,.0f} MB"
        elif self.findings.states >= states and len(self._successors.states) > states:
            self.findings.interrupted = f"at {states:,} states"
        elif self._local_states.too_long is not None:
            self.findings.interrupted = self._local_states.endless(self._local_states.too_long)
            self.findings.endless = True
        elif now > self._question.deadline:
            self.findings.interrupted = f"after {seconds:g} s"
        return bool(self.findings.interrupted)

    def _look_for_endless(self, where: Arrival, number: int) -> None:
        """Note a run without an end, if an unbounded world keeps it from closing into a loop."""
        limit, moves = self._limits.steps, self._backwards(where)
        newest = next(moves, None)
        if newest is None or newest.kind != "step":
            return
        run = itertools.islice(itertools.takewhile(lambda move: move.worker == newest.worker, moves), limit - 1)
        if sum(1 for _ in run) < limit - 1:
            return
        node = self._successors.encoding.nodes(self._successors.states[number])[
            list(self._system.cast).index(newest.worker)
        ]
        if self._local_states.op[node] != ENDED:
            self._local_states.too_long = node

    # The end

    def _conclude(self) -> None:
        """Everything was visited: count the schedules, look for livelocks, run every history again."""
        self.findings.schedules = self._count_schedules()
        if self.findings.schedules is None:
            self._look_for_livelock()
        self._audit()
        if not self.findings.found and self._checks.unseen:
            because = f"it was true in none of {plural(self.findings.states, 'state')}"
            self.findings.found = Found(self._checks.unseen[0].claim.name, None, because)
        self.findings.complete = True

    def _count_schedules(self) -> int | None:
        return schedules(self._graph, self._rests)

    def _audit(self) -> None:
        """Ask the workers and the properties again. Raises NotDeterministic if one of them answers differently."""
        audit(self._local_states)
        self._property_answers.audit()

    def _look_for_livelock(self) -> None:
        raise NotImplementedError

    def _traps(self, below: int) -> list[list[int]]:
        """The sets of states, reached at a cost below this one, in which, without a fault, the system loops forever."""
        free: list[list[int]] = [[] for _ in self._successors.states]
        for number in self._reached_below(below):
            free[number] = [target for target, edge in self._following(number) if edge.cost < FAULT]
        return circles(free)

    def _reached_below(self, cost: int) -> Iterable[int]:
        """The states that were reached for less."""
        raise NotImplementedError

    def _following(self, number: int) -> list[tuple[int, Edge]]:
        targets, edges, _, _ = self._successors.in_state(number)
        return [*zip(targets, edges)]

    def _going_round(self, trap: Iterable[int]) -> Found | None:
        """What is wrong with looping here forever. If nothing is, note who does, and where."""
        states = sorted(trap)
        circle = [(self._successors.states[at], self._following(at)) for at in states]
        found = self._checks.going_round(circle, self._is_idle(states))
        if found is None:
            self._note_loops(self._checks.steps_of(circle))
        return found

    def _is_idle(self, trap: list[int]) -> bool:
        """Whether, all the way round in these states, somebody waits for a message that does not come, or is sent again
        what is not sent for ever.
        """
        places = {number: place for place, number in enumerate(trap)}
        onwards = [
            [places[to] for to, edge in self._following(at) if to in places and self._leads_on(at, edge)] for at in trap
        ]
        return schedules(onwards, set()) is not None  # without those steps, nothing goes round

    def _leads_on(self, state: int, edge: Edge) -> bool:
        """Whether this happens without a fault, and is no such step."""
        if edge.cost >= FAULT or edge.gives_up:
            return False
        return not self._checks.retries(self._successors.states[state], edge)

    def _note_loops(self, steps: Iterable[tuple[str, Op, Where]]) -> None:
        known = {loop.worker: dict.fromkeys(loop.steps) for loop in self.findings.loops}
        for worker, op, where in steps:
            known.setdefault(worker, {})[str(op), where] = None
        self.findings.loops = [Loop(worker, (*known[worker],)) for worker in sorted(known)]

    def _summed_up(self) -> Findings:
        struck, local_states = [*zip(self._question.budget.slots, self._successors.struck)], self._local_states
        self.findings.unseen = [unseen.claim.name for unseen in self._checks.unseen]
        self.findings.idle_faults = [slot for slot, nodes in struck if not nodes]
        self.findings.idle_workers = self._idle_workers()
        self.findings.untried = self._checks.untried()
        crashed = {node for slot, nodes in struck if slot.kind == CRASHES for node in nodes}
        points = sorted(local_states.parent[node][0] for node in crashed)
        names = [local_states.ops.things[local_states.op[node]].name for node in points]
        self.findings.crash_points = list(dict.fromkeys(names))
        self.findings.waits = sorted(self._checks.waits)
        self.findings.uncaught = local_states.uncaught()
        for op in [local_states.ops.things[number] for number in dict.fromkeys(local_states.op) if number != ENDED]:
            if op.verb == "begin":
                self.findings.levels.setdefault(op.resource, []).append(op.args[0])
        return self.findings

    def _idle_workers(self) -> list[str]:
        return [name for worker, name in enumerate(self._system.cast) if not self._able >> worker & 1]


def turn(edge: Edge, last: int) -> int:
    """Whose turn it is after this edge."""
    if edge.steps:
        return NOBODY if edge.over else edge.worker
    return NOBODY if edge.over and edge.worker in (last, EVERYBODY) else last
