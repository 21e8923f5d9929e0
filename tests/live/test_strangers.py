"""What somebody else can do to a run: who can write to its servers, talk to its service, or was left by a worker.

None of it runs code, hangs, or ends in a traceback: the run says that somebody else has changed what it keeps.
"""

import base64
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import pickle
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from simlib import Database, Disk, Lock, Queue, Scenario, Service
from simlib.errors import Mistake
from simlib.live import Processes
from simlib.live.machine import LiveMachine
from simlib.live.stores import stores_for
from simlib.live.stores.ledger import Ledger, RemoteLedger
from simlib.model.operation import Op
from simlib.resources.lock import Lease
from simlib.scenario import system_of
from simlib.schedule.transition import Transition

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to the fork server")
ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60  # seconds, on a busy machine
SOMEBODY = "somebody else has changed it"


class Payload:
    """Whoever unpickles it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(self.path),)


def poisons(path):
    """What an attacker might leave in the place of a value; `path` is there once any of it has run."""
    pickled = base64.b64encode(pickle.dumps(Payload(path))).decode()
    code = f"__import__('pathlib').Path({str(path)!r}).touch()"
    return {
        "a pickle as live wrote them": f"pickle:{pickled}", "a pickle": pickled, "code": code, "nothing": "",
        "plain data": "1", "json": '{"a": 1}', "a deep list": "[" * 200_000, "a long number": "9" * 100_000,
        "a signature made up": "0" * 64 + ":1", "a signed pickle": "0" * 64 + f":pickle:{pickled}",
        "control characters": "\x1b[2J\u202e", "only a colon": ":",
    }  # fmt: skip


POISONS = sorted(poisons(""))


@contextlib.contextmanager
def store_of(resource, folder, url=None):
    """The real part of this resource, after a few steps; it is called `it`."""
    made = stores_for({"it": resource}, folder, False, {} if url is None else {"it": url})["it"]
    made.prepare(resource.initial("it"))
    try:
        yield made
    finally:
        made.drop()


def ask(store, verb, *args, **kwargs):
    return store.perform(Op("it", verb, args, kwargs), "A")


def acquired(lock):
    ask(lock, "acquire", {"who": "A"})


def written_under_a_fence(db):
    ask(db, "write", "ann", [1], fence=3)


TABLES = {  # the place, what is there before it is tampered with, and a step that looks at it
    "a row": (Database, "UPDATE rows SET row = ?", written_under_a_fence, lambda db: ask(db, "read", "ann")),
    "a row's key": (Database, "UPDATE rows SET key = ?", written_under_a_fence, lambda db: ask(db, "scan", "")),
    "a fence's key": (Database, "UPDATE fences SET key = ?", written_under_a_fence, lambda db: db.facts()),
    "a message": (
        lambda: Queue(["one"]), "UPDATE messages SET body = ?", lambda inbox: None, lambda inbox: ask(inbox, "receive"),
    ),
    "a holder": (Lock, "UPDATE lock SET holder = ?", acquired, lambda lock: ask(lock, "read")),
}  # fmt: skip


def refuses(look, path):
    """Whatever is there, it is somebody else's, and none of it has run."""
    with pytest.raises(Mistake) as raised:
        look()
    text = str(raised.value)
    assert SOMEBODY in text
    assert len(text) < 600 and text.isprintable()
    assert not path.exists()


@pytest.mark.parametrize("poison", POISONS)
@pytest.mark.parametrize("place", TABLES)
@pytest.mark.parametrize("where", ["a file", "postgresql"])
def test_what_somebody_else_put_in_a_table_is_told_and_not_run(where, place, poison, tmp_path, request):
    resource, tamper, before, look = TABLES[place]
    marker = tmp_path / "run"
    url = None if where == "a file" else request.getfixturevalue("postgresql_url")
    too_long = pytest.importorskip("psycopg").errors.ProgramLimitExceeded if url else ()
    with store_of(resource(), tmp_path / "it", url) if url else store_of(resource(), tmp_path) as store:
        before(store)
        try:
            store.run(tamper, poisons(marker)[poison])
        except too_long:  # PostgreSQL refuses it: no key of that length fits into an index
            assert place == "a row's key" and len(poisons(marker)[poison]) > 2_700
            return
        refuses(lambda: look(store), marker)
        refuses(store.facts, marker)


