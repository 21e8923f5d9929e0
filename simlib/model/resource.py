"""The base class of all resources as a scenario describes them: their methods build steps."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from simlib.arguments import above_zero, why_unfit
from simlib.errors import Mistake
from simlib.model.builders import Bind, Fits, builders
from simlib.model.operation import Op
from simlib.model.state import State
from simlib.model.values import SURE, fresh
from simlib.model.view import Attribute
from simlib.text import did_you_mean, listed, show

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

    def handle(self, name: str, built: list[Op | Mistake], bind: Bind | None = None) -> Self:
        """The resource as one process sees it; each step that it builds is recorded in `built`.

        With `bind`, its most usual steps are built by closures, bound to what `bind` gives.
        """
        handle = object.__new__(type(self))
        vars(handle).update(vars(self), _name=name, _built=built, _described=self)
        if bind is not None:
            vars(handle).update(builders(handle, name, built.append, self._usual(name), bind))
        return handle

    def _usual(self, name: str) -> Mapping[str, Fits]:
        """Its most usual verbs, each with the arguments that are taken as they are, unchecked and uncopied."""
        return {}

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
        op.at, op.code = caller.f_lasti, caller.f_code
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
