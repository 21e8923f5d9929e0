"""A live kernel, as a learner's: cells are sent to it, and what they show comes back."""

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty

from jupyter_client.manager import KernelManager

from notebooks.save import ANSI, ThisPython

PATIENCE = 60.0  # seconds for what should take none: this kernel is lost


@dataclass
class Cell:
    """What became of a cell. `shown` is its last expression's text, `error` what it raised and says."""

    shown: str = ""
    error: str = ""
    traceback: list[str] = field(default_factory=list)
    printed: str = ""
    complaints: str = ""  # on stderr
    seconds: float = 0.0  # that it would have taken on a machine with nothing else to do

    @property
    def said(self):
        """What a learner reads, on one line."""
        return " ".join((self.error or self.shown).split())


class Kernel:
    """`kernel.run(cell)` runs a cell. `kernel.start(cell)` begins one, to be interrupted; `kernel.finish()` waits."""

    def __init__(self, manager, client):
        self._manager, self._client = manager, client

    def run(self, code, stdin=False):
        self.start(code, stdin)
        return self.finish()

    def start(self, code, stdin=False):
        self._began = time.monotonic()
        self._asked = self._client.execute(code, allow_stdin=stdin)

    def interrupt(self):
        """Seconds are counted from here on."""
        self._began = time.monotonic()
        self._manager.interrupt_kernel()

    def until_printed(self, text):
        """Wait until the cell that runs has printed this."""
        for kind, content in self._messages():
            if kind == "stream" and text in content["text"]:
                return
        raise AssertionError(f"the cell ended and has not printed {text}")

    def finish(self):
        cell = Cell()
        for kind, content in self._messages():
            if kind == "execute_result":
                cell.shown = content["data"]["text/plain"]
            elif kind == "error":
                cell.error = f"{content['ename']}: {content['evalue']}"
                cell.traceback = ANSI.sub("", "\n".join(content["traceback"])).splitlines()
            elif kind == "stream" and content["name"] == "stdout":
                cell.printed += content["text"]
            elif kind == "stream":
                cell.complaints += content["text"]
        cell.seconds = (time.monotonic() - self._began) / busy()
        return cell

    def _messages(self):
        """What the kernel says of the cell that runs, until it is idle."""
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"the kernel has said nothing for {PATIENCE:g} s") from None
            if message["parent_header"].get("msg_id") != self._asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return
            yield kind, content


def busy():
    """How many programs want to run at once on each core, if it is more than one."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextmanager
def live_kernel(folder):
    """One that has nothing in it yet, and this folder to work in."""
    manager = KernelManager(kernel_spec_manager=ThisPython())
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
