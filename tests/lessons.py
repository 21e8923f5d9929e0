"""Reads the lessons themselves: the code of a lesson lives in its notebook and nowhere else."""

import ast
import inspect
import itertools
import json
import linecache
import re
import textwrap
from pathlib import Path

from simlib.course.exercises import judged
from simlib.errors import Mistake

FOLDER = Path(__file__).parent.parent / "notebooks"


def notebook(number):
    (path,) = FOLDER.glob(f"{number}_*.ipynb")
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def cell(number, name):
    """The source of one cell of a lesson."""
    return next(source(cell) for cell in notebook(number)["cells"] if cell["id"] == name)


def solved(number, names, which):
    """The lesson's names, with what one of its solutions defines."""
    names = dict(names)
    run(solutions(number)[which], names, f"<solution {which} of {number}>")
    return names


def definitions(number):
    """Run what a lesson imports and defines, and return what that made: functions, scenarios, constants, and what is
    built of nothing but these. What only shows something is left to nbval. The sources are known to `inspect`, as in
    a notebook.
    """
    names, own = {}, set()
    for cell in notebook(number)["cells"]:
        if cell["cell_type"] == "code":
            kept = _definitions_only(source(cell), own)
            if kept:
                run(kept, names, f"<lesson {number}, {cell['id']}>")
    return names


def run_until(number, last):
    """Run a lesson's code from its top to this cell, with what it computes and without what it shows."""
    names = {}
    for cell in notebook(number)["cells"]:
        if cell["cell_type"] == "code":
            run(source(cell), names, f"<lesson {number}, {cell['id']}>")
        if cell["id"] == last:
            return names
    raise KeyError(last)


def _definitions_only(text, own):
    lines, parts = text.splitlines(), []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            own.add(node.name)
        elif isinstance(node, ast.Assign) and _is_definition(node, own):
            own.add(getattr(node.targets[0], "id", ""))
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        parts.append("\n".join(lines[node.lineno - 1 : node.end_lineno]))
    return "\n\n".join(parts) and "\n\n".join(parts) + "\n"


def _is_definition(node, own):
    inside = list(ast.walk(node.value))
    used = {name.id for name in inside if isinstance(name, ast.Name)}
    return "Scenario(" in ast.unparse(node.value) or (
        used <= own and not any(isinstance(part, ast.Attribute) for part in inside)
    )


def run(text, names, label):
    linecache.cache[label] = (len(text), None, text.splitlines(keepends=True), label)
    exec(compile(text, label, "exec"), names)


def solutions(number):
    """The code in the lesson's collapsed solutions, in order."""
    texts = [source(cell) for cell in notebook(number)["cells"] if cell["cell_type"] == "markdown"]
    return [
        code
        for text in texts
        if "<summary>A solution" in text
        for code in re.findall(r"```python\n(.*?)```", text, re.S)
    ]


def without_line(function, fragment):
    """The function again, with the one line that has this fragment taken out: a mutant."""

    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    (place,) = [number for number, line in enumerate(lines) if fragment in line]
    return changed(function, lines[:place] + lines[place + 1 :])


def with_text(function, before, after):
    """The function again, with `before` replaced by `after`, which has to change it."""

    text = textwrap.dedent(inspect.getsource(function))
    assert text.count(before) >= 1
    return changed(function, text.replace(before, after).splitlines())


def changed(function, lines):
    names = dict(function.__globals__)
    text = "\n".join(lines) + "\n"
    run(text, names, f"<mutant of {function.__name__}: {hash(text)}>")
    return names[function.__name__]


