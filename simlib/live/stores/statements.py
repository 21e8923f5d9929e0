"""A database's steps as the SQL statements that an engineer would write, for inside of a transaction on PostgreSQL."""

from __future__ import annotations

from typing import Any

from psycopg.errors import UniqueViolation

from simlib.errors import AlreadyExists
from simlib.live.stores.deadlines import deadline
from simlib.live.stores.plain import dumps
from simlib.live.stores.sql import Connection, DatabaseTable
from simlib.model.operation import Op
from simlib.model.values import same

SIGNED = 65  # the length of a signature, and of the colon behind it
BEYOND = "\u0080"  # comes after every letter of a key, which is JSON
WIDE = 2500  # letters, of which three make a page of an index full
LONG = 100  # letters of a place; with the wide ones, an index holds some 2,700
ROWS = (
    f"""CREATE TABLE rows (
        key TEXT NOT NULL, row TEXT NOT NULL, deadline DOUBLE PRECISION,
        place TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS (substr(key, {SIGNED + 1})) STORED,
        pad TEXT NOT NULL DEFAULT repeat('x', 900)
    ) WITH (fillfactor = 10, autovacuum_enabled = off)""",
    *(f"ALTER TABLE rows ALTER {column} SET STORAGE PLAIN" for column in ("key", "place", "pad")),
    "ALTER TABLE rows ADD UNIQUE (place)",
)


class Placed(DatabaseTable):
    """Rows that are found by their place: the key without its signature, so that keys with one beginning are together.

    A serializable transaction remembers what it has read by row and by page of the index, and by the whole of it where
    that is less to remember. The model says by key. So each row is padded to have a page of its own (fillfactor), with
    room for its next versions, and `make_room` gives each key a page of the index. No vacuum joins them again. The
    whole index is less to remember than 32 pages (max_pred_locks_per_relation, by default). So with more than seven
    keys to a scan, of which the ends of another scan are two, PostgreSQL may still let a transaction fail that the
    model does not.
    """

    layout = (*ROWS, *DatabaseTable.ASIDE)
    unique = "place"

    def _found_by(self, key: Any) -> str:
        return self.signer.write(key)[SIGNED:]


class Statements(Placed):
    """Each step as the statements themselves, in a transaction that somebody else begins and ends."""

    def __init__(self, name: str, connection: Connection, side: Connection) -> None:
        super().__init__(name, connection)
        self.side = side  # another connection, for what is no part of the transaction
        self._rooms: set[str] = set()

    def make_room(self, op: Op) -> None:
        """Give each key or range of this step a page of the index, which stays its own when others get theirs: by rows
        on both sides, one more than a page holds. They are rolled back; the pages stay.
        """
        scans = op.verb in ("scan", "compare_scan")
        for place in self.range(op.args[0]) if scans else [self._found_by(op.args[0])]:
            if place not in self._rooms and len(place) <= LONG:
                self._rooms.add(place)
                before = f"{place[:-1]}{chr(ord(place[-1]) - 1)}~"
                wide = [f"{'x' * SIGNED}{start}{'~' * WIDE}{n}" for start in (before, f"{place}!") for n in range(4)]
                values = ", ".join(["(?, '')"] * len(wide))
                self.side.run("BEGIN")
                self.side.run(f"INSERT INTO rows (key, row) VALUES {values}", *wide)
                self.side.run("ROLLBACK")
                self._let_the_index_know(wide[0][SIGNED:], wide[-1][SIGNED:])

    def _let_the_index_know(self, first: str, last: str) -> None:
        """Read what is between these places, by the index, which remembers what it has found dead: from then on a scan
        passes it by. At a row that it looks at, dead or not, a serializable transaction that is to fail would do so.
        """
        self.side.run("BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        self.side.run("SELECT key FROM rows WHERE place >= ? AND place <= ?", first, last)
        self.side.run("COMMIT")

    def range(self, prefix: str) -> tuple[str, str]:
        """The places of the keys that begin with this text: from the first to before the second."""
        start = dumps(prefix)[:-1]
        return start, start + BEYOND

    def _rows(self, key: Any, **locking: bool) -> list[Any]:
        found = self.run(f"SELECT row FROM rows WHERE place = ?{_locking(**locking)}", self._found_by(key))
        return [self.signer.read(row) for (row,) in found]

    def on_scan(self, who: str, prefix: str, limit: int | None = None, **locking: bool) -> list[tuple[Any, Any]]:
        most = "" if limit is None else f" LIMIT {limit}"
        select = "SELECT key, row FROM rows WHERE place >= ? AND place < ? ORDER BY place"
        rows = self.run(select + most + _locking(**locking), *self.range(prefix))
        return sorted(((self.signer.read(key), self.signer.read(row)) for key, row in rows), key=lambda pair: pair[0])

    def on_insert(self, who: str, key: Any, row: Any, fence: int | None = None, ttl: float | None = None) -> None:
        self._fence(key, fence)
        insert = "INSERT INTO rows VALUES (?, ?, ?)"
        try:
            self.run(insert, self.signer.write(key), self.signer.write(row), deadline(ttl))
        except UniqueViolation:
            raise AlreadyExists(key) from None
        self._fence(key, fence)

    def on_expire(self, who: str, key: Any, ttl: float, fence: int | None = None) -> bool:
        self._fence(key, fence)
        update = "UPDATE rows SET deadline = ? WHERE place = ? RETURNING key"
        return bool(self.run(update, deadline(ttl), self._found_by(key)))

    def on_compare_and_set(self, who: str, key: Any, expected: Any, row: Any, fence: int | None = None) -> bool:
        """UPDATE ... WHERE row = expected; compared in Python, where the order of a dict does not count."""
        self._fence(key, fence)
        if expected is None:
            insert = "INSERT INTO rows VALUES (?, ?) ON CONFLICT (place) DO NOTHING RETURNING key"
            added = self.run(insert, self.signer.write(key), self.signer.write(row))
            self._fence(key, fence)
            return bool(added)
        if not any(same(found, expected) for found in self._rows(key)):
            return False
        return any(same(found, expected) for found in self._rows(key, for_update=True)) and self._set(key, row)

    def on_next_id(self, who: str, sequence: str) -> int:
        return int(self.side.run(self.COUNT, sequence)[0][0])  # a sequence is no part of a transaction


def _locking(for_update: bool = False, skip_locked: bool = False, nowait: bool = False) -> str:
    how = " SKIP LOCKED" if skip_locked else " NOWAIT" if nowait else ""
    return f" FOR UPDATE{how}" if for_update else ""
