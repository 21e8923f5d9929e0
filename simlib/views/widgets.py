"""What a learner moves: widgets, by ipywidgets."""

from __future__ import annotations

from html import escape
from typing import Any

from simlib.errors import Mistake
from simlib.process import Worker
from simlib.scenario import Scenario
from simlib.trace import Trace
from simlib.views.layout import Scene, scene, verb_of
from simlib.views.svg import svg_of


def crash_slider(scenario: Scenario, *workers: Worker) -> Any:
    """A slider that moves one crash through these implementations, and the lanes of what comes of it.

    Each picture is a run by the engine, worked out when the widget is made, so that moving the slider only shows it.
    Raises Mistake without ipywidgets.
    """
    ipywidgets = _ipywidgets()
    steps = len(_steps(scenario, workers))
    scenes = [_scene(scenario, workers, step) for step in range(steps + 1)]
    widest = max(one.width for one in scenes)
    pictures = [svg_of(one, widest) for one in scenes]
    names = ["nowhere", *(f"after step {step}, {name}" for step, name in enumerate(_steps(scenario, workers), start=1))]
    slider = ipywidgets.SelectionSlider(
        options=list(zip(names, range(steps + 1))), description="crash", continuous_update=True,
        layout=ipywidgets.Layout(width="420px"),
    )  # fmt: skip
    shown = ipywidgets.HTML(pictures[0])
    slider.observe(lambda change: setattr(shown, "value", pictures[change["new"]]), names="value")
    return ipywidgets.VBox([slider, shown])


def _scene(scenario: Scenario, workers: tuple[Worker, ...], step: int) -> Scene:
    traces: list[Trace] = [scenario.run(worker, crash_after=step or None) for worker in workers]
    return scene(traces, _watched(scenario))


def _steps(scenario: Scenario, workers: tuple[Worker, ...]) -> list[str]:
    """The steps of the implementation that has most of them, in words."""
    runs = [[verb_of(event.op) for event in scenario.run(worker).events if event.op] for worker in workers]
    return max(runs, key=len)


def _watched(scenario: Scenario) -> tuple[str, ...]:
    """The resources that the scenario's properties are about: their lanes stay when nothing is broken."""
    claims = (*scenario.always, *scenario.eventually, *scenario.sometimes)
    about = {name for claim in claims for name in claim.parameters}
    return tuple(name for name in scenario.resources if name in about)


class Prediction:
    """A question with answers to choose from. `answer` is the one chosen, None before."""

    def __init__(self, question: str, answers: tuple[str, ...]) -> None:
        ipywidgets = _ipywidgets()
        wide = ipywidgets.Layout(width="max-content")
        self._choice = ipywidgets.RadioButtons(options=answers, value=None, layout=wide)
        self._box = ipywidgets.VBox([ipywidgets.HTML(f"<b>{escape(question)}</b>"), self._choice])

    @property
    def answer(self) -> str | None:
        return self._choice.value  # type: ignore[no-any-return]

    def reveal(self, truth: str) -> None:
        """Print the learner's answer beside what happened."""
        print(f"You said: {self.answer or 'nothing yet'}.\nIt is: {truth}.")

    def _repr_mimebundle_(self, **how: Any) -> Any:
        return self._box._repr_mimebundle_(**how)


def predict(question: str, *answers: str) -> Prediction:
    """Ask the learner to commit to an answer before running what follows.

    Watching alone taught no more than no demonstration at all; predicting first did (Crouch et al., American
    Journal of Physics 72:835, 2004).
    """
    return Prediction(question, answers)


def _ipywidgets() -> Any:
    try:
        import ipywidgets
    except ImportError:
        raise Mistake("this needs ipywidgets: pip install 'midflight[notebooks]'.") from None
    return ipywidgets
