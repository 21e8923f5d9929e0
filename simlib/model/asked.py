"""Finds what a function reads that is not passed to it: the clock, random numbers, the environment.

It looks at the function without running it: at the values that it closes over, its defaults and attributes and the
globals that it names, and at the same of its author's other functions that it calls by these names.
"""

from __future__ import annotations

import dis
import functools
import os
import random
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

from simlib.model.outside_memory import codes_in, is_library

FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
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


class Names(NamedTuple):
    """The globals, attributes and imported modules that a function's code refers to."""

    globals: tuple[str, ...]
    attributes: frozenset[str]
    imports: tuple[str, ...]


@functools.lru_cache(1_000)
def _names(code: types.CodeType) -> Names:
    instructions = [instruction for part in codes_in(code) for instruction in dis.get_instructions(part)]

    def named(*kinds: str) -> list[str]:
        return list(dict.fromkeys(str(one.argval) for one in instructions if one.opname in kinds))

    return Names(
        tuple(named("LOAD_GLOBAL", "LOAD_NAME")),
        frozenset(named("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")),
        tuple(named("IMPORT_NAME")),
    )


def _reached(function: Any) -> Iterator[tuple[str, Any]]:
    """Each value that the function can reach and that outlives a call, with the name it is known by."""
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


def asks(function: Any) -> str | None:
    """The name of something it reads that may differ each time, such as "time" or "random"; None if there is none."""
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
        if found is None and isinstance(value, types.FunctionType) and not is_library(value.__module__):
            found = _asks(value, seen)
    return found


def _is_asked(value: Any, attributes: frozenset[str]) -> bool:
    """Whether this value, or one of these attributes of it, may answer differently each time."""
    if isinstance(value, types.ModuleType):
        asked = ASKED.get(value.__name__, set())
        return bool(asked & attributes)
    if isinstance(value, type):
        return value.__module__ == "datetime" and bool(ASKED["datetime"] & attributes)
    if not isinstance(value, FUNCTIONS):
        return value is os.environ or isinstance(value, random.Random)
    chance = isinstance(getattr(value, "__self__", None), random.Random)
    return chance or value.__name__ in ASKED.get(value.__module__ or "", set())
