"""Steps of processes on files: what others read is what the model of a disk says, on real files.

A part; `python benchmarks/real_systems.py posix` compares two thousand random scripts.
"""

import itertools
from collections import Counter

import pytest

from simlib import Database, Disk, NotFound, Scenario
from simlib.resources.disk import DiskState
from tests.files import calls, compare_files
from tests.on_both import Disagreement
from tests.scripts import FILE_STEPS

SCRIPTS = 25  # of each seed


@pytest.mark.parametrize("seed", [1_000, 2_000])
def test_the_model_and_real_files_agree_on_random_scripts(folder, seed):
    counted = sum((compare_files(folder, seed + number) for number in range(SCRIPTS)), Counter())
    assert counted["steps"] > 200 and all(counted[step] for step in FILE_STEPS), counted


# What a reader may meet, and what a crash may leave

IN_PLACE = [("write", "f", "new!")]
BESIDE = [("write", "f.tmp", "new!"), ("rename", "f.tmp", "f")]
SYNCED = [("write", "f.tmp", "new!"), ("fsync", "f.tmp"), ("rename", "f.tmp", "f"), ("fsync_directory",)]
AWAY = [("rename", "f", "g"), ("write", "f", "new!")]
AGAIN = [("delete", "f"), ("write", "f", "new!")]
LONGER = [("append", "f", "er"), ("append", "f", "!")]
SHORT = [("write", "f", "x")]
MET = [  # the steps, what a reader may meet, and whether a file is empty for a moment, which the model leaves out
    (IN_PLACE, {"old", "ne", "new!"}, True),
    (BESIDE, {"old", "new!"}, False),
    (SYNCED, {"old", "new!"}, False),
    (AWAY, {"old", "NotFound", "ne", "new!"}, True),
    (AGAIN, {"old", "NotFound", "ne", "new!"}, True),
    (LONGER, {"old", "older", "older!"}, False),
    (SHORT, {"old", "x"}, True),
    ([*SHORT, *LONGER], {"old", "x", "xer", "xer!"}, True),
]


def writer(steps):
    def write(disk):
        for verb, *args in steps:
            yield getattr(disk, verb)(*args)

    return write


def reader(disk, db):
    try:
        data = yield disk.read("f")
    except NotFound:
        data = "NotFound"
    yield db.write("met", data)


def explored(*programs, **faults):
    """What `explore` ends with, over all schedules: the files, and the rows."""
    place = Scenario(disk=Disk({"f": "old"}), db=Database(), workers=1, restarts=False)
    report = place.explore([*programs], **{"crashes": 0, **faults})
    assert report.verdict == "holds"
    return [{name: dict(held) for name, held in world} for world in report.outcomes]


def met_in_the_model(*writers):
    ends = explored(*map(writer, writers), reader)
    return {world["db"]["met"] for world in ends}


def met_on_files(folder, *scripts):
    """What one process reads after each call of another, in each order of the calls of those who write."""
    names = "AB"[: len(scripts)]
    met, own = set(), dict(zip(names, (list(calls(script)) for script in scripts)))
    for order in set(itertools.permutations([who for who in names for _ in own[who]])):
        folder.reset({"f": "old"})
        todo = {who: iter(own[who]) for who in names}
        met.add(folder.processes["C"].call("read", "f"))
        for who in order:
            folder.processes[who].call(*next(todo[who]))
            met.add(folder.processes["C"].call("read", "f"))
    return met


@pytest.mark.parametrize("steps, met, empty", MET)
def test_what_a_reader_may_meet_is_what_it_meets_between_the_system_calls(folder, steps, met, empty):
    assert met_in_the_model(steps) == met
    assert met_on_files(folder, steps) == met | ({""} if empty else set())


def test_two_who_write_at_once_mix_their_halves(folder):
    both = [("write", "f", "aa")], [("write", "f", "bb")]
    model, files = met_in_the_model(*both), met_on_files(folder, *both)
    assert model == {"old", "a", "aa", "b", "bb", "ab", "ba"}
    assert files == model | {"", "\0a", "\0b"}  # what can be met while the file is empty to one of them


@pytest.mark.parametrize("steps, met, empty", MET)
def test_what_a_crash_may_leave_is_what_a_kill_between_the_system_calls_leaves(folder, steps, met, empty):
    model = {tuple(world["disk"].items()) for world in explored(writer(steps), crashes=1)}
    files, all_calls = set(), list(calls(steps))
    for number in range(1, len(all_calls) + 1):  # one that comes before them all leaves what there was
        folder.reset({"f": "old"})
        for call in all_calls[:number]:
            folder.processes["A"].call(*call)
        folder.crash("A")
        files.add(tuple(sorted(folder.seen("A").items())))
    assert model <= files
    assert all("" in dict(left).values() for left in files - model)
    assert bool(files - model) is any(verb == "write" for verb, *_ in steps)


# What is open stays


@pytest.mark.parametrize("lose", [("rename", "g", "f"), ("delete", "f")])
def test_who_has_a_file_open_keeps_it_when_its_name_is_lost(folder, lose):
    folder.reset({"f": "old", "g": "new"})
    folder.processes["A"].call("open_to_read", "f")
    folder.processes["B"].call(*lose)
    assert folder.processes["A"].call("get") == "old"
    assert folder.processes["A"].call("read", "f") == ("new" if lose[0] == "rename" else "NotFound")


# A test must be able to fail


def copies(state, who, old, new):
    state._write(who, new, state._file(old).data)
    state.on_delete(who, old)


def drops_its_half(state, who):
    inode = state.writing.pop(who, None)
    if inode in state.data:
        state.data[inode] = state.data[inode].changed("")


@pytest.mark.parametrize("method, wrong", [("on_rename", copies), ("owner_gone", drops_its_half)])
def test_a_model_that_is_not_posix_is_found_out(folder, monkeypatch, method, wrong):
    monkeypatch.setattr(DiskState, method, wrong)
    with pytest.raises(Disagreement, match="POSIX: "):
        for seed in range(4 * SCRIPTS):
            compare_files(folder, seed)
