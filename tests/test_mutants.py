"""A corpus of seeded bugs: every careful implementation of the course, with one thing in it done wrong.

Each mutant has to be caught under its lesson's faults, or stand in one of two lists: EQUIVALENT, proven to be so by
`explore` (under each budget it holds, with the same set of reachable outcomes as the original), or NOT_HERE, with the
reason why this lesson's properties do not ask for it. Statements that are left out or exchanged are
in the tests of the lessons.
"""

import ast
import copy
import inspect
import textwrap
from collections import Counter

import pytest

from simlib.errors import Mistake
from tests.lessons import changed, definitions, solved

# What can be done wrong, one node of the syntax tree at a time


def verb(node):
    """`ack` for `inbox.ack(...)`, else nothing."""
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""


def renamed(node, name, args, keywords):
    return ast.Call(ast.Attribute(node.func.value, name, ast.Load()), args, keywords)


def dropped_keyword(node):
    """Without `fence=`, `idempotency_key=`, `ttl=`."""
    for keyword in node.keywords if verb(node) else ():
        yield ast.Call(node.func, node.args, [one for one in node.keywords if one is not keyword])


def unconditional_write(node):
    """`write` for `compare_and_set` and for `insert`."""
    if verb(node) == "compare_and_set":
        yield renamed(node, "write", [node.args[0], node.args[2]], node.keywords)
    if verb(node) == "insert":
        yield renamed(node, "write", node.args, node.keywords)


def careless_release(node):
    """`lock.delete()` for `lock.release(lease)`."""
    if verb(node) == "release":
        yield renamed(node, "delete", [], [])


def smaller_transaction(node):
    """A transaction without one of its writes."""
    for write in node.args if verb(node) == "transaction" else ():
        yield renamed(node, "transaction", [one for one in node.args if one is not write], [])


OPPOSITE = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is}


def opposite_question(node):
    """`!=` for `==`, `is not` for `is`, `if not` for `if`."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITE:
        yield ast.Compare(node.left, [OPPOSITE[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, (ast.If, ast.IfExp)) and not isinstance(node.test, ast.Compare):
        other = copy.copy(node)
        other.test = ast.UnaryOp(ast.Not(), node.test)
        yield other


def other_constant(node):
    """Something else that is compared: in a comparison, or by compare_and_set."""
    if isinstance(node, ast.Compare) and isinstance(node.comparators[0], ast.Constant):
        yield ast.Compare(node.left, node.ops, [unlike(node.comparators[0])])
    if verb(node) == "compare_and_set" and isinstance(node.args[1], ast.Constant):
        yield renamed(node, "compare_and_set", [node.args[0], unlike(node.args[1]), *node.args[2:]], node.keywords)


def unlike(constant):
    value = constant.value
    return ast.Constant(f"not {value}" if isinstance(value, str) else False if value is None else value + 1)


def the_delivery(node):
    """The number of the delivery for the id of the message."""
    if isinstance(node, ast.Attribute) and node.attr == "id":
        yield ast.Attribute(node.value, "deliveries", ast.Load())


def one_attempt(node):
    """`if` for `while`: no second look."""
    if isinstance(node, ast.While):
        yield ast.If(node.test, node.body, [])


def other_errors(node):
    """Every error, or none, for those that were expected."""
    if isinstance(node, ast.ExceptHandler):
        yield ast.ExceptHandler(ast.Name("Exception", ast.Load()), node.name, node.body)
        yield ast.ExceptHandler(ast.Name("StopIteration", ast.Load()), node.name, node.body)


def said_too_soon(node):
    """An `ack` or a `release` one statement earlier, but not before the message or the lease is there."""
    body = getattr(node, "body", None)
    for place in range(2, len(body) if isinstance(body, list) else 0):
        if any(verb(part) in ("ack", "release") for part in ast.walk(body[place])):
            other = copy.copy(node)
            other.body = [*body[: place - 1], body[place], body[place - 1], *body[place + 1 :]]
            yield other


OPERATORS = [
    dropped_keyword, unconditional_write, careless_release, smaller_transaction, opposite_question, other_constant,
    the_delivery, one_attempt, other_errors, said_too_soon,
]  # fmt: skip


def mutants(function):
    """Every (what was done, function with that in it)."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    seen = Counter()
    for place, node in enumerate(ast.walk(tree)):
        for operator in OPERATORS:
            for other in operator(node):
                what = f"{function.__name__}: {operator.__name__}, {first_line(node)}"
                seen[what] += 1
                mutant = changed(function, ast.unparse(exchanged(tree, place, other)).splitlines())
                yield what + f" ({seen[what]})" * (seen[what] > 1), mutant


