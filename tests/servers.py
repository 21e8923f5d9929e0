"""A real Redis and a real PostgreSQL, from the distribution's packages, for as long as the tests run."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PATIENCE = 60  # seconds for a server to come up on a busy machine
SECRET = "open sesame"  # no message may show it


def binary(name):
    """Where this program is. Debian keeps PostgreSQL's off the PATH. Skips where there is none; in CI it fails."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which(name) or next((str(folder / name) for folder in folders if (folder / name).exists()), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"skipped, because there is no {name} here")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command, folder, answers, **how):
    """The server while it runs. It is up when `answers()`."""
    log = Path(folder, "log")
    with open(log, "wb") as output:
        server = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, **how)
    try:
        until = time.monotonic() + PATIENCE
        while not answers():
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{command[0]} does not come up:\n{log.read_text()}")
            time.sleep(0.02)
        yield
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def redis_server():
    """Its URL."""
    import redis

    port, program = free_port(), binary("redis-server")
    client = redis.Redis(port=port, password=SECRET)

    def answers():
        try:
            return client.ping()
        except redis.ConnectionError:
            return False

    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", SECRET]
        with running(command, folder, answers), client:
            yield f"redis://:{SECRET.replace(' ', '%20')}@127.0.0.1:{port}/0"


@contextlib.contextmanager
def postgresql_server(*settings):
    """Its URL. It refuses to run as root, so then it runs as the user that its package has made."""
    import psycopg

    port, initdb, program = free_port(), binary("initdb"), binary("postgres")
    url = f"postgresql://midflight:secret@127.0.0.1:{port}/postgres"

    def answers():
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    how = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder:
        if how:
            shutil.chown(folder, "postgres", "postgres")
        data = f"{folder}/data"
        make = [initdb, "-D", data, "-U", "midflight", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"]
        subprocess.run(make, check=True, cwd=folder, capture_output=True, **how)
        usual = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=50")
        options = [word for setting in (*usual, *settings) for word in ("-c", setting)]
        with running([program, "-D", data, "-p", str(port), *options], folder, answers, **how):
            yield url
