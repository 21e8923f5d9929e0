"""The result of a sweep: a table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from statistics import fmean

from simlib.sweep.chunk import Record, RunId
from simlib.sweep.plan import Plan
from simlib.text import bare, listed, plural, wrapped

MOST_ROWS, MOST_FAILURES = 20, 3


class Sweep(list[Record]):
    """A list with one record per run: `pandas.DataFrame(found)`, `polars.DataFrame(found)`.

    A record is a dict of plain values, with the same names in the same order in every record: `worker`, `seed`, each
    parameter (as text unless its values are all numbers), and the measurements, named with their units: `violated`,
    `broken` (which property, "" if none), `unharmed_seconds` (until the first violation, or else the end),
    `simulated_seconds`, `settled` (it ended by itself), `completed_task_count`, `refused_task_count`,
    `failed_attempt_count` (errors that ended a worker's process), `step_count`, `tasks_per_hour`,
    `latency_mean_seconds`, `latency_median_seconds`, `latency_99_percent_seconds` (nan if no task was completed), and
    how often each fault struck: `crash_count`, `pause_count`, `power_loss_count`, `redelivery_count`,
    `lost_reply_count`, `outage_count`, `rejection_count`, `full_disk_count`. Times are simulated. Records are ordered
    by seed, parameter set and worker.

    `failures` has the runs without a record: `worker`, `seed`, each parameter, `why`, and `call`, which makes that run
    alone. `interrupted` says what stopped the sweep early ("by you"), "" if nothing did; `asked` is how many runs were
    requested.
    """

    def __init__(self, plan: Plan, measured: dict[RunId, Record], failed: dict[RunId, str], interrupted: str) -> None:
        super().__init__(measured[run] for run in plan.in_order(measured))
        self.failures: list[Record] = [
            {**plan.head(run), "why": failed[run], "call": plan.call(run)} for run in plan.in_order(failed)
        ]
        self.interrupted = interrupted
        self.asked = len(plan)
        self._parameters = [*plan.shown[0]]

    def __repr__(self) -> str:
        return "\n".join([wrapped(self._title()), *self._table(), *self._failures()])

    def _title(self) -> str:
        workers = listed([*dict.fromkeys(record["worker"] for record in self)])
        done = f"{len(self):,} of {plural(self.asked, 'run')}" if len(self) < self.asked else plural(len(self), "run")
        if self.interrupted:
            done += f", stopped {self.interrupted}"
        return f"{workers}: {done}." if self else f"{done}."

    def _table(self) -> Iterable[str]:
        """A row per worker and parameter set."""
        groups: dict[tuple[str, ...], list[Record]] = {}
        for record in self:
            key = (*(_cell(record[name]) for name in self._parameters), record["worker"])
            groups.setdefault(key, []).append(record)
        rows = [(*self._parameters, "worker", "runs", "violated", "tasks an hour", "median latency")] if groups else []
        rows += [(*key, *_summary(records)) for key, records in [*groups.items()][:MOST_ROWS]]
        if len(groups) > MOST_ROWS:
            rows.append((f"and {len(groups) - MOST_ROWS:,} more",))
        widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
        for row in rows:
            yield "  " + "  ".join(map(str.ljust, row, widths)).rstrip()

    def _failures(self) -> Iterable[str]:
        if self.failures:
            yield f"{plural(len(self.failures), 'run')} failed:"
        for failure in self.failures[:MOST_FAILURES]:
            yield wrapped(f"  {failure['call']}: {failure['why']}")
        if len(self.failures) > MOST_FAILURES:
            yield f"  and {len(self.failures) - MOST_FAILURES:,} more, in .failures"


def _summary(records: list[Record]) -> tuple[str, ...]:
    violated = sum(record["violated"] for record in records)
    latencies = [record["latency_median_seconds"] for record in records if record["latency_median_seconds"] >= 0]
    hourly = fmean(record["tasks_per_hour"] for record in records)
    tasks = f"{hourly:,.0f}" if hourly >= 1_000 else f"{hourly:.3g}"
    return f"{len(records):,}", f"{violated:,}", tasks, f"{fmean(latencies):.3g} s" if latencies else ""


def _cell(value: object) -> str:
    return f"{value:g}" if type(value) is float else bare(value)
