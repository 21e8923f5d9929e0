"""What a run measures, as one row of a table: plain values, each named with its unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simlib.files import Odd
from simlib.model.fault import FAULT_NAMES
from simlib.simulate import Run
from simlib.text import show

Scalar = str | int | float | bool | None
Record = dict[str, Scalar]
Types = Mapping[str, type]

STRIKES = ("crashes", "pauses", "power_losses", "redeliveries", "lost_replies", "outages", "rejections", "disk_full")
NO_FAILURE = {*STRIKES, "steps", "completed", "refused task", ""}
NAN = float("nan")
MOST_COUNTED = 2**63 - 1  # which a table's columns can hold
IN_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def figures(run: Run) -> Record:
    """The same names for every run, and never None: a table's columns keep one type each."""
    return {
        "violated": run.first_violation is not None,
        "broken": run.broken or "",
        "unharmed_seconds": float(run.seconds if run.first_violation is None else run.first_violation),
        "simulated_seconds": float(run.seconds),
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


FIGURES: Types = {name: type(value) for name, value in figures(Run("", 0)).items()}  # each field's type


def record_of(found: Any, types: Types) -> Record:
    """A record that was read, with its fields in order. Raises Odd, with the field, where it is none of this type."""
    if not isinstance(found, dict):
        raise Odd(f"it is {show(found)}, and no record")
    for name in found:
        if name not in types:
            raise Odd(f"`{name}` is no field of a record")
    for name in types:
        if name not in found:
            raise Odd(f"`{name}` is missing")
    return {name: _field(name, found[name], kind) for name, kind in types.items()}


def _field(name: str, value: Any, kind: Any) -> Scalar:
    if value is None and kind is float:
        return NAN  # which JSON does not have
    if type(value) is not kind:
        raise Odd(f"`{name}` is {show(value)}, and not {IN_WORDS[kind]}")
    if name in FIGURES and kind is float and math.isinf(value):
        raise Odd(f"`{name}` is {show(value)}, and no run measures that")
    if name in FIGURES and kind is int and not 0 <= value <= MOST_COUNTED:
        raise Odd(f"`{name}` is {show(value)}, and a count is none of these")
    return value  # type: ignore[no-any-return]
