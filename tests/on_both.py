"""Random scripts, on a model and on the real system that it names: they have to agree on everything."""

import random
from collections import Counter

from simlib import Database
from tests.possible import Possible
from tests.scripts import random_script


class Disagreement(AssertionError):
    """Something that the real system did, and that the model does not allow."""


def compare(server, seed):
    """Run one script on both, and count what it was about. Raises Disagreement.

    After each statement both have to say the same: which sessions have been answered and what, and which ones wait. In
    the end they have the same rows. Where the model allows more than one thing, PostgreSQL's is one of them, and both
    go on from there; "left open" counts these scripts.
    """
    rows, script = random_script(random.Random(seed))
    server.reset(rows)
    model, log, counted = Possible(Database(rows)), [f"seed {seed}, rows {rows}"], Counter()
    todo = list(script)
    while todo:
        who, *step = todo.pop(next(at for at, (one, *_) in enumerate(todo) if one not in server.waiting))
        answers, waiting = server.send(who, *step), server.waiting
        model.send(who, *step)
        log.append(f"  {who} {told(*step)}: {answers}" + (f", waiting {waiting}" if waiting else ""))
        counted += counts(step[0], answers, waiting)
        counted["left open"] = counted["left open"] or int(len(model.seen()) > 1)
        agree("PostgreSQL", log, model.seen(), (answers, waiting))
        model.see(answers, waiting)
    agree("PostgreSQL", log, [dict(world.state.rows) for world in model.worlds], server.rows)
    return counted


def in_lockstep(real, model, script, log):
    """Run a script on both, one step after the other, and count its steps. Raises Disagreement.

    After each step both have to have answered the same, and whoever looks has to find the same.
    """
    counted = Counter()
    for who, verb, args in script:
        answer, seen = real.do(who, verb, args), real.seen(who)
        log.append(f"  {who} {told(verb, args, {})}: {answer}, {seen}")
        agree(real.name, log, [(model.do(who, verb, args), model.seen(who))], (answer, seen))
        counted += Counter(["steps", verb, *[f"{verb}: {answer}"] * isinstance(answer, (bool, str))])
    return counted


def agree(name, log, allowed, found):
    if found not in allowed:
        raise Disagreement("\n".join([*log, f"{name}: {found}", *(f"the model: {one}" for one in allowed)]))


def told(verb, args, options):
    return f"{verb}({', '.join([*map(repr, args), *(f'{name}={value}' for name, value in options.items())])})"


def counts(verb, answers, waiting):
    errors = [answer for answer in answers.values() if type(answer) is str]
    return Counter(["statements", verb, *errors, *["waiting"] * len(waiting)])
