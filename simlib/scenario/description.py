"""A scenario's parts, checked, and the system that they form with workers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from simlib.arguments import as_number, named, public
from simlib.check.learned import Sharing
from simlib.errors import Mistake
from simlib.model.fault import KINDS
from simlib.model.operation import Op
from simlib.model.process import Worker
from simlib.model.properties import Property
from simlib.model.resource import Resource, as_written
from simlib.model.system import ME, Counts, System, bind, cast_of, how_many, roles_of
from simlib.model.values import Plain, fresh
from simlib.schedule.budget import LIMITS
from simlib.text import did_you_mean, listed, name_of, nearest, show
from simlib.watchdog import interruptible

P = ParamSpec("P")
R = TypeVar("R")
Claim = Callable[..., bool]
Claims = Iterable[Claim]
Workers = Worker | Sequence[Worker]
OWN = ("workers", "restarts", "always", "eventually", "sometimes")  # what Scenario takes besides resources and values
NEAR = 0.81  # similar enough for a typo: `worker`, `workerz`, `num_workers`, but not `orders`


class Description:
    """Resources and values by name, how many workers there are, and the properties."""

    workers: Counts
    restarts: bool | Mapping[str, bool]
    resources: dict[str, Resource]
    values: dict[str, Any]
    always: tuple[Property, ...]
    eventually: tuple[Property, ...]
    sometimes: tuple[Property, ...]
    _sharing: Sharing | None = None  # what the searches about it share, while they belong to one question

    def _describe(self, workers: Counts, restarts: bool | Mapping[str, bool], things: Mapping[str, Any]) -> None:
        self.workers = how_many(workers)
        self.restarts = _checked_restarts(restarts)
        if ME in things:
            raise Mistake(f"`{ME}` is the name by which a worker asks who it is. Call your value something else.")
        self.resources = {name: thing for name, thing in things.items() if isinstance(thing, Resource)}
        self.values = {name: _plain_value(name, thing) for name, thing in things.items() if name not in self.resources}

    def __repr__(self) -> str:
        parts = {name: as_written(resource) for name, resource in self.resources.items()}
        parts |= {name: show(value) for name, value in self.values.items()}
        parts |= {} if self.workers == 1 else {"workers": show(self.workers)}
        parts |= {} if self.restarts is True else {"restarts": show(self.restarts)}
        for when, claims in (("always", self.always), ("eventually", self.eventually), ("sometimes", self.sometimes)):
            parts |= {when: f"[{', '.join(claim.name for claim in claims)}]"} if claims else {}
        return f"<{type(self).__name__}({', '.join(f'{name}={part}' for name, part in parts.items())})>"

    def _ask(self, always: Claims, eventually: Claims, sometimes: Claims) -> None:
        """Replace the properties by these."""
        self.always, self.eventually, self.sometimes = map(self._claims, (always, eventually, sometimes))
        known: dict[str, Any] = {}
        for claim in (*self.always, *self.eventually, *self.sometimes):
            if known.setdefault(claim.name, claim.function) != claim.function:
                raise Mistake(
                    f"two properties are called {claim.name}: a verdict could not say which. Write a `def` for each, "
                    "and name it as the sentence that should be true."
                )

    def _claims(self, functions: Claims) -> tuple[Property, ...]:
        if callable(functions) or not isinstance(functions, Iterable) or isinstance(functions, str):
            raise Mistake(f"give a list of properties: [{named(functions)}].")
        names = {*self.resources, *self.values}
        return tuple(Property(function, bind(function, "property", names)) for function in functions)

    @public()
    def asking(self, *, always: Claims = (), eventually: Claims = (), sometimes: Claims = ()) -> Self:
        """The same resources, values and workers, with these properties instead.

        Raises Mistake if a property needs a name that the scenario does not have, or if two share a name.
        """
        other = copy.copy(self)
        other._ask(always, eventually, sometimes)
        return other

    @public()
    def but(self, **things: Resource | Plain) -> Self:
        """The same properties and workers, with these resources or values in place of those of the same names.

        Raises Mistake if the scenario has no such name, if a value is not plain data, and if a value would replace a
        resource or a resource a value.
        """
        other = copy.copy(self)
        other.resources, other.values, other._sharing = {**self.resources}, {**self.values}, None
        for name, thing in things.items():
            resource = isinstance(thing, Resource)
            if name not in (*self.resources, *self.values):
                known = [*self.resources, *self.values]
                near = did_you_mean(name, known)
                raise Mistake(f"`{name}` is nothing that the scenario has: it has {listed(known)}.{near}")
            if resource != (name in self.resources):
                was, now = ("a value", "a resource") if resource else ("a resource", f"{show(thing)}, a value")
                raise Mistake(f"{name} is {was} in this scenario, and cannot become {now}.")
            if isinstance(thing, Resource):
                other.resources[name] = thing
            else:
                other.values[name] = _plain_value(name, thing)
        return other


Described = TypeVar("Described", bound=Description)


def one_question(function: Callable[Concatenate[Described, P], R]) -> Callable[Concatenate[Described, P], R]:
    """Make this, which is about a scenario, one question: its searches share what they learn of workers and resources,
    and one interrupt ends them all.
    """

    @wraps(function)
    def asked(scenario: Described, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if scenario._sharing is not None:
            return function(scenario, *args, **kwargs)
        shared = copy.copy(scenario)
        shared._sharing = Sharing()
        with interruptible(), closing(shared._sharing):
            return function(shared, *args, **kwargs)

    return asked


def system_of(scenario: Description, worker: Workers, workers: Counts | None = None) -> System:
    """The scenario with its workers, as the engines run it. Give a list of functions for several roles."""
    roles = roles_of(worker)
    counts = _usual(scenario, roles) if workers is None else workers
    cast = cast_of(roles, counts, scenario.resources, scenario.values, scenario.restarts)
    return System(
        scenario.resources, scenario.values, cast, scenario.always, scenario.eventually, scenario.sometimes,
        sharing=scenario._sharing,
    )  # fmt: skip


def _usual(scenario: Description, roles: Sequence[Worker]) -> Counts:
    """How many of each there are by default. An implementation need not have every role that is counted."""
    if isinstance(scenario.workers, int):
        return scenario.workers
    names = [name_of(role) for role in roles]
    return {name: count for name, count in scenario.workers.items() if name in names} or scenario.workers


def asking_one(scenario: Described, kind: str = "", claim: Claim | None = None) -> Described:
    """The same system with only this property ("always", "eventually" or "sometimes"), or with none.

    If the scenario has an `eventually`, looping forever (as a polling relay does) is wrong only if that property stays
    false; so it is not a defect for a question without it.
    """
    claims = {kind: [claim]} if claim else {}
    unasked = {"eventually": [_whatever]} if scenario.eventually else {}
    return scenario.asking(**{**unasked, **claims})


def _whatever() -> bool:
    return True


def _checked_restarts(restarts: Any) -> bool | Mapping[str, bool]:
    """`restarts`, checked. Raises Mistake if it is not True, False or one of them by name."""
    every = restarts.values() if isinstance(restarts, Mapping) else [restarts]
    if all(isinstance(one, bool) for one in every):
        return restarts  # type: ignore[no-any-return]
    raise Mistake(f'restarts={show(restarts)}: give True or False, or by the worker\'s name: {{"cancel": False}}.')


def _plain_value(name: str, thing: Any) -> Any:
    """A plain value for workers. Raises Mistake if it is not one, or was meant as something else."""
    near = nearest(name.replace("_", ""), OWN, NEAR)
    if near:
        raise Mistake(f"{name}={named(thing)}: a scenario has no `{name}`. Did you mean `{near}`?")
    if isinstance(thing, type) and issubclass(thing, Resource):
        raise Mistake(f"{name}={thing.__name__}: write {name}={thing.__name__}(), with the brackets.")
    asked = nearest(name, (*KINDS, *LIMITS), NEAR)
    aimed = name in KINDS and isinstance(thing, Mapping) and thing and None not in map(as_number, thing.values())
    if asked and (aimed or as_number(thing) is not None):
        raise Mistake(f"{name}={show(thing)}: that is said with the question: scenario.explore(worker, {asked}=...).")
    if _is_code(thing):
        raise Mistake(
            f"{name}={named(thing)}: a value is plain data, such as {name}=3. Each resource has its own name, "
            "and properties are lists: always=[...], eventually=[...] or sometimes=[...]."
        )
    try:
        return fresh(thing)
    except Mistake as mistake:
        raise Mistake(f"{name}: {mistake}") from None


def _is_code(thing: Any) -> bool:
    """Whether it was meant as a property, a worker or a step, or is a list of them."""
    inside = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, (list, tuple, set)) else ()
    return any(callable(one) or isinstance(one, (Op, Property)) for one in (thing, *inside))
