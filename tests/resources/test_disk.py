"""A file system with a page cache: what a process crash keeps, and everything that a power loss may leave."""

import pytest

from simlib import Disk, DiskFull, NotFound
from simlib.model.operation import BEGUN, OK, Blocked
from tests.resources import Driven


def disk(files=None, **how):
    return Driven(Disk(files, **how), "disk")


def survivors(driven):
    """Every disk that a power loss may leave, as {name: data}."""
    found = []
    for choice in range(driven.state.power_losses()):
        after = driven.state.copy()
        after.lose_power(choice)
        found.append({name: after.contents(name) for name in after.files})
    return found


# Files


def test_what_is_written_is_read_and_appending_adds_to_its_end():
    it = disk()
    it.by("A").write("f", "ab")
    it.by("A").append("f", "cd")
    it.by("A").append("g", "new")
    assert [it.by("A").read("f"), it.by("A").read("g"), it.seen.files] == ["abcd", "new", ["f", "g"]]


def test_writing_replaces_what_was_there():
    it = disk({"f": "old and long"})
    it.by("A").write("f", "new")
    assert it.seen.contents("f") == "new"


def test_rename_replaces_what_had_the_name():
    it = disk({"tmp": "new", "state": "old"})
    it.by("A").rename("tmp", "state")
    assert (it.seen.files, it.seen.contents("state")) == (["state"], "new")


def test_exists_and_contents_tell_of_files_that_are_not_there():
    it = disk({"f": ""})
    assert [it.by("A").exists("f"), it.by("A").exists("g"), it.seen.contents("g")] == [True, False, None]


@pytest.mark.parametrize(
    "act",
    [
        lambda by: by.read("f"),
        lambda by: by.delete("f"),
        lambda by: by.fsync("f"),
        lambda by: by.rename("f", "g"),
    ],
)
def test_a_file_that_is_not_there_is_not_found(act):
    with pytest.raises(NotFound, match=r"^f$"):
        act(disk().by("A"))


def test_a_process_crash_keeps_the_page_cache():
    it = disk()
    it.by("A").write("f", "unsynced")
    it.state.owner_gone("A")
    assert it.seen.contents("f") == "unsynced"


# What a power loss may leave


def test_what_was_there_in_the_beginning_is_on_disk():
    assert survivors(disk({"f": "old"})) == [{"f": "old"}]


def test_a_new_file_may_be_missing_empty_torn_or_whole():
    it = disk()
    it.by("A").write("f", "abcd")
    assert survivors(it) == [{}, {"f": ""}, {"f": "ab"}, {"f": "abcd"}]


def test_fsync_of_a_new_file_keeps_its_data_but_not_its_name():
    it = disk()
    it.by("A").write("f", "abcd")
    it.by("A").fsync("f")
    assert survivors(it) == [{}, {"f": "abcd"}]


def test_fsync_of_the_directory_keeps_the_name_but_not_the_data():
    it = disk()
    it.by("A").write("f", "abcd")
    it.by("A").fsync_directory()
    assert survivors(it) == [{"f": ""}, {"f": "ab"}, {"f": "abcd"}]


def test_with_both_a_new_file_survives():
    it = disk()
    it.by("A").write("f", "abcd")
    it.by("A").fsync("f")
    it.by("A").fsync_directory()
    assert survivors(it) == [{"f": "abcd"}]


def test_overwriting_in_place_may_leave_neither_old_nor_new():
    it = disk({"f": "old"})
    it.by("A").write("f", "news")
    assert survivors(it) == [{"f": ""}, {"f": "ne"}, {"f": "old"}, {"f": "news"}]
    it.by("A").fsync("f")
    assert survivors(it) == [{"f": "news"}]


def test_an_append_may_leave_a_torn_tail_and_never_less_than_was_synced():
    it = disk({"log": "one;"})
    it.by("A").append("log", "two;")
    assert survivors(it) == [{"log": "one;"}, {"log": "one;tw"}, {"log": "one;two;"}]


def test_of_several_unsynced_appends_each_later_state_may_survive():
    it = disk({"log": ""})
    it.by("A").append("log", "ab")
    it.by("A").append("log", "cd")
    assert survivors(it) == [{"log": data} for data in ("", "a", "ab", "abc", "abcd")]
    it.by("A").fsync("log")
    assert survivors(it) == [{"log": "abcd"}]


