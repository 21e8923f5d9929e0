"""Random scripts of transactions: the model of a database answers, waits, fails and ends as a real PostgreSQL does.

A part; `python benchmarks/postgres.py` compares five thousand.
"""

from collections import Counter

import pytest

from tests.on_both import Disagreement, compare
from tests.possible import Possible
from tests.postgresql import KEYS, PREFIXES

SCRIPTS = 50  # of each seed


@pytest.mark.parametrize("seed", [1_000, 2_000, 3_000])
def test_the_model_and_postgresql_agree_on_random_scripts(table, seed):
    counted = sum((compare(table, seed + number) for number in range(SCRIPTS)), Counter())
    assert counted["statements"] > 500 and counted["waiting"] > 30, counted
    assert counted["SerializationFailure"] > 5 and counted["TransactionAborted"] > 5, counted
    assert counted["left open"] < SCRIPTS / 5, counted


def test_each_key_has_a_page_of_the_index_to_itself(table):
    table.reset({"a1": 1})
    pages = {key: table.pages("read", key) for key in KEYS}
    assert all(len(page) == 1 for page in pages.values()) and len(set.union(*pages.values())) == len(KEYS)
    for prefix in PREFIXES:
        scanned = table.pages("scan", prefix)
        assert {key for key in KEYS if pages[key] <= scanned} == {key for key in KEYS if key.startswith(prefix)}


def test_a_model_that_waits_for_nobody_is_found_out(table, monkeypatch):
    send = Possible.send

    def without_locks(self, *step):
        for world in self.worlds:
            for transaction in world.state.open.values():
                transaction.locks.clear()
        send(self, *step)

    monkeypatch.setattr(Possible, "send", without_locks)
    with pytest.raises(Disagreement, match="PostgreSQL: "):
        for seed in range(SCRIPTS):
            compare(table, seed)
