"""What happened, as pictures: one layout of marks computed from a trace, and thin renderers over it."""

from simlib.views.lanes import lanes
from simlib.views.widgets import crash_slider, predict

__all__ = ["crash_slider", "lanes", "predict"]
