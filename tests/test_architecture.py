"""The house rules that a machine can check."""

import ast
import subprocess
import sys
from pathlib import Path

import simlib

ROOT = Path(simlib.__file__).parent
# An import may only point up this list, and inside a package up its own. The reader meets the theory in this order.
HOUSE = [
    "text", "errors", "files", "arguments", "watchdog", "progress", "model", "resources", "schedule", "check",
    "simulate", "live", "scenario", "sweep", "audit", "views", "compare", "course", "types",
]  # fmt: skip


def modules():
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def floor(path):
    return HOUSE.index(path.relative_to(ROOT).parts[0].removesuffix(".py"))


def imports(path):
    """The floors that this module imports from; what is imported for its types alone does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types or not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        names = [alias.name for alias in node.names]
        targets = names if isinstance(node, ast.Import) else [node.module]
        if targets == ["simlib"]:
            targets = [f"simlib.{name}" for name in names]
        yield from (target.split(".")[1] for target in targets if target.startswith("simlib."))


def test_imports_point_up_the_house():
    wrong = [
        f"{path.relative_to(ROOT)} imports {target}"
        for path in modules()
        for target in imports(path)
        if HOUSE.index(target) > floor(path)
    ]
    assert wrong == []


def test_no_resource_knows_an_engine():
    for path in (ROOT / "resources").glob("*.py"):
        assert not {"schedule", "check", "simulate", "live", "scenario"} & set(imports(path))


def test_only_views_and_the_course_draw():
    drawing = ("matplotlib", "ipywidgets", "IPython")
    for path in modules():
        if path.relative_to(ROOT).parts[0] not in ("views", "course"):
            assert not any(f"import {name}" in path.read_text(encoding="utf-8") for name in drawing), path


def test_importing_simlib_loads_nothing_but_simpy():
    program = (
        "import sys; before = set(sys.modules); import simlib; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'simlib', 'simpy'}))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_the_public_names_are_few_and_there():
    assert len(simlib.__all__) <= 20
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


def test_functions_and_modules_stay_small():
    for path in modules():
        text = path.read_text(encoding="utf-8")
        long = [
            f"{path.name}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 50
        ]
        assert long == []
        assert len(text.splitlines()) <= 420, path


def test_no_clock_and_no_unseeded_chance_outside_of_limits_and_progress():
    allowed = {"progress.py", "search.py", "values.py"}  # two watch how long a learner has waited; one knows the types
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


def test_no_picture_needs_matplotlib_and_a_chart_says_what_it_takes():
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from simlib import compare, lanes\n"
        "from simlib.views import board, crash_strip, failure_matrix, interleaving_map, price_tag, survival_curve\n"
        "from tests.sample import charge, charge_once, shop\n"
        "pictures = [lanes(shop().explore(charge)), compare(shop(), happy_path=charge, failure_mode=charge_once)]\n"
        "pictures += [what(shop(), charge) for what in (crash_strip, failure_matrix, interleaving_map, board)]\n"
        "pictures += [price_tag(shop(), charge)]\n"
        "shown = [one._repr_mimebundle_()[0] for one in pictures]\n"
        "assert all(one['text/html'].startswith('<svg') and one['text/plain'] for one in shown)\n"
        "chart = survival_curve(shop(), charge, days=1, runs=2)._repr_mimebundle_()[0]\n"
        "print(len(shown), 'pictures', list(chart), chart['text/plain'].splitlines()[-1])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT.parent)
    line = "There is a chart of this where matplotlib is: pip install 'midflight[notebooks]'."
    assert ran.stdout == f"7 pictures ['text/plain'] {line}\n", ran.stderr
