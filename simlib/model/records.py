"""Dataclasses and named tuples: reads everything that an instance holds, and makes another instance of it.

Nothing here runs a method of the learner's: `getattr`, `copy` and `pickle` do, could be told lies by one, and miss
attributes beside the fields.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import types
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

Parts = tuple[Any, ...]
_NOTHING = object()


class Unread(Exception):
    """Raised for an instance that holds something other than its fields. Says what, as the end of a sentence."""


class Record(NamedTuple):
    """How to read and make instances of one class. `read` raises Unread."""

    read: Callable[[Any], Parts]
    make: Callable[[Parts], Any]


@functools.lru_cache(1_000)
def record_of(kind: Hashable) -> Record | None:
    """How to read instances of this class, if all that they hold can be read: a dataclass or a named tuple with no
    other base. None otherwise.
    """
    assert isinstance(kind, type)
    if any("__dataclass_fields__" in vars(one) for one in kind.__mro__):
        return _dataclass(kind)
    named = issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)
    if not named or _hides_its_dict(kind):
        return None
    return Record(_items_alone if kind.__dictoffset__ else _items, functools.partial(tuple.__new__, kind))


def _items(value: Any) -> Parts:
    return tuple(tuple.__iter__(value))


def _items_alone(value: Any) -> Parts:
    """The items of a tuple with a `__dict__` (one from a notebook has one in another process), which must be empty."""
    for name in object.__getattribute__(value, "__dict__"):
        raise Unread(f"has an attribute `{name}` beside its items")
    return _items(value)


def _dataclass(kind: type) -> Record | None:
    try:
        object.__new__(kind)
    except TypeError:  # also a list, an exception, ..., with content of its own
        return None
    namespaces = [vars(one) for one in kind.__mro__]
    if _hides_its_dict(kind):
        return None
    slots = [item for one in namespaces for item in one.items() if type(item[1]) is types.MemberDescriptorType]
    names = [field.name for field in dataclasses.fields(kind)]
    layout = _Layout(kind, names, dict(reversed(slots)), [slot for _, slot in slots])
    asked = any("__getattribute__" in one or "__getattr__" in one for one in namespaces[:-1])
    only_slots = not kind.__dictoffset__ and {*names} == {*layout.slots} and len(slots) == len(names) > 1
    read = layout.read_slots(operator.attrgetter(*names)) if only_slots and not asked else layout.read
    return Record(read, layout.make)


def _hides_its_dict(kind: type) -> bool:
    """Whether it overrides `__dict__`, so that it may show something else."""
    held = [vars(one)["__dict__"] for one in kind.__mro__ if "__dict__" in vars(one)]
    return any(type(one) is not types.GetSetDescriptorType for one in held)


class _Layout:
    """Where a dataclass keeps its fields: in slots, in the instance's dictionary, or, with a default, in the class."""

    def __init__(self, kind: type, names: list[str], slots: dict[str, Any], every_slot: list[Any]) -> None:
        self.kind, self.names, self.slots = kind, names, slots
        self.has_dict = bool(kind.__dictoffset__)
        self._others = [slot for slot in every_slot if all(slot is not slots.get(name) for name in names)]

    def read(self, value: Any) -> Parts:
        held = object.__getattribute__(value, "__dict__") if self.has_dict else {}
        for name in held:
            if type(name) is not str or name not in self.names or name in self.slots:
                raise Unread(f"has an attribute `{name}` that its class does not declare. Declare it as a field")
        for slot in self._others:
            if _is_set(slot, value):
                raise Unread(f"has a slot `{slot.__name__}` that is no field. Declare it as a field")
        return tuple([self._part(value, name, held) for name in self.names])

    def read_slots(self, get: Callable[[Any], Parts]) -> Callable[[Any], Parts]:
        """A fast `read` for instances that hold nothing but slots."""

        def read(value: Any) -> Parts:
            try:
                return get(value)
            except AttributeError:
                return self.read(value)

        return read

    def _part(self, value: Any, name: str, held: dict[str, Any]) -> Any:
        slot = self.slots.get(name)
        if slot is not None and _is_set(slot, value):
            return slot.__get__(value)
        if slot is None and name in held:
            return held[name]
        default = next((vars(one)[name] for one in self.kind.__mro__ if name in vars(one)), _NOTHING)
        if default is _NOTHING or default is slot:
            raise Unread(f"has no value for its field `{name}`. Give it one")
        return default

    def make(self, parts: Parts) -> Any:
        value: Any = object.__new__(self.kind)
        held = object.__getattribute__(value, "__dict__") if self.has_dict else {}
        for name, part in zip(self.names, parts):
            if name in self.slots:
                self.slots[name].__set__(value, part)
            else:
                held[name] = part
        return value


def _is_set(slot: Any, value: Any) -> bool:
    try:
        slot.__get__(value)
    except AttributeError:
        return False
    return True
