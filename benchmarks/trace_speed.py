"""How long the text of a trace takes, against the run that made it, for runs of more and more events.

`python benchmarks/trace_speed.py`. Where it takes as many times longer as there are more events, it is linear.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from simlib import Database, Queue, Scenario, Service

STEPS = 4  # that the worker takes for a message
EVENTS = (2_000, 10_000, 50_000)
TIMES = 5


def charge(inbox, bank, db):
    message = yield inbox.receive()
    yield bank.call("charge", 20, idempotency_key=message.id)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


def run_of(events):
    orders = [f"order-{number}" for number in range(events // STEPS)]
    shop = Scenario(inbox=Queue(orders), bank=Service(), db=Database(), workers=2)
    return shop.simulate(charge, hours=24, latency=0.001, trace=True)


def seconds(of):
    begun = time.perf_counter()
    of()
    return time.perf_counter() - begun


def main():
    before = None
    print("events   its text, of the time that the run took   times as long as the row above; as many events")
    for events in EVENTS:
        trace = run_of(events).trace
        pairs = [(seconds(lambda: run_of(events)), seconds(lambda: str(trace))) for _ in range(TIMES)]  # noqa: B023
        ratios = sorted(text / whole for whole, text in pairs)
        best = min(text for _, text in pairs)
        growth = f"{best / before[1]:.1f}; {events / before[0]:.0f}" if before else ""
        print(f"{events:>6,}   {ratios[len(ratios) // 2]:.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]   {growth}")
        before = events, best


if __name__ == "__main__":
    main()
