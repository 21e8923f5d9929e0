"""Scenario: resources, the properties that should hold, and what can be asked about a worker."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar, Unpack, cast

import simpy

from simlib.arguments import named, public, whole_number
from simlib.check import Report, explore
from simlib.errors import Mistake
from simlib.model.fault import CRASHES, KINDS, REDELIVERIES
from simlib.model.resource import Resource
from simlib.model.system import Counts, roles_of
from simlib.model.values import Plain
from simlib.scenario.description import Claim, Claims, Description, Workers, asking_one, one_question, system_of
from simlib.schedule.budget import LIMITS, Budget, Faults, Limits
from simlib.schedule.replay import play, run_once
from simlib.schedule.scripted import attack
from simlib.schedule.token import Point, points, read_token
from simlib.schedule.trace import Trace
from simlib.simulate import Beside, Run, simulate
from simlib.simulate.conditions import COUNTED, MEASURED, Conditions, Duration, Likely
from simlib.text import listed, name_of, show

__all__ = [
    "Scenario", "about_a_scenario",
    "Claim", "Claims", "Workers", "Failure", "CONDITIONS",
    "asking_one", "one_question", "system_of",
]  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")
OF_ONE_RUN = ("self", "worker", "env", "beside")
THREE_QUESTIONS: Faults = {CRASHES: 1, REDELIVERIES: 1}
Failure = Report | Trace | str  # a report, its trace, or its token


class Scenario(Description):
    """Resources by name, and the properties that should hold. Ask what happens to a worker: explore, simulate, live.

    `always` lists properties that should hold in every state, `eventually` those that should hold wherever nothing more
    can happen, `sometimes` those that should hold at least once. Every other name is a resource, or plain data that
    workers and properties receive as it is: `order="o-1"`.

    `workers` is how many of each worker there are: a number, or numbers by worker name, `{"relay": 2}`, with one of
    every other. A question can override it.

    `restarts` says whether a worker restarts after its process was killed or ended with an uncaught error, as under a
    supervisor (Kubernetes: restartPolicy). With False, or by name `{"cancel": False}`, it does not: a web request that
    fails is a 500, and comes again only if its client retries (the fault `redeliveries`).

    Raises Mistake if a name nearly matches one of the five above (a property under a wrong name would never be
    checked), if a value is not plain data, if a property needs a name that is not here, if two properties share a name,
    and if anything is called `me`, which is how a worker gets its own name.
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
        **things: Resource | Plain,
    ) -> None:
        self._describe(workers, restarts, things)
        self._ask(always, eventually, sometimes)

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
        """Visit every schedule of this worker within a budget of faults, and report what can happen.

        `worker` is a function, or a list of functions that work together; `workers` is how many of each there are.
        `faults` say how often each may strike in one run: `crashes` (memory is lost, the worker restarts),
        `node_losses` (the worker is gone for good), `power_losses` (all processes end, and data that was not synced may
        be lost), `redeliveries` (a task is delivered again), `pauses` (a timer expires before its owner proceeds),
        `lost_replies` (the step took effect, its caller gets OutcomeUnknown), `outages` (it did not: Unavailable),
        `rejections` (it never will: Rejected), `disk_full`, `stops`. By default: one crash and one redelivery.

        A stop is a SIGTERM, as at a deploy: Terminated is raised in place of the worker's step, which was not sent. The
        worker can catch it and finish, or hand back what it holds; it can still crash meanwhile. When its run is over,
        so is its process. A new one starts if the role restarts, unless the worker returned and is no consumer: then it
        has done its task. Left out: the length of the grace period.

        A number lets a fault strike anywhere; by the name of a resource or of a worker's function, it strikes only
        there: `outages={"lock": 1}`, `crashes={"relay": 1}`. `help(simlib.types.Faults)` says what that means for each.

        The search gives up after `max_states` states or `max_seconds` seconds (None: never), or when this process has
        grown by `max_megabytes`, and says how far it got. In CI, limit only the states, `max_states=1_000_000,
        max_seconds=None`: the seconds depend on how busy the machine is.

        Raises Mistake if the worker asks for a name that the scenario does not have, forgets a `yield` or yields
        something that is not a step, if a count is not a whole number from 0 to 31, if a name in a count is not there,
        cannot be struck or is of two things, and if a property does not return True or False; Hangs if code between two
        steps does not end; NotDeterministic if a worker or a property behaves differently when repeated. A search that
        gives up or is interrupted is not an error: its verdict is "unfinished".
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
        crashes_per_day: Likely = 0.0,
        restart: Duration = 5.0,
        pauses_per_day: Likely = 0.0,
        pause: Duration = 60.0,
        power_losses_per_day: float = 0.0,
        capacity: Mapping[str, int] | None = None,
        timeout: Mapping[str, float] | None = None,
        down: Mapping[str, tuple[float, float]] | None = None,
        stalled: Mapping[str, tuple[float, float]] | None = None,
        redelivery_chance: Likely = 0.0,
        outage_chance: Likely = 0.0,
        lost_reply_chance: Likely = 0.0,
        rejection_chance: Likely = 0.0,
        disk_full_chance: Likely = 0.0,
        stops_per_day: Likely = 0.0,
        trace: bool = False,
        until_violation: bool = False,
        env: simpy.Environment | None = None,
        beside: Beside | None = None,
    ) -> Run:
        """Run this worker once on a simulated clock for so many `hours`, and measure. A seed gives the same run again.

        Durations are seconds, or functions that draw them from a random.Random, such as `exponential(60)`: `arrivals`
        between two tasks, `latency` of a step, `restart` from a crash to the next start, `pause` of a worker. Each
        `..._per_day` is a rate per worker, except `power_losses_per_day`, one for all of them. Each `..._chance`, from
        0 to 1, is the probability that a fault strikes an operation that it can strike: `outage_chance=0.01` fails one
        call in a hundred, `outage_chance={"lock": 0.01}` one at that resource. A rate may be by the name of a worker's
        function. (`explore` takes counts, under other names: `outages=1`.) Others are by resource: see Conditions.

        With `trace=True` the run keeps its events; with `until_violation=True` it ends at the first violation. In a
        SimPy environment of yours, `env=`, it runs beside your processes; `beside=` makes one of (env, run), which sees
        `run["inbox"]`. Raises Mistake for numbers out of range, unknown names, and the slips that `explore` refuses.
        """
        conditions = Conditions(
            hours, latency, arrivals, crashes_per_day, power_losses_per_day, restart, pauses_per_day, pause,
            {} if capacity is None else capacity, {} if timeout is None else timeout,
            {} if down is None else down, {} if stalled is None else stalled, redelivery_chance, outage_chance,
            lost_reply_chance, rejection_chance, disk_full_chance, stops_per_day,
        )  # fmt: skip
        system, seed = system_of(self, worker, workers), whole_number("seed", seed)
        return simulate(system, conditions, seed, trace, until_violation, env, beside)

    @public()
    def run(self, worker: Workers, *, crash_after: int | None = None) -> Trace:
        """Run the worker once: without faults, or with a crash after `crash_after` of its steps (0: none).

        `scenario.run(charge)["bank"]` is the resource at the end, as properties see it. Raises Mistake if `crash_after`
        is not a whole number from 0 on, and for the slips that `explore` refuses.
        """
        if crash_after is not None:
            crash_after = whole_number("crash_after", crash_after, of=" of steps", or_="; 0 is no crash")
        return run_once(system_of(self, worker, 1), crash_after)

    @public()
    def attack(self, worker: Workers, *moves: str, workers: Counts | None = None) -> Trace:
        """Run the worker on your own schedule: each of `moves` is who moves next, or a fault; then all finish.

        `"A"` is a step of worker A, `"A 3"` three of them, `"A: lost reply"` its next step with that fault, `"A:
        begin"` its beginning, if others can see that (half of a file is written), `"crash A"`, `"lose A"` (its node is
        lost), `"again A"` (its task is delivered again), `"stop A"` (SIGTERM), `"expire lock"` (a timer of that
        resource expires), `"power loss"`. The run stops at the first violation.

        Raises Mistake if a move cannot be parsed, or is not possible at that point, with the reason.
        """
        return attack(system_of(self, worker, workers), moves)

    @public()
    def replay(self, worker: Workers, what: Failure) -> Trace | Report:
        """Replay a failure, on the same implementation or another.

        `what` is a report, a trace, or a token. Steps are matched by name, so another implementation may have more
        steps, and one more function at the end of its list. The result is a Trace; if the verdict had no
        counterexample, the search is repeated and the result is its Report.

        Raises Mistake if `what` is none of these, or if it involves more functions or more resources than there are
        here.
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

        With a `failure` (a report, a trace or a token), that schedule is played, as `replay` does on the model. With a
        budget of `faults`, as in `explore`, they strike at random places within it, drawn from `seed`. With neither,
        nothing goes wrong. Each step is taken by its worker's own process: a database, queue or lock is SQLite, a disk
        is a folder, an advisory lock a file locked with flock, a service an HTTP server; a crash is SIGKILL, a pause
        SIGSTOP, a stop SIGTERM. Nothing waits for a timer: the supervisor moves its deadline forward. After each step
        the real parts are compared with the model.

        `on` puts resources on running servers: `{"lock": "redis://127.0.0.1:6379/0", "db":
        "postgresql://me@127.0.0.1/test"}`. A lock can be on Redis or PostgreSQL; an advisory lock, a database or a
        queue on PostgreSQL. A database whose transactions stay open between steps needs that: SQLite has no levels. A
        run removes everything that it creates there, under names of its own.

        Raises Mistake if both a failure and a budget are given, if a server cannot be reached or cannot hold that
        resource, and for the slips that `explore` refuses; NotHere if there are no processes to kill (a browser,
        Windows); ModelIsWrong if the real parts differ from the model.
        """
        from simlib.live import Chaos, live  # needs optional packages

        if failure is None:
            chaos = Chaos(Budget(faults or {CRASHES: 0}), whole_number("seed", seed))
            return live(system_of(self, worker, workers), chaos, on)
        if faults:
            raise Mistake("live: give a failure to play, or a budget of faults to be drawn; not both.")
        counts, _, schedule = self._read("live", failure, worker)
        return live(system_of(self, worker, workers or counts), schedule or [], on)

    def _read(
        self, asked: str, what: Failure, worker: Workers
    ) -> tuple[dict[str, int] | None, Faults, list[Point] | None]:
        """How many of each worker, the budget, and the schedule; None for a verdict without a counterexample."""
        if isinstance(worker, (str, Report, Trace)):
            raise Mistake(f"{asked}({named(worker)}, ...): the worker comes first: {asked}(charge, report).")
        names = [name_of(role) for role in roles_of(worker)]
        if isinstance(what, Trace):
            return None, {}, points(what)
        token = what.token if isinstance(what, Report) else what
        if not isinstance(token, str):
            raise Mistake(f"{asked}(..., {named(what)}): give a report, a trace or a token.")
        read = read_token(token, len(self.resources))
        if len(read.counts) > len(names):
            several = f"{len(read.counts)} workers' functions, as a list"
            raise Mistake(f"{show(token)} is a verdict on {several}, and got {listed(names)}.")
        faults = read.budget([*self.resources], names)
        return dict(zip(names, read.counts)), cast(Faults, faults or {CRASHES: 0}), read.schedule


def about_a_scenario(
    *, instead: Mapping[str, str] | None = None, closed: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`public`, for a function whose first argument is a scenario."""
    return public(instead=instead, first=Scenario, closed=closed, order=(*CONDITIONS, *LIMITS, *KINDS))


# What a function passes on to `simulate`: all but the worker, and a SimPy environment, which is of one run.
CONDITIONS = tuple([name for name in inspect.signature(Scenario.simulate).parameters if name not in OF_ONE_RUN])
