"""One visual language for every picture. Colours are Okabe and Ito's, told apart by the colour-blind and in grey."""

from __future__ import annotations

from collections.abc import Mapping

RESOURCES = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2")
RED = "#D1293D"  # only ever the violation
GREEN = "#1E7B57"
INK = "#1F2430"
QUIET = "#7A808C"
LINE = "#E3E5E8"
PAPER = "#FFFFFF"
GOOD_CELL = "#D9EEE4"
CHANGED = "#FFF1CC"
MOODS = {"bad": RED, "good": GREEN, "plain": INK}


def colour(resource: str, numbers: Mapping[str, int]) -> str:
    """The resource's colour: the same in every picture of its scenario."""
    return RESOURCES[numbers.get(resource, 0) % len(RESOURCES)]


def tint(hex_colour: str, share: float = 0.22) -> str:
    """The colour mixed with white."""
    parts = [int(hex_colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * share):02X}" for part in parts)


def ink_on(hex_colour: str) -> str:
    """Black or white, whichever reads better."""
    red, green, blue = (int(hex_colour[place : place + 2], 16) for place in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else PAPER


def wrapped(text: str, width: int = 10) -> str:
    """A block's text on at most two lines."""
    if len(text) <= width or " " not in text:
        return text if len(text) <= width + 2 else text[: width + 1] + "…"
    words = text.split(" ")
    best = min(range(1, len(words)), key=lambda cut: max(len(" ".join(words[:cut])), len(" ".join(words[cut:]))))
    return " ".join(words[:best]) + "\n" + " ".join(words[best:])
