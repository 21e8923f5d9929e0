"""A file system on one machine, which a power loss can catch with unsynced data."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simlib.arguments import whole_number
from simlib.errors import DiskFull, Mistake, NotFound
from simlib.model.fault import DISK_FULL
from simlib.model.operation import OK, Op, Outcome
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
        self._put(name, "", data)

    def on_append(self, who: str, name: str, data: str) -> None:
        self._put(name, self.contents(name) or "", data)

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

    def _put(self, name: str, before: str, data: str, room: int | None = None) -> None:
        """Make the file `before + data`. Raises DiskFull if only `room` characters of `data` fit."""
        if name not in self.names:
            self.inodes += 1
            self.names[name] = self.inodes
            self.data[self.inodes] = File("", frozenset([""]))
            self._directory_changed()
        inode = self.names[name]
        room = self._room(inode, before) if room is None else room
        down = data[:room]
        torn = before + down[: len(down) // 2]
        self.data[inode] = self.data[inode].changed(before, torn).changed(before + down)
        if len(down) < len(data):
            raise DiskFull(name)

    def _room(self, inode: int, before: str) -> int | None:
        if self.capacity is None:
            return None
        others = sum(len(self.data[number].data) for number in self.names.values() if number != inode)
        return max(0, self.capacity - others - len(before))

    def _directory_changed(self) -> None:
        self.journal += (tuple(sorted(self.names.items())),)

    def _file_died(self) -> None:
        """Drop each directory that would come out of a power loss in the same ways as a later one."""
        alive = set(self.names.values())
        kept: dict[Hashable, tuple[tuple[str, int], ...]] = {}
        for entries in self.journal:
            ways = tuple((name, inode if inode in alive else self.data[inode].on_disk) for name, inode in entries)
            kept.pop(ways, None)
            kept[ways] = entries
        self.journal = tuple(kept.values())
        self._forget_unreachable()

    def _forget_unreachable(self) -> None:
        kept = {inode for entries in (*self.journal, tuple(self.names.items())) for _, inode in entries}
        self.data = {inode: file for inode, file in self.data.items() if inode in kept}

    def outcomes(self, op: Op) -> Iterator[Outcome]:
        yield from super().outcomes(op)
        if op.verb in ("write", "append"):
            yield from (Outcome(DISK_FULL, down) for down in ("nothing", "half"))

    def perform(self, op: Op, who: str, outcome: Outcome = OK) -> Any:
        if outcome.fault == DISK_FULL:
            name, data = op.args
            before = "" if op.verb == "write" else self.contents(name) or ""
            self._put(name, before, data, len(data) // 2 if outcome.choice == "half" else 0)
            raise DiskFull(name)  # even if there was nothing to write
        return super().perform(op, who, outcome)

    def power_losses(self) -> int:
        return len(self._survivors())

    def lose_power(self, choice: int) -> None:
        entries, contents = self._survivors()[choice]
        self.names = dict(entries)
        self.data = {inode: File(data, frozenset([data])) for inode, data in contents.items()}
        self.journal = (entries,)

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
        return (tuple(self.data[inode] for inode in sorted(self.data)), names, journal)

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

    `files` exist and are synced at the start. `capacity` is the number of characters that fit. A write that does not
    fit writes a part and raises DiskFull, and so does the fault `disk_full`, anywhere. Raises Mistake if a name or data
    is not text, or if the first files exceed the capacity.

    Left out: sub-directories, links, holes, a failing fsync (after which Linux may drop the data and report it once),
    garbage or zeros in place of data (ext4 in data=writeback), and data torn anywhere but in its middle. Kinder than a
    real one: the step of a process that crashes is done or not done, while a killed process can leave a file emptied
    but not yet written; and two processes that write one file take turns. Kinder than some: changes to the directory
    reach the disk in order, which POSIX does not promise. Harsher than some: ext4 by itself writes a file's data before
    a rename that replaces another file (auto_da_alloc).
    """

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
        """Empty the file, or create it, then write the data. Raises DiskFull, with a part of the data written."""
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


def _name(name: Any) -> str:
    if type(name) is not str:
        raise Mistake(f"{show(name)} is no file name. Give text.")
    return name


def _text(verb: str, data: Any) -> str:
    if type(data) is not str:
        raise Mistake(f"{verb}(..., {show(data)}): a file holds text. Write str(...) or json.dumps(...) around it.")
    return data
