"""The trace of a run: what happened, in order. All engines write it, and all views read it."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from simlib.errors import OperationError, Terminated
from simlib.model import timing
from simlib.model.fault import FAULT_NAMES
from simlib.model.operation import BEGUN, NOWHERE, Op, Where
from simlib.model.state import State
from simlib.schedule import transition
from simlib.schedule.transition import RULES, STRIKES, Kind, Transition
from simlib.text import listed, ordinal, plural, printable, show

STORY = 72  # characters of an event's story on one line
LONGEST = 240  # characters of a resource's summary
MOST, HEAD, TAIL = 24, 12, 8  # events that a text shows; of a longer run, the first and the last


@dataclass(slots=True)  # never changed, but frozen it would take five times as long to make
class Event:
    """A move, and what came of it. `at` is when it was complete, in seconds."""

    move: Transition
    at: float
    op: Op | None = None
    answer: Any = None  # an exception if one was raised; the message that arrived
    where: Where = NOWHERE  # the step is in the learner's code
    nth: int = 0  # which one of this name in this run of the worker: the second `bank.call`
    ended: Literal["", "returned", "raised", "killed"] = ""  # killed: and not restarted
    error: BaseException | None = None  # what the worker raised
    raised: Where = NOWHERE  # and where
    label: str = ""  # which timer it was, or for whom the task is, in words
    undone: str = ""  # what the end of the worker's process undoes, in words
    seconds: float = 0  # how long that timer ran
    stalled: tuple[str, float] | None = None  # a worker that must have stalled for so many seconds
    busy: tuple[str, ...] = ()  # of a sleep: who could have acted when it was over
    asleep: tuple[str, ...] = ()  # who sleeps from then on
    after: Mapping[str, State] | None = None  # the states when it was complete; None if computed on demand

    @property
    def worker(self) -> str:
        return self.move.worker

    @property
    def kind(self) -> Kind:
        return self.move.kind

    @property
    def begins(self) -> bool:
        """Whether it is the beginning of a step that has not ended: it waits, say. `answer` says what it is doing."""
        return self.move.outcome == BEGUN

    @property
    def line(self) -> int:
        """The worker's own line, even if the step is in a function that it called; 0 if it is unknown."""
        return self.where.own

    def apply(self, states: Mapping[str, State]) -> None:
        """Change these states as this event changed the world."""
        self.act(states)
        if self.ended or (self.kind in STRIKES and RULES[self.kind].fate in ("killed", "lost")):
            transition.end_process(states, self.worker)
        for who in self.asleep:
            transition.fall_asleep(states, who)

    def act(self, states: Mapping[str, State]) -> None:
        """The same, except for what follows from somebody's end or sleep."""
        if self.op and self.op.verb == "sleep":
            transition.sleep(states, self.op, self.worker, self.busy)
        elif self.kind == "step" and self.op:
            try:
                answer = states[self.op.resource].perform(self.op, self.worker, self.move.outcome)
            except OperationError as error:
                answer = error
            self.end_wait(states, self.op, answer)
        elif self.kind == "stop":
            transition.interrupt(states, self.worker)
        elif self.kind == "timer":
            timers = states[self.move.resource].timers()
            transition.run_out(states, self.move.resource, next(one for one in timers if one.id == self.move.timer))
        elif self.kind == "power loss":
            transition.lose_power(states, int(self.move.outcome.choice or 0))
        elif self.kind == "arrival" and self.move.resource:
            queue = self.move.resource
            states[queue].perform(Op(queue, "send", (self.answer.body,)), "")

    def end_wait(self, states: Mapping[str, State], op: Op, answer: Any) -> None:
        """Let the time pass for which this step has waited, if it did."""
        if timing.waits(op):
            transition.end_wait(states, op, self.worker, answer, self.busy)

    def tells(self, name: str, state: State) -> bool:
        """Whether a change to this resource is worth showing beside this event."""
        return True

    def story(self) -> str:
        """The event as a sentence fragment, without its time and worker."""
        if self.kind == "step":
            fault = f"   [{FAULT_NAMES[self.move.fault]}]" if self.move.fault else ""
            endings = "".join(f", {ending}" for ending in (self.ending, self.undone) if ending)
            if self.begins:
                return f"{self.op} {self.answer}"
            return f"{self.op} -> {show(self.answer)}{endings}{fault}"
        if self.kind == "timer":
            return f"{self.label} runs out" + (f" while {self.stalled[0]} stalls" if self.stalled else "")
        if self.kind == "arrival":
            what = show(self.answer) if self.move.resource else self.label
            refused = "" if self.move.resource or self.worker else " and is refused: all are busy"
            return f"{what} arrives{refused}"
        rule = RULES[self.kind]
        if rule.fate == "told":
            return rule.story + (f", {self.ending or 'and it ends'}" if self.ended else "")
        undone = f", {self.undone}" if self.undone else ""
        again = ", it starts again" if rule.fate == "killed" and rule.strikes and not self.ended else ""
        return f"{rule.story}{undone}{again}"

    @property
    def gave_up(self) -> bool:
        """Whether it waited for a message, and none came."""
        return timing.waits(self.op) and self.answer is None

    @property
    def uncaught(self) -> bool:
        """Whether the error that ended the worker was this step's answer, and not its own."""
        return type(self.error) is type(self.answer) and show(self.error) == show(self.answer)

    @property
    def ending(self) -> str:
        """Which error ended the worker, in words; empty if none did."""
        if self.error is None:
            return ""
        if isinstance(self.error, Terminated):
            return "and it ends"
        return "uncaught" if self.uncaught else f"then raises {show(self.error)}{self.raised.aside}"


