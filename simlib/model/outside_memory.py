"""Watches what workers can reach that is not their own: globals, closure variables, defaults, classes, modules.

In production each process has its own copy of these, and a crash loses it. Here all workers and all runs of a search
would share it. Reading it is fine. A worker that changes it remembers something where no search looks, and is told so.

Watched is whatever the workers' code names, and the functions of the same project that it names, as deep as containers
and the fields of objects go; and the class of every object that a worker holds. Of a library, only what the worker's
code names is watched, and only for whether it is still the same object. Files, `random` and other state inside the
interpreter are left to the audit of the histories.
"""

from __future__ import annotations

import builtins
import functools
import gc
import itertools
import operator
import os
import sys
import threading
import types
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from opcode import opmap
from typing import Any, NamedTuple

from simlib.model.shape import Shape, shape_of
from simlib.model.values import ATOMS

HEAP, IMMUTABLE = 1 << 9, 1 << 8  # bits of a class's `__flags__`: created at run time; cannot be changed
MISSING = object()
SOME: tuple[Any, ...] = ([], (), {}, range(0), "", b"", set())  # of types whose iterators tell how far they are
MOST_WATCHED = 2_000
MADE_LATER = frozenset(
    ("__annotations__", "__annotations_cache__", "__annotate__", "__annotate_func__", "__slotnames__")
)  # by Python itself, on first access
CONTAINERS = ("builtins", "collections", "types", "weakref", "queue", "threading")  # modules whose objects hold state
# Doors: what sets a name or an attribute or tells two equal objects apart, and what gives access to either.
DOORS = bytes(opmap[name] for name in ("STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL", "IS_OP"))
IMPORTS = opmap["IMPORT_NAME"]
NAMED_DOORS = frozenset(
    (
        "setattr", "delattr", "__setattr__", "__delattr__", "getattr", "globals", "vars", "locals", "exec", "eval",
        "__dict__", "__globals__", "__import__", "open",
    )
)  # fmt: skip
Look = Callable[[], Sequence[Any]]


def is_importable(thing: Any) -> bool:
    """Whether this is the very class, function or module that importing its name gives."""
    kind = type(thing)
    if kind is types.ModuleType:
        return sys.modules.get(thing.__name__) is thing
    if kind is types.FunctionType:
        module, path = thing.__module__, thing.__qualname__
    elif isinstance(thing, type):
        if cannot_change(thing):
            return True
        module, path = vars(thing).get("__module__"), type.__dict__["__qualname__"].__get__(thing)
    else:
        return False
    found: Any = sys.modules.get(module) if type(module) is str else None
    for name in path.split("."):
        found = vars(found).get(name) if isinstance(found, (types.ModuleType, type)) else None
    return found is thing or (type(found) in (staticmethod, classmethod) and found.__func__ is thing)


def cannot_change(kind: type) -> bool:
    """Whether this class is one of Python's own, whose attributes cannot be set."""
    return not kind.__flags__ & HEAP or bool(kind.__flags__ & IMMUTABLE)


@functools.lru_cache(1_000)
def is_library(module: str | None) -> bool:
    """Whether a module of this name belongs to Python, to simlib or to an installed package."""
    top = (module or "__main__").partition(".")[0]
    if top == "__main__":
        return False
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return top == "simlib" or top in sys.stdlib_module_names or "site-packages" in file


class Watched(NamedTuple):
    """Something that is watched: how to look at it, what was seen, and its name, or one name for each value seen."""

    look: Look
    before: Sequence[Any]
    name: str
    names: Sequence[str] = ()


