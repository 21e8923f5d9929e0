"""Random small programs, and what they run in: what the checker and the enumeration are both asked about.

Half of the programs are data that one generator interprets; half are Python source, because the checker reads
suspended frames to tell which of two histories are one, and frames hold more than variables.
"""

import inspect
import re
import textwrap
from contextlib import suppress
from typing import NamedTuple

from hypothesis import reject
from hypothesis import strategies as st

from simlib import Clock, Database, Disk, Lock, Queue, Random, Scenario, Service
from simlib.errors import OperationError, Rejected, Terminated, Unavailable
from simlib.model.values import freeze
from simlib.resources import AdvisoryLock, Collection
from simlib.scenario import system_of
from tests.enumeration import every_schedule

MOST_SCHEDULES = 400  # of a program
BUDGETS = [
    {},
    {"crashes": 1},
    {"crashes": 2},
    {"power_losses": 1},
    {"redeliveries": 1},
    {"pauses": 1},
    {"pauses": 2},
    {"lost_replies": 1},
    {"outages": 1},
    {"rejections": 1},
    {"disk_full": 1},
    {"crashes": 1, "redeliveries": 1},
    {"crashes": 1, "pauses": 1},
    {"power_losses": 1, "disk_full": 1},
    {"outages": 1, "lost_replies": 1},
    {"rejections": 1, "power_losses": 1},
    {"node_losses": 1},
    {"node_losses": 1, "redeliveries": 1},
    {"node_losses": 1, "crashes": 1},
    {"node_losses": 1, "pauses": 1},
    {"power_losses": 1, "crashes": 1},
    {"pauses": 1, "redeliveries": 1},
    {"lost_replies": 1, "crashes": 1},
    {"rejections": 1, "outages": 1},
    {"stops": 1},
    {"stops": 1, "crashes": 1},
    {"stops": 2},
]
FAMILIES = {  # what programs are mostly about, so that the faults find something to strike
    "power_losses": "disk",
    "disk_full": "disk",
    "rejections": "bank",
    "pauses": "lock",
    "redeliveries": "inbox",
    "lost_replies": "bank",
    "node_losses": "lock",
    "stops": "inbox",
}


# What should be true


def x_is_an_item(items):
    return "x" in items


def x_is_not_two(db):
    return db["x"] != 2


def one_row_at_most(db):
    return len(db.rows) <= 1


def one_id_a_row(db):
    return db["x"] is None or db["x"] != db["y"]


def paid_at_most_once(bank):
    return bank.count("pay") <= 1


def never_two_payments_of_one(bank):
    return bank.count("pay", 1) < 2


def nothing_torn(disk):
    return all(len(disk.contents(file)) != 1 for file in disk.files)


def nothing_dead(inbox):
    return not inbox.dead_letters


def three_tokens_at_most(lock):
    return lock.token <= 3


def only_its_holder_frees_it(lock):
    return lock.freed_by_others == 0


def acked_in_order(inbox):
    done = [message.number for message in inbox.acked]
    return done == sorted(done)


def one_ack_at_most(inbox):
    return len(inbox.acked) < 2


def it_is_early(clock):
    return clock.seconds < 12


def y_is_there(db):
    return db["y"] is not None


def lock_is_free(lock):
    return lock.holder is None


def session_lock_is_free(mutex):
    return mutex.holder is None


def a_does_not_hold_it(mutex):
    return mutex.holder != "A"


def file_is_there(disk):
    return disk.contents("f") == "abcd"


def inbox_is_empty(inbox):
    return not inbox.ready and not inbox.in_flight


def paid(bank):
    return bank.count("pay") > 0


def y_was_two(db):
    return db["y"] == 2


def lock_was_held(lock):
    return lock.holder is not None


def file_was_renamed(disk):
    return "g" not in disk.files and disk.contents("f") == "abcd"


ALWAYS = [
    x_is_not_two, one_row_at_most, one_id_a_row, paid_at_most_once, never_two_payments_of_one, nothing_torn,
    x_is_an_item, nothing_dead, three_tokens_at_most, only_its_holder_frees_it, one_ack_at_most, acked_in_order,
    it_is_early, a_does_not_hold_it,
]  # fmt: skip
IN_THE_END = [y_is_there, lock_is_free, session_lock_is_free, file_is_there, inbox_is_empty, paid]
SOME_TIME = [y_was_two, lock_was_held, file_was_renamed]


def claims(draw, among, most, used):
    fitting = [claim for claim in among if {*inspect.signature(claim).parameters} <= used]
    return draw(st.lists(st.sampled_from(fitting), max_size=most, unique=True)) if fitting else []


