"""Runs workers for real: operating-system processes, killed with SIGKILL, on real storage, compared with the model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from simlib.errors import NotHere
from simlib.live.chaos import chaos
from simlib.live.machine import LiveMachine
from simlib.live.processes import Processes
from simlib.live.race import ModelIsWrong
from simlib.live.stores.servers import check
from simlib.model.fault import DISK_FULL
from simlib.model.system import System
from simlib.schedule.budget import Budget
from simlib.schedule.replay import Playback
from simlib.schedule.token import Point
from simlib.schedule.trace import Trace
from simlib.text import listed, plural

__all__ = ["Chaos", "ModelIsWrong", "Processes", "live"]

NO_PROCESSES = {
    "emscripten": "A browser has no processes that `live` could start and kill; `make lab` on Linux, macOS or WSL has.",
    "win32": "`live` kills real processes, as only Linux and macOS can; on Windows, WSL does.",
}
INSTEAD = "Everything else works here, and `replay` shows the same schedule on the model."
MOST_STEPS = 100  # after its schedule, in a run that does not end; each takes a few milliseconds


@dataclass(frozen=True)
class Chaos:
    """Random faults, as many as the budget allows; the same seed gives the same schedule."""

    budget: Budget
    seed: int = 0


def live(system: System, plan: list[Point] | Chaos, on: Mapping[str, str] | None = None) -> Trace:
    """Run the system once: along a schedule, or with random faults. `on` maps resources to the URLs of their servers.

    Raises NotHere without processes, ModelIsWrong if the real parts differ from the model, Mistake for the rest.
    """
    if isinstance(plan, Chaos):
        plan.budget.check_names(system)
    if sys.platform in NO_PROCESSES:
        raise NotHere(f"{NO_PROCESSES[sys.platform]} {INSTEAD}")
    placed = {} if on is None else check(on, system.resources)
    with Processes(system, _may_fill_disk(plan), placed) as processes:
        return run(system, processes, plan)


def run(system: System, processes: Processes, plan: list[Point] | Chaos) -> Trace:
    """One run under a fork server that is up already. An interrupt ends it and keeps the events so far."""
    with LiveMachine(system, processes) as machine:
        playback = Playback(machine, MOST_STEPS, machine.step_names())
        beginning = playback.scheduled(plan) if isinstance(plan, list) else chaos(machine, plan.budget, plan.seed)
        try:
            trace, stopped = playback.play(beginning), ""
        except KeyboardInterrupt:
            trace, stopped = playback.so_far(), "Interrupted by you. "
    parts = {name: processes.how[name] or kind for name, kind in processes.kinds.items()}
    return trace.but(note=stopped + _note(machine, processes), parts=parts)


def _may_fill_disk(plan: list[Point] | Chaos) -> bool:
    """Whether a disk may become full. Only then is it on tmpfs, which can be filled but has no real fsync."""
    if isinstance(plan, Chaos):
        return DISK_FULL in plan.budget.kinds
    return any(point.kind == "step" and point.way for point in plan)  # a step with another outcome than usual


def _note(machine: LiveMachine, processes: Processes) -> str:
    """What was real, for the small print."""
    parts: dict[str, list[str]] = {}
    for name, kind in processes.kinds.items():
        parts.setdefault(kind, []).append(name)
    said = [_description(names, kind) for kind, names in parts.items()]
    counts = {"SIGKILL": machine.killed, "SIGSTOP": machine.stopped, "SIGTERM": machine.told}
    done = [plural(count, signal) for signal, count in counts.items() if count]
    ran = ", ".join([plural(len(machine.slots), "operating-system process"), *done])
    return f"For real: {ran}; {'; '.join(said)}."


def _description(names: list[str], kind: str) -> str:
    """`bank is an HTTP server`, `bank and mail are HTTP servers`."""
    article, _, noun = kind.partition(" ")
    if len(names) == 1:
        return f"{names[0]} is {kind}"
    return f"{listed(names)} are {f'{noun}s' if article in ('a', 'an') else kind}"
