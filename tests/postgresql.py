"""A table on a real PostgreSQL, and sessions on it that send statements and do not wait for their answers.

A serializable transaction is compared with a model that remembers what was read by row and by key. PostgreSQL remembers
pages of the index. So between any two keys, and around the ends of any range that is asked for, there have been rows so
wide that each key has a page of the index to itself. They are deleted, and known to be: a scan passes them by.
"""

import contextlib
import select
import time

import psycopg
from psycopg import pq

from tests.anomalies import START

KEYS = ("a1", "a2", "b1", "b2")
PREFIXES = ("", "a", "b")
FINE = ("max_pred_locks_per_transaction=1000", "max_pred_locks_per_page=100", "autovacuum=off")  # never coarser locks
SETTINGS = (
    "deadlock_timeout = '1ms'",
    "enable_seqscan = off",
    "enable_bitmapscan = off",
    "enable_indexonlyscan = off",
    "jit = off",
)
ERRORS = {
    "40001": "SerializationFailure",
    "40P01": "Deadlock",
    "55P03": "LockNotAvailable",
    "25P02": "TransactionAborted",
    "23505": "AlreadyExists",
}
PATIENCE = 20  # seconds for an answer that has to come
WIDE = "repeat('x', 1900)"  # of which four fill a page
PLACES = ("a!", "a1!", "a2!", "b!", "b1!", "b2!")  # of the wide rows: in this order before, between and after the keys
UPSERT = "INSERT INTO rows VALUES ($1, $2) ON CONFLICT (key) DO "


def sql(verb, args, kwargs, inside):
    """A step as a statement, and its values."""
    if verb == "begin":  # inside of a transaction, another level would be an error, or be taken
        return "BEGIN" if inside else f"BEGIN ISOLATION LEVEL {args[0]}", ()
    if verb == "read":
        return "SELECT row FROM rows WHERE key = $1" + _locking(**kwargs), args
    if verb == "scan":
        return _scan(*args, **kwargs)
    if verb == "compare_and_set" and args[1] is None:
        return f"{UPSERT} NOTHING", (args[0], args[2])
    return STATEMENTS[verb], args


STATEMENTS = {
    "commit": "COMMIT",
    "rollback": "ROLLBACK",
    "write": f"{UPSERT} UPDATE SET row = excluded.row",
    "insert": "INSERT INTO rows VALUES ($1, $2)",
    "update": "UPDATE rows SET row = $2 WHERE key = $1",
    "add": "UPDATE rows SET row = row + $2 WHERE key = $1 RETURNING row",
    "delete": "DELETE FROM rows WHERE key = $1",
    "compare_and_set": "UPDATE rows SET row = $3 WHERE key = $1 AND row = $2",
}


def _locking(for_update=False, skip_locked=False, nowait=False):
    how = " SKIP LOCKED" if skip_locked else " NOWAIT" if nowait else ""
    return f" FOR UPDATE{how}" if for_update else ""


def _scan(prefix, limit=None, **locking):
    where, values = (">= $1 AND key < $2", (prefix, chr(ord(prefix) + 1))) if prefix else (">= ''", ())
    most = f" LIMIT {limit}" if limit else ""
    return f"SELECT key, row FROM rows WHERE key {where} ORDER BY key{most}{_locking(**locking)}", values


def answer(verb, result):
    """What the step answers, from the server's result; an error's name."""
    if result.status == pq.ExecStatus.FATAL_ERROR:
        code = result.error_field(pq.DiagnosticField.SQLSTATE).decode()
        return ERRORS.get(code, f"{code}: {result.error_message.decode(errors='replace')}")
    if verb == "scan":
        return [(result.get_value(at, 0).decode(), int(result.get_value(at, 1))) for at in range(result.ntuples)]
    if verb in ("read", "add"):
        return int(result.get_value(0, 0)) if result.ntuples else None
    if verb == "commit":
        return result.command_status == b"COMMIT"
    return result.command_tuples == 1 if verb in ("update", "delete", "compare_and_set") else None


class Session:
    """One connection, on which at most one statement is under way."""

    def __init__(self, url):
        self.connection = psycopg.connect(url, autocommit=True)
        for setting in SETTINGS:
            self.connection.execute(f"SET {setting}")
        self.server = self.connection.pgconn
        self.verb = None  # of the statement that is under way

    def send(self, verb, args, kwargs):
        inside = self.server.transaction_status != pq.TransactionStatus.IDLE
        statement, values = sql(verb, args, kwargs, inside)
        oids = [25 if type(value) is str else 23 for value in values]
        self.server.send_query_params(statement.encode(), [str(value).encode() for value in values], oids)
        while self.server.flush():
            pass
        self.verb = verb

    def receive(self):
        """Read what has come; True if that is the answer."""
        self.server.consume_input()
        return not self.server.is_busy()

    def answer(self):
        verb, self.verb = self.verb, None
        first = self.server.get_result()
        while self.server.get_result() is not None:
            pass
        return answer(verb, first)


