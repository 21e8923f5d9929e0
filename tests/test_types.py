"""The face is closed: a type checker, `help` and Tab know each name that it takes and each question that it answers."""

import inspect
import json
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import simlib.types
from simlib import Clock, Database, Disk, Lock, Queue, Scenario, Service, compare, sweep
from simlib.course import grade, workers_slider
from simlib.errors import Mistake
from simlib.model import fault
from simlib.model.fault import FAULT_NAMES, KINDS
from simlib.model.resource import Resource
from simlib.model.view import Attribute, Question
from simlib.resources import Collection
from simlib.scenario import CONDITIONS, system_of
from simlib.schedule import budget
from simlib.schedule.budget import LIMITS
from simlib.simulate.conditions import Conditions, Production, Seed
from simlib.sweep.identity import describe
from simlib.views import board, load_curve, price_tag, survival_curve
from tests.browser import npm_package
from tests.typed import right

ROOT = Path(__file__).parent.parent
TYPED = ROOT / "tests" / "typed"
PYRIGHT = "1.1.414"

# One place for each name


def spelled(names):
    """The names of a TypedDict with their types, as they are written."""
    return {name: getattr(kind, "__forward_arg__", kind) for name, kind in names.__annotations__.items()}


def taken(function, *but):
    """The names that a function takes by name, with their types."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.annotation for one in parameters if one.kind is one.KEYWORD_ONLY and one.name not in but}


def test_the_faults_are_those_of_the_tables_in_their_order():
    assert [*spelled(budget.Faults)] == [*KINDS] == [*FAULT_NAMES]
    assert {*fault.LETTERS} == {*KINDS}


def test_explore_takes_what_others_hand_on_to_it():
    assert [*spelled(budget.SearchLimits)] == [*LIMITS]
    assert taken(Scenario.explore) == spelled(budget.Question)
    assert spelled(budget.Question) == spelled(budget.Staff) | spelled(budget.SearchLimits) | spelled(budget.Faults)


def test_simulate_takes_what_others_hand_on_to_it():
    assert taken(Scenario.simulate, "env", "beside") == spelled(Seed) | spelled(Production)
    assert {*CONDITIONS} == {*spelled(Seed), *spelled(Production)}
    of_a_run = {"seed", "workers", "trace", "until_violation"}
    assert {field.name for field in fields(Conditions)} == {*CONDITIONS} - of_a_run


def test_what_is_handed_on_is_in_each_signature():
    question, production = spelled(budget.Question), spelled(Production)
    assert taken(compare, "happy_path", "failure_mode") == question
    assert taken(board) == question
    assert taken(grade, "budgets", "polls") == question
    assert taken(workers_slider, "most") == spelled(budget.Search)
    assert taken(price_tag, "runs", "seed") == taken(load_curve, "seed") == production
    del production["trace"]
    assert taken(sweep, "seeds", "parameters", "executor", "to") == production
    assert {*taken(survival_curve)} - {"days", "runs", "seed", "formula", "trace"} == {*production} - {
        "hours", "until_violation",
    }  # fmt: skip


@pytest.mark.parametrize(
    "typed, completed",
    [
        ("shop.explore(worker, cra", "crashes="), ("shop.live(worker, node", "node_losses="),
        ("shop.simulate(worker, outage", "outage_chance="), ("compare(shop, happy_path=worker, pow", "power_losses="),
        ("audit(shop, claim, max_st", "max_states="), ("sweep(shop, worker, hou", "hours="),
        ("survival_curve(shop, worker, laten", "latency="), ("board(shop, worker, work", "workers="),
        ("def claim(inbox: Queue):\n    return inbox.dead", "dead_letters"),
        ("def claim(bank: Service):\n    return bank.cou", "count"), ("shop.explore(worker).verd", "verdict"),
    ],
)  # fmt: skip
def test_tab_completes_names_in_a_notebook(typed, completed):
    completer = pytest.importorskip("IPython.core.completer")
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.run_cell(
        "from simlib import *\nfrom simlib.views import *\n"
        "def worker(bank):\n    yield bank.call('ping')\nshop = Scenario(bank=Service())\n"
    )
    with completer.provisionalcompleter():
        found = [one.text for one in shell.Completer.completions(typed, len(typed))]
    assert completed in found


# What a property may ask

RESOURCES = [*Resource.__subclasses__()]


def questions(kind):
    return {name for name, what in vars(kind).items() if isinstance(what, (Question, Attribute))}


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.__name__)
def test_a_resource_declares_what_its_state_shows(kind):
    state = (kind(webhooks=True) if kind is Service else kind()).initial("it")
    looks = {name for name in ("__getitem__", "__contains__") if hasattr(state, name)}
    assert questions(kind) == {*state.sees} | looks
    assert all(vars(kind)[name].__doc__.startswith("For a property: ") for name in questions(kind))


@pytest.mark.parametrize(
    "ask, asked",
    [
        (lambda: Service().count("charge"), "`Service.count` of a Service"),
        (lambda: Database()["x"], "`Database[key]` of a Database"),
        (lambda: "x" in Database(), "`key in Database` of a Database"),
        (lambda: Lock().holder, "`Lock.holder` of a Lock"),
        (lambda: right.charged_once(Service(), Database()), "`Service.count` of a Service"),
    ],
)  # fmt: skip
def test_a_description_says_where_its_question_is_answered(ask, asked):
    with pytest.raises(Mistake) as caught:
        ask()
    kind = asked.split()[-1]
    assert str(caught.value) == (
        f"{asked} that is only described: nothing has happened to it. A property asks, through a parameter with the "
        f"name that the scenario gives it: Scenario({kind.lower()}={kind}(...)) and def claim({kind.lower()}): ...; or "
        f'ask what a run ends with: scenario.run(worker)["{kind.lower()}"].'
    )


OF_A_SERVICE = "the steps ack, call, look_up, nack and receive"
STEPS = "A worker reaches a resource by steps alone, such as `yield db.read(key)`."


@pytest.mark.parametrize(
    "ask, message",
    [
        (
            lambda bank, db: bank.count("charge"),
            f"`bank.count`: a Service has {OF_A_SERVICE}.",
        ),
        (lambda bank, db: bank.count, f"`bank.count`: a Service has {OF_A_SERVICE}."),
        (lambda bank, db: db["x"], f"'Database' object is not subscriptable. {STEPS}"),
        (lambda bank, db: "x" in db, f"argument of type 'Database' is not iterable. {STEPS}"),
        (lambda bank, db: list(db), f"'Database' object is not iterable. {STEPS}"),
    ],
)
def test_a_worker_that_asks_a_propertys_question_is_told_of_steps(ask, message):
    def work(bank, db):
        ask(bank, db)
        yield bank.call("charge")

    with pytest.raises(Mistake) as caught:
        Scenario(bank=Service(), db=Database()).explore(work)
    assert str(caught.value).endswith(message)


def test_help_says_what_a_worker_yields_and_what_a_property_asks():
    said = subprocess.run(
        [sys.executable, "-c", "from simlib import *; help(Service); help(Lock)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout
    assert "call(self, action: 'str', *args: 'Any', idempotency_key: 'Any' = None) -> 'Op'" in said
    assert "count(self, action: 'str', *args: 'Any') -> 'int'" in said
    assert "Readonly properties defined here:" in said and "For a property: how often it was acquired." in said


# What a user holds


def test_what_a_user_holds_has_a_type_to_name():
    assert all(hasattr(simlib.types, name) for name in simlib.types.__all__)
    kinds = {getattr(simlib.types, name) for name in simlib.types.__all__}
    held = [right.simulated(), right.played(), right.compared(), right.audited(), right.graded(), *right.drawn()]
    held += [right.explored(), right.played().events[0], *right.charted()]
    held += [held[0].conditions, held[0]["db"]]
    assert all(type(one) in kinds for one in held), [type(one) for one in held if type(one) not in kinds]


def test_nothing_shows_an_address():
    shop, report = right.SHOP, right.explored()
    held = [shop, *shop.resources.values(), *shop.always, report, report.system, right.played(), right.simulated()]
    held += [right.compared(), right.audited(), right.graded(), *right.drawn(), *right.charted()]
    held += [*held[0].run(right.charge).events, system_of(shop, right.charge).start("A").op]
    for one in held:
        assert " at 0x" not in f"{one!r} {one}", type(one)
    shop = Scenario(inbox=Queue(["o-1"], max_receives=3), disk=Disk(capacity=4), ann="x", workers=2, always=[paid])
    assert repr(shop) == (
        '<Scenario(inbox=Queue(["o-1"], max_receives=3), disk=Disk(capacity=4), ann="x", workers=2, always=[paid])>'
    )
    assert [repr(Clock()), repr(Collection({"ann": 1}))] == ["<Clock()>", '<Collection({"ann": 1})>']
    assert repr(Service().handle("bank", [])) == "<bank: a Service>"


def test_a_sweep_still_tells_scenarios_apart():
    assert describe(Scenario(rate=1)) == describe(Scenario(rate=1)) != describe(Scenario(rate=2))


def paid(inbox):
    return inbox.sent == 1


# What type checkers say


def wrong_lines():
    lines = (TYPED / "wrong.py").read_text(encoding="utf-8").splitlines()
    return {("wrong.py", number) for number, line in enumerate(lines, start=1) if line.endswith("# wrong")}


def reported(said):
    """The places that errors are reported at."""
    return {(name, int(line)) for name, line in re.findall(r"(\w+\.py):(\d+)(?::\d+)?(?: -|:) error", said)}


def test_mypy_reports_each_wrong_line_and_no_right_one(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--cache-dir", str(tmp_path), str(TYPED)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert reported(ran.stdout) == wrong_lines(), ran.stdout + ran.stderr


def test_pyright_reports_each_wrong_line_and_no_right_one(tmp_path):
    node = shutil.which("node")
    program = npm_package("pyright", PYRIGHT) / "index.js"  # without npm it skips
    config = {"include": [str(TYPED)], "extraPaths": [str(ROOT)], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    # Paths are relative to the file, and it may look at nothing but these two.
    relative = {**config, "include": ["typed"]}
    (tmp_path / "typed").symlink_to(TYPED)
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(relative), encoding="utf-8")
    command = [node, str(program), "-p", str(tmp_path), "--pythonpath", sys.executable]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert reported(ran.stdout) == wrong_lines(), ran.stdout + ran.stderr
