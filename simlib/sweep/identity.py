"""What a thing is, in words that are the same in every process: tells whether a file is of the same sweep."""

from __future__ import annotations

import dis
import functools
import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

from simlib.model.resource import Resource
from simlib.model.values import ATOMS, SCALARS
from simlib.scenario.description import Description
from simlib.text import show

SIMLIB = Path(__file__).parent.parent
LIBRARY = (os.path.dirname(os.__file__), str(SIMLIB), "<frozen ")


def describe(thing: Any, within: frozenset[int] = frozenset()) -> str:
    """Equal for what behaves alike. Of a function that is its code, its defaults and what they refer to; the names of
    libraries stand for what is in them. `within` are the ids of what is being described.
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
        return thing.__qualname__ + ("" if _is_library(_file(thing)) else inner(own))
    if (
        isinstance(thing, (Resource, Description))
        or kind.__repr__ is object.__repr__
        or hasattr(thing, "__dataclass_fields__")
    ):
        given = [f"{name.lstrip('_')}={inner(value)}" for name, value in getattr(thing, "__dict__", {}).items()]
        return f"{kind.__name__}({', '.join(given)})"
    return show(thing, 1_000)


def _function(function: FunctionType, inner: Any) -> str:
    if _is_library(function.__code__.co_filename):
        return f"{function.__module__}.{function.__qualname__}"
    refers = {name: function.__globals__[name] for name in _globals(function.__code__) if name in function.__globals__}
    cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    parts = (function.__code__, function.__defaults__, function.__kwdefaults__, cells, refers)
    return f"{function.__name__}{inner(parts)}"


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _globals(code: CodeType) -> list[str]:
    """The global names that the code asks for, those of the functions within it too."""
    names = [step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    for inner in code.co_consts:
        names += _globals(inner) if isinstance(inner, CodeType) else []
    return sorted({*names})


def _file(kind: type) -> str:
    """Where it was written; one that was written in C belongs to a library."""
    if kind.__module__ == "__main__":
        return ""
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or LIBRARY[0]


def _is_library(file: str) -> bool:
    return file.startswith(LIBRARY) or "site-packages" in file


def digest(text: str) -> str:
    """A short name for a long text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def of_simlib() -> str:
    """Which simlib this is: another one may measure something else."""
    return digest("".join(path.read_text(encoding="utf-8") for path in sorted(SIMLIB.rglob("*.py"))))
