"""A scenario with workers in it, as an engine runs it. Binds workers' parameters to resources by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from string import ascii_uppercase
from types import FunctionType, MethodType
from typing import Any

from simlib.arguments import named, whole_number
from simlib.errors import ENDS_A_RUN, Hangs, Mistake, NotDeterministic, OperationError
from simlib.model.builders import Bind
from simlib.model.operation import OK, Blocked, Op, Outcome, Where
from simlib.model.outside_memory import Outside
from simlib.model.process import Process, Worker
from simlib.model.properties import Property
from simlib.model.resource import Resource
from simlib.model.state import ANYBODY, State
from simlib.text import did_you_mean, listed, name_of, said, show
from simlib.watchdog import Hanging, Watchdog

Counts = int | Mapping[str, int]  # of each worker, or by the worker's name; of a fault anywhere, or by where it strikes
ME = "me"


@dataclass(frozen=True)
class Role:
    """A worker function, the names that it asks for, and whether a process of it that failed is restarted."""

    function: Worker
    parameters: tuple[str, ...]
    restarts: bool = True

    @property
    def name(self) -> str:
        return name_of(self.function)

    @property
    def knows_itself(self) -> bool:
        """Whether it asks for its own name, so that its restarts can be told apart."""
        return ME in self.parameters


@dataclass(frozen=True)
class System:
    """Resources, the workers that use them, and what should be true. Workers are called A, B, C, ..."""

    resources: Mapping[str, Resource]
    values: Mapping[str, Any]
    cast: Mapping[str, Role]  # worker's letter: what it runs
    always: tuple[Property, ...] = ()
    eventually: tuple[Property, ...] = ()
    sometimes: tuple[Property, ...] = ()
    watchdog: Watchdog = field(default_factory=Watchdog, compare=False, repr=False)
    sharing: Any = field(default=None, compare=False, repr=False)  # of what searches learn, if several belong together

    def __repr__(self) -> str:
        return f"<System of {self.title}>"

    def states(self) -> dict[str, State]:
        """The world before anything has happened."""
        return {name: resource.initial(name) for name, resource in self.resources.items()}

    def start(self, worker: str, incarnation: int = 1, bind: Bind | None = None) -> Process:
        """A new process of this worker. `me` is the worker's letter and the number of this start: `A.1`. Its steps are
        bound to what `bind` gives, see Resource.handle.
        """
        role = self.cast[worker]
        resources = {name: self.resources[name] for name in role.parameters if name in self.resources}
        values = {name: self.values[name] for name in role.parameters if name in self.values}
        if role.knows_itself:
            values[ME] = f"{worker}.{incarnation}"
        return Process(role.function, resources, values, self.watchdog, bind)

    @cached_property
    def title(self) -> str:
        """The workers' names: `charge`, `place_order and relay`."""
        return listed(list(dict.fromkeys(role.name for role in self.cast.values())))

    @property
    def names(self) -> dict[str, str]:
        """The name of the function that each worker runs."""
        return {worker: role.name for worker, role in self.cast.items()}

    @cached_property
    def first_operations(self) -> dict[str, Any]:
        """The first step of each worker, None for one that ends without a step."""
        with self.watchdog:
            return {worker: self._first_operation(worker) for worker in self.cast}

    def _first_operation(self, worker: str) -> Op | None:
        process = self.start(worker)
        process.discard()
        return process.op

    @cached_property
    def consumers(self) -> frozenset[str]:
        """The workers that begin by receiving: each message is a task."""
        return frozenset(worker for worker, op in self.first_operations.items() if op and op.verb == "receive")

    def starts_again(self, worker: str, error: BaseException | None, queued: str, stopped: bool = False) -> bool:
        """Whether another run follows one that is over: a failed run is restarted, unless the scenario says no, and a
        consumer's run is followed by the one for the next message. See `queued`. The process of a worker that was told
        to stop has ended, so what follows is a restart, unless it has done a task of its own.
        """
        if error is None and not stopped:
            return queued == "receive"
        followed = queued == "receive" if error is None else isinstance(error, ENDS_A_RUN)
        return followed and self.cast[worker].restarts

    def stuck(self, blocked: Mapping[str, tuple[Op, Where]], states: Mapping[str, State], going: set[str]) -> list[str]:
        """The blocked workers that wait forever, in words. `blocked` has each one's step, and where it is.

        It is fine to wait for work, or for a lock whose holder is alive: one of those `going`, or waiting for work.
        """
        awaited = self.awaited(blocked, states)
        idle = {ANYBODY, *going}
        while more := {worker for worker, whom in awaited.items() if whom in idle} - idle:
            idle |= more
        stuck = {worker: blocked[worker] for worker in blocked if worker not in idle}
        return [f"{worker} waits at `{op}`{where.aside}" for worker, (op, where) in stuck.items()]

    @staticmethod
    def awaited(blocked: Mapping[str, tuple[Op, Where]], states: Mapping[str, State]) -> dict[str, str | None]:
        """Whom each blocked worker waits for. See `State.awaited`."""
        return {worker: states[op.resource].awaited(op, worker) for worker, (op, _) in blocked.items()}

    def failed(self, worker: str, error: BaseException | None, where: Where) -> str:
        """The message for a worker that was ended by an exception other than an operation's error."""
        return f"{where.of(self.cast[worker].name)}, raised {show(error)}, which is no answer of an operation"

    def broken(self, properties: Sequence[Property], states: Mapping[str, State]) -> Property | None:
        """The first of the properties that is false in these states; None if all hold."""
        seen = {**self.values, **states}
        return next((claim for claim in properties if not self.holds(claim, seen)), None)

    def memories(self) -> list[Outside]:
        """A snapshot of everything that each property could remember by."""
        return [Outside([claim.function]) for claim in self._claims]

    def compare_memories(self, before: list[Outside]) -> None:
        """Raises NotDeterministic if that has changed: a property could tell one call from the next."""
        for claim, outside in zip(self._claims, before):
            changed = outside.changed()
            if changed:
                raise NotDeterministic(claim.remembered(changed))

    @property
    def _claims(self) -> tuple[Property, ...]:
        return (*self.always, *self.eventually, *self.sometimes)

    def holds(self, claim: Property, seen: Mapping[str, Any]) -> bool:
        """Whether this is true of what is seen. Raises Mistake if it does not answer, or not in time."""
        try:
            return self.watchdog.run(claim.holds, seen)
        except Hanging as hanging:
            end = "does something grow without end?" if hanging.full else "a loop without an end?"
            raise Hangs(f"property {claim.name} ran for {hanging.why}: {end}") from None

    def because(self, claim: Property, states: Mapping[str, State]) -> str:
        """Why it is false in these states: what it expected, and what it found."""
        try:
            return self.watchdog.run(claim.because, {**self.values, **states})
        except Hanging:
            return "what it found takes too long to say"

    def perform(self, state: State, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out a worker's step. Raises OperationError, Blocked, or Mistake: the values in it are the learner's
        own, and one of their methods may fail, or never return.
        """
        try:
            return self.watchdog.run(state.perform, op, who, outcome)
        except (Blocked, OperationError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self.cannot(op, who, error) from None

    def cannot(self, op: Op, who: str, error: BaseException) -> Mistake:
        """The mistake for a worker's step that failed without being answered."""
        if isinstance(error, Hanging):
            why = f"one of its values' own methods ran for {error.why}"
        else:
            kind = "" if isinstance(error, (TypeError, Mistake)) else f"{type(error).__name__}: "
            why = f"{kind}{said(error) or 'a value of it fails'}"
        name = self.cast[who].name if who in self.cast else who
        kind_of_mistake = Hangs if isinstance(error, Hanging) else Mistake
        return kind_of_mistake(f"{op.built_by(name)}: `{op}` cannot be carried out: {why}.")


def queued(before: str, op: Op) -> str:
    """What a run asked of a queue first: "receive", which makes it a consumer's run, or "send", after which it may wait
    for an answer; empty if nothing yet.
    """
    return before or (op.verb if op.verb in ("receive", "send") else "")


def roles_of(worker: Worker | Sequence[Worker]) -> list[Worker]:
    """The functions of an implementation: one, or several roles. Raises Mistake for anything else."""
    roles: list[Any] = list(worker) if isinstance(worker, (list, tuple)) else [worker]
    if not roles:
        raise Mistake("give at least one worker.")
    for role in roles:
        if not isinstance(role, (FunctionType, MethodType)):
            raise Mistake(_no_function(role, "worker"))
    return roles


def called(worker: Worker | Sequence[Worker]) -> str:
    """The name of an implementation: `charge`, `place_order and relay`."""
    return listed([name_of(role) for role in roles_of(worker)])


def by_name(workers: Iterable[Worker | Sequence[Worker]]) -> dict[str, Worker | Sequence[Worker]]:
    """Implementations by name. Raises Mistake if two have the same name: one would hide the other."""
    several = [*workers]
    names = [called(worker) for worker in several]
    if len({*names}) < len(names):
        raise Mistake(f"two workers have one name: {listed(names)}. The table could not tell them apart.")
    return dict(zip(names, several))


def outcome_of(states: Mapping[str, State]) -> Hashable:
    """The world at the end, as an outsider would find it."""
    return tuple((name, state.outcome()) for name, state in states.items())


def cast_of(
    roles: Sequence[Worker],
    workers: Counts,
    resources: Mapping[str, Any],
    values: Mapping[str, Any],
    restarts: bool | Mapping[str, bool] = True,
) -> dict[str, Role]:
    """Give each role its letters. `workers` is how many of each, or a dict by function name; so is `restarts`."""
    bound = [Role(function, bind(function, "worker", {*resources, *values, ME})) for function in roles]
    if isinstance(restarts, Mapping):
        bound = [replace(role, restarts=restarts.get(role.name, True)) for role in bound]
    else:
        bound = [replace(role, restarts=restarts) for role in bound]
    found = how_many(workers)
    counts = {role.name: found for role in bound} if isinstance(found, int) else found
    names = [role.name for role in bound]
    for name in counts:
        if name not in names:
            near = did_you_mean(name, names)
            raise Mistake(f"workers={show(counts)}: there is no worker called {name}, but {listed(names)}.{near}")
    people = [role for role in bound for _ in range(counts.get(role.name, 1))]
    if len(people) > len(ascii_uppercase):
        raise Mistake(f"{len(people)} workers: at most {len(ascii_uppercase)} in one scenario.")
    return dict(zip(ascii_uppercase, people))


def how_many(workers: Counts) -> int | dict[str, int]:
    """How many of each worker there are: a number, or numbers by function name. Raises Mistake if it is neither."""
    if not isinstance(workers, Mapping):
        return whole_number("workers", workers, 1, len(ascii_uppercase))
    for name in workers:
        if not isinstance(name, str):
            raise Mistake(f"workers={show({**workers})}: name the workers as text: workers={{{_as_key(name)}: 2}}.")
    return {name: whole_number(f"workers of {name}", count, 1, len(ascii_uppercase)) for name, count in workers.items()}


def _as_key(name: Any) -> str:
    return show(getattr(name, "__name__", "relay"))


def bind(function: Callable[..., Any], what: str, names: set[str]) -> tuple[str, ...]:
    """The function's parameters. Raises Mistake unless each is one of the scenario's names, or has a default."""
    if not isinstance(function, (FunctionType, MethodType)):
        raise Mistake(_no_function(function, what))
    where = f"{Where(function.__code__.co_firstlineno).of(function.__name__)}: "
    parameters = tuple(inspect.signature(function).parameters.values())
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise Mistake(f"{where}`{parameter}`: a {what}'s parameters are named after resources, one by one.")
        if parameter.name not in names and parameter.default is parameter.empty:
            known = sorted(names - {ME}) + ([ME] if ME in names else [])
            near = did_you_mean(parameter.name, known)
            raise Mistake(
                f"{where}it asks for `{parameter.name}`, and the scenario has {listed(known)}.{near} "
                f"Rename the parameter, or add it: Scenario({parameter.name}=...)."
            )
    return tuple(parameter.name for parameter in parameters if parameter.name in names)


def _no_function(thing: Any, what: str) -> str:
    if inspect.isgenerator(thing):
        name = thing.gi_code.co_name
        return f"{name}(...) has been called already. Pass the {what} itself: {name}, without brackets."
    example = "def charge(inbox, bank): ..." if what == "worker" else "def charged(bank): return bank.count(...) == 1"
    return f"{named(thing)} is no {what}. A {what} is a plain function, passed without brackets: `{example}`."
