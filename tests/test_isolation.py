"""Hermitage's ten anomalies at three levels, in the model and on a real server: which happen is PostgreSQL's table."""

import pytest

from simlib import Database
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
