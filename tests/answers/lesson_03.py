from tests.answers import ack_first, ack_only, edited, given, prop, solutions

HASHED, COUNTED = solutions("03")
GIVEN = given("03", "upload_mended")
NAME = "sha256(picture.body.encode()).hexdigest()[:16]"
SEEN = "requests, db"

WRONG = {
    "attack": {
        "a crash before the file": (("A", "crash A"),),
        "a crash after the acknowledgement": (("A 5", "crash A"),),
    },
    "defend": {
        "one file for all": edited(GIVEN, ('f"{picture.id}-{picture.deliveries}.jpg"', '"picture.jpg"')),
        "named by the queue's count": edited(
            GIVEN, ('f"{picture.id}-{picture.deliveries}.jpg"', 'f"{picture.deliveries}"')
        ),
        "the index first": edited(
            GIVEN,
            ("    yield files.put(name, picture.body)\n", ""),
            ("    yield uploads.ack", "    yield files.put(name, picture.body)\n    yield uploads.ack"),
        ),
        "asked whether it is there": edited(
            GIVEN,
            ("    yield files.put(name", "    if name not in (yield files.list()):\n        yield files.put(name"),
        ),
        "asked the index first": edited(
            GIVEN,
            ("    name =", "    name = (yield index.read(picture.id)) or"),
        ),
        "no letter of the digest": edited(HASHED, ("[:16]", "[:0]")),
        "acknowledged first": ack_first(HASHED, "uploads", "picture"),
        "only acknowledged": ack_only("upload_mended", "uploads"),
        "never acknowledged": edited(HASHED, ("    yield uploads.ack(picture)\n", "")),
    },
    "audit": {
        "the two of the lesson": prop(SEEN, "no_order_is_lost(requests, db) and no_order_is_there_twice(db)"),
        "no order is lost": prop(SEEN, "no_order_is_lost(requests, db)"),
        "not fewer than acknowledged": prop(SEEN, "len(orders(db)) >= len(requests.acked)"),
        "not more than sent": prop(SEEN, "len(orders(db)) <= requests.sent"),
        "the answer to the old question": prop(SEEN, "all(orders(db).count(one.body) == 1 for one in requests.acked)"),
    },
}
RIGHT = {
    "attack": {
        "two cats": (("A 2", "crash A"),),
        "two cats, later": (("A 3", "crash A"),),
        "two dogs": (("A 6", "crash A"),),
    },
    "defend": {
        "the solution": HASHED,
        "the picture's id": edited(GIVEN, ('f"{picture.id}-{picture.deliveries}.jpg"', 'f"{picture.id}.jpg"')),
    },
    "audit": {
        "the solution": COUNTED,
        "by text": prop(SEEN, 'len(requests.acked) <= orders(db).count("tea for ann") <= 2'),
    },
}
