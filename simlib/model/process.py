"""One run of a worker: a generator, stepped by an engine, and checked for slips such as a forgotten `yield`."""

from __future__ import annotations

import ctypes
import functools
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FrameType, FunctionType, GeneratorType, MethodType, TracebackType
from typing import Any

from simlib.errors import ENDS_A_RUN, Mistake, Terminated, WorkerHangs
from simlib.model.builders import Bind
from simlib.model.operation import NOWHERE, Op, Where
from simlib.model.resource import Resource
from simlib.model.values import ATOMS, fresh
from simlib.text import name_of, said, show
from simlib.watchdog import Hanging, Watchdog

Worker = Callable[..., Iterator[Op]]  # a Generator is an Iterator
MOST_YIELDS_AT_THE_END = 20
Frames = list[tuple[FrameType, int]]  # from the worker inwards, each with its current line
LIBRARY = (os.path.dirname(os.__file__), "<frozen ")


class Process:
    """A worker between its start and its end. `op` is the step that it wants to take next, None if it has ended.

    `error` is the exception that ended it, None if it returned.
    """

    __slots__ = (
        "built", "error", "generator", "name", "op", "send", "stopped",
        "_function", "_given", "_handles", "_is_plain", "_places", "_raised", "_values", "_watchdog",
    )  # fmt: skip

    def __init__(
        self,
        function: Worker,
        resources: Mapping[str, Resource],
        values: Mapping[str, Any],
        watchdog: Watchdog,
        bind: Bind | None = None,
    ) -> None:
        self.name = name_of(function)
        self._function = function
        self._watchdog = watchdog
        self.built: list[Op | Mistake] = []  # since the last step was yielded
        self._handles = {name: resource.handle(name, self.built, bind) for name, resource in resources.items()}
        self._values = values
        self._places: dict[int, Where] = {}  # by its own line
        self._given = {**self._handles, **values}
        # Calling a generator function runs none of its code.
        is_generator = bool(function.__code__.co_flags & inspect.CO_GENERATOR)
        self._is_plain = is_generator and all(type(value) in ATOMS for value in values.values())
        self.begin()

    def begin(self) -> None:
        """Run it to its first step: at its start, and again when a run has ended and there is another task for it."""
        self.renew()
        self.answer(None)

    def renew(self) -> None:
        """Begin another run, and stop before its first line. `answer` or `advance` with None runs it to its first step.

        What an earlier run has left unyielded while it was killed counts for nothing.
        """
        self.error: BaseException | None = None
        self.op: Op | None = None
        self.stopped = False  # it was told to stop
        self._raised = NOWHERE
        self.built.clear()
        made: Any = self._function(**self._given) if self._is_plain else self._made()
        self.generator: GeneratorType[Any, Any, Any] = made
        self.send = self.generator.send

    def _made(self) -> GeneratorType[Any, Any, Any]:
        """What the function returns for copies of the values. Raises Mistake if that is no generator."""
        given = {**self._handles, **{name: fresh(value) for name, value in self._values.items()}}
        made: Any = None
        try:
            if self._function.__code__.co_flags & inspect.CO_GENERATOR:
                made = self._function(**given)
            else:
                made = self._watchdog.run(functools.partial(self._function, **given))
        except Hanging as hanging:  # a generator function runs no code before its first step, so this is not one
            raise self.hangs(hanging) from None
        except KeyboardInterrupt:
            raise
        except BaseException:
            pass
        if not isinstance(made, GeneratorType):
            if inspect.iscoroutine(made):
                made.close()
            raise Mistake(no_yield(self._function, made))
        return made

    @property
    def where(self) -> Where:
        """Where its step is in the learner's code; if an error ended it, where that was raised."""
        generator = self.generator
        if generator.gi_frame is None:
            return self._raised
        if generator.gi_yieldfrom is not None:
            return _place(_suspended(generator))
        line = generator.gi_frame.f_lineno
        found = self._places.get(line)
        if found is None:
            found = self._places[line] = _place(_suspended(generator))
        return found

    def answer(self, answer: Any) -> None:
        """Answer the worker's step, and run it to its next one. Raises WorkerHangs if it never gets there."""
        try:
            self._watchdog.run(self.advance, answer)
        except Hanging as hanging:
            raise self.hangs(hanging) from None

    def advance(self, answer: Any) -> None:
        """`answer` for a caller with a watchdog of its own, which turns Hanging into what `hangs` returns."""
        try:
            if type(answer) in ATOMS:
                asked = self.send(answer)
            elif isinstance(answer, BaseException):
                self.stopped |= isinstance(answer, Terminated)
                asked = self.generator.throw(type(answer)(*answer.args))
            else:
                asked = self.send(fresh(answer))
        except BaseException as error:
            self.ended_by(error)
            return
        self.op = self.checked(asked)

    def checked(self, asked: Any) -> Op:
        """What the worker has yielded, which is to be the step that it built, and the only one. Raises Mistake."""
        if type(asked) is not Op:
            raise Mistake(self._not_a_step(asked))
        built = self.built
        if len(built) == 1 and built[0] is asked:
            built.clear()
        else:
            self._check_forgotten(asked)
        return asked

    def ended_by(self, error: BaseException) -> None:
        """What it raised when it was answered has ended its run: StopIteration if it has returned. Raises Mistake for a
        slip, and what is to stop all of us.
        """
        if isinstance(error, StopIteration):
            self.op = None
            if self.built:
                self._check_forgotten(None)
            return
        if isinstance(error, Mistake):
            raise self._placed(error) from None
        if isinstance(error, (KeyboardInterrupt, Hanging)):
            raise error
        self._check_error(error)
        self._raised = _place(_passed(error.__traceback__))
        # `sys.exit()` is one more way in which a worker that was told to stop does so.
        self.op, self.error = None, Terminated() if self.stopped and isinstance(error, SystemExit) else error

    def hangs(self, hanging: Hanging) -> Mistake:
        """The mistake to raise if the worker was answered and never yielded again."""
        # In a thread, another Hanging struck the worker, and this one was raised because of it.
        struck = hanging if _passed(hanging.__traceback__) else hanging.__context__ or hanging
        return self._placed(self._hangs(hanging).with_traceback(struck.__traceback__))

    @staticmethod
    def _hangs(hanging: Hanging) -> WorkerHangs:
        if hanging.full:
            return WorkerHangs(f"{hanging.why} without reaching a `yield`: does something grow without end?")
        return WorkerHangs(
            f"{hanging.why} without reaching a `yield`: a loop with no step in it? "
            "To wait, yield a step: `yield clock.sleep(1)`."
        )

    def _check_forgotten(self, asked: Op | None) -> None:
        for built in self.built:
            if isinstance(built, Mistake):  # the worker's own `except` caught it
                raise self._placed(built) from None
            if built is not asked:
                raise Mistake(
                    f"{built.built_by(self.name)}: `{built}` was built but not yielded, so it never happened. "
                    f"Write `yield {built.resource}.{built.verb}(...)` where you build it."
                )
        self.built.clear()

    def _check_error(self, error: BaseException) -> None:
        """Raise Mistake if the worker's error comes from misusing steps, not from what it wanted to do."""
        kinds = "|".join(["Op", *{type(handle).__name__ for handle in self._handles.values()}])
        misused = re.search(rf"['\"]({kinds})['\"]|non-iterable ({kinds}) object|not ({kinds})$", said(error))
        if isinstance(error, Terminated) and not self.stopped:
            raise Mistake(
                f"{self._place_of(error)}nobody told the worker to stop. Terminated is raised by the fault `stops`; "
                "a worker that has done its task returns: `return`."
            )
        if isinstance(error, ENDS_A_RUN) or any(isinstance(built, Mistake) for built in self.built):
            self._check_forgotten(None)
        if not isinstance(error, (AttributeError, TypeError)) or misused is None:
            return
        where = self._place_of(error)
        if "Op" in misused.groups():
            self._check_forgotten(None)
            raise Mistake(f"{where}a step is used as if it were its answer. Write `answer = yield ...`, use `answer`.")
        how = "A worker reaches a resource by steps alone, such as `yield db.read(key)`."
        raise Mistake(f"{where}{said(error)}. {how}")

    def _place_of(self, error: BaseException) -> str:
        """The function and line where it was raised, to start a message with."""
        return self._beginning(_passed(error.__traceback__))

    def _beginning(self, frames: Frames) -> str:
        frame, line = _innermost(frames)
        return f"{Where(line).of(frame.f_code.co_name if frame else self.name)}: "

    def _placed(self, mistake: Mistake) -> Mistake:
        """The same mistake, saying where in the learner's code."""
        return type(mistake)(f"{self._place_of(mistake)}{mistake}")

    def _not_a_step(self, asked: Any) -> str:
        where = self._beginning(_suspended(self.generator))
        if inspect.isgenerator(asked):
            called = asked.gi_code.co_name
            asked.close()
            return f"{where}`yield {called}(...)` hands over a generator. Write `yield from {called}(...)`."
        if asked is None:
            return f"{where}a `yield` with nothing to do. Yield a step, such as `yield db.read(key)`."
        step = self._not_called(asked)
        if step:
            return f"{where}`yield {step}` is not a step yet. Call it: `yield {step}(...)`."
        what = f"{where}`yield {show(asked)}` is not a step."
        return f"{what} Yield what a resource's method gives: `yield db.read(key)`."

    def _not_called(self, asked: Any) -> str:
        """The name of the step whose method this is, empty if it is none."""
        if isinstance(asked, MethodType) and isinstance(asked.__self__, Resource):
            return f"{asked.__self__._name}.{asked.__name__}"
        quick = [
            f"{name}.{verb}" for name, one in self._handles.items() for verb in vars(one) if vars(one)[verb] is asked
        ]
        return quick[0] if isinstance(asked, FunctionType) and quick else ""

    def discard(self) -> None:
        """Let go of a process that will not run again.

        Closing a generator runs its `finally` blocks. Their steps are lazy data, so nothing happens in the world; if
        they yield or raise, the interpreter would complain on stderr. A generator that does not end when it is closed
        is never freed, since Python would close it again.
        """
        endless = self._watchdog.endless
        for _ in range(MOST_YIELDS_AT_THE_END if self.generator.gi_code not in endless else 0):
            try:
                self._watchdog.run(self.generator.close)
                return
            except Hanging:
                break
            except BaseException:  # nothing that a dying worker does has any effect
                continue
        endless.add(self.generator.gi_code)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.generator))