def scenario_for(draw, roles):
    """A scenario with what these workers use, and claims about it."""
    used = {name for role in roles for name in inspect.signature(role).parameters} - {"me"}
    timeout, most = draw(st.sampled_from([30, 30, None])), draw(st.sampled_from([2, 2, 1, None]))
    resources = {
        "db": Database(draw(st.sampled_from([{}, {"x": 1}]))),
        "inbox": Queue(draw(st.sampled_from([["m"], ["m", "n"], []])), visibility_timeout=timeout, max_receives=most),
        "lock": Lock(),
        "mutex": AdvisoryLock(),
        "disk": Disk(draw(st.sampled_from([{}, {"f": "old"}])), capacity=draw(st.sampled_from([None, 5]))),
        "bank": Service(),
        "hooks": Service(webhooks=True),
        "items": Collection({"x": 1}),
        "clock": Clock(),
        "dice": Random(),
    }
    return Scenario(
        **{name: resource for name, resource in resources.items() if name in used},
        always=claims(draw, ALWAYS, 2, used),
        eventually=claims(draw, IN_THE_END, 1, used),
        sometimes=claims(draw, SOME_TIME, 1, used),
        restarts=draw(st.sampled_from([True, True, True, False])),
    )


class Case(NamedTuple):
    """A random program, and what it runs in."""

    scenario: Scenario
    roles: list
    workers: int  # of the first role, where there is only one

    def __repr__(self):
        scenario = self.scenario
        things = {name: vars(thing) for name, thing in scenario.resources.items()}
        groups = (scenario.always, scenario.eventually, scenario.sometimes)
        claims = [[claim.name for claim in group] for group in groups]
        return "\n".join(map(str, [self.workers, *(role.source for role in self.roles), things, claims]))

    def system(self):
        return system_of(self.scenario, self.roles, self.workers if len(self.roles) == 1 else 1)


# Programs as data: one generator reads them

