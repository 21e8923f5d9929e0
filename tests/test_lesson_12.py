"""What lesson 12 says is so, asked of the code in lesson 12."""

import ast
import itertools
import re
from statistics import fmean

import pytest

from simlib.course import BOUNDARIES, Catalogue, Check, Incident, Plans, World, debrief, downtime, evidence
from simlib.course.debrief import narrowing
from tests.answers import lesson_12 as answers
from tests.lessons import cell, notebook, run, run_until, solutions, solved, source, with_text
from tests.test_strips import NARROWED

ROLES = {"check_out", "settle", "replicate", "ship", "publish", "report", "take_stock"}


@pytest.fixture(scope="module")
def lesson():
    """Everything up to the catalogue: the simulated system, its faults and its checks."""
    names = run_until("12", "catalogue")
    for name in ("half-code", "price-code", "defend-code", "incidents", "match"):
        run(definitions_of(name), names, f"<{name} of 12>")
    return names


def definitions_of(name):
    """A cell's functions, and the dicts and lists that it writes out."""
    text, kept = cell("12", name), (ast.FunctionDef, ast.Assign)
    nodes = [node for node in ast.parse(text).body if isinstance(node, kept) and "downtime(" not in ast.unparse(node)]
    return "\n\n".join(ast.unparse(node) for node in nodes if "thousand" not in ast.unparse(node)) + "\n"


@pytest.fixture(scope="module")
def plans(lesson):
    return lesson["plans"]


@pytest.fixture(scope="module")
def catalogue(lesson):
    return lesson["catalogue"]


@pytest.fixture(scope="module")
def thousand(plans):
    return downtime(plans)


def prose():
    return "\n".join(source(one) for one in notebook("12")["cells"] if one["cell_type"] == "markdown")


# The system and its faults


def test_there_are_three_faults_of_each_of_six_boundaries(catalogue):
    assert [one.boundary for one in catalogue.faults] == [boundary for boundary in BOUNDARIES for _ in range(3)]
    assert len(catalogue.checks) == 14 and len(catalogue.worlds) == 3 * 18


def test_the_healthy_system_ships_with_every_seed(lesson):
    shipped = [lesson["shipped_lately"](lesson["shift"](seed)) for seed in range(12)]
    assert min(shipped) >= 20 > lesson["catalogue"].alarm


def test_the_system_is_one_scenario_with_seven_roles(lesson):
    assert {*lesson["shift"](0).trace.roles.values()} == ROLES


def test_every_fault_really_stops_the_orders(lesson, catalogue):
    for fault in catalogue.faults:
        (world, *_) = (world for world in catalogue.worlds if world.fault is fault)
        run_again = lesson["shift"](world.seed, **fault.changes)  # not the one that the catalogue keeps
        assert lesson["shipped_lately"](run_again) == catalogue.gauge(world) < catalogue.alarm
        assert catalogue.usual(world) >= 2 * catalogue.gauge(world)


def test_every_fault_is_a_variation_of_what_the_healthy_system_is_made_of(lesson, catalogue):
    for fault in catalogue.faults:
        assert {*fault.changes} <= {*lesson["HEALTHY"]}
        assert all(lesson["HEALTHY"][name] != value for name, value in fault.changes.items())


def test_a_right_fix_cures_and_each_of_the_seventeen_others_leaves_it_broken(catalogue, plans):
    for world in catalogue.worlds:
        cured = [fix.name for fix in catalogue.faults if plans.cures(fix, world)]
        assert cured == [world.fault.name]


@pytest.mark.parametrize(
    "name, kept", [("an unsynced write", "power_losses"), ("workers that never restart", "crashes")]
)
def test_a_fix_takes_the_weakness_away_and_not_the_weather(lesson, catalogue, name, kept):
    (world, *_) = (world for world in catalogue.worlds if world.fault.name == name)
    assert kept not in world.fault.mends
    still_there = {kept: world.fault.changes[kept]}
    assert lesson["shipped_lately"](lesson["shift"](world.seed, **still_there)) >= catalogue.alarm


@pytest.mark.parametrize(
    "piece, changes, before, after",
    [
        ("publish", {"power_losses": 96}, 'yield disk.fsync("tariff.new")', "pass"),
        ("capture", {}, "yield from note(db, order, {\"paid\": True})", "pass"),
        ("refuse", {}, "yield from put_aside(desk, orders, order, \"unreadable\")", "yield orders.nack(order)"),
        ("look_up", {}, "range(12)", "range(1)"),
    ],
)  # fmt: skip
def test_the_healthy_pieces_need_the_lines_that_the_faults_lack(lesson, catalogue, piece, changes, before, after):
    mutant = with_text(lesson[piece], before, after)
    if piece == "refuse":  # without a pause it would go round for ever in no time
        mutant = with_text(lesson[piece], before, "yield clock.sleep(10)\n    yield orders.nack(order)")
    shipped = [lesson["shipped_lately"](lesson["shift"](seed, **{piece: mutant}, **changes)) for seed in range(7)]
    assert min(shipped) < catalogue.alarm


