"""What happened, as pictures: one layout of marks computed from a trace, and thin renderers over it."""

from simlib.views.board import board
from simlib.views.debrief import debrief
from simlib.views.downtime import downtime
from simlib.views.evidence import evidence
from simlib.views.exercises import progress, record
from simlib.views.grading import grade
from simlib.views.incident_room import incident_room
from simlib.views.interleaving import interleaving_map
from simlib.views.lanes import lanes
from simlib.views.load import load_curve
from simlib.views.player import player
from simlib.views.prediction import calibration, predict
from simlib.views.price import price_tag
from simlib.views.sliders import crash_rate_slider, crash_slider, workers_slider
from simlib.views.strip import crash_strip, failure_matrix
from simlib.views.survival import survival_curve

__all__ = [
    # a run
    "lanes", "player",
    # each place in the code
    "crash_strip", "failure_matrix", "interleaving_map", "board",
    # production
    "survival_curve", "price_tag", "load_curve",
    # an incident
    "incident_room", "debrief", "evidence", "downtime",
    # what a learner moves
    "predict", "calibration", "crash_slider", "workers_slider", "crash_rate_slider",
    # what becomes of the exercises
    "grade", "record", "progress",
]  # fmt: skip
