from tests.answers import ack_first, ack_only, edited, given, prop, solutions

NOTED, POINTS = solutions("09")
GIVEN = given("09", "send_mended")
TEXT = '        yield provider.call("text", message.body)\n'
UNCLEAR = '        yield desk.compare_and_set(message.id, "sending", "unclear")\n'
SENT = '        yield desk.compare_and_set(message.id, "sending", "sent")\n'
ON_THE_DESK = """def send_mended(inbox, desk):
    message = yield inbox.receive()
    yield desk.write(message.id, "unclear")
    yield inbox.ack(message)
"""
ALL_UNCLEAR = """def send_mended(inbox, provider, desk):
    message = yield inbox.receive()
    if (yield desk.compare_and_set(message.id, None, "unclear")):
        yield provider.call("text", message.body)
    yield inbox.ack(message)
"""
LOOKED = """def send_mended(inbox, provider, desk):
    message = yield inbox.receive()
    if (yield desk.read(message.id)) is None:
        yield provider.call("text", message.body)
        yield desk.write(message.id, "sent")
    yield inbox.ack(message)
"""
INSERTED = """from simlib import AlreadyExists

def send_mended(inbox, provider, desk):
    message = yield inbox.receive()
    try:
        yield desk.insert(message.id, "sending")
        yield provider.call("text", message.body)
        yield desk.compare_and_set(message.id, "sending", "sent")
    except AlreadyExists:
        yield desk.compare_and_set(message.id, "sending", "unclear")
    yield inbox.ack(message)
"""
SEEN = "inbox, db"

WRONG = {
    "attack": {"a lost reply to the receive": (("A: lost reply",),), "an outage": (("A", "A: outage"),)},
    "defend": {
        "nothing sent, all on the desk": ON_THE_DESK,
        "sent, and all on the desk": ALL_UNCLEAR,
        "looked, then sent": LOOKED,
        "noted first, and nobody told": edited(NOTED, (UNCLEAR, "        pass\n")),
        "noted first, sent in any case": edited(NOTED, (UNCLEAR, TEXT)),
        "noted after it": edited(NOTED, (TEXT + SENT, SENT + TEXT)),
        "unclear overwrites sent": edited(
            NOTED,
            (UNCLEAR, '        yield desk.write(message.id, "unclear")\n'),
            (SENT, "        pass\n"),
            (TEXT, "        pass\n"),
        ),
        "a key that nobody takes": edited(
            GIVEN, ("message.body)", "message.body, idempotency_key=message.deliveries)")
        ),
        "acknowledged first": ack_first(GIVEN, "inbox", "message"),
        "only acknowledged": ack_only("send_mended", "inbox"),
    },
    "audit": {
        "ten at most": prop("db", "ten_points_at_most(db)"),
        "ten for each": prop(SEEN, 'db["ann"] >= 10 * len(inbox.acked)'),
        "the lesson's two": prop("db", "ten_points_at_most(db) and ten_points(db)"),
        "not negative": prop("db", 'db["ann"] >= 0'),
        "the note": prop(SEEN, 'inbox.acked == [] or db["inbox-1"] == "done"'),
        "twice is enough": prop(SEEN, '10 * len(inbox.acked) <= db["ann"] <= 20'),
    },
}
RIGHT = {
    "attack": {
        "a crash after the text": (("A 2", "crash A"),),
        "a reply that is lost": (("A", "A: lost reply"),),
    },
    "defend": {"the solution": NOTED, "by insert": INSERTED},
    "audit": {
        "the solution": POINTS,
        "by the lesson's": prop(SEEN, "ten_points_at_most(db) and (not inbox.acked or ten_points(db))"),
    },
}
