"""Hermitage's ten anomalies at three levels, in the model and on a real server: which happen is PostgreSQL's table."""

import pytest

from simlib import Database, Queue, Scenario, lanes
from tests.anomalies import ANOMALIES, LEVELS, START
from tests.sessions import Sessions


@pytest.fixture(params=["the model", "PostgreSQL"])
def run(request):
    """Runs a script at a level. Returns the answers with who got them, and the rows at the end."""
    if request.param == "the model":
        return on_the_model
    return request.getfixturevalue("table").run


def on_the_model(script, level):
    sessions = Sessions(Database(START), level)
    answers = sessions.run(script)
    assert not sessions.waiting
    return answers, dict(sessions.state.rows)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ANOMALIES)
def test_an_anomaly_happens_at_the_levels_at_which_postgresql_lets_it(run, name, level):
    anomaly = ANOMALIES[name]
    answers, rows = run(anomaly.script, level)
    assert anomaly.wrong(answers, rows) == (level in anomaly.possible), answers


def test_a_trace_says_what_the_end_of_a_run_rolls_back():
    def forgets(db):
        yield db.begin()
        yield db.insert("order", 1)

    def commits(db):
        yield from forgets(db)
        yield db.commit()

    shop = Scenario(db=Database())
    assert shop.run(forgets).events[-1].story() == 'db.insert("order", 1) -> None, its transaction is rolled back'
    crash = "CRASH: its memory is gone, its transaction is rolled back, it starts again"
    assert shop.attack(commits, "A 2", "crash A").events[2].story() == crash
    assert shop.run(commits).events[-1].story() == "db.commit() -> True"


def test_a_report_names_the_levels_and_a_picture_shows_who_waits_for_whom():
    def adds(db):
        yield db.begin("repeatable read")
        yield db.add("x", 1)
        yield db.commit()

    shop = Scenario(db=Database({"x": 0}))
    assert "transactions of db at repeatable read" in " ".join(str(shop.explore(adds, workers=2)).split())
    waiting = shop.attack(adds, "A 2", "B 2", workers=2)
    assert waiting.events[3].story() == 'db.add("x", 1) waits for A'
    assert "worker B waits for A" in lanes(waiting).alt


def test_a_step_is_written_as_the_worker_wrote_it():
    def takes(db):
        yield db.begin()
        yield db.scan("", limit=1, for_update=True, skip_locked=True)
        yield db.read("x", for_update=True, nowait=True)
        yield db.update("x", status="taken")

    told = [str(event.op) for event in Scenario(db=Database({"x": {}})).run(takes).events]
    assert told[1:] == [
        'db.scan("", limit=1, for_update=True, skip_locked=True)',
        'db.read("x", for_update=True, nowait=True)',
        'db.update("x", status="taken")',
    ]


def test_an_attack_can_be_played_while_another_worker_keeps_a_row_locked_for_ever():
    def keeps(db, inbox):
        yield db.begin()
        yield db.update("x", 1)
        yield inbox.receive()

    def updates(db):
        yield db.update("x", 2)

    shop = Scenario(db=Database({"x": 0}), inbox=Queue())
    trace = shop.attack([keeps, updates], "A 2", "B")
    assert trace.events[-1].story() == 'db.update("x", 2) waits for A'