class Server:
    """The table, its sessions, and a connection that looks at who waits."""

    def __init__(self, url, sessions=3):
        with contextlib.ExitStack() as opened:
            self.watch = opened.enter_context(psycopg.connect(url, autocommit=True))
            self.sessions = {number: Session(url) for number in range(1, sessions + 1)}
            for setting in SETTINGS:
                self.watch.execute(f"SET {setting}")
            for session in self.sessions.values():
                opened.callback(session.connection.close)
            self._opened = opened.pop_all()
        self.at = {session.server.backend_pid: number for number, session in self.sessions.items()}
        self._make()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._opened.close()

    def _make(self):
        run = self.watch.execute
        run("DROP TABLE IF EXISTS rows, fillers")
        run("""CREATE TABLE rows (key text COLLATE "C" PRIMARY KEY WITH (fillfactor = 50), row int)""")
        run("ALTER TABLE rows ALTER key SET STORAGE PLAIN")  # not compressed
        run("REINDEX TABLE rows")
        run("CREATE TABLE fillers (key text)")
        for place in PLACES:
            run(f"INSERT INTO fillers SELECT %s || number || {WIDE} FROM generate_series(1, 6) number", (place,))
        run("ANALYZE fillers")
        self.reset({})
        run("ANALYZE rows")

    def reset(self, rows):
        """The table as at the beginning, with these rows."""
        values = ", ".join(f"('{key}', {row})" for key, row in rows.items())
        self.watch.execute('TRUNCATE rows; INSERT INTO rows SELECT key FROM fillers ORDER BY key COLLATE "C"')
        self.watch.execute("DELETE FROM rows")
        self.watch.execute("SELECT key FROM rows ORDER BY key")  # the index learns that they are dead
        if values:
            self.watch.execute(f"INSERT INTO rows VALUES {values}")

    @property
    def rows(self):
        return dict(self.watch.execute("SELECT key, row FROM rows").fetchall())

    def pages(self, verb, *args):
        """The pages of the index that this statement, serializable, is remembered to have read."""
        session = self.sessions[1]
        for step in (("begin", ("serializable",)), (verb, args)):
            session.send(*step, {})
            self._await([1])
            session.answer()
        held = "SELECT page FROM pg_locks WHERE mode = 'SIReadLock' AND locktype = 'page'"
        pages = {page for (page,) in self.watch.execute(held)}
        coarse = self.watch.execute("SELECT 1 FROM pg_locks WHERE mode = 'SIReadLock' AND locktype = 'relation'")
        assert not coarse.fetchall()
        session.send("rollback", (), {})
        self._await([1])
        session.answer()
        return pages

    def _await(self, numbers):
        until = time.monotonic() + PATIENCE
        while not all(self.sessions[number].receive() for number in numbers):
            self._select(numbers, 1)
            assert time.monotonic() < until, "PostgreSQL does not answer"

    def _select(self, numbers, seconds):
        return select.select([self.sessions[number].server.socket for number in numbers], [], [], seconds)[0]

    def send(self, who, verb, args, kwargs):
        """Send a statement. Returns the answers by session, once each session has its own or waits for another."""
        self.sessions[who].send(verb, args, kwargs)
        return self.settle()

    def run(self, script, level):
        """Every statement of an anomaly's script; those of a session that waits are sent when it has its answer."""
        self.reset(START)
        todo, answers = list(script), []
        while todo:
            who, verb, *args = todo.pop(next(at for at, (who, *_) in enumerate(todo) if who not in self.waiting))
            args = (level,) if verb == "begin" else args
            answers += self.send(who, verb, args, {}).items()
        return answers, self.rows

    def settle(self):
        answers, until = {}, time.monotonic() + PATIENCE
        while True:
            asked = [number for number, session in self.sessions.items() if session.verb]
            for number in asked:
                if self.sessions[number].receive():
                    answers[number] = self.sessions[number].answer()
            waiting = [number for number in asked if self.sessions[number].verb]
            if not waiting or (not self._select(waiting, 0.0005) and self._all_wait(waiting)):
                return answers
            assert time.monotonic() < until, f"{waiting} neither wait nor get an answer: {self._blockers()}"

    def _blockers(self):
        """By session that waits for a lock, those that it waits for. They are found waiting at one moment."""
        found = "SELECT pid, pg_blocking_pids(pid) FROM (SELECT pid FROM pg_locks WHERE NOT granted OFFSET 0) waiting"
        return {self.at[pid]: {self.at.get(one) for one in pids} for pid, pids in self.watch.execute(found)}

    def _all_wait(self, waiting):
        """Whether each of them waits, in the end for one that does not."""
        blockers = self._blockers()
        if not blockers.keys() >= {*waiting}:
            return False
        free = {*self.sessions} - {*waiting}
        while new := {who for who in waiting if who not in free and blockers[who] and blockers[who] <= free}:
            free |= new
        return {*self.sessions} <= free

    @property
    def version(self):
        return self.watch.execute("SHOW server_version").fetchone()[0].split()[0]

    @property
    def waiting(self):
        return {number for number, session in self.sessions.items() if session.verb}
