from tests.answers import prop, solutions
from tests.lessons import cell

(EARNED,) = solutions("13")
SEEN = "mail, bank, ledger, labels"
PARTS = ['bank.count("charge", who)', 'f"paid {who}" in ledger', "has_label(labels, who)"]


def mine(piece, *changes):
    """The reference with one piece that is changed."""
    name = {
        "reserve": "reserve_once",
        "give_back": "give_back_once",
        "pay": "pay_once",
        "label": "label_durably",
        "tell": "tell_once",
    }[piece]
    text = cell("13", "careful")
    start = text.index(f"def {name}")
    text = text[start:].split("\n\ndef ")[0] + "\n"
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return written(piece, text.replace(f"def {name}", f"def my_{piece}"))


def written(piece, text):
    """The reference with a piece of the learner's own, `my_tell`."""
    return f'{text}\nmine = pipeline("mine", **{{**pieces, "{piece}": my_{piece}}})\n'


def old(*kept):
    """The reference with these pieces left as they were."""
    return f'mine = pipeline("mine", **{{name: piece for name, piece in pieces.items() if name not in {kept}}})\n'


def every_one(*parts):
    return prop(SEEN, f'all(not mail.count("shipped", who) or ({" and ".join(parts)}) for who in PEOPLE)')


GIVEN_BACK = {
    "looked, then given back": """def my_give_back(stock, order):
    if (yield stock.read(order.id)) == "reserved":
        left = yield stock.read("widget")
        yield stock.write("widget", left + 1)
        yield stock.write(order.id, "declined")
""",
    "marked, then given back": """def my_give_back(stock, order):
    if (yield stock.compare_and_set(order.id, "reserved", "declined")):
        left = yield stock.read("widget")
        yield stock.write("widget", left + 1)
""",
    "both writes, unguarded": """def my_give_back(stock, order):
    if (yield stock.read(order.id)) == "reserved":
        left = yield stock.read("widget")
        yield stock.transaction(stock.write("widget", left + 1), stock.write(order.id, "declined"))
""",
    "the widget guarded, not the order": """def my_give_back(stock, order):
    done = False
    while not done:
        left = yield stock.read("widget")
        done = yield stock.compare_and_set("widget", left, left + 1)
""",
    "given back, then marked": """def my_give_back(stock, order):
    if (yield stock.read(order.id)) == "reserved":
        left = yield stock.read("widget")
        if (yield stock.compare_and_set("widget", left, left + 1)):
            yield stock.compare_and_set(order.id, "reserved", "declined")
""",
    "nothing given back": "def my_give_back(stock, order):\n    yield stock.read(order.id)\n",
}
PIECES = {
    "reserve": {
        "a sold out that is not written down": """def my_reserve(stock, order):
    while (yield stock.read(order.id)) is None:
        left = yield stock.read("widget")
        if left == 0:
            return False
        yield stock.transaction(
            stock.compare_and_set("widget", left, left - 1), stock.compare_and_set(order.id, None, "reserved"),
        )
    return True
""",
        "the widget guarded, not the order": """def my_reserve(stock, order):
    while (left := (yield stock.read("widget"))):
        if (yield stock.compare_and_set("widget", left, left - 1)):
            yield stock.write(order.id, "reserved")
            return True
    return False
""",
    },
    "give_back": GIVEN_BACK,
    "pay": {
        "an unknown outcome taken for a no": """def my_pay(bank, order):
    try:
        yield bank.call("charge", order.body, idempotency_key=order.id)
    except Exception:
        return False
    return True
""",
        "retried whatever it is": """def my_pay(bank, order):
    while True:
        try:
            yield bank.call("charge", order.body, idempotency_key=order.id)
            return True
        except Exception:
            continue
""",
    },
    "label": {
        "looked whether it is there": """def my_label(labels, order):
    if not (yield labels.exists(f"{order.body}.txt")):
        yield labels.write(f"{order.body}.txt", f"to {order.body}")
        yield labels.fsync(f"{order.body}.txt")
        yield labels.fsync_directory()
""",
        "written in place": """def my_label(labels, order):
    yield labels.write(f"{order.body}.txt", f"to {order.body}")
    yield labels.fsync(f"{order.body}.txt")
    yield labels.fsync_directory()
""",
        "a full disk passed over": """from simlib import DiskFull

def my_label(labels, order):
    draft = f"{order.body}-{order.deliveries}.tmp"
    try:
        yield labels.write(draft, f"to {order.body}")
        yield labels.fsync(draft)
        yield labels.rename(draft, f"{order.body}.txt")
        yield labels.fsync_directory()
    except DiskFull:
        pass
""",
        "renamed, not synced": """def my_label(labels, order):
    yield labels.write(f"{order.id}.tmp", f"to {order.body}")
    yield labels.rename(f"{order.id}.tmp", f"{order.body}.txt")
""",
    },
    "tell": {
        "looked whether it was told": """def my_tell(mail, ledger, order, what):
    if (yield ledger.read(f"told {order.body}")) is None:
        yield mail.call(what, order.body)
        yield ledger.write(f"told {order.body}", what)
""",
        "written first": """def my_tell(mail, ledger, order, what):
    if (yield ledger.compare_and_set(f"told {order.body}", None, what)):
        yield mail.call(what, order.body)
""",
        "an outage passed over": """from simlib import Unavailable

def my_tell(mail, ledger, order, what):
    try:
        yield mail.call(what, order.body, idempotency_key=order.id)
    except Rejected:
        what = f"call them: {what}"
    except Unavailable:
        pass
    yield ledger.write(f"told {order.body}", what)
""",
        "a refusal that nobody hears of": """def my_tell(mail, ledger, order, what):
    try:
        yield mail.call(what, order.body, idempotency_key=order.id)
    except Rejected:
        pass
""",
        "a refusal that kills": """def my_tell(mail, ledger, order, what):
    yield mail.call(what, order.body, idempotency_key=order.id)
    yield ledger.write(f"told {order.body}", what)
""",
    },
}
WORDS = {
    "the widget written": ("reserve", 'stock.compare_and_set("widget", left, ', 'stock.write("widget", '),
    "always reserved": ("reserve", '"reserved" if left else "sold out"', '"reserved"'),
    "nothing added": ("give_back", "left + 1", "left"),
    "a key of this delivery": ("pay", "idempotency_key=order.id", "idempotency_key=order.deliveries"),
    "no key for the charge": ("pay", ", idempotency_key=order.id", ""),
    "one draft for all": ("label", "{order.body}-{order.deliveries}.tmp", "draft.tmp"),
    "no key for the mail": ("tell", ", idempotency_key=order.id", ""),
}
# Clumsy, and no harm: these find nothing, and no pair of faults does.
HARMLESS = {
    "any error of the mail": mine("tell", ("except Rejected", "except Exception")),
    "given back at one try": written(
        "give_back",
        """def my_give_back(stock, order):
    left = yield stock.read("widget")
    yield stock.transaction(
        stock.compare_and_set("widget", left, left + 1), stock.compare_and_set(order.id, "reserved", "declined"),
    )
""",
    ),
}
WRONG = {
    "attack": {
        "a crash before the charge": (("A 3", "crash A"),),
        "bob's money": (("A", "crash A", "A 4", "crash A"),),
    },
    "defend": {
        **{f"{piece} as it was": old(piece) for piece in ("reserve", "give_back", "pay", "label", "tell")},
        **{f"{piece}: {what}": written(piece, text) for piece, ways in PIECES.items() for what, text in ways.items()},
        **{f"{piece}: {what}": mine(piece, (before, after)) for what, (piece, before, after) in WORDS.items()},
        "no acknowledgement of anything else": "def mine(orders):\n    yield orders.ack((yield orders.receive()))\n",
        "returns at once": "def mine(orders):\n    return\n    yield\n",
    },
    "audit": {
        "paid": every_one(PARTS[0]),
        "booked": every_one(PARTS[1]),
        "labelled": every_one(PARTS[2]),
        "not paid": every_one(*PARTS[1:]),
        "not booked": every_one(PARTS[0], PARTS[2]),
        "no label": every_one(*PARTS[:2]),
        "how many": prop(
            SEEN,
            'mail.count("shipped") <= min(bank.count("charge"), sum(f"paid {who}" in ledger for who in PEOPLE), '
            "sum(has_label(labels, who) for who in PEOPLE))",
        ),
        "the shop's": prop("bank, mail, ledger", "everybody_is_told_the_truth(bank, mail, ledger)"),
        "the shop's others": prop(
            "bank, ledger, labels", "paid_is_booked(bank, ledger) and whoever_paid_gets_a_widget(bank, labels)"
        ),
    },
}
RIGHT = {
    "attack": {"a crash after the charge": (("A 4", "crash A"),), "a crash when she was told": (("A 7", "crash A"),)},
    "defend": {
        "the reference": "mine = fulfil_once\n",
        "no label twice": 'mine = pipeline("mine", **{**pieces, "label": label_once})\n',
    },
    "audit": {"the solution": EARNED, "in one line": every_one(*PARTS)},
}
