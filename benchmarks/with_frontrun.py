"""Run by `explore_speed.py` as `frontrun python with_frontrun.py WORKERS`: a lost update of so many threads.

Prints how many seconds it took until one was found, and how many schedules were run. The same with a compare-and-set
is "inconclusive": its loop can go round for ever, and frontrun stops after 5 s.
"""

import sys
import time

import frontrun


class Counter:
    def __init__(self):
        self.x = 0

    def add(self):
        value = self.x
        self.x = value + 1


def found(workers):
    return frontrun.explore(
        setup=Counter,
        workers=Counter.add,
        count=workers,
        invariant=lambda counter: counter.x == workers,
        reproduce_on_failure=0,
    )


if __name__ == "__main__":
    workers = int(sys.argv[1])
    found(workers)  # what it takes to get going does not count
    begun = time.perf_counter()
    result = found(workers)
    assert result.property_holds is False
    print(time.perf_counter() - begun, result.num_explored)
