"""Slips that a type checker finds before anything runs. Each stands on a line of its own that ends in `# wrong`."""

from __future__ import annotations

from collections.abc import Iterator

from simlib import Clock, Database, Disk, Lock, Queue, Scenario, Service, audit, compare, sweep
from simlib.course import crash_rate_slider, grade, workers_slider
from simlib.resources import Collection
from simlib.types import Faults, Report, Run
from simlib.views import board, load_curve, price_tag, survival_curve
from tests.typed.right import SHOP, charge, charge_once, charged_once

# A name that nobody knows

SHOP.explore(charge, crashs=1)  # wrong
SHOP.explore(charge, max_state=10)  # wrong
SHOP.explore(charge, crashes_per_day=1)  # wrong
SHOP.live(charge, crash=1)  # wrong
SHOP.simulate(charge, latancy=1)  # wrong
SHOP.simulate(charge, crashes=1)  # wrong
SHOP.attack(charge, "A", worker=1)  # wrong
SHOP.run(charge, crash_afte=1)  # wrong
SHOP.asking(alwayss=[charged_once])  # wrong
Scenario(bank=Service(), alwayss=[charged_once])  # wrong
Scenario(bank=Service, always=[])  # wrong
compare(SHOP, happy_path=charge, failure_mode=charge_once, crashs=1)  # wrong
compare(SHOP, happy_path=charge, failure_mod=charge_once)  # wrong
audit(SHOP, charged_once, careful=charge_once, broken=[charge], crashs=1)  # wrong
audit(SHOP, charged_once, careful=charge_once, broken=[charge], when="sometimes")  # wrong
sweep(SHOP, charge, hourz=1)  # wrong
sweep(SHOP, charge, trace=True)  # wrong
board(SHOP, charge, crashs=1)  # wrong
survival_curve(SHOP, charge, hours=1)  # wrong
price_tag(SHOP, charge, latancy=1)  # wrong
load_curve(SHOP, "bank", charge, capcity={"bank": 1})  # wrong
grade(SHOP, charge, crashs=1)  # wrong
workers_slider(SHOP, charge, crashs=1)  # wrong
crash_rate_slider(SHOP, charge, crashes_per_day=1)  # wrong
BUDGET: Faults = {"crashs": 1}  # wrong

# A value of another kind

SHOP.explore(charge, crashes="one")  # wrong
SHOP.explore(charge, crashes={"charge": "one"})  # wrong
SHOP.explore(charge, power_losses={"disk": 1})  # wrong
SHOP.explore(charge, workers="two")  # wrong
SHOP.explore(charge, workers={"charge": "two"})  # wrong
SHOP.explore(charge, workers=[2])  # wrong
SHOP.explore(charge, max_seconds="10 s")  # wrong
SHOP.explore("charge")  # wrong
SHOP.simulate(charge, hours="two")  # wrong
SHOP.simulate(charge, workers="two")  # wrong
SHOP.simulate(charge, outage_chance="1 %")  # wrong
SHOP.simulate(charge, power_losses_per_day={"disk": 1})  # wrong
SHOP.simulate(charge, capacity=4)  # wrong
SHOP.attack(charge, "A", workers=2.5)  # wrong
SHOP.asking(always=charged_once)  # wrong
SHOP.replay(charge, 3)  # wrong
compare(SHOP, happy_path=charge, failure_mode=charge_once, workers="two")  # wrong
sweep(SHOP, charge, hours="two")  # wrong
board(SHOP, charge, workers="two")  # wrong
survival_curve(SHOP, charge, workers="two")  # wrong
price_tag(SHOP, charge, hours="two")  # wrong
grade(SHOP, charge, workers="two", crashes=1)  # wrong
Scenario(bank=Service(), workers="two")  # wrong
Queue("order-1", visibility_timeout="30")  # wrong
Database([1])  # wrong


def counts(bank: Service) -> Iterator[int]:
    yield bank.count("charge")


SHOP.explore(counts)  # wrong

# A question that the resource does not know


def misspelled(bank: Service) -> bool:
    return bank.counts("charge") <= 1  # wrong


def of_another_kind(bank: Service) -> bool:
    return bank.count(1) <= 1  # wrong


def as_an_attribute(bank: Service) -> bool:
    return bank.count <= 1  # wrong


def dead(inbox: Queue) -> bool:
    return inbox.dead_letter == []  # wrong


def deliveries(inbox: Queue) -> bool:
    return inbox.acked[0].delivery == 1  # wrong


def files(disk: Disk) -> bool:
    return disk.content("state") == "0"  # wrong


def maybe_none(disk: Disk) -> bool:
    return disk.contents("state").startswith("0")  # wrong


def held(lock: Lock) -> bool:
    return lock.holders is None  # wrong


def rows(db: Database) -> bool:
    return db.row == {}  # wrong


def keyed(bank: Service) -> bool:
    return bank["charge"] == 1  # wrong


def item(names: Collection) -> bool:
    return names[1] == 1  # wrong


def late(clock: Clock) -> bool:
    return clock.second > 1  # wrong


def judged(report: Report, run: Run) -> bool:
    return report.verdikt == "holds"  # wrong


def measured(run: Run) -> float:
    return run.throughputs  # wrong
