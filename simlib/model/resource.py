"""What every resource is: a description that builds steps, and a state that they change."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from simlib.arguments import above_zero, why_unfit
from simlib.errors import Mistake, OperationError, OutcomeUnknown, Unavailable
from simlib.model.fault import LOST_REPLIES, OUTAGES
from simlib.model.operation import OK, Op, Outcome
from simlib.model.timing import Slept, Timer
from simlib.model.values import SURE, freeze, fresh
from simlib.model.view import Attribute, View
from simlib.text import did_you_mean, listed, show

ANYBODY = "anybody"


class Count(NamedTuple):
    """A number that only grows, in a key: of counts of one kind it is mostly the order that matters."""

    of: str
    value: int


Renumber = Callable[[Count], int]  # other numbers in the same order


class Counted:
    """An answer that holds counts: a lease its token, a message its deliveries."""

    __slots__ = ()

    def parts(self, held: Callable[[Any], Hashable]) -> tuple[Hashable, ...]:
        """All that it holds, each count as a Count; `held` gives the key of what a learner has put into it."""
        raise NotImplementedError

    def counted(self) -> Hashable:
        """Its key."""
        return (type(self), *self.parts(freeze))

    def recounted(self, number: Renumber) -> Self:
        """The same with other numbers in place of its counts."""
        raise NotImplementedError


class State:
    """What a resource holds: the part of it that properties see, and the mechanism.

    A step `verb` is carried out by `on_verb(who, ...)`, which changes the state and returns the answer, raises an
    OperationError as the answer, or raises Blocked when the worker has to wait. States hold plain data only and
    know no engine, no clock and no worker's code.
    """

    sees: ClassVar[tuple[str, ...]] = ()  # what a property may ask for, besides `state[key]` and `key in state`
    remote: ClassVar[bool] = True  # reached over a network: requests and replies can be lost

    def copy(self) -> Self:
        other = object.__new__(type(self))
        vars(other).update(
            {name: value.copy() if type(value) in (dict, list, set) else value for name, value in vars(self).items()}
        )
        return other

    def key(self) -> Hashable:
        """Equal for states that behave alike."""
        return tuple(map(freeze, vars(self).values()))

    def counted(self) -> Hashable:
        """The key, with a Count in place of each number that grows with every use."""
        return self.key()

    def recounted(self, number: Renumber) -> Self:
        """The same with other numbers in place of its counts."""
        return self

    @property
    def grown(self) -> int:
        """How far its counts have come: the largest of them."""
        return max((count.value for count in _counts_in(self.counted())), default=0)

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        """Every way in which `op` can go here: the normal ones first, then those that a fault must pay for."""
        for choice in range(self.choices(op)):
            yield Outcome(None, choice) if choice else OK
        if self.remote:
            yield Outcome(OUTAGES)
            yield Outcome(LOST_REPLIES)

    def ways(self, op: Op, fault: str) -> Iterator[Outcome]:
        """Those of its outcomes that this fault must pay for."""
        return (one for one in self.outcomes(op) if one.fault == fault)

    def choices(self, op: Op) -> int:
        """In how many ways `op` can go with nothing wrong: more than one for a random draw."""
        return 1

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out `op` for worker `who`. Raises OperationError (an answer) or Blocked (not yet)."""
        if outcome.fault == OUTAGES:
            raise Unavailable(op.name)
        if outcome.fault == LOST_REPLIES:
            try:
                self.handler(op.verb)(who, *op.args, **op.kwargs)
            except OperationError:
                pass  # it did not happen, and its caller is not told that either: the reply is what was lost
            raise OutcomeUnknown(op.name)
        return self.handler(op.verb)(who, *op.args, **op.kwargs)

    def handler(self, verb: str) -> Callable[..., Any]:
        """What carries out such a step when nothing goes wrong: called with the worker and the step's arguments."""
        return getattr(self, f"on_{verb}")  # type: ignore[no-any-return]

    def awaited(self, op: Op) -> str | None:
        """Whom a worker that is blocked at this step waits for: a worker that is alive, ANYBODY who may bring work, or
        None where nobody will end it.
        """
        return None

    @property
    def has_timers(self) -> bool:
        """Whether there can ever be a timer."""
        return type(self).timers is not State.timers

    def timers(self) -> tuple[Timer, ...]:
        """The timers that are running."""
        return ()

    def expire(self, timer: Hashable) -> None:
        """This timer has run out."""

    def owner_gone(self, who: str | None) -> None:
        """The process that `who` names (None: every one) has ended: nobody will renew or release what it held."""

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same with these workers, whom it knows as owners, called otherwise."""
        return self

    def power_losses(self) -> int:
        """In how many ways what this state holds can survive the loss of power. Remote ones are elsewhere."""
        return 1

    def lose_power(self, choice: int) -> None:
        """The machine has lost power."""

    def advance(self, seconds: float) -> None:
        """Time has passed: of clocks and of timers."""

    def fell_asleep(self, who: str) -> None:
        """From now on this worker sleeps."""

    def woke(self, sleep: Slept) -> None:
        """A worker has slept."""

    @property
    def time(self) -> float:
        """What a clock says."""
        return 0

    def order_seen(self) -> None:
        """A property has looked at an order that its key may leave out."""

    def seen(self) -> View:
        """As a property sees it."""
        return View(self)

    def summary(self) -> str:
        """A few words for a lane: `1 charge`."""
        raise NotImplementedError

    def outcome(self) -> Hashable:
        """What an outsider would find in the end, without the bookkeeping of how it came about."""
        return self.summary()


def _counts_in(key: Hashable) -> Iterator[Count]:
    if isinstance(key, Count):
        yield key
    elif type(key) is tuple:
        for part in key:
            yield from _counts_in(part)


MADE_FOR_A_WORKER = {"_name", "_built", "_described"}


class Resource:
    """A resource as a scenario describes it. Its methods build steps; they do nothing until they are yielded.

    What it declares as `asked` or as a `property` is what a property may ask. The state answers that, by the same name.
    """

    __iter__: ClassVar[None] = None  # else Python would try `db[0]`, `db[1]`, ...

    _name = ""
    _built: list[Op | Mistake] | None = None
    _described: Resource | None = None

    def __init_subclass__(cls) -> None:
        for name, method in [*vars(cls).items()]:
            if isinstance(method, property) and method.fget is not None:
                setattr(cls, name, Attribute(method.fget))
            elif inspect.isfunction(method) and not name.startswith("_") and not hasattr(Resource, name):
                setattr(cls, name, _checked(method))

    def initial(self, name: str) -> State:
        """The state before anything has happened."""
        raise NotImplementedError

    def handle(self, name: str, built: list[Op | Mistake]) -> Self:
        """The resource as one process sees it; each step that it builds is noted in `built`."""
        handle = object.__new__(type(self))
        vars(handle).update(vars(self), _name=name, _built=built, _described=self)
        return handle

    def __setattr__(self, name: str, value: Any) -> None:
        if self._built is None:
            object.__setattr__(self, name, value)
            return
        mistake = Mistake(
            f"`{self._name}.{name} = ...`: a worker cannot keep anything on a resource. Keep what it remembers in a "
            f"variable, `{name} = ...`; for others to see it, yield a step, such as `yield db.write(...)`."
        )
        self._note(mistake)
        raise mistake

    def untouched(self) -> bool:
        """Whether there is no more to this handle than what it was made of."""
        if self._described is None:
            return False
        mine, given = vars(self), vars(self._described)
        as_given = all(mine.get(name, mine) is value for name, value in given.items())
        return as_given and mine.keys() - given.keys() == MADE_FOR_A_WORKER

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):  # Python and Jupyter ask for many such names
                raise AttributeError(name)
            raise self._no_step(name)

    def __repr__(self) -> str:
        return f"<{as_written(self)}>" if self._built is None else f"<{self._name}: a {type(self).__name__}>"

    def _refused(self, name: str) -> Exception:
        """What to raise where a property's question is asked of a description, or of a worker's handle."""
        kind = type(self).__name__
        own = kind.lower()
        if self._built is None:
            asked = {"__getitem__": f"{kind}[key]", "__contains__": f"key in {kind}"}.get(name, f"{kind}.{name}")
            return Mistake(
                f"`{asked}` of a {kind} that is only described: nothing has happened to it. A property asks, through a "
                f"parameter with the name that the scenario gives it: Scenario({own}={kind}(...)) and "
                f'def claim({own}): ...; or ask what a run ends with: scenario.run(worker)["{own}"].'
            )
        if name == "__getitem__":  # as Python says it of what has none
            return TypeError(f"'{kind}' object is not subscriptable")
        if name == "__contains__":
            return TypeError(f"argument of type '{kind}' is not iterable")
        return self._no_step(name)

    def _no_step(self, name: str) -> Mistake:
        """What to say of a step that there is not."""
        names = [one for one in dir(type(self)) if not one.startswith("_") and not hasattr(Resource, one)]
        steps = [one for one in names if inspect.isfunction(inspect.getattr_static(type(self), one))]
        kind = type(self).__name__
        mistake = Mistake(
            f"`{self._name or kind}.{name}`: a {kind} has the steps {listed(steps)}.{did_you_mean(name, steps)}"
        )
        self._note(mistake)
        return mistake

    def _note(self, mistake: Mistake) -> None:
        """Keep it: raised inside a worker, its `except Exception` could swallow it."""
        if self._built is not None:
            self._built.append(mistake)


def _checked(build: Callable[..., Op]) -> Callable[..., Op]:
    """The method `build` of a resource, for a worker: its step is noted, with its line and with values of its own.

    What is wrong with its arguments is said in the learner's words.
    """
    signature = inspect.signature(build)
    taken = ", ".join(str(one.replace(annotation=one.empty)) for one in [*signature.parameters.values()][1:])

    @functools.wraps(build)
    def checked(self: Resource, *args: Any, **kwargs: Any) -> Op:
        built = self._built
        if built is None:
            kind = type(self).__name__
            raise Mistake(
                f"`{build.__name__}` of a {kind} that belongs to no worker. A worker reaches a resource through a "
                f"parameter with the name that the scenario gives it: Scenario({kind.lower()}={kind}(...)) and "
                f"def worker({kind.lower()}): ..."
            )
        try:
            op = build(self, *args, **kwargs)
            for value in (*op.args, *op.kwargs.values()) if op.kwargs else op.args:
                if type(value) not in SURE:  # else there is nothing to check, or to copy
                    if op.verb != "transaction":  # whose steps have values of their own
                        op.args, op.kwargs = tuple([fresh(arg) for arg in op.args]), fresh(op.kwargs)
                    break
        except Mistake as mistake:
            self._note(mistake)
            raise
        except TypeError as error:
            misfit = explain(error, f"{self._name}.{build.__name__}", self, args, kwargs)
            self._note(misfit)
            raise misfit from None
        caller = sys._getframe(1)
        op.line, op.function = caller.f_lineno or 0, caller.f_code.co_name
        built.append(op)
        return op

    def explain(error: TypeError, step: str, self: Resource, args: Any, kwargs: Any) -> Mistake:
        misfit = why_unfit(signature, (self, *args), kwargs)  # only now: it takes longer than the step itself
        return Mistake(f"`{step}(...)` {misfit}. Write {step}({taken})." if misfit else f"`{step}(...)`: {error}.")

    return checked


def as_written(resource: Resource) -> str:
    """The call that makes it: `Queue(["order-1"], visibility_timeout=60)`."""
    words = []
    for one in inspect.signature(type(resource)).parameters.values():
        value = vars(resource).get(f"_{one.name}", one.default)
        if value is not one.default and value not in (one.default, [], {}):
            words.append(f"{one.name}={show(value)}" if one.kind is one.KEYWORD_ONLY else show(value))
    return f"{type(resource).__name__}({', '.join(words)})"


def positive(name: str, seconds: float | None) -> float | None:
    """So many seconds, checked; None for a time that never runs out."""
    return None if seconds is None else above_zero(name, seconds, of=" of seconds")
