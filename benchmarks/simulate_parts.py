"""Where `simulate` spends its time, beside all that SimPy takes. `python benchmarks/simulate_parts.py`.

A message is sent, received and acknowledged. Timed alone are the workers' generators with the steps that they build,
the processes that tell them their answers, and the queue; the rest of the simulation is the clock and the bookkeeping.
All take turns in each round; what is printed is the median share of SimPy's time.
"""

import statistics
import time

import simulate_models as models

from simlib import Queue
from simlib.model.process import Process
from simlib.resources import Message
from simlib.watchdog import Watchdog

SIZE, ROUNDS = 10_000, 9
MESSAGE = Message("inbox-1", 1, 1, 1)


def build_steps():
    built = []
    inbox = Queue(visibility_timeout=None).handle("inbox", built)
    producer = models.produce(inbox, SIZE + 1)
    for _ in range(SIZE):
        consumer = models.consume(inbox)
        for worker, answer in ((producer, None), (consumer, None), (consumer, MESSAGE)):
            worker.send(answer)
            built.clear()
        consumer.close()


def tell_processes():
    watchdog, inbox = Watchdog(), {"inbox": Queue(visibility_timeout=None)}
    producer = Process(models.produce, inbox, {"size": SIZE + 1}, watchdog)
    consumer = Process(models.consume, inbox, {}, watchdog)
    for _ in range(SIZE):
        producer.advance("inbox-1")
        consumer.advance(MESSAGE)
        consumer.advance(None)
        consumer.begin()


def change_the_queue():
    inbox = Queue(visibility_timeout=None).initial("inbox")
    for number in range(SIZE):
        inbox.on_send("A", number)
        inbox.on_ack("B", inbox.on_receive("B"))


PARTS = {
    "SimPy, all of it": lambda: models.messages_simpy(SIZE),
    "building steps": build_steps,
    "building steps, and processes": tell_processes,
    "the queue": change_the_queue,
    "simulate, all of it": lambda: models.messages_ours(SIZE),
}


def main() -> None:
    took: dict[str, list[float]] = {part: [] for part in PARTS}
    for _ in range(ROUNDS):
        for part, run in PARTS.items():
            begun = time.process_time()
            run()
            took[part].append(time.process_time() - begun)
    whole = took["SimPy, all of it"]
    for part, times in took.items():
        shares = [time / all_of_it for time, all_of_it in zip(times, whole)]
        print(f"{part:32} {statistics.median(shares):.2f} [{min(shares):.2f}, {max(shares):.2f}]")


if __name__ == "__main__":
    main()