@pytest.mark.parametrize("poison", POISONS)
def test_what_somebody_else_put_under_a_key_of_redis_is_told_and_not_run(poison, tmp_path, redis_url, redis_client):
    marker = tmp_path / "run"
    with store_of(Lock(), tmp_path, redis_url) as lock:
        acquired(lock)
        redis_client.set(lock.keys[0], poisons(marker)[poison])
        refuses(lambda: ask(lock, "read"), marker)
        refuses(lock.facts, marker)


REDIS = {
    "another kind of value": lambda client, it, beside: client.delete(it) and client.rpush(it, "x"),
    "bytes that are no text": lambda client, it, beside: client.set(it, b"\xff\xfe"),
    "no number": lambda client, it, beside: client.hset(beside, "token", "many"),
    "a long number": lambda client, it, beside: client.hset(beside, "freed_by_others", "9" * 10_000),
    "nothing": lambda client, it, beside: client.delete(beside),
    "another kind beside": lambda client, it, beside: client.delete(beside) and client.set(beside, "x"),
}


@pytest.mark.parametrize("how", REDIS)
def test_keys_of_another_kind_are_told(how, tmp_path, redis_url, redis_client):
    with store_of(Lock(), tmp_path, redis_url) as lock:
        acquired(lock)
        REDIS[how](redis_client, *lock.keys)
        refuses(lock.facts, tmp_path / "run")
        for step in (("read",), ("try_acquire",), ("release", Lease({"who": "A"}, 1)), ("delete",)):
            with contextlib.suppress(Mistake):  # or its answer, where that did not touch what was changed
                ask(lock, *step)


@pytest.mark.parametrize("statement", ["DROP TABLE {}", "ALTER TABLE {} RENAME TO other"])
@pytest.mark.parametrize(("resource", "table"), [(Database, "rows"), (Queue, "messages"), (Lock, "lock")])
@pytest.mark.parametrize("where", ["a file", "postgresql"])
def test_a_table_that_is_gone_is_told(where, resource, table, statement, tmp_path, request):
    url = None if where == "a file" else request.getfixturevalue("postgresql_url")
    with store_of(resource(), tmp_path, url) as store:
        store.run(statement.format(table))
        refuses(store.facts, tmp_path / "run")


def test_a_file_that_is_no_database_is_told(tmp_path):
    with store_of(Database({"ann": 1}), tmp_path) as db:
        db.close()
        for path in tmp_path.glob("it*"):
            path.write_bytes(b"no database at all" * 1000)
        refuses(db.facts, tmp_path / "run")


def test_a_file_that_is_no_text_is_told(tmp_path):
    with store_of(Disk({"state": "old"}), tmp_path) as disk:
        next(disk.path.iterdir()).write_bytes(b"\xff\xfe")
        refuses(disk.facts, tmp_path / "run")
        refuses(lambda: ask(disk, "read", "state"), tmp_path / "run")


# In a run: what is changed between two steps ends it, whatever it is


def use_everything(db, inbox, lock):
    yield db.write("ann", 20, fence=1)
    yield db.next_id()
    yield inbox.receive()
    yield lock.try_acquire(ttl=10)
    yield db.read("bob")


def everything():
    return Scenario(db=Database({"ann": 0}), inbox=Queue([1, 2]), lock=Lock())


