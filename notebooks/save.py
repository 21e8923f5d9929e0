"""Re-executes the notebooks and saves them: `python notebooks/save.py [00 03_locks ...]`, without a name all.

Saving twice changes nothing, so that a difference in git is a difference in the lesson. PYTHONHASHSEED is
left random on purpose: an output that depends on the order of a set should show up here, not to a learner.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

FOLDER = Path(__file__).resolve().parent
AT_ONCE = 2
CELL_TIMEOUT = 120  # seconds; `make test` gives a cell as long
TRACEBACK_LINES = 12
ANSI = re.compile(r"\x1b\[[0-9;]*m")
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

# What every Python says alike. The version in the kernel's own answer would differ from machine to machine.
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


class ThisPython(KernelSpecManager):
    """The interpreter that runs this script, whatever kernel the user has under the name python3."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        # Only errors: it would warn of a plain TCP connection, to itself, for every notebook.
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=40"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


def main(names: list[str]) -> int:
    os.environ["TQDM_DISABLE"] = "1"  # a progress bar says how fast this machine is
    os.environ["MIDFLIGHT_PROGRESS"] = "off"  # what is saved knows nothing of whoever saves it
    os.environ.pop("PYTHONHASHSEED", None)
    paths = [path for name in names for path in find(name)] if names else lessons()
    if not paths:
        print("no notebooks to save")
    failures = asyncio.run(save_all(paths))
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if failures else 0


def lessons() -> list[Path]:
    return sorted(FOLDER.glob("*.ipynb"))


def find(name: str) -> list[Path]:
    """A path, or the beginning of a lesson's name."""
    if Path(name).is_file():
        return [Path(name).resolve()]
    paths = [path for path in lessons() if path.name.startswith(name)]
    if not paths:
        sys.exit(f"no notebook {name!r} in {FOLDER}")
    return paths


async def save_all(paths: list[Path]) -> list[str]:
    """Saves each, two kernels at a time; what went wrong is told at the end, for all of them."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(path: Path) -> str | None:
        async with free:
            return await save(path)

    return [failure for failure in await asyncio.gather(*map(one, paths)) if failure]


async def save(path: Path) -> str | None:
    """The file changes only when every cell has run. Returns what went wrong, if something did."""
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    notebook.metadata.pop("widgets", None)  # the last run's; a run without widgets would keep them
    kernel = AsyncKernelManager(kernel_spec_manager=ThisPython())
    begun: list[str] = []
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=CELL_TIMEOUT,
        record_timing=False,
        coalesce_streams=True,  # how printed text is cut into messages is a matter of timing
        on_cell_execute=lambda cell, cell_index: begun.append(cell.source),
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        await client.async_execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return explain(path, begun, error)
    finally:
        await kernel.shutdown_kernel(now=True)
    after = text_of(notebook)
    if after != before:
        path.write_text(after, encoding="utf-8", newline="\n")
    print(f"{path.name}: {'unchanged' if after == before else 'saved'}", flush=True)
    return None


def explain(path: Path, begun: list[str], error: Exception) -> str:
    """The notebook, the cell and the end of the traceback: enough to find the place, short enough to read."""
    what = error.traceback if isinstance(error, CellExecutionError) else str(error)
    what = ANSI.sub("", what).rpartition("-" * 75)[2]  # before this line, the cell again
    tail = what.strip().splitlines()[-TRACEBACK_LINES:]
    return "\n".join([f"{path.name}: not saved; this cell failed:", "", *begun[-1:], "", *tail])


def text_of(notebook: Any) -> str:
    """The notebook as it goes to git: no random ids, no versions, no times, keys in order."""
    notebook.metadata["kernelspec"] = KERNELSPEC
    notebook.metadata["language_info"] = LANGUAGE
    for cell in notebook.cells:
        for passing in ("execution", "ExecuteTime", "trusted"):
            cell.metadata.pop(passing, None)
    text = nbformat.writes(notebook)
    for number, model in enumerate(widget_models(notebook), start=1):
        text = text.replace(model, f"{number:032x}")
    # Again, now that the ids, which are keys too, have a fixed order.
    return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def widget_models(notebook: Any) -> list[str]:
    """The widgets' random ids: those that are shown, from the top down, then the rest as they were made."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data[VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]
    made = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    return list(dict.fromkeys([*shown, *made]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