class Outside:
    """What lies outside these functions, and whether it has changed.

    `unreadable`: something out there (an iterator) can change unseen, so no fingerprint of a worker can be trusted.
    """

    def __init__(self, functions: Iterable[Callable[..., Any]]) -> None:
        self.unreadable = False
        self._watched: list[Watched] = []
        self._in_case: list[tuple[Look, str, Sequence[str]]] | None = []  # to watch once there is a door
        self._known: dict[int, Any] = {}
        self._been: dict[int, Any] = {}
        self._names: set[str] = set()  # in the workers' code
        self._waiting: deque[tuple[Any, str]] = deque((function, function.__name__) for function in functions)
        self._modules: list[types.ModuleType] = []
        self._work()

    @property
    def closed(self) -> bool:
        """Whether everything outside that the workers' code can reach is watched."""
        return self._in_case is not None

    def knows(self, thing: Any) -> bool:
        """Whether this exists outside the workers and is watched. Starts to watch it if need be."""
        if id(thing) in self._known:
            return True
        if not is_importable(thing):
            return False
        self._waiting.append((thing, thing.__name__))
        self._work()
        return True

    def changed(self) -> str:
        """The name of something that has changed; empty if nothing has."""
        for watched in self._watched:
            now, before = watched.look(), watched.before
            if same_things(now, before):
                continue
            if not watched.names:
                return watched.name
            return next(name for name, one, other in zip(watched.names, now, before) if not _same(one, other))
        return ""

    def unwatched(self) -> list[Look]:
        """How to look at what the workers cannot change, and so is not watched; somebody else may change it."""
        return [look for look, _, _ in self._in_case or ()]

    def _work(self) -> None:
        """Look into everything that is queued."""
        while self._waiting or self._modules:
            if not self._waiting:
                self._module(self._modules.pop())
                continue
            thing, name = self._waiting.popleft()
            if type(thing) in ATOMS or id(thing) in self._been:
                continue
            self._been[id(thing)] = thing
            if len(self._watched) > MOST_WATCHED:
                self.unreadable = True
                self._waiting.clear()
            else:
                self._reach(thing, name)

    def _reach(self, thing: Any, name: str) -> None:
        kind = type(thing)
        if kind is types.ModuleType:
            self._modules.append(thing)  # last, when all the names are known
        elif kind is types.FunctionType:
            self._function(thing, name)
        elif isinstance(thing, type):
            self._class(thing, name)
        elif kind in LOOKS:
            self._watch(thing, functools.partial(LOOKS[kind], thing), name)
        elif kind in PARTS:
            if kind is CACHE:
                self._door()
            self._waiting.extend((part, name) for part in PARTS[kind](thing))
        else:
            self._object(thing, kind, name)

    def _watch(self, thing: Any, look: Look, name: str) -> None:
        """Watch this, and everything that is seen in it."""
        self._known[id(thing)] = thing
        before = look()
        self._watched.append(Watched(look, before, name))
        self._waiting.extend((one, name) for one in before)

    def _watch_in_case(self, look: Look, name: str, names: Sequence[str] = ()) -> None:
        """Watch this if the workers' code has any way to set it."""
        if self._in_case is None:
            self._watched.append(Watched(look, look(), name, names))
        else:
            self._in_case.append((look, name, names))

    def _door(self) -> None:
        """Note that the workers' code can set names or attributes, or calls a library, which may."""
        waiting, self._in_case = self._in_case or (), None
        for look, name, names in waiting:
            self._watch_in_case(look, name, names)

    def _function(self, function: types.FunctionType, name: str) -> None:
        self._known[id(function)] = function
        self._watch_in_case(functools.partial(_of_function, function), name)
        if is_library(function.__module__):
            self._door()
            return
        names, space = {*_names_in(function.__code__)}, function.__globals__
        self._names |= names
        if names & NAMED_DOORS or any(map(_has_a_door, codes_in(function.__code__))):
            self._door()
        if any(IMPORTS in one.co_code[::2] for one in codes_in(function.__code__)):
            self._waiting.extend((sys.modules[one], one) for one in names - space.keys() if one in sys.modules)
        own = sorted(one for one in names if one in space or one not in vars(builtins))
        self._named(space, own)
        self._waiting.extend((space[one], one) for one in own if one in space)
        cells = zip(function.__closure__ or (), function.__code__.co_freevars)
        self._waiting.extend((cell, variable) for cell, variable in cells)
        self._waiting.extend(_defaults(function))
        self._waiting.extend((one, name) for one in (*vars(function).values(), function.__kwdefaults__))

    def _named(self, space: Mapping[str, Any], names: Sequence[str], prefix: str = "") -> None:
        """Watch what these names refer to in this namespace."""
        self._watch_in_case(functools.partial(_of_names, space, names), "", [prefix + name for name in names])

    def _module(self, module: types.ModuleType) -> None:
        self._known[id(module)] = module
        space, names = vars(module), sorted(self._names)
        self._named(space, names, f"{module.__name__}.")
        if not is_library(module.__name__):
            self._waiting.extend((space[name], f"{module.__name__}.{name}") for name in names if name in space)
        else:
            self._door()
        if module is os and self._names & {"environ", "getenv"}:
            self._waiting.append((os.environ, "os.environ"))

    def _class(self, kind: type, name: str) -> None:
        self._known[id(kind)] = kind
        self._waiting.extend((base, base.__name__) for base in (*kind.__bases__, type(kind)))
        if not cannot_change(kind):
            module = kind.__module__
            deep = module == "builtins" or not is_library(module)
            if not deep and not module.startswith("simlib."):
                self._door()
            # An enum creates the member for a combination of flags on first access.
            named = [key for key in vars(kind) if key != "_value2member_map_"] if deep else ()
            inside = [(vars(kind)[key], f"{name}.{key}") for key in named]
            self._watch_in_case(functools.partial(_of_class, kind), name)
            self._waiting.extend(inside)

    def _object(self, thing: Any, kind: type, name: str) -> None:
        self._waiting.append((kind, kind.__name__))
        shape = shape_of(kind)
        if shape is None:
            self._door()
            self.unreadable |= hasattr(kind, "__next__")
        elif not is_library(kind.__module__) or kind.__module__ in CONTAINERS or thing is os.environ:
            self._watch(thing, functools.partial(_of_object, thing, shape), name)