def exchanged(tree, place, other):
    """The tree again, with another node in this place of its walk."""
    again = copy.deepcopy(tree)
    (old, new) = [*ast.walk(again)][place], copy.deepcopy(other)
    for parent in ast.walk(again):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                setattr(parent, name, [new if one is old else one for one in value])
    return ast.fix_missing_locations(again if old is not again else new)


def first_line(node):
    return ast.unparse(node).strip().splitlines()[0]


# The careful implementations, each with its questions: (scenario, workers(mutant or original), faults)


def asked(scenario, *budgets, instead=lambda worker: worker):
    return [(scenario, instead, faults) for faults in budgets]


def lesson_04():
    lesson = definitions("04")
    always = [lesson[f"{what}_at_most_once"] for what in ("account", "charged", "welcomed")]
    told = lesson["office"].asking(always=always, eventually=[lesson["signed_up"], lesson["row_says_welcomed"]])
    yield lesson["sign_up_keyed"], asked(told, {"crashes": 1, "redeliveries": 1})


def lesson_05():
    lesson = definitions("05")
    worker, budget = lesson["pay_interest_by_state"], {"crashes": 1, "pauses": 1, "workers": 2}
    # With every start the worker has another name, so of one that starts for ever no state comes back: that is not
    # seen as a loop, but as a job that is given up.
    counted = lesson["Scenario"](
        jobs=lesson["Queue"](["march"], visibility_timeout=60, max_receives=3), disk=lesson["Disk"](),
        db=lesson["Database"]({"ann": 100}), always=[no_job_is_given_up],
    )  # fmt: skip
    questions = [
        *asked(counted, {"redeliveries": 1, "workers": 1}),
        *asked(lesson["bank"], budget, {"outages": 1, "workers": 1}),
    ]
    yield worker, questions
    yield lesson["pay_interest_swapped"], questions

    def printing(mutant):
        return changed_globals(worker, print_statement=mutant)

    yield lesson["print_statement"], asked(lesson["bank"], budget, instead=printing)


def no_job_is_given_up(jobs):
    return jobs.dead_letters == []


def changed_globals(function, **others):
    """The same function, meaning something else by these names."""
    return type(function)(function.__code__, {**function.__globals__, **others}, function.__name__)


def lesson_07():
    lesson, workers = definitions("07"), {"ship": 1, "relay": 1}
    for worker in lesson["outbox"]:

        def instead(mutant, worker=worker):
            return [mutant if one is worker else one for one in lesson["outbox"]]

        yield worker, asked(lesson["shop"], {"crashes": 1, "workers": workers}, {"outages": 1}, instead=instead)


PURCHASES = [
    {"crashes": 0, "workers": 1}, {"crashes": 1, "workers": 2}, {"redeliveries": 1, "workers": 2},
    {"outages": 1, "workers": 1},
]  # fmt: skip


def lesson_09():
    lesson = definitions("09")

    def twenty(db):
        return db["ann"] == 20

    two = lesson["Scenario"](
        inbox=lesson["Queue"](["one", "two"], visibility_timeout=30), db=lesson["Database"]({"ann": 0}),
        workers=2, eventually=[twenty],
    )  # fmt: skip
    yield lesson["credit_once"], asked(two, *PURCHASES)
    yield lesson["credit_swapped"], asked(two, *PURCHASES)


