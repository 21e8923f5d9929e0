from tests.answers import ack_first, ack_only, edited, given, prop, solutions

CAREFUL, KEPT = solutions("01")
GIVEN = given("01", "offboard_mended")
KEY = ", idempotency_key=message.id"
KEYS = """    try:
        yield keys.delete(message.body)
    except NotFound:
        pass  # had none, or an earlier attempt did it
"""
RETRIED = """    while True:
        try:
            yield keys.delete(message.body)
            break
        except Exception:
            continue
"""
SEEN = "inbox, accounts, failures"

KEY_LEFT, NO_GOODBYE, HARMLESS = ("A 2", "A: outage"), ("A 3", "A: outage"), ("A", "A: outage")
WRONG = {
    "attack": {
        "the key, twice": (KEY_LEFT, KEY_LEFT),
        "the goodbye, twice": (NO_GOODBYE, NO_GOODBYE),
        "one of the two": (KEY_LEFT, HARMLESS),
        "the other": (HARMLESS, NO_GOODBYE),
    },
    "defend": {
        "no key": edited(CAREFUL, (KEY, "")),
        "a key of this delivery": edited(CAREFUL, ("message.id", "message.deliveries")),
        "the keys' handler dropped": edited(CAREFUL, (KEYS, "    yield keys.delete(message.body)\n")),
        "the keys' outage still suppressed": edited(
            CAREFUL, (KEYS, KEYS.replace("NotFound", "(NotFound, Unavailable)"))
        ),
        "the keys retried whatever it is": edited(CAREFUL, (KEYS, RETRIED)),
        "the goodbye's errors still suppressed": edited(GIVEN, ("(NotFound, Unavailable)", "NotFound")),
        "and with a key": edited(
            GIVEN, ("(NotFound, Unavailable)", "NotFound"), ('"goodbye", message.body', f'"goodbye", message.body{KEY}')
        ),
        "acknowledged first": ack_first(CAREFUL, "closed", "message"),
        "only acknowledged": ack_only("offboard_mended", "closed"),
    },
    "audit": {
        "the accounts alone": prop(SEEN, 'inbox.acked == [] or accounts["ann"] == "cancelled"'),
        "the list alone": prop(SEEN, 'inbox.acked == [] or "inbox-1" in failures'),
        "another resource": prop(
            "inbox, schedule, failures", 'inbox.acked == [] or "ann" not in schedule or "inbox-1" in failures'
        ),
        "the lesson's first": prop("accounts, schedule", "nobody_cancelled_is_billed(accounts, schedule)"),
        "the lesson's second, which is about the end": prop(
            "accounts, failures", "cancelled_or_listed(accounts, failures)"
        ),
    },
}
RIGHT = {
    "attack": {"the key, then the goodbye": (KEY_LEFT, NO_GOODBYE)},
    "defend": {"the solution": CAREFUL, "a key from her name": edited(CAREFUL, ("message.id", "message.body"))},
    "audit": {
        "the solution": KEPT,
        "by the lesson's property": prop(SEEN, "not inbox.acked or cancelled_or_listed(accounts, failures)"),
    },
}
