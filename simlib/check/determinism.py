"""The audit: whether workers are functions of their answers. Every history is run a second time."""

from __future__ import annotations

from collections.abc import Iterator

from simlib.check.behaviour import ENDED, op_key
from simlib.check.local_states import KEEP_NO_STATE, LocalStates
from simlib.errors import NotDeterministic

FURTHER = 8  # steps for which a second look continues
STEPS_AGAIN = 50, 2_000  # that second looks may take: if everything that workers can reach is watched, and if not


def audit(local_states: LocalStates) -> None:
    """Run every history a second time, and some that were merged into another one.

    Raises NotDeterministic if a worker is not a function of its answers.
    """
    inner = {parent for parent, _ in local_states.parent}
    for node in range(len(local_states.op)):
        local_states.system.watchdog.heed()
        if node not in inner and node not in local_states.vacant:
            _run_again(local_states, node)
    left, behaviour = STEPS_AGAIN[not local_states.behaviour.outside.closed], local_states.behaviour
    for node, answer, known in local_states.merged:
        way = local_states.placed(node), answer
        if way in behaviour.seen_twice:  # in an earlier search
            continue
        behaviour.seen_twice.add(way)
        for path in _ways_on(local_states, known):
            left -= local_states.depth[node] + 1 + len(path)
            if left < 0:
                return
            _look_again(local_states, node, answer, known, path)


def _run_again(local_states: LocalStates, node: int) -> None:
    """Run the history that leads to this node again, unless an earlier search has."""
    history = local_states.history(node)
    start = local_states.placed(history[0][0] if history else node)
    seen = [(start, ENDED), *((local_states.placed(at), answer) for at, answer in history)]
    if any(answer not in place.audited for place, answer in seen):
        local_states.replay(node).discard()
        for place, answer in seen:
            place.audited.add(answer)


def _ways_on(local_states: LocalStates, node: int) -> Iterator[list[tuple[int, int]]]:
    """Each way to continue from here, followed for a few steps, as (answer, node) pairs."""
    for edge in local_states.children[node].items():
        path, been = [edge], {node}
        while len(path) < FURTHER and path[-1][1] not in been:
            been.add(path[-1][1])
            ahead = local_states.children[path[-1][1]].items()
            path += [next((edge for edge in ahead if edge[1] not in been), None) or next(iter(ahead))] if ahead else []
        yield path


def _look_again(local_states: LocalStates, node: int, answer: int, known: int, path: list[tuple[int, int]]) -> None:
    """Reach a node the other way, and continue as after the first. Raises NotDeterministic if a step differs."""
    local_states.system.watchdog.heed()
    process = local_states.replay(node)
    history = [*local_states.history(node), (node, answer)]
    local_states.behaviour.tell(process, answer)
    first = local_states.history(known)
    for told, then in path:
        local_states.behaviour.tell(process, told)
        history, first, known = [*history, (known, told)], [*first, (known, told)], then
        if local_states.asks(then) != (process.op and op_key(process.op)):
            raise NotDeterministic(
                f"{process.name} remembers something that is not in its variables. They are the same after "
                f"({local_states.told(history[:-1])}) and after ({local_states.told(first[:-1])}), and when the next "
                f"answer is the same as well, one takes the step `{process.op or 'return'}` and the other "
                f"`{local_states.step_at(then) or 'return'}`. {KEEP_NO_STATE}"
            )
    process.discard()
