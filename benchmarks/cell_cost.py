"""Where the time of the lessons' cells goes. `python benchmarks/cell_cost.py [00 03 ...]`.

The cells of each notebook run one after the other in a process of its own, in IPython without a kernel, and what they
show is formatted as for a reader. Measured is the processor's time of the process, of its threads and of the children
that it has waited for. The cells that take longest come with their seconds, to compare two states of the code on one
machine. Needs the test extra.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from functools import wraps
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
SLOWEST = 30  # cells to name


def spent() -> float:
    """The processor's time of this process, all of its threads, and the children that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Parts:
    """The time of a few functions, each without what others of them take inside of it."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.inside: list[float] = []

    def watch(self, owner: object, name: str, part: str) -> None:
        function = getattr(owner, name)

        @wraps(function)
        def watched(*args, **kwargs):
            begun = spent()
            self.inside.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                took, within = spent() - begun, self.inside.pop()
                self.taken[part] += took - within
                if self.inside:
                    self.inside[-1] += took

        setattr(owner, name, watched)


def run(notebook: Path) -> dict[str, dict[str, float]]:
    """What each cell of a notebook takes, and what the parts of `simlib` take of all of them."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    os.chdir(NOTEBOOKS)
    shell, parts, cells = InteractiveShell(), Parts(), {}
    begun = spent()
    watch(parts)
    cells["import simlib"] = parts.taken["imports"] = spent() - begun
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            begun = spent()
            with capture_output():
                result = shell.run_cell("".join(cell["source"]))
            result.raise_error()
            cells[cell["id"]] = spent() - begun
    return {"cells": cells, "parts": parts.taken}


def watch(parts: Parts) -> None:
    import simlib.course  # noqa: F401
    from simlib import check
    from simlib.scenario import Scenario
    from simlib.views.picture import Picture

    parts.watch(Picture, "_repr_mimebundle_", "pictures")
    parts.watch(check, "findings_of", "explore")
    parts.watch(Scenario, "simulate", "simulate")
    parts.watch(Scenario, "live", "live")


def main(which: list[str]) -> None:
    notebooks = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not which or path.name[:2] in which]
    environment = {**os.environ, "TQDM_DISABLE": "1", "MIDFLIGHT_PROGRESS": "off"}
    cells: dict[str, float] = {}
    parts: Counter[str] = Counter()
    for notebook in notebooks:
        command = [sys.executable, __file__, "--run", str(notebook)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        found = json.loads(said)
        cells |= {f"{notebook.stem[:2]} {name}": took for name, took in found["cells"].items()}
        parts.update(found["parts"])
    total = sum(cells.values())
    parts["all else"] = total - sum(parts.values())
    for part, took in parts.most_common():
        print(f"{took / total:5.2f} of {total:.1f} s  {part}")
    for name, took in sorted(cells.items(), key=lambda one: -one[1])[:SLOWEST]:
        print(f"{took:5.2f} s  {name}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        print(json.dumps(run(Path(sys.argv[2]))))
    else:
        main(sys.argv[1:])
