"""Properties: plain functions, each named after the claim that should be true."""

from __future__ import annotations

import ast
import dis
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simlib.errors import Mistake, NotDeterministic
from simlib.model.asked import asks
from simlib.model.operation import Where
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.model.values import fresh
from simlib.model.view import View
from simlib.text import name_of, said, show
from simlib.watchdog import Hanging

ONLY_WHAT_IT_IS_GIVEN = (
    "A property may depend on nothing but what it is given: no memory of earlier questions, no `random`, no clock."
)


@dataclass(frozen=True)
class Property:
    """One claim about the world. `parameters` name the resources that it looks at."""

    function: Callable[..., bool]
    parameters: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raises NotDeterministic if the function reads something it is not given, such as a clock: each try may happen
        to get the same answer.
        """
        asked = asks(self.function)
        if asked is not None:
            raise NotDeterministic(f"{self._where}: it asks `{asked}`. {ONLY_WHAT_IT_IS_GIVEN}")

    @property
    def name(self) -> str:
        return name_of(self.function)

    def __repr__(self) -> str:
        return f"<property {self.name}>"

    @property
    def _where(self) -> str:
        """Its name and first line."""
        return Where(self.function.__code__.co_firstlineno).of(f"property {self.name}")

    def holds(self, states: Mapping[str, Any]) -> bool:
        """Whether it is true of these states. Raises Mistake unless it answers True or False."""
        seen = self._seen(states)
        try:
            verdict = self.function(**seen)
        except (KeyboardInterrupt, Hanging):
            raise
        except BaseException as error:  # also SystemExit
            raise Mistake(self._failed(error)) from None
        if isinstance(verdict, bool):
            return verdict
        raise Mistake(f"{self._where}: {self._no_answer(verdict)}")

    def _no_answer(self, verdict: Any) -> str:
        if inspect.iscoroutine(verdict) or inspect.isasyncgen(verdict):
            if inspect.iscoroutine(verdict):
                verdict.close()
            return "it is an `async def`. Write `def`: a property waits for nothing."
        if verdict is None and self._asserts:
            return self._says_assert()
        if verdict is None:
            return "it returned None. End it with `return` and what should be true."
        if inspect.isgenerator(verdict):
            return "it has a `yield`. A property takes no steps, it looks: write `db[key]` for `yield db.read(key)`."
        expression = self._returned
        what = show(verdict) if expression is None else _source(expression)
        return f"it returned {show(verdict)}. Return True or False, such as `return {what} == ...`."

    def remembered(self, changed: str) -> str:
        """The message for a property that can tell one call from the next by what is called `changed`."""
        return (
            f"{self._where}: `{changed}`, which it reaches and is not given, changed while it was asked. "
            f"{ONLY_WHAT_IT_IS_GIVEN}"
        )

    def two_answers(self, first: bool, states: Mapping[str, Any]) -> str:
        """The message for a property that gives two answers about the same states."""
        found = ", ".join(f"{name}: {state.summary()}" for name, state in self._states(states)) or "nothing to look at"
        return (
            f"{self._where}: asked twice of the same ({found}), it said first {first}, then {not first}. "
            f"{ONLY_WHAT_IT_IS_GIVEN}"
        )

    def because(self, states: Mapping[str, Any]) -> str:
        """What it expects and what it found: each side of its comparison, with its value."""
        found = ", ".join(f"{name}: {state.summary()}" for name, state in self._states(states))
        expression = self._returned
        if expression is None:
            return found
        scope = {**self.function.__globals__, **inspect.getclosurevars(self.function).nonlocals, **self._seen(states)}
        text = ast.unparse(expression).replace("'", '"')
        if isinstance(expression, ast.Compare):
            sides = [side for side in (expression.left, *expression.comparators) if _looks(side)]
            try:
                values = [f"{_source(side)} is {show(_value(side, scope))}" for side in sides]
            except Exception:  # in `a < b < c`, c is not evaluated if a < b is false, and may have no value
                return f"expected {text}, found {found}"
            return f"expected {text}, found that {' and '.join(values)}"
        return f"expected {text}, found {found}"

    def _states(self, states: Mapping[str, Any]) -> list[tuple[str, State]]:
        return [(name, states[name]) for name in self.parameters if isinstance(states[name], State)]

    def _seen(self, states: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: states[name].seen() if isinstance(states[name], State) else fresh(states[name])
            for name in self.parameters
        }

    def _failed(self, error: BaseException) -> str:
        where = Where(_line_in(self.function, error)).of(f"property {self.name}") + ": "
        if isinstance(error, AssertionError) and self._asserts:
            return where + self._says_assert()
        if isinstance(error, AttributeError) and isinstance(error.obj, View):
            return f"{where}{error}"
        if isinstance(error, TypeError) and "'View' object" in said(error):
            return f"{where}a property may look at the resources, not change them."
        if isinstance(error, NameError):
            return f"{where}{error}. A property reaches a resource through a parameter of its name."
        kinds = [f"'{kind.__name__}' object" for kind in Resource.__subclasses__()]
        if isinstance(error, Mistake) or any(kind in said(error) for kind in kinds):
            return f"{where}this resource is a global. A property reaches it through a parameter of its name."
        always = "A property must answer in every state, also before anything has happened."
        return f"{where}{show(error)}. {always}"

    @cached_property
    def _asserts(self) -> bool:
        """Whether it contains an `assert`: in its source, since pytest rewrites the code of one; or in its code."""
        steps = dis.get_instructions(self.function)
        known = any(step.opname == "LOAD_ASSERTION_ERROR" or step.argval is AssertionError for step in steps)
        return known or any(isinstance(part, ast.Assert) for line in self._body for part in ast.walk(line))

    def _says_assert(self) -> str:
        asserted = [line.test for line in self._body if isinstance(line, ast.Assert)]
        condition = _source(asserted[0]) if len(asserted) == 1 else "<condition>"
        return f"it uses `assert`. A property answers: write `return {condition}`."

    @cached_property
    def _returned(self) -> ast.expr | None:
        """The expression that it returns, if that is all it does."""
        body = self._body
        simple = [line for line in body if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))]
        only = simple[0] if len(simple) == 1 else None
        return only.value if isinstance(only, ast.Return) else None

    @property
    def _body(self) -> list[ast.stmt]:
        """Its statements; none if there is no source, or it is a lambda in the middle of a line."""
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(self.function)))
        except (OSError, SyntaxError, TypeError):
            return []
        return tree.body[0].body if isinstance(tree.body[0], ast.FunctionDef) else []


def _looks(expression: ast.expr) -> bool:
    """Whether it contains a name: a literal's value needs no explaining."""
    return any(isinstance(part, ast.Name) for part in ast.walk(expression))


def _source(expression: ast.expr) -> str:
    return ast.unparse(expression).replace("'", '"')


def _value(expression: ast.expr, scope: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(expression), "<property>", "eval"), scope)


def _line_in(function: Callable[..., Any], error: BaseException) -> int:
    """The last line of `function` itself in the error's traceback."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is function.__code__:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