def _defaults(function: types.FunctionType) -> Iterator[tuple[Any, str]]:
    """The defaults of its parameters, each with the parameter's name."""
    code, defaults = function.__code__, function.__defaults__ or ()
    yield from zip(defaults[::-1], code.co_varnames[: code.co_argcount][::-1])
    yield from ((one, name) for name, one in (function.__kwdefaults__ or {}).items())


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """This code object, and all that are defined in it."""
    yield code
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            yield from codes_in(constant)


def _names_in(code: types.CodeType) -> Iterator[str]:
    """All names in this code and in the code defined in it: as such, or as text."""
    for one in codes_in(code):
        yield from one.co_names
        for constant in one.co_consts:
            texts = constant if type(constant) is tuple else (constant,)
            yield from (text for text in texts if type(text) is str and text.isidentifier())


def _has_a_door(code: types.CodeType) -> bool:
    return not {*code.co_code[::2]}.isdisjoint(DOORS)


def same_things(now: Sequence[Any], before: Sequence[Any]) -> bool:
    """Whether two looks have seen the same."""
    return len(now) == len(before) and (all(map(operator.is_, now, before)) or all(map(_same, now, before)))


def _same(one: Any, other: Any) -> bool:
    """Whether nothing was changed: an equal number or text is the same, and importing a module changes nothing."""
    if one is other or (other is MISSING and type(one) is types.ModuleType):
        return True
    return type(one) is type(other) and type(one) in ATOMS and repr(one) == repr(other)


def _of_names(space: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    return [space.get(name, MISSING) for name in names]


def _of_function(function: types.FunctionType) -> list[Any]:
    names = (function.__name__, function.__qualname__, function.__doc__)
    return [function.__code__, function.__defaults__, function.__kwdefaults__, *names, *_of_dict(vars(function))]


def _of_class(kind: type) -> list[Any]:
    return [one for item in vars(kind).items() if item[0] not in MADE_LATER for one in item]


def _of_object(thing: Any, shape: Shape) -> list[Any]:
    content = _of_dict(thing) if isinstance(thing, dict) else shape.content(thing)
    return [*content, *itertools.chain.from_iterable(shape.fields(thing))]


def _of_dict(thing: dict[Any, Any]) -> list[Any]:
    return [*dict.keys(thing), *dict.values(thing)]


CACHE: Any = type(functools.lru_cache(_same))
LOOKS: dict[type, Callable[[Any], Sequence[Any]]] = {
    list: list,
    set: list,
    deque: list,
    dict: _of_dict,
    OrderedDict: lambda thing: [*OrderedDict.keys(thing), *OrderedDict.values(thing)],
    bytearray: lambda thing: [bytes(thing)],
    array: lambda thing: [thing.tobytes()],
    types.CellType: gc.get_referents,
    threading.local: lambda thing: _of_dict(vars(thing)),
    ContextVar: lambda thing: [thing.get(MISSING)],
    types.GeneratorType: lambda thing: [thing.gi_frame and thing.gi_frame.f_lasti],
    itertools.count: lambda thing: [repr(thing)],
    **dict.fromkeys(map(type, map(iter, SOME)), lambda thing: [operator.length_hint(thing, -1)]),
}
PARTS: dict[type, Callable[[Any], Iterable[Any]]] = {
    tuple: iter,
    frozenset: iter,
    types.MethodType: lambda thing: (thing.__self__, thing.__func__),
    types.BuiltinFunctionType: lambda thing: () if type(thing.__self__) is types.ModuleType else (thing.__self__,),
    types.MethodWrapperType: lambda thing: (thing.__self__,),
    **dict.fromkeys((staticmethod, classmethod), lambda thing: (thing.__func__,)),
    property: lambda thing: (thing.fget, thing.fset, thing.fdel),
    functools.partial: lambda thing: (thing.func, thing.args, thing.keywords, vars(thing)),
    CACHE: lambda thing: (thing.__wrapped__,),
    types.MappingProxyType: gc.get_referents,
    memoryview: lambda thing: (thing.obj,),
}
