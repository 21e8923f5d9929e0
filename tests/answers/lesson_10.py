from tests.answers import ack_first, ack_only, edited, given, prop, solutions

CUT, SOMEWHERE = solutions("10")
GIVEN = given("10", "note_mended")
FSYNC_TMP, RENAME = '        yield disk.fsync("log.tmp")\n', '        yield disk.rename("log.tmp", "log")\n'
WRITE = '        yield disk.write("log.tmp", log[: log.rfind("\\n") + 1])\n'
DIRECTORY = "    yield disk.fsync_directory()\n"
SEEN = "disk, tills"
REPLACED = """def note_mended(inbox, disk):
    sale = yield inbox.receive()
    log = yield disk.read("log")
    yield disk.write("log.tmp", log[: log.rfind("\\n") + 1] + sale.body + "\\n")
    yield disk.fsync("log.tmp")
    yield disk.rename("log.tmp", "log")
    yield disk.fsync_directory()
    yield inbox.ack(sale)
"""

WRONG = {
    "attack": {"before it is written": (("A", "power loss"),), "a crash": (("A 2", "crash A"),)},
    "defend": {
        "cut in place": edited(CUT, (WRITE, WRITE.replace("log.tmp", "log")), (FSYNC_TMP, ""), (RENAME, "")),
        "an end of line first": edited(
            CUT, (WRITE, '        yield disk.append("log", "\\n")\n'), (FSYNC_TMP, ""), (RENAME, "")
        ),
        "the draft not synced": edited(CUT, (FSYNC_TMP, "")),
        "the directory only after a rename": edited(
            CUT, (DIRECTORY, ""), (RENAME, RENAME + "        yield disk.fsync_directory()\n")
        ),
        "no directory": edited(CUT, (DIRECTORY, "")),
        "the log not synced": edited(CUT, ('    yield disk.fsync("log")\n', "")),
        "the full disk swallowed": edited(
            GIVEN,
            (
                '    yield disk.append("log", sale.body + "\\n")\n',
                '    try:\n        yield disk.append("log", sale.body + "\\n")\n    except Exception:\n        pass\n',
            ),
        ),
        "the log begun anew": edited(GIVEN, ('disk.append("log", sale.body', 'disk.write("log", sale.body')),
        "the replacement not synced": edited(REPLACED, ('    yield disk.fsync("log.tmp")\n', "")),
        "acknowledged first": ack_first(CUT, "inbox", "sale"),
        "only acknowledged": ack_only("note_mended", "inbox"),
    },
    "audit": {
        "old or new": prop("disk", "old_or_new(disk)"),
        "the word kept": prop(SEEN, "word_kept(disk, tills)"),
        "the tills alone": prop("tills", "tills[2] == 100"),
        "the new alone": prop("disk", 'disk.contents("total") == "2 120"'),
        "something is there": prop(SEEN, 'tills[2] == 100 or disk.contents("total") is not None'),
        "old, or forgotten": prop(SEEN, 'disk.contents("total") == "1 20" or tills[2] is None'),
    },
}
RIGHT = {
    "attack": {"after the acknowledgement": (("A 3", "power loss"),)},
    "defend": {"the solution": CUT, "replaced as a whole": REPLACED},
    "audit": {
        "the solution": SOMEWHERE,
        "the lesson's two, asked always": prop(SEEN, "old_or_new(disk) and word_kept(disk, tills)"),
    },
}
