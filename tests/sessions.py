"""Scripts of transactions, run on the model of a database: what each statement answers, and which of them wait."""

from simlib.errors import OperationError
from simlib.model.operation import BEGUN, Blocked


class Sessions:
    """Sends statements in order. One that waits is asked again after each that follows, first come, first served."""

    def __init__(self, database, level):
        self.state = database.initial("db")
        self.handle = database.handle("db", [])
        self.level = level
        self.waiting = {}  # by session, the step that waits
        self.answers = []

    def run(self, script):
        """Every statement of the script; those of a session that waits are sent when it has its answer."""
        todo = list(script)
        while todo:
            place = next((at for at, (who, *_) in enumerate(todo) if who not in self.waiting), None)
            if place is None:
                break
            who, verb, *args = todo.pop(place)
            self.send(who, verb, *args)
        return self.answers

    def send(self, who, verb, *args, **kwargs):
        args = (self.level,) if verb == "begin" and not args else args
        self.waiting[who] = getattr(self.handle, verb)(*args, **kwargs)
        self.try_all()

    def try_all(self):
        """Ask whoever waits, until nothing changes."""
        changed = True
        while changed:
            changed = False
            for who in [*self.waiting]:
                changed |= self.ask(who)

    def ask(self, who):
        """Whether this session's statement now has its answer, or has begun to wait."""
        op, draft = self.waiting[who], self.state.copy()
        try:
            answer = draft.perform(op, str(who))
        except OperationError as error:
            answer = type(error).__name__
        except Blocked:
            return self.begin(op, who)
        self.state = draft
        del self.waiting[who]
        self.answers.append((who, answer))
        return True

    def begin(self, op, who):
        draft = self.state.copy()
        try:
            draft.perform(op, str(who), BEGUN)
        except Blocked:
            return False
        self.state = draft
        return True
