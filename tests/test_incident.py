"""The incident room's mechanism, on a system so small that everything can be worked out beside it."""

import itertools
import random
from types import SimpleNamespace

import pytest

from simlib.course import (
    BOUNDARIES,
    Catalogue,
    Check,
    Incident,
    Plans,
    World,
    debrief,
    downtime,
    evidence,
    fault,
    incident_room,
)
from simlib.course.debrief import narrowing, save_icon
from simlib.errors import Mistake

LOGIC, CONFIGURATION, ROUTING = BOUNDARIES[:3]


def run(seed, **changes):
    """A stand-in for a simulation: it ships 10, less what each change costs it."""
    return SimpleNamespace(seed=seed, changes=changes, shipped=10 - sum(changes.values()))


FAULTS = [
    fault("a", LOGIC, fix="mend a", minutes=10, one=9),
    fault("b", LOGIC, fix="mend b", minutes=20, two=9),
    fault("c", CONFIGURATION, fix="mend c", minutes=5, three=9),
    fault("d", ROUTING, fix="mend d", minutes=40, four=9, other=0, mends=["four"]),
]
CHECKS = [
    Check("first half", 2, lambda case: ("yes" if {"one", "two"} & {*case.run.changes} else "no", "")),
    Check("odd", 3, lambda case: ("yes" if {"one", "three"} & {*case.run.changes} else "no", f"seed {case.run.seed}")),
    Check("nothing", 1, lambda case: ("-", f"{case.usual.shipped} usual")),
]


def catalogue(faults=FAULTS, checks=CHECKS, **how):
    given = {"gauge": lambda run: run.shipped, "alarm": 5, "unit": "shipped", "variants": 2, **how}
    return Catalogue(run, faults, checks, **given)


@pytest.fixture
def plans():
    return Plans(catalogue())


def number_of(plans, name):
    return next(number for number in range(1000) if plans.draw(number).fault.name == name)


# The catalogue


def test_each_fault_stands_in_it_with_its_first_runs_that_show_the_symptom():
    assert [(world.fault.name, world.seed) for world in catalogue().worlds] == [
        (name, seed) for name in "abcd" for seed in (0, 1)
    ]
    assert [(world.fault.name, world.seed) for world in catalogue().later()] == [(name, 2) for name in "abcd"]


def test_seeds_without_the_symptom_are_passed_over():
    def lucky(seed, **changes):
        return run(seed, **(changes if seed % 3 else {}))

    faults = Catalogue(lucky, FAULTS[:1], CHECKS, gauge=lambda run: run.shipped, alarm=5, unit="shipped", variants=3)
    assert [world.seed for world in faults.worlds] == [1, 2, 4]


def test_a_fault_without_the_symptom_is_refused():
    mild = fault("mild", ROUTING, fix="mend it", minutes=5, one=1)
    with pytest.raises(Mistake, match="mild: customers notice it with 0 of 30 seeds"):
        catalogue([mild]).worlds  # noqa: B018


def test_each_run_is_simulated_once_and_its_customers_are_asked_once():
    ran, asked = [], []
    counted = Catalogue(
        lambda seed, **changes: ran.append((seed, *changes)) or run(seed, **changes), FAULTS, CHECKS,
        gauge=lambda run: asked.append(run) or run.shipped, alarm=5, unit="shipped", variants=2,
    )  # fmt: skip
    plans = Plans(counted)
    for world in counted.worlds:
        for player in plans.players().values():
            player(world, 1)
    assert len(ran) == len(set(ran)) == len(asked)


def test_a_fix_takes_away_what_it_mends_and_nothing_else():
    faults = catalogue()
    for world in faults.worlds:
        for fix in FAULTS:
            assert faults.suffers(world, [fix]) == (fix.name != world.fault.name)
    (d, *_) = (world for world in faults.worlds if world.fault.name == "d")
    assert faults.rerun(d, ["other"]).changes == {"other": 0}


