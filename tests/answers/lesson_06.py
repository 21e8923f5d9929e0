from tests.answers import ack_first, ack_only, edited, given, prop, solutions
from tests.lessons import cell, run

CLASSIFIED, CAREFUL, KEPT = solutions("06")
GIVEN = given("06", "ship_mended")
SEEN = "orders, bank, desk"
KEY = ", idempotency_key=order.id"
HANDLER = """    except Rejected as error:  # no, and it will stay no: a person takes over
        yield desk.write(order.id, repr(error))
"""
NO_HANDLER = edited(
    CAREFUL,
    (HANDLER, ""),
    ("    try:\n", ""),
    ("        yield carrier", "    yield carrier"),
    ("        yield mail", "    yield mail"),
)
MAIL_OUTSIDE = edited(
    CAREFUL,
    (f'        yield mail.call("shipped", order.body{KEY})\n', ""),
    (HANDLER, HANDLER + f'    else:\n        yield mail.call("shipped", order.body{KEY})\n'),
)
APART = edited(
    MAIL_OUTSIDE,
    (
        f'        yield mail.call("shipped", order.body{KEY})\n',
        f'        try:\n            yield mail.call("shipped", order.body{KEY})\n'
        "        except Rejected as error:\n            yield desk.write(order.id, repr(error))\n",
    ),
)


def all_are(decision):
    """The same answer to all ten."""
    lines = CLASSIFIED.splitlines()
    return "\n".join([f'{line.rpartition(": ")[0]}: "{decision}",' if ":" in line else line for line in lines])


def graded(name, answer, names):
    if name != "classify":
        return None
    names = {**names, "record": lambda exercise, points, of: points >= of and f"{points} of {of}"}
    text = (answer or cell("06", "classify")) + "\n" + cell("06", "judge").rpartition("\n")[0]
    run(f"{text}\n", names, "<classify>")
    points = names["judge"](names["answers"])
    return points >= len(names["ERRORS"]), f"{points}"


BOOKED, SILENT, HARMLESS = ("A 2", "crash A"), ("A 2", "A: outage"), ("A", "A: rejection")
WRONG = {
    "attack": {
        "the silent one alone": (SILENT, HARMLESS),
        "two parcels alone": (HARMLESS, BOOKED),
        "nothing shipped": (("A", "A: outage"), BOOKED),
        "two parcels, twice": (BOOKED, BOOKED),
    },
    "classify": {
        "all stop": all_are("stop"),
        "all desk": all_are("desk"),
        "all the same key": all_are("same key"),
        "no answer": "answers = {}",
        "one answer": 'answers = {"HTTP 503, Retry-After: 5": "stop"}',
        "a word that is none": edited(CLASSIFIED, ('"stop"', '"Stop"')),
        "a timeout that comes back with a new key": edited(
            CLASSIFIED, ('"read timeout after 30 s": "same key"', '"read timeout after 30 s": "stop"')
        ),
    },
    "defend": {
        "no handler": NO_HANDLER,
        "no handler for the mail": MAIL_OUTSIDE,
        "no handler, no keys": edited(NO_HANDLER, (KEY, "")),
        "the error named, no keys": edited(CAREFUL, (KEY, "")),
        "keys, and every error on the desk": edited(CAREFUL, ("except Rejected", "except Exception")),
        "keys, and every error called a refusal": edited(
            CAREFUL, ("except Rejected", "except Exception"), ("repr(error)", 'f"Rejected: {error}"')
        ),
        "swallowed": edited(CAREFUL, ("        yield desk.write(order.id, repr(error))\n", "        pass\n")),
        "unavailable, too": edited(CAREFUL, ("except Rejected", "except (Rejected, Unavailable)")),
        "unknown, too": edited(CAREFUL, ("except Rejected", "except (Rejected, OutcomeUnknown)")),
        "told, whatever the carrier says": edited(MAIL_OUTSIDE, ("    else:\n        yield mail", "    yield mail")),
        "retried for ever": edited(
            GIVEN,
            (
                '        yield carrier.call("book", order.body)\n        yield mail.call("shipped", order.body)\n',
                f'        yield carrier.call("book", order.body{KEY})\n        while True:\n'
                f'            try:\n                yield mail.call("shipped", order.body{KEY})\n'
                "                break\n            except Exception:\n                continue\n",
            ),
            ("except Exception as", "except Rejected as"),
        ),
        "acknowledged first": ack_first(CAREFUL, "orders", "order"),
        "only acknowledged": ack_only("ship_mended", "orders"),
    },
    "audit": {
        "charged": prop(SEEN, 'orders.acked == [] or bank.count("charge") >= 1'),
        "on the desk": prop(SEEN, 'orders.acked == [] or desk["orders-1"] is not None'),
        "anything on the desk": prop(SEEN, 'orders.acked == [] or bank.count("charge") >= 1 or desk.rows != {}'),
        "the lesson's, asked too early": prop(SEEN, "settled(bank, desk)"),
        "charged at most once": prop("bank", "charged_at_most_once(bank)"),
        "charged, or on the desk, not both": prop(
            SEEN, 'orders.acked == [] or (bank.count("charge") >= 1) != (desk["orders-1"] is not None)'
        ),
    },
}
RIGHT = {
    "attack": {"an outage, and a crash": (SILENT, BOOKED)},
    "classify": {
        "the solution": CLASSIFIED,
        "the same key wherever it comes back": edited(CLASSIFIED, ('"stop"', '"same key"')),
    },
    "defend": {"the solution": CAREFUL, "a handler for each": APART},
    "audit": {
        "the solution": KEPT,
        "by the lesson's": prop(SEEN, "not orders.acked or settled(bank, desk)"),
    },
}
