"""What can be wrong with a state: a false property, a worker's own error, workers that wait or loop forever."""

from __future__ import annotations

from collections.abc import Hashable

from simlib.check.behaviour import ENDED
from simlib.check.edges import FAULT, Edge, Next
from simlib.check.encoding import Encoding, Numbers
from simlib.check.findings import Found, Wait
from simlib.check.local_states import LocalStates
from simlib.check.property_answers import Claim, PropertyAnswers
from simlib.check.resource_states import ResourceStates
from simlib.check.successors import Successors
from simlib.model.operation import Op, Where
from simlib.model.state import State
from simlib.model.system import System, outcome_of
from simlib.text import listed

Blocked = dict[str, tuple[Op, Where]]  # each worker's step, and where it is


class Violations:
    """Judges states. `unseen` are the `sometimes` that have been true in none so far."""

    def __init__(
        self,
        system: System,
        local_states: LocalStates,
        resource_states: ResourceStates,
        property_answers: PropertyAnswers,
        encoding: Encoding,
        successors: Successors,
    ) -> None:
        self._property_answers = property_answers
        self.unseen = list(property_answers.sometimes)
        self._system = system
        self._local_states = local_states
        self._resource_states = resource_states
        self._encoding = encoding
        self._successors = successors
        self._world_at, self._whole_world = encoding.world_at, encoding.whole_world
        self._fine: set[int] = set()  # worlds in which nothing is wrong
        self._outcomes: dict[int, Hashable] = {}
        self.waits: dict[Wait, None] = {}  # for one who waits for work

    def everywhere(self, state: int) -> Found | None:
        """A violation that does not depend on what can happen next: a worker's own error, or a false `always`."""
        if self._local_states.bugs:
            bug = next((node for node in self._encoding.nodes(state) if node in self._local_states.bugs), None)
            if bug is not None:
                return self._own_error(bug)
        world = state >> self._world_at & self._whole_world
        if world in self._fine:
            return None
        found = self._in_world(self._encoding.numbers(world))
        if found is None:
            self._fine.add(world)
        return found

    def _in_world(self, world: Numbers) -> Found | None:
        if self.unseen:
            self.unseen = [claim for claim in self.unseen if not self._holds(claim, world)]
        return self._false(self._property_answers.always, world)

    def _false(self, claims: list[Claim], world: Numbers) -> Found | None:
        """The first of these claims that is false here."""
        for claim in claims:
            if not self._holds(claim, world):
                because = self._system.because(claim.claim, self._resource_states.world(world))
                return Found(claim.claim.name, because=because)
        return None

    def _holds(self, claim: Claim, world: Numbers) -> bool:
        return self._property_answers.holds(claim, world, self._successors.counts)

    def _own_error(self, node: int) -> Found:
        worker, error = self._local_states.start[node][0], self._local_states.error[node]
        return Found("error", because=self._system.failed(worker, error, self._local_states.where[node]))

    def at_rest(self, state: int) -> Found | None:
        """A violation in a state in which, without a fault, nothing more can happen."""
        blocked = self._blocked(state)
        stuck = self._stuck(state, blocked, set())
        if stuck:
            return Found("stuck", because=f"{listed(stuck)}, for ever")
        self._note_waits(state, blocked)
        return self._unmet(state)

    def _note_waits(self, state: int, blocked: Blocked) -> None:
        """Note who waits for another worker, who waits for work."""
        cast = self._system.cast
        awaited = self._system.awaited(blocked, self._states(state)) if len(blocked) > 1 else {}
        for worker, whom in awaited.items():
            if whom in blocked:
                (op, where), (held, there) = blocked[worker], blocked[whom]
                self.waits[Wait(cast[worker].name, str(op), where, cast[whom].name, str(held), there)] = None

    def _unmet(self, state: int) -> Found | None:
        return (
            self._false(self._property_answers.eventually, self._world_of(state))
            if self._property_answers.eventually
            else None
        )

    def _stuck(self, state: int, blocked: Blocked, going: set[str]) -> list[str]:
        """Which of these workers wait forever, while those `going` do not, in words."""
        return self._system.stuck(blocked, self._states(state), going) if blocked else []

    def _blocked(self, state: int) -> Blocked:
        """The step of each worker that has one, and where it is: in a state at rest, it waits there."""
        local_states, people = self._local_states, zip(self._system.cast, self._encoding.nodes(state))
        return {
            worker: (local_states.ops.things[local_states.op[node]], local_states.where[node])
            for worker, node in people
            if local_states.op[node] != ENDED
        }

    def _states(self, state: int) -> dict[str, State]:
        return self._resource_states.world(self._world_of(state))

    def going_round(self, circle: list[tuple[int, list[Next]]], idle: bool) -> Found | None:
        """What is wrong with looping forever: nothing, if every `eventually` holds all along the loop; or if there is
        none and the loop is `idle`, a worker that waits for work or is sent again what is not sent for ever.
        """
        unmet = next((found for state, _ in circle if (found := self._unmet(state))), None)
        if unmet is None and (self._system.eventually or idle):
            return self._left_behind(circle[0][0], {worker for worker, _, _ in self.steps_of(circle)})
        steps = [f"{worker} `{op}`{where.aside}" for worker, op, where in self.steps_of(circle)]
        only = "the same answer each time, and nothing else changes" if len(circle) == 1 else "and nothing ends it"
        stays = f", and {unmet.claim} stays false" if unmet else ""
        return Found("livelock", because=f"for ever: {listed(steps)}; {only}{stays}{_poisoned(self._received(circle))}")

    def retries(self, state: int, edge: Edge) -> bool:
        """Whether this edge hands out what somebody sends again, but not for ever."""
        local_states = self._local_states
        if not edge.steps:
            return False
        op = local_states.ops.things[local_states.op[self._encoding.nodes(state)[edge.worker]]]
        return op.verb == "receive" and self._resource_states.retry_ends(op.resource)

    def _received(self, circle: list[tuple[int, list[Next]]]) -> list[str]:
        """The queues without max_receives from which messages are received in such a loop."""
        world = self._states(circle[0][0])
        names = dict.fromkeys(op.resource for _, op, _ in self.steps_of(circle) if op.verb == "receive")
        return [name for name in names if getattr(world[name], "max_receives", 1) is None]

    def steps_of(self, circle: list[tuple[int, list[Next]]]) -> list[tuple[str, Op, Where]]:
        """The steps that are taken in such a loop without a fault: whose, which, and where."""
        local_states, found = self._local_states, {}
        for state, following in circle:
            nodes = self._encoding.nodes(state)
            for _, edge in following:
                if edge.steps and edge.cost < FAULT:
                    node = nodes[edge.worker]
                    op, where = local_states.ops.things[local_states.op[node]], local_states.where[node]
                    found[edge.move.worker, str(op), where] = edge.move.worker, op, where
        return [*found.values()]

    def _left_behind(self, state: int, going: set[str]) -> Found | None:
        """A worker that waits forever while others loop is as stuck as if nobody moved."""
        blocked = {worker: step for worker, step in self._blocked(state).items() if worker not in going}
        stuck = self._stuck(state, blocked, going)
        return Found("stuck", because=f"{listed(stuck)}, for ever, while others go round") if stuck else None

    def untried(self) -> list[str]:
        """The claims that were not put to the test: what they look at was the same in every state."""
        worlds = [*map(self._encoding.numbers, self._fine)]
        return [
            claim.name
            for claim, resources, _ in (*self._property_answers.always, *self._property_answers.eventually)
            if claim.parameters
            and all(world[resource] == worlds[0][resource] for world in worlds for resource in resources)
        ]

    def outcome(self, state: int) -> Hashable:
        """The world of this state, as an outsider sees it."""
        world = self._encoding.world(state)
        if world not in self._outcomes:
            self._outcomes[world] = outcome_of(self._resource_states.world(self._encoding.numbers(world)))
        return self._outcomes[world]

    def _world_of(self, state: int) -> Numbers:
        return self._encoding.numbers(self._encoding.world(state))


def _poisoned(queues: list[str]) -> str:
    """Advice about messages that come back again and again."""
    if not queues:
        return ""
    several = "their messages come" if len(queues) > 1 else "its message comes"
    return f". Of {listed(queues)} {several} back each time: with max_receives it would go to the dead letters"