def test_what_a_check_rules_out_is_asked_of_the_runs():
    faults = catalogue()
    everything = frozenset(faults.worlds)
    left = faults.consistent(everything, faults.check("odd"), "yes")
    assert {world.fault.name for world in left} == {"a", "c"}
    assert faults.left(left) == {**dict.fromkeys(BOUNDARIES, 0), LOGIC: 1, CONFIGURATION: 1}
    assert faults.said(faults.check("odd")) == {"a": ["yes"], "b": ["no"], "c": ["yes"], "d": ["no"]}


def test_staging_runs_the_code_and_none_of_the_rest():
    def code():
        """Something that can be called."""

    def with_code(seed, **changes):
        return SimpleNamespace(changes=changes, shipped=0)

    mixed = fault("mixed", LOGIC, fix="mend it", minutes=5, step=code, pool=1)
    seen = []
    check = Check("staging", 1, lambda case: (seen.append(case.staging.changes) or "-", ""))
    faults = Catalogue(with_code, [mixed], [check], gauge=lambda run: run.shipped, alarm=5, unit="", variants=1)
    faults.finding(check, faults.worlds[0])
    assert seen == [{"step": code}]


def test_another_check_is_added_to_the_same_runs():
    faults = catalogue()
    more = faults.adding(Check("name", 1, lambda case: (min(case.run.changes), "")))
    assert more.worlds == faults.worlds and len(more.checks) == len(faults.checks) + 1
    with pytest.raises(Mistake, match="give each a name of its own"):
        faults.adding(CHECKS[0])


# Mistakes in describing it


def test_a_fault_has_a_boundary_changes_something_and_is_mended_by_its_fix():
    with pytest.raises(Mistake, match=r"boundaries are application logic, .* Did you mean `routing`\?"):
        fault("a", "router", fix="f", minutes=1, one=1)
    with pytest.raises(Mistake, match="changes nothing"):
        fault("a", ROUTING, fix="f", minutes=1)
    with pytest.raises(Mistake, match="its fix mends two, and it changes one"):
        fault("a", ROUTING, fix="f", minutes=1, one=1, mends=["two"])
    with pytest.raises(Mistake, match="minutes=0: give a number of minutes above 0"):
        fault("a", ROUTING, fix="f", minutes=0, one=1)
    with pytest.raises(Mistake, match="above 0"):
        Check("quick", -1, lambda case: ("", ""))


@pytest.mark.parametrize("answer", [None, "piling up", ("piling up", 7), ("a", "b", "c")])
def test_a_check_answers_two_texts(answer):
    check = Check("odd one", 1, lambda case: answer)
    faults = catalogue(checks=[check])
    with pytest.raises(Mistake, match=r'check "odd one" answered .* Return the finding and its numbers, two texts'):
        faults.finding(check, faults.worlds[0])


# Plans


def cheapest(plans, belief, checks):
    """The least expected minutes, by trying every check at every point and every order of the fixes: slow and plain."""
    faults = {world.fault for world in belief}
    least = min(expected_fixing(order, belief) for order in itertools.permutations(faults) if by_boundary(order))
    for check in checks:
        parts = {}
        for world in belief:
            parts.setdefault(plans.catalogue.finding(check, world), set()).add(world)
        others = [one for one in checks if one is not check]
        after = sum(len(part) * cheapest(plans, part, others) for part in parts.values()) / len(belief)
        least = min(least, check.minutes + after)
    return least


def expected_fixing(order, belief):
    spent = list(itertools.accumulate(fix.minutes for fix in order))
    return sum(spent[order.index(world.fault)] for world in belief) / len(belief)


def by_boundary(order):
    return len([*itertools.groupby(fix.boundary for fix in order)]) == len({fix.boundary for fix in order})


