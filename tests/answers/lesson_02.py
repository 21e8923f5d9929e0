from tests.answers import ack_first, ack_only, edited, given, prop, solutions

FENCED, BOOKED = solutions("02")
GIVEN = given("02", "book_mended")
WRITE = 'yield db.write("ann", {**booked, **entry}, fence=lease.token)'
RENEW = "    yield lock.renew(lease, ttl=10)  # keeps others from waking us up for nothing\n"
SWAPPED = given("02", "book_swapped", "audit-code").replace("book_swapped", "book_mended")

WRONG = {
    "attack": {
        "a stall after the acknowledgement": (("A 7", "expire inbox"),),
        "a lease that runs out after the write": (("A 5", "expire lock", "B 7"),),
    },
    "defend": {
        "renewed, and asked": edited(
            GIVEN,
            (
                "    yield lock.renew(lease, ttl=10)  # ten more seconds\n",
                "    if not (yield lock.renew(lease, ttl=10)):\n        yield inbox.nack(message)\n        return\n",
            ),
        ),
        "renewed twice": edited(
            GIVEN, ("    yield db.write", "    yield lock.renew(lease, ttl=10)\n    yield db.write")
        ),
        "fenced on the write alone": edited(
            FENCED, ('yield db.read("ann", fence=lease.token)', 'yield db.read("ann")')
        ),
        "fenced on the read alone": edited(FENCED, (WRITE, WRITE.replace(", fence=lease.token", ""))),
        "without a lock": "def book_mended(inbox, db):\n    message = yield inbox.receive()\n"
        '    booked = yield db.read("ann")\n    yield db.write("ann", {**booked, message.id: message.body})\n'
        "    yield inbox.ack(message)\n",
        "a lock without an end": edited(
            GIVEN, ("lock.acquire(ttl=10)", "lock.acquire()"), (GIVEN.splitlines()[4] + "\n", "")
        ),
        "acknowledged first": ack_first(FENCED, "inbox", "message"),
        "only acknowledged": ack_only("book_mended", "inbox"),
    },
    "audit": {
        "a count": prop("inbox, db", 'len(db["ann"]) >= len(inbox.acked)'),
        "the lesson's, asked too early": prop("db", "both_bookings_are_there(db)"),
        "the lesson's other one": prop("lock", "nobody_frees_anothers_lock(lock)"),
        "at most two": prop("inbox, db", 'len(db["ann"]) <= 2'),
        "at the end": prop("inbox, db", 'len(inbox.acked) < 2 or len(db["ann"]) >= 2'),
    },
}
RIGHT = {
    "attack": {"a stall between reading and writing": (("A 4", "expire lock", "B 7"),)},
    "defend": {
        "the solution": FENCED,
        "without renewing": edited(FENCED, (RENEW, "")),
        "no lock, and a row that is compared": SWAPPED,
    },
    "audit": {
        "the solution": BOOKED,
        "by value": prop("inbox, db", 'all(one.body in db["ann"].values() for one in inbox.acked)'),
    },
}
