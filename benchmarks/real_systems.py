"""Random scripts on which a model and the real system that it names have to agree: a Redis, and files of this machine.

`python benchmarks/real_systems.py redis` starts a Redis of its own (Debian: `apt install redis-server`). Two or three
clients acquire, release, extend and delete locks (SET NX PX, and scripts that compare), write, insert, update, count
(INCRBY), expire and delete keys; keys run out. They are the `Lock`s and the `Database` of the model. After each command
both have to have given the same answer, and to hold the same values with the same times to live.

`python benchmarks/real_systems.py posix` has two processes write, append to, rename, delete and sync files of one
folder, by system calls of their own. Some are killed (SIGKILL), also in the middle of a write; a third one looks. They
are the `Disk` of the model. After each step both have to have given the same answer, and all files to read the same.
`--folder` is for other file systems.

Nothing sleeps: see tests/commands.py for how a key runs out, and tests/files.py for what POSIX says.
Ends with 1 at the first disagreement, after printing the script. `postgres.py` is the same for a PostgreSQL.
"""

import argparse
import contextlib
import functools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.commands import RealRedis, compare_commands
from tests.files import RealFiles, compare_files
from tests.on_both import Disagreement
from tests.scripts import COMMANDS, FILE_STEPS
from tests.servers import redis_server

TELL = 500  # scripts


@contextlib.contextmanager
def a_redis(_):
    with redis_server() as url, contextlib.closing(RealRedis(url)) as server:
        yield server, f"Redis {server.version}"


@contextlib.contextmanager
def a_folder(parent):
    with tempfile.TemporaryDirectory(dir=parent) as path, RealFiles(path) as files:
        yield files, "real files"


SYSTEMS = {"redis": (a_redis, compare_commands, COMMANDS), "posix": (a_folder, compare_files, FILE_STEPS)}


def arguments(described: str) -> argparse.ArgumentParser:
    """Those of a benchmark that compares scripts."""
    parser = argparse.ArgumentParser(description=described, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5_000, help="scripts to compare (5000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other scripts (0)")
    return parser


def compare_many(compare: Callable[[int], Counter[str]], given: argparse.Namespace, tell: int) -> Counter[str] | None:
    """What was counted in so many scripts, by their numbers; None after a disagreement, which is printed. Says how far
    it is after every `tell` of them.
    """
    counted: Counter[str] = Counter()
    begun = time.monotonic()
    for number in range(given.count):
        try:
            counted += compare(given.seed * 1_000_000 + number)
        except Disagreement as disagreement:
            print(f"\n{disagreement}\nDISAGREEMENT")
            return None
        if number % tell == tell - 1:
            print(f"{number + 1:,} of {given.count:,}, {time.monotonic() - begun:,.0f} s", file=sys.stderr)
    return counted


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--folder", help="where to make the folder for the files (that of temporary files)")
    given = parser.parse_args()
    real, compare, verbs = SYSTEMS[given.system]
    begun = time.monotonic()
    with real(given.folder) as (system, name):
        counted = compare_many(functools.partial(compare, system), given, TELL)
    if counted is None:
        return 1
    print(f"{given.count:,} scripts on {name}, 0 disagreements, {time.monotonic() - begun:,.0f} s")
    print(f"  {counted['steps']:,} steps: {', '.join(f'{verb} {counted[verb]:,}' for verb in verbs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
