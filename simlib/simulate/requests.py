"""Requests on their way to a resource, and the client's timeout."""

from __future__ import annotations

from collections.abc import Callable

from simlib.model.fault import LOST_REPLIES
from simlib.simulate.clock import Clock
from simlib.simulate.resource import Operation, Step
from simlib.simulate.result import Run
from simlib.simulate.worker import Worker


class Requests:
    """Sends requests; calls `lose_reply` with a worker whose timeout has expired."""

    def __init__(self, clock: Clock, run: Run, lose_reply: Callable[[Worker], None]) -> None:
        self._clock = clock
        self._run = run
        self._lose_reply = lose_reply

    def send(self, step: Step, operation: Operation, seconds: float) -> None:
        """Send a step with a service time of `seconds`."""
        resource, timeout = operation.resource, operation.timeout
        if resource.server is not None:
            self._run.requests[resource.name][int(self._clock.now)] += 1
        if resource.server is None or resource.is_down():  # an unreachable server has no queue
            self._clock.schedule(step, seconds)
        else:
            resource.server.request(step, seconds)
        if timeout is not None and (resource.server is not None or seconds > timeout):
            self._clock.after(timeout, self._give_up, step)

    def _give_up(self, step: Step) -> None:
        worker: Worker = step.about
        if worker.step is step and not step.waits:
            self._run.counts[LOST_REPLIES] += 1
            self._lose_reply(worker)
