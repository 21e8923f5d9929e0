"""The servers that the tests of `live` share: each is started once, by the first test that asks for it."""

import pytest

from tests.servers import postgresql_server


@pytest.fixture(scope="session")
def postgresql_url():
    with postgresql_server() as url:
        yield url


@pytest.fixture
def redis_client(redis_url):
    import redis

    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def postgresql(postgresql_url):
    import psycopg

    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        yield connection