def test_a_deleted_file_may_come_back_until_the_directory_is_synced():
    it = disk({"f": "old"})
    it.by("A").delete("f")
    assert survivors(it) == [{"f": "old"}, {}]
    it.by("A").fsync_directory()
    assert survivors(it) == [{}]


def test_changes_of_the_directory_survive_in_their_order():
    it = disk()
    for name in "fg":
        it.by("A").write(name, "x")
        it.by("A").fsync(name)
    assert survivors(it) == [{}, {"f": "x"}, {"f": "x", "g": "x"}]


# Replacing a file: the textbook and what people leave out


def replaced(*synced):
    it = disk({"state": "old"})
    it.by("A").write("tmp", "new!")
    if "file" in synced:
        it.by("A").fsync("tmp")
    it.by("A").rename("tmp", "state")
    if "directory" in synced:
        it.by("A").fsync_directory()
    return it


def states(driven):
    """What a reader of `state` may find, without what lies beside it."""
    return [after.get("state") for after in survivors(driven)]


def test_write_fsync_rename_fsync_directory_is_the_new_file_for_sure():
    assert survivors(replaced("file", "directory")) == [{"state": "new!"}]


def test_without_fsync_of_the_directory_it_is_the_old_file_or_the_new_one():
    assert survivors(replaced("file")) == [
        {"state": "old"},
        {"state": "old", "tmp": "new!"},
        {"state": "new!"},
    ]


def test_without_fsync_of_the_file_it_may_be_empty_or_torn_under_the_right_name():
    assert survivors(replaced("directory")) == [{"state": ""}, {"state": "ne"}, {"state": "new!"}]


def test_without_any_fsync_it_may_be_anything():
    assert sorted(set(states(replaced()))) == ["", "ne", "new!", "old"]


def test_fsync_of_the_file_after_the_rename_comes_too_late_only_until_it_is_done():
    it = replaced()
    it.by("A").fsync("state")
    assert sorted(set(states(it))) == ["new!", "old"]


def test_rename_over_a_file_whose_deletion_came_first_may_leave_nothing():
    it = disk({"state": "old"})
    it.by("A").write("tmp", "new!")
    it.by("A").fsync("tmp")
    it.by("A").delete("state")
    it.by("A").rename("tmp", "state")
    assert {"tmp": "new!"} in survivors(it)  # neither old nor new under its name


def test_after_a_power_loss_what_survived_is_on_disk():
    it = disk({"f": "old"})
    it.by("A").write("f", "news")
    it.state.lose_power(1)
    assert (survivors(it), it.seen.contents("f")) == ([{"f": "ne"}], "ne")
    it.by("A").write("g", "")
    assert survivors(it) == [{"f": "ne"}, {"f": "ne", "g": ""}]


# A full disk


def test_a_write_that_does_not_fit_leaves_a_part_and_raises():
    it = disk({"state": "old"}, capacity=5)
    with pytest.raises(DiskFull, match=r"^state$"):
        it.by("A").write("state", "longer")
    assert it.seen.contents("state") == "longe"


def test_an_append_that_does_not_fit_leaves_a_torn_tail():
    it = disk({"log": "one;"}, capacity=6)
    with pytest.raises(DiskFull):
        it.by("A").append("log", "two;")
    assert it.seen.contents("log") == "one;tw"


def test_a_temporary_file_needs_room_beside_the_old_one():
    it = disk({"state": "old"}, capacity=5)
    with pytest.raises(DiskFull):
        it.by("A").write("tmp", "new")
    assert (it.seen.contents("state"), it.seen.contents("tmp")) == ("old", "ne")


@pytest.mark.parametrize(
    "free", [lambda by: by.delete("old"), lambda by: by.rename("small", "old"), lambda by: by.write("old", "")]
)
def test_what_is_deleted_replaced_or_emptied_makes_room(free):
    it = disk({"old": "12345678", "small": ""}, capacity=9)
    free(it.by("A"))
    it.by("A").write("new", "12345678")
    assert it.seen.contents("new") == "12345678"


def test_a_full_disk_can_strike_any_write_and_leave_nothing_or_half():
    ways = [("disk_full", "nothing"), ("disk_full", "half")]
    it = disk({"f": "old"})
    assert it.ways(it.steps.write("f", "news")) == it.ways(it.steps.append("f", "!!")) == ways
    assert it.ways(it.steps.rename("f", "g")) == it.ways(it.steps.fsync("f")) == []


