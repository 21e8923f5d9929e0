"""What a run measures, as one row of a table: plain values, each named with its unit."""

from __future__ import annotations

from simlib.engines.simulate import Run
from simlib.trace import FAULT_NAMES

Scalar = str | int | float | bool | None
Record = dict[str, Scalar]

STRIKES = ("crashes", "pauses", "power_losses", "redeliveries", "lost_replies", "outages", "rejections", "disk_full")
NO_FAILURE = {*STRIKES, "steps", "completed", "refused task", ""}
NAN = float("nan")


def figures(run: Run) -> Record:
    """The same names for every run, and never None: a table's columns keep one type each."""
    return {
        "violated": run.first_violation is not None,
        "broken": run.broken or "",
        "unharmed_seconds": run.seconds if run.first_violation is None else run.first_violation,
        "simulated_seconds": run.seconds,
        "settled": run.settled,
        "completed_task_count": run.completed,
        "refused_task_count": run.counts["refused task"],
        "failed_attempt_count": sum(count for name, count in run.counts.items() if name not in NO_FAILURE),
        "step_count": run.counts["steps"],
        "tasks_per_hour": run.throughput,
        "latency_mean_seconds": _or_nan(run.mean_latency),
        "latency_median_seconds": _or_nan(run.latency(0.5)),
        "latency_99_percent_seconds": _or_nan(run.latency(0.99)),
        **{f"{FAULT_NAMES[kind].replace(' ', '_')}_count": run.counts[kind] for kind in STRIKES},
    }


def _or_nan(seconds: float | None) -> float:
    return NAN if seconds is None else float(seconds)


FIGURES = tuple(figures(Run("", 0)))
