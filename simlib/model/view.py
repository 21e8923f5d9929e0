"""What a property may ask of a resource: the class declares it, and a view of the state answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, ValuesView
from typing import TYPE_CHECKING, Any, TypeVar, cast

from simlib.errors import Mistake
from simlib.model.shown import Items, Table
from simlib.model.values import fresh
from simlib.text import did_you_mean, listed, show

if TYPE_CHECKING:

    class Compared(Any):  # type: ignore[misc]
        """Any type, but its comparisons are known to say True or False, so that a property can return one."""

        def __eq__(self, other: object) -> bool: ...
        def __ne__(self, other: object) -> bool: ...
        def __lt__(self, other: Any) -> bool: ...
        def __le__(self, other: Any) -> bool: ...
        def __gt__(self, other: Any) -> bool: ...
        def __ge__(self, other: Any) -> bool: ...
        def __contains__(self, item: Any) -> bool: ...
        def __getitem__(self, key: Any) -> Value: ...
        def __add__(self, other: Any) -> Value: ...
        def __radd__(self, other: Any) -> Value: ...
        def __sub__(self, other: Any) -> Value: ...
        def __rsub__(self, other: Any) -> Value: ...

    Value = Compared | Any  # plain data that a learner has stored
else:
    Value = Any

Ask = TypeVar("Ask", bound=Callable[..., Any])


def asked(ask: Ask) -> Ask:
    """Mark a method of a resource's class as a property's question, not a step. The state answers it."""
    return cast(Ask, Question(ask))


class Question:
    """A question on a resource's class, where types, Tab and `help` find it. Raises if a resource itself is asked."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self.ask, self.__doc__ = ask, ask.__doc__

    def __get__(self, resource: Any, owner: type) -> Callable[..., Any]:
        if resource is None:
            return self.ask
        raise cast(Exception, resource._refused(self.ask.__name__))


class Attribute(property):
    """A Question without arguments."""

    def __get__(self, resource: Any, owner: type | None = None) -> Any:
        if resource is None:
            return self
        raise cast(Exception, resource._refused(getattr(self.fget, "__name__", "")))


class View:
    """A state as a property sees it: what it shows, and nothing that changes it."""

    __slots__ = ("_state",)

    def __init__(self, state: Any) -> None:  # a State, which this module cannot import
        self._state = state

    def __getattr__(self, name: str) -> Any:
        state = self._state
        if name not in state.sees:
            raise self._unseen(f"`{name}`", did_you_mean(name, state.sees))
        value = getattr(state, name)
        if type(value) is dict:
            return Table(value)
        if isinstance(value, (list, ValuesView)):
            return Items(value, state.order_seen)
        return value if callable(value) else fresh(value)

    def __getitem__(self, key: Any) -> Any:
        if not hasattr(self._state, "__getitem__"):
            raise self._unseen(f"`[{show(key)}]`")
        try:
            return fresh(self._state[key])
        except Mistake as mistake:  # the property's own, not a worker's
            raise AttributeError(str(mistake), obj=self) from None

    def __contains__(self, key: Any) -> bool:
        if not hasattr(self._state, "__contains__"):
            raise self._unseen(f"`{show(key)} in ...`")
        try:
            return key in self._state
        except Mistake as mistake:
            raise AttributeError(str(mistake), obj=self) from None

    # Python's own answers would never be what the author meant: `for row in db` would loop forever.

    def __eq__(self, other: object) -> bool:
        raise self._unseen("`... == ...`")

    def __bool__(self) -> bool:
        raise self._unseen("`if ...`")

    def __len__(self) -> int:
        raise self._unseen("`len(...)`")

    def __iter__(self) -> Iterator[Any]:
        raise self._unseen("`for ... in ...`")

    def __repr__(self) -> str:
        return str(self._state.summary())

    def _unseen(self, what: str, hint: str = "") -> AttributeError:
        state = self._state
        shown = [*state.sees, *(["[key]"] if hasattr(state, "__getitem__") else [])]
        text = f"{what} is nothing that a property can see here. It sees {listed(shown)}.{hint}"
        return AttributeError(text, obj=self)