@pytest.mark.parametrize("seed", range(12))
def test_the_best_plan_is_the_best_of_all_plans(seed):
    chance = random.Random(seed)
    faults = [
        fault(f"f{n}", chance.choice(BOUNDARIES[:3]), fix=f"mend {n}", minutes=chance.randint(1, 40), **{f"p{n}": 9})
        for n in range(5)
    ]
    says = {(check, n): chance.choice("xyz") for check in range(4) for n in range(5)}

    def look(check):
        return lambda case: (says[check, int(next(iter(case.run.changes))[1:])], "")

    checks = [Check(f"c{check}", chance.randint(1, 9), look(check)) for check in range(4)]
    plans = Plans(catalogue(faults, checks, variants=1))
    best = cheapest(plans, plans.everything, checks)
    assert plans.expected(plans.everything) == pytest.approx(best)
    minutes = [plans.best(world).minutes for world in plans.catalogue.worlds]
    assert sum(minutes) / len(minutes) == pytest.approx(best)
    others = [[plans.boundary_first(world).minutes for world in plans.catalogue.worlds]]
    others.append([plans.fix_first(world).minutes for world in plans.catalogue.worlds])
    assert all(sum(other) / len(other) >= best - 1e-9 for other in others)


def test_fix_first_goes_by_minutes_and_a_random_guess_by_its_number(plans):
    d = next(world for world in plans.catalogue.worlds if world.fault.name == "d")
    assert [fix.name for fix in plans.fix_first(d).fixes] == ["c", "a", "b", "d"]
    assert plans.fix_first(d).minutes == 75
    guesses = {tuple(fix.name for fix in plans.random_guess(d, number).fixes) for number in range(200)}
    assert len(guesses) == sum(len([*itertools.permutations("abc", length)]) for length in range(4))
    assert plans.random_guess(d, 7) == plans.random_guess(d, 7)


def test_boundary_first_asks_until_one_boundary_is_left(plans):
    a = next(world for world in plans.catalogue.worlds if world.fault.name == "a")
    path = plans.boundary_first(a)
    assert [step.check.name for step in path.steps] == ["first half"]  # both that are left are logic's
    assert path.commits == (LOGIC,) and [fix.name for fix in path.fixes] == ["a"] and path.minutes == 12
    assert narrowing(path) == [[True] * 6, [True] + [False] * 5]


