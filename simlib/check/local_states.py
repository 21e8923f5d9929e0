"""The workers' part of a search: each worker has a tree whose edges are answers and whose nodes are next steps.

What a worker does is looked up in its `Behaviour`, which other searches may have asked before. Here is what depends on
the search: which nodes it tells apart, and in what order it met them.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property

from simlib.check.behaviour import ENDED, Behaviour, Place, op_key
from simlib.check.findings import Uncaught
from simlib.errors import ENDS_A_RUN, NotDeterministic, OperationError, Terminated
from simlib.model import timing
from simlib.model.operation import NOWHERE, Op, Where
from simlib.model.process import Process
from simlib.model.system import System
from simlib.schedule.transition import Fate, Standing
from simlib.text import show

KEEP_NO_STATE = (
    "A worker may depend on nothing but its answers: ask a Clock or a Random of the scenario instead of `time` or "
    "`random`, and keep no state in globals."
)
Step = tuple[str, int]  # a step's name, and which one of that name in its run


class LocalStates:
    """The nodes of all workers' trees. A node is a number; its step is `op[node]`, ENDED if there is none."""

    def __init__(
        self, system: System, behaviour: Behaviour, most_steps: int, step: tuple[str, int] | None = None
    ) -> None:
        self.system = system
        self.behaviour = behaviour
        self.ops, self.answers = behaviour.ops, behaviour.answers
        self.place: list[Place | None] = []  # None where no process is
        self.op: list[int] = []
        self.resource_of: list[int] = []  # the index of its step's resource; ENDED without one
        self.asleep: list[bool] = []  # whether it sleeps there, or waits for a message for a limited time
        self.where: list[Where] = []
        self.error: list[BaseException | None] = []  # what ended the run, None for a return
        self.parent: list[tuple[int, int]] = []  # (node, answer) that first led to it
        self.start: list[tuple[str, int]] = []  # (worker, incarnation) of its run
        self.step_names: list[tuple[str, int]] = []  # its step's name, and which one of that name in its run
        self.bugs: set[int] = set()  # nodes where a worker's own error ended it
        self.vacant: set[int] = set()  # nodes without a process: it was killed, and not restarted
        self.lost: set[int] = set()  # those of them whose machine is gone too
        self.ask_the_time = False  # whether any worker does
        self._index_of = {name: index for index, name in enumerate(system.resources)}
        self._most_steps = most_steps
        self._step = step  # watched: nodes before and after it are not merged
        self.depth: list[int] = []
        self.held: list[Hashable | None] = []  # its run and all that it remembers; None if unknown
        self.too_long: int | None = None  # a node after so many steps that its run is taken for endless
        self.tried: set[tuple[int, int]] = set()  # ends of histories that were run again with other counts
        self.queued: list[str] = []  # what its run asked of a queue first
        self.stopped: list[bool] = []  # whether its run was told to stop
        self.waits = False  # whether any worker waits for a message and may give up
        self.children: list[dict[int, int]] = []  # by answer, the node it leads to
        self._waiting: dict[int, Process] = {}  # generators suspended at a node
        self._known: dict[tuple[tuple[int, bool] | None, Place], int] = {}
        self.merged: list[tuple[int, int, int]] = []  # (node, answer, known): they led to a known node
        self._roots: dict[Hashable, int] = {}
        self._under_way: dict[int, int] = {}  # by the node of a first step, that of the same step once begun
        self._first: dict[int, int] = {}  # the same, the other way round

    def root(self, worker: str, incarnation: int = 1) -> int:
        """Where this worker starts. Its restarts share one node unless it asks for its own name."""
        role = self.system.cast[worker]
        if not role.knows_itself:
            incarnation = 1
        key = (role, worker, incarnation) if role.knows_itself else role
        if key not in self._roots:
            place, process = self.behaviour.roots.get(key), None
            if place is None:
                process = self._start(worker, incarnation)
                place = self.behaviour.roots[key] = self.behaviour.root(process)
            self._roots[key] = self._add(place, process, (ENDED, ENDED), (worker, incarnation), 0)
        return self._roots[key]

    def meet(self, fate: Fate, worker: str, node: int) -> int:
        """This worker's node after this fate of its process at `node`: its start, or a vacant one."""
        if fate == "lost":
            vacant = self._vacant("gone", node)
            self.lost.add(vacant)
            return vacant
        if fate == "killed" and not self.system.cast[worker].restarts:
            return self._vacant("dead", node)
        if fate == "told":
            return self.after_run(worker, self.child(node, self.told_to_stop))
        return self.root(worker, self.start[node][1] + 1)

    @cached_property
    def told_to_stop(self) -> int:
        """The number of the answer by which a worker is told to stop: an exception in place of its step's answer."""
        return self.answers.number(Terminated(), ("told to stop",))

    def after_run(self, worker: str, node: int) -> int:
        """This worker's node when it has come to `node`: if its run is over there, the start of the next, if any."""
        error, stopped = self.error[node], self.stopped[node]
        if self.op[node] != ENDED or not self.system.starts_again(worker, error, self.queued[node], stopped):
            return node
        return self.root(worker, self.start[node][1] + (stopped or error is not None))

    def standing(self, node: int) -> Standing:
        """Where a worker at this node stands."""
        op = self.step_at(node)
        stopped = self.stopped[node]
        done = op is None and node not in self.bugs and node not in self.lost and not self._is_switched_off(node)
        # Before its first step a process has nothing to lose, nor at its end.
        return Standing(op, op is not None and self.parent[node][0] != ENDED, done, stopped)

    def _is_switched_off(self, node: int) -> bool:
        """Whether a consumer was told to stop: its tasks are a queue's, and not its own."""
        return self.stopped[node] and self.queued[node] == "receive"

    def _vacant(self, why: str, node: int) -> int:
        switched_off = self._is_switched_off(node)
        key, first = (why, *self.start[node], switched_off), "receive" if switched_off else ""
        if key not in self._roots:
            self._roots[key] = len(self.op)
            self.vacant.add(len(self.op))
            self._append(
                None, ENDED, NOWHERE, None, (ENDED, ENDED), self.start[node], ("", 1), 0, first, stopped=switched_off
            )  # fmt: skip
        return self._roots[key]

    def begun(self, node: int) -> int:
        """The node of a worker whose step at `node` is under way. Once it has taken a step, that is the same node:
        only before does it matter, since now a crash can strike it.
        """
        if self.parent[node][0] != ENDED:
            return node
        if node not in self._under_way:
            self._under_way[node] = len(self.op)
            self._first[len(self.op)] = node
            self._append(
                self.place[node], self.op[node], self.where[node], None, (node, ENDED), self.start[node],
                self.step_names[node], self.depth[node], held=self.held[node],
            )  # fmt: skip
        return self._under_way[node]

    def child(self, node: int, answer: int) -> int:
        """The node that this answer leads to from `node`."""
        node = self._first.get(node, node)
        found = self.children[node].get(answer)
        if found is None:
            found = self.children[node][answer] = self._grow(node, answer)
        return found

    def _grow(self, node: int, answer: int) -> int:
        place, start, process = self.placed(node), self.start[node], None
        child = place.children.get(answer)
        if child is None:
            process = self._waiting.pop(node, None) or self.replay(node)
            self.behaviour.tell(process, answer)
            role = self.system.cast[start[0]]
            child = self.behaviour.child(place, answer, process, (role, start) if role.knows_itself else role)
        return self._add(child, process, (node, answer), start, self.depth[node] + 1)

    def placed(self, node: int) -> Place:
        """Where the worker is at this node, in the behaviour that searches share."""
        place = self.place[node]
        assert place is not None, "nobody is there"
        return place

    def _add(
        self, place: Place, process: Process | None, parent: tuple[int, int], start: tuple[str, int], depth: int
    ) -> int:
        key = None if place.held is None else (self._from_step(parent[0]), place)
        if key is not None and key in self._known:
            if process is not None:
                process.discard()
            self.merged.append((*parent, self._known[key]))
            return self._known[key]
        node = len(self.op)
        if key is not None:
            self._known[key] = node
        held = None if key is None else (key[0], place.held)
        name = self._step_name(place, parent)
        self._append(
            place, place.op, place.where, place.error, parent, start, name, depth, place.queued, held, place.stopped
        )
        if place.op != ENDED:
            op = self.ops.things[place.op]
            if process is not None:
                self._waiting[node] = process
            self.ask_the_time |= op.verb == "now"
            self.waits |= timing.waits(op)
            self._check_depth(node)
        elif place.error is not None and not isinstance(place.error, ENDS_A_RUN):
            self.bugs.add(node)
        return node

    def _append(
        self, place: Place | None, op: int, where: Where, error: BaseException | None, parent: tuple[int, int],
        start: tuple[str, int], step_name: tuple[str, int], depth: int, first: str = "", held: Hashable | None = None,
        stopped: bool = False,
    ) -> None:  # fmt: skip
        self.place.append(place)
        self.op.append(op)
        self.resource_of.append(ENDED if op == ENDED else self._index_of[self.ops.things[op].resource])
        self.asleep.append(op != ENDED and timing.sleeps(self.ops.things[op]))
        self.where.append(where)
        self.error.append(error)
        self.parent.append(parent)
        self.start.append(start)
        self.step_names.append(step_name)
        self.depth.append(depth)
        self.queued.append(first)
        self.stopped.append(stopped)
        self.held.append(held)
        self.children.append({})

    def _from_step(self, node: int) -> tuple[int, bool] | None:
        """How often a run that has just taken this node's step has come to the watched one, and whether this is it."""
        if self._step is None:
            return None
        (name, nth), path = self._step, [node, *(one for one, told in self.history(node) if not self._is_stop(told))]
        return min(nth, sum(self.step_names[at][0] == name for at in path)), self.step_names[node] == self._step

    def _step_name(self, place: Place, parent: tuple[int, int]) -> tuple[str, int]:
        name = "" if place.op == ENDED else self.ops.things[place.op].name
        (node, answer), before = parent, 0
        while node != ENDED:
            before += self.step_names[node][0] == name and not self._is_stop(answer)  # in place of the step
            node, answer = self.parent[node]
        return name, before + 1

    def _is_stop(self, answer: int) -> bool:
        return answer >= 0 and isinstance(self.answers.things[answer], Terminated)

    def _check_depth(self, node: int) -> None:
        if self.depth[node] > self._most_steps:
            self.too_long = node

    def endless(self, node: int) -> str:
        """The message for a run that took too many steps, and is now here."""
        role, op = self.system.cast[self.start[node][0]], self.ops.things[self.op[node]]
        run = f"where {self.where[node].of(role.name)}, had taken {self._most_steps:,} steps in one run"
        return f"{run} and no end is in sight, the next one `{op.name}`"

    def _start(self, worker: str, incarnation: int) -> Process:
        return self.behaviour.start(self.system, worker, incarnation)

    def history(self, node: int) -> list[tuple[int, int]]:
        """The (node, answer) pairs that lead to `node`, oldest first."""
        node, path = self._first.get(node, node), []
        while self.parent[node][0] != ENDED:
            path.append(self.parent[node])
            node = self.parent[node][0]
        return path[::-1]

    def replay(self, node: int) -> Process:
        """A new generator, brought to `node` by the same answers. Raises NotDeterministic if it goes elsewhere."""
        worker, incarnation = self.start[node]
        process = self._start(worker, incarnation)
        history = self.history(node)
        for place, (before, answer) in enumerate(history):
            self._compare(process, before, history[:place])
            self.behaviour.tell(process, answer)
        self._compare(process, node, history)
        return process

    def _compare(self, process: Process, node: int, history: list[tuple[int, int]]) -> None:
        if self.asks(node) == (process.op and op_key(process.op)):
            return
        first = self.step_at(node)
        hint = "They read alike: if it makes a class anew each time, define that outside of it. "
        raise NotDeterministic(
            f"{process.name} took two different steps after the same answers ({self.told(history)}): first "
            f"`{first or 'return'}`, then `{process.op or 'return'}`. {hint * (str(first) == str(process.op))}"
            f"{KEEP_NO_STATE}"
        )

    def step_at(self, node: int) -> Op | None:
        """The worker's next step at this node; None if it has none."""
        return None if self.op[node] == ENDED else self.ops.things[self.op[node]]

    def asks(self, node: int) -> Hashable:
        """A key for the step at this node."""
        return None if self.op[node] == ENDED else self.ops.keys[self.op[node]]

    def told(self, history: list[tuple[int, int]]) -> str:
        """A history in words."""
        told = [f"`{self.step_at(at)}` answered {show(self.answers.things[answer])}" for at, answer in history]
        return "; ".join(told) or "none yet"

    def uncaught(self) -> list[Uncaught]:
        """The operations' errors that ended a run."""
        found: dict[Uncaught, None] = {}
        for node, error in enumerate(self.error):
            if isinstance(error, OperationError):
                role = self.system.cast[self.start[node][0]]
                found[Uncaught(role.name, type(error).__name__, self.where[node], role.restarts)] = None
        return [*found]

    def close(self) -> None:
        for process in self._waiting.values():
            process.discard()
        self._waiting.clear()
