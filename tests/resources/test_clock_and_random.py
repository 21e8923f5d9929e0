"""Time and chance are asked for, so that no worker needs the outside world."""

from simlib import Clock, Database, Random, Scenario
from tests.resources import Driven


def test_a_clock_begins_at_zero_and_sleeping_moves_it_on():
    clock = Driven(Clock(), "clock")
    assert clock.by("A").now() == 0
    assert clock.by("A").sleep(1.5) is None
    assert (clock.by("A").now(), clock.seen.seconds) == (1.5, 1.5)


def test_time_that_passes_elsewhere_moves_the_clock():
    clock = Driven(Clock(), "clock")
    clock.state.advance(30)
    assert clock.by("A").now() == 30


def test_a_clock_that_nobody_asks_stands_still():
    clock = Driven(Clock(), "clock")
    clock.state.running = False
    clock.by("A").sleep(9)
    assert clock.seen.seconds == 0


def test_a_choice_can_go_as_many_ways_as_it_has_options():
    dice = Driven(Random(), "dice")
    op = dice.steps.choice(["heads", "tails"])
    assert [dice.state.perform(op, "A", way) for way in dice.state.outcomes(op)] == ["heads", "tails"]


def test_choices_are_made_from_lists_tuples_ranges_and_text():
    dice = Driven(Random(), "dice")
    for options in ([1, 2], (1, 2), range(1, 3), "12"):
        op = dice.steps.choice(options)
        assert [str(dice.state.perform(op, "A", way)) for way in dice.state.outcomes(op)] == ["1", "2"]


def test_no_network_lies_between_a_worker_and_its_clock_or_its_dice():
    clock, dice = Driven(Clock(), "clock"), Driven(Random(), "dice")
    assert clock.ways(clock.steps.now()) == dice.ways(dice.steps.choice([1, 2])) == []


def test_explore_tries_every_option():
    def draw(dice, db):
        drawn = yield dice.choice(["heads", "tails"])
        yield db.write("coin", drawn)

    report = Scenario(dice=Random(), db=Database()).explore(draw, crashes=0)
    assert [trace["db"]["coin"] for trace in report.sample(9)] == ["heads", "tails"]
