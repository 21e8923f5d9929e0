from tests.answers import edited, prop, solutions
from tests.lessons import cell, run

MARKED, CONFIRMED = solutions("11")
SEEN = "inbox, mail"
A_MARK_EACH = """def add_interest_mended(db):
    for name in ("ann", "bob"):
        while (yield db.read(f"{name} 2026")) is None:
            points = yield db.read(name)
            yield db.transaction(
                db.compare_and_set(f"{name} 2026", None, "done"),
                db.compare_and_set(name, points, points + 1),
            )
"""
A_STEP_EACH = """def add_interest_mended(db):
    for name in ("ann", "bob"):
        if (yield db.read(f"{name} 2026")) is None:
            points = yield db.read(name)
            yield db.write(name, points + 1)
            yield db.write(f"{name} 2026", "done")
"""
MARKED_FIRST = """def add_interest_mended(db):
    if (yield db.compare_and_set("2026", None, "done")):
        for name in ("ann", "bob"):
            points = yield db.read(name)
            yield db.write(name, points + 1)
"""
REVIEWED = {1: "S6", 2: "fine", 3: "C2", 4: "S2", 5: "S1", 6: "S4"}


def graded(name, answer, names):
    if name != "review":
        return None
    said = []
    names = {**names, "record": lambda exercise, right, of: said.append((right >= of, f"{right} of {of}")) or right}
    run(cell("11", "questions"), names, "<questions of 11>")  # so that it is this `record` that it calls
    run(f"review({answer or dict.fromkeys(REVIEWED)})\n", names, "<review>")
    return said[0]


WRONG = {
    "review": {
        "looks good to me": dict.fromkeys(REVIEWED, "fine"),
        "all of them vanish": dict.fromkeys(REVIEWED, "S1"),
        "one wrong": {**REVIEWED, 6: "C3"},
        "one missing": {**REVIEWED, 2: None},
        "small letters": {**REVIEWED, 1: "s6"},
    },
    "attack": {"nobody else is there": (("A 2", "expire lock"),), "a crash": (("A", "crash A"),)},
    "defend": {
        "a mark a customer in a step of its own": A_STEP_EACH,
        "the mark first": MARKED_FIRST,
        "the mark alone": 'def add_interest_mended(db):\n    yield db.write("2026", "done")\n',
        "one transaction, unguarded": edited(
            MARKED,
            ('db.compare_and_set("2026", None, "done")', 'db.write("2026", "done")'),
            ('db.compare_and_set("ann", ann, ann + 1)', 'db.write("ann", ann + 1)'),
            ('db.compare_and_set("bob", bob, bob + 1)', 'db.write("bob", bob + 1)'),
        ),
        "guarded points, no mark": edited(
            MARKED, ('            db.compare_and_set("2026", None, "done"),\n', "")
        ).replace("while", "if"),
    },
    "audit": {
        "not more than sent": prop(SEEN, 'mail.count("confirm") <= inbox.sent'),
        "not fewer than acknowledged": prop(SEEN, 'len(inbox.acked) <= mail.count("confirm")'),
        "the queue alone": prop("inbox", "inbox.dead_letters == []"),
        "the lesson's": prop(SEEN, "confirmed_or_on_the_dead_letters(inbox, mail)"),
        "in the end": prop(SEEN, 'mail.count("confirm") == 1'),
    },
}
RIGHT = {
    "review": {"the six": REVIEWED},
    "attack": {"a lease that runs out": (("A 2", "expire lock", "B", "A"),)},
    "defend": {"the solution": MARKED, "a mark a customer": A_MARK_EACH},
    "audit": {
        "the solution": CONFIRMED,
        "two sentences": prop(SEEN, 'mail.count("confirm") <= 1 and (not inbox.acked or mail.count("confirm") == 1)'),
    },
}
