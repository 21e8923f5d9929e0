"""Argument checks: unknown names, missing arguments, numbers out of range, and messages that say what to write."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, get_args

from simlib.errors import Mistake
from simlib.text import listed, nearest, show

P = ParamSpec("P")
R = TypeVar("R")
LARGEST = 2**63 - 1
LEFT_OUT = type("LeftOut", (), {"__repr__": lambda self: "..."})()  # a default that is documented elsewhere
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

# Numbers


def whole_number(name: str, value: Any, least: int = 0, most: int = LARGEST, *, of: str = "", or_: str = "") -> int:
    """`value` as an int. Raises Mistake unless it is a whole number from `least` to `most`.

    An integer of another library (numpy's) is accepted. True is not: it is a truth value. Nor is 2.0: a count is exact.
    """
    if isinstance(value, numbers.Integral) and not isinstance(value, bool) and least <= int(value) <= most:
        return int(value)
    to = f"from {least} to {most}" if most < LARGEST else f"from {least} on"
    raise Mistake(f"{name}={show(value)}: give a whole number{of} {to}{or_}.")


def number(name: str, value: Any, least: float = 0, most: float = math.inf, *, of: str = "", or_: str = "") -> float:
    """`value` as an int or a float. Raises Mistake unless it is a finite number from `least` to `most`."""
    found = as_number(value)
    if found is not None and least <= found <= most:
        return found
    to = f"from {least:g} to {most:g}" if most < math.inf else f"from {least:g} on"
    raise Mistake(f"{name}={show(value)}: give a number{of} {to}{or_}.")


def above_zero(name: str, value: Any, *, of: str = "", or_: str = "") -> float:
    """`value` as an int or a float. Raises Mistake unless it is a finite number above 0."""
    found = as_number(value)
    if found is not None and found > 0:
        return found
    raise Mistake(f"{name}={show(value)}: give a number{of} above 0{or_}.")


def as_number(value: Any) -> float | None:
    """`value` as an int or a float; None if it is not a number, not finite, or a bool."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        found = int(value) if isinstance(value, numbers.Integral) else float(value)
        return found if math.isfinite(found) else None
    except OverflowError:  # an int or a fraction too large for a float
        return None


# Names


def unknown(name: str, call: str, known: Iterable[str], instead: Mapping[str, str] | None = None) -> str:
    """The message for an argument that `call` does not take. `instead` maps names that belong elsewhere to a
    sentence.
    """
    known, instead = [*known], instead or {}
    near = nearest(name, [*known, *instead])
    said = f"`{name}` is nothing that {call} takes."
    if name in instead or near in instead:
        return f"{said} {instead[name if name in instead else near or name]}"
    return f"{said} Did you mean `{near}`?" if near else f"{said} It takes {listed(known or ['nothing else'])}."


def public(
    *,
    instead: Mapping[str, str] | None = None,
    first: type | None = None,
    closed: bool = True,
    order: Sequence[str] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that learners call: a bad call raises Mistake, and each Mistake's traceback ends at their
    line.

    `**rest` accepts the names of its TypedDict, listed in this `order`; any name if not `closed`. `inspect.signature`
    has them, and so `help` and Tab. `instead` maps names that belong elsewhere to a sentence. `first` is the required
    type of the first argument; with it, a `*args` parameter needs at least one argument.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        spelled = _spelled(function, order)
        check = _checks(function, spelled if closed else None, instead or {}, first)

        @functools.wraps(function)
        def asked(*args: P.args, **kwargs: P.kwargs) -> R:
            __tracebackhide__ = True  # pytest leaves this frame out
            try:
                check(args, kwargs)
                return function(*args, **kwargs)
            except Mistake as mistake:
                raise mistake.with_traceback(None) from mistake.__cause__

        vars(asked)["__signature__"] = spelled
        return asked

    return decorate


def _spelled(function: Callable[..., Any], order: Sequence[str]) -> inspect.Signature:
    """The signature, with `**rest` expanded into the names of its TypedDict."""
    signature = inspect.signature(function)
    *others, last = signature.parameters.values()
    if last.kind is not last.VAR_KEYWORD or "Unpack" not in str(last.annotation):
        return signature
    (names,) = get_args(eval(last.annotation, inspect.unwrap(function).__globals__))
    place = {name: number for number, name in enumerate(order)}
    others += [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=LEFT_OUT, annotation=getattr(kind, "__forward_arg__", kind)
        )
        for name, kind in sorted(inspect.get_annotations(names).items(), key=lambda one: place.get(one[0], -1))
        if name not in signature.parameters or signature.parameters[name].kind not in BY_NAME
    ]
    return signature.replace(parameters=others)


def _checks(
    function: Callable[..., Any], spelled: inspect.Signature | None, instead: Mapping[str, str], first: type | None
) -> Callable[[tuple[Any, ...], Mapping[str, Any]], None]:
    """A function that checks a call and raises Mistake. `spelled` has the accepted names; None accepts any."""
    signature = inspect.signature(function)
    parameters = [*signature.parameters.values()]
    taken = [*(spelled or signature).parameters.values()]
    anything = any(one.kind is one.VAR_KEYWORD for one in taken)
    places = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    known = [one.name for one in taken if one.kind in BY_NAME and one.name != "self"]
    usage = _usage(parameters, anything)
    several = next((place for place, one in enumerate(parameters) if one.kind is one.VAR_POSITIONAL), 0)
    owner, _, call = function.__qualname__.rpartition(".")
    call = owner if call == "__init__" else call

    def check(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        for name in kwargs:
            if name not in known and not anything:
                left = [one for one in known if one not in places[: len(args)]]
                raise Mistake(unknown(name, call, left, instead))
        misfit = why_unfit(signature, args, kwargs)
        if misfit:
            raise Mistake(f"{call}(...) {misfit}. Write {call}({usage}).")
        if first is not None:
            given = args[0] if args else kwargs[parameters[0].name]
            if not isinstance(given, first):
                wanted = f"the {first.__name__.lower()} comes first"
                raise Mistake(f"{call}({named(given)}, ...): {wanted}. Write {call}({usage}).")
            if several and len(args) <= several:
                raise Mistake(f"give the implementations: {call}({usage}).")

    return check


def why_unfit(signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Why these arguments do not fit, as the end of a sentence ("is missing ..."); empty if they do."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        text = str(error).replace("'", "`")
        verb = {"missing": "is ", "got": ""}.get(text.split()[0], "has ")
        return verb + text
    return ""


def _usage(parameters: Iterable[inspect.Parameter], anything: bool) -> str:
    """How to call it: required arguments, then required or optional keywords: `worker, workers=...`."""
    words, by_name, may = [], [], ["name=..."] if anything else []
    for one in parameters:
        needed = one.default is one.empty
        if one.kind is one.VAR_POSITIONAL:
            words += [one.name.removesuffix("s"), "..."]
        elif one.kind is one.POSITIONAL_OR_KEYWORD and needed and one.name != "self":
            words.append(one.name)
        elif one.kind is one.KEYWORD_ONLY and needed:
            by_name.append(f"{one.name}=...")
        elif one.kind is one.KEYWORD_ONLY:
            may.append(f"{one.name}=...")
    return ", ".join([*words, *(by_name or may[:1])])


def named(thing: Any) -> str:
    """The argument in a few words: plain data and functions as written, anything else by its type."""
    plain = isinstance(thing, (str, bytes, int, float, type(None), list, tuple, dict, set, type)) or callable(thing)
    return show(thing) if plain else f"a {type(thing).__name__}"
