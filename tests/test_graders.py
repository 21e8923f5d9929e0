"""No grader passes a wrong answer, and each passes the right ones."""

import ast
import importlib
from functools import cache

import pytest

from simlib.course.progress_map import lessons
from tests.lessons import FOLDER, definitions, graded, notebook, source

# Lesson 12's simulations take half a minute: its answers are tried where they have been made (tests/test_lesson_12.py).
COURSE = [name for lesson in lessons(FOLDER) for name in lesson.exercises if not name.startswith("12")]


@cache
def answers(number):
    return importlib.import_module(f"tests.answers.lesson_{number}")


@cache
def names_of(number):
    own = getattr(answers(number), "names", None)
    return own() if own else definitions(number)


def judged_by_the_lesson(exercise, answer):
    """(done, said) of an answer, which is code, or the runs of an attack."""
    number, name = exercise.split()
    own = getattr(answers(number), "graded", None)
    if own and (found := own(name, answer, names_of(number))) is not None:
        return found
    if isinstance(answer, tuple):
        return graded(number, name, names=names_of(number), moves=answer)
    return graded(number, name, answer, names=names_of(number))


def usual(exercise):
    """What is wrong in every lesson: nothing changed, nothing done, a property that says nothing."""
    number, name = exercise.split()
    found = {"as given": ""}
    texts = [source(one) for one in notebook(number)["cells"] if f'record("{exercise}"' in source(one)]
    functions = [node for node in ast.walk(ast.parse(texts[0])) if isinstance(node, ast.FunctionDef)]
    if name == "defend" and functions:
        found["returns at once"] = f"def {functions[-1].name}({_parameters(functions[-1])}):\n    return\n    yield\n"
    if name == "audit" and functions:
        head = f"def my_property({_parameters(functions[-1])}):\n    return "
        first = functions[-1].args.args[0].arg
        found["always true"] = f"{head}True\n"
        found["a tautology"] = f"{head}{first} is {first}\n"
        found["always false"] = f"{head}False\n"
    return found


def _parameters(function):
    return ast.unparse(function.args)


def cases(of):
    return [
        pytest.param(exercise, answer, id=f"{exercise}: {what}")
        for exercise in COURSE
        for what, answer in of(exercise).items()
    ]


def wrong(exercise):
    number, name = exercise.split()
    return {**usual(exercise), **answers(number).WRONG[name]}


def right(exercise):
    number, name = exercise.split()
    return answers(number).RIGHT[name]


@pytest.mark.parametrize("exercise, answer", cases(wrong))
def test_no_wrong_answer_passes(exercise, answer):
    done, said = judged_by_the_lesson(exercise, answer)
    assert not done and said


@pytest.mark.parametrize("exercise, answer", cases(right))
def test_every_right_answer_passes(exercise, answer):
    assert judged_by_the_lesson(exercise, answer)[0]


@pytest.mark.parametrize("exercise", COURSE)
def test_every_exercise_has_wrong_answers_and_more_than_one_right_one(exercise):
    assert len(wrong(exercise)) >= 3
    assert len(right(exercise)) >= (2 if exercise.endswith("defend") else 1)
