from tests.answers import edited, given, prop, solutions

HANDED_BACK, PRINTED = solutions("08")
GIVEN = given("08", "resize_mended")
OWN = """        if state == name:  # my former self's
            yield db.compare_and_set(job, name, "new")
            state = "new"
"""
KEY = ", idempotency_key=job"
DONE = '            yield db.compare_and_set(job, name, "done")\n'
RESIZE = f'            yield store.call("resize", job{KEY})\n'
SEEN = "db, printer"

WRONG = {
    "attack": {
        "a crash when the first is done": (("A 4", "crash A"),),
        "a start when all is done": (("A 7", "again A"),),
    },
    "defend": {
        "no key": edited(HANDED_BACK, (KEY, "")),
        "a key of this process": edited(HANDED_BACK, (KEY, ', idempotency_key=f"{job} {me}"')),
        "this process's name": edited(HANDED_BACK, ("state == name", "state == me")),
        "a key alone": edited(GIVEN, ('"resize", job', f'"resize", job{KEY}')),
        "handed back, and left": edited(HANDED_BACK, ('            state = "new"\n', "")),
        "done before it is done": edited(HANDED_BACK, (RESIZE + DONE, DONE + RESIZE)),
        "all marked as done": "def resize_mended(db):\n    for job, _ in (yield db.scan('job')):\n"
        "        yield db.write(job, 'done')\n",
        "done at the claim": edited(
            GIVEN, ('db.compare_and_set(job, "new", name)', 'db.compare_and_set(job, "new", "done")'), (DONE, "")
        ),
    },
    "audit": {
        "at most once": prop("printer", "printed_at_most_once(printer)"),
        "done is printed": prop(SEEN, 'db["job"] != "done" or printer.count("print") >= 1'),
        "the lesson's two": prop(SEEN, "printed_at_most_once(printer) and printed_and_done(db, printer)"),
        "printed is done": prop(SEEN, 'printer.count("print") == (db["job"] == "done")'),
        "at most twice": prop(SEEN, '(db["job"] == "done") <= printer.count("print") <= 2'),
        "the lock": prop("lock", "lock.holder is None or True"),
    },
}
RIGHT = {
    "attack": {"a crash after the claim": (("A 2", "crash A"),)},
    "defend": {
        "the solution": HANDED_BACK,
        "done at once by whoever had it": edited(
            HANDED_BACK,
            (OWN, f"        if state == name:\n{RESIZE}{DONE}"),
        ),
    },
    "audit": {
        "the solution": PRINTED,
        "two sentences": prop(
            SEEN, 'printer.count("print") <= 1 and (db["job"] != "done" or printer.count("print") == 1)'
        ),
    },
}