# The checks


def test_no_check_singles_out_a_fault(catalogue):
    for check in catalogue.checks:
        said = catalogue.said(check)
        for finding in {finding for findings in said.values() for finding in findings}:
            assert sum(finding in findings for findings in said.values()) >= 2, (check.name, finding)


def test_no_check_tells_the_boundary_of_every_fault(catalogue, plans):
    for check in catalogue.checks:
        parts = plans.parts(plans.everything, check).values()
        assert any(len({world.fault.boundary for world in part}) > 1 for part in parts)


def test_every_check_says_something_that_depends_on_the_fault(catalogue, plans):
    assert all(len(plans.parts(plans.everything, check)) >= 2 for check in catalogue.checks)


def test_a_check_says_the_healthy_thing_of_the_healthy_system(lesson, catalogue):
    healthy = {
        "orders queue": "short", "the desk": "quiet", "restarts": "as usual", "signs of life": "all there",
        "loading dock": "mostly free", "error log": "hardly any", "step times": "as usual", "host": "healthy",
        "settings": "as in the repository", "births and deaths": "in order", "every address": "all answer",
        "read back": "as written", "staging": "ships there",
    }  # fmt: skip

    class Healthy:
        run = usual = staging = lesson["shift"](0)

    said = {check.name: check.look(Healthy())[0] for check in catalogue.checks if check.name in healthy}
    assert said == healthy


def test_what_a_check_rules_out_is_what_it_says_of_other_runs(lesson, catalogue, plans):
    """Each check once more, of a run on each boundary, simulated anew."""

    class Case:
        def __init__(self, world):
            code = {name: value for name, value in world.fault.changes.items() if callable(value)}
            self.run, self.usual, self.staging = (
                lesson["shift"](world.seed, **changes) for changes in (world.fault.changes, {}, code)
            )

    worlds = catalogue.worlds[3::9]
    assert {world.fault.boundary for world in worlds} == {*BOUNDARIES}
    cases = {world: Case(world) for world in worlds}
    for check in catalogue.checks:
        assert [check.look(cases[world])[0] for world in worlds] == [
            catalogue.finding(check, world) for world in worlds
        ]


def test_the_evidence_is_as_the_lesson_reads_it(catalogue):
    found = evidence(catalogue)
    boundary = {one.name: one.boundary for one in catalogue.faults}
    assert "none of the findings is of one fault alone" in repr(found)
    queue = found.alone("orders queue", "piling up")
    assert len(queue) == 11 and len({boundary[name] for name in queue}) == 6
    assert len(found.alone("error log", "hardly any")) == 11
    desk = found.alone("the desk", "filling")
    assert len(desk) == 7 and {"a lost update", "a stale feature flag"} <= {*desk}
    assert "a lost update" in found.alone("read back", "not what was written")
    assert {"a visibility timeout of 6 s", "a leaked lock"} <= {*found.alone("loading dock", "taken")}
    hits = {"settings": "drifted", "host": "not as it should be", "staging": "fails there too"}
    for check, finding in hits.items():
        assert len({boundary[name] for name in found.alone(check, finding)}) == 1
        assert len(found.alone(check, finding)) == 3


# The incident that the lesson plays


def played(plans):
    incident = Incident(plans, 16)
    for name in ("orders queue", "restarts", "error log"):
        incident.check(name)
    incident.commit("storage")
    for fix in ("make room on the disk", "publish the tariff again, synced"):
        incident.fix(fix)
    return incident


def test_the_hunches_are_all_wrong_and_take_thirty_five_minutes(lesson, plans):
    names = dict(lesson)
    run(cell("12", "fix-first"), names, "<fix first>")
    assert names["hunch"].minutes == 35 and not names["hunch"].over


def test_looking_first_ends_it_after_forty_one(plans):
    incident = played(plans)
    assert incident.over and incident.minutes == 41
    assert incident.truth.name == "an unsynced write"
    assert incident.instead(plans.best).minutes == 39 and incident.instead(plans.fix_first).minutes == 190


