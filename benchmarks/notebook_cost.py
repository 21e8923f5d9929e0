"""What testing the notebooks costs beside only running them. `python benchmarks/notebook_cost.py [00 03 ...]`.

The test is nbval as `make test` calls it, with a kernel a notebook and every output compared. Beside it, the same cells
one after the other in a single process, in IPython without a kernel. Measured is the processor's time of all processes
together, interleaved by notebook; what is printed is ratios. Needs the test extra.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
NBVAL = ["-m", "pytest", "-q", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=600", "-p", "no:cacheprovider"]


def cells(notebook: Path) -> list[str]:
    found = json.loads(notebook.read_text())["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]


def run_plainly(notebooks: list[Path]) -> None:
    """All cells of all notebooks, each notebook in a namespace of its own."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    os.chdir(NOTEBOOKS)
    for notebook in notebooks:
        shell = InteractiveShell()
        for source in cells(notebook):
            with capture_output():
                shell.run_cell(source)


def seconds(command: list[str]) -> float:
    """The processor's time that a command takes, with all that it starts."""
    before = os.times()
    environment = {**os.environ, "TQDM_DISABLE": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main(which: list[str]) -> None:
    notebooks = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not which or path.name[:2] in which]
    tested = plain = 0.0
    for notebook in notebooks:
        test, run = seconds([*NBVAL, str(notebook)]), seconds([__file__, "--plainly", str(notebook)])
        tested, plain = tested + test, plain + run
        print(f"{notebook.stem:40} nbval {test / run:.2f} times a plain run")
    together = seconds([__file__, "--plainly", *map(str, notebooks)])
    print(f"All: nbval {tested / plain:.2f} times one process each, {tested / together:.2f} times one process for all.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plainly"]:
        run_plainly([Path(path) for path in sys.argv[2:]])
    else:
        main(sys.argv[1:])
