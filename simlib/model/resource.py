"""The base classes of all resources: a description that builds steps, and a state that the steps change."""

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
    """A number that only grows, in a key. Between counts of one kind, mostly only the order matters."""

    of: str
    value: int


Renumber = Callable[[Count], int]  # gives other numbers in the same order


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
    OperationError as the answer, or raises Blocked if the worker has to wait. States hold plain data only, and know
    nothing of engines, clocks or workers' code.
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

    def ways(self, op: Op, fault: str) -> Iterator[Outcome]:
        """The outcomes of `op` that this fault must pay for."""
        return (one for one in self.outcomes(op) if one.fault == fault)

    def choices(self, op: Op) -> int:
        """The number of ways in which `op` can go without a fault: more than one for a random draw."""
        return 1

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        """Carry out `op` for worker `who`. Raises OperationError (an answer) or Blocked (not yet)."""
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

    def awaited(self, op: Op) -> str | None:
        """Whom a worker blocked at this step waits for: a worker that is alive, ANYBODY if anyone may bring work, or
        None if nobody will ever unblock it.
        """
        return None

    @property
    def has_timers(self) -> bool:
        """Whether it can ever have a timer."""
        return type(self).timers is not State.timers

    def timers(self) -> tuple[Timer, ...]:
        """The timers that are running."""
        return ()

    def expire(self, timer: Hashable) -> None:
        """This timer has run out."""

    def owner_gone(self, who: str | None) -> None:
        """The process of worker `who` (None: every process) has ended: nobody will renew or release what it held."""

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


MADE_FOR_A_WORKER = {"_name", "_built", "_described"}


class Resource:
    """A resource as a scenario describes it. Its methods build steps, which do nothing until they are yielded.

    Its methods marked `asked` and its properties are what a property may ask. The state answers, by the same name.
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
        """The resource as one process sees it; each step that it builds is recorded in `built`."""
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
        """Whether this handle holds nothing but what it was made with."""
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
        """The exception for a property's question that is asked of a description, or of a worker's handle."""
        kind = type(self).__name__
        own = kind.lower()
        if self._built is None:
            asked = {"__getitem__": f"{kind}[key]", "__contains__": f"key in {kind}"}.get(name, f"{kind}.{name}")
            return Mistake(
                f"`{asked}` of a {kind} that is only described: nothing has happened to it. A property asks, through a "
                f"parameter with the name that the scenario gives it: Scenario({own}={kind}(...)) and "
                f'def claim({own}): ...; or ask what a run ends with: scenario.run(worker)["{own}"].'
            )
        if name == "__getitem__":  # as Python words it
            return TypeError(f"'{kind}' object is not subscriptable")
        if name == "__contains__":
            return TypeError(f"argument of type '{kind}' is not iterable")
        return self._no_step(name)

    def _no_step(self, name: str) -> Mistake:
        """The mistake for a step that does not exist."""
        names = [one for one in dir(type(self)) if not one.startswith("_") and not hasattr(Resource, one)]
        steps = [one for one in names if inspect.isfunction(inspect.getattr_static(type(self), one))]
        kind = type(self).__name__
        mistake = Mistake(
            f"`{self._name or kind}.{name}`: a {kind} has the steps {listed(steps)}.{did_you_mean(name, steps)}"
        )
        self._note(mistake)
        return mistake

    def _note(self, mistake: Mistake) -> None:
        """Remember a mistake: inside a worker, its `except Exception` could swallow it."""
        if self._built is not None:
            self._built.append(mistake)


def _checked(build: Callable[..., Op]) -> Callable[..., Op]:
    """Wrap the method `build` for workers: its step is recorded, with its line and with copies of its values.

    Raises Mistake, in the learner's words, if an argument is wrong.
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
                if type(value) not in SURE:  # else there is nothing to check or copy
                    if op.verb != "transaction":  # whose steps have copied theirs
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
        misfit = why_unfit(signature, (self, *args), kwargs)  # only on error: it takes longer than the step itself
        return Mistake(f"`{step}(...)` {misfit}. Write {step}({taken})." if misfit else f"`{step}(...)`: {error}.")

    return checked


def as_written(resource: Resource) -> str:
    """The call that constructs it: `Queue(["order-1"], visibility_timeout=60)`."""
    words = []
    for one in inspect.signature(type(resource)).parameters.values():
        value = vars(resource).get(f"_{one.name}", one.default)
        if value is not one.default and value not in (one.default, [], {}):
            words.append(f"{one.name}={show(value)}" if one.kind is one.KEYWORD_ONLY else show(value))
    return f"{type(resource).__name__}({', '.join(words)})"


def positive(name: str, seconds: float | None) -> float | None:
    """Check a number of seconds; None means without end. Raises Mistake if it is not above 0."""
    return None if seconds is None else above_zero(name, seconds, of=" of seconds")
