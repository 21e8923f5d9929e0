"""One run of a worker: a generator, stepped by an engine, watched for what its author forgot."""

from __future__ import annotations

import ctypes
import functools
import inspect
import os
import re
import sys
from collections.abc import Callable, Generator, Mapping
from types import CodeType, GeneratorType, MethodType, TracebackType
from typing import Any

from simlib.errors import Mistake, OperationError, WorkerHangs
from simlib.ops import Op
from simlib.resources.base import Resource
from simlib.values import ATOMS, fresh, handed_over, said, show
from simlib.watchdog import Hanging, Watchdog

Worker = Callable[..., Generator[Op, Any, Any]]
MOST_YIELDS_AT_THE_END = 20
LIBRARY = (os.path.dirname(os.__file__), "<frozen ")


class Process:
    """A worker between its start and its end. `op` is the step that it wants to take next, None when it has ended.

    `error` is the exception that ended it, None when it returned.
    """

    __slots__ = ("error", "generator", "name", "op", "_built", "_function", "_handles", "_line", "_values", "_watchdog")

    def __init__(
        self, function: Worker, resources: Mapping[str, Resource], values: Mapping[str, Any], watchdog: Watchdog
    ) -> None:
        self.name = function.__name__
        self._function = function
        self._watchdog = watchdog
        self._built: list[Op | Mistake] = []
        self._handles = {name: resource.handle(name, self._built) for name, resource in resources.items()}
        self._values = values
        self.begin()

    def begin(self) -> None:
        """Let it run to its first step: at its start, and again when it has ended and there is another task for it."""
        self.error: BaseException | None = None
        self.op: Op | None = None
        self._line = 0
        given = {**self._handles, **{name: handed_over(value) for name, value in self._values.items()}}
        made: Any = None
        try:
            if self._function.__code__.co_flags & inspect.CO_GENERATOR:  # a call of it runs none of its code
                made = self._function(**given)
            else:
                made = self._watchdog.run(functools.partial(self._function, **given))
        except Hanging as hanging:  # a generator function runs no code before its first step, so this is none
            raise self.hangs(hanging) from None
        except KeyboardInterrupt:
            raise
        except BaseException:
            pass
        if not isinstance(made, GeneratorType):
            if inspect.iscoroutine(made):
                made.close()
            raise Mistake(no_yield(self._function, made))
        self.generator: GeneratorType[Any, Any, Any] = made
        self.answer(None)

    @property
    def line(self) -> int:
        """The source line of its step; where it has ended, that of its last one, or of the error that ended it."""
        frame = self.generator.gi_frame
        return self._line if frame is None else frame.f_lineno

    def answer(self, answer: Any) -> None:
        """Tell the worker what came of its step, and let it run to its next one."""
        try:
            self._watchdog.run(self.advance, answer)
        except Hanging as hanging:
            raise self.hangs(hanging) from None

    def advance(self, answer: Any) -> None:
        """The same for who watches over it himself: he deals with Hanging, as `hangs` says it."""
        try:
            if type(answer) in ATOMS:
                asked = self.generator.send(answer)
            elif isinstance(answer, BaseException):
                asked = self.generator.throw(type(answer)(*answer.args))
            else:
                asked = self.generator.send(fresh(answer))
        except StopIteration:
            self._line = self.op.line if self.op else 0
            self.op = None
            if self._built:
                self._check_forgotten(None)
            return
        except Mistake as mistake:
            raise self._placed(mistake) from None
        except (KeyboardInterrupt, Hanging):
            raise
        except BaseException as error:
            self._check_error(error)
            self._line = self._line_of(error) or (self.op.line if self.op else 0)
            self.op, self.error = None, error
            return
        if type(asked) is not Op:
            raise Mistake(self._not_a_step(asked))
        built = self._built
        if len(built) == 1 and built[0] is asked:
            built.clear()
        else:
            self._check_forgotten(asked)
        self.op = asked

    def hangs(self, hanging: Hanging) -> Mistake:
        """What to raise where it was told something and came to no end."""
        return self._placed(self._hangs(hanging).with_traceback(hanging.__traceback__))

    @staticmethod
    def _hangs(hanging: Hanging) -> WorkerHangs:
        if hanging.full:
            return WorkerHangs(f"{hanging.why} without reaching a `yield`: does something grow without end?")
        return WorkerHangs(
            f"{hanging.why} without reaching a `yield`: a loop with no step in it? "
            "To wait, yield a step: `yield clock.sleep(1)`."
        )

    def _check_forgotten(self, asked: Op | None) -> None:
        for built in self._built:
            if isinstance(built, Mistake):  # the worker's own `except` has caught it
                raise self._placed(built) from None
            if built is not asked:
                raise Mistake(
                    f"{self.name}, line {built.line}: `{built}` was built but not yielded, so it never happened. "
                    f"Write `yield {built.resource}.{built.verb}(...)` where you build it."
                )
        self._built.clear()

    def _check_error(self, error: BaseException) -> None:
        """Raise Mistake where a worker's error comes of a slip with its steps, and not of what it wanted to do."""
        kinds = "|".join(["Op", *{type(handle).__name__ for handle in self._handles.values()}])
        misused = re.search(rf"['\"]({kinds})['\"]|non-iterable ({kinds}) object|not ({kinds})$", said(error))
        if isinstance(error, OperationError) or any(isinstance(built, Mistake) for built in self._built):
            self._check_forgotten(None)
        if not isinstance(error, (AttributeError, TypeError)) or misused is None:
            return
        where = "{}, line {}: ".format(*_where(error.__traceback__, self.name))
        if "Op" in misused.groups():
            self._check_forgotten(None)
            raise Mistake(f"{where}a step is used as if it were its answer. Write `answer = yield ...`, use `answer`.")
        how = "A worker reaches a resource by steps alone, such as `yield db.read(key)`."
        raise Mistake(f"{where}{said(error)}. {how}")

    def _line_of(self, error: BaseException) -> int:
        """The worker's own line that the error passed through."""
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is self.generator.gi_code:
                line = trace.tb_lineno
            trace = trace.tb_next
        return line

    def _placed(self, mistake: Mistake) -> Mistake:
        """The same, saying where in the learner's code."""
        function, line = _where(mistake.__traceback__, self.name)
        return type(mistake)(f"{function}, line {line}: {mistake}")

    def _not_a_step(self, asked: Any) -> str:
        where = f"{self.name}, line {self.line}: "
        if inspect.isgenerator(asked):
            called = asked.gi_code.co_name
            asked.close()
            return f"{where}`yield {called}(...)` hands over a generator. Write `yield from {called}(...)`."
        if asked is None:
            return f"{where}a `yield` with nothing to do. Yield a step, such as `yield db.read(key)`."
        if isinstance(asked, MethodType) and isinstance(asked.__self__, Resource):
            step = f"{asked.__self__._name}.{asked.__name__}"
            return f"{where}`yield {step}` is not a step yet. Call it: `yield {step}(...)`."
        what = f"{where}`yield {show(asked)}` is not a step."
        return f"{what} Yield what a resource's method gives: `yield db.read(key)`."

    def discard(self) -> None:
        """Let go of a process that will not run again.

        Closing a generator runs its `finally` blocks. Their steps are lazy data, so nothing happens in the world;
        where they yield, or raise, the interpreter would complain on stderr. One that does not end when it is closed
        is never freed: Python would close it again.
        """
        endless = self._watchdog.endless
        for _ in range(MOST_YIELDS_AT_THE_END if self.generator.gi_code not in endless else 0):
            try:
                self._watchdog.run(self.generator.close)
                return
            except Hanging:
                break
            except BaseException:  # whatever a dying worker does has no effect on anything
                continue
        endless.add(self.generator.gi_code)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.generator))


