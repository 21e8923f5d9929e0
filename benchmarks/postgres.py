"""Five thousand random scripts of transactions on which the model of a database and a real PostgreSQL have to agree.

`python benchmarks/postgres.py` starts a PostgreSQL of its own (Debian: `apt install postgresql`). Each script is run on
it and on the model, statement by statement: two or three sessions, with transactions at all levels and statements
outside of them, which read, lock (also SKIP LOCKED and NOWAIT), scan, insert, update, add, delete, upsert, compare and
set. After each statement both have to agree on who has been answered, with what rows or which error, and on who waits;
in the end on the rows. Nothing sleeps: a session waits when the server has it in pg_locks.

PostgreSQL does not say who of several gets a row when it is free, nor who of a circle is the deadlock's victim. The
model allows any, and goes on from what the server did; so it does where one of two serializable transactions has to
fail, and it depends on which of them read first. The scripts in which this came up are counted.
Ends with 1 at the first disagreement, after printing the script.
"""

import functools
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.real_systems import arguments, compare_many
from tests.on_both import compare
from tests.postgresql import ERRORS, FINE, Server
from tests.scripts import VERBS
from tests.servers import postgresql_server

TELL = 250  # scripts


def main() -> int:
    given = arguments(__doc__).parse_args()
    begun = time.monotonic()
    with postgresql_server(*FINE) as url, Server(url) as server:
        version, counted = server.version, compare_many(functools.partial(compare, server), given, TELL)
    if counted is None:
        return 1
    print(summary(given.count, counted, version, time.monotonic() - begun))
    return 0


def summary(count: int, counted: Counter[str], version: str, seconds: float) -> str:
    def listed(names: object) -> str:
        return ", ".join(f"{name} {counted[name]:,}" for name in names)

    return "\n".join(
        [
            f"{count:,} scripts on PostgreSQL {version}, 0 disagreements, {seconds:,.0f} s",
            f"  in {counted['left open']:,} of them the model allowed more than what PostgreSQL did",
            f"  {counted['statements']:,} statements; {counted['waiting']:,} times one waited while another was sent",
            f"statements  {listed(['begin', 'commit', 'rollback', *VERBS])}",
            f"errors      {listed(ERRORS.values())}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
