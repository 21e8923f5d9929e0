"""What every resource is: a description that builds steps, and a state that they change."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Hashable, Iterator
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

from simlib.errors import Mistake, OperationError, OutcomeUnknown, Unavailable
from simlib.ops import OK, Op, Outcome
from simlib.values import freeze, fresh, listed


class Timer(NamedTuple):
    """Something that happens by itself unless it is prevented in time: a lease or a visibility timeout runs out."""

    id: Hashable  # new at each arming, so that a stale timer is recognised
    owner: str | None  # the worker it is about; None when that process is gone
    seconds: float
    label: str  # "lease", "visibility timeout of inbox-1"


class State:
    """What a resource holds: the part of it that properties see, and the mechanism.

    A step `verb` is carried out by `on_verb(who, ...)`, which changes the state and returns the answer, raises an
    OperationError as the answer, or raises Blocked when the worker has to wait. States hold plain data only and
    know no engine, no clock and no worker's code.
    """

    sees: ClassVar[tuple[str, ...]] = ()  # what a property may ask for, besides `state[key]` and `key in state`
    remote: ClassVar[bool] = True  # reached over a network: requests and replies can be lost

    def copy(self) -> Self:
        other = copy.copy(self)
        for name, value in vars(other).items():
            if type(value) in (dict, list, set):
                setattr(other, name, value.copy())
        return other

    def key(self) -> Hashable:
        """Equal for states that behave alike."""
        return tuple(map(freeze, vars(self).values()))

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        """Every way in which `op` can go here: the normal ones first, then those that a fault must pay for."""
        for choice in range(self.choices(op)):
            yield Outcome(None, choice) if choice else OK
        if self.remote:
            yield Outcome("outages")
            yield Outcome("lost_replies")

    def choices(self, op: Op) -> int:
        """In how many ways `op` can go with nothing wrong: more than one for a random draw."""
        return 1

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out `op` for worker `who`. Raises OperationError (an answer) or Blocked (not yet)."""
        if outcome.fault == "outages":
            raise Unavailable(op.name)
        if outcome.fault == "lost_replies":
            try:
                self._handler(op)(who, *op.args, **op.kwargs)
            except OperationError:
                pass  # it did not happen, and its caller is not told that either: the reply is what was lost
            raise OutcomeUnknown(op.name)
        return self._handler(op)(who, *op.args, **op.kwargs)

    def _handler(self, op: Op) -> Callable[..., Any]:
        return getattr(self, f"on_{op.verb}")  # type: ignore[no-any-return]

    def timers(self) -> tuple[Timer, ...]:
        """The timers that are running."""
        return ()

    def expire(self, timer: Hashable) -> None:
        """This timer has run out."""

    def owner_gone(self, who: str) -> None:
        """The process that `who` names has ended: what it held, nobody will renew, release or acknowledge."""

    def power_losses(self) -> int:
        """In how many ways what this state holds can survive the loss of power. Remote ones are elsewhere."""
        return 1

    def lose_power(self, choice: int) -> None:
        """The machine has lost power."""

    def advance(self, seconds: float) -> None:
        """Time has passed (only a clock minds)."""

    def seen(self) -> View:
        """As a property sees it."""
        return View(self)

    def summary(self) -> str:
        """A few words for a lane: `1 charge`."""
        raise NotImplementedError

    def outcome(self) -> Hashable:
        """What an outsider would find in the end, without the bookkeeping of how it came about."""
        return self.summary()


class View:
    """A state as a property sees it: what it shows, and nothing that changes it."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __getattr__(self, name: str) -> Any:
        state = self._state
        if name not in state.sees:
            shown = [*state.sees, *(["[key]"] if hasattr(state, "__getitem__") else [])]
            raise AttributeError(f"`{name}` is nothing that a property can see here. It sees {listed(shown)}")
        value = getattr(state, name)
        return MappingProxyType(value) if type(value) is dict else value if callable(value) else fresh(value)

    def __getitem__(self, key: Any) -> Any:
        return fresh(self._state[key])  # type: ignore[index]

    def __contains__(self, key: Any) -> bool:
        return key in self._state  # type: ignore[operator]


class Resource:
    """A resource as a scenario describes it. Its methods build steps; they do nothing until they are yielded."""

    _name = ""
    _built: list[Op] | None = None

    def initial(self, name: str) -> State:
        """The state before anything has happened."""
        raise NotImplementedError

    def handle(self, name: str, built: list[Op]) -> Self:
        """The resource as one process sees it; each step that it builds is noted in `built`."""
        handle = copy.copy(self)
        handle._name = name
        handle._built = built
        return handle

    def _op(self, verb: str, *args: Any, **kwargs: Any) -> Op:
        if self._built is None:
            kind = type(self).__name__
            raise Mistake(
                f"line {sys._getframe(2).f_lineno}: `{verb}` of a {kind} that belongs to no worker. A worker reaches "
                "a resource through a parameter with the name that the scenario gives it: "
                f"Scenario({kind.lower()}={kind}(...)) and def worker({kind.lower()}): ..."
            )
        given = {key: fresh(value) for key, value in kwargs.items() if value is not None}
        op = Op(self._name, verb, tuple(map(fresh, args)), given, sys._getframe(2).f_lineno)
        self._built.append(op)
        return op
