"""Answers to the exercises, a module a lesson: wrong ones, which no grader may pass, and right ones.

Each module has `WRONG` and `RIGHT`: exercise -> what it is -> the answer. An answer is code, put where the learner
writes it; to an attack, its moves, one tuple for each run. What is wrong in every lesson (nothing changed, a worker
that returns at once, a property that is always true) is added by tests/test_graders.py.
"""

from tests.lessons import cell, edited, solutions

__all__ = ["ack_first", "ack_only", "cell", "edited", "given", "prop", "solutions"]


def given(number, function, where="defend-code"):
    """The source of the function that the exercise starts from."""
    text = cell(number, where)
    start = text.index(f"def {function}(")
    return text[start:].split("\n\n")[0] + "\n"


def prop(parameters, expression):
    """A property of one line."""
    return f"def my_property({parameters}):\n    return {expression}\n"


def ack_only(function, queue):
    """A worker that receives, and acknowledges what it has not done."""
    return f"def {function}({queue}):\n    yield {queue}.ack((yield {queue}.receive()))\n"


def ack_first(text, queue, message):
    """The worker with its acknowledgement before everything else."""
    ack = f"    yield {queue}.ack({message})\n"
    receive = f"    {message} = yield {queue}.receive()\n"
    return edited(text, (ack, ""), (receive, receive + ack))