@pytest.mark.parametrize(
    "verb, down, left",
    [("write", "nothing", ""), ("write", "half", "ne"), ("append", "nothing", "old"), ("append", "half", "oldne")],
)
def test_what_the_fault_leaves(verb, down, left):
    it = disk({"f": "old"})
    with pytest.raises(DiskFull):
        getattr(it.by("A", "disk_full", down), verb)("f", "news")
    assert it.seen.contents("f") == left


def test_a_disk_is_local_so_that_no_reply_is_lost():
    it = disk()
    assert it.ways(it.steps.exists("f")) == []


# A write that others meet in its middle


def begin(it, who, *args):
    return it.state.perform(it.steps.write(*args), who, BEGUN)


def test_a_write_that_has_begun_has_emptied_the_file_and_written_half():
    it = disk({"f": "old and long"})
    assert begin(it, "A", "f", "abcd") == "has written half"
    assert it.by("B").read("f") == "ab"


def test_a_new_file_is_there_when_half_of_it_is():
    it = disk()
    begin(it, "A", "f", "abcde")
    assert (it.seen.files, it.seen.contents("f")) == (["f"], "ab")


def test_a_write_with_a_middle_ends_in_the_state_of_one_without():
    halved, whole = disk({"f": "old"}), disk({"f": "old"})
    begin(halved, "A", "f", "abcde")
    for it in (halved, whole):
        it.by("A").write("f", "abcde")
    assert halved.state.key() == whole.state.key()


def test_that_somebody_writes_is_in_the_key():
    one, other, nobody = disk(), disk(), disk()
    begin(one, "A", "f", "abcd")
    begin(other, "B", "f", "abcd")
    nobody.by("A").write("f", "ab")
    assert len({one.state.key(), other.state.key(), nobody.state.key()}) == 3
    assert one.state.renamed({"A": "B"}).key() == other.state.key()


@pytest.mark.parametrize(
    "step",
    [
        lambda to: to.write("f", ""), lambda to: to.write("f", "x"), lambda to: to.append("f", "abcd"),
        lambda to: to.rename("f", "g"), lambda to: to.read("f"), lambda to: to.fsync("f"),
    ],
)  # fmt: skip
def test_nothing_else_has_a_middle(step):
    it = disk({"f": "old"})
    assert BEGUN not in it.state.outcomes(step(it.steps))


def test_its_middle_is_the_last_of_a_write_s_outcomes_so_that_old_tokens_keep_their_numbers():
    it = disk()
    assert [way for way in it.state.outcomes(it.steps.write("f", "ab")) if not way.fault] == [OK, BEGUN]
    assert [*it.state.outcomes(it.steps.write("f", "ab"))][-1] == BEGUN


def test_nobody_begins_a_write_twice_and_the_fault_disk_full_strikes_it_as_a_whole():
    it = disk()
    begin(it, "A", "f", "abcd")
    with pytest.raises(Blocked):
        begin(it, "A", "f", "abcd")
    for down in ("nothing", "half"):
        with pytest.raises(Blocked):
            it.by("A", "disk_full", down).write("f", "abcd")


def test_a_crash_in_the_middle_leaves_half_and_the_next_write_begins_anew():
    it = disk({"f": "old"})
    begin(it, "A", "f", "abcd")
    it.state.owner_gone("A")
    assert (it.seen.contents("f"), it.state.writing) == ("ab", {})
    begin(it, "A", "f", "wxyz")
    assert it.seen.contents("f") == "wx"


def test_who_is_told_to_stop_in_the_middle_leaves_half():
    it = disk()
    begin(it, "A", "f", "abcd")
    it.state.cancelled("A")
    assert (it.seen.contents("f"), it.state.writing) == ("ab", {})


def test_a_crash_of_somebody_else_does_not_end_it():
    it = disk()
    begin(it, "A", "f", "abcd")
    it.state.owner_gone("B")
    it.by("A").write("f", "abcd")
    assert it.seen.contents("f") == "abcd"


def test_a_power_loss_in_the_middle_leaves_the_old_file_an_empty_one_or_half():
    it = disk({"f": "old"})
    begin(it, "A", "f", "abcd")
    assert survivors(it) == [{"f": ""}, {"f": "ab"}, {"f": "old"}]
    it.state.lose_power(2)
    assert (it.seen.contents("f"), it.state.writing) == ("old", {})


