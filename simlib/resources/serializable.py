"""Serializable snapshot isolation, as PostgreSQL does it: which transaction has to fail so that no cycle can arise.

A transaction that read what another one overwrote comes before it: a read-write conflict. In each cycle there are two
in a row, and of the three transactions the last one commits first (Fekete et al. 2005, "Making snapshot isolation
serializable"). PostgreSQL lets one of the three fail (Ports and Grittner 2012, "Serializable snapshot isolation in
PostgreSQL", and `predicate.c`, whose rules these are). It remembers what was read by row and by page of an index; here
a page holds one key, so that nothing fails without need.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

from simlib.errors import SerializationFailure
from simlib.resources.read_set import Name, Range, Reader, covers

ALONE = "it could not look as if it had run alone"


class Conflicts(dict[Name, Reader]):
    """The serializable transactions, and the read-write conflicts among them."""

    def copy(self) -> Conflicts:
        return Conflicts({name: reader.copy() for name, reader in self.items()})

    def key(self) -> Hashable:
        return frozenset((name, reader.key()) for name, reader in self.items())

    def renamed(self, names: Mapping[str, str]) -> Conflicts:
        """A copy in which these workers have other names."""

        def new(name: Name) -> Name:
            return names.get(name, name) if isinstance(name, str) else name

        other = Conflicts({new(name): reader.copy() for name, reader in self.items()})
        for reader in other.values():
            reader.before, reader.after = set(map(new, reader.before)), set(map(new, reader.after))
        return other

    def begin(self, me: str) -> None:
        """This transaction takes its snapshot."""
        self[me] = Reader(self._commits)

    def reads(
        self, me: Name, range_: Range, there: Collection[Any], written: Collection[Any], old: Mapping[Any, bool],
        passed: Any = None,
    ) -> None:  # fmt: skip
        """A statement looks up this range, of which it has seen what comes up to the key `passed`.

        It comes across the rows that are `there` in its snapshot, those that somebody has `written` and not committed,
        and the `old` ones that have been changed since its snapshot: was the first who did serializable?
        """
        mine = self.get(me)
        if mine is None:
            return
        found = {key for key in (*there, *written, *old) if covers(range_, key)}
        for key in sorted(found if passed is None else (key for key in found if key > passed)):
            self._heed(mine)
            for name in self._newer(me, key, key in there, old.get(key)):
                if not self[name].doomed:
                    self._conflict(me, name, me)
        self._remember(mine, range_)
        mine.rows |= {*there} - {*old}

    def _newer(self, me: Name, key: Any, is_there: bool, changed: bool | None) -> list[Name]:
        """Who has written the versions of this row that a reader comes across and does not see.

        Of a row that it sees it comes to the next version, and to those that have an entry of their own in the index
        since the row was deleted.
        """
        mine = self[me]
        names = [
            name for name in self._others(me) if self._is_concurrent(self[name], mine) and key in self[name].writes
        ]
        if not is_there:
            return names
        first = [] if changed is False else names[:1]
        added = next((at for at, name in enumerate(names) if key in self[name].added), len(names))
        return first + [name for name in names[added:] if name not in first]

    @staticmethod
    def _remember(mine: Reader, range_: Range) -> None:
        same = {known for known in mine.ranges if known[:2] == range_[:2]} | {range_}
        mine.ranges -= same
        mine.ranges.add(max(same, key=lambda known: (known[2] is None, known[2] or "")))

    def overwrites(self, me: Name, key: Any) -> None:
        """This transaction changes a row."""
        self._writes(me, key, lambda reader: key in reader.rows)

    def inserts(self, me: Name, key: Any) -> None:
        """This transaction puts a key into the index, or finds it there."""
        self._writes(me, key, lambda reader: any(covers(range_, key) for range_ in reader.ranges))

    def _writes(self, me: Name, key: Any, has_read: Callable[[Reader], bool]) -> None:
        mine = self.get(me)
        if mine is None:
            return
        self._heed(mine)
        for name in self._others(me):
            reader = self[name]
            if self._is_concurrent(reader, mine) and not reader.doomed and has_read(reader):
                self._conflict(name, me, me)

    def wrote(self, me: Name, key: Any) -> None:
        """It has written this row."""
        if me in self:
            self[me].writes.add(key)
            self[me].rows.discard(key)

    def inserted(self, me: Name, key: Any) -> None:
        """It has put this row into the index."""
        if me in self:
            self[me].added.add(key)

    def replaced(self, keys: Iterable[Any]) -> None:
        """These rows have newer versions: whoever read the old ones is in nobody's way any more."""
        for reader in self.values():
            reader.rows.difference_update(keys)

    def _others(self, me: Name) -> list[Name]:
        """In the order of their commits, then those that are open."""
        return sorted((name for name in self if name != me), key=lambda name: (isinstance(name, str), name))

    @staticmethod
    def _is_concurrent(other: Reader, mine: Reader) -> bool:
        return other.committed is None or other.committed > mine.began_after

    @staticmethod
    def _heed(mine: Reader) -> None:
        if mine.doomed:
            raise SerializationFailure(ALONE)

    def _conflict(self, before: Name, after: Name, me: Name) -> None:
        """`before` has read what `after` overwrites; one of them is this transaction."""
        if after in self[before].after:
            return
        if self._is_dangerous(self[before], self[after]):
            if after == me or self[after].committed is not None:
                raise SerializationFailure(ALONE)
            self[after].doomed = True
        self[before].after.add(after)
        self[after].before.add(before)

    def _is_dangerous(self, reader: Reader, writer: Reader) -> bool:
        """Whether this conflict makes two in a row of which the last transaction committed first."""
        if writer.overwritten:
            return True
        return any(self._is_first(name, reader, writer) for name in writer.after) or (
            writer.committed is not None
            and not reader.read_only
            and any(self._is_in_time(self[name], writer.committed) for name in reader.before)
        )

    def _is_first(self, name: Name, reader: Reader, writer: Reader) -> bool:
        """Whether this one, which overwrote what the writer read, committed before both."""
        committed = self[name].committed
        return (
            committed is not None
            and (reader.committed is None or committed <= reader.committed)
            and (writer.committed is None or committed <= writer.committed)
            and (not reader.read_only or committed <= reader.began_after)
        )

    @staticmethod
    def _is_in_time(first: Reader, committed: int) -> bool:
        """Whether the first of three can still be in a cycle whose last one committed then."""
        return (
            not first.doomed
            and (first.committed is None or first.committed >= committed)
            and (not first.read_only or first.began_after >= committed)
        )

    def commit(self, me: str) -> None:
        """Commit this transaction. Raises SerializationFailure if another one has doomed it."""
        mine = self.get(me)
        if mine is None:
            return
        self._heed(mine)
        for name in self.pivots(me):
            if self._is_pivot(self[name], mine):
                self[name].doomed = True
        self._number(me)

    def pivots(self, me: str) -> list[Name]:
        """Those who are to fail when this transaction commits, unless one that comes before them in this list does.

        PostgreSQL goes by who has read first, which is not kept here: of two, the one that wrote a smaller key.
        """
        mine = self[me]
        near = [name for name in mine.before if self._is_pivot(self[name], mine)]
        return sorted(near, key=lambda name: sorted(map(repr, self[name].writes)))

    def _is_pivot(self, near: Reader, mine: Reader) -> bool:
        """Whether it is open, and has read what this one overwrites, and overwritten what an open one has read."""
        if near.committed is not None or near.doomed:
            return False
        return any(self[far] is mine or (self[far].committed is None and not self[far].doomed) for far in near.before)

    def _number(self, me: str) -> None:
        """From now on it goes by which one it was to commit."""
        mine = self[me]
        number = mine.committed = self._commits + 1
        for name in [name for name in mine.after if isinstance(name, int)]:
            mine.overwritten |= not mine.read_only
            self._separate(me, name)
        for name in [name for name in mine.before if isinstance(name, int)]:
            self._separate(name, me)
        self._rename(me, number)
        self._prune()

    def _separate(self, before: Name, after: Name) -> None:
        self[before].after.discard(after)
        self[after].before.discard(before)

    def _rename(self, name: Name, number: int) -> None:
        self[number] = self.pop(name)
        for reader in self.values():
            for names in (reader.before, reader.after):
                if name in names:
                    names.remove(name)
                    names.add(number)

    def forget(self, me: Name) -> None:
        """It was rolled back, or nobody can be in conflict with it any more."""
        if self.pop(me, None) is not None:
            for reader in self.values():
                reader.before.discard(me)
                reader.after.discard(me)
            if isinstance(me, str):
                self._prune()

    @property
    def _commits(self) -> int:
        return max((reader.committed or 0 for reader in self.values()), default=0)

    def _prune(self) -> None:
        """Forget those that committed before all who are open began; number the others from 1 on."""
        oldest = min((reader.began_after for reader in self.values() if reader.committed is None), default=None)
        for name in [name for name in self if isinstance(name, int) and (oldest is None or name <= oldest)]:
            self.forget(name)
        if not oldest:
            return
        for name in sorted(name for name in self if isinstance(name, int)):
            self._rename(name, name - oldest)
        for reader in self.values():
            reader.began_after = max(0, reader.began_after - oldest)
            reader.committed = None if reader.committed is None else reader.committed - oldest
