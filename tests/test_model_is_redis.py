"""Random scripts of commands: a lock and rows with a time to live are what keys of a real Redis are.

A part; `python benchmarks/real_systems.py redis` compares five thousand.
"""

from collections import Counter

import pytest

from simlib.resources.database_state import DatabaseState
from simlib.resources.lock import LockState
from tests.commands import OVER, compare_commands
from tests.on_both import Disagreement
from tests.scripts import COMMANDS

SCRIPTS = 60  # of each seed
ENOUGH = ("release: True", "renew: True", "insert: False", "expire: True", "runs_out: a", "runs_out: lock")


@pytest.mark.parametrize("seed", [1_000, 2_000])
def test_the_models_and_redis_agree_on_random_scripts(real_redis, seed):
    counted = sum((compare_commands(real_redis, seed + number) for number in range(SCRIPTS)), Counter())
    assert counted["steps"] > 500 and all(counted[step] for step in (*COMMANDS, *ENOUGH)), counted


@pytest.mark.parametrize("way", ["deleted", "still there"])
def test_a_key_that_has_run_out_is_to_each_command_one_that_is_not_there(real_redis, way):
    commands = {
        "GET k": None,
        "EXISTS k": 0,
        "PTTL k": -2,
        "DEL k": 0,
        "PEXPIRE k 1000": 0,
        "INCRBY k 3": 3,
        "SET k 7 NX": True,
        "SET k 7 XX": None,
        "EVAL return(redis.call('GET',KEYS[1])or'none') 1 k": "none",
    }
    for command, answer in commands.items():
        real_redis.reset()
        both = real_redis.watch.pipeline(transaction=True)  # nothing comes between
        if way == "deleted":
            both.set("k", 5).pexpireat("k", OVER)
        else:
            both.set("k", 5, pxat=OVER)
        assert both.execute_command(*command.split()).execute()[-1] == answer, command


def keeps_its_life(state, who, key, ttl=None):
    if ttl is not None:
        state._set_life(who, key, ttl)


def frees(state, who, *_):
    state._freed_by(who)
    return True


def runs_out_never(state, timer):
    return None


@pytest.mark.parametrize(
    "state, method, wrong",
    [
        (DatabaseState, "_expires", keeps_its_life),  # SET would not take the time to live off
        (LockState, "on_release", frees),  # whoever had the lock, and whoever has it now
        (LockState, "expire", runs_out_never),
    ],
)
def test_a_model_that_is_not_redis_is_found_out(real_redis, monkeypatch, state, method, wrong):
    monkeypatch.setattr(state, method, wrong)
    with pytest.raises(Disagreement, match="Redis: "):
        for seed in range(SCRIPTS):
            compare_commands(real_redis, seed)
