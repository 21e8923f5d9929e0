"""Tries everything that a workshop needs of this machine, and ends in one line: `make ready`, the day before."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Check = tuple[str, Callable[[], None], str]  # what is needed, how to try it, what to do where it is not there

NEEDED = ("simlib", "simpy", "matplotlib", "ipywidgets", "jupyterlab", "nbclient", "cloudpickle")
KERNEL_SECONDS = 60


def main() -> int:
    said = verdict(CHECKS)
    print(said)
    return 0 if said.startswith("Ready") else 1


def verdict(checks: Sequence[Check]) -> str:
    """Try one after the other, up to the first that fails: the later ones need the earlier ones."""
    for what, attempt, remedy in checks:
        try:
            attempt()
        except Exception as error:
            why = (str(error).strip().splitlines() or ["no more is known"])[0]
            head = "Ready, but for the cells under `For real`" if attempt is real_processes else "Not ready"
            return f"{head}: no {what} ({type(error).__name__}: {why}). Do this: {remedy}"
        print(f"  {what}: yes")
    return "Ready."


def packages() -> None:
    for name in NEEDED:
        importlib.import_module(name)


def charge(inbox: Any, bank: Any) -> Iterator[Any]:
    message = yield inbox.receive()
    yield bank.call("charge", 20)
    yield inbox.ack(message)


def charged_at_most_once(bank: Any) -> bool:
    return bool(bank.count("charge") <= 1)


def shop() -> Any:
    from simlib import Queue, Scenario, Service

    inbox = Queue(["order-1"], visibility_timeout=30)
    return Scenario(inbox=inbox, bank=Service(), always=[charged_at_most_once])


def checker() -> None:
    claim = shop().explore(charge, crashes=1).claim
    if claim != "charged_at_most_once":
        raise RuntimeError(f"it found {claim}")


def pictures() -> None:
    from simlib.views.lanes import lanes

    data, _ = lanes(shop().explore(charge, crashes=1))._repr_mimebundle_()
    if "image/png" not in data:
        raise RuntimeError("there is only a text")


def kernel() -> None:
    import nbformat
    from nbclient import NotebookClient
    from save import ThisPython

    cells = [nbformat.v4.new_code_cell("import simlib; print(6 * 7)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=KERNEL_SECONDS, startup_timeout=KERNEL_SECONDS, kernel_name="python3")
    client.create_kernel_manager().kernel_spec_manager = ThisPython()
    client.execute()
    if notebook.cells[0].outputs[0].text != "42\n":
        raise RuntimeError("it cannot multiply")


def real_processes() -> None:
    report = shop().explore(charge, crashes=1)
    broken = shop().live(charge, report).broken
    if broken != "charged_at_most_once":
        raise RuntimeError(f"a killed worker broke {broken}")


CHECKS: list[Check] = [
    ("packages", packages, "make clean, then make ready."),
    ("checker", checker, "git status; with changes of your own in simlib, git stash."),
    ("pictures", pictures, "make clean, then make ready."),
    ("notebook kernel", kernel, "allow connections to 127.0.0.1 in your firewall or VPN, then make ready."),
    ("real processes", real_processes, "come anyway, all other cells run, and show this line to your instructor."),
]


if __name__ == "__main__":
    sys.exit(main())
