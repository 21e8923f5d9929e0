"""Open files that others may have written, and parse the JSON in them, without trusting either."""

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
# Windows lacks some of these; there the check before opening has to do.
CAREFUL = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))


class Odd(ValueError):
    """Well-formed JSON that none of our programs writes."""


def opened(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a regular file. Follows no link and never blocks.

    Raises OSError, also if it is not a regular file: opening a FIFO to read may block forever.
    """
    try:
        check_ordinary(os.lstat(path))
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    file = os.open(path, flags | CAREFUL, 0o666)
    try:
        check_ordinary(os.fstat(file))  # it may have been replaced since the first check
    except OSError:
        os.close(file)
        raise
    return file


def read(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes. Raises OSError."""
    with os.fdopen(opened(path), "rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(errno.EFBIG, f"larger than {most:,} bytes")
    return found


def why(error: OSError) -> str:
    """What the error says, without the file's name."""
    return error.strerror or type(error).__name__


def json_of(text: bytes) -> Any:
    """Parse this JSON. Raises Odd, saying what is odd, and another ValueError if it is not JSON."""
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise Odd("it is nested too deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError, Odd):
        raise
    except ValueError:  # Python refuses to parse numbers of more than 4,300 digits
        raise Odd("a number in it has too many digits") from None


def check_ordinary(found: os.stat_result) -> None:
    """Raise OSError, saying what it is, unless this is a regular file."""
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for test, name in KINDS if test(found.st_mode)), "a device")
        raise OSError(errno.EINVAL, f"it is {kind}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without duplicate names: parsers do not agree on which of two counts."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Odd(f"`{name}` is there twice")
        found[name] = value
    return found
