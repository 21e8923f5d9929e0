"""One run of a worker: a generator, stepped by an engine, watched for what its author forgot."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from typing import Any

from simlib.errors import Mistake
from simlib.ops import Op
from simlib.resources.base import Resource
from simlib.values import fresh, show

Worker = Callable[..., Generator[Op, Any, Any]]


class Process:
    """A worker between its start and its end. `op` is the step that it wants to take next, None when it has ended.

    `error` is the exception that ended it, None when it returned.
    """

    __slots__ = ("error", "generator", "line", "name", "op", "_built")

    def __init__(self, function: Worker, resources: Mapping[str, Resource], values: Mapping[str, Any]) -> None:
        self.name = function.__name__
        self._built: list[Op] = []
        self.error: BaseException | None = None
        self.line = 0
        self.op: Op | None = None
        handles = {name: resource.handle(name, self._built) for name, resource in resources.items()}
        given = {name: fresh(value) for name, value in values.items()}
        made = function(**handles, **given)
        if not inspect.isgenerator(made):
            raise Mistake(no_yield(function))
        self.generator = made
        self._resume(made.send, None)

    def answer(self, answer: Any) -> None:
        """Tell the worker what came of its step, and let it run to its next one."""
        if isinstance(answer, BaseException):
            self._resume(self.generator.throw, type(answer)(*answer.args))
        else:
            self._resume(self.generator.send, fresh(answer))

    def _resume(self, go: Callable[[Any], Any], told: Any) -> None:
        try:
            asked = go(told)
        except StopIteration:
            self.op = None
            self._check_forgotten(None)
            return
        except Mistake:
            raise
        except (Exception, GeneratorExit, SystemExit) as error:
            self.op, self.error = None, error
            return
        self.line = self.generator.gi_frame.f_lineno
        if not isinstance(asked, Op):
            raise Mistake(self._not_a_step(asked))
        self._check_forgotten(asked)
        self.op = asked

    def _check_forgotten(self, asked: Op | None) -> None:
        for op in self._built:
            if op is not asked:
                raise Mistake(
                    f"{self.name}, line {op.line}: `{op}` was built but not yielded, so it never happened. "
                    f"Write `yield {op.resource}.{op.verb}(...)` where you build it."
                )
        self._built.clear()

    def _not_a_step(self, asked: Any) -> str:
        where = f"{self.name}, line {self.line}: "
        if inspect.isgenerator(asked):
            called = asked.gi_code.co_name
            asked.close()
            return f"{where}`yield {called}(...)` hands over a generator. Write `yield from {called}(...)`."
        if asked is None:
            return f"{where}a `yield` with nothing to do. Yield a step, such as `yield db.read(key)`."
        return f"{where}`yield {show(asked)}` is not a step. Yield what a resource's method gives: `yield db.read(key)`."

    def discard(self) -> None:
        """Let go of a process that will not run again.

        Closing a generator runs its `finally` blocks. Their steps are lazy data, so nothing happens in the world;
        where they yield, or raise, the interpreter would complain on stderr.
        """
        for _ in range(100):
            try:
                self.generator.close()
                return
            except BaseException:  # noqa: BLE001  whatever a dying worker does has no effect on anything
                continue


def no_yield(function: Worker) -> str:
    """The message for a worker that has no step."""
    return (
        f"{function.__name__} has no `yield`, so it has no steps: it would do nothing. "
        "Put `yield` before each call that touches a resource: `yield db.write(key, value)`."
    )
