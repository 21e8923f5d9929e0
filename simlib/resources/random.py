"""Random choices, which workers ask for instead of making them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simlib.errors import Mistake
from simlib.model.operation import OK, Op, Outcome
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.text import show


@dataclass
class RandomState(State):
    """Draws are independent: there is nothing to hold."""

    remote = False

    def choices(self, op: Op) -> int:
        return len(op.args[0])

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        return op.args[0][int(outcome.choice or 0)]

    def on_choice(self, who: str, options: Sequence[Any]) -> Any:
        return options[0]

    def summary(self) -> str:
        return ""


class Random(Resource):
    """A source of random choices. `explore` tries every option, `simulate` draws one from its seed.

    Modelled on `random.choice`: uniform and independent. Left out: generators that repeat after a restart.
    """

    def initial(self, name: str) -> RandomState:
        return RandomState()

    def choice(self, options: Sequence[Any]) -> Op:
        """Answers one of the options. Raises Mistake unless they are a non-empty list, tuple, range or text."""
        if not isinstance(options, (list, tuple, range, str)) or not options:
            raise Mistake(f"choice({show(options)}): give at least one option, in a list, a tuple or a range.")
        return Op(self._name, "choice", (options,))
