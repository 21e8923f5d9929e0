"""The incident room as buttons. Every button calls a method of the incident."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simlib.course.catalogue import BOUNDARIES
from simlib.course.incident import Incident
from simlib.course.widgets import ipywidgets
from simlib.errors import Mistake
from simlib.views.markup import escape


class Room:
    """An incident's buttons and its log. It makes no decisions of its own."""

    def __init__(self, incident: Incident) -> None:
        widgets = ipywidgets()
        self.incident = incident
        wide = widgets.Layout(width="max-content")
        rows = widgets.Layout(flex_flow="row wrap")
        self._wide = wide
        self.checks = {
            check.name: self._button(f"{check.name} · {check.minutes:g} min", incident.check, check.name)
            for check in incident.plans.catalogue.checks
        }
        self.boundaries = {one: self._button(one, incident.commit, one) for one in BOUNDARIES}
        self.fixes: dict[str, Any] = {}
        self._fix_box = widgets.HBox([widgets.HTML("Those of the boundary that you commit to.")], layout=rows)
        self._page = widgets.HTML()
        self._said = widgets.HTML()
        heading = widgets.HTML
        self._box = widgets.VBox([
            self._page,
            heading("<b>Check</b>"), widgets.HBox([*self.checks.values()], layout=rows),
            heading("<b>Commit to the boundary that is failing</b>"),
            widgets.HBox([*self.boundaries.values()], layout=rows),
            heading("<b>Fix</b>"), self._fix_box, self._said,
        ])  # fmt: skip
        self._show("")

    def _button(self, text: str, act: Callable[[str], Any], name: str) -> Any:
        button = ipywidgets().Button(description=text, layout=self._wide)
        button.on_click(lambda _: self._do(act, name))
        return button

    def _do(self, act: Callable[[str], Any], name: str) -> None:
        try:
            act(name)
        except Mistake as mistake:
            self._show(str(mistake))
        else:
            self._show("")

    def _show(self, mistake: str) -> None:
        incident = self.incident
        log = "".join(f"<li>{escape(str(entry))}</li>" for entry in incident.log)
        state = "It is over, and time for its debrief" if incident.over else "Open"
        self._page.value = (
            f"<b>Incident {incident.seed}.</b> {escape(incident.symptom)}.<br>"
            f"{incident.minutes:g} minutes of outage. {state}.<ol>{log}</ol>"
        )
        self._said.value = f"<i>{escape(mistake)}</i>" if mistake else ""
        asked = {step.check.name for step in incident.steps}
        for name, button in self.checks.items():
            button.disabled = incident.over or name in asked
        for boundary, button in self.boundaries.items():
            button.disabled = incident.over or incident.commits[-1:] == [boundary]
            button.description = f"◆ {boundary}" if incident.commits[-1:] == [boundary] else boundary
        names = [fix.fix for fix in incident.fixes()]
        if list(self.fixes) != names:
            minutes = {fix.fix: fix.minutes for fix in incident.fixes()}
            self.fixes = {name: self._button(f"{name} · {minutes[name]:g} min", incident.fix, name) for name in names}
            self._fix_box.children = [*self.fixes.values()]
        tried = {fix.fix for fix in incident.tried}
        for name, button in self.fixes.items():
            button.disabled = incident.over or name in tried

    def _repr_mimebundle_(self, **how: Any) -> Any:
        return self._box._repr_mimebundle_(**how)


def incident_room(incident: Incident) -> Room:
    """Play this incident with buttons: checks, boundaries, and the fixes of the boundary you committed to."""
    return Room(incident)