def lesson_10():
    lesson = definitions("10")
    questions = asked(lesson["shop"], {"crashes": 1, "power_losses": 1, "disk_full": 1})
    yield lesson["close_day_durably"], [*questions, *asked(lesson["full"], {"crashes": 1})]
    power = {"crashes": 1, "power_losses": 1, "disk_full": 1}
    yield solved("10", lesson, 0)["note_mended"], asked(lesson["sales"], power)


def lesson_11():
    lesson = definitions("11")
    saturday = lesson["a_club"]("one", "two").asking(eventually=[lesson["twenty_points"]])
    yield lesson["credit_once"], asked(saturday, *PURCHASES)
    mended = solved("11", lesson, 0)["add_interest_mended"]
    yield mended, asked(lesson["interest"], {"crashes": 1, "redeliveries": 1, "workers": 2})


def lesson_13():
    lesson = definitions("13")
    for name, piece in lesson["pieces"].items():

        def instead(mutant, name=name):
            return lesson["pipeline"]("mutant", **{**lesson["pieces"], name: mutant})

        budgets = [{"crashes": 0}, {"crashes": 1}, {"rejections": 1}]
        yield piece, asked(lesson["shop"], *budgets, instead=instead)


def of(number, *rows):
    """The lessons whose question is one worker in one scenario."""
    lesson = definitions(number)
    for scenario, worker, *budgets in rows:
        found = lesson[scenario](2) if number == "03" else lesson[scenario]
        yield lesson[worker], asked(found, *budgets)


LESSONS = {
    "00": lambda: of("00", ("shop", "charge_once", {"crashes": 1, "redeliveries": 1})),
    "01": lambda: of(
        "01",
        ("billing", "cancel_expected", {"crashes": 1, "outages": 1}),
        ("office", "cancel_listed_first", {"crashes": 1, "outages": 2}),
    ),
    "02": lambda: of("02", ("bank", "book_fenced", {"pauses": 1}, {"crashes": 1})),
    "03": lambda: of("03", ("shop", "take_order_once", {"crashes": 1, "redeliveries": 1})),
    "04": lesson_04,
    "05": lesson_05,
    "06": lambda: of("06", ("shop", "pay_sorted", {"crashes": 1, "rejections": 1}, {"outages": 1})),
    "07": lesson_07,
    "08": lambda: of("08", ("office", "work_fenced", {"node_losses": 1, "pauses": 1})),
    "09": lesson_09,
    "10": lesson_10,
    "11": lesson_11,
    "13": lesson_13,
}


def verdicts(worker, questions):
    """What each question says: a verdict and the outcomes; "loops" where it holds, and says who loops for ever. Stops
    where one is violated.
    """
    found = []
    for scenario, instead, faults in questions:
        try:
            report = scenario.explore(instead(worker), max_states=20_000, **faults)
        except Mistake:  # no worker at all any more
            return [("violated", None)]
        if report.findings.endless:  # a run without an end in sight, which no state closes
            return [("violated", None)]
        found.append(("loops" if report.verdict == "holds" and report.loops else report.verdict, report.outcomes))
        if report.verdict == "violated":
            break
    return found


# Those that nothing catches