TABLE = {
    "db": {
        "read": lambda on, env: on["db"].read("x"),
        "read y": lambda on, env: on["db"].read("y"),
        "write": lambda on, env: on["db"].write("x", env["n"]),
        "write y": lambda on, env: on["db"].write("y", env["it"]),
        "insert": lambda on, env: on["db"].insert("x", env["n"]),
        "delete": lambda on, env: on["db"].delete("x"),
        "add one": lambda on, env: on["db"].write("x", (env["it"] if type(env["it"]) is int else 0) + 1),
        "cas": lambda on, env: on["db"].compare_and_set("x", None, env["n"]),
        "cas it": lambda on, env: on["db"].compare_and_set("x", env["it"], 2),
        "next id": lambda on, env: on["db"].next_id(),
        "scan": lambda on, env: on["db"].scan(),
        "transaction": lambda on, env: on["db"].transaction(
            on["db"].compare_and_set("x", 1, 2), on["db"].insert("y", env["n"])
        ),
        "both or neither": lambda on, env: on["db"].transaction(
            on["db"].compare_and_set("x", env["it"], env["n"]), on["db"].delete("y")
        ),
        "who": lambda on, env: on["db"].write("y", on["me"]),
    },
    "transaction": {
        "begin": lambda on, env: on["db"].begin(),
        "begin repeatable": lambda on, env: on["db"].begin("repeatable read"),
        "begin serializable": lambda on, env: on["db"].begin("serializable"),
        "commit": lambda on, env: on["db"].commit(),
        "rollback": lambda on, env: on["db"].rollback(),
        "read": lambda on, env: on["db"].read("x"),
        "read y": lambda on, env: on["db"].read("y"),
        "for update": lambda on, env: on["db"].read("x", for_update=True),
        "skip locked": lambda on, env: on["db"].read("x", for_update=True, skip_locked=True),
        "nowait": lambda on, env: on["db"].read("y", for_update=True, nowait=True),
        "first": lambda on, env: on["db"].scan(limit=1, for_update=True, skip_locked=True),
        "all": lambda on, env: on["db"].scan(for_update=True),
        "scan": lambda on, env: on["db"].scan(),
        "write": lambda on, env: on["db"].write("x", env["n"]),
        "write y": lambda on, env: on["db"].write("y", env["it"] if type(env["it"]) is int else 3),
        "insert": lambda on, env: on["db"].insert("x", env["n"]),
        "insert y": lambda on, env: on["db"].insert("y", env["n"]),
        "update": lambda on, env: on["db"].update("x", env["n"] + 4),
        "delete": lambda on, env: on["db"].delete("x"),
        "cas": lambda on, env: on["db"].compare_and_set("x", 1, 2),
        "new": lambda on, env: on["db"].compare_and_set("y", None, 2),
    },
    "ttl": {
        "write": lambda on, env: on["db"].write("x", env["n"], ttl=9),
        "write y": lambda on, env: on["db"].write("y", env["n"], ttl=30),
        "write for good": lambda on, env: on["db"].write("x", env["n"]),
        "insert": lambda on, env: on["db"].insert("y", env["n"], ttl=9),
        "expire": lambda on, env: on["db"].expire("x", 9),
        "expire y": lambda on, env: on["db"].expire("y", 30),
        "add": lambda on, env: on["db"].add("x", 1),
        "delete": lambda on, env: on["db"].delete("x"),
        "read": lambda on, env: on["db"].read("x"),
        "read y": lambda on, env: on["db"].read("y"),
    },
    "ttl at once": {
        "new": lambda on, env: on["db"].transaction(
            on["db"].compare_and_set("y", None, env["n"]), on["db"].expire("y", 9)
        ),
    },
    "inbox": {
        "receive": lambda on, env: on["inbox"].receive(),
        "ack": lambda on, env: on["inbox"].ack(env["message"]) if env["message"] else None,
        "nack": lambda on, env: on["inbox"].nack(env["message"]) if env["message"] else None,
        "send": lambda on, env: on["inbox"].send(env["n"]),
        "note": lambda on, env: on["db"].write("y", env["message"] and env["message"].deliveries),
    },
    "lock": {
        "acquire": lambda on, env: on["lock"].acquire(ttl=9),
        "acquire for good": lambda on, env: on["lock"].acquire("mine"),
        "try acquire for good": lambda on, env: on["lock"].try_acquire("mine"),
        "try acquire": lambda on, env: on["lock"].try_acquire(on["me"], ttl=9),
        "release": lambda on, env: on["lock"].release(env["lease"]) if env["lease"] else None,
        "renew": lambda on, env: on["lock"].renew(env["lease"], ttl=9) if env["lease"] else None,
        "delete": lambda on, env: on["lock"].delete(),
        "read": lambda on, env: on["lock"].read(),
        "fenced": lambda on, env: on["db"].write("x", env["n"], fence=env["lease"] and env["lease"].token),
        "fenced insert": lambda on, env: on["db"].insert("y", env["n"], fence=env["lease"] and env["lease"].token),
        "fenced cas": lambda on, env: on["db"].compare_and_set(
            "x", env["it"], 2, fence=env["lease"] and env["lease"].token
        ),
        "fenced read": lambda on, env: on["db"].read("x", fence=env["lease"] and env["lease"].token),
    },
    "mutex": {
        "wait for it": lambda on, env: on["mutex"].acquire(),
        "try it": lambda on, env: on["mutex"].try_acquire(),
        "free it": lambda on, env: on["mutex"].release(),
    },
    "disk": {
        "write": lambda on, env: on["disk"].write("g", "abcd"),
        "write f": lambda on, env: on["disk"].write("f", "ab"),
        "append": lambda on, env: on["disk"].append("f", "cd"),
        "rename": lambda on, env: on["disk"].rename("g", "f"),
        "fsync": lambda on, env: on["disk"].fsync("g"),
        "fsync directory": lambda on, env: on["disk"].fsync_directory(),
        "read": lambda on, env: on["disk"].read("f"),
        "exists": lambda on, env: on["disk"].exists("f"),
        "delete": lambda on, env: on["disk"].delete("f"),
    },
    "bank": {
        "pay": lambda on, env: on["bank"].call("pay", 20),
        "pay n": lambda on, env: on["bank"].call("pay", env["n"]),
        "pay once": lambda on, env: on["bank"].call("pay", 20, idempotency_key="k"),
        "look up": lambda on, env: on["bank"].look_up("k"),
        "pay n once": lambda on, env: on["bank"].call("pay", env["n"], idempotency_key="k"),
    },
    "hooks": {
        "pay": lambda on, env: on["hooks"].call("pay", env["n"]),
        "pay once": lambda on, env: on["hooks"].call("pay", 20, idempotency_key="k"),
        "receive": lambda on, env: on["hooks"].receive(),
        "ack": lambda on, env: on["hooks"].ack(env["message"]) if env["message"] else None,
        "nack": lambda on, env: on["hooks"].nack(env["message"]) if env["message"] else None,
        "note": lambda on, env: on["db"].write("y", env["message"] and env["message"].body),
    },
    "items": {
        "get": lambda on, env: on["items"].get("x"),
        "put": lambda on, env: on["items"].put("x", env["n"]),
        "create": lambda on, env: on["items"].create("x", env["n"]),
        "delete": lambda on, env: on["items"].delete("x"),
        "list": lambda on, env: on["items"].list(),
    },
    "rest": {
        "sleep": lambda on, env: on["clock"].sleep(5),
        "sleep long": lambda on, env: on["clock"].sleep(40),
        "choice": lambda on, env: on["dice"].choice([0, None, 2]),
        "now": lambda on, env: on["clock"].now(),
    },
}
OFTEN = [name for name in TABLE if name not in ("transaction", "ttl", "ttl at once", "hooks")]
MAY_FAIL = {
    "insert", "delete", "rename", "fsync", "read", "append", "write", "write f", "transaction", "fenced", "fenced read",
    "fenced insert", "fenced cas", "both or neither",
    "pay", "pay n", "pay once", "pay n once", "get", "look up", "create",
}  # fmt: skip


