"""What a scenario is made of, checked; and the system that it makes with workers in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simlib.arguments import as_number, named
from simlib.errors import Mistake
from simlib.model.operation import Op
from simlib.model.process import Worker
from simlib.model.properties import Property
from simlib.model.resource import Resource
from simlib.model.system import Counts, System, cast_of, roles_of
from simlib.model.values import fresh
from simlib.schedule.budget import KINDS, LIMITS
from simlib.text import name_of, nearest, show

if TYPE_CHECKING:
    from simlib.scenario import Scenario

Workers = Worker | Sequence[Worker]
OWN = ("workers", "restarts", "always", "eventually", "sometimes")  # what Scenario takes, beside resources and values
NEAR = 0.81  # `worker`, `workerz` and `num_workers` are meant as `workers`; `orders`, `times` and `ways` are not


def system_of(scenario: Scenario, worker: Workers, workers: Counts | None = None) -> System:
    """The scenario with its workers in it: what the engines run. Several roles: give a list of functions."""
    roles = roles_of(worker)
    counts = _usual(scenario, roles) if workers is None else workers
    cast = cast_of(roles, counts, scenario.resources, scenario.values, scenario.restarts)
    return System(
        scenario.resources, scenario.values, cast, scenario.always, scenario.eventually, scenario.sometimes
    )  # fmt: skip


def _usual(scenario: Scenario, roles: Sequence[Worker]) -> Counts:
    """How many of each there are by default. One implementation need not have all the roles that are counted."""
    if isinstance(scenario.workers, int):
        return scenario.workers
    names = [name_of(role) for role in roles]
    return {name: count for name, count in scenario.workers.items() if name in names} or scenario.workers


def asking_one(scenario: Scenario, kind: str = "", claim: Callable[..., bool] | None = None) -> Scenario:
    """The same system with this property alone, which is to hold "always", "eventually" or "sometimes"; or none.

    Where the scenario has an `eventually`, going round for ever (as a relay does that polls) is wrong only if that
    stays false, and so it is no defect in a part that does not ask for it.
    """
    claims = {kind: [claim]} if claim else {}
    unasked = {"eventually": [_whatever]} if scenario.eventually else {}
    return scenario.asking(**{**unasked, **claims})


def _whatever() -> bool:
    return True


def checked_restarts(restarts: Any) -> bool | Mapping[str, bool]:
    """The same. Raises Mistake where it is neither True nor False, nor one of them by name."""
    every = restarts.values() if isinstance(restarts, Mapping) else [restarts]
    if all(isinstance(one, bool) for one in every):
        return restarts  # type: ignore[no-any-return]
    raise Mistake(f'restarts={show(restarts)}: give True or False, or by the worker\'s name: {{"cancel": False}}.')


def plain_value(name: str, thing: Any) -> Any:
    """A plain value that workers are given. Raises Mistake for what is none, or was meant as something else."""
    near = nearest(name.replace("_", ""), OWN, NEAR)
    if near:
        raise Mistake(f"{name}={named(thing)}: a scenario has no `{name}`. Did you mean `{near}`?")
    if isinstance(thing, type) and issubclass(thing, Resource):
        raise Mistake(f"{name}={thing.__name__}: write {name}={thing.__name__}(), with the brackets.")
    asked = nearest(name, (*KINDS, *LIMITS), NEAR)
    if asked and as_number(thing) is not None:
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
    """Whether it is meant as a property, a worker or a step, or is a list of them."""
    inside = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, (list, tuple, set)) else ()
    return any(callable(one) or isinstance(one, (Op, Property)) for one in (thing, *inside))
