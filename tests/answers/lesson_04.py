from tests.answers import ack_first, ack_only, edited, given, prop, solutions

CAREFUL, REACHED = solutions("04")
GIVEN = given("04", "handle_mended")
SEEN = "db, crm, bank, mail"
KEY = ", idempotency_key=message.id"
COUNTED = CAREFUL[CAREFUL.index("    while") : CAREFUL.index("    yield bank")]
LOOKED = """    if (yield stock.read("counted")) is None:
        count = yield stock.read("shelf")
        yield stock.write("shelf", count + 1)
        yield stock.write("counted", True)
"""
MARKED_FIRST = """    if (yield stock.compare_and_set("counted", None, True)):
        count = yield stock.read("shelf")
        yield stock.write("shelf", count + 1)
"""
UNGUARDED = """    if (yield stock.read("counted")) is None:
        count = yield stock.read("shelf")
        yield stock.transaction(stock.write("shelf", count + 1), stock.write("counted", True))
"""
SHELF_GUARDED = """    counted = (yield stock.read("state")) == "returned"
    while not counted:
        count = yield stock.read("shelf")
        counted = yield stock.compare_and_set("shelf", count, count + 1)
"""
ONE_TRANSACTION = """    yield stock.transaction(
        stock.compare_and_set("counted", None, True), stock.compare_and_set("shelf", 7, 8),
    )
"""

PARCEL, HARMLESS = ("A 4", "crash A"), ("A 2", "crash A")
SHELF, SHELF_RACED = ("A 6", "crash A"), ("A 6", "expire inbox", "B 6")
WRONG = {
    "attack": {
        "the parcel alone": (PARCEL, HARMLESS),
        "the shelf alone": (HARMLESS, SHELF),
        "the parcel, twice": (PARCEL, PARCEL),
    },
    "defend": {
        "keys alone": edited(
            GIVEN,
            ('"book", message.body', f'"book", message.body{KEY}'),
            ('"refund", message.body', f'"refund", message.body{KEY}'),
        ),
        "no key for the parcel": edited(CAREFUL, (f'"book", message.body{KEY}', '"book", message.body')),
        "no key for the refund": edited(CAREFUL, (f'"refund", message.body{KEY}', '"refund", message.body')),
        "looked, then counted": edited(CAREFUL, (COUNTED, LOOKED)),
        "marked, then counted": edited(CAREFUL, (COUNTED, MARKED_FIRST)),
        "both writes, without a guard": edited(CAREFUL, (COUNTED, UNGUARDED)),
        "the shelf guarded, not the return": edited(CAREFUL, (COUNTED, SHELF_GUARDED)),
        "a state a step, recorded after it": edited(
            GIVEN,
            ('if (yield stock.read("state")) != "returned":', 'if (yield stock.read("state")) is None:'),
            (
                "        count =",
                '        yield stock.write("state", "booked")\n'
                '    if (yield stock.read("state")) == "booked":\n        count =',
            ),
        ),
        "no note": edited(CAREFUL, ('    yield mail.call("note", message.body)\n', "")),
        "acknowledged first": ack_first(CAREFUL, "inbox", "message"),
        "only acknowledged": ack_only("handle_mended", "inbox"),
    },
    "audit": {
        "created alone": prop(SEEN, 'db["inbox-1"] != "created" or crm.count("create") >= 1'),
        "charged alone": prop(SEEN, 'db["inbox-1"] != "charged" or bank.count("charge") >= 1'),
        "charged or more": prop(SEEN, 'db["inbox-1"] in (None, "created") or bank.count("charge") >= 1'),
        "created or more": prop(SEEN, 'db["inbox-1"] is None or crm.count("create") >= 1'),
        "all of it, as soon as there is a row": prop(SEEN, 'db["inbox-1"] is None or signed_up(crm, bank, mail)'),
        "the lesson's": prop(
            SEEN, "account_at_most_once(crm) and charged_at_most_once(bank) and welcomed_at_most_once(mail)"
        ),
    },
}
RIGHT = {
    "attack": {
        "two crashes": (PARCEL, SHELF),
        "a crash, and two workers": (PARCEL, SHELF_RACED),
    },
    "defend": {"the solution": CAREFUL, "one transaction": edited(CAREFUL, (COUNTED, ONE_TRANSACTION))},
    "audit": {
        "the solution": REACHED,
        "three sentences": prop(
            SEEN,
            '(db["inbox-1"] != "created" or crm.count("create") >= 1) and '
            '(db["inbox-1"] != "charged" or bank.count("charge") >= 1) and '
            '(db["inbox-1"] != "welcomed" or mail.count("welcome") >= 1)',
        ),
    },
}
