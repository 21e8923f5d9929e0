"""Real files: writes, renames and fsyncs in a folder, and a disk that can really be full."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

from simlib.errors import DiskFull, NotFound
from simlib.live.stores.base import Facts, Store
from simlib.model.fault import DISK_FULL
from simlib.model.operation import BEGUN, Op, Outcome
from simlib.resources.disk import DiskState

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLONE_NEWNS, CLONE_NEWUSER, MS_REC, MS_PRIVATE = 0x00020000, 0x10000000, 0x4000, 0x40000
MNT_DETACH = 2


class Folder(Store):
    """A folder. To simulate a full disk, the process's file size is limited (RLIMIT_FSIZE)."""

    kind = "a folder"
    how = "a folder; where it is full, the process may not write any further (RLIMIT_FSIZE, EFBIG)"

    def __init__(self, name: str, path: Path, capacity: int | None) -> None:
        super().__init__(name)
        self.path = path
        self.capacity = capacity
        self._begun: dict[str, IO[bytes]] = {}  # the file that a worker has written half of

    def prepare(self, state: DiskState) -> None:
        self.path.mkdir(0o700, parents=True)
        self.lose_power(state)

    def lose_power(self, state: DiskState) -> None:
        """Write what the model says a journaling file system may come up with; the power loss itself is not real."""
        for path in self.path.iterdir():
            path.unlink()
        for name in state.files:
            self._path(name).write_bytes(self._bytes(state.contents(name) or ""))

    def _path(self, name: str) -> Path:
        return self.path / ("_" + quote(name, safe=""))

    def _bytes(self, data: str) -> bytes:
        """Each character in as many bytes as any other: who writes over another's text must not cut one in two."""
        return data.encode("utf-32-le", "surrogatepass")

    def _text(self, data: bytes) -> str:
        return data.decode("utf-32-le", "surrogatepass")

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        try:
            if outcome == BEGUN:
                return self._begin(who, *op.args)
            if outcome.fault != DISK_FULL:
                return super().carry_out(op, who, outcome)
            name, data = op.args
            mode = {"write": "wb", "append": "ab"}[op.verb]
            with self._opened(name, mode) as file:
                self._put(file, name, data, len(data) // 2 if outcome.choice == "half" else 0)
            raise DiskFull(name)  # even if there was nothing to write
        except FileNotFoundError:
            raise NotFound(op.args[0]) from None

    def on_read(self, who: str, name: str) -> str:
        return self._text(self._path(name).read_bytes())

    def on_exists(self, who: str, name: str) -> bool:
        return self._path(name).exists()

    def _begin(self, who: str, name: str, data: str) -> str:
        """Write half, and keep the file open for the rest."""
        file = self._begun[who] = self._opened(name, "wb")
        self._put(file, name, data[: len(data) // 2])
        return "has written half"

    def on_write(self, who: str, name: str, data: str) -> None:
        begun = self._begun.pop(who, None)
        with begun or self._opened(name, "wb") as file:
            self._put(file, name, data[len(data) // 2 :] if begun else data)

    def on_append(self, who: str, name: str, data: str) -> None:
        with self._opened(name, "ab") as file:
            self._put(file, name, data)

    def _opened(self, name: str, mode: str) -> IO[bytes]:
        """The file, created if there is none; emptied if it is opened for writing."""
        return open(self._path(name), mode, buffering=0)

    def cancel(self) -> None:
        self.close()

    def close(self) -> None:
        for file in self._begun.values():
            file.close()
        self._begun.clear()

    def _put(self, file: IO[bytes], name: str, data: str, room: int | None = None) -> None:
        """Write until all is written or the room is used up."""
        rest = memoryview(self._bytes(data))
        with self._limit(file, data, room):
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError as error:
                if error.errno not in FULL:
                    raise
                raise DiskFull(name) from None

    @contextmanager
    def _limit(self, file: IO[bytes], data: str, room: int | None) -> Iterator[None]:
        """Let only `room` characters of `data` fit, by limiting the file's size (RLIMIT_FSIZE)."""
        if room is None and self.capacity is not None:
            room = self._room(file, self.capacity)
        if room is None:
            yield
            return
        least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        end = file.tell() + len(self._bytes(data[:room]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (end, most))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))

    def _room(self, file: IO[bytes], capacity: int) -> int:
        """How many characters fit into the file from here on; one that has no name any more is not among the others."""
        about, wide = os.fstat(file.fileno()), len(self._bytes("x"))
        others = sum(map(len, self.look().values())) - (about.st_size // wide if about.st_nlink else 0)
        return max(0, capacity - others - file.tell() // wide)

    def on_rename(self, who: str, old: str, new: str) -> None:
        self._path(old).rename(self._path(new))

    def on_delete(self, who: str, name: str) -> None:
        self._path(name).unlink()

    def on_fsync(self, who: str, name: str) -> None:
        self._fsync(self._path(name))

    def on_fsync_directory(self, who: str) -> None:
        self._fsync(self.path)

    @staticmethod
    def _fsync(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def look(self) -> Facts:
        return {unquote(path.name[1:]): self._text(path.read_bytes()) for path in self.path.iterdir()}


class SmallDisk(Folder):
    """A tmpfs with one page per character, so that a full disk is really full and the kernel says ENOSPC.

    It is mounted in a namespace that only the run's own processes see, and disappears with them.
    """

    how = "a file system of its own, full to the last page (tmpfs, ENOSPC)"
    PAGE = os.sysconf("SC_PAGE_SIZE")
    PAGES = 4096  # for a disk without a capacity

    def mount(self) -> bool:
        """Mount it for this process and its future children; False if that is not permitted."""
        self.path.parent.mkdir(parents=True)
        size = f"mode=0700,size={self.PAGE * (self.PAGES if self.capacity is None else max(1, self.capacity))}"
        return _own_name_space() and _mount(b"tmpfs", self.path.parent, size)

    def drop(self) -> None:
        ctypes.CDLL(None).umount2(os.fsencode(self.path.parent), MNT_DETACH)

    def _bytes(self, data: str) -> bytes:
        return b"".join(letter.encode("utf-8", "surrogatepass").ljust(self.PAGE, b"\0") for letter in data)

    def _text(self, data: bytes) -> str:
        pages = (data[at : at + self.PAGE] for at in range(0, len(data), self.PAGE))
        return "".join((page.rstrip(b"\0") or b"\0").decode("utf-8", "surrogatepass") for page in pages)

    @contextmanager
    def _limit(self, file: IO[bytes], data: str, room: int | None) -> Iterator[None]:
        """Let only `room` characters fit, by filling the rest of the disk with another file."""
        if room is None:
            yield
            return
        filler = self.path.parent / "filler"
        free = os.statvfs(self.path).f_bfree - room
        with open(filler, "wb") as filling:
            if free > 0:
                os.posix_fallocate(filling.fileno(), 0, free * self.PAGE)
            try:
                yield
            finally:
                filler.unlink()


def _own_name_space() -> bool:
    """From here on, only this process and its children see new mounts (unshare(2), Linux). False if that fails."""
    try:
        libc = ctypes.CDLL(None)
        user, group = os.getuid(), os.getgid()
        if libc.unshare(CLONE_NEWNS if user == 0 else CLONE_NEWNS | CLONE_NEWUSER) != 0:
            return False
        if user != 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        return bool(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0)
    except (AttributeError, OSError):  # not Linux, or not permitted
        return False


def _mount(what: bytes, where: Path, options: str) -> bool:
    return bool(ctypes.CDLL(None).mount(b"midflight", os.fsencode(where), what, 0, options.encode()) == 0)
