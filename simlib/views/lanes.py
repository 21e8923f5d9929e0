"""Lanes: one run, or several under each other, as a still picture."""

from __future__ import annotations

from collections.abc import Sequence

from simlib.arguments import named as described
from simlib.arguments import public
from simlib.check import Report
from simlib.errors import Mistake
from simlib.schedule.trace import Trace
from simlib.text import listed, show
from simlib.views.drawing import picture_of
from simlib.views.layout import scene
from simlib.views.picture import Picture


@public()
def lanes(*what: Report | Trace, watch: Sequence[str] = ()) -> Picture:
    """Draw runs as lanes: a lane a worker, a block a step, and below them the resources whose state tells the story.

    Takes traces and reports; of a report, its counterexample, or a run that went well. `watch` names the resources
    that get a lane. Raises Mistake where there is nothing to draw.
    """
    for one in what:
        if not isinstance(one, (Report, Trace)):
            raise Mistake(f"lanes({described(one)}): give reports or traces, such as lanes(scenario.explore(charge)).")
    if not what:
        raise Mistake("give a report or a trace: lanes(scenario.explore(charge)).")
    reports = [one for one in what if not isinstance(one, Trace)]
    traces = [_trace(one) for one in what]
    names = [*traces[0].initial]
    if not isinstance(watch, (list, tuple)) or not all(name in names for name in watch):
        raise Mistake(f"watch={show(watch)}: give a list of resources. There are {listed(names)}.")
    real = list(dict.fromkeys(trace.note for trace in traces if trace.note))
    return picture_of(scene(traces, watch, "\n".join([*(report.small_print for report in reports[:1]), *real])))


def _trace(one: Report | Trace) -> Trace:
    if isinstance(one, Trace):
        return one
    trace = one.counterexample or next(iter(one.sample(1)), None)
    if trace is None:
        raise Mistake("there is no run to draw: the search ended before any run did.")
    return trace