def test_the_debrief_is_as_the_lesson_reads_it(plans, catalogue):
    found = debrief(played(plans))
    left = [catalogue.left(step.left) for step in found.paths["your way"].steps]
    assert [sum(one.values()) for one in left] == [11, 6, 2]
    assert [sum(map(bool, one.values())) for one in left] == [6, 3, 1]
    assert [step.check.name for step in found.paths["the best plan"].steps] == ["orders queue", "error log"]
    alone = {name: catalogue.left(step.left) for name, step in found.alone.items()}
    assert min(sum(one.values()) for one in alone.values()) == 2
    assert [name for name, one in alone.items() if sum(map(bool, one.values())) == 1] == ["error log"]


def test_the_lesson_s_icon_goes_from_six_boundaries_to_the_one_that_fails(plans):
    rows = narrowing(plans.best(plans.draw(NARROWED["12"])))
    assert [sum(row) for row in rows] == [6, 5, 4, 3, 2, 1]
    for before, after in itertools.pairwise(rows):
        assert all(was or not now for was, now in zip(before, after))


# The players


def test_the_three_players_differ_and_their_intervals_do_not_touch(thousand):
    random_guess, fix_first, boundary_first = map(thousand.mean, ("random guess", "fix first", "boundary first"))
    assert boundary_first[2] < fix_first[1] and fix_first[2] < random_guess[1]


def test_the_figures_in_the_prose_are_those_of_the_thousand_incidents(thousand):
    text = prose()
    for player, digits in (("random guess", 0), ("fix first", 0), ("boundary first", 1), ("the best plan", 1)):
        mean, low, high = thousand.mean(player)
        assert f"{mean:.{digits}f}" in text and f"[{low:.{digits}f}, {high:.{digits}f}]" in text
    assert round(thousand.still_open("fix first", 60)[0], 1) == 0.6
    assert round(thousand.still_open("boundary first", 60)[0], 2) == 0.05


def test_the_best_plan_s_mean_is_exact_and_lies_in_the_interval(plans, catalogue, thousand):
    exact = plans.expected(plans.everything)
    assert round(exact, 1) == 26.7
    assert fmean(plans.best(world).minutes for world in catalogue.worlds) == pytest.approx(exact)
    _, low, high = thousand.mean("the best plan")
    assert low < exact < high


def test_quickest_first_is_the_best_order_without_a_look(plans, catalogue):
    blind = fmean(plans.fix_first(world).minutes for world in catalogue.worlds)
    minutes = sorted(fault.minutes for fault in catalogue.faults)
    assert blind == pytest.approx(fmean(sum(minutes[: place + 1]) for place in range(18)))
    for number in range(50):
        order = sorted(catalogue.faults, key=lambda one: hash_of(number, one.name))
        assert fmean(plans.repair(world, order).minutes for world in catalogue.worlds) >= blind


def hash_of(number, name):
    return sum(ord(letter) * (number * 31 + place * 17 + 7) for place, letter in enumerate(name)) % 1009


def test_fix_first_is_faster_in_one_incident_of_eighteen(plans, catalogue, thousand):
    share, low, high = thousand.faster("fix first", "boundary first")
    assert low < 1 / 18 < high and 'reveal("in 1 of 20")' in cell("12", "reveal")
    quicker = {
        world.fault.name
        for world in catalogue.worlds
        if plans.fix_first(world).minutes < plans.boundary_first(world).minutes
    }
    assert quicker == {"a stale feature flag"}
    assert round(share, 2) == 0.06


def test_in_runs_that_no_plan_has_seen_looking_first_is_dearer_and_still_ahead(plans, catalogue):
    fresh = catalogue.later()
    assert len(fresh) == 18 and not {*fresh} & {*catalogue.worlds}
    boundary_first, fix_first = (
        fmean(player(world).minutes for world in fresh) for player in (plans.boundary_first, plans.fix_first)
    )
    known = fmean(plans.boundary_first(world).minutes for world in catalogue.worlds)
    assert 8 < boundary_first - known < 14 and boundary_first < fix_first / 2
    assert all(plans.boundary_first(world).fixes[-1] is world.fault for world in fresh)


def test_the_half_measures_cost_what_the_lesson_says(lesson, plans, catalogue):
    always, numbers = lesson["always"], range(1000)
    players = {
        "everything": always(*(check.name for check in catalogue.checks)), "the log": always("error log"),
        "three": always("orders queue", "restarts", "error log"),
    }  # fmt: skip
    means = {name: fmean(player(plans.draw(n), n).minutes for n in numbers) for name, player in players.items()}
    assert {name: round(mean) for name, mean in means.items()} == {"everything": 76, "the log": 59, "three": 40}
    assert sum(check.minutes for check in catalogue.checks) == 59 and "59 minutes of looking" in prose()


