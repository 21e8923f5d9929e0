"""The result of a simulated run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from statistics import fmean, quantiles

from simlib.model.fault import FAULT_NAMES
from simlib.model.state import State
from simlib.model.system import outcome_of
from simlib.model.view import View
from simlib.schedule.trace import Trace
from simlib.simulate.conditions import Conditions
from simlib.text import listed, plural, span, wrapped

HOUR = 3_600.0


@dataclass
class Run:
    """One simulated run. Times are in seconds.

    `counts` has how often each thing happened: "completed", "crashes", "pauses" and the other faults, "steps", and by
    name the errors that ended a process. `first_violation` is when a property was first violated, None if none was;
    `broken` and `because` say which and why. `latencies` has one entry per completed task: from its arrival (or its
    worker's first start) to its end, over all retries. `run["bank"]` is the resource as properties see it.

    With a `capacity`, `requests["bank"][17]` is how many requests reached the bank in second 17, and
    `answered["bank"][17]` how many it answered successfully to a client that was still waiting.

    Nothing else is kept of finished tasks and servers. A queue also keeps acknowledged messages, which `acked` shows.
    """

    title: str
    seed: int
    seconds: float = 0.0
    settled: bool = False  # it ended by itself because nothing more could happen
    interrupted: str = ""  # what stopped it early: "by you", "at 1,500 MB"
    counts: Counter[str] = field(default_factory=Counter)
    first_violation: float | None = None
    broken: str | None = None
    because: str = ""
    about: tuple[str, ...] = ()
    latencies: list[float] = field(default_factory=list)
    conditions: Conditions = field(default_factory=Conditions, repr=False)
    requests: dict[str, Counter[int]] = field(default_factory=dict, repr=False)
    answered: dict[str, Counter[int]] = field(default_factory=dict, repr=False)
    states: Mapping[str, State] = field(default_factory=dict, repr=False)
    trace: Trace | None = field(default=None, repr=False)

    def __getitem__(self, resource: str) -> View:
        """The resource at the end, as properties see it. Raises KeyError if there is none of that name."""
        return self.states[resource].seen()

    @property
    def outcome(self) -> Hashable:
        """The final state as an outsider sees it: one of `report.outcomes` of `explore`."""
        return outcome_of(self.states)

    @property
    def completed(self) -> int:
        """How many tasks were completed."""
        return self.counts["completed"]

    @property
    def throughput(self) -> float:
        """Completed tasks per simulated hour."""
        return self.completed / self.seconds * HOUR if self.seconds else 0.0

    def latency(self, share: float = 0.5) -> float | None:
        """The latency in seconds at this quantile (0 to 1) of the completed tasks; None if there are none."""
        if len(self.latencies) < 2:
            return self.latencies[0] if self.latencies else None
        if not 0 < share < 1:
            return max(self.latencies) if share >= 1 else min(self.latencies)
        return quantiles(self.latencies, n=1000, method="inclusive")[min(998, max(0, round(share * 1000) - 1))]

    @property
    def mean_latency(self) -> float | None:
        """The mean latency of the completed tasks in seconds; None if there are none."""
        return fmean(self.latencies) if self.latencies else None

    def __str__(self) -> str:
        cut = f", stopped {self.interrupted}" if self.interrupted else ""
        faults = [
            plural(count, FAULT_NAMES.get(name, name))
            for name, count in sorted(self.counts.items())
            if name not in ("steps", "completed")
        ]
        done = [plural(self.completed, "task") + " completed", plural(self.counts["steps"], "step")]
        what = f"{self.title}, {span(self.seconds)} simulated{cut} (seed {self.seed}): "
        went = f"{', '.join([*done, listed(faults or ['no faults'])])}{self._times()}"
        lower = ". To finish, lower hours, or leave out trace=True" if self.interrupted.endswith("MB") else ""
        return f"{wrapped(what + went + lower)}\n{wrapped('  ' + self._verdict())}"

    def _times(self) -> str:
        median, slow = self.latency(0.5), self.latency(0.99)
        if median is None or slow is None:
            return ""
        return f"; latency median {median:.3g} s, 99 % within {slow:.3g} s"

    def _verdict(self) -> str:
        if self.first_violation is None:
            return "no property broke"
        return f"{self.broken} first broke after {span(self.first_violation)}: {self.because}"

    __repr__ = __str__
