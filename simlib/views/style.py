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


def wrapped(text: str, width: int = 11, lines: int = 2) -> str:
    """A block's text on at most so many lines of so many letters; what does not fit ends in `…`."""
    words = text.replace("_", "_ ").split(" ") if " " not in text else text.split(" ")
    rows = [""]
    for word in words:
        glue = "" if not rows[-1] or rows[-1].endswith("_") else " "
        if rows[-1] and len(rows[-1] + glue + word) > width:
            rows.append(word)
        else:
            rows[-1] += glue + word
    kept = rows[:lines]
    if len(rows) > lines:
        kept[-1] += "…"
    return "\n".join(clipped(row, width) for row in kept)


def clipped(text: str, width: int) -> str:
    """At most so many letters."""
    return text if len(text) <= width else text[: max(0, width - 1)].rstrip("…") + "…"