@dataclass(frozen=True)
class Trace:
    """A run: the events in order, the states it began with, and the property it broke, if it did."""

    title: str  # of the worker
    events: tuple[Event, ...]
    initial: Mapping[str, State] = field(repr=False)
    broken: str | None = None  # a property's name
    because: str = ""  # what was expected and what was found
    about: tuple[str, ...] = ()  # the resources that the broken property looks at
    parted: int | None = None  # the first event at which a replay left its schedule
    roles: Mapping[str, str] = field(default_factory=dict, repr=False)  # what each worker runs, by name
    note: str = ""  # what ran for real, if anything did
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)  # and how it was done on this machine, by name

    def worlds(self, at: Collection[int] | None = None) -> Iterator[Mapping[str, State]]:
        """The states after each event, or only after those at these indices.

        A long run does not keep them, since each would be as large as all its tables; then they are computed from its
        events.
        """
        states: Mapping[str, State] = copied(self.initial)
        for place, event in enumerate(self.events):
            if event.after is None:
                event.apply(states)
            if at is None or place in at:
                yield event.after or copied(states)

    def __getitem__(self, resource: str) -> Any:
        """The resource at the end, as a property sees it."""
        return self.final[resource].seen()

    @cached_property
    def final(self) -> Mapping[str, State]:
        """The states at the end."""
        return next(self.worlds({len(self.events) - 1}), self.initial)

    @property
    def workers(self) -> list[str]:
        return sorted({event.worker for event in self.events if event.worker})

    @property
    def who(self) -> str:
        """Who runs what: `A and B run charge; C runs relay.`"""
        people: dict[str, list[str]] = {}
        for worker, function in self.roles.items():
            people.setdefault(function, []).append(worker)
        said = [f"{listed(them)} {'run' if them[1:] else 'runs'} {function}" for function, them in people.items()]
        return "; ".join(said) + "." * bool(said)

    @property
    def faults(self) -> list[str]:
        """The faults that it took, by name, in order."""
        return [FAULT_NAMES[event.move.fault] for event in self.events if event.move.fault]

    @property
    def failure(self) -> list[str]:
        """What goes wrong in it, by the names of steps: `A crashes after its first bank.call`."""
        return [self._what_goes_wrong(place) for place, event in enumerate(self.events) if event.move.fault]

    def _what_goes_wrong(self, place: int) -> str:
        event = self.events[place]
        worker = event.stalled[0] if event.stalled else event.worker
        before = [step for step in self.events[:place] if step.op and step.worker in (worker, worker or step.worker)]
        last = f"{ordinal(before[-1].nth)} {before[-1].op.name}" if before and before[-1].op else ""
        if event.op:
            return f"{FAULT_NAMES[event.move.fault or '']} at {worker}'s {ordinal(event.nth)} {event.op.name}"
        if event.stalled:
            after = [step.op.name for step in self.events[place:] if step.op and step.worker == worker]
            where = f"between its {last} and {after[0]}" if after else f"after its {last}"
            return f"{worker} stalls for at least {event.stalled[1]:g} s {where}"
        if event.kind == "power loss":
            return f"the power fails after {before[-1].worker}'s {last}" if last else "the power fails"
        return f"{worker} {RULES[event.kind].verb} after its {last}"

    def but(self, **changes: Any) -> Trace:
        return replace(self, **changes)

    def text(self, titled: bool = False) -> str:
        """What `print` shows; `titled` if a title above it already names the one function that all run."""
        who = "" if titled and len(set(self.roles.values())) == 1 else self.who
        verdict = f"{self.broken}: {self.because}" if self.broken else ""
        return "\n".join([*filter(None, [who]), *self.lines(), *filter(None, [verdict, self.note])])

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def lines(self) -> list[str]:
        """For each event: when, who, which source line, what, and what it changed; long stories continue below."""
        shown = _shown(len(self.events))
        worlds = self.worlds({*shown, *(place - 1 for place in shown)})
        before, rows = _summaries(self.initial), []
        for last, place in itertools.pairwise((-1, *shown)):
            if place > last + 1:
                before = _summaries(next(worlds))
            event, world = self.events[place], next(worlds)
            after, told = _summaries(world), [name for name, state in world.items() if event.tells(name, state)]
            new = [name for name in told if after[name] and after[name] != before[name]]
            changed = [f"{printable(name)}: {_beginning(after[name])}" for name in new]
            before = after
            who = event.worker or printable(event.move.resource)
            rows.append((f"{event.at:g} s", who, str(event.where), event.story(), "; ".join(changed)))
        return [line for part in _folded(_aligned(rows), len(self.events)) for line in part]

    def describe_faults(self) -> str:
        """`1 crash and 2 lost replies`."""
        counted = {name: self.faults.count(name) for name in FAULT_NAMES.values() if name in self.faults}
        return " and ".join(plural(count, name) for name, count in counted.items()) or "no fault at all"