def no_yield(function: Worker, made: Any = None) -> str:
    """The message for a worker without a step."""
    where = f"{Where(function.__code__.co_firstlineno).of(function.__name__)}: "
    if inspect.iscoroutine(made) or inspect.isasyncgen(made):
        return f"{where}an `async def` is no worker. Write `def`, and `yield` instead of `await`."
    return (
        f"{where}there is no `yield`, so it has no steps: it would do nothing. "
        "Put `yield` before each call that touches a resource: `yield db.write(key, value)`."
    )


def _place(frames: Frames) -> Where:
    """The innermost of these frames, and the worker's own line if that is another function."""
    frame, line = _innermost(frames)
    if frame is None or frame is frames[0][0]:
        return Where(line)
    outer, own = frames[0]
    calls_itself = frame.f_code is outer.f_code and line == own
    return Where(line) if calls_itself else Where(line, frame.f_code.co_name, own)


def _innermost(frames: Frames) -> tuple[FrameType | None, int]:
    """The innermost frame with a name (a lambda has none), and the line that was reached."""
    named = [frame for frame, _ in frames if not frame.f_code.co_name.startswith("<")]
    return named[-1] if named else None, frames[-1][1] if frames else 0


def _suspended(generator: GeneratorType[Any, Any, Any]) -> Frames:
    """The frames of a worker that waits, and of each generator that it waits for in a `yield from`."""
    frames = []
    inner: Any = generator
    while isinstance(inner, GeneratorType) and inner.gi_frame is not None:
        frames.append((inner.gi_frame, inner.gi_frame.f_lineno or 0))
        inner = inner.gi_yieldfrom
    return _learners(frames)


def _passed(trace: TracebackType | None) -> Frames:
    """The frames that an error came through."""
    frames = []
    while trace is not None:
        frames.append((trace.tb_frame, trace.tb_lineno or 0))
        trace = trace.tb_next
    return _learners(frames)


def _learners(frames: Frames) -> Frames:
    """Only the frames of the learner's own code, not of a library that it called or that called it."""
    theirs = [(frame, line) for frame, line in frames if _module(frame) != "simlib"]
    return [(frame, line) for frame, line in theirs if not _in_a_library(_module(frame), frame.f_code)] or theirs[:1]


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _in_a_library(module: str, code: CodeType) -> bool:
    if module == "__main__":  # a notebook
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or code.co_filename
    compiled = "." in code.co_name  # by Cython, whose file names say nothing
    return compiled or file.startswith(LIBRARY) or "site-packages" in file
