"""Describes things in text that is the same in every process: tells whether a file belongs to the same sweep."""

from __future__ import annotations

import dis
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

from simlib.model.outside_memory import codes_in, is_library
from simlib.model.resource import Resource
from simlib.model.values import ATOMS, SCALARS
from simlib.scenario.description import Description
from simlib.text import show

SIMLIB = Path(__file__).parent.parent


def describe(thing: Any, within: frozenset[int] = frozenset()) -> str:
    """Text that is equal for things that behave alike: of a function its code, its defaults and what they refer to, of
    a library only its name. `within` has the ids of the things that contain this one.
    """
    if type(thing) in (*ATOMS, *SCALARS):
        return repr(thing)
    if id(thing) in within:
        return "itself"
    kind: Any = type(thing)
    inner = functools.partial(describe, within=within | {id(thing)})
    if isinstance(thing, Mapping):
        return "{" + ", ".join(f"{inner(key)}: {inner(value)}" for key, value in thing.items()) + "}"
    if isinstance(thing, (list, tuple)):
        return "[" + ", ".join(map(inner, thing)) + "]"
    if isinstance(thing, (set, frozenset)):
        return "{" + ", ".join(sorted(map(inner, thing))) + "}"
    if isinstance(thing, MethodType):
        return f"{inner(thing.__func__)} of {inner(thing.__self__)}"
    if isinstance(thing, FunctionType):
        return _function(thing, inner)
    if isinstance(thing, CodeType):
        return f"code({thing.co_code.hex()} {inner((thing.co_names, thing.co_varnames, thing.co_consts))})"
    if isinstance(thing, type):
        own = {name: value for name, value in vars(thing).items() if not name.startswith("__")}
        return thing.__qualname__ + ("" if is_library(thing.__module__) else inner(own))
    says_nothing = isinstance(thing, (Resource, Description)) or kind.__repr__ is object.__repr__
    if (says_nothing or is_dataclass(thing)) and hasattr(thing, "__dict__"):
        given = [f"{name.lstrip('_')}={inner(value)}" for name, value in vars(thing).items()]
        return f"{kind.__name__}({', '.join(given)})"
    text = show(thing, 1_000)
    try:
        return text if text != f"a {kind.__name__}" else inner(thing.__reduce_ex__(2))  # its parts, as pickle sees them
    except TypeError:  # it cannot be pickled
        return text


def _function(function: FunctionType, inner: Any) -> str:
    if is_library(function.__module__):
        return f"{function.__module__}.{function.__qualname__}"
    steps = [step for code in codes_in(function.__code__) for step in dis.get_instructions(code)]
    names = sorted({step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")})
    refers = {name: function.__globals__[name] for name in names if name in function.__globals__}
    cells = [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]  # an empty cell
    parts = (function.__code__, function.__defaults__, function.__kwdefaults__, cells, refers)
    return f"{function.__name__}{inner(parts)}"


def digest(text: str) -> str:
    """A short hash of the text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def of_simlib() -> str:
    """A hash of simlib's source: another version may measure something else."""
    return digest("".join(path.read_text(encoding="utf-8") for path in sorted(SIMLIB.rglob("*.py"))))
