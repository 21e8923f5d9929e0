from tests.answers import ack_first, ack_only, edited, given, prop, solutions

MOVED, SAME_STORY = solutions("05")
GIVEN = given("05", "invoice_mended")
BY_MARKER = given("05", "invoice_by_marker", "invoice").replace("invoice_by_marker", "invoice_mended")
LOOP = "    while (yield db.read(job.body)) is None:\n"
GUARD = '            db.compare_and_set(job.body, None, "sent"),\n            db.compare_and_set'

WRONG = {
    "attack": {
        "a crash before it is sent": (("A 5", "crash A"),),
        "a crash after the marker": (("A 8", "crash A"),),
    },
    "defend": {
        "back to the marker": BY_MARKER,
        "the marker decides, and no row is written": edited(
            GIVEN,
            (
                LOOP,
                '    if (yield disk.exists(f"{job.body}.done")):\n        yield jobs.ack(job)\n        return\n' + LOOP,
            ),
        ),
        "the marker is asked instead of the row": edited(
            GIVEN, ("(yield db.read(job.body)) is None", 'not (yield disk.exists(f"{job.body}.done"))')
        ),
        "number 6 skipped": edited(
            GIVEN, (LOOP, '    if job.body == "6":\n        yield jobs.ack(job)\n        return\n' + LOOP)
        ),
        "no row in the transaction": edited(MOVED, (GUARD, "            db.compare_and_set")),
        "acknowledged first": ack_first(MOVED, "jobs", "job"),
        "only acknowledged": ack_only("invoice_mended", "jobs"),
    },
    "audit": {
        "paid has the money": prop("db", 'db["march"] != "paid" or db["ann"] == 105'),
        "the money has its row": prop("db", 'db["ann"] != 105 or db["march"] == "paid"'),
        "the lesson's": prop("db", "paid_at_most_once(db)"),
        "not less than the row says": prop("db", '(db["march"] == "paid") == (db["ann"] >= 105)'),
        "the lesson's two": prop("db", "paid_at_most_once(db) and paid(db)"),
        "another resource": prop("db, disk", '(db["march"] == "paid") == (disk.contents("march.txt") is not None)'),
    },
}
RIGHT = {
    "attack": {"a crash before the marker": (("A 7", "crash A"),)},
    "defend": {
        "the solution": MOVED,
        "the row of the old one, then the loop again": edited(MOVED, ("            continue\n", "")),
        "the marker first, then the state": edited(
            GIVEN,
            (
                LOOP,
                '    if (yield disk.exists(f"{job.body}.done")):\n'
                '        yield db.compare_and_set(job.body, None, "sent")\n' + LOOP,
            ),
        ),
    },
    "audit": {
        "the solution": SAME_STORY,
        "by the balance": prop("db", 'db["ann"] == (105 if db["march"] else 100)'),
    },
}
