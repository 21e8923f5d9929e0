"""Pictures of what happened: marks on a canvas, drawn as PNG or written as SVG."""

from simlib.views.board import board
from simlib.views.interleaving import interleaving_map
from simlib.views.lanes import lanes
from simlib.views.load import load_curve
from simlib.views.player import player
from simlib.views.price import price_tag
from simlib.views.strip import crash_strip, failure_matrix
from simlib.views.survival import survival_curve

__all__ = [
    # pictures of a run
    "lanes", "player",
    # of every place in the code
    "crash_strip", "failure_matrix", "interleaving_map", "board",
    # of production
    "survival_curve", "price_tag", "load_curve",
]  # fmt: skip
