"""A clock, which workers ask for the time instead of reading the machine's own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from simlib.arguments import as_number
from simlib.errors import Mistake
from simlib.model.operation import Op
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.model.timing import Slept
from simlib.text import show


@dataclass
class ClockState(State):
    """The time, and who has been asleep since when; a property sees what Clock says."""

    sees = ("seconds",)
    remote = False
    seconds: float = 0
    running: bool = True
    asleep: dict[str, float] = field(default_factory=dict)  # who sleeps, and since when

    def on_now(self, who: str) -> float:
        return float(self.seconds)

    def on_sleep(self, who: str, seconds: float) -> None:
        since = self.asleep.pop(who, self.seconds)
        self.advance(max(0, since + seconds - self.seconds))

    def lasts(self, op: Op) -> bool:
        return op.verb == "sleep"

    def slept(self, sleep: Slept) -> None:
        """This worker has slept, or waited, that long."""
        self.on_sleep(sleep.who, sleep.seconds)

    def fell_asleep(self, who: str) -> None:
        if self.running:
            self.asleep[who] = self.seconds

    def owner_gone(self, who: str | None) -> None:
        self.asleep = {one: since for one, since in self.asleep.items() if who not in (None, one)}

    def renamed(self, names: Mapping[str, str]) -> ClockState:
        state = self.copy()
        state.asleep = {names.get(who, who): since for who, since in self.asleep.items()}
        return state

    @property
    def time(self) -> float:
        return float(self.seconds)

    def key(self) -> Hashable:
        return (self.seconds, self.running, tuple(sorted(self.asleep.items())))

    def advance(self, seconds: float) -> None:
        if self.running:
            self.seconds += seconds

    def summary(self) -> str:
        return f"{self.seconds:g} s"

    def outcome(self) -> Hashable:
        return ""


class Clock(Resource):
    """The machine's clock. Workers ask it, so that they need nothing from the outside world.

    In `simulate` it is SimPy's clock. In `explore` time shows order, not duration: a sleep is a step that others may
    overtake, and `now` answers the least that must have passed. Workers that sleep at once sleep in parallel, and one
    that sleeps longer than its lease or a visibility timeout has lost it: steps take no time in comparison. A step that
    does is a pause. Left out: clocks that disagree or step backwards.
    """

    def initial(self, name: str) -> ClockState:
        return ClockState()

    @property
    def seconds(self) -> float:
        """For a property: the seconds since the start."""
        raise NotImplementedError

    def now(self) -> Op:
        """Answers the seconds since the start."""
        return Op(self._name, "now")

    def sleep(self, seconds: float) -> Op:
        """Wait for so many seconds. Raises Mistake if that is not a number, 0 or more."""
        found = as_number(seconds)
        if found is None or found < 0:
            raise Mistake(f"sleep({show(seconds)}): give a number of seconds, 0 or more.")
        return Op(self._name, "sleep", (found,))
