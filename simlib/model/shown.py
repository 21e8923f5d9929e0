"""Lists and tables as a property sees them: only what is looked at is copied.

A property is asked after every change, and a table may grow by a row per order: copying all of it each time would make
a simulation's cost quadratic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableSequence
from typing import Any

from simlib.model.values import fresh, in_order


class Items(MutableSequence[Any]):
    """Reads as a list does. Changing it makes it a list of its own; the original stays as it is."""

    __slots__ = ("_in_order", "_items", "_own")

    def __init__(self, items: Collection[Any], in_order: Callable[[], object] = int) -> None:
        """`in_order` is called when anything but the length is read."""
        self._items = items
        self._in_order = in_order
        self._own: list[Any] | None = None

    def _as_own(self) -> list[Any]:
        if self._own is None:
            self._items = self._own = [*self]
        return self._own

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        self._in_order()
        return iter(self._items) if self._own is not None else map(fresh, self._items)

    def __getitem__(self, place: Any) -> Any:
        self._in_order()
        items = self._items if isinstance(self._items, list) else [*self._items]
        return items[place] if self._own is not None else fresh(items[place])

    def __setitem__(self, place: Any, item: Any) -> None:
        self._as_own()[place] = item

    def __delitem__(self, place: Any) -> None:
        del self._as_own()[place]

    def insert(self, place: int, item: Any) -> None:
        self._as_own().insert(place, item)

    def sort(self, **how: Any) -> None:
        self._as_own().sort(**how)

    def copy(self) -> list[Any]:
        return [*self]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (list, Items)):
            return NotImplemented
        return len(self) == len(other) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Iterable[Any]) -> list[Any]:
        return [*self, *other]

    def __radd__(self, other: Iterable[Any]) -> list[Any]:
        return [*other, *self]

    def __repr__(self) -> str:
        return repr([*self])


class Table(Mapping[Any, Any]):
    """Reads as a dict does, in the order of its keys, and cannot be changed."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Mapping[Any, Any]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in in_order(self._rows))

    def __getitem__(self, key: Any) -> Any:
        return fresh(self._rows[key])

    def __or__(self, other: Mapping[Any, Any]) -> dict[Any, Any]:
        return {**self, **other}

    def __repr__(self) -> str:
        return repr({**self})
