"""Compares players over many incidents: how long the outage lasts with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean, median, stdev

from simlib.arguments import public, whole_number
from simlib.course.catalogue import World
from simlib.course.plans import Path, Plans
from simlib.errors import Mistake
from simlib.text import listed, plural, show
from simlib.views.chart import Chart, Z, shares_left, wilson
from simlib.views.picture import Drawn, Picture

Player = Callable[[World, int], Path]


@dataclass(frozen=True, repr=False)
class Downtime(Drawn):
    """Minutes of outage by player, one per incident. Jupyter shows a picture, `print` the text."""

    minutes: Mapping[str, tuple[float, ...]]
    picture: Picture

    def mean(self, player: str) -> tuple[float, float, float]:
        """The mean outage in minutes, and its 95 % interval (normal). Raises Mistake for an unknown player."""
        return _mean(self._of(player))

    def faster(self, player: str, other: str) -> tuple[float, float, float]:
        """The share of the incidents in which `player` was faster than `other`, and its 95 % interval (Wilson).

        Raises Mistake for an unknown player.
        """
        pairs = list(zip(self._of(player), self._of(other)))
        hits = sum(one < two for one, two in pairs)
        return hits / len(pairs), *wilson(hits, len(pairs))

    def still_open(self, player: str, minute: float) -> tuple[float, float, float]:
        """The share of this player's incidents that were still open at this minute, and its 95 % interval (Wilson)."""
        late = sum(one > minute for one in self._of(player))
        return late / len(self._of(player)), *wilson(late, len(self._of(player)))

    def _of(self, player: str) -> tuple[float, ...]:
        if player not in self.minutes:
            raise Mistake(f"no player {show(player)}: there are {listed(list(self.minutes))}.")
        return self.minutes[player]


@public()
def downtime(
    plans: Plans, incidents: int = 1000, seed: int = 0, players: Mapping[str, Player] | None = None
) -> Downtime:
    """Play the same incidents with each player, and chart the share still open over time.

    Incidents are numbered from `seed` on. `players` are by default those of `plans`; each is called with the fault's
    world and the incident's number. Raises Mistake for fewer than 2 incidents.
    """
    incidents = whole_number("incidents", incidents, 2, or_="; an interval says something from about 30 on")
    seed = whole_number("seed", seed)
    minutes: dict[str, tuple[float, ...]] = {}
    for name, player in (players or plans.players()).items():
        numbers = range(seed, seed + incidents)
        minutes[name] = tuple(player(plans.draw(number), number).minutes for number in numbers)
    faults = plans.catalogue.faults
    small = (
        f"{incidents:,} incidents, numbers {seed} to {seed + incidents - 1:,}, of {plural(len(faults), 'fault')} in "
        f"{plural(plans.catalogue.variants, 'run')} each. Bands: 95 % intervals (Wilson); of means, normal."
    )
    return Downtime(minutes, _chart(minutes, small).picture([_line(name, found) for name, found in minutes.items()]))


def _mean(minutes: tuple[float, ...]) -> tuple[float, float, float]:
    mean, half = fmean(minutes), Z * stdev(minutes) / len(minutes) ** 0.5
    return mean, mean - half, mean + half


def _line(name: str, minutes: tuple[float, ...]) -> str:
    mean, low, high = _mean(minutes)
    ninety = sorted(minutes)[int(0.9 * len(minutes))]
    means = f"mean {mean:.1f} min [{low:.1f}, {high:.1f}]"
    return f"  {name}: {means}, half within {median(minutes):g}, 90 % within {ninety:g}"


def _chart(minutes: Mapping[str, tuple[float, ...]], small: str) -> Chart:
    title = "Mean outage: " + ", ".join(f"{name} {fmean(found):.0f} min" for name, found in minutes.items())
    longest = max(map(max, minutes.values()))
    curves = []
    for name, found in minutes.items():
        at = [0.0, *sorted(set(found)), longest]
        left = [sum(one > minute for one in found) for minute in at]
        mean, low, high = _mean(found)
        curves.append(shares_left(name, at, left, len(found), f"mean {mean:.0f} [{low:.0f}, {high:.0f}]"))
    return Chart(title, small, "minutes of outage", "incidents not over yet", curves, longest, shares=True)