def _aligned(rows: list[tuple[str, str, str, str, str]]) -> list[list[str]]:
    """The lines of each event, in columns."""
    stories = [textwrap.wrap(row[3], STORY, subsequent_indent="  ", break_on_hyphens=False) for row in rows]
    at, who, line = (max((len(row[column]) for row in rows), default=0) for column in range(3))
    story = max((len(part) for parts in stories for part in parts), default=0)
    events = []
    for row, (first, *more) in zip(rows, stories):
        left = f"{row[0]:>{at + 2}}  {row[1]:<{who}}  {row[2]:<{line}}  "
        events.append([f"{left}{first:<{story}}  {row[4]}".rstrip(), *(" " * len(left) + part for part in more)])
    return events


def copied(states: Mapping[str, State]) -> dict[str, State]:
    """Copies of these states."""
    return {name: state.copy() for name, state in states.items()}


def _summaries(states: Mapping[str, State]) -> dict[str, str]:
    return {name: state.summary() for name, state in states.items()}


def _beginning(summary: str) -> str:
    """The beginning of what a large resource holds."""
    return summary if len(summary) <= LONGEST else summary[:LONGEST].rpartition(", ")[0] + ", ..."


def _shown(events: int) -> list[int]:
    """Which of so many events to show: how a long run begins, and how it ends."""
    return [*range(events)] if events <= MOST else [*range(HEAD), *range(events - TAIL, events)]


def _folded(lines: list[list[str]], events: int) -> list[list[str]]:
    """The lines of the events that are shown, with a note on the others."""
    if len(lines) == events:
        return lines
    return [*lines[:HEAD], [f"       ... {events - HEAD - TAIL} more ..."], *lines[HEAD:]]
