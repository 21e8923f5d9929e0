"""What an engineer writes with types: no line of it is wrong. mypy and pyright read it, and tests run it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from simlib import (
    Clock,
    Database,
    Disk,
    Lock,
    Queue,
    Random,
    Scenario,
    Service,
    audit,
    compare,
    exponential,
    lanes,
    sweep,
)
from simlib.course import crash_rate_slider, crash_slider, grade, workers_slider
from simlib.resources import Collection
from simlib.types import (
    Audit,
    Board,
    Comparison,
    Event,
    FaultMatrix,
    Faults,
    Grade,
    InterleavingMap,
    Lease,
    Load,
    Message,
    Op,
    Picture,
    Player,
    PriceTag,
    Report,
    Run,
    Slider,
    Steps,
    Survival,
    Sweep,
    Trace,
    Value,
    Worker,
)
from simlib.views import (
    board,
    crash_strip,
    failure_matrix,
    interleaving_map,
    load_curve,
    player,
    price_tag,
    survival_curve,
)

# Workers


def ping(bank: Service) -> Iterator[Op]:
    yield bank.call("ping")


def charge(inbox: Queue, bank: Service, db: Database) -> Generator[Op, Any, None]:
    message: Message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def charge_once(inbox: Queue, bank: Service, db: Database) -> Steps:
    message: Message = yield inbox.receive()
    yield bank.call("charge", 20, idempotency_key=message.id)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def hold(lock: Lock, me: str) -> Generator[Op, Any, Any]:
    lease: Lease = yield lock.acquire(me, ttl=30)
    yield lock.release(lease)
    return lease.token


# Properties


def charged_once(bank: Service, db: Database) -> bool:
    return bank.count("charge") <= 1 and db["order-1"] in (None, "paid")


def paid(db: Database) -> bool:
    return db["order-1"] == "paid"


def nothing_lost(inbox: Queue) -> bool:
    bodies = [letter.body for letter in inbox.dead_letters + inbox.ready]
    return len(inbox.acked) + len(inbox.in_flight) + len(bodies) == inbox.sent and "x" not in bodies


def first_is_known(inbox: Queue) -> bool:
    return not inbox.acked or inbox.acked[0].body == "order-1"


def saved(disk: Disk) -> bool:
    contents = disk.contents("state")
    return contents is None or contents.startswith("0") or disk.files == ["state"]


def free(lock: Lock) -> bool:
    return lock.holder is None or lock.holder != "nobody" or lock.token + lock.freed_by_others >= 1


def balanced(db: Database) -> bool:
    return db["ann"] is None or db["ann"] + db["bob"] == 100


def shipped(db: Database) -> bool:
    order: dict[str, int] = db["order"] or {}
    row: Value = db["order"]
    return order.get("boxes", 0) >= 0 and (row is None or row["boxes"] <= 3) and "x" not in db and len(db.rows) < 9


def listed(names: Collection) -> bool:
    return "ann" not in names or names["ann"] == "monthly" or names.items["ann"] == "yearly"


def early(clock: Clock) -> bool:
    return clock.seconds < 1e9


# Scenarios


@dataclass
class Order:
    number: int
    items: list[str]


def shop() -> Scenario:
    return Scenario(
        inbox=Queue(["order-1"], visibility_timeout=30), bank=Service(), db=Database(), disk=Disk({"state": "0"}),
        lock=Lock(), names=Collection({"ann": "monthly"}), clock=Clock(), chance=Random(),
        order=Order(1, ["x"]), limit=3, rate=0.5, what=None, names_of=["ann"], nested={"a": [1, (2, "b")]},
        workers=1, restarts={"charge": True},
        always=[charged_once, nothing_lost, first_is_known, saved, free, balanced, shipped, listed, early],
    )  # fmt: skip


SHOP = shop().asking(always=[charged_once], eventually=[paid], sometimes=(paid,)).but(limit=4, bank=Service())
TWO = Scenario(bank=Service(), workers={"ping": 2}, restarts=False)
BUDGET: Faults = {"crashes": 1, "outages": 1}
AIMED: Faults = {"crashes": {"charge": 1}, "outages": {"bank": 1, "db": 2}, "power_losses": 1}
WORKERS: list[Worker] = [ping, charge, charge_once, hold]
CLAIMS: list[Callable[..., bool]] = [charged_once]


# Questions


def explored() -> Report:
    SHOP.asking(always=[charged_once]).explore(ping, workers=2, crashes=0).assert_holds()
    SHOP.explore([charge, ping], workers={"charge": 2}, max_states=10_000, max_seconds=None, max_megabytes=500.0)
    SHOP.explore(charge, **BUDGET)
    SHOP.explore(charge, **AIMED)
    return SHOP.explore(
        charge, workers=1, crashes=1, node_losses=0, power_losses=0, redeliveries=1, pauses=0, lost_replies=0,
        outages=0, rejections=0, disk_full=0,
    )  # fmt: skip


def simulated() -> Run:
    run = SHOP.simulate(
        charge, seed=3, workers={"charge": 1}, hours=0.1, arrivals=exponential(60), latency={"bank": 0.1, "*": 0.01},
        crashes_per_day=10, restart=5, pauses_per_day=1, pause=exponential(60), power_losses_per_day=0,
        capacity={"bank": 4}, timeout={"bank": 2}, down={"db": (1, 2)}, stalled={"bank": (3, 4)},
        redelivery_chance=0.01, outage_chance=0.01, lost_reply_chance=0.01, rejection_chance=0, disk_full_chance=0,
        trace=True, until_violation=False,
    )  # fmt: skip
    SHOP.simulate(charge, crashes_per_day={"charge": 10}, outage_chance={"bank": 0.01})
    assert run.completed >= 0 and run["bank"].count("charge") >= 0 and run.latency(0.99) != -1.0
    return run


def played() -> Trace:
    report = explored()
    trace = SHOP.run(charge, crash_after=2)
    events: tuple[Event, ...] = trace.events
    assert events and SHOP.attack(charge, "A 2", "crash A", workers=1)["bank"].count("charge") <= 9
    assert SHOP.replay(charge_once, report) and SHOP.replay(charge, trace) and SHOP.replay(charge, report.token)
    return trace


def lived() -> Trace:
    return SHOP.live(charge, explored(), workers=1) if SHOP.live(charge, crashes=1, seed=2) else SHOP.live(charge)


def compared() -> Comparison:
    return compare(SHOP, happy_path=charge, failure_mode=[charge_once], workers=2, crashes=1, max_seconds=None)


def audited() -> Audit:
    return audit(SHOP, charged_once, careful=charge_once, broken=[charge], when="always", workers=1, crashes=1)


def swept() -> Sweep:
    return sweep(
        SHOP, charge, charge_once, seeds=range(2), parameters={"latency": [0.01]}, executor=1, hours=0.1, workers=2,
        arrivals=60, crashes_per_day=10,
    )  # fmt: skip


def graded() -> Grade:
    return grade(SHOP, charge_once, budgets=[{"crashes": 2}, {"redeliveries": 1}], max_seconds=None, outages=1)


def drawn() -> list[Picture | FaultMatrix | Board | InterleavingMap | Player | Slider]:
    return [
        lanes(explored(), played(), watch=["bank"]),
        crash_strip(SHOP, charge, charge_once),
        failure_matrix(SHOP, charge),
        board(SHOP, charge, workers={"charge": 1}, crashes=1, max_states=10_000),
        interleaving_map(SHOP, charge),
        player(SHOP, charge, failure=explored()),
        crash_slider(SHOP, charge),
        workers_slider(SHOP, charge, most=2, crashes=1, max_states=10_000),
        crash_rate_slider(SHOP, charge, rates=(0, 1), hours=0.1, latency=0.1, seed=1),
    ]


def charted() -> tuple[Survival, PriceTag, Load]:
    return (
        survival_curve(SHOP, charge, days=0.1, runs=2, workers=2, arrivals=60, crashes_per_day=10.0),
        price_tag(SHOP, charge, runs=1, hours=1, latency=exponential(1), arrivals=60),
        load_curve(SHOP, "bank", charge, hours=0.1, arrivals=60, capacity={"bank": 4}, timeout={"bank": 1.5}),
    )
