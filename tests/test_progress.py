"""Slow work says how far it is: a search its states, how many a second, and what already holds."""

import re

import pytest

from simlib import Database, Scenario, progress
from simlib.check import core


class Bar:
    """In place of tqdm's."""

    def __init__(self, said, total):
        self.n, self.total, self.texts, self.is_closed = 0, total, [], False

    def set_description_str(self, said, refresh):
        self.texts.append(said)

    def refresh(self): ...

    def close(self):
        self.is_closed = True


@pytest.fixture
def bars(monkeypatch):
    made = []
    monkeypatch.setattr(progress, "PATIENCE", -1)
    monkeypatch.setattr(progress, "_bar", lambda *about: made.append(Bar(*about)) or made[-1])
    return made


def count(db):
    for _ in range(4):
        n = yield db.read("n")
        yield db.compare_and_set("n", n, n + 1)


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.skipif("not core.available()"))])
def test_a_search_says_its_states_their_rate_and_what_holds_already(bars, compiled, monkeypatch):
    monkeypatch.setattr("simlib.check.search.LOOK_AFTER", -1)
    if not compiled:
        monkeypatch.setenv(core.SWITCH, "off")
    report = Scenario(db=Database({"n": 0}), workers=2).explore(count, crashes=1)
    assert (report.verdict, report.findings.compiled) == ("holds", compiled)
    [bar] = bars
    assert all(re.match(r"exploring [\d,]+ states, [\d,]+ a second($|; )", text) for text in bar.texts)
    assert bar.texts[0].endswith("a second")
    assert bar.texts[-1].endswith("; without a fault it holds")
    assert bar.is_closed


def test_a_simulation_says_how_much_of_its_time_has_passed(bars):
    Scenario(db=Database({"n": 0}), workers=2).simulate(count, hours=2, arrivals=1.0)
    [bar] = bars
    assert {*bar.texts} == {"simulating"}
    assert (bar.total, bar.n) == (7200, 7200)


def test_an_interrupted_bar_ends_full_so_that_a_notebook_does_not_keep_it_in_red():
    with progress.Progress("exploring") as shown:
        shown._bar = bar = Bar("exploring", None)
    assert (bar.n, bar.total, bar.is_closed) == (1, 1, True)