def interpret(block, on, env):
    """The whole machine of the programs as data."""
    for kind, *rest in block:
        if kind == "count":
            env["n"] += 1
        elif kind == "if":
            question, yes, no = rest
            late = isinstance(env["it"], (int, float)) and env["it"] > 8
            answers = {"none": env["it"] is None, "true": bool(env["it"]), "odd": env["n"] % 2 == 1, "late": late}
            yield from interpret(yes if answers[question] else no, on, env)
        elif kind == "try":
            tried, otherwise = rest
            try:
                yield from interpret(tried, on, env)
            except OperationError as error:
                env["it"] = type(error).__name__
                yield from interpret(otherwise, on, env)
        elif kind == "for":
            for env["n"] in range(rest[0]):
                yield from interpret(rest[1], on, env)
        else:
            op = (PATIENT.get(rest[0]) or TABLE[kind][rest[0]])(on, env)
            if op is not None:
                env["it"] = answer = yield op
                if op.verb == "receive":
                    env["message"] = answer
                if "acquire" in rest[0]:
                    env["lease"] = answer


DATA_WORKER = """
def worker({names}):
    me = "some"
    on = dict({pairs}, me=me)
    yield from interpret(block, on, dict(n=0, it=None, message=None, lease=None))
"""


def worker_of(block, knows_itself):
    """The program as a worker function, which asks for the resources that it needs."""
    used = sorted({"db", *resources_of(block)})
    source = DATA_WORKER.format(names=", ".join(used), pairs=", ".join(f"{name}={name}" for name in used))
    if knows_itself:
        source = source.replace("):", ", me):").replace('    me = "some"\n', "")
    return compiled(source, {"block": block}, block)


def resources_of(block):
    """The names of the resources in a program as data."""
    for kind, *rest in block:
        if kind == "rest":
            yield "dice" if rest[0] == "choice" else "clock"
        elif kind in ("transaction", "ttl", "ttl at once"):
            yield "db"
        elif kind in TABLE:
            yield kind
        else:
            for inner in rest:
                yield from resources_of(inner if isinstance(inner, tuple) else ())


def compiled(source, names, shown):
    known = (interpret, helper, suppress, OperationError, Rejected, Terminated, Unavailable)
    scope = {**{one.__name__: one for one in known}, **names}
    exec(compile(source, "<generated>", "exec"), scope)
    scope["worker"].source = shown
    return scope["worker"]


def most_steps(count, budget):
    """How long programs may be, so that most of them have few enough schedules to run them all."""
    many = (sum(budget.values()) > 1 or "power_losses" in budget) + ({"outages", "lost_replies"} <= set(budget))
    return max(1, [5, 3, 2][count - 1] - many)


def a_step(draw, families):
    family = draw(st.sampled_from(families))
    return (family, draw(st.sampled_from(list(TABLE[family]))))


def a_block(draw, families, steps):
    """So many steps, here and there under an if, a try or a loop."""
    block = []
    while steps > 0:
        shape = draw(st.sampled_from(["plain", "plain", "plain", "if", "try", "for", "count"]))
        if shape == "count":
            block.append(("count",))
            shape = "plain"
        step = a_step(draw, families)
        if shape == "if" and steps > 1:
            question = draw(st.sampled_from(["none", "true", "odd", "late"]))
            block.append(("if", question, (step,), (a_step(draw, families),)))
        elif shape == "for" and steps > 1:
            block.append(("for", 2, (step,)))
            steps -= 1
        elif shape == "try" or (step[1] in MAY_FAIL and draw(st.integers(0, 15))):
            block.append(("try", (step,), (a_step(draw, families),) if shape == "try" else ()))
        else:
            block.append(step)
        steps -= 1
    return tuple(block)


