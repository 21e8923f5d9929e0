"""What several test modules ask for."""

import pytest

from tests.servers import postgresql_server, redis_server


@pytest.fixture(scope="module")
def browser():
    """A Chromium, one for each module."""
    from tests.browser import chromium  # without Playwright it skips whoever imports it, and that is not all tests

    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def redis_url():
    with redis_server() as url:
        yield url


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


@pytest.fixture(scope="module")
def real_redis(redis_url):
    """A Redis, and clients of it."""
    from tests.commands import RealRedis

    server = RealRedis(redis_url)
    yield server
    server.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder, and processes that work there."""
    from tests.files import RealFiles

    with RealFiles(tmp_path_factory.mktemp("folder")) as files:
        yield files
