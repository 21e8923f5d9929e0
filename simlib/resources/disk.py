"""A file system on one machine, which a power loss can catch with unsynced data."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from simlib.arguments import whole_number
from simlib.errors import DiskFull, Mistake, NotFound
from simlib.model.fault import DISK_FULL
from simlib.model.operation import BEGUN, OK, Blocked, Op, Outcome
from simlib.model.resource import Resource
from simlib.model.state import State
from simlib.model.view import asked
from simlib.text import bare, show


class File(NamedTuple):
    """One file's data in the page cache, and everything that the disk may hold of it."""

    data: str
    on_disk: frozenset[str]

    def changed(self, data: str, *torn: str) -> File:
        return File(data, self.on_disk | {data, *torn})


@dataclass
class DiskState(State):
    """The page cache, the directory, and what may be on disk; a property sees what Disk says."""

    sees = ("contents", "files")
    remote = False
    capacity: int | None = None
    data: dict[int, File] = field(default_factory=dict)  # by inode
    names: dict[str, int] = field(default_factory=dict)  # the directory as processes see it
    journal: tuple[tuple[tuple[str, int], ...], ...] = ((),)  # the directory as it may be on disk: oldest first
    inodes: int = 0
    writing: dict[str, int] = field(default_factory=dict)  # who has written a half, and to which inode

    def contents(self, name: str) -> str | None:
        """What a process that reads the file now would get."""
        return self.data[self.names[name]].data if name in self.names else None

    @property
    def files(self) -> list[str]:
        return sorted(self.names)

    def on_read(self, who: str, name: str) -> str:
        return self._file(name).data

    def on_exists(self, who: str, name: str) -> bool:
        return name in self.names

    def on_write(self, who: str, name: str, data: str) -> None:
        self._write(who, name, data)

    def on_append(self, who: str, name: str, data: str) -> None:
        self._append(name, data)

    def on_rename(self, who: str, old: str, new: str) -> None:
        self._file(old)
        replaced = new in self.names
        self.names[new] = self.names.pop(old)
        self._directory_changed()
        if replaced:
            self._file_died()

    def on_delete(self, who: str, name: str) -> None:
        self._file(name)
        del self.names[name]
        self._directory_changed()
        self._file_died()

    def on_fsync(self, who: str, name: str) -> None:
        file = self._file(name)
        self.data[self.names[name]] = File(file.data, frozenset([file.data]))

    def on_fsync_directory(self, who: str) -> None:
        self.journal = self.journal[-1:]
        self._forget_unreachable()

    def _file(self, name: str) -> File:
        if name not in self.names:
            raise NotFound(name)
        return self.data[self.names[name]]

    def _write(self, who: str, name: str, data: str, room: int | None = None) -> None:
        """Empty the file and write, or write the rest of what this worker has begun. Raises DiskFull, as `_put`."""
        if who not in self.writing:
            inode = self._emptied(name)
            self._put(name, inode, 0, data, room, torn=True)
            return
        half = len(data) // 2
        try:
            self._put(name, self.writing[who], half, data[half:], room)
        finally:
            self._close(who)

    def _append(self, name: str, data: str, room: int | None = None) -> None:
        inode = self._created(name)
        self._put(name, inode, len(self.data[inode].data), data, room, torn=True)

    def _put(self, name: str, inode: int, at: int, data: str, room: int | None = None, torn: bool = False) -> None:
        """Write at this place in the file. Raises DiskFull if only `room` characters of `data` fit."""
        room = self._room(inode, at) if room is None else room
        file, down = self.data[inode], data[:room]
        halves = [_overwritten(file.data, at, down[: len(down) // 2])] if torn else []
        self.data[inode] = file.changed(_overwritten(file.data, at, down), *halves)
        if len(down) < len(data):
            raise DiskFull(name)

    def _created(self, name: str) -> int:
        """The inode of this file, made if there is none."""
        if name not in self.names:
            self.inodes += 1
            self.names[name] = self.inodes
            self.data[self.inodes] = File("", frozenset([""]))
            self._directory_changed()
        return self.names[name]

    def _emptied(self, name: str) -> int:
        inode = self._created(name)
        self.data[inode] = self.data[inode].changed("")
        return inode

    def _room(self, inode: int | None, at: int) -> int | None:
        """How many characters fit into this file from this place on; None if any number does."""
        if self.capacity is None:
            return None
        others = {*self.names.values(), *self.writing.values()} - {inode}  # what is deleted while open still has room
        return max(0, self.capacity - sum(len(self.data[other].data) for other in others) - at)

    def _close(self, who: str) -> None:
        """Forget that this worker was writing: what it has written stays."""
        inode = self.writing.pop(who, None)
        if inode is not None and inode not in self.names.values():
            self._file_died()

    def owner_gone(self, who: str | None) -> None:
        for writer in [*self.writing] if who is None else [who]:
            self._close(writer)

    def cancelled(self, who: str) -> None:
        self._close(who)

    def can_begin(self, op: Op) -> bool:
        return op.verb == "write" and len(op.args[1]) > 1

    def begin(self, op: Op, who: str) -> str:
        """Empty the file and write half. Raises Blocked if this worker has begun already, or if no half fits."""
        name, data = op.args
        half, room = data[: len(data) // 2], self._room(self.names.get(name), 0)
        if who in self.writing or (room is not None and room < len(half)):
            raise Blocked
        inode = self.writing[who] = self._emptied(name)
        self._put(name, inode, 0, half)
        return "has written half"

    def depends_on_who(self, op: Op) -> bool:
        return self.can_begin(op)

    def renamed(self, names: Mapping[str, str]) -> Self:
        other = self.copy()
        other.writing = {names.get(who, who): inode for who, inode in self.writing.items()}
        return other

    def _directory_changed(self) -> None:
        self.journal += (tuple(sorted(self.names.items())),)

    def _file_died(self) -> None:
        """Drop each directory that would come out of a power loss in the same ways as a later one."""
        alive = {*self.names.values(), *self.writing.values()}
        kept: dict[Hashable, tuple[tuple[str, int], ...]] = {}
        for entries in self.journal:
            ways = tuple((name, inode if inode in alive else self.data[inode].on_disk) for name, inode in entries)
            kept.pop(ways, None)
            kept[ways] = entries
        self.journal = tuple(kept.values())
        self._forget_unreachable()

    def _forget_unreachable(self) -> None:
        kept = {inode for entries in (*self.journal, tuple(self.names.items())) for _, inode in entries}
        kept.update(self.writing.values())
        self.data = {inode: file for inode, file in self.data.items() if inode in kept}

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        yield OK
        if op.verb in ("write", "append"):
            yield from (Outcome(DISK_FULL, down) for down in ("nothing", "half"))
        if self.can_begin(op):
            yield BEGUN

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        if outcome.fault == DISK_FULL:
            name, data = op.args
            if who in self.writing:
                raise Blocked  # it strikes a write as a whole, and then leaves the same half
            room = len(data) // 2 if outcome.choice == "half" else 0
            self._write(who, name, data, room) if op.verb == "write" else self._append(name, data, room)
            raise DiskFull(name)  # even if there was nothing to write
        return super().perform(op, who, outcome)

    def power_losses(self) -> int:
        return len(self._survivors())

    def lose_power(self, choice: int) -> None:
        entries, contents = self._survivors()[choice]
        self.names = dict(entries)
        self.data = {inode: File(data, frozenset([data])) for inode, data in contents.items()}
        self.journal, self.writing = (entries,), {}

    def _survivors(self) -> list[tuple[tuple[tuple[str, int], ...], dict[int, str]]]:
        """Every directory that may be on disk, with everything that may be in its files; the oldest first."""
        found = []
        for entries in dict.fromkeys(self.journal):
            inodes = sorted({inode for _, inode in entries})
            on_disk = [sorted(self.data[inode].on_disk, key=lambda data: (len(data), data)) for inode in inodes]
            found += [(entries, dict(zip(inodes, data))) for data in itertools.product(*on_disk)]
        return found

    def key(self) -> Hashable:
        renamed = {inode: place for place, inode in enumerate(sorted(self.data))}
        names = tuple(sorted((name, renamed[inode]) for name, inode in self.names.items()))
        journal = tuple(tuple((name, renamed[inode]) for name, inode in entries) for entries in self.journal)
        writing = tuple(sorted((who, renamed[inode]) for who, inode in self.writing.items()))
        return (tuple(self.data[inode] for inode in sorted(self.data)), names, journal, writing)

    def summary(self) -> str:
        return ", ".join(f"{bare(name)}: {show(self.contents(name), 24)}" for name in self.files) or "empty"

    def outcome(self) -> Hashable:
        return tuple((name, self.contents(name)) for name in self.files)


class Disk(Resource):
    """A file system on one machine, with a page cache, a directory and a capacity.

    Modelled on a POSIX file system with a journal for its metadata (ext4, data=ordered without its special cases;
    Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014). A crash of the *process* keeps the page cache:
    what was written is there. After a *power loss*, each file is as it was last synced or in any later state, torn ones
    included, and the directory is as it was last synced plus any number of the later changes, in their order. So a
    rename can be on disk before the data of the file it names: `fsync` the file before, and the directory after.

    To all others a `write` is two steps, as open(2) with O_TRUNC and the write(2)s after it are: the file is emptied
    and half of the data is in it, then all is. A reader may meet the half, and a crash of the process leaves it. If you
    need all or nothing, write another file and rename it: rename(2) is atomic. Others see what is written whether or
    not it is synced: fsync(2) is about power losses alone. The second half goes to the same place in the same file,
    whatever has become of that: it has another name by now, or none; or somebody else has written to it, and is
    overwritten there. `append` is one step, for with O_APPEND "no intervening file modification operation shall occur"
    (POSIX.1-2017, write).

    `files` exist and are synced at the start. `capacity` is the number of characters that fit. A write that does not
    fit writes a part and raises DiskFull, and so does the fault `disk_full`, anywhere. Raises Mistake if a name or data
    is not text, or if the first files exceed the capacity.

    Left out: sub-directories, links, holes, a failing fsync (after which Linux may drop the data and report it once),
    garbage or zeros in place of data (ext4 in data=writeback), and data torn anywhere but in its middle. Kinder than a
    real one: a file that is emptied and has nothing in it yet is not met, nor what somebody else writes there at that
    moment; a write of a single character is one step, and so is an append of any length. So is `read`: a process that
    holds a file open goes on with the old one after a rename or a deletion (unlink(2)), and one that reads a long file
    piece by piece may get some of the old data and some of the new. `simulate` takes every write as one step. Kinder
    than some: changes to the directory reach the disk in order, which POSIX does not promise. Harsher than some: ext4
    by itself writes a file's data before a rename that replaces another file (auto_da_alloc)."""

    def __init__(self, files: dict[str, str] | None = None, *, capacity: int | None = None) -> None:
        if not isinstance(files or {}, dict):
            raise Mistake(f'Disk({show(files)}): give the first files as a dict, such as Disk({{"state": "0"}}).')
        if capacity is not None:
            capacity = whole_number("capacity", capacity, of=" of characters", or_=", or leave it out")
        self._files = {_name(file): _text("Disk", data) for file, data in (files or {}).items()}
        self._capacity = capacity
        if capacity is not None and sum(map(len, self._files.values())) > capacity:
            raise Mistake(f"capacity={capacity}: the first files alone are larger.")

    def initial(self, name: str) -> DiskState:
        state = DiskState(capacity=self._capacity)
        for file, data in self._files.items():
            state.on_write("", file, data)
            state.on_fsync("", file)
        state.on_fsync_directory("")
        return state

    @asked
    def contents(self, name: str) -> str | None:
        """For a property: what a process that reads the file now would get; None if there is no such file."""
        raise NotImplementedError

    @property
    def files(self) -> list[str]:
        """For a property: the names of the files, sorted."""
        raise NotImplementedError

    def read(self, name: str) -> Op:
        """Answers the file's data. Raises NotFound if there is no such file."""
        return Op(self._name, "read", (_name(name),))

    def exists(self, name: str) -> Op:
        """Answers whether there is such a file."""
        return Op(self._name, "exists", (_name(name),))

    def write(self, name: str, data: str) -> Op:
        """Empty the file, or create it, then write the data; others may meet half. Raises DiskFull, with a part of the
        data written.
        """
        return Op(self._name, "write", (_name(name), _text("write", data)))

    def append(self, name: str, data: str) -> Op:
        """Add to the end of the file, or create it. Raises DiskFull, with a part of the data written."""
        return Op(self._name, "append", (_name(name), _text("append", data)))

    def rename(self, old: str, new: str) -> Op:
        """Rename the file in one step, replacing any file called `new`. Raises NotFound if there is no `old`."""
        return Op(self._name, "rename", (_name(old), _name(new)))

    def delete(self, name: str) -> Op:
        """Remove the name. Raises NotFound if there is no such file."""
        return Op(self._name, "delete", (_name(name),))

    def fsync(self, name: str) -> Op:
        """Wait until the file's data is on disk, but not its name: see fsync_directory. Raises NotFound, as `read`."""
        return Op(self._name, "fsync", (_name(name),))

    def fsync_directory(self) -> Op:
        """Wait until creations, renames and deletions are on disk."""
        return Op(self._name, "fsync_directory")


def _overwritten(data: str, at: int, piece: str) -> str:
    """The data with `piece` written over it at this place. Up to there, what is missing reads as zeros (lseek(2))."""
    return data[:at].ljust(at, "\0") + piece + data[at + len(piece) :] if piece else data


def _name(name: Any) -> str:
    if type(name) is not str:
        raise Mistake(f"{show(name)} is no file name. Give text.")
    return name


def _text(verb: str, data: Any) -> str:
    if type(data) is not str:
        raise Mistake(f"{verb}(..., {show(data)}): a file holds text. Write str(...) or json.dumps(...) around it.")
    return data
