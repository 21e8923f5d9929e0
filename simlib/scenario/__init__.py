"""A scenario: the resources, what should be true of them, and the questions that can be asked of a worker in it."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack

from simlib.arguments import named as described
from simlib.arguments import public, whole_number
from simlib.check import Report, explore
from simlib.errors import Mistake
from simlib.model.properties import Property
from simlib.model.resource import Resource, as_written
from simlib.model.system import ME, Counts, bind, how_many, roles_of
from simlib.model.values import Plain
from simlib.scenario.description import Workers, asking_one, checked_restarts, plain_value, system_of
from simlib.schedule.budget import Budget, Faults, Limits
from simlib.schedule.replay import play, run_once
from simlib.schedule.scripted import attack
from simlib.schedule.token import Point, points, read_token
from simlib.schedule.trace import Trace
from simlib.simulate import Run, simulate
from simlib.simulate.conditions import COUNTED, MEASURED, Conditions, Duration
from simlib.text import did_you_mean, listed, name_of, show

__all__ = [
    "CONDITIONS",
    "Claim",
    "Claims",
    "Failure",
    "Scenario",
    "Workers",
    "about_a_scenario",
    "asking_one",
    "system_of",
]

P = ParamSpec("P")
R = TypeVar("R")
Claim = Callable[..., bool]
Claims = Iterable[Claim]
THREE_QUESTIONS: Faults = {"crashes": 1, "redeliveries": 1}
Failure = Report | Trace | str  # a report, its trace, or its token


class Scenario:
    """Resources by name, and what should be true: `always` in every state, `eventually` where nothing more can
    happen, `sometimes` at least once. Any other value is handed to workers as it is: `order="o-1"`.

    `workers` is how many of each worker there are, when a question does not say otherwise: a number, or by name
    `{"relay": 2}` with one of each other.

    `restarts` says whether a worker is started again whose process ended with an error that nobody caught, or was
    killed, as a supervisor does it (Kubernetes: restartPolicy). With False, or by name `{"cancel": False}`, it is not:
    a web request that fails is a 500, and comes again only if its client retries (the fault `redeliveries`).

    Raises Mistake for a name that is nearly one of these, and for a value that is no plain data: a property under a
    wrong name would never be asked.
    """

    @public()
    def __init__(
        self,
        *,
        workers: Counts = 1,
        restarts: bool | Mapping[str, bool] = True,
        always: Claims = (),
        eventually: Claims = (),
        sometimes: Claims = (),
        **named: Resource | Plain,
    ) -> None:
        self.workers = how_many(workers)
        self.restarts = checked_restarts(restarts)
        if ME in named:
            raise Mistake(f"`{ME}` is the name by which a worker asks who it is. Call your value something else.")
        self.resources = {name: thing for name, thing in named.items() if isinstance(thing, Resource)}
        self.values = {name: plain_value(name, thing) for name, thing in named.items() if name not in self.resources}
        self._ask(always, eventually, sometimes)

    def __repr__(self) -> str:
        parts = {name: as_written(resource) for name, resource in self.resources.items()}
        parts |= {name: show(value) for name, value in self.values.items()}
        parts |= {} if self.workers == 1 else {"workers": show(self.workers)}
        parts |= {} if self.restarts is True else {"restarts": show(self.restarts)}
        for when, claims in (("always", self.always), ("eventually", self.eventually), ("sometimes", self.sometimes)):
            parts |= {when: f"[{', '.join(claim.name for claim in claims)}]"} if claims else {}
        return f"<Scenario({', '.join(f'{name}={part}' for name, part in parts.items())})>"

    def _ask(self, always: Claims, eventually: Claims, sometimes: Claims) -> None:
        """These properties and no others from now on."""
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
            raise Mistake(f"give a list of properties: [{described(functions)}].")
        names = {*self.resources, *self.values}
        return tuple(Property(function, bind(function, "property", names)) for function in functions)

    @public()
    def asking(self, *, always: Claims = (), eventually: Claims = (), sometimes: Claims = ()) -> Scenario:
        """The same resources, values and workers, with other properties."""
        other = copy.copy(self)
        other._ask(always, eventually, sometimes)
        return other

    @public()
    def but(self, **named: Resource | Plain) -> Scenario:
        """The same properties and workers, with other resources or values under these names of the scenario.

        Raises Mistake for a name that it does not have, and for a value where workers expect a resource.
        """
        other = copy.copy(self)
        other.resources, other.values = {**self.resources}, {**self.values}
        for name, thing in named.items():
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
                other.values[name] = plain_value(name, thing)
        return other

    @public(instead=COUNTED)
    def explore(
        self,
        worker: Workers,
        *,
        workers: Counts | None = None,
        max_states: int = Limits.states,
        max_seconds: float | None = Limits.seconds,
        max_megabytes: float = Limits.megabytes,
        **faults: Unpack[Faults],
    ) -> Report:
        """Visit every schedule of this worker within a budget of faults, and say what can happen.

        `faults` are how often each may strike in one run: `crashes`, `node_losses` (a worker is gone for good and
        nobody starts it again; a crash is followed by a restart), `power_losses`, `redeliveries` (a task that has
        been handed out is handed out again), `pauses` (a timer beats its owner), `lost_replies`, `outages`,
        `rejections`, `disk_full`. With none named: one crash and one redelivery. The search gives up after
        `max_states` states, `max_seconds` seconds, or when this process has grown by `max_megabytes`, and says how far
        it came. In CI, limit it by states alone: `max_states=1_000_000, max_seconds=None`. How many seconds a search
        takes depends on how busy the machine is; how many states it visits does not. Raises Mistake.
        """
        budget = Budget(faults or THREE_QUESTIONS)
        return explore(system_of(self, worker, workers), budget, Limits(max_states, max_seconds, max_megabytes))

    @public(instead=MEASURED)
    def simulate(
        self,
        worker: Workers,
        *,
        seed: int = 0,
        workers: Counts | None = None,
        hours: float = 1.0,
        arrivals: Duration | Mapping[str, Duration] | None = None,
        latency: Duration | Mapping[str, Duration] = 0.01,
        crashes_per_day: float = 0.0,
        restart: Duration = 5.0,
        pauses_per_day: float = 0.0,
        pause: Duration = 60.0,
        power_losses_per_day: float = 0.0,
        capacity: Mapping[str, int] | None = None,
        timeout: Mapping[str, float] | None = None,
        down: Mapping[str, tuple[float, float]] | None = None,
        stalled: Mapping[str, tuple[float, float]] | None = None,
        redelivery_chance: float = 0.0,
        outage_chance: float = 0.0,
        lost_reply_chance: float = 0.0,
        rejection_chance: float = 0.0,
        disk_full_chance: float = 0.0,
        trace: bool = False,
        until_violation: bool = False,
    ) -> Run:
        """Run this worker once on SimPy's clock, for so many simulated hours, and measure.

        Durations are seconds, or functions of a random.Random such as `exponential(60)`; see Conditions. Each
        `..._chance` is a probability, from 0 to 1, that such a fault strikes an operation that it can strike:
        `outage_chance=0.01` lets one call in a hundred fail. (What `explore` counts has other names: `outages=1` is
        one in a run.) Each `..._per_day` is a rate for each worker; of `power_losses_per_day`, for all of them.
        With `trace=True` the run keeps its events; with `until_violation=True` it ends when a property breaks.
        The same seed gives the same run. Raises Mistake.
        """
        conditions = Conditions(
            hours, latency, arrivals, crashes_per_day, power_losses_per_day, restart, pauses_per_day, pause,
            {} if capacity is None else capacity, {} if timeout is None else timeout,
            {} if down is None else down, {} if stalled is None else stalled,
            redelivery_chance, outage_chance, lost_reply_chance, rejection_chance, disk_full_chance,
        )  # fmt: skip
        seed = whole_number("seed", seed)
        return simulate(system_of(self, worker, workers), conditions, seed, trace, until_violation)

    @public()
    def run(self, worker: Workers, *, crash_after: int | None = None) -> Trace:
        """Run the worker once with everything going well, or with one crash, after so many of its steps.

        The trace's `["bank"]` is the resource in the end, as properties see it.
        """
        if crash_after is not None:
            crash_after = whole_number("crash_after", crash_after, of=" of steps", or_="; 0 is no crash")
        return run_once(system_of(self, worker, 1), crash_after)

    @public()
    def attack(self, worker: Workers, *moves: str, workers: Counts | None = None) -> Trace:
        """Run the worker as you say: each of `moves` is who moves next, or where a fault strikes; then all finish.

        `"A"` is a step of worker A, `"A 3"` three of them, `"A: lost reply"` its next step with that fault,
        `"crash A"`, `"lose A"` (its node is gone), `"again A"` (its task is handed out again), `"expire lock"` (a
        timer of that resource runs out),
        `"power loss"`. The run stops where a property breaks. Raises Mistake for a move that cannot be made.
        """
        return attack(system_of(self, worker, workers), moves)

    @public()
    def replay(self, worker: Workers, what: Failure) -> Trace | Report:
        """The same failure again, on this or another implementation.

        `what` is a report, a trace, or a token. Steps are found by their names, so an implementation with more of
        them, or with one role more at the end, can be given the same failure. A verdict without a counterexample is
        searched again.
        """
        counts, budget, schedule = self._read("replay", what, worker)
        if schedule is None:
            return self.explore(worker, workers=counts, **budget)
        return play(system_of(self, worker, counts), schedule)

    @public(instead=COUNTED)
    def live(
        self,
        worker: Workers,
        failure: Failure | None = None,
        *,
        workers: Counts | None = None,
        seed: int = 0,
        on: Mapping[str, str] | None = None,
        **faults: Unpack[Faults],
    ) -> Trace:
        """Run this worker for real: in operating-system processes, killed with SIGKILL, on real storage.

        With a `failure` (a report, a trace or a token) that schedule is played, as `replay` does it on the model. With
        a budget of `faults`, as `explore` takes it, they strike at random places, drawn from `seed`. With neither,
        nothing goes wrong. Each step is taken by its worker's own process: a database, queue or lock is SQLite, a disk
        is a folder, a service an HTTP server; a crash is SIGKILL, a pause SIGSTOP. Nobody waits for a timer: the
        supervisor brings its deadline forward. What is really there is held against the model after each step.

        `on` puts resources on servers that are running: `{"lock": "redis://127.0.0.1:6379/0", "db":
        "postgresql://me@127.0.0.1/test"}`. A lock can be on Redis or PostgreSQL, a database or a queue on PostgreSQL.
        What a run makes there, under names of its own, it removes. Raises Mistake, and ModelIsWrong where the two
        differ.
        """
        from simlib.live import Chaos, live  # what it needs is an extra

        if failure is None:
            chaos = Chaos(Budget(faults or {"crashes": 0}), whole_number("seed", seed))
            return live(system_of(self, worker, workers), chaos, on)
        if faults:
            raise Mistake("live: give a failure to play, or a budget of faults to be drawn; not both.")
        counts, _, schedule = self._read("live", failure, worker)
        return live(system_of(self, worker, workers or counts), schedule or [], on)

    def _read(
        self, asked: str, what: Failure, worker: Workers
    ) -> tuple[dict[str, int] | None, dict[str, int], list[Point] | None]:
        """How many of each worker, the budget, and the schedule; None for a verdict without a counterexample."""
        if isinstance(worker, (str, Report, Trace)):
            raise Mistake(f"{asked}({described(worker)}, ...): the worker comes first: {asked}(charge, report).")
        names = [name_of(role) for role in roles_of(worker)]
        if isinstance(what, Trace):
            return None, {}, points(what)
        token = what.token if isinstance(what, Report) else what
        if not isinstance(token, str):
            raise Mistake(f"{asked}(..., {described(what)}): give a report, a trace or a token.")
        counts, faults, schedule = read_token(token, len(self.resources))
        if len(counts) > len(names):
            several = f"{len(counts)} workers' functions, as a list"
            raise Mistake(f"{show(token)} is a verdict on {several}, and got {listed(names)}.")
        return dict(zip(names, counts)), faults or {"crashes": 0}, schedule


def about_a_scenario(
    *, instead: Mapping[str, str] | None = None, closed: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`public`, for a function whose first argument is a scenario."""
    return public(instead=instead, first=Scenario, closed=closed)


CONDITIONS = tuple([*inspect.signature(Scenario.simulate).parameters][2:])  # what a function hands on to `simulate`
