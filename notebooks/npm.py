"""Fetches a package of npm, once: what pages that need no network bring with them, and what the tests look through.

Nothing of it is kept in git, and nothing of the course needs it to run.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build" / "npm"
MINUTES = 3  # that npm may take for a package before it is given up
LINES = 6  # of what npm says when it fails


class NotFetched(Exception):
    """A package of npm cannot be had; says what to do."""


def fetch(package: str, version: str, folder: Path = BUILD) -> Path:
    """The unpacked package, from `folder` if it is there, else by `npm pack`. Raises NotFetched.

    npm checks what it downloads against the registry's own hash. No script of the package is run.
    """
    ready = folder / f"{package.replace('/', '+')}-{version}"
    if not ready.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            unpacked = _unpacked(_packed(f"{package}@{version}", Path(place)), Path(place))
            try:
                unpacked.rename(ready)  # all of it or nothing: two that fetch at once do not disturb each other
            except OSError:
                if not ready.is_dir():
                    raise
    return ready


def _packed(what: str, place: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NotFetched(f"{what} is fetched by npm, and there is none. Do this: install Node.js, which brings npm.")
    command = [npm, "pack", what, "--ignore-scripts", "--pack-destination", str(place)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        raise NotFetched(f"npm has not brought {what} in {MINUTES} minutes. Do this: look at the network.") from None
    if ran.returncode:
        said = "\n".join(ran.stderr.strip().splitlines()[:LINES])
        raise NotFetched(f"npm did not bring {what}. It says:\n{said}")
    (archive,) = place.glob("*.tgz")
    return archive


def _unpacked(archive: Path, place: Path) -> Path:
    with tarfile.open(archive) as files:
        # Python 3.11.3 and older have no filter.
        files.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        files.extractall(place / "unpacked")
    (top,) = (place / "unpacked").iterdir()
    return top
