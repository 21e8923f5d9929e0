"""Bugs that people reported about rows that expire, or should: each is found, and its fix holds. No code is theirs."""

from simlib import Database, Scenario

# alisaifee/limits #14: INCR without EXPIRE. The first request of a window makes the counter, and a second command gives
# it its time to live; after a crash between the two the counter never ends, and whoever reaches the limit is locked out
# for good. The fix is one step: a script, or SET with EX.


def hit(db):
    if (yield db.add("hits", 1)) is None:
        yield db.write("hits", 1)
        yield db.expire("hits", 60)


def hit_in_one_step(db):
    if (yield db.add("hits", 1)) is None:
        yield db.write("hits", 1, ttl=60)


def hit_by_a_script(db):
    if not (yield db.transaction(db.compare_and_set("hits", None, 1), db.expire("hits", 60))):
        yield db.add("hits", 1)


def the_window_ends(db):
    return "hits" not in db


def windows(**more):
    return Scenario(db=Database(), eventually=[the_window_ends], **more)


def test_a_counter_whose_first_request_crashes_before_its_expire_never_ends():
    for restarts in (True, False):
        report = windows(restarts=restarts).explore(hit, workers=2, crashes=1)
        assert (report.verdict, report.claim) == ("violated", "the_window_ends")
    assert windows().explore(hit, workers=2, crashes=0).verdict == "holds"


def test_a_counter_that_gets_its_time_to_live_in_the_same_step_ends_whatever_happens():
    for fixed in (hit_in_one_step, hit_by_a_script):
        for faults in (
            {"crashes": 2},
            {"pauses": 2},
            {"node_losses": 2},
            {"lost_replies": 1},
            {"crashes": 1, "pauses": 1},
        ):
            assert windows().explore(fixed, workers=2, **faults).verdict == "holds"


# resque-scheduler #46: the jobs of one moment are a list. A scheduler that finds it empty deletes it, and with it the
# job that somebody has added meanwhile. The fix deletes it only if it is still what was found: one step.


def schedule(db):
    jobs = yield db.read("noon")
    while not (yield db.compare_and_set("noon", jobs, [*(jobs or []), "mail"])):
        jobs = yield db.read("noon")


def clean_up(db):
    if (yield db.read("noon")) == []:
        yield db.delete("noon")


def clean_up_in_one_step(db):
    yield db.transaction(db.compare_and_set("noon", [], []), db.delete("noon"))


def the_job_is_there(db):
    return db["noon"] == ["mail"]


def noons():
    return Scenario(db=Database({"noon": []}), eventually=[the_job_is_there])


def test_a_job_that_is_added_between_the_look_and_the_delete_is_lost():
    report = noons().explore([schedule, clean_up], crashes=0)
    assert (report.verdict, report.claim) == ("violated", "the_job_is_there")


def test_deleted_in_the_step_that_finds_it_empty_it_takes_no_job_along():
    for faults in ({"crashes": 0}, {"crashes": 1}, {"pauses": 1}):
        report = noons().explore([schedule, clean_up_in_one_step], workers={"clean_up_in_one_step": 2}, **faults)
        assert report.verdict == "holds"