def mutants(function):
    """The function with one statement less, and with two neighbours swapped: what a slip of the keyboard would leave.

    Yields (what was done, mutant). Left out are those that do not compile or have no step.
    """
    text = textwrap.dedent(inspect.getsource(function))
    lines = text.splitlines()
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)][1:]
    for node in sorted(statements, key=lambda node: node.lineno):
        said = lines[node.lineno - 1].strip()
        kept = [*lines[: node.lineno - 1], " " * node.col_offset + "pass", *lines[node.end_lineno :]]
        yield from _mutant(function, f"without `{said}`", kept)
    for block in _blocks(ast.parse(text)):
        for one, two in itertools.pairwise(block):
            first, second = (lines[node.lineno - 1 : node.end_lineno] for node in (one, two))
            between = lines[one.end_lineno : two.lineno - 1]
            swapped = lines[: one.lineno - 1] + second + between + first + lines[two.end_lineno :]
            yield from _mutant(function, f"`{second[0].strip()}` before `{first[0].strip()}`", swapped)


def _blocks(tree):
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and not isinstance(node, ast.Module):
                yield block


def _mutant(function, what, lines):
    try:
        mutant = changed(function, lines)
    except SyntaxError:
        return
    if inspect.isgeneratorfunction(mutant):
        yield what, mutant


def survivors(scenario, function, *, instead=None, **faults):
    """What can be done to this worker, one slip at a time, without `explore` finding anything out.

    `instead(mutant)` gives the workers to explore where there are several roles. A mutant that is no worker at all any
    more (it asks for a name that is gone, say) counts as found out.
    """
    whole = instead or (lambda worker: worker)
    usual = _loops(scenario.explore(whole(function), **faults))
    return {what for what, mutant in mutants(function) if _holds(scenario, whole(mutant), faults, usual)}


def _holds(scenario, worker, faults, usual):
    """Whether nothing is wrong, and nobody is said to loop for ever who does not usually."""
    try:
        report = scenario.explore(worker, **faults)
        return report.verdict == "holds" and _loops(report) <= usual
    except Mistake:
        return False


def _loops(report):
    return {loop.worker for loop in report.loops}


def graded(number, exercise, answer="", names=None, moves=()):
    """What the lesson's own cell makes of an answer that is put where a learner writes it: (done, in few words).

    `answer` is the code of the functions, or of the assignment, that the learner changes; `moves` are, for each attack
    in the cell, its moves, or after how many steps it crashes.
    """
    place = f'record("{number} {exercise}"'
    (text,) = [source(one) for one in notebook(number)["cells"] if place in source(one) and one["cell_type"] == "code"]
    given, said = ast.parse(answer).body, []
    tree = _Answered(given, moves).visit(ast.parse(text))
    here = {_named(node) for node in tree.body} - {None}
    tree.body = [node for node in given if _named(node) not in here] + tree.body
    names = dict(names if names is not None else definitions(number))
    names["record"] = lambda name, result, *more, **asked: said.append(judged(result, *more, **asked)) or result
    names["lanes"] = lambda *runs, **more: None
    code = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    try:
        run(code, names, f"<{exercise} of {number}: {hash(code)}>")
    except Mistake as mistake:
        return False, str(mistake)
    (verdict,) = said
    return verdict


def _named(node):
    return getattr(node, "name", None) or getattr(getattr(node, "targets", [None])[0], "id", None)


class _Answered(ast.NodeTransformer):
    """The cell with the learner's functions in place of those that it came with, and the learner's moves."""

    def __init__(self, given, moves):
        self.given, self.moves = {_named(node): node for node in given}, list(moves)

    def visit_FunctionDef(self, node):
        return self.given.get(node.name, node)

    def visit_Assign(self, node):
        return self.given.get(_named(node)) or self.generic_visit(node)

    def visit_Call(self, node):
        self.generic_visit(node)
        if getattr(node.func, "attr", "") == "attack" and self.moves:
            node.args = [node.args[0], *map(ast.Constant, self.moves.pop(0))]
        if getattr(node.func, "attr", "") == "run" and self.moves:
            node.keywords = [ast.keyword("crash_after", ast.Constant(self.moves.pop(0)))]
        return node


def edited(text, *changes):
    """A worker's or a property's source with each of these texts replaced, which has to be there: a wrong answer."""
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text
