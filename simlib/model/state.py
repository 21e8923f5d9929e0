"""The base class of what resources hold: a state that steps change, in the same way in every engine."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from simlib.errors import OperationError, OutcomeUnknown, Unavailable
from simlib.model.fault import LOST_REPLIES, OUTAGES
from simlib.model.operation import BEGUN, OK, Blocked, Op, Outcome
from simlib.model.timing import Slept, Timer
from simlib.model.values import freeze
from simlib.model.view import View

ANYBODY = "anybody"


class Count(NamedTuple):
    """A number that only grows, in a key. Between counts of one kind, mostly only the order matters."""

    of: str
    value: int


Renumber = Callable[[Count], int]  # gives other numbers in the same order


Held = TypeVar("Held")


def copy_of(thing: Held) -> Held:
    """A copy with its own dicts, lists and sets, though not of what is in them."""
    other = object.__new__(type(thing))
    vars(other).update(
        {name: value.copy() if type(value) in (dict, list, set) else value for name, value in vars(thing).items()}
    )
    return other


class Counted:
    """An answer that holds counts: a lease its token, a message its deliveries."""

    __slots__ = ()

    def parts(self, held: Callable[[Any], Hashable]) -> tuple[Hashable, ...]:
        """Everything it holds, each count as a Count; `held` gives the key of what a learner has put into it."""
        raise NotImplementedError

    def counted(self) -> Hashable:
        """Its key."""
        return (type(self), *self.parts(freeze))

    def recounted(self, number: Renumber) -> Self:
        """A copy with other numbers in place of its counts."""
        raise NotImplementedError


class State:
    """What a resource holds: what properties see, and the bookkeeping behind it.

    A step `verb` is carried out by `on_verb(who, ...)`, which changes the state and returns the answer, raises an
    OperationError as the answer, or raises Blocked if the worker has to wait; then the state may have changed to what
    others can see of one that waits. States hold plain data only, and know nothing of engines, clocks or workers' code.
    """

    sees: ClassVar[tuple[str, ...]] = ()  # what a property may ask for, besides `state[key]` and `key in state`
    remote: ClassVar[bool] = True  # reached over a network: requests and replies can be lost
    retries_end: ClassVar[bool] = False  # what is handed back to it comes again only so often
    arms: ClassVar[bool] = False  # a step may give it its first timer
    one_line: ClassVar[bool] = True  # whoever waits first is served first, and nobody else while that one waits

    def copy(self) -> Self:
        return copy_of(self)

    def key(self) -> Hashable:
        """Equal for states that behave alike."""
        return tuple(map(freeze, vars(self).values()))

    def counted(self) -> Hashable:
        """The key, with a Count in place of each number that grows with every use."""
        return self.key()

    def recounted(self, number: Renumber) -> Self:
        """A copy with other numbers in place of its counts."""
        return self

    @property
    def grown(self) -> int:
        """The largest of its counts."""
        return max((count.value for count in _counts_in(self.counted())), default=0)

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        """Every way in which `op` can go here: first those without a fault, then those that a fault must pay for."""
        for choice in range(self.choices(op)):
            yield Outcome(None, choice) if choice else OK
        if self.remote:
            yield Outcome(OUTAGES)
            yield Outcome(LOST_REPLIES)
        if self.can_begin(op):
            yield BEGUN

    def ways(self, op: Op, fault: str) -> Iterator[Outcome]:
        """The outcomes of `op` that this fault must pay for."""
        return (one for one in self.outcomes(op) if one.fault == fault)

    def choices(self, op: Op) -> int:
        """The number of ways in which `op` can go without a fault: more than one for a random draw."""
        return 1

    def can_begin(self, op: Op) -> bool:
        """Whether `op` can be under way here, for others to see, before it ends."""
        return False

    def begin(self, op: Op, who: str) -> str:
        """Begin this step: change the state to one in which it is under way. Returns what it is doing, in words.

        Raises Blocked if it has begun already, or need not wait.
        """
        before = self.key()
        try:
            self.handler(op.verb)(who, *op.args, **op.kwargs)
        except Blocked:
            if self.key() != before:
                return f"waits for {self.awaited(op, who)}"
        except OperationError:
            pass
        raise Blocked

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out `op` for worker `who`. Raises OperationError (an answer) or Blocked (not yet)."""
        if outcome == BEGUN:
            return self.begin(op, who)
        if outcome.fault == OUTAGES:
            raise Unavailable(op.name)
        if outcome.fault == LOST_REPLIES:
            try:
                self.handler(op.verb)(who, *op.args, **op.kwargs)
            except OperationError:
                pass  # the step failed, but the reply that says so is lost
            raise OutcomeUnknown(op.name)
        return self.handler(op.verb)(who, *op.args, **op.kwargs)

    def handler(self, verb: str) -> Callable[..., Any]:
        """The method that carries out this verb, called with the worker and the step's arguments."""
        return getattr(self, f"on_{verb}")  # type: ignore[no-any-return]

    def direct(self, verb: str) -> Callable[..., Any]:
        """The same for a loop that takes millions of steps: where the worker has to wait it may answer WAITS, instead
        of raising Blocked.
        """
        return self.handler(verb)

    def lasts(self, op: Op) -> bool:
        """Whether this step, taken now, is nothing but time that passes: a sleep, or a wait for which nothing comes."""
        return False

    def awaited(self, op: Op, who: str) -> str | None:
        """Whom worker `who`, blocked at this step, waits for: a worker that is alive, ANYBODY if anyone may bring work,
        or None if nobody will ever unblock it.
        """
        return None

    def depends_on_who(self, op: Op) -> bool:
        """Whether `op` can go otherwise here for another worker."""
        return type(self).renamed is not State.renamed

    @property
    def has_timers(self) -> bool:
        """Whether it has a timer, or may have one without a step that asks for it."""
        return type(self).timers is not State.timers

    def timers(self) -> tuple[Timer, ...]:
        """The timers that are running."""
        return ()

    def expire(self, timer: Hashable) -> None:
        """This timer has run out."""

    def owner_gone(self, who: str | None) -> None:
        """The process of worker `who` (None: every process) has ended: nobody will renew or release what it held."""

    def undone(self, who: str) -> str:
        """What would be undone here if the process of worker `who` ended now, in words."""
        return ""

    @property
    def frees(self) -> bool:
        """Whether the end of a process can free here what another one waits for."""
        return False

    def cancelled(self, who: str) -> None:
        """Worker `who` was told to stop: a step of it that is under way is given up."""

    def renamed(self, names: Mapping[str, str]) -> Self:
        """A copy in which these workers, known here as owners, have other names."""
        return self

    def power_losses(self) -> int:
        """In how many ways its data can come out of a power loss. A remote resource is not affected."""
        return 1

    def lose_power(self, choice: int) -> None:
        """The machine has lost power."""

    def advance(self, seconds: float) -> None:
        """Time has passed on clocks and timers."""

    def fell_asleep(self, who: str) -> None:
        """This worker now sleeps."""

    def woke(self, sleep: Slept) -> None:
        """A worker has slept."""

    @property
    def time(self) -> float:
        """What a clock shows, in seconds."""
        return 0

    def order_seen(self) -> None:
        """A property has looked at an order that the key may leave out."""

    def seen(self) -> View:
        """The view that a property gets."""
        return View(self)

    def summary(self) -> str:
        """A few words for a trace or a picture: `1 charge`."""
        raise NotImplementedError

    def outcome(self) -> Hashable:
        """What an outsider would find at the end, without the bookkeeping of how it came about."""
        return self.summary()


def _counts_in(key: Hashable) -> Iterator[Count]:
    if isinstance(key, Count):
        yield key
    elif type(key) is tuple:
        for part in key:
            yield from _counts_in(part)
