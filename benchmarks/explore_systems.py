"""The systems that `explore_speed.py` asks everybody about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from simlib import Database, Scenario
from simlib.model.system import System
from simlib.scenario import system_of
from tests import test_spin
from tests.lessons import definitions

LIMITS: dict[str, Any] = {"max_states": 10_000_000, "max_seconds": 600, "max_megabytes": 8_000}


class Case(NamedTuple):
    """A system, how to ask SPIN about it, and whether frontrun can be asked."""

    name: str
    scenario: Scenario
    worker: Any
    faults: dict[str, int]
    model: str = ""
    variant: int = 0
    sizes: tuple[tuple[str, int], ...] = ()  # what the model is compiled with
    threads: int = 0  # so many workers of one round each: what frontrun can be given

    def system(self) -> System:
        return system_of(self.scenario, self.worker)

    def explore(self) -> Any:
        return self.scenario.explore(self.worker, **(self.faults or {"crashes": 0}), **LIMITS)


# The systems


def in_rounds(rounds: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def add_in_rounds(db):  # type: ignore[no-untyped-def]
        for _ in range(rounds):
            value = yield db.read("x")
            yield db.write("x", value + 1)

    def add_compared_in_rounds(db):  # type: ignore[no-untyped-def]
        for _ in range(rounds):
            done = False
            while not done:
                value = yield db.read("x")
                done = yield db.compare_and_set("x", value, value + 1)

    return add_in_rounds, add_compared_in_rounds


def counter(workers: int, rounds: int) -> Scenario:
    def all_are_there(db):  # type: ignore[no-untyped-def]
        return db["x"] >= workers * rounds

    return Scenario(db=Database({"x": 0}), eventually=[all_are_there], workers=workers)


def lost_updates(workers: int, rounds: int, crashes: int) -> list[Case]:
    names = ("lost update", "compare-and-set")
    return [
        Case(
            f"{names[variant]}, {workers} workers x {rounds}" + f", {crashes} crash" * (crashes > 0),
            counter(workers, rounds), worker, {"crashes": crashes} if crashes else {}, "rounds", variant,
            (("WORKERS", workers), ("ROUNDS", rounds)), workers if rounds == 1 and not crashes else 0,
        )
        for variant, worker in enumerate(in_rounds(rounds))
    ]  # fmt: skip


def shop_of(system: test_spin.System) -> Scenario:
    return Scenario(**system.resources, always=system.always, eventually=system.eventually, workers=2)


def cases(quick: bool) -> list[Case]:
    twins = {system.model: system for system in test_spin.SYSTEMS}
    lease, queue, dual = twins["lease"], twins["redelivery"], twins["dual_write"]
    two = {"crashes": 1, "pauses": 1} if quick else {"crashes": 2, "pauses": 2}
    back = {"crashes": 1, "redeliveries": 1} if quick else {"crashes": 2, "redeliveries": 2, "pauses": 1}
    every = dict.fromkeys(dual.faults, 1)
    twice = {"crashes": 1, "lost_replies": 1, "outages": 1} if quick else {**every, "lost_replies": 2, "outages": 2}
    lesson = definitions("13")
    return [
        *lost_updates(2, 1, 0),
        *lost_updates(3, 2, 0),
        *lost_updates(*((3, 2, 1) if quick else (4, 3, 1))),
        Case("lease", shop_of(lease), lease.workers[0], two, "lease", 0),
        Case("lease, fenced on the write", shop_of(lease), lease.workers[1], two, "lease", 1),
        Case("lease, fenced on read and write", shop_of(lease), lease.workers[2], two, "lease", 2),
        Case("queue consumer", shop_of(queue), queue.workers[0], back, "redelivery", 0),
        Case("queue consumer, with a key", shop_of(queue), queue.workers[1], back, "redelivery", 1),
        Case("dual write", shop_of(dual), dual.workers[0], every, "dual_write", 0),
        Case("dual write, sent again", shop_of(dual), dual.workers[1], twice, "dual_write", 1),
        Case("the capstone", lesson["shop"], lesson["fulfil"], {"crashes": 1}),
        Case("the capstone, careful", lesson["shop"], lesson["fulfil_once"], {"crashes": 1 if quick else 2}),
    ]