IDIOMS = [  # how people begin and end: chance alone seldom puts two such steps into one program
    ([], []),
    ([("inbox", "receive")], []),
    ([("inbox", "receive")], [("inbox", "ack")]),
    ([("inbox", "receive")], [("inbox", "nack")]),
    ([("lock", "acquire")], []),
    ([("lock", "acquire")], [("lock", "release")]),
    ([("lock", "try acquire")], [("lock", "fenced")]),
    ([("lock", "try acquire for good")], [("lock", "delete")]),
    ([("lock", "acquire")], [("lock", "renew")]),
    ([("mutex", "wait for it")], []),
    ([("mutex", "wait for it")], [("mutex", "free it")]),
    ([("disk", "write")], [("disk", "rename")]),
    ([("disk", "append")], [("disk", "fsync")]),
]


@st.composite
def programs_as_data(draw, budget):
    wanted = [FAMILIES[fault] for fault in budget if fault in FAMILIES]
    about = draw(st.sampled_from([wanted, []])) or [draw(st.sampled_from(OFTEN))]
    families = about * 3 + ["db", "rest", *OFTEN]
    count = draw(st.sampled_from([1, 2, 2, 2, 2, 3]))
    steps = most_steps(count, budget)
    roles = [draw(a_role(families, steps)) for _ in range(draw(st.sampled_from([1, 1, min(count, 2)])))]
    return Case(scenario_for(draw, roles), roles, count - len(roles) + 1)


@st.composite
def a_role(draw, families, most):
    block = a_block(draw, families, draw(st.integers(1, most)))
    first, last = draw(st.sampled_from([IDIOMS[0]] * 8 + IDIOMS))
    if first:
        block = (*first, *block[: max(0, most - len(first) - len(last))], *last)
    return worker_of(block, draw(st.integers(0, 3)) == 0)


@st.composite
def programs_with_clocks(draw, budget):
    """About who sleeps for how long, under a lease or with a message in hand."""
    families = ["rest"] * 4 + draw(st.sampled_from([["lock"], ["inbox"], ["lock", "inbox"]])) * 3 + ["db"]
    roles, most = [], 3 if budget else 4
    for _ in range(draw(st.sampled_from([1, 2, 2]))):
        first = draw(st.sampled_from([(), (("lock", "acquire"),), (("inbox", "receive"),)]))
        nap = ("rest", draw(st.sampled_from(["sleep", "sleep long"])))
        roles.append(worker_of((*first, nap, *a_block(draw, families, draw(st.integers(1, most)))), False))
    workers = draw(st.sampled_from([1, 2, 2, 3])) if len(roles) == 1 else 1
    return Case(scenario_for(draw, roles), roles, workers)


BEGINS = ["begin", "begin repeatable", "begin serializable"]


@st.composite
def programs_with_transactions(draw, budget):
    """Transactions side by side: most begin and commit, some leave it at an end, or wait for one another."""
    count = draw(st.sampled_from([2, 2, 2, 3]))
    most = [3, 2][count - 2] - (sum(budget.values()) > 1)
    roles = []
    for _ in range(draw(st.sampled_from([1, 2]))):
        begin = draw(st.sampled_from(BEGINS * 2 + [None]))
        body = a_block(draw, ["transaction" if begin else "db"], draw(st.integers(1, most)))
        end = draw(st.sampled_from(["commit", "commit", "rollback", None]))
        marks = [(("transaction", mark),) if mark else () for mark in (begin, end)]
        roles.append(worker_of((*marks[0], *body, *marks[1]), draw(st.integers(0, 7)) == 0))
    return Case(scenario_for(draw, roles), roles, count - len(roles) + 1)


# Programs that are told to stop, or give up waiting for a message. Their steps are not among those above, from which a
# seed draws the same programs as ever.

PATIENT = {
    "receive a while": lambda on, env: on["inbox"].receive(wait=5),
    "receive a long while": lambda on, env: on["inbox"].receive(wait=40),
}
ENDINGS = {  # of those who are told to stop
    "finish": "env['n'] += 1",
    "hand back": "if env['message']: yield inbox.nack(env['message'])",
    "note it and go": "yield db.write('y', 'told'); raise",
    "exit": "raise SystemExit",
}
POLITE_WORKER = """
def worker({names}):
    on = dict({pairs}, me="some")
    env = dict(n=0, it=None, message=None, lease=None)
    {guard}
        yield from interpret(block, on, env)
{ending}
"""
GUARDS = {
    "none": ("if True:", ""),
    "finally": ("try:", "    finally:\n        if env['message']: yield db.write('x', 'over')"),
    "caught": ("try:", "    except Terminated:\n        {ending}"),
}