def test_half_of_a_file_that_is_synced_survives():
    it = disk({"f": "old"})
    begin(it, "A", "f", "abcd")
    it.by("B").fsync("f")
    assert survivors(it) == [{"f": "ab"}]
    it.by("A").write("f", "abcd")
    assert survivors(it) == [{"f": "ab"}, {"f": "abcd"}]


@pytest.mark.parametrize(
    "between, after",
    [
        (lambda by: by.write("f", "wxyz"), {"f": "wxcd"}),  # it emptied the file; each writes from its own place
        (lambda by: by.write("f", "uvwxyz"), {"f": "uvcdyz"}),
        (lambda by: by.write("f", ""), {"f": "\0\0cd"}),  # a hole reads as zeros
        (lambda by: by.append("f", "x"), {"f": "abcd"}),  # it was added where the second half goes
        (lambda by: by.append("f", "xyz"), {"f": "abcdz"}),
        (lambda by: by.rename("f", "g"), {"g": "abcd"}),  # the same file, under another name
        (lambda by: by.delete("f"), {}),  # a file without a name
        (lambda by: (by.delete("f"), by.write("f", "w")), {"f": "w"}),
    ],
)
def test_the_second_half_goes_to_its_place_in_the_same_file(between, after):
    it = disk()
    begin(it, "A", "f", "abcd")
    between(it.by("B"))
    it.by("A").write("f", "abcd")
    assert {name: it.seen.contents(name) for name in it.seen.files} == after
    assert it.state.writing == {}


def test_two_who_write_one_file_at_once_leave_the_work_of_the_last():
    it = disk()
    begin(it, "A", "f", "aaaa")
    begin(it, "B", "f", "bbbb")
    it.by("A").write("f", "aaaa")
    assert it.seen.contents("f") == "bbaa"
    it.by("B").write("f", "bbbb")
    assert it.seen.contents("f") == "bbbb"


def test_what_is_replaced_while_somebody_writes_it_may_come_back_and_is_forgotten_in_the_end():
    it = disk({"f": "old", "g": "new!"})
    begin(it, "A", "f", "abcd")
    it.by("B").rename("g", "f")
    it.by("A").write("f", "abcd")
    assert it.seen.contents("f") == "new!"
    assert {"f": "abcd", "g": "new!"} in survivors(it)
    it.by("B").fsync_directory()
    assert (survivors(it), len(it.state.data)) == ([{"f": "new!"}], 1)


def test_of_a_write_that_does_not_fit_others_may_meet_the_half_that_does():
    it = disk(capacity=3)
    begin(it, "A", "f", "abcd")
    with pytest.raises(DiskFull):
        it.by("A").write("f", "abcd")
    assert (it.seen.contents("f"), it.state.writing) == ("abc", {})
    with pytest.raises(Blocked):
        begin(it, "A", "g", "xy")  # not even half fits


def test_a_deleted_file_has_room_while_somebody_writes_it():
    it = disk(capacity=4)
    begin(it, "A", "f", "abcd")
    it.by("B").delete("f")
    with pytest.raises(DiskFull):
        it.by("B").write("g", "xyz")
    assert it.seen.contents("g") == "xy"
    it.state.owner_gone("A")
    it.by("B").write("g", "wxyz")


# Sight


def test_states_that_differ_in_their_past_alone_are_one():
    one, other = disk({"f": "x"}), disk()
    other.by("A").write("g", "y")
    other.by("A").delete("g")
    other.by("A").write("f", "x")
    other.by("A").fsync("f")
    other.by("A").fsync_directory()
    assert one.state.key() == other.state.key()


def test_outcomes_tell_apart_what_a_summary_cuts_off():
    one, other = disk({"f": "a" * 99 + "1"}), disk({"f": "a" * 99 + "2"})
    assert one.state.summary() == other.state.summary() == 'f: "' + "a" * 22 + "…"
    assert one.state.outcome() != other.state.outcome()


def test_making_and_deleting_a_file_again_and_again_comes_back_to_the_same_state():
    state = Disk().initial("disk")
    state.on_write("A", "tmp", "x")
    state.on_delete("A", "tmp")
    before = state.key()
    for _ in range(3):
        state.on_write("A", "tmp", "x")
        state.on_delete("A", "tmp")
    assert state.key() == before
    assert len(state.journal) == 2
