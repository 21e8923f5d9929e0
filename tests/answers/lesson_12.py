from tests.answers import solutions
from tests.lessons import cell, run

NUMBER, MONITOR, MATCHED = solutions("12")


def graded(name, answer, names):
    said = []

    def record(exercise, result, of=1):
        said.append((result >= of, f"{result} of {of}"))
        return result

    where = {"attack": ["attack"], "defend": ["defend-code"], "audit": ["incidents", "match"]}[name]
    text = "\n".join(cell("12", one) for one in where)
    if answer:
        start = {"attack": "number =", "defend": "def my_monitor", "audit": "answers ="}[name]
        place = text.index(start)
        end = text.index("\n\n" if name == "defend" else "\n", place)
        text = f"{text[:place]}{answer.strip()}{text[end:]}"
    run(f"{text}\n", {**names, "record": record}, f"<{name} of 12: {hash(text)}>")
    return said[0]


def monitor(finding):
    return f'def my_monitor(case):\n    return {finding}, ""\n'


WRONG = {
    "attack": {"the next": "number = 5", "the first": "number = 0"},
    "defend": {
        "always the same": monitor('"ill"'),
        "all that there is": monitor('repr(sorted(case.run["desk"].rows.items()))'),
        "how many are on the desk": monitor('str(len(case.run["desk"].rows))'),
    },
    "audit": {
        "no answer": "answers = {}",
        "one boundary for all": 'answers = {number: ("storage durability", "d") for number in range(1, 7)}',
        "one wrong": MATCHED.replace('("routing", "c")', '("routing", "f")'),
    },
}
RIGHT = {
    "attack": {"a stale flag": NUMBER},
    "defend": {
        "the solution": MONITOR,
        "three words": MONITOR.replace('        finding = "not in the replica"\n', '        finding = "half a row"\n'),
    },
    "audit": {"the solution": MATCHED},
}
