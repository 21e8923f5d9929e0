"""A bug that people reported of files: found as reported, and gone with the published fix.

A configuration is written in place (indexzero/nconf, issue 184; plur, issue 796): a reader meets a file that is half
written, and a crash leaves one. The fix is to write another file and to rename it.
"""

import json

import pytest

from simlib import Disk, Scenario

OLD, NEW = '{"port": 80}', '{"port": 8080}'


def save(disk):
    yield disk.write("config.json", NEW)


def save_beside(disk):
    yield disk.write("config.json.tmp", NEW)
    yield disk.rename("config.json.tmp", "config.json")


def load(disk):
    json.loads((yield disk.read("config.json")))


def config_can_be_read(disk):
    return disk.contents("config.json") in (OLD, NEW)


def config_is_new(disk):
    return disk.contents("config.json") == NEW


host = Scenario(disk=Disk({"config.json": OLD}), eventually=[config_can_be_read])
command = Scenario(disk=Disk({"config.json": OLD}), eventually=[config_can_be_read], restarts=False)  # run by hand


def test_a_reader_meets_a_configuration_that_is_half_written():
    report = host.explore([save, load], workers=1, crashes=0)
    assert (report.verdict, report.claim) == ("violated", "error")
    assert report.counterexample["disk"].contents("config.json") == NEW[: len(NEW) // 2]
    assert "has written half" in str(report)


def test_a_crash_while_it_is_saved_leaves_one_that_nobody_can_read():
    report = command.explore(save, workers=1, crashes=1)
    assert (report.verdict, report.claim) == ("violated", "config_can_be_read")


@pytest.mark.parametrize("faults", [{"crashes": 0}, {"crashes": 1}, {"crashes": 2}])
def test_with_a_rename_it_is_the_old_one_or_the_new_one_at_every_moment(faults):
    assert host.explore([save_beside, load], workers=1, **faults).verdict == "holds"
    assert host.asking(always=[config_can_be_read]).explore(save_beside, workers=1, **faults).verdict == "holds"
    assert host.asking(eventually=[config_is_new]).explore(save_beside, workers=1, **faults).verdict == "holds"


def test_the_schedule_that_finds_it_does_the_fix_no_harm():
    found = host.explore([save, load], workers=1, crashes=0)
    assert host.replay([save, load], found).broken == "error"
    assert host.replay([save, load], found.token).broken == "error"
    assert host.replay([save_beside, load], found).broken is None


def test_it_can_be_said_in_words():
    words = ["A: begin", "B"]
    assert host.attack([save, load], *words, workers=1).broken == "error"
    assert host.attack([save_beside, load], *words, workers=1).broken is None
    assert command.attack(save, "A: begin", "crash A", workers=1).broken == "config_can_be_read"
    assert command.attack(save, "A", workers=1).broken is None  # a step in words is whole


def test_it_is_so_on_a_real_file():
    found = host.explore([save, load], workers=1, crashes=0)
    assert host.live([save, load], found).broken == "error"
    assert host.live([save_beside, load], found).broken is None
    for fault in ({"crashes": 1}, {"stops": 1}):
        left = command.explore(save, workers=1, **{"crashes": 0, **fault})
        assert command.live(save, left)["disk"].contents("config.json") == NEW[: len(NEW) // 2]
