"""What comes of a sweep: a table."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from statistics import fmean

from simlib.sweep.plan import Plan
from simlib.sweep.record import Record
from simlib.text import bare, listed, plural, wrapped

MOST_ROWS, MOST_FAILURES = 20, 3


class Sweep(list[Record]):
    """A list with one record a run: `pandas.DataFrame(found)`, `polars.DataFrame(found)`.

    A record is a dict of plain values, all with the same names in the same order: `worker`, `seed`, each parameter (as
    text where its values are not all numbers), and what was measured, with its unit in its name: `violated`, `broken`
    (which property, "" if none), `unharmed_seconds` (until one first broke, else until the end), `simulated_seconds`,
    `settled` (it ended by itself), `completed_task_count`, `refused_task_count`, `failed_attempt_count` (errors that
    ended a worker's run), `step_count`, `tasks_per_hour`, `latency_mean_seconds`, `latency_median_seconds`,
    `latency_99_percent_seconds` (nan where no task was completed), and how often each fault struck: `crash_count`,
    `pause_count`, `power_loss_count`, `redelivery_count`, `lost_reply_count`, `outage_count`, `rejection_count`,
    `full_disk_count`. Times are simulated. Records are in the order of seeds, parameter sets and workers.

    `failures` has the runs that could not be measured: `worker`, `seed`, each parameter, `why`, and `call`, which makes
    that run alone. `interrupted` says what stopped it early ("by you"), "" if nothing did; `asked` is how many runs
    were asked for.
    """

    def __init__(self, plan: Plan, measured: dict[int, Record], failed: dict[int, str], interrupted: str) -> None:
        super().__init__(measured[place] for place in sorted(measured))
        self.failures: list[Record] = [
            {**plan.head(place), "why": why, "call": plan.call(place)} for place, why in sorted(failed.items())
        ]
        self.interrupted = interrupted
        self.asked = len(plan)
        self._parameters = [*plan.shown[0]]

    def __repr__(self) -> str:
        return "\n".join([wrapped(self._title()), *_aligned(self._rows()), *self._failures()])

    def _title(self) -> str:
        workers = listed([*dict.fromkeys(str(record["worker"]) for record in self)])
        done = f"{len(self):,} of {plural(self.asked, 'run')}" if len(self) < self.asked else plural(len(self), "run")
        if self.interrupted:
            done += f", stopped {self.interrupted}"
        return f"{workers}: {done}." if self else f"{done}."

    def _rows(self) -> Iterable[list[str]]:
        """What each worker did under each parameter set."""
        groups: dict[tuple[str, ...], list[Record]] = {}
        for record in self:
            key = (*(_cell(record[name]) for name in self._parameters), str(record["worker"]))
            groups.setdefault(key, []).append(record)
        if groups:
            yield [*self._parameters, "worker", "runs", "violated", "tasks an hour", "median latency"]
        for key, records in [*groups.items()][:MOST_ROWS]:
            violated = sum(bool(record["violated"]) for record in records)
            latency = [one for record in records if (one := _number(record["latency_median_seconds"])) == one]
            hourly = fmean(_number(record["tasks_per_hour"]) for record in records)
            tasks = f"{hourly:,.0f}" if hourly >= 1_000 else f"{hourly:.3g}"
            seconds = f"{fmean(latency):.3g} s" if latency else ""
            yield [*key, f"{len(records):,}", f"{violated:,}", tasks, seconds]
        if len(groups) > MOST_ROWS:
            yield [f"and {len(groups) - MOST_ROWS:,} more"]

    def _failures(self) -> Iterable[str]:
        if self.failures:
            yield f"{plural(len(self.failures), 'run')} failed:"
        for failure in self.failures[:MOST_FAILURES]:
            yield wrapped(f"  {failure['call']}: {failure['why']}")
        if len(self.failures) > MOST_FAILURES:
            yield f"  and {len(self.failures) - MOST_FAILURES:,} more, in .failures"


def _number(value: object) -> float:
    assert isinstance(value, (int, float))
    return float(value)


def _cell(value: object) -> str:
    return f"{value:g}" if type(value) is float else bare(value)


def _aligned(rows: Iterable[list[str]]) -> list[str]:
    table = [*rows]
    widths = [max(map(len, column)) for column in itertools.zip_longest(*table, fillvalue="")]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
