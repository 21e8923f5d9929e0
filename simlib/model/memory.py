"""What a function could remember from one call to the next, and what it asks that it was not given.

Both are read from outside: the values that it closes over, its defaults and attributes, the globals that it names, and
the same of its author's other functions that it calls by these names.
"""

from __future__ import annotations

import collections
import dis
import enum
import functools
import itertools
import operator
import os
import random
import sys
import types
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

MOST = 1_000  # values to look at: a table of a learner's own is not read whole before each of 10,000 runs
CONTAINERS: tuple[Any, ...] = (list, tuple, set, frozenset, collections.deque)
FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
LIBRARY = (os.path.dirname(os.__file__), "<frozen ")
ASKED = {
    "random": {name for name in dir(random) if name.islower()},
    "secrets": {"choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"},
    "time": {"time", "monotonic", "perf_counter", "process_time", "localtime", "gmtime", "ctime", "strftime"}
    | {"time_ns", "monotonic_ns", "perf_counter_ns", "process_time_ns"},
    "datetime": {"now", "utcnow", "today"},
    "uuid": {"uuid1", "uuid4"},
    "os": {"environ", "getenv", "urandom", "getpid"},
    "builtins": {"id", "hash", "open", "input"},
}

Memory = dict[str, Hashable]


class Names(NamedTuple):
    """What a function's code names: globals, attributes, and modules that it imports."""

    globals: tuple[str, ...]
    attributes: frozenset[str]
    imports: tuple[str, ...]


@functools.lru_cache(1_000)
def _names(code: types.CodeType) -> Names:
    steps = [step for part in _codes(code) for step in dis.get_instructions(part)]

    def named(*kinds: str) -> list[str]:
        return list(dict.fromkeys(str(step.argval) for step in steps if step.opname in kinds))

    return Names(
        tuple(named("LOAD_GLOBAL", "LOAD_NAME")),
        frozenset(named("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")),
        tuple(named("IMPORT_NAME")),
    )


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _codes(part)


def memory_of(function: Callable[..., Any]) -> Memory:
    """What each name that it can reach holds now: equal as long as nothing of that has changed."""
    read: set[int] = set()
    return {name: _state(value, read) for name, value in _reached(function)}


def _reached(function: Any) -> Iterator[tuple[str, Any]]:
    """Whatever outlives a call of it, by the name under which it is known."""
    if isinstance(function, types.MethodType):
        yield "self", function.__self__
        function = function.__func__
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or ()):
        if cell != types.CellType():
            yield name, cell.cell_contents
    positional = code.co_varnames[: code.co_argcount]
    yield from zip(reversed(positional), reversed(function.__defaults__ or ()))
    yield from (function.__kwdefaults__ or {}).items()
    yield from ((f"{function.__name__}.{name}", value) for name, value in vars(function).items())
    for name in _names(code).globals:
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _state(value: Any, read: set[int]) -> Hashable:
    """A key for what it holds; each thing is read once."""
    kind = type(value)
    if kind in (str, int, float, bool, bytes, type(None)):
        return (kind, repr(value) if kind is float else value)
    if id(value) in read or len(read) > MOST:
        return id(value)
    read.add(id(value))
    return (id(value), *(_state(part, read) for part in _parts(value, kind)))


def _parts(value: Any, kind: type) -> Iterator[Any]:
    """What this holds that can change."""
    base = next((base for base in CONTAINERS if isinstance(value, base)), None)
    if base is not None:
        yield from base.__iter__(value)
    elif isinstance(value, dict):
        yield from itertools.chain.from_iterable(dict.items(value))
    elif isinstance(value, (types.FunctionType, types.MethodType)):
        if _is_own(value.__module__):
            yield from (held for _, held in _reached(value))
    elif isinstance(value, (types.BuiltinFunctionType, types.MethodWrapperType)):  # `seen.append`
        yield None if isinstance(value.__self__, types.ModuleType) else value.__self__
    elif isinstance(value, types.GeneratorType):
        yield value.gi_frame and value.gi_frame.f_lasti
    elif isinstance(value, random.Random):
        yield from value.getstate()
    elif isinstance(value, (bytearray, itertools.count)):
        yield repr(value)
    elif isinstance(value, Iterator) and kind.__module__ == "builtins":
        yield operator.length_hint(value, -1)
    if _is_own(value.__module__ if isinstance(value, type) else kind.__module__) and not isinstance(value, enum.Enum):
        held = getattr(value, "__dict__", {})
        yield from (part for name, part in [*held.items()] if not name.startswith("__"))


def _is_own(module: str | None) -> bool:
    """Whether this is a learner's, and not of a library, whose things change as they like."""
    if module is None or module.partition(".")[0] in ("simlib", "builtins"):
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return module == "__main__" or module not in sys.modules or bool(file and not _is_library(file))


def _is_library(file: str) -> bool:
    return file.startswith(LIBRARY) or "site-packages" in file


def asks(function: Any) -> str | None:
    """What it asks that it is not given, and that is not always the same: "time", "random"; None if nothing."""
    return _asks(function, set())


def _asks(function: Any, seen: set[Any]) -> str | None:
    function = getattr(function, "__func__", function)
    if not isinstance(function, types.FunctionType) or function in seen:
        return None
    seen.add(function)
    names = _names(function.__code__)
    builtin = [name for name in names.globals if name in ASKED["builtins"] and name not in function.__globals__]
    imported = [name for name in names.imports if ASKED.get(name, set()) & names.attributes]
    found = next(iter((*builtin, *imported)), None)
    for name, value in _reached(function):
        if found is None and _is_asked(value, names.attributes):
            found = name
        if found is None and isinstance(value, types.FunctionType) and _is_own(value.__module__):
            found = _asks(value, seen)
    return found


def _is_asked(value: Any, attributes: frozenset[str]) -> bool:
    """Whether this, or one of its attributes of these names, says each time what it likes."""
    if isinstance(value, types.ModuleType):
        asked = ASKED.get(value.__name__, set())
        return bool(asked & attributes)
    if isinstance(value, type):
        return value.__module__ == "datetime" and bool(ASKED["datetime"] & attributes)
    if not isinstance(value, FUNCTIONS):
        return value is os.environ
    chance = isinstance(getattr(value, "__self__", None), random.Random)
    return chance or value.__name__ in ASKED.get(value.__module__ or "", set())