def no_yield(function: Worker, made: Any = None) -> str:
    """The message for a worker that has no step."""
    where = f"{function.__name__}, line {function.__code__.co_firstlineno}: "
    if inspect.iscoroutine(made) or inspect.isasyncgen(made):
        return f"{where}an `async def` is no worker. Write `def`, and `yield` instead of `await`."
    return (
        f"{where}there is no `yield`, so it has no steps: it would do nothing. "
        "Put `yield` before each call that touches a resource: `yield db.write(key, value)`."
    )


def _where(trace: TracebackType | None, worker: str) -> tuple[str, int]:
    """The function and line of the learner's own that was last reached: not those of a library that it called."""
    function, line = worker, 0
    while trace is not None:
        frame = trace.tb_frame
        module = frame.f_globals.get("__name__", "").partition(".")[0]
        if module != "simlib" and not (line and _in_a_library(module, frame.f_code)):
            named = not frame.f_code.co_name.startswith("<")
            function, line = frame.f_code.co_name if named else worker, trace.tb_lineno
        trace = trace.tb_next
    return function, line


def _in_a_library(module: str, code: CodeType) -> bool:
    if module == "__main__":  # a notebook
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or code.co_filename
    compiled = "." in code.co_name  # by Cython: it names its files as it likes
    return compiled or file.startswith(LIBRARY) or "site-packages" in file
