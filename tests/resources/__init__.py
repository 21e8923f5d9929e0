"""One resource at a time, without an engine: what each step does to its state, and what may befall it."""

from simlib.model.operation import Outcome


class Driven:
    """A resource and its state. `inbox.by("A").receive()` builds the step and carries it out for worker A."""

    def __init__(self, resource, name):
        self.steps = resource.handle(name, [])
        self.state = resource.initial(name)

    def by(self, who, fault=None, choice=None):
        """What `who` asks for goes this way: `by("A", "outages")`."""
        return _By(self, who, Outcome(fault, choice))

    @property
    def seen(self):
        return self.state.seen()

    def ways(self, op):
        """The faults that can strike this step here, with what tells their ways apart."""
        return [(way.fault, way.choice) for way in self.state.outcomes(op) if way.fault]

    def timers(self):
        return [(timer.label, timer.owner, timer.seconds) for timer in self.state.timers()]

    def run_out(self):
        """The timer that runs, runs out."""
        (timer,) = self.state.timers()
        self.state.expire(timer.id)


class _By:
    def __init__(self, driven, who, outcome):
        self._driven, self._who, self._outcome = driven, who, outcome

    def __getattr__(self, verb):
        def act(*args, **kwargs):
            op = getattr(self._driven.steps, verb)(*args, **kwargs)
            return self._driven.state.perform(op, self._who, self._outcome)

        return act
