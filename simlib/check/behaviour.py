"""What workers do after each answer, whatever a search looks at: shared by all searches of one question.

A worker's next step depends only on the answers it was given, so a generator is run once for each answer at each place.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from simlib.errors import NotDeterministic
from simlib.model.generator_state import capture
from simlib.model.operation import NOWHERE, Op, Where
from simlib.model.outside_memory import Outside, same_things
from simlib.model.process import Process
from simlib.model.system import System, queued
from simlib.model.values import freeze
from simlib.text import said

ENDED = -1  # in place of a step's number


class Interned:
    """Numbers things: equal keys get equal numbers."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self.keys: list[Hashable] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, thing: Any, key: Hashable) -> int:
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.things)
            self.things.append(thing)
            self.keys.append(key)
        return found


@dataclass(eq=False, slots=True)
class Place:
    """Where a worker can be: its next step, what it remembers, and where each answer leads."""

    op: int  # the number of its step; ENDED if there is none
    where: Where
    error: BaseException | None  # what ended its run, None for a return
    queued: str  # what its run asked of a queue first
    stopped: bool  # whether its run was told to stop
    held: Hashable | None  # its run and all that it remembers; None if unknown
    children: dict[int, Place] = field(default_factory=dict)  # by answer
    audited: set[int] = field(default_factory=set)  # the answers after which it was run a second time


class Behaviour:
    """The places of some workers. Places are merged if nothing that the worker can remember tells them apart."""

    def __init__(self, system: System, ops: Interned, answers: Interned, merge: bool) -> None:
        self.ops, self.answers = ops, answers
        self.outside = Outside(functions(system))
        self._unwatched = [(look, look()) for look in self.outside.unwatched()]
        self.merges = merge and not self.outside.unreadable
        self.roots: dict[Hashable, Place] = {}
        self.seen_twice: set[tuple[Place, int]] = set()  # ways to a merged place that were run on from there
        self._places: dict[Hashable, Place] = {}

    def is_stale(self) -> bool:
        """Whether anything that the workers can reach has changed since, whoever did it."""
        unwatched = all(same_things(look(), before) for look, before in self._unwatched)
        return not unwatched or bool(self.outside.changed())

    def start(self, system: System, worker: str, incarnation: int) -> Process:
        """A new process, at its first step."""
        process = system.start(worker, incarnation)
        self._watch(process, NOWHERE)
        return process

    def tell(self, process: Process, answer: int) -> None:
        """Run it on with this answer. Raises NotDeterministic if it changes something that is not its own."""
        before = process.where
        process.answer(self.answers.things[answer])
        self._watch(process, before)

    def _watch(self, process: Process, before: Where) -> None:
        changed = self.outside.changed()
        if changed:
            raise NotDeterministic(_remembers(process, changed, before))

    def root(self, process: Process) -> Place:
        """Where a process starts. It is merged with nothing: a worker that is back there has something to lose."""
        return self._place(process, self._number(process.op), "", None)

    def child(self, place: Place, answer: int, process: Process, run: Hashable) -> Place:
        """Where this answer leads, which the process has just been given. `run` tells apart runs that differ."""
        op, first = self._number(process.op), queued(place.queued, self.ops.things[place.op])
        memory = self.remembered(process)
        held = None if memory is None else ((run, process.stopped, first), memory)
        found = self._places.get((op, held)) if held is not None else None
        if found is None:
            found = self._place(process, op, first, held)
            if held is not None:
                self._places[op, held] = found
        place.children[answer] = found
        return found

    def _number(self, op: Op | None) -> int:
        return ENDED if op is None else self.ops.number(op, op_key(op))

    @staticmethod
    def _place(process: Process, op: int, first: str, held: Hashable | None) -> Place:
        return Place(op, process.where, process.error, first, process.stopped, held)

    def remembered(self, process: Process) -> Hashable | None:
        """What the process remembers, or how it ended; None if unknown, so that its history identifies it."""
        if process.op is None:
            return ("ended", None if process.error is None else freeze_error(process.error))
        return capture(process.generator, self.outside) if self.merges else None


def functions(system: System) -> tuple[Any, ...]:
    """What the system's workers run."""
    return (*dict.fromkeys(role.function for role in system.cast.values()),)


def op_key(op: Op) -> Hashable:
    """Equal for steps that ask the same."""
    return (op.resource, op.verb, freeze(op.args), freeze(op.kwargs))


def freeze_error(error: BaseException) -> Hashable:
    """Equal for errors of the same type and message."""
    return (type(error), said(error))


def _remembers(process: Process, name: str, before: Where) -> str:
    """The message for a worker that changed something that is not its own, after its step `before`."""
    since = f"after its step in {before}" if str(before) else "before its first step"
    return (
        f"{process.name} changed `{name}` {since}. `{name}` lives outside the worker: every worker and every run would "
        "share it, and a crash would not undo the change. Keep what a worker remembers in its own variables, and what "
        "must outlive it in a resource."
    )
