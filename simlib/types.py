"""Types for annotations: `def judge(report: Report) -> bool: ...`. Nothing here is meant to be called.

Annotate a worker that uses the answers of its steps `-> Steps`; `-> Iterator[Op]` will do for one that does not.
Annotate a property's parameters with the resources' classes: `def paid(bank: Service, db: Database) -> bool: ...`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from simlib.audit import Audit
from simlib.check import Report
from simlib.check.report import Verdict
from simlib.compare import Comparison
from simlib.course.grading import Grade
from simlib.course.sliders import Slider
from simlib.model.operation import Op
from simlib.model.process import Worker
from simlib.model.system import Counts
from simlib.model.values import Plain
from simlib.model.view import Value, View
from simlib.resources import Lease, Message
from simlib.scenario import Claim, Failure, Workers
from simlib.schedule.budget import Faults, Question, Search, SearchLimits
from simlib.schedule.trace import Event, Trace
from simlib.simulate import Beside, Conditions, Run
from simlib.simulate.conditions import Duration, Likely, Production
from simlib.sweep import Sweep
from simlib.views.board import Board
from simlib.views.interleaving import InterleavingMap
from simlib.views.load import Load
from simlib.views.picture import Picture
from simlib.views.player import Player
from simlib.views.price import PriceTag
from simlib.views.strip import FaultMatrix
from simlib.views.survival import Survival

Steps = Generator[Op, Any, None]

__all__ = [
    # workers: what they yield and receive
    "Op", "Steps", "Message", "Lease", "Worker", "Workers",
    # properties, and what they see
    "Claim", "Value", "View",
    # arguments
    "Plain", "Counts", "Faults", "SearchLimits", "Search", "Question", "Production", "Duration", "Likely",
    "Beside", "Failure",
    # results
    "Report", "Verdict", "Trace", "Event", "Run", "Conditions", "Comparison", "Audit", "Sweep", "Grade",
    # pictures
    "Picture", "FaultMatrix", "Board", "InterleavingMap", "Player", "Survival", "PriceTag", "Load", "Slider",
]  # fmt: skip
