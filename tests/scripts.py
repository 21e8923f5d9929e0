"""Random scripts: of two or three transactions, of commands for a Redis, of what processes do to files."""

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


LOCKS, COUNTERS, HASHES = ("lock", "mutex"), ("a", "b"), ("h",)
FIELDS = ("m", "n")
TTLS = (1000, 2000, 3000)  # seconds: so long that none runs out by itself, and far apart
LIVES = (None, *TTLS)
OWNERS = (None, None, None, "me")  # None: a value that nobody else uses
LATEST = (1, 1, 1, 2, 3)  # which of the leases that were had, counted from the last one
COMMANDS = {  # and what each of their arguments may be
    "acquire": (LOCKS, OWNERS, LIVES),
    "try_acquire": (LOCKS, OWNERS, LIVES),
    "release": (LOCKS, LATEST),
    "renew": (LOCKS, LATEST, TTLS),
    "holder": (LOCKS,),
    "free": (LOCKS,),
    "write": (COUNTERS, VALUES, LIVES),
    "insert": (COUNTERS, VALUES, LIVES),
    "update": (COUNTERS, VALUES),
    "add": (COUNTERS, VALUES),
    "incrby": (COUNTERS, VALUES),
    "hit": (COUNTERS, TTLS),
    "compare_and_set": (COUNTERS, (None, *VALUES), VALUES),
    "write_fields": (HASHES, VALUES),
    "update_field": (HASHES, FIELDS, VALUES),
    "add_to_field": (HASHES, FIELDS, VALUES),
    "read": (COUNTERS + HASHES,),
    "expire": (COUNTERS + HASHES, TTLS),
    "delete": (COUNTERS + HASHES,),
    "next_id": (),
    "runs_out": (range(6),),
    "reconnect": (),
}
MAKERS = {**dict.fromkeys(LOCKS, "acquire"), **dict.fromkeys(COUNTERS, "insert"), "h": "write_fields"}


def random_commands(chance):
    """A list of (client, verb, arguments). "runs_out" is what time does: one of the keys that have a time to live ends.

    As above, each script has a few verbs of its own, and what makes the keys that they are about.
    """
    verbs = chance.choices([*COMMANDS], k=chance.randint(2, 7))
    firsts = [chance.choice(COMMANDS[verb][0]) for verb in verbs if COMMANDS[verb]]
    verbs += sorted({MAKERS[key] for key in firsts if key in MAKERS}) + ["runs_out"] * chance.randint(0, 1)
    clients = chance.choice(["AB", "AB", "ABC"])
    for _ in range(chance.randint(5, 25)):
        verb = chance.choice(verbs)
        yield chance.choice(clients), verb, tuple(chance.choice(domain) for domain in COMMANDS[verb])


FILES = ("f", "g", "f.tmp")
DATA = ("", "x", "ab", "klm", "wxyz")
FILE_STEPS = {
    "write": (FILES, DATA),
    "begin": (FILES, DATA[2:]),  # of a single character there is no half
    "append": (FILES, DATA),
    "rename": (FILES, FILES),
    "delete": (FILES,),
    "exists": (FILES,),
    "read": (FILES,),
    "fsync": (FILES,),
    "fsync_directory": (),
    "crash": (),
}


def random_file_steps(chance):
    """A list of (process, verb, arguments). A process that has begun a write goes on with it, or crashes."""
    verbs = [*chance.choices([*FILE_STEPS], k=chance.randint(2, 6)), "write", "begin"]
    begun = {}
    for _ in range(chance.randint(4, 20)):
        who, verb = chance.choice("AB"), chance.choice(verbs)
        if who in begun:
            step = ("crash", ()) if chance.random() < 0.1 else ("write", begun[who])
            del begun[who]
        else:
            step = verb, tuple(chance.choice(domain) for domain in FILE_STEPS[verb])
            if verb == "begin":
                begun[who] = step[1]
        yield who, *step
