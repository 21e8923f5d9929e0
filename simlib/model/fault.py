"""The kinds of fault: what can go wrong, with the keyword, the name and the token letter of each."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Aim = Literal["resource", "worker"]


class Fault(NamedTuple):
    """One kind of fault."""

    keyword: str  # in a budget: crashes=1
    name: str  # of a single one, in text
    letter: str  # in the head of a token
    aims: tuple[Aim, ...] = ("resource", "worker")  # what it may be aimed at: crashes={"relay": 1}


CRASHES: Final = "crashes"
NODE_LOSSES: Final = "node_losses"
POWER_LOSSES: Final = "power_losses"
REDELIVERIES: Final = "redeliveries"
LOST_REPLIES: Final = "lost_replies"
OUTAGES: Final = "outages"
REJECTIONS: Final = "rejections"
DISK_FULL: Final = "disk_full"
PAUSES: Final = "pauses"
STOPS: Final = "stops"

# In the order in which a search tries them: on a tie, a crash wins over a pause.
FAULTS = (
    Fault(CRASHES, "crash", "c", ("worker",)),
    Fault(NODE_LOSSES, "node loss", "n", ("worker",)),
    Fault(POWER_LOSSES, "power loss", "p", ()),
    Fault(REDELIVERIES, "redelivery", "r"),
    Fault(LOST_REPLIES, "lost reply", "l"),
    Fault(OUTAGES, "outage", "o"),
    Fault(REJECTIONS, "rejection", "j"),
    Fault(DISK_FULL, "full disk", "d"),
    Fault(PAUSES, "pause", "s"),
    Fault(STOPS, "stop", "q", ("worker",)),
)
KINDS = tuple(fault.keyword for fault in FAULTS)
FAULT_NAMES = {fault.keyword: fault.name for fault in FAULTS}
LETTERS = {fault.keyword: fault.letter for fault in FAULTS}
AIMS = {fault.keyword: fault.aims for fault in FAULTS}
