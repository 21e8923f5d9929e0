"""Processes that work on real files, and the model of a disk: what each step answers, and what others then read.

Where the facts are from, in POSIX.1-2017 and in the Linux man pages:

- open(2): with O_TRUNC a file "will be truncated to length 0". The data comes with the write(2)s after it, so that
  others meet a file with nothing in it, then one with a part.
- write: a read() that "can be proven (by any means) to occur after a write()" reflects it, "even if the calls are made
  by different processes". With O_APPEND "no intervening file modification operation shall occur" between the move to
  the end and the write.
- rename(2): the new name is "atomically replaced, so that there is no point at which another process attempting to
  access newpath will find it missing", and "open file descriptors for oldpath are also unaffected".
- unlink(2): a file that somebody has open "will remain in existence until the last file descriptor referring to it is
  closed".
- lseek(2): after a write beyond the end, what was not written before it reads as zeros.
- fsync(2) flushes "so that all changed information can be retrieved even if the system crashes or is rebooted", and not
  "the entry in the directory". No process sees whether it has been called, nor does the end of a process lose anything
  that it has written. What a power loss leaves is no part of this: nobody can look at that on a machine that runs.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

from simlib import Disk
from simlib.errors import NotFound
from simlib.model.operation import BEGUN, OK
from tests import file_process
from tests.on_both import in_lockstep
from tests.scripts import random_file_steps


class Process:
    """A process of its own that makes system calls in this folder."""

    def __init__(self, folder):
        command = [sys.executable, "-I", "-S", file_process.__file__]
        self._process = subprocess.Popen(command, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self, name, *args):
        print(json.dumps([name, *args]), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def kill(self):
        """SIGKILL."""
        self._process.kill()
        self._process.communicate()


def calls(steps):
    """The system calls of these steps, each of which others may come before."""
    for verb, *args in steps:
        if verb != "write":
            yield verb, *args
            continue
        name, data = args
        half = len(data) // 2
        yield from (("empty", name), ("put", data[:half]), ("put", data[half:]), ("close",))


class RealFiles:
    """A folder, two processes that work there, and a third one that looks."""

    name = "POSIX"

    def __init__(self, folder):
        self.folder = Path(folder)
        self.processes = {who: Process(folder) for who in "ABC"}
        self.begun = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()

    def reset(self, files=()):
        for process in self.processes.values():
            process.call("close_all")
        self.begun.clear()
        for path in self.folder.iterdir():
            path.unlink()
        for name, data in dict(files).items():
            (self.folder / name).write_text(data)

    def do(self, who, verb, args):
        mine = getattr(self, verb, None)
        return mine(who, *args) if mine else self.processes[who].call(verb, *args)

    def seen(self, who):
        """By name, what another process reads."""
        return self.processes["C"].call("look")

    def begin(self, who, name, data):
        """Empty the file and write half. Answers what others can meet in between."""
        self.processes[who].call("empty", name)
        self.begun.add(who)
        empty = self.seen(who)
        self.processes[who].call("put", data[: len(data) // 2])
        return empty

    def write(self, who, name, data):
        if who in self.begun:
            self.processes[who].call("put", data[len(data) // 2 :])
            self.close(who)
        else:
            for call in (("empty", name), ("put", data), ("close",)):
                self.processes[who].call(*call)

    def close(self, who):
        self.begun.remove(who)
        self.processes[who].call("close")

    def crash(self, who):
        """Kill the process, and start another one."""
        self.processes[who].kill()
        self.begun.discard(who)
        self.processes[who] = Process(self.folder)


class ModelledFiles:
    """The model of a disk, driven without an engine."""

    def __init__(self):
        disk = Disk()
        self.state, self.disk = disk.initial("disk"), disk.handle("disk", [])

    def do(self, who, verb, args):
        mine = getattr(self, verb, None)
        return mine(who, *args) if mine else self.step(who, verb, args)

    def step(self, who, verb, args, outcome=OK):
        draft = self.state.copy()
        try:
            answer = draft.perform(getattr(self.disk, verb)(*args), who, outcome)
        except NotFound:
            return "NotFound"
        self.state = draft
        return answer

    def seen(self, who):
        return {name: self.state.contents(name) for name in self.state.files}

    def begin(self, who, name, data):
        """The model has no moment at which the file is empty; see Disk. It is the one that there is before the half."""
        empty = {**self.seen(who), name: ""}
        self.step(who, "write", (name, data), BEGUN)
        return empty

    def crash(self, who):
        self.state.owner_gone(who)


def compare_files(folder, seed):
    """Run one script on both, and count what it was about. Raises Disagreement."""
    folder.reset()
    return in_lockstep(folder, ModelledFiles(), random_file_steps(random.Random(seed)), [f"seed {seed}"])