EQUIVALENT = {  # proven: under each budget it holds, and the same outcomes can be reached
    "01": ["cancel_listed_first: other_errors, except Unavailable as error:"],  # no other error can reach it
    "02": [  # others wait a step longer; or the fence refuses whoever gave the lock back too early
        "book_fenced: said_too_soon, def book_fenced(inbox, lock, db):",
        "book_fenced: said_too_soon, def book_fenced(inbox, lock, db): (2)",
    ],
    "04": [
        "sign_up_keyed: unconditional_write, db.compare_and_set(key, 'charged', (state := 'welcomed'))",  # the last one
        "sign_up_keyed: the_delivery, message.id (2)",  # where it reads how far it is: the keys stop what is repeated
    ],
    "05": [  # one job alone changes the balance, and only while "march" is open
        "pay_interest_swapped: one_attempt, while (yield db.read('march')) is None:",
        "pay_interest_swapped: unconditional_write, db.compare_and_set('ann', balance, balance + 5)",
    ],
    "07": [  # an error that is passed over, or that starts the worker again, comes to the same
        "order_outboxed: other_errors, except AlreadyExists: (2)",
        "order_outboxed: unconditional_write, db.insert('order-1', cart)",  # the note beside it is inserted
        "order_outboxed: unconditional_write, db.insert('outbox order-1', 'order-1')",  # the order beside it is
    ],
    "08": [  # whose lock it was, or whether it was given back too early, the row does not mind
        "work_fenced: careless_release, lock.release(lease)",
        "work_fenced: said_too_soon, def work_fenced(db, printer, lock):",
    ],
    "10": ["close_day_durably: other_errors, except DiskFull:"],  # a disk raises nothing else here
    "11": [  # the mark of 2026 in the same transaction is guard enough
        "add_interest_mended: one_attempt, while (yield db.read('2026')) is None:",
        "add_interest_mended: unconditional_write, db.compare_and_set('ann', ann, ann + 1)",
        "add_interest_mended: unconditional_write, db.compare_and_set('bob', bob, bob + 1)",
    ],
    "13": [
        # One order is in one hand, as long as nothing is delivered twice; whoever comes later finds the verdict.
        "reserve_once: unconditional_write, stock.compare_and_set(order.id, None, 'reserved' if left else 'sold out')",
        "give_back_once: one_attempt, while (yield stock.read(order.id)) == 'reserved':",
        "give_back_once: unconditional_write, stock.compare_and_set('widget', left, left + 1)",
        "give_back_once: unconditional_write, stock.compare_and_set(order.id, 'reserved', 'declined')",
        # Nothing but a rejection is among the faults here.
        "pay_once: other_errors, except Rejected:",
        "tell_once: other_errors, except Rejected:",
    ],
}
NOT_HERE = {
    "00": {
        "charge_once: said_too_soon, def charge_once(inbox, bank, db):": "the two properties ask of the bank alone",
    },
    "01": {
        "cancel_listed_first: other_errors, except Unavailable as error: (2)": "a retry is as good as the list",
    },
    "05": {
        "pay_interest_by_state: said_too_soon, def pay_interest_by_state(jobs, disk, db, me):": "a statement can be "
        "printed at any time: of it, no property asks but that it is whole",
    },
    "06": {
        "pay_sorted: other_errors, except Rejected as error:": "what an outage brings to the desk is settled there",
    },
    "07": {
        "order_outboxed: other_errors, except AlreadyExists:": "an order that was never stored need not be shipped",
    },
    "13": {
        "reserve_once: opposite_question, 'reserved' if left else 'sold out'": "the one widget goes to the second in "
        "line: unfair, and no property is about fairness",
    },
}  # fmt: skip


@pytest.mark.parametrize("number", LESSONS)
def test_every_seeded_bug_is_caught_or_proven_equivalent_or_listed_with_a_reason(number):
    equivalent, other = [], []
    for worker, questions in LESSONS[number]():
        original = verdicts(worker, questions)
        usual = {verdict for verdict, _ in original}
        assert usual in ({"holds"}, {"loops"}, {"holds", "loops"})
        for what, mutant in mutants(worker):
            found = verdicts(mutant, questions)
            if found == original:
                equivalent.append(what)
            elif not {verdict for verdict, _ in found} & ({"violated", "loops"} - usual):
                other.append(what)
    assert sorted(equivalent) == sorted(EQUIVALENT.get(number, []))
    assert sorted(other) == sorted(NOT_HERE.get(number, {}))


def test_these_are_156_bugs_of_which_128_are_caught():
    made = sum(len([*mutants(worker)]) for lesson in LESSONS.values() for worker, _ in lesson())
    equivalent, other = (sum(map(len, listed.values())) for listed in (EQUIVALENT, NOT_HERE))
    assert (made, equivalent, other, made - equivalent - other) == (156, 22, 6, 128)
