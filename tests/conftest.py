"""What several test modules ask for."""

import pytest

from tests.servers import postgresql_server


@pytest.fixture(scope="module")
def browser():
    """A Chromium, one for each module."""
    from tests.browser import chromium  # without Playwright it skips whoever imports it, and that is not all tests

    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def fine_postgresql():
    """The URL of a PostgreSQL that remembers by row and by page what was read."""
    from tests.postgresql import FINE

    with postgresql_server(*FINE) as url:
        yield url


@pytest.fixture
def table(fine_postgresql):
    """A table there, and sessions on it."""
    from tests.postgresql import Server

    with Server(fine_postgresql) as server:
        yield server
