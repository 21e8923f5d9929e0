"""Steps on their way to a server, and clients who wait for a reply only so long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simlib.model.operation import Outcome
from simlib.simulate.worker import Due, Worker

if TYPE_CHECKING:
    from simlib.simulate.resource import Way
    from simlib.simulate.simulation import Simulation

LOST = Outcome("lost_replies")


class Requests:
    """Sends them, and sets their clients' alarms."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def send(self, worker: Worker, way: Way, seconds: float) -> None:
        """Send the worker's step, which takes so many seconds; its worker waits for it as long as it can."""
        due = worker.due = Due(worker)  # of its own: an alarm, or a server, may come back to the last one
        place, clockwork, record = way.place, self._simulation.clockwork, self._simulation.record
        server, now = place.server, clockwork.now
        if server is not None:
            record.run.requests[place.name][int(now)] += 1
        if server is None or place.is_down(now):  # who is not there keeps nobody waiting in a line
            clockwork.take(due, seconds)
        else:
            server.request(seconds, due)
        if way.patience is not None and (server is not None or seconds > way.patience):
            clockwork.after(way.patience, self._give_up, due)

    def _give_up(self, due: Due) -> None:
        if due.worker.due is due and not due.blocked:
            self._simulation.record.count("lost_replies")
            self.lose_reply(due)

    def lose_reply(self, due: Due) -> None:
        """The step takes effect, and its worker is not told."""
        self._simulation.happen(due, LOST)
