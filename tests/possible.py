"""Scripts of transactions on the model, where it leaves something open: every way in which they may go.

Of those who wait for one row, any may get it; of those who wait in a circle, any may be the victim: PostgreSQL decides.
Of two serializable transactions either of which may fail so that a third can commit, PostgreSQL takes the one that read
first. The model does not know who did.
"""

from typing import Any, NamedTuple

from simlib.errors import OperationError
from simlib.model.operation import BEGUN, Blocked, Op
from simlib.resources.database_state import DatabaseState


class World(NamedTuple):
    """One way in which it may have gone, and what was answered since the last statement was sent."""

    state: DatabaseState
    waiting: dict[int, Op]
    answers: dict[int, Any]

    def key(self):
        return self.state.key(), frozenset(self.waiting), repr(sorted(self.answers.items()))

    def seen(self):
        """What an outsider sees: the answers, and who waits."""
        return self.answers, {*self.waiting}

    def variants(self, who):
        """The states from which this session's statement may go on."""
        yield self.state.copy()
        if self.waiting[who].verb == "commit" and str(who) in self.state.conflicts:
            for name in self.state.conflicts.pivots(str(who)):
                first = self.state.copy()
                first.conflicts[name].doomed = True
                yield first

    def asked(self, who):
        """The worlds in which this session's statement has its answer or begins to wait."""
        return [world for state in self.variants(who) if (world := self._asked(who, state)) is not None]

    def _asked(self, who, draft):
        op = self.waiting[who]
        try:
            answer = draft.perform(op, str(who))
        except OperationError as error:
            answer = type(error).__name__
        except Blocked:
            return self._begun(who)
        waiting = {other: step for other, step in self.waiting.items() if other != who}
        return World(draft, waiting, {**self.answers, who: answer})

    def _begun(self, who):
        draft = self.state.copy()
        try:
            draft.perform(self.waiting[who], str(who), BEGUN)
        except Blocked:
            return None
        return World(draft, self.waiting, self.answers)


class Possible:
    """The worlds that are possible, given what has been seen so far."""

    def __init__(self, database):
        self.handle = database.handle("db", [])
        self.worlds = [World(database.initial("db"), {}, {})]

    def send(self, who, verb, args, kwargs):
        op = getattr(self.handle, verb)(*args, **kwargs)
        sent = [World(world.state, {**world.waiting, who: op}, {}) for world in self.worlds]
        self.worlds = settled(sent)

    def see(self, answers, waiting):
        """Keep the worlds that agree with this."""
        self.worlds = [world for world in self.worlds if world.seen() == (answers, waiting)]

    def seen(self):
        """All that may be seen next."""
        every = [world.seen() for world in self.worlds]
        return [seen for at, seen in enumerate(every) if seen not in every[:at]]


def settled(worlds):
    """Every world in which nobody can go on, whoever is asked first."""
    ends, todo, known = [], [*worlds], set()
    while todo:
        world = todo.pop()
        if world.key() in known:
            continue
        known.add(world.key())
        nexts = [after for who in world.waiting for after in world.asked(who)]
        todo += nexts
        ends += [] if nexts else [world]
    return ends
