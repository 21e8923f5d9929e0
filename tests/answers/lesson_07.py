from tests.answers import edited, prop, solutions

SWEPT, KNOWN = solutions("07")
ERASE = 'yield files.call("erase", name, idempotency_key=name)'
MAIL = 'yield mail.call("goodbye", name, idempotency_key=name)'
ROW = "yield db.delete(name)  # the row last; perhaps it is gone"
BACK = """def sweep_mended(db, clock, every):
    while True:
        for name, state in (yield db.scan()):
            yield db.compare_and_set(name, "closing", "open")
        yield clock.sleep(every)
"""
ROW_ONLY = """def sweep_mended(db, clock, every):
    while True:
        for name, state in (yield db.scan()):
            if state == "closing":
                yield db.delete(name)
        yield clock.sleep(every)
"""
SEEN = "db, events, carrier"
PLACES = ['"outbox order-1" in db', "events.ready", "events.in_flight", 'carrier.count("ship")']


def known(*places):
    return prop(SEEN, f'"order-1" not in db or bool({" or ".join(places)})')


WRONG = {
    "attack": {
        "step by step": (("A", "A", "A", "A"),),
        "given again when it is done": (("A 4", "again A"),),
    },
    "defend": {
        "a goodbye without its key": edited(SWEPT, (MAIL, 'yield mail.call("goodbye", name)')),
        "a key of its own": edited(SWEPT, (MAIL, 'yield mail.call("goodbye", name, idempotency_key="sweep")')),
        "no goodbye": edited(SWEPT, (MAIL, "pass")),
        "nothing erased": edited(SWEPT, (ERASE, "pass")),
        "the row stays": edited(SWEPT, (ROW, "pass")),
        "the row first": edited(SWEPT, (ERASE, "yield db.delete(name)"), (ROW, ERASE)),
        "the goodbye first": edited(SWEPT, (ERASE, "@"), (MAIL, ERASE), ("@", MAIL)),
        "the row alone": ROW_ONLY,
        "whatever there is": edited(SWEPT, ('if state == "closing":', "if True:")),
        "those that are open": edited(SWEPT, ('"closing"', '"open"')),
        "handed back": BACK,
    },
    "audit": {
        "no outbox": known(*PLACES[1:]),
        "no queue": known(PLACES[0], *PLACES[2:]),
        "nobody who has it": known(*PLACES[:2], PLACES[3]),
        "no carrier": known(*PLACES[:3]),
        "the lesson's": prop("db, carrier", "what_was_ordered_is_shipped(db, carrier)"),
        "the lesson's others": prop(
            "db, carrier", "shipped_at_most_once(carrier) and nothing_is_shipped_that_was_not_ordered(db, carrier)"
        ),
        "the cart": prop("db", '"cart" in db'),
    },
}
RIGHT = {
    "attack": {
        "a crash": (("A", "crash A"),),
        "a lost node": (("A", "lose A"),),
        "a crash later": (("A 2", "crash A"),),
    },
    "defend": {
        "the solution": SWEPT,
        "asked again before each": edited(SWEPT, ('if state == "closing":', 'if (yield db.read(name)) == "closing":')),
    },
    "audit": {
        "the solution": KNOWN,
        "the other way round": known(*reversed(PLACES)),
    },
}