CHANGES = [
    ("db", "UPDATE rows SET row = (SELECT key FROM rows)"),  # a text that the run has signed, in another place
    ("db", "DELETE FROM rows"),
    ("db", "UPDATE fences SET token = token + 1"),
    ("db", "DELETE FROM fences"),
    ("db", "UPDATE sequences SET last = 7"),
    ("db", "UPDATE sequences SET name = 'other'"),
    ("inbox", "UPDATE messages SET body = (SELECT MAX(body) FROM messages)"),
    ("inbox", "UPDATE messages SET deliveries = 9"),
    ("inbox", "UPDATE messages SET place = 'nowhere'"),
    ("inbox", "UPDATE messages SET acked = 1"),
    ("inbox", "UPDATE messages SET id = 'it-7'"),
    ("inbox", "DELETE FROM messages"),
    ("lock", "UPDATE lock SET holder = NULL"),
    ("lock", "UPDATE lock SET token = 9"),
    ("lock", "UPDATE lock SET freed_by_others = 2"),
    ("lock", "DELETE FROM lock"),
]
ONLY_SQLITE = [  # its columns take any type
    ("db", "UPDATE fences SET token = 'many'"), ("db", "UPDATE rows SET row = x'8004'"),
    ("db", "UPDATE sequences SET last = last + 0.0, name = name || x'00'"),
    ("inbox", "UPDATE messages SET deliveries = 'x'"), ("lock", "UPDATE lock SET token = x'ff'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def begun():
    """Begins runs in which every part has been used; those on the same servers under one fork server."""
    with contextlib.ExitStack() as kept:
        fork_servers = {}

        @contextlib.contextmanager
        def begin(on):
            system, where = system_of(everything(), use_everything), tuple(on.items())
            if where not in fork_servers:
                fork_servers[where] = kept.enter_context(Processes(system, False, on))
            with LiveMachine(system, fork_servers[where]) as machine:
                for _ in range(4):
                    machine.perform(Transition("step", "A"))
                yield fork_servers[where], machine

        yield begin


def told_at_the_next_step(machine):
    with pytest.raises(Mistake) as raised:
        machine.perform(Transition("step", "A"))
    assert SOMEBODY in str(raised.value), str(raised.value)


@pytest.mark.parametrize(("part", "change"), [*CHANGES, *ONLY_SQLITE])
def test_a_row_that_somebody_else_changes_in_a_file_ends_the_run(part, change, begun):
    import sqlite3

    with begun({}) as (processes, machine):
        with contextlib.closing(sqlite3.connect(Path(processes.folder, part), isolation_level=None)) as stranger:
            stranger.execute(change)
        told_at_the_next_step(machine)


@pytest.mark.parametrize(("part", "change"), CHANGES)
def test_a_row_that_somebody_else_changes_on_postgresql_ends_the_run(part, change, begun, postgresql_url, postgresql):
    with begun(dict.fromkeys(["db", "inbox", "lock"], postgresql_url)) as (processes, machine):
        tag = Path(processes.folder).name.replace("-", "_")
        postgresql.execute(f'SET search_path TO "{tag}_{part}"; {change}')
        told_at_the_next_step(machine)


REDIS_CHANGES = {
    "freed": lambda client, it, beside: client.delete(it),
    "another holder": lambda client, it, beside: client.set(it, "B#1"),
    "a token": lambda client, it, beside: client.hincrby(beside, "token", 1),
    "freed by others": lambda client, it, beside: client.hincrby(beside, "freed_by_others", 1),
    **REDIS,
}


@pytest.mark.parametrize("change", REDIS_CHANGES)
def test_a_key_that_somebody_else_changes_on_redis_ends_the_run(change, begun, redis_url, redis_client):
    with begun({"lock": redis_url}) as (processes, machine):
        name = Path(processes.folder).name.replace("-", "_") + ":lock"
        REDIS_CHANGES[change](redis_client, name, f"{name}:beside")
        told_at_the_next_step(machine)


def test_a_client_that_calls_itself_nearly_as_the_run_does_stops_nobody(
    begun, redis_url, redis_client, postgresql_url, postgresql
):
    with begun({"lock": redis_url, "db": postgresql_url}) as (processes, machine):
        tag = Path(processes.folder).name.replace("-", "_")
        for number in ("me", "", "-1", "0", "1", "9" * 30, "\u0663"):
            redis_client.client_setname(f"{tag}:{number}" if number.isascii() else f"{tag}:x")
            postgresql.execute("SELECT set_config('application_name', %s, false)", (f"{tag} {number}",))
            assert machine.facts()["lock"]["token"] == 1


# The HTTP service


@pytest.fixture
def service():
    client = RemoteLedger("it")
    with Ledger(client.signer) as ledger:
        threading.Thread(target=ledger.serve_forever, daemon=True).start()
        client.port = client.dead_port = ledger.server_port
        ask(client, "call", "charge", 20)
        yield client, ledger
        ledger.shutdown()


def said(port, text):
    """What the server answers to these bytes, all of it."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as stranger:
        with contextlib.suppress(OSError):  # it need not listen to all of it
            stranger.sendall(text)
            stranger.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while more := stranger.recv(65536):
                answer += more
        return answer


SECRETS = {
    "none": "", "another one": f"Authorization: Bearer {'0' * 64}\r\n", "an empty one": "Authorization: \r\n",
    "no text": "Authorization: Bearer \xff\xfe\r\n", "a start": "Authorization: Bearer \r\n",
    "a long one": f"Authorization: Bearer {'0' * 60_000}\r\n",
    "two": f"Authorization: Bearer {'0' * 64}\r\nAuthorization: Bearer {'1' * 64}\r\n",
}  # fmt: skip
REQUESTS = {
    "read": "GET / HTTP/1.1\r\n{}\r\n", "an old read": "GET / HTTP/1.0\r\n{}\r\n",
    "write": "POST / HTTP/1.1\r\n{}Content-Length: 1\r\n\r\n1", "no length": "POST / HTTP/1.1\r\n{}\r\n1",
    "no number": "POST / HTTP/1.1\r\n{}Content-Length: much\r\n\r\n1",
    "less than nothing": "POST / HTTP/1.1\r\n{}Content-Length: -1\r\n\r\n1",
    "more than there is": "POST / HTTP/1.1\r\n{}Content-Length: 999999999999999\r\n\r\n1",
    "another method": "DELETE / HTTP/1.1\r\n{}\r\n", "a method of its own": "serve / HTTP/1.1\r\n{}\r\n",
}  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("request_", REQUESTS)
def test_who_does_not_know_the_secret_is_refused_and_nothing_is_done(secret, request_, service):
    client, _ = service
    before = client.facts()
    answer = said(client.port, REQUESTS[request_].format(SECRETS[secret]).encode("latin-1"))
    assert re.match(rb"HTTP/1\.[01] 403 ", answer), answer
    assert b"charge" not in answer
    assert client.facts() == before


@pytest.mark.parametrize("text", [b"\x16\x03\x01" * 99, b"\r\n" * 99, b"x" * 100_000, b"GET / HTTP/9.9\r\n\r\n", b"\0"])
def test_what_is_no_request_does_nothing(text, service):
    client, _ = service
    before = client.facts()
    assert b"charge" not in said(client.port, text)
    assert client.facts() == before


@pytest.mark.parametrize("length", ["much", "-1", None, "999999999999999"])
def test_a_request_with_the_secret_and_a_wrong_length_does_nothing(length, service):
    client, _ = service
    before = client.facts()
    lines = f"POST / HTTP/1.1\r\nAuthorization: Bearer {client.signer.token}\r\n"
    lines += "" if length is None else f"Content-Length: {length}\r\n"
    answer = said(client.port, f"{lines}\r\n1".encode())
    assert re.match(rb"HTTP/1\.[01] 4\d\d ", answer), answer
    assert client.facts() == before


@pytest.mark.parametrize("body", ["1", "", "0" * 64 + ":1", "pickle:AAAA", "[" * 100_000])
@pytest.mark.parametrize("where", ["body", "key"])
def test_a_request_with_the_secret_and_a_value_without_a_signature_does_nothing(body, where, service):
    client, _ = service
    before = client.facts()
    ours = client.signer.write(("charge", 30))
    body, key = (body, ours) if where == "body" else (ours, body[:1000] or "x")
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {client.signer.token}", "Idempotency-Key": key}
    connection.request("POST", "/", body.encode(), headers)
    assert connection.getresponse().status == 400
    connection.close()
    assert client.facts() == before


def test_strangers_who_say_nothing_more_do_not_stop_the_run(service):
    client, _ = service
    with contextlib.ExitStack() as held:
        for text in (b"", b"GET", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n", b"POST / HTTP/1.1\r\n\r\n") * 30:
            stranger = held.enter_context(socket.create_connection(("127.0.0.1", client.port)))
            stranger.sendall(text)
        begun = time.monotonic()
        for _ in range(20):
            assert ask(client, "call", "charge", 20) == "ok"
            client.facts()
        assert time.monotonic() - begun < PATIENCE / 2
    assert client.facts()["effects"] == {("charge", 20): 21}


def test_a_stranger_is_hung_up_on_in_the_end(service):
    client, _ = service
    with socket.create_connection(("127.0.0.1", client.port), timeout=PATIENCE) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n")
        assert stranger.recv(1) in (b"", b"H")


def test_the_service_is_heard_on_this_machine_alone(service):
    _, ledger = service
    assert ledger.server_address[0] == "127.0.0.1"


def test_an_answer_that_is_not_the_service_s_own_is_told(tmp_path):
    """Somebody has taken the port of a service that is gone."""
    client = RemoteLedger("it")
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        client.port = stranger.getsockname()[1]

        def answer():
            for _ in range(2):
                with stranger.accept()[0] as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        refuses(lambda: ask(client, "call", "charge", 20), tmp_path / "run")
        refuses(client.facts, tmp_path / "run")
        thread.join(PATIENCE)


def elsewhere(job, uid=None):
    """What `job()` gives in a process of its own, which belongs to this user."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            os.write(into, json.dumps(job()).encode())
        finally:
            os._exit(0)
    os.close(into)
    with open(out, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer)


def pay(bank, disk, db):
    yield bank.call("charge", 20)
    yield disk.write("state", "secret")
    yield db.write("ann", "secret")


NOBODY = 65534
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user")


@linux
@as_root
def test_another_user_can_neither_read_nor_write_any_part_of_a_run():
    system = system_of(Scenario(bank=Service(), disk=Disk(), db=Database()), pay)
    with Processes(system, False) as processes, LiveMachine(system, processes) as machine:
        for _ in range(3):
            machine.perform(Transition("step", "A"))
        before = machine.facts()

        def attack():
            found = []
            for port in listening():
                requests = (REQUESTS["read"], REQUESTS["write"])
                found += [said(port, one.format("").encode())[9:12].decode() for one in requests]
            opened = [str(path) for path in map(Path, [processes.folder]) if os.access(path, os.X_OK | os.R_OK)]
            return found, opened, os.getuid()

        ports = {pid: listening_of(pid) for pid in descendants(processes.fork_server)}

        def listening():
            return sorted(set(itertools.chain(*ports.values())))

        assert listening()
        found, opened, uid = elsewhere(attack, NOBODY)
        assert (set(found), opened, uid) == ({"403"}, [], NOBODY)
        assert machine.facts() == before


def descendants(pid):
    """The processes that this one has started, and those that they have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listening_of(pid):
    """The TCP ports at which this process listens."""
    inodes = set()
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes]


@pytest.mark.parametrize("umask", [0o022, 0])
def test_the_files_of_a_run_are_its_own_user_s_alone(umask):
    system = system_of(Scenario(disk=Disk({"state": "old"}), db=Database({"ann": 1}), inbox=Queue([1])), save)
    before = os.umask(umask)
    try:
        with Processes(system, False) as processes, LiveMachine(system, processes) as machine:
            machine.perform(Transition("step", "A"))
            folder = Path(processes.folder)
            modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (folder, *folder.rglob("*"))}
    finally:
        os.umask(before)
    assert len(modes) > 4
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def save(disk):
    yield disk.write("state", "new")


# Processes that a worker has started


def hold(fifo, told):
    """Be a process that holds this pipe open, says so, and stays."""
    os.write(os.open(fifo, os.O_WRONLY), b"up")
    os.write(told, b"up")
    while True:
        signal.pause()


def forked(fifo, told):
    if not os.fork():
        hold(fifo, told)


def stopped(fifo, told):
    if not os.fork():
        if not os.fork():
            hold(fifo, told)
        os.kill(os.getpid(), signal.SIGSTOP)


def daemon(fifo, told):
    child = os.fork()
    if not child:
        os.setsid()
        if os.fork():
            os._exit(0)
        hold(fifo, told)
    os.waitpid(child, 0)


def deaf_family(fifo, told):
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
    for _ in range(3):
        if not os.fork():
            os.setsid()
            if not os.fork():
                os.setsid()
                hold(fifo, told)
            os._exit(0)


HOLD = "import os, signal, sys; fifo, told = sys.argv[1:]; os.write(os.open(fifo, os.O_WRONLY), b'up')\n"
HOLD += "os.write(int(told), b'up')\nwhile True: signal.pause()"


def program(fifo, told):
    command = [sys.executable, "-c", HOLD, fifo, str(told)]
    subprocess.Popen(command, start_new_session=True, env={}, pass_fds=[told])


def started(start, fifo):
    """Start it, and wait until it is there."""
    out, told = os.pipe()
    start(fifo, told)
    assert os.read(out, 2) == b"up"


def starting(start, fifo):
    """A worker that starts such a process after its first step."""

    def worker(db):
        yield db.write("a", 1)
        started(start, fifo)
        yield db.read("a")
        yield db.write("a", 2)

    return worker


def starting_at_once(start, fifo):
    """A worker that starts such a process before its first step."""

    def worker(db):
        started(start, fifo)
        yield db.write("a", 1)

    return worker


@contextlib.contextmanager
def watched(path):
    """A named pipe for them to hold. Gives its name, and what waits until nobody has it open any more."""
    os.mkfifo(path)
    out = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:

        def ended():
            found = b""
            while select.select([out], [], [], PATIENCE)[0]:
                more = os.read(out, 100)
                if not more:
                    return found
                found += more
            raise TimeoutError("it is still there")

        yield str(path), ended
    finally:
        os.close(out)


everywhere = pytest.mark.parametrize("start", [forked, stopped, daemon, deaf_family, program])


@linux
@everywhere
@pytest.mark.parametrize("worker", [starting, starting_at_once])
def test_what_a_worker_has_started_ends_with_the_run(worker, start, tmp_path):
    with watched(tmp_path / "held") as (fifo, ended):
        Scenario(db=Database()).live(worker(start, fifo))
        assert ended().startswith(b"up")


@linux
def test_what_a_worker_has_started_outlives_its_crash_and_ends_with_the_run(tmp_path):
    with watched(tmp_path / "held") as (fifo, ended):
        system = system_of(Scenario(db=Database()), starting(daemon, fifo))
        with Processes(system, False) as processes, LiveMachine(system, processes) as machine:
            machine.perform(Transition("step", "A"))
            machine.perform(Transition("crash", "A", fault="crashes"))
            assert len(descendants(processes.fork_server) - processes.pids) > 1  # the daemon is its now
            processes.begin()
            assert ended().startswith(b"up")


@linux
def test_what_a_worker_has_started_ends_when_the_supervisor_is_killed(tmp_path):
    with watched(tmp_path / "held") as (fifo, ended):
        program = (
            "import os, signal\n"
            "from simlib.live import Processes\n"
            "from simlib.live.machine import LiveMachine\n"
            "from simlib.schedule.trace import Transition\n"
            "from simlib import Database, Scenario\n"
            "from simlib.scenario import system_of\n"
            "from tests.live.test_strangers import daemon, starting\n"
            f"system = system_of(Scenario(db=Database()), starting(daemon, {fifo!r}))\n"
            "with Processes(system, False) as processes, LiveMachine(system, processes) as machine:\n"
            "    machine.perform(Transition('step', 'A'))\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        killed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert ended().startswith(b"up")