@st.composite
def programs_that_stop(draw, budget):
    """About who waits how long for a message, and what becomes of it when its worker is told to stop."""
    families = ["inbox"] * 4 + ["db"] * 2 + draw(st.sampled_from([["lock"], ["rest"], []]))
    roles, most = [], 2 if budget else 3
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        first = draw(st.sampled_from([*PATIENT, *PATIENT, "receive", ""]))
        block = a_block(draw, families, draw(st.integers(1, most)))
        block = tuple(map(timeless, block))  # where a clock is asked, each wait is another state
        then = draw(st.sampled_from(["if", "if", "if", "go on"])) if first in PATIENT else ""
        if then == "if":
            block = (("inbox", first), ("if", "none", (), block))
        elif first:
            block = (("inbox", first), *block)
        roles.append(polite(block, draw(st.sampled_from([*GUARDS])), draw(st.sampled_from([*ENDINGS]))))
    workers = draw(st.sampled_from([1, 2, 2])) if len(roles) == 1 else 1
    scenario = scenario_for(draw, roles)
    scenario.always = tuple(claim for claim in scenario.always if claim.function is not it_is_early)
    return Case(scenario, roles, workers)


def timeless(part):
    """The same part of a block, without a question for the time."""
    if part == ("rest", "now"):
        return ("rest", "sleep")
    return tuple(map(timeless, part)) if isinstance(part, tuple) else part


def polite(block, guard, ending):
    """The program as a worker that has its own way to stop."""
    used = sorted({"db", "inbox", *resources_of(block)})
    before, after = GUARDS[guard]
    pairs = ", ".join(f"{name}={name}" for name in used)
    after = after.format(ending=ENDINGS[ending])
    source = POLITE_WORKER.format(names=", ".join(used), pairs=pairs, guard=before, ending=after)
    return compiled(source, {"block": block}, (block, guard, ending))


@st.composite
def programs_with_files(draw, budget):
    """About who meets whose half of a file."""
    count = draw(st.sampled_from([2, 2, 2, 3]))
    most = [3, 2][count - 2] - (sum(budget.values()) > 1 or "power_losses" in budget)
    roles = []
    for _ in range(draw(st.sampled_from([1, 2]))):
        body = a_block(draw, ["disk"], draw(st.integers(0, most - 1)))
        roles.append(worker_of((("try", (("disk", "write"),), ()), *body), draw(st.integers(0, 7)) == 0))
    return Case(scenario_for(draw, roles), roles, count - len(roles) + 1)


@st.composite
def programs_with_times_to_live(draw, budget):
    """Rows that expire: among sleeps, in transactions that have locked them, or after their writer has gone."""
    count = draw(st.sampled_from([1, 2, 2, 2]))
    most, roles = 3 - (count > 1 and bool(budget)), []
    for _ in range(draw(st.sampled_from([1, 2]))):
        inside = draw(st.sampled_from([None, None, *BEGINS]))
        families = ["ttl", "transaction"] if inside else ["ttl", "ttl", "ttl", "ttl at once", "rest"]
        body = a_block(draw, families, draw(st.integers(1, most)))
        ends = [(("transaction", inside),), (("transaction", "commit"),)] if inside else [(), ()]
        first = draw(st.sampled_from([(), (("ttl", "write"),), (("try", (("ttl", "insert"),), ()),)]))
        roles.append(worker_of((*first, *ends[0], *body, *ends[1]), draw(st.integers(0, 7)) == 0))
    return Case(scenario_for(draw, roles), roles, count if len(roles) == 1 else 1)


@st.composite
def programs_with_webhooks(draw, budget):
    """A service that calls back: one role calls it, another one handles its events."""
    calls = [("hooks", draw(st.sampled_from(["pay", "pay", "pay once"]))) for _ in range(draw(st.integers(1, 2)))]
    handling = a_block(draw, ["db", "db", "rest"], draw(st.integers(0, 1 if budget else 2)))
    handling = (*handling, *draw(st.sampled_from([(), (), (("hooks", "note"),), (("hooks", "pay once"),)])))
    answer = draw(st.sampled_from(["ack"] * 9 + ["nack", None]))
    handler = (("hooks", "receive"), *handling, *((("hooks", answer),) if answer else ()))
    calls = tuple(
        ("try", (call,), ()) if {*budget} & {"outages", "lost_replies", "rejections"} else call for call in calls
    )
    roles = [worker_of(calls, False), worker_of(handler, draw(st.integers(0, 7)) == 0)]
    return Case(scenario_for(draw, roles), roles, 1)


# Programs as Python source: whatever a frame can hold while it waits

