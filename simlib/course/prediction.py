"""Predictions: the learner commits to an answer before running what follows, and at the end sees their calibration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simlib.course.widgets import ipywidgets
from simlib.errors import Mistake
from simlib.text import did_you_mean, listed, plural, show
from simlib.views.markup import escape

SURE = {"a guess": None, "70 % sure": 0.7, "90 % sure": 0.9, "certain": 0.99}
FAR_OFF = 0.15  # between confidence and share right: less is noise in a few predictions


@dataclass(frozen=True)
class Committed:
    """The learner's answer before the run, and the truth. `sure` is a probability."""

    question: str
    said: str
    sure: float
    truth: str

    @property
    def right(self) -> bool:
        return self.said == self.truth

    @property
    def claim(self) -> str:
        return f"You said: {self.said} ({_percent(self.sure)} sure)"

    def __str__(self) -> str:
        verdict = "right" if self.right else f"it is: {self.truth}"
        return f"{self.question} {self.claim}; {verdict}."


class Prediction:
    """A question with a choice of answers and the learner's confidence. `answer` is the chosen one, None before."""

    def __init__(self, question: str, answers: tuple[str, ...]) -> None:
        if len(answers) < 2 or not all(isinstance(answer, str) for answer in answers):
            raise Mistake(f"predict({show(question)}, ...): give two answers or more to choose from, as text.")
        widgets = ipywidgets()
        self.question = question
        self.answers = answers
        self.committed: Committed | None = None
        wide = widgets.Layout(width="max-content")
        self._choice = widgets.RadioButtons(options=answers, value=None, layout=wide)
        self._sure = widgets.ToggleButtons(options=list(SURE), value="a guess", style={"button_width": "max-content"})
        code = re.sub("`(.*?)`", r"<code>\1</code>", escape(question))
        asked = widgets.HTML(f"<b>{code}</b>")
        self._box = widgets.VBox([asked, self._choice, widgets.HTML("How sure are you?"), self._sure])

    @property
    def answer(self) -> str | None:
        return self._choice.value  # type: ignore[no-any-return]

    @property
    def sure(self) -> float:
        """The learner's probability for their answer; for a guess, one over the number of answers."""
        return SURE[self._sure.value] or 1 / len(self.answers)

    def reveal(self, truth: str) -> None:
        """Print the learner's answer beside the truth, and lock it. Raises Mistake if `truth` is not an answer."""
        if truth not in self.answers:
            near = did_you_mean(str(truth), self.answers)
            raise Mistake(
                f"reveal({show(truth)}): that is none of the answers, {listed(list(self.answers), 'or')}.{near}"
            )
        if self.answer is None:
            print(f"You made no prediction.\nIt is: {truth}.")
            return
        if self.committed is None:
            self.committed = Committed(self.question, self.answer, self.sure, truth)
            self._choice.disabled = self._sure.disabled = True
        print(f"{self.committed.claim}.\n{'And so it is.' if self.committed.right else f'It is: {truth}.'}")

    def _repr_mimebundle_(self, **how: Any) -> Any:
        return self._box._repr_mimebundle_(**how)


def predict(question: str, *answers: str) -> Prediction:
    """Ask the learner to commit to an answer, and to how sure they are, before running what follows.

    Watching a demonstration taught no more than seeing none at all; predicting first did (Crouch et al., American
    Journal of Physics 72:835, 2004). Raises Mistake for fewer than two answers.
    """
    return Prediction(question, answers)


@dataclass(frozen=True)
class Calibration:
    """How sure the learner was, compared with how often they were right."""

    made: tuple[Committed, ...]

    @property
    def share_right(self) -> float:
        return sum(one.right for one in self.made) / len(self.made)

    @property
    def mean_sure(self) -> float:
        return sum(one.sure for one in self.made) / len(self.made)

    def __repr__(self) -> str:
        if not self.made:
            return "You made no predictions. Choose an answer before you run what follows it, and run this cell again."
        right = sum(one.right for one in self.made)
        head = f"{plural(len(self.made), 'prediction')}, {right} right ({_percent(self.share_right)}); "
        head += f"on average you were {_percent(self.mean_sure)} sure. {self._advice()}"
        return "\n".join([head, *(f"  {one}" for one in self.made)])

    def _advice(self) -> str:
        gap = self.mean_sure - self.share_right
        few = " So few say little; keep count over the lessons." if len(self.made) < 5 else ""
        if gap > FAR_OFF:
            return f"You were surer than you were right: look again before you say certain.{few}"
        if gap < -FAR_OFF:
            return f"You were righter than you were sure: you may trust yourself more.{few}"
        return f"You were about as sure as you were right.{few}"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def calibration(*predictions: Prediction) -> Calibration:
    """Sum up a lesson's predictions: of those made and revealed, how many were right, and how sure the learner was."""
    return Calibration(tuple(one.committed for one in predictions if one.committed))
