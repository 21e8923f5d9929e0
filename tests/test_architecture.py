"""The house rules that a machine can check."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

import simlib

ROOT = Path(simlib.__file__).parent
# An import may only point up this list, and inside a package up its own. The reader meets the theory in this order.
HOUSE = [
    "text", "errors", "files", "arguments", "serialization", "watchdog", "progress", "model", "resources", "schedule",
    "check", "simulate", "live", "scenario", "sweep", "audit", "views", "compare", "course", "types",
]  # fmt: skip
ROOMS = {
    "model": [
        "operation", "builders", "fault", "records", "shape", "values", "timing", "shown", "view", "state",
        "resource", "outside_memory", "asked", "generator_state", "process", "properties", "system",
    ],
    "resources": [
        "read_set", "serializable", "transaction", "transactional", "expiring", "database_state", "database", "message",
        "queue", "lock", "advisory_lock", "disk", "service_state", "webhooks", "service", "collection", "clock",
        "random",
    ],
    "schedule": ["transition", "budget", "trace", "machine", "token", "replay", "scripted", "random"],
    "check": [
        "edges", "encoding", "findings", "graph", "behaviour", "local_states", "determinism", "resource_states",
        "world", "restricted", "symmetry", "counters", "property_answers", "learned", "prices", "ways", "successors",
        "question", "violations", "search", "reachability", "shortest", "core", "core_successors", "core_searches",
        "checker", "report", "fault_matrix",
    ],
    "simulate": [
        "conditions", "clock", "server", "arrivals", "result", "resource", "worker", "timers", "requests", "faults",
        "recorder", "execution", "lean", "simulation",
    ],
    "live": [
        "pipe", "stores", "worker", "observer", "fork_server", "actor", "processes", "race", "machine", "chaos",
    ],
}  # fmt: skip


def modules():
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def name_of(path):
    """`simlib.check.search`; of a package `simlib.check`."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in ROOT.rglob("*.py")}