SIMPLE = """
it = yield db.read("x")
yield db.write("x", n)
yield db.write("y", str(got))
yield db.write("y", n); n += 1
n += yield db.next_id()
n = (yield db.next_id()) * 10 + (yield db.next_id())
n = max(n, (yield db.next_id()))
got = [(yield db.read("x")), n, (yield db.read("y"))]
got.append((yield db.read("x")))
got += [n, (yield dice.choice([1, 2]))]
it = {"a": (yield db.read("x")), n: (yield db.next_id())}
it = f"{(yield db.read('x'))} {n}"
it = (yield db.read("x")), (yield db.read("y"))
it = (yield db.read("x")) or (yield db.read("y"))
it = n if (yield db.read("x")) else (yield db.next_id())
a, *rest = (yield db.read("x")), n, 3
if (it := (yield dice.choice([None, 1]))) is None: n += 1
n = yield from helper(db, n)
n = yield from adder(n)
alias = got; alias.append((yield dice.choice([0, 1])))
alias = list(got); alias.append((yield db.next_id()))
inner = helper(db, n); yield next(inner)
yield db.write("y", bump())
yield db.write("y", (lambda n=n: n)() + 1)
yield db.compare_and_set("x", None, n)
yield db.compare_and_set("x", it, 2)
yield lock.try_acquire(me, ttl=9)
yield bank.call("pay", n)
yield clock.sleep(1)
del got[:1]; yield db.write("x", got)
message = yield inbox.receive(); yield inbox.ack(message)
yield inbox.send(n)
yield disk.append("f", "ab")
"""
FAILING = """
yield db.insert("x", n)
yield db.delete("x")
yield disk.rename("f", "g")
it = yield disk.read("g")
yield bank.call("pay", 20)
yield bank.call("pay", n, idempotency_key="k")
"""
LOOPS = """
for n in range(2):
for n in [2, 1]:
for n in (1, 1):
for n, it in enumerate("ab"):
for n, it in zip([1, 2], (3, 3)):
for n in reversed([1, 2]):
for n in reversed((1, 2)):
for n in {1: "a", 2: "b"}:
for n, it in {1: "a", 2: "b"}.items():
for n in {8, 0}:
for n in list(got) + [0]:
for it in got[:2]:
for n in (k * k for k in range(2)):
for n in map(abs, [-1, 2]):
for n in sorted({2, 1}):
for it in "aa":
while n < 2 and (n := n + 1):
for n in iter([1, 2]):
"""
AROUND = r"""
try:|except OperationError as error:\n    got.append(type(error).__name__)
try:|except (Rejected, Unavailable):\n    n += 5\n    yield db.write("y", n)
try:|except OperationError:\n    it = yield db.read("x")\nelse:\n    n += 1
try:|except OperationError:\n    return\nfinally:\n    n += 2
try:|except Rejected:\n    n = 7\n    yield db.next_id()\n    raise
with suppress(OperationError):|
if n:|else:\n    yield db.write("x", 1)
if it is None:|
"""
LEAVING = ["break", "continue", "return", "got.append(n)", "it = None"]
WORKER = """
def worker({names}{me}):
    it, n, got, alias = None, 0, [], None
    {name}
    def bump():
        nonlocal n
        n += 1
        return n
    def adder(by):
        for k in (1, 1):
            by += yield db.next_id()
        return by
{body}
    if dump:
        yield db.write("z", [it, n, got, alias])
"""


def helper(db, n):
    for item in [(yield db.read("x")), n]:
        if item:
            yield db.write("y", item)
    return n + 1


def lines_of(text):
    return text.strip().split("\n")


@st.composite
def programs_as_source(draw, budget):
    count = draw(st.sampled_from([1, 2, 2, 2, 3]))
    steps = max(1, most_steps(count, budget) - (count < 3))
    roles = [draw(a_source(steps)) for _ in range(draw(st.sampled_from([1, 1, min(count, 2)])))]
    return Case(scenario_for(draw, roles), roles, count - len(roles) + 1)


@st.composite
def a_source(draw, steps):
    body = []
    while steps > 0:
        shape = draw(st.sampled_from(["simple", "simple", "loop", "around", "fails"]))
        line = draw(st.sampled_from(lines_of(SIMPLE)))
        if shape == "simple":
            body.append(line)
        elif shape == "loop":
            more = [draw(st.sampled_from(LEAVING))] if draw(st.booleans()) else []
            if more and more[0] in ("break", "return"):
                more = [f"if n == {draw(st.sampled_from([1, 2]))}: {more[0]}"]
            body.append(under(draw(st.sampled_from(lines_of(LOOPS))), [line, *more]))
            steps -= 1
        else:
            # An error that nobody catches mostly comes again and again, and such schedules have no end.
            among = [one for one in lines_of(AROUND) if shape == "around" or "OperationError" in one]
            first, last = draw(st.sampled_from(among)).split("|")
            tried = draw(st.sampled_from(lines_of(FAILING))) if shape == "fails" else line
            body.append(under(first, [tried]) + "\n" + last.replace("\\n", "\n"))
        steps -= 1
    return worker_from("\n".join(body), draw(st.integers(0, 3)) == 0, draw(st.booleans()))


