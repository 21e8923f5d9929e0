"""Random scripts of two or three transactions."""

from tests.anomalies import LEVELS
from tests.postgresql import KEYS, PREFIXES

VALUES = (1, 2, 3)
VERBS = ("read", "scan", "insert", "update", "add", "delete", "write", "compare_and_set")
LOCKING = ({}, {}, {}, {"for_update": True}, {"for_update": True}, {"for_update": True, "skip_locked": True},
           {"for_update": True, "nowait": True})  # fmt: skip


def statement(chance, verb, keys):
    """A verb, its arguments and its options."""
    key, value = chance.choice(keys), chance.choice(VALUES)
    if verb == "read":
        return verb, (key,), chance.choice(LOCKING)
    if verb == "scan":
        limit = chance.choice([{}, {}, {"limit": 1}, {"limit": 2}])
        return verb, (chance.choice(PREFIXES),), {**limit, **chance.choice(LOCKING)}
    if verb == "compare_and_set":
        return verb, (key, chance.choice([None, *VALUES]), value), {}
    return verb, (key,) if verb == "delete" else (key, value), {}


def random_script(chance):
    """The first rows, and a list of (session, verb, arguments, options). In the end each session commits.

    Each script has a few verbs of its own, and does not do a little of everything.
    """
    keys = chance.sample(KEYS, chance.choice([1, 2, 2, 3, 4]))
    verbs = chance.choices(VERBS, k=chance.randint(2, 10))
    rows = {key: chance.choice(VALUES) for key in keys if chance.random() < 0.7}
    sessions = range(1, chance.choice([2, 2, 3]) + 1)
    level = chance.choice([None, *LEVELS, LEVELS[-1]])  # None: each transaction its own
    return rows, [*_steps(chance, verbs, keys, sessions, level), *((who, "commit", (), {}) for who in sessions)]


def _steps(chance, verbs, keys, sessions, level):
    inside = set()
    for _ in range(chance.randint(4, 24)):
        who, dice = chance.choice(sessions), chance.random()
        if who in inside and dice < 0.15:
            inside.discard(who)
            yield who, "commit" if dice < 0.11 else "rollback", (), {}
        elif (who not in inside and dice < 0.7) or dice > 0.99:
            inside.add(who)
            yield who, "begin", (level or chance.choice(LEVELS),), {}
        else:
            yield who, *statement(chance, chance.choice(verbs), keys)
