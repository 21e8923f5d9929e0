"""All that is measured beside what one would use instead, one after the other: `python benchmarks/all.py [--quick]`.

Prints each script's table below its name. It wants a machine that does nothing else. What is slow for its own sake
(`differential.py`, `postgres.py`, `real_systems.py`, `determinism.py`, `live_kills.py`, the picture of
`explore_growth.py`) is not among them.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = {  # and what makes each of them quick
    "explore_speed.py": ["--quick"],
    "simulate_speed.py": ["--quick", "--rounds=3"],
    "simulate_parts.py": [],
    "sweep.py": ["--rounds=3", "--runs=200"],
    "frame_cost.py": [],
    "notebook_cost.py": ["00"],
    "fleet.py": [],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less of everything: some ten minutes")
    quick = parser.parse_args().quick
    failed = []
    for name, less in SCRIPTS.items():
        print(f"\n## {name}\n", flush=True)
        if subprocess.run([sys.executable, HERE / name, *(less if quick else [])]).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