def imports(path):
    """The modules of simlib that this one imports, also those that it imports for their types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.ImportFrom) and node.module in NAMES:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & NAMES
            yield from submodules or {node.module}


def test_imports_point_up_the_house():
    wrong = [
        f"{name_of(path)} imports {target}"
        for path in modules()
        for target in imports(path)
        if target != "simlib" and HOUSE.index(target.split(".")[1]) > HOUSE.index(name_of(path).split(".")[1])
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_up_inside_a_package(room):
    order, inside = ROOMS[room], f"simlib.{room}."
    assert {*order} == {name.removeprefix(inside).partition(".")[0] for name in NAMES if name.startswith(inside)}
    wrong = [
        f"{name_of(path)} imports {target}"
        for path in (ROOT / room).rglob("*.py")
        for target in imports(path)
        if target.startswith(inside) and name_of(path).startswith(inside)
        if order.index(target.split(".")[2]) > order.index(name_of(path).split(".")[2])
    ]
    assert wrong == []


def test_no_import_goes_in_a_circle():
    after = {name_of(path): {*imports(path)} - {"simlib", name_of(path)} for path in modules()}
    assert len([*TopologicalSorter(after).static_order()]) >= len(after)  # it raises CycleError


def test_no_resource_knows_an_engine():
    for path in (ROOT / "resources").glob("*.py"):
        above = {target.split(".")[1] for target in imports(path)}
        assert not {"schedule", "check", "simulate", "live", "scenario"} & above


def test_only_views_and_the_course_draw():
    drawing = ("matplotlib", "PIL", "ipywidgets", "IPython")
    for path in modules():
        if path.relative_to(ROOT).parts[0] not in ("views", "course"):
            assert not any(
                f"{how} {name}" in path.read_text(encoding="utf-8") for name in drawing for how in ("import", "from")
            ), path


def test_importing_simlib_loads_nothing_but_simpy():
    program = (
        "import sys; before = set(sys.modules); import simlib; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'simlib', 'simpy'}))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_the_public_names_are_few_and_there():
    assert len(simlib.__all__) <= 25
    assert all(hasattr(simlib, name) for name in simlib.__all__)


def test_every_public_thing_says_what_it_is():
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


def test_every_method_of_what_is_public_says_what_it_does():
    for name in simlib.__all__:
        thing = getattr(simlib, name)
        assert thing.__doc__
        for verb, method in vars(thing).items() if isinstance(thing, type) else ():
            assert verb.startswith("_") or not callable(method) or method.__doc__ or verb == "initial", f"{name}.{verb}"


LONG_FUNCTIONS = {
    "check/graph.py: circles": "Tarjan's algorithm, in one piece as in the paper",
    "check/successors.py: of": "the innermost loop of a search, where a call costs as much as all the rest",
    "model/resource.py: _checked": "a closure that each step of a simulation runs",
    "simulate/lean.py: _carry_out": "the innermost loop of a simulation, where a call costs as much as all the rest",
    "scenario/__init__.py: simulate": "a line of its signature for each condition: an editor shows the defaults",
}
LONG_MODULES = {
    "check/local_states.py": "one tree, and the generators that it is grown with",
    "check/search.py": "what both searches do, step by step",
    "check/successors.py": "what is looked up for the innermost loop stands beside it",
    "live/stores/interactive.py": "one class: a connection that stays in its transaction",
    "live/stores/sql.py": "one statement for each step of two resources",
    "model/generator_state.py": "a reader for each type that a frame can hold",
    "model/outside_memory.py": "a look for each type that can be reached",
    "model/process.py": "a sentence for each slip with a `yield`",
    "model/system.py": "binding names, with a sentence for each that does not fit",
    "resources/database.py": "the face: most of it is docstrings",
    "resources/disk.py": "one mechanism a file, its docstring a page",
    "resources/lock.py": "one mechanism a file, its docstring a page",
    "resources/queue.py": "one mechanism a file, its docstring a page",
    "resources/transactional.py": "one class",
    "scenario/__init__.py": "the face: most of it is docstrings",
    "schedule/machine.py": "one class",
    "schedule/replay.py": "one class",
    "schedule/trace.py": "an event, a trace, and its text",
    "schedule/transition.py": "all that can happen, and what it does to the world",
    "simulate/execution.py": "one class",
    "simulate/lean.py": "one loop, which stands by itself",
    "views/layout.py": "a method for each kind of mark",
    "simulate/conditions.py": "each condition twice: as a field, and as a keyword",
    "watchdog.py": "one thread that looks after all that runs",
}


def test_functions_and_modules_stay_small():
    functions, modules_, sizes = [], [], []
    for path in modules():
        text, where = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        modules_ += [where] if len(text.splitlines()) > 250 else []
        assert len(text.splitlines()) <= 350, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                sizes.append(node.end_lineno - node.lineno + 1)
                functions += [f"{where}: {node.name}"] if sizes[-1] > 40 else []
    assert (sorted(functions), sorted(modules_)) == (sorted(LONG_FUNCTIONS), sorted(LONG_MODULES))
    assert median(sizes) <= 6 and max(sizes) <= 50


def test_no_clock_and_no_unseeded_chance_outside_of_limits_and_progress():
    allowed = {"progress.py", "search.py", "question.py"}  # they watch how long a learner has waited
    allowed |= {"values.py", "generator_state.py"}  # they know the types
    allowed |= {"chunk.py", "driver.py", "store.py"}  # how much work is handed out at a time, and when it is synced
    allowed |= {"exercises.py"}  # when an attempt was made; no output shows it
    allowed |= {"sql.py", "race.py"}  # what is for real has real deadlines, and is killed at a real moment
    for path in modules():
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        real = "live" in path.parts  # there the clock is the world's
        assert not names & {"time", "datetime", "uuid", "secrets"} or path.name in allowed or real, path


PICTURES = (
    "from simlib import compare, lanes\n"
    "from simlib.views import board, crash_strip, failure_matrix, interleaving_map, price_tag, survival_curve\n"
    "from tests.sample import charge, charge_once, shop\n"
    "pictures = [lanes(shop().explore(charge)), compare(shop(), happy_path=charge, failure_mode=charge_once)]\n"
    "pictures += [what(shop(), charge) for what in (crash_strip, failure_matrix, interleaving_map, board)]\n"
    "pictures += [price_tag(shop(), charge), survival_curve(shop(), charge, days=1, runs=2)]\n"
    "shown = [one._repr_mimebundle_()[0] for one in pictures]\n"
)


def run_program(program):
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT.parent)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("missing", ["PIL", "matplotlib"])
def test_without_what_draws_pixels_every_picture_is_shown_as_svg(missing):
    said = run_program(
        f"import sys; sys.modules['{missing}'] = None\n{PICTURES}"
        "assert all(one['text/html'].startswith('<svg') and one['text/plain'] for one in shown)\n"
        "print(len(shown), {kind for one in shown for kind in one} - {'text/plain', 'text/html'})"
    )
    assert said == "8 set()\n"


def test_no_picture_that_is_shown_imports_matplotlib_or_numpy_and_none_is_drawn_before_it_is_shown():
    said = run_program(
        "import sys\nimport simlib.course\nfrom tests.sample import charge, shop\n"
        "drawing = {'matplotlib', 'numpy', 'PIL'}\n"
        "print(repr(shop().explore(charge))[:8], repr(simlib.lanes(shop().explore(charge)))[:6])\n"
        f"print(sorted(drawing & {{*sys.modules}}))\n{PICTURES}"
        "print(sorted(drawing & {*sys.modules}), all(one['image/png'][:4] == b'\\x89PNG' for one in shown))"
    )
    assert said == "violated charge\n[]\n['PIL'] True\n"