def test_how_a_way_narrows_it_down_is_an_icon(plans, tmp_path):
    save_icon(plans.boundary_first(plans.catalogue.worlds[0]), str(tmp_path / "icon.png"))
    assert (tmp_path / "icon.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_unlike_those_that_are_known_is_brought_to_an_end_too():
    strange = Check("strange", 1, lambda case: (f"seed {case.run.seed}", ""))
    plans = Plans(catalogue(checks=[strange, *CHECKS]))
    for world in plans.catalogue.later():
        for player in plans.players().values():
            assert player(world, 3).fixes[-1].name == world.fault.name


def test_every_fault_is_drawn_about_as_often(plans):
    drawn = [plans.draw(number).fault.name for number in range(1000)]
    assert all(200 < drawn.count(name) < 300 for name in "abcd")


# An incident, played


def test_what_is_done_costs_its_minutes_and_is_written_down(plans):
    incident = Incident(plans, number_of(plans, "b"))
    assert incident.symptom == "1 shipped; the healthy system: 10"
    assert str(incident.check("odd")) == f"minute 3: odd: no (seed {incident._world.seed})"
    assert str(incident.commit("rout")) == "minute 3: committed to routing"
    assert str(incident.fix("mend d")) == "minute 43: mend d: no better, 1 shipped"
    incident.commit(LOGIC)
    assert str(incident.fix("b")) == "minute 63: mend b: it is over, 10 shipped"
    assert incident.over and incident.truth.name == "b"
    assert incident.path.commits == (ROUTING, LOGIC) and incident.path.minutes == 63
    assert incident.instead(plans.fix_first).minutes == 35
    assert "over, 63 minutes of outage" in repr(incident)


def test_the_same_look_again_costs_nothing(plans):
    incident = Incident(plans, 1)
    assert incident.check("odd") is incident.check("odd")
    assert incident.minutes == 3 and len(incident.steps) == 1


def test_an_open_incident_does_not_tell_its_fault(plans):
    incident = Incident(plans, 1)
    for what in ("truth", "path"):
        with pytest.raises(Mistake, match="still open, after 0 minutes"):
            getattr(incident, what)
    with pytest.raises(Mistake, match="still open"):
        incident.instead(plans.best)
    assert "mend" not in repr(incident)


def test_no_fix_without_a_commitment(plans):
    with pytest.raises(Mistake, match=r'fix\("mend a"\): commit to a boundary first, as in commit\("routing"\)'):
        Incident(plans, 1).fix("mend a")


def test_only_fixes_of_the_boundary_that_one_is_committed_to(plans):
    incident = Incident(plans, 1)
    incident.commit(LOGIC)
    with pytest.raises(Mistake, match=r'Its fixes are "mend a" and "mend b"\..* Or commit to another boundary\.'):
        incident.fix("move the moon")
    with pytest.raises(Mistake, match="Did you mean `mend a`"):
        incident.fix("mend aa")


def test_a_fix_is_tried_once(plans):
    incident = Incident(plans, number_of(plans, "b"))
    incident.commit(LOGIC)
    incident.fix("mend a")
    with pytest.raises(Mistake, match="you tried that, and it did not help"):
        incident.fix("mend a")


@pytest.mark.parametrize("boundary", ["", "network", "r0uting", None])
def test_a_boundary_that_is_none_is_refused(plans, boundary):
    with pytest.raises(Mistake, match='the boundaries are "application logic", "runtime configuration"'):
        Incident(plans, 1).commit(boundary)


def test_committing_twice_to_the_same_is_a_slip(plans):
    incident = Incident(plans, 1)
    incident.commit("routing")
    with pytest.raises(Mistake, match=r'that is what you are committed to\. Its fixes are "mend d"'):
        incident.commit("routing")


def test_an_unknown_check_lists_those_that_there_are(plans):
    with pytest.raises(Mistake, match=r'There are "first half", "odd" and "nothing"\. Did you mean `odd`'):
        Incident(plans, 1).check("od")


def test_after_the_end_there_is_nothing_to_do_but_the_debrief(plans):
    incident = Incident(plans, number_of(plans, "c"))
    incident.commit(CONFIGURATION)
    incident.fix("mend c")
    for act, name in ((incident.check, "odd"), (incident.commit, "routing"), (incident.fix, "mend d")):
        with pytest.raises(Mistake, match="the incident is over, after 5 minutes"):
            act(name)


# The room


def clicked(room, buttons, name):
    getattr(room, buttons)[name].click()
    return room


def test_the_buttons_do_what_the_calls_do(plans):
    number = number_of(plans, "b")
    room = incident_room(Incident(plans, number))
    clicked(room, "checks", "odd")
    clicked(room, "boundaries", LOGIC)
    assert [*room.fixes] == ["mend a", "mend b"]
    clicked(room, "fixes", "mend a")
    clicked(room, "fixes", "mend b")
    calls = Incident(plans, number)
    for act, name in ((calls.check, "odd"), (calls.commit, LOGIC), (calls.fix, "mend a"), (calls.fix, "mend b")):
        act(name)
    assert room.incident.log == calls.log and room.incident.path == calls.path
    assert "33 minutes of outage. It is over" in room._page.value


def test_what_cannot_be_done_any_more_is_disabled(plans):
    room = incident_room(Incident(plans, number_of(plans, "b")))
    clicked(room, "checks", "odd")
    clicked(room, "boundaries", LOGIC)
    clicked(room, "fixes", "mend a")
    assert room.checks["odd"].disabled and not room.checks["nothing"].disabled
    assert room.boundaries[LOGIC].description == f"◆ {LOGIC}" and room.boundaries[ROUTING].description == ROUTING
    assert room.boundaries[LOGIC].disabled and not room.boundaries[ROUTING].disabled
    assert room.fixes["mend a"].disabled and not room.fixes["mend b"].disabled
    clicked(room, "fixes", "mend b")
    assert all(button.disabled for group in (room.checks, room.boundaries, room.fixes) for button in group.values())


def test_a_mistake_is_shown_in_the_room(plans):
    room = incident_room(Incident(plans, 1))
    room._do(room.incident.fix, "mend a")
    assert "commit to a boundary first" in room._said.value
    clicked(room, "checks", "odd")
    assert room._said.value == ""


def test_the_room_needs_no_output_widget(plans):
    room = incident_room(Incident(plans, 1))
    kinds = {type(widget).__name__ for widget in room._box.children}
    assert kinds == {"HTML", "HBox"}
    assert "application/vnd.jupyter.widget-view+json" in room._repr_mimebundle_()


# The pictures


def ended(plans, name):
    incident = Incident(plans, number_of(plans, name))
    incident.check("odd")
    incident.commit(ROUTING)
    incident.fix("mend d")
    incident.commit(LOGIC)
    incident.fix(f"mend {name}")
    return incident


def test_a_debrief_sets_your_way_beside_the_best_and_says_what_fix_first_would_have_cost(plans):
    found = debrief(ended(plans, "b"))
    lines = repr(found).splitlines()
    assert lines[0] == (
        "It was b (application logic), and you committed to routing first; fix first would have taken 35 minutes"
    )
    assert lines[1:8] == [
        "Your way: 63 minutes",
        "  before: logic 2, configuration 1, routing 1",
        "  3 min  odd: no: logic 1, routing 1",
        "  ◆ committed to routing",
        "  ✖ 40 min  mend d",
        "  ◆ committed to application logic",
        "  ✔ 20 min  mend b",
    ]
    assert "  2 min  first half: logic 2" in lines
    assert found.paths["the best plan"].minutes <= found.paths["your way"].minutes
    assert found.picture.png().startswith(b"\x89PNG")


def test_a_debrief_of_an_open_incident_says_so(plans):
    open_still = debrief(Incident(plans, 4))
    assert repr(open_still) == "Incident 4 is still open. Check, commit, fix; then run this cell again."
    assert open_still.png().startswith(b"\x89PNG")


def test_the_evidence_counts_the_faults_of_each_finding(plans):
    found = evidence(plans.catalogue)
    assert repr(found).splitlines() == [
        "3 checks, 4 faults: none of the findings is of one fault alone",
        "   2 min  first half: no (2), yes (2)",
        "   3 min  odd: no (2), yes (2)",
        "   1 min  nothing: - (4)",
        "In brackets: of how many faults it can say so.",
    ]
    assert found.alone("odd", "yes") == ["a", "c"]
    assert found.picture.png().startswith(b"\x89PNG")
    name = Check("name", 1, lambda case: (min(case.run.changes), ""))
    assert repr(evidence(plans.catalogue.adding(name))).splitlines()[0] == "4 checks, 4 faults"


def test_downtime_runs_every_player_through_the_same_incidents(plans):
    found = downtime(plans, 100)
    assert [*found.minutes] == ["random guess", "fix first", "boundary first", "the best plan"]
    assert found.minutes["fix first"] == tuple(plans.fix_first(plans.draw(number)).minutes for number in range(100))
    mean, low, high = found.mean("fix first")
    assert low < mean < high and mean == pytest.approx(sum(found.minutes["fix first"]) / 100)
    assert found.faster("the best plan", "the best plan")[0] == 0
    assert found.still_open("fix first", 74)[0] == found.minutes["fix first"].count(75) / 100
    assert found.picture.png().startswith(b"\x89PNG")


def test_downtime_takes_other_players_and_refuses_what_makes_no_sense(plans):
    found = downtime(plans, 10, players={"mine": lambda world, number: plans.after(world, CHECKS)})
    assert [*found.minutes] == ["mine"] and min(found.minutes["mine"]) >= 6 + 5
    with pytest.raises(Mistake, match="give a whole number from 2 on; an interval"):
        downtime(plans, 1)
    with pytest.raises(Mistake, match='no player "yours": there are mine'):
        found.mean("yours")


def test_a_world_is_a_fault_and_a_seed(plans):
    assert plans.catalogue.worlds[0] == World(FAULTS[0], 0)
