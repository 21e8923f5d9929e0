"""What others have written: how a file of theirs is opened, and how a line of JSON in it is read."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

KINDS = (
    (stat.S_ISLNK, "a link, and links are not followed"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)
# Where a system lacks one of these, such as Windows, the look before the opening has to do.
CAREFUL = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))


class Odd(ValueError):
    """JSON that is well-formed, and that no program of ours writes."""


def opened(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of an ordinary file. Follows no link and waits for nobody.

    Raises OSError, also for what is no ordinary file: whoever opens a FIFO to read may wait for ever.
    """
    try:
        check_ordinary(os.lstat(path))
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    file = os.open(path, flags | CAREFUL, 0o666)
    try:
        check_ordinary(os.fstat(file))  # it may have been exchanged since
    except OSError:
        os.close(file)
        raise
    return file


def read(path: Path, most: int) -> bytes:
    """What is in an ordinary file of at most so many bytes. Raises OSError."""
    with os.fdopen(opened(path), "rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes")
    return found


def why(error: OSError) -> str:
    """What an error says of a file, without the file's name."""
    return error.strerror or type(error).__name__


def json_of(text: bytes) -> Any:
    """What this JSON says. Raises Odd, with what is odd; and a ValueError that is none where it is not JSON."""
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_once)
    except RecursionError:
        raise Odd("it is nested too deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError, Odd):
        raise
    except ValueError:  # Python reads no number of more than 4,300 digits: that would take a long time
        raise Odd("a number in it has too many digits") from None


def check_ordinary(found: os.stat_result) -> None:
    """Raise OSError, saying what it is, for what is no ordinary file."""
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for test, name in KINDS if test(found.st_mode)), "a device")
        raise OSError(errno.EINVAL, f"it is {kind}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, in which each name stands once: which of two is meant, readers do not agree on."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Odd(f"`{name}` is there twice")
        found[name] = value
    return found
