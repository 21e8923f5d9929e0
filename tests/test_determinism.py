"""The same verdicts, traces and tokens in every process, under every hash seed and on every CPython.

`benchmarks/determinism.py` asks it of all lessons and of every interpreter; here, of some, within half a minute.
"""

import os
import sys

import pytest

from benchmarks import determinism

LESSONS = ["00", "09"]
THIS = "{}.{}.{}".format(*sys.version_info[:3])


def test_the_same_is_said_under_two_hash_seeds_in_one_process_and_in_many(capsys):
    assert determinism.matrix({THIS: sys.executable}, LESSONS, ("0", "77")) == []
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 4
    assert len({row.partition("  ")[0] for row in rows}) == 1


def test_the_same_is_said_by_every_cpython_that_is_here(capsys):
    found = determinism.interpreters([])
    if len(found) < 2:
        pytest.skip("this is the only CPython from 3.11 on")
    assert determinism.matrix(found, LESSONS, ("1",)) == []
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(found)


def test_what_is_said_has_verdicts_tokens_and_traces_in_it():
    said = "\n".join(determinism.said_of("00"))
    for part in ("violated: charged_at_most_once", 'Again: replay("', "holds: ", "seed 2"):
        assert part in said
    assert len(said.splitlines()) > 300


def test_a_difference_is_told_with_its_place(monkeypatch):
    monkeypatch.setattr(determinism, "spoken", lambda python, which, seed, packages: f"same\nsaid under {seed}\n")
    one, other = determinism.matrix({"3.99.0": "python"}, ["00"], ("0", "1"))
    assert one.splitlines()[0] == "CPython 3.99.0, PYTHONHASHSEED=1, one process:"
    assert {"-said under 0", "+said under 1"} <= set(one.splitlines())
    assert other.splitlines()[0] == "CPython 3.99.0, PYTHONHASHSEED=1, 1 processes:"


def test_an_interpreter_is_one_that_runs(tmp_path, monkeypatch):
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\necho 'python3.12: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/nowhere")
    assert determinism.interpreters([]) == {THIS: sys.executable}
