"""Hermitage's ten anomalies at three levels in the model: which happen is PostgreSQL's own table."""

import pytest

from simlib import Database
from tests.anomalies import ANOMALIES, LEVELS, START
from tests.sessions import Sessions


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ANOMALIES)
def test_an_anomaly_happens_at_the_levels_at_which_postgresql_lets_it(name, level):
    anomaly, sessions = ANOMALIES[name], Sessions(Database(START), level)
    answers = sessions.run(anomaly.script)
    assert not sessions.waiting
    assert anomaly.wrong(answers, dict(sessions.state.rows)) == (level in anomaly.possible), answers
