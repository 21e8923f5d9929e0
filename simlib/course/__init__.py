"""Material for the lessons: predictions, exercises and their graders, sliders, and the incident room."""

from simlib.course.catalogue import BOUNDARIES, Case, Catalogue, Check, Fault, World, fault
from simlib.course.debrief import debrief
from simlib.course.downtime import downtime
from simlib.course.evidence import evidence
from simlib.course.exercises import record
from simlib.course.grading import grade
from simlib.course.incident import Incident
from simlib.course.incident_room import incident_room
from simlib.course.plans import Path, Plans, Step
from simlib.course.prediction import calibration, predict
from simlib.course.progress_map import progress
from simlib.course.sliders import crash_rate_slider, crash_slider, workers_slider

__all__ = [
    # predictions, before a cell is run and at the end
    "predict", "calibration",
    # sliders
    "crash_slider", "workers_slider", "crash_rate_slider",
    # exercises and progress
    "grade", "record", "progress",
    # incidents
    "BOUNDARIES", "Case", "Catalogue", "Check", "Fault", "World", "fault", "Incident", "Path", "Plans", "Step",
    "incident_room", "debrief", "evidence", "downtime",
]  # fmt: skip
