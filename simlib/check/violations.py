"""What can be wrong with a state: a property, a worker's own error, workers that wait for ever or go round for ever."""

from __future__ import annotations

from collections.abc import Hashable

from simlib.check.answers import Claim, Verdicts
from simlib.check.encoding import Layout, Numbers
from simlib.check.findings import Found
from simlib.check.local_states import ENDED, Histories
from simlib.check.resource_states import Ledger
from simlib.check.successors import FAULT, Next, Rules
from simlib.model.operation import Op, Where
from simlib.model.system import System, outcome_of
from simlib.text import listed


class Checks:
    """Judges states. `unseen` are the `sometimes` that were true in none of them so far."""

    def __init__(
        self, system: System, histories: Histories, ledger: Ledger, verdicts: Verdicts, layout: Layout, rules: Rules
    ) -> None:
        self._verdicts = verdicts
        self.unseen = list(verdicts.sometimes)
        self._system = system
        self._histories = histories
        self._ledger = ledger
        self._layout = layout
        self._rules = rules
        self._world_at, self._whole_world = layout.world_at, layout.whole_world
        self._fine: set[int] = set()  # worlds in which nothing is wrong
        self._outcomes: dict[int, Hashable] = {}

    def everywhere(self, state: int) -> Found | None:
        """What must not be so in any state, whoever is where in their code."""
        if self._histories.bugs:
            bug = next((node for node in self._layout.nodes(state) if node in self._histories.bugs), None)
            if bug is not None:
                return self._own_error(bug)
        world = state >> self._world_at & self._whole_world
        if world in self._fine:
            return None
        found = self._in_world(self._layout.numbers(world))
        if found is None:
            self._fine.add(world)
        return found

    def _in_world(self, world: Numbers) -> Found | None:
        if self.unseen:
            self.unseen = [claim for claim in self.unseen if not self._holds(claim, world)]
        return self._false(self._verdicts.always, world)

    def _false(self, claims: list[Claim], world: Numbers) -> Found | None:
        """The first of these claims that is not true here."""
        for claim in claims:
            if not self._holds(claim, world):
                because = self._system.because(claim.claim, self._ledger.world(world))
                return Found(claim.claim.name, because=because)
        return None

    def _holds(self, claim: Claim, world: Numbers) -> bool:
        return self._verdicts.holds(claim, world, self._rules.counts)

    def _own_error(self, node: int) -> Found:
        worker, error = self._histories.start[node][0], self._histories.error[node]
        return Found("error", because=self._system.failed(worker, error, self._histories.where[node]))

    def at_rest(self, state: int) -> Found | None:
        """What must not be so where, if nothing goes wrong, nothing more can happen."""
        stuck = self._stuck(state, set())
        if stuck:
            return Found("stuck", because=f"{listed(stuck)}, for ever")
        return self._unmet(state)

    def _unmet(self, state: int) -> Found | None:
        return self._false(self._verdicts.eventually, self._world_of(state)) if self._verdicts.eventually else None

    def _stuck(self, state: int, going: set[str]) -> list[str]:
        """Who of those who are not `going` waits for ever, in words."""
        histories, people = self._histories, zip(self._system.cast, self._layout.nodes(state))
        blocked = {
            worker: (histories.ops.things[histories.op[node]], histories.where[node])
            for worker, node in people
            if histories.op[node] != ENDED and worker not in going
        }
        return self._system.stuck(blocked, self._ledger.world(self._world_of(state)), going) if blocked else []

    def going_round(self, circle: list[tuple[int, list[Next]]]) -> Found | None:
        """A system that goes round for ever is fine if all that must be true eventually is, wherever it is."""
        unmet = next((found for state, _ in circle if (found := self._unmet(state))), None)
        if unmet is None and self._system.eventually:
            return self._left_behind(circle[0][0], {worker for worker, _, _ in self.steps_of(circle)})
        steps = [f"{worker} `{op}`{where.aside}" for worker, op, where in self.steps_of(circle)]
        only = "the same answer each time, and nothing else changes" if len(circle) == 1 else "and nothing ends it"
        stays = f", and {unmet.claim} stays false" if unmet else ""
        return Found("livelock", because=f"for ever: {listed(steps)}; {only}{stays}{_poisoned(self._received(circle))}")

    def _received(self, circle: list[tuple[int, list[Next]]]) -> list[str]:
        """The queues without max_receives from which messages are received in such a circle."""
        world = self._ledger.world(self._world_of(circle[0][0]))
        names = dict.fromkeys(op.resource for _, op, _ in self.steps_of(circle) if op.verb == "receive")
        return [name for name in names if getattr(world[name], "max_receives", 1) is None]

    def steps_of(self, circle: list[tuple[int, list[Next]]]) -> list[tuple[str, Op, Where]]:
        """The steps that are taken in such a circle with nothing going wrong: whose, which, and where."""
        histories, found = self._histories, {}
        for state, following in circle:
            nodes = self._layout.nodes(state)
            for _, way in following:
                if way.steps and way.cost < FAULT:
                    node = nodes[way.worker]
                    op, where = histories.ops.things[histories.op[node]], histories.where[node]
                    found[way.move.worker, str(op), where] = way.move.worker, op, where
        return [*found.values()]

    def _left_behind(self, state: int, going: set[str]) -> Found | None:
        """Who waits for ever while others go round is as stuck as if everybody did."""
        stuck = self._stuck(state, going)
        return Found("stuck", because=f"{listed(stuck)}, for ever, while others go round") if stuck else None

    def untried(self) -> list[str]:
        """The claims that were not put to the test: what they look at was the same in every state."""
        worlds = [*map(self._layout.numbers, self._fine)]
        return [
            claim.name
            for claim, places, _ in (*self._verdicts.always, *self._verdicts.eventually)
            if claim.parameters and all(world[place] == worlds[0][place] for world in worlds for place in places)
        ]

    def outcome(self, state: int) -> Hashable:
        """The world of this state, as an outsider sees it."""
        world = self._layout.world(state)
        if world not in self._outcomes:
            self._outcomes[world] = outcome_of(self._ledger.world(self._layout.numbers(world)))
        return self._outcomes[world]

    def _world_of(self, state: int) -> Numbers:
        return self._layout.numbers(self._layout.world(state))


def _poisoned(queues: list[str]) -> str:
    """What to do about messages that come back again and again."""
    if not queues:
        return ""
    several = "their messages come" if len(queues) > 1 else "its message comes"
    return f". Of {listed(queues)} {several} back each time: with max_receives it would go to the dead letters"