def test_looking_pays_until_a_fix_takes_less_than_two_minutes(lesson, plans, catalogue):
    pairs = [(plans.fix_first(world), plans.boundary_first(world)) for world in map(plans.draw, range(1000))]
    blind = fmean(first.minutes for first, _ in pairs)
    looked, fixed = (fmean(lesson["parts"](second)[place] for _, second in pairs) for place in (0, 1))
    assert round(looked) == 10 and round(blind - fixed) == 91
    usual = fmean(fault.minutes for fault in catalogue.faults)
    assert 1.5 < usual * looked / (blind - fixed) < 2


# The exercises


def test_the_attack_as_given_shows_no_such_incident_and_the_solution_one(lesson, plans):
    def gain(names):
        world = plans.draw(names["number"])
        return plans.boundary_first(world).minutes - plans.fix_first(world).minutes

    given = dict(lesson)
    run(cell("12", "attack"), given, "<attack>")
    assert gain(given) < 0
    names = solved("12", lesson, 0)
    assert gain(names) == 20 and plans.draw(names["number"]).fault.name == "a stale feature flag"


def test_the_monitor_as_given_saves_nothing_and_the_solution_nearly_three_minutes(lesson):
    assert lesson["saved_by"](lesson["my_monitor"]) == 0
    names = solved("12", lesson, 1)
    assert names["saved_by"](names["my_monitor"]) == 2.8


@pytest.mark.parametrize("exercise", ["attack", "defend", "audit"])
def test_no_wrong_answer_passes_and_the_right_ones_do(lesson, exercise):
    for what, answer in {"as given": "", **answers.WRONG[exercise]}.items():
        assert not answers.graded(exercise, answer, lesson)[0], what
    for what, answer in answers.RIGHT[exercise].items():
        assert answers.graded(exercise, answer, lesson)[0], what


def test_an_oracle_would_save_what_the_lesson_says(lesson, catalogue):
    runs = {id(catalogue.rerun(world)): world.fault.name for world in catalogue.worlds}
    assert lesson["saved_by"](lambda case: (runs[id(case.run)], "")) == 7.9
    assert "would save 7.9" in prose() and "26.7" in cell("12", "defend")


@pytest.mark.parametrize(
    "branch",
    [
        '    elif sum(bank.count("capture", key) for key in aside) < most:\n        finding = "never captured"\n',
        '    elif sum({"paid", "weight"} <= {*(db[key] or {})} for key in aside) < most:\n'
        '        finding = "half a row"\n',
        '    elif sum({"paid", "weight"} <= {*(replica[key] or {})} for key in aside) < most:\n'
        '        finding = "not in the replica"\n',
    ],
)
def test_every_branch_of_the_solution_is_worth_something(lesson, branch):
    text = solutions("12")[1]
    assert text.count(branch) == 1
    names = dict(lesson)
    run(text.replace(branch, ""), names, f"<without {branch[:40]}>")
    assert lesson["saved_by"](names["my_monitor"]) < 2.8


def test_the_match_as_given_has_no_answer_and_the_solution_is_all_right(lesson, capsys):
    assert lesson["match"](lesson["answers"]) == 0
    assert "no answer yet" in capsys.readouterr().out
    assert lesson["match"](solved("12", lesson, 2)["answers"]) == 12
    assert "look again" not in capsys.readouterr().out


def test_a_wrong_match_gives_nothing_away(lesson, capsys):
    answers = {**solved("12", lesson, 2)["answers"], 1: ("routing", "b"), 2: (None, None)}
    assert lesson["match"](answers) == 9
    assert capsys.readouterr().out.splitlines()[:2] == ["1: look again and right", "2: no answer yet"]


def test_every_boundary_and_every_hypothesis_is_used_once(lesson):
    answers = solved("12", lesson, 2)["answers"]
    assert sorted(boundary for boundary, _ in answers.values()) == sorted(BOUNDARIES) == sorted(lesson["boundaries"])
    assert sorted(letter for _, letter in answers.values()) == sorted(lesson["hypotheses"])


def test_a_world_of_the_catalogue_is_what_a_player_is_asked_about(plans):
    assert isinstance(plans.draw(16), World) and isinstance(plans, Plans)
    assert isinstance(plans.catalogue, Catalogue) and isinstance(plans.catalogue.checks[0], Check)


def test_every_incident_of_the_text_is_one_of_its_links(lesson):
    links = re.findall(r"\((https://[^)]+)\)", cell("12", "solution-audit"))
    assert len(links) == 6 == len(lesson["seen"])