def worker_from(body, knows, dump):
    text = textwrap.indent(body, "    ")
    used = [name for name in ("inbox", "lock", "disk", "bank", "clock", "dice") if re.search(rf"\b{name}\.", text)]
    source = WORKER.format(
        names=", ".join(["db", *used]), me=", me" if knows else "", name="" if knows else 'me = "some"', body=text
    )
    return compiled(source, {"dump": dump}, source)


def under(line, lines):
    return "\n".join([line, *(f"    {one}" for one in lines)])


# Programs that differ in nothing but what lies on a frame's stack, or in which of two equal things a name means

FRAMES = """
yield db.read("x")
yield db.next_id()
n += 1
it = None
n = (yield dice.choice([1, 2])) * 10 + (yield db.next_id())
n = max((yield dice.choice([1, 2])), (yield db.next_id()))
it = f"{(yield dice.choice([1, 2]))} {(yield db.read('x'))}"
it = (yield dice.choice([0, 1])) or (yield db.next_id())
got = [(yield dice.choice([0, 1])), (yield db.read("x"))]
got = [*got, (yield dice.choice([0, 1])), n]
got = list(got) if (yield dice.choice([True, False])) else got
alias = got if (yield dice.choice([True, False])) else list(got)
alias, got = (got, list(got)) if (yield dice.choice([True, False])) else (list(got), list(got))
alias = [got, got] if (yield dice.choice([True, False])) else [list(got), got]
got.append((yield dice.choice([0, 1])))
(alias or got).append(1)
alias = got if (yield dice.choice([True, False])) else list(got); yield db.read("x"); alias.append(1)
got, alias = [got, (yield dice.choice([1, 2]))], got; yield db.read("x"); alias.append(1)
n = yield from helper(db, n)
n = yield from adder(n)
yield db.write("y", bump())
yield db.write("y", [it, n, got])
"""
SAME_AGAIN = """
for _ in (1, 1):
for _ in [0, 0, 0]:
for _ in "aa":
for _ in range(2):
for _ in reversed([1, 1]):
for _, it in zip("aa", [1, 1]):
for _, it in enumerate((1, 1)):
for _ in iter([1, 1]):
for it in [(yield dice.choice([1, 2])), 1]:
for it in got[:2]:
for _ in [None for item in got[:2]]:
"""


@st.composite
def programs_about_frames(draw, budget):
    body = []
    for _ in range(draw(st.integers(2, 5))):
        line = draw(st.sampled_from(lines_of(FRAMES)))
        loop = draw(st.one_of(st.none(), st.none(), st.sampled_from(lines_of(SAME_AGAIN))))
        body.append(under(loop, [line]) if loop else line)
    source = "\n".join(["got = [0, 0]", *body, "dice"])
    roles = [worker_from(source, False, True)]
    return Case(Scenario(db=Database({"x": 1}), dice=Random()), roles, draw(st.sampled_from([1, 1, 1, 2])))


# Programs whose smallest way to one of their ends is a matter of who overtakes whom

RACES = [  # each takes something and puts it somewhere, later
    ["read", "add one"],
    ["read y", "add one"],
    ["read", "write y"],
    ["next id", "write y"],
    ["read y", "cas it"],
    ["write", "read"],
    ["cas", "write y"],
]


@st.composite
def programs_that_race(draw, budget):
    count = 2 if budget else draw(st.sampled_from([2, 2, 3]))
    consume = draw(st.booleans()) and count == 2  # a consumer's run ends before the next message: nobody is overtaken
    length = 2 if consume else 3 if budget else {2: 5, 3: 2}[count]
    roles = []
    for place in range(count):
        verbs = [verb for _ in range(3) for verb in draw(st.sampled_from(RACES))]
        steps = [("db", verb) for verb in verbs[draw(st.integers(0, 1)) :][:length]]
        first = [("inbox", "receive")] if consume else []
        roles.append(worker_of((*first, *[("count",)] * place, *steps), False))
    things = {"db": Database()}
    if consume:
        things["inbox"] = Queue(["m", "n"], visibility_timeout=None)
    found = every_schedule(system_of(Scenario(**things), roles, 1), budget, MOST_SCHEDULES)
    if found.cut:
        reject()
    far = sorted(found.ends, key=lambda end: (found.ends[end], repr(end)))[-3:]
    rare = dict(draw(st.sampled_from(far[::-1])))["db"]

    def it_does_not_end_like_this(db):
        return tuple((key, freeze(db[key])) for key in sorted(db.rows)) != rare

    return Case(Scenario(**things, eventually=[it_does_not_end_like_this]), roles, 1)
