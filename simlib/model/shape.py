"""How to read everything that an object of a class holds, and whether that is possible.

A class tells how large its objects are. If its slots and its `__dict__` account for every word that it adds to its
base, down to a type whose content can be read, its objects hide nothing. Most types that are written in C hide
something.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

WORD = struct.calcsize("P")
MANAGED_WEAKREF, MANAGED_DICT = 1 << 3, 1 << 4  # bits of `__flags__`: the words for these are not part of the size
DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)
# The types that classes derive from, each with what reads such an object's content, whatever its class overrides.
ROOTS: dict[type, Callable[[Any], Iterable[Any]]] = {
    object: lambda value: (),
    BaseException: lambda value: (),
    list: list.__iter__,
    dict: lambda value: dict.items(value),
    tuple: tuple.__iter__,
    str: lambda value: (str.__str__(value),),
    int: lambda value: (int.__pos__(value),),
    float: lambda value: (float.__pos__(value),),
    bytes: lambda value: (bytes.__getitem__(value, slice(None)),),
}


class Shape(NamedTuple):
    """How to read an object of a class: `content` reads the list, the text, ... that it is."""

    content: Callable[[Any], Iterable[Any]]
    descriptors: tuple[Any, ...]

    def fields(self, value: Any) -> Iterator[Any]:
        """Its slots and its `__dict__`, in a fixed order: each as a tuple of one, or an empty one if it is not set."""
        for descriptor in self.descriptors:
            try:
                yield (descriptor.__get__(value),)
            except AttributeError:
                yield ()


def shape_of(kind: type) -> Shape | None:
    """How to read objects of this class; None if they can hold something that is not seen."""
    metaclass: Any = type(kind)
    key: Any = kind
    if metaclass.__hash__ is not type.__hash__ or metaclass.__eq__ is not type.__eq__:
        return None  # it may claim to equal any other
    if issubclass(kind, UnicodeError):
        return None  # it shows other numbers than it holds
    return _shape(key)


@lru_cache(1_000)
def _shape(kind: Any) -> Shape | None:
    found: list[Any] = []
    at = kind
    while at not in ROOTS:
        fields = _own_fields(at)
        if WORD * (len(fields) + _words(at)) != at.__basicsize__ - at.__base__.__basicsize__:
            return None
        found += fields
        at = at.__base__
    if at is BaseException:
        found += _own_fields(at)
    if kind.__dictoffset__:
        attributes = (vars(cls)["__dict__"] for cls in kind.__mro__ if type(vars(cls).get("__dict__")) in DESCRIPTORS)
        named = next(attributes, None)
        if named is None:
            return None
        found.append(named)
    return Shape(ROOTS[at], tuple(found))


def _own_fields(kind: type) -> list[Any]:
    """The descriptors of the slots that this very class adds, and of their like in types written in C."""
    return [
        one
        for name, one in vars(kind).items()
        if type(one) in DESCRIPTORS and one.__objclass__ is kind and name not in ("__dict__", "__weakref__")
    ]


def _words(kind: type) -> int:
    """How many words this very class adds for a `__dict__` and for weak references."""
    base: Any = kind.__base__
    flags = kind.__flags__
    attributes = bool(kind.__dictoffset__) and not base.__dictoffset__ and not flags & MANAGED_DICT
    weakrefs = bool(kind.__weakrefoffset__) and not base.__weakrefoffset__ and not flags & MANAGED_WEAKREF
    return attributes + weakrefs
