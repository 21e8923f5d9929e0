from tests.answers import ack_first, ack_only, edited, given, solutions

(KEYED,) = solutions("00")
BOOK, PICK_UP = 'f"book {message.id}"', 'f"pick up {message.id}"'

WRONG = {
    "attack": {"a crash before it receives": (0,), "a crash before it books": (1,)},
    "defend": {
        "one key for both": edited(KEYED, (BOOK, "message.id"), (PICK_UP, "message.id")),
        "a key for the booking alone": edited(KEYED, (f", idempotency_key={PICK_UP}", "")),
        "a key for the pick-up alone": edited(KEYED, (f", idempotency_key={BOOK}", "")),
        "a key of this delivery": edited(KEYED, (BOOK, 'f"book {message.deliveries}"')),
        "acknowledged first": ack_first(KEYED, "inbox", "message"),
        "never acknowledged": edited(KEYED, ("    yield inbox.ack(message)\n", "")),
        "only acknowledged": ack_only("fulfil_mended", "inbox"),
        "every error swallowed": edited(
            given("00", "fulfil_mended"),
            (
                '    yield carrier.call("book", message.body)\n',
                '    try:\n        yield carrier.call("book", message.body)\n    except Exception:\n        pass\n',
            ),
        ),
    },
}
RIGHT = {
    "attack": {"a crash after it books": (2,), "a crash after the pick-up": (3,)},
    "defend": {
        "the solution": KEYED,
        "keys from the parcel": edited(KEYED, (BOOK, 'f"book {message.body}"'), (PICK_UP, 'f"pick up {message.body}"')),
    },
}
