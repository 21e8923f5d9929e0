"""Closures in place of a handle's most usual methods: each builds a step that is already bound to what carries it out.

An engine that takes millions of steps asks for them. Arguments that need a check, a copy or a sentence about what is
wrong with them go the usual way, through the method itself.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any

from simlib.model.operation import Op

Kinds = frozenset[Any]
# The types of a step's arguments, if these are to be taken as they are; or a function that says so of the arguments.
Fits = tuple[()] | tuple[Kinds] | tuple[Kinds, Kinds] | Callable[..., bool]
Bind = Callable[[str, str], Any]  # what an engine binds a step to: by the resource's name and the verb
Build = Callable[..., Op]
frame_of = sys._getframe


def builders(
    handle: Any, name: str, note: Callable[[Any], None], usual: Mapping[str, Fits], bind: Bind
) -> dict[str, Build]:
    """For each of these verbs the closure for a worker's handle. `note` is told of each step that is built."""
    return {verb: _builder(handle, name, verb, note, fits, bind(name, verb)) for verb, fits in usual.items()}


def _builder(handle: Any, name: str, verb: str, note: Callable[[Any], None], fits: Fits, bound: Any) -> Build:
    method = getattr(type(handle), verb)

    def usual(caller: Any, args: Any, kwargs: Any) -> Op:
        op: Op = method(handle, *args, **kwargs)
        op.at, op.code = caller.f_lasti, caller.f_code
        return op

    if callable(fits):
        build = _that_fits(name, verb, note, fits, bound, usual)
    else:
        of: tuple[Callable[..., Build], ...] = (_of_none, _of_one, _of_two)
        build = of[len(fits)](name, verb, note, *fits, bound, usual)
    return functools.wraps(method)(build)


def _of_none(name: str, verb: str, note: Callable[[Any], None], bound: Any, usual: Build) -> Build:
    def build(*args: Any, **kwargs: Any) -> Op:
        caller = frame_of(1)
        if args or kwargs:
            return usual(caller, args, kwargs)
        op = Op(name, verb, args, kwargs, caller.f_lasti, caller.f_code, bound)
        note(op)
        return op

    return build


def _of_one(name: str, verb: str, note: Callable[[Any], None], kinds: Kinds, bound: Any, usual: Build) -> Build:
    def build(*args: Any, **kwargs: Any) -> Op:
        caller = frame_of(1)
        if kwargs or len(args) != 1 or type(args[0]) not in kinds:
            return usual(caller, args, kwargs)
        op = Op(name, verb, args, kwargs, caller.f_lasti, caller.f_code, bound)
        note(op)
        return op

    return build


def _of_two(
    name: str, verb: str, note: Callable[[Any], None], first: Kinds, second: Kinds, bound: Any, usual: Build
) -> Build:
    def build(*args: Any, **kwargs: Any) -> Op:
        caller = frame_of(1)
        if kwargs or len(args) != 2 or type(args[0]) not in first or type(args[1]) not in second:
            return usual(caller, args, kwargs)
        op = Op(name, verb, args, kwargs, caller.f_lasti, caller.f_code, bound)
        note(op)
        return op

    return build


def _that_fits(
    name: str, verb: str, note: Callable[[Any], None], fits: Callable[..., bool], bound: Any, usual: Build
) -> Build:
    def build(*args: Any, **kwargs: Any) -> Op:
        caller = frame_of(1)
        if kwargs or not args or not fits(*args):
            return usual(caller, args, kwargs)
        op = Op(name, verb, args, kwargs, caller.f_lasti, caller.f_code, bound)
        note(op)
        return op

    return build
