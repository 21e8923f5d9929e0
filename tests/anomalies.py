"""Hermitage's ten anomalies (Kleppmann, github.com/ept/hermitage), as scripts for a model and for a real server.

A script is a list of (transaction, statement, arguments). A table has the rows "1": 10 and "2": 20. Each anomaly says
from what was answered, and from the rows at the end, whether it happened.
"""

LEVELS = ("read committed", "repeatable read", "serializable")
START = {"1": 10, "2": 20}
BEGIN = [(1, "begin"), (2, "begin")]
BEGIN_3 = [*BEGIN, (3, "begin")]


class Anomaly:
    """A script, and what shows that it went wrong. `possible` are the levels at which PostgreSQL lets it happen."""

    def __init__(self, what, script, wrong, possible=()):
        self.what, self.script, self.wrong, self.possible = what, script, wrong, possible


def answered(answers, who):
    return [answer for asked, answer in answers if asked == who]


RC, RR = LEVELS[:1], LEVELS[:2]
ANOMALIES = {
    "G0": Anomaly(
        "two transactions' writes are mixed",
        [*BEGIN, (1, "update", "1", 11), (2, "update", "1", 12), (1, "update", "2", 21), (1, "commit"),
         (2, "update", "2", 22), (2, "commit")],
        lambda answers, rows: rows in ({"1": 11, "2": 22}, {"1": 12, "2": 21}),
    ),
    "G1a": Anomaly(
        "what was rolled back was read",
        [*BEGIN, (1, "update", "1", 101), (2, "scan", ""), (1, "rollback"), (2, "scan", ""), (2, "commit")],
        lambda answers, rows: any(("1", 101) in answer for answer in answered(answers, 2) if type(answer) is list),
    ),
    "G1b": Anomaly(
        "an intermediate value was read",
        [*BEGIN, (1, "update", "1", 101), (2, "scan", ""), (1, "update", "1", 11), (1, "commit"), (2, "scan", ""),
         (2, "commit")],
        lambda answers, rows: any(("1", 101) in answer for answer in answered(answers, 2) if type(answer) is list),
    ),
    "G1c": Anomaly(
        "each reads what the other wrote and has not committed",
        [*BEGIN, (1, "update", "1", 11), (2, "update", "2", 22), (1, "read", "2"), (2, "read", "1"), (1, "commit"),
         (2, "commit")],
        lambda answers, rows: 22 in answered(answers, 1) and 11 in answered(answers, 2),
    ),
    "OTV": Anomaly(
        "a transaction's writes are seen to vanish",
        [*BEGIN_3, (1, "update", "1", 11), (1, "update", "2", 19), (2, "update", "1", 12), (1, "commit"),
         (3, "read", "1"), (2, "update", "2", 18), (3, "read", "2"), (2, "commit"), (3, "read", "2"),
         (3, "read", "1"), (3, "commit")],
        lambda answers, rows: 12 in answered(answers, 3)[:1] or answered(answers, 3)[1:3] == [11, 18],
    ),
    "PMP": Anomaly(
        "the same predicate answers differently",
        [*BEGIN, (1, "scan", ""), (2, "insert", "3", 30), (2, "commit"), (1, "scan", ""), (1, "commit")],
        lambda answers, rows: len({str(one) for one in answered(answers, 1) if type(one) is list}) > 1,
        RC,
    ),
    "P4": Anomaly(
        "lost update",
        [*BEGIN, (1, "read", "1"), (2, "read", "1"), (1, "update", "1", 11), (2, "update", "1", 11), (1, "commit"),
         (2, "commit")],
        lambda answers, rows: answered(answers, 2)[-1] is True and answered(answers, 1)[-1] is True,
        RC,
    ),
    "G-single": Anomaly(
        "read skew",
        [*BEGIN, (1, "read", "1"), (2, "read", "1"), (2, "read", "2"), (2, "update", "1", 12), (2, "update", "2", 18),
         (2, "commit"), (1, "read", "2"), (1, "commit")],
        lambda answers, rows: answered(answers, 1)[1:3] == [10, 18],
        RC,
    ),
    "G2-item": Anomaly(
        "write skew on two rows",
        [*BEGIN, (1, "scan", ""), (2, "scan", ""), (1, "update", "1", 11), (2, "update", "2", 21), (1, "commit"),
         (2, "commit")],
        lambda answers, rows: rows == {"1": 11, "2": 21},
        RR,
    ),
    "G2": Anomaly(
        "write skew on a predicate",
        [*BEGIN, (1, "scan", ""), (2, "scan", ""), (1, "insert", "3", 30), (2, "insert", "4", 42), (1, "commit"),
         (2, "commit")],
        lambda answers, rows: {"3", "4"} <= {*rows},
        RR,
    ),
}  # fmt: skip
