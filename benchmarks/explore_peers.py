"""What one would use instead of `explore`, and how it is asked about one of its systems."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from explore_systems import Case  # which finds the rest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from simlib.check.question import Question
from simlib.check.reachability import Reachability
from simlib.schedule.budget import Budget, Limits
from tests import test_spin
from tests.enumeration import Run

MODELS = Path(__file__).parent / "spin"
FRONTRUN = Path(sys.executable).with_name("frontrun")
MOST_RUNS = 20_000  # of Hypothesis, until it is given up

# SPIN


class Spin:
    """A compiled verifier, and how long SPIN and the C compiler took."""

    def __init__(self, case: Case, folder: Path, reduced: bool = True) -> None:
        self.folder = folder
        sizes = [f"-D{name}={number}" for name, number in case.sizes]
        begun = time.perf_counter()
        for command in (
            ["spin", *sizes, "-a", str(MODELS / f"{case.model}.pml")],
            ["cc", "-O2", "-w", "-DSAFETY", *([] if reduced else ["-DNOREDUCE"]), "-o", "pan", "pan.c"],
        ):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        self.seconds = time.perf_counter() - begun

    def run(self, case: Case) -> tuple[float, int, bool]:
        """How long it ran, how many states it stored, and whether it found an error; it ends at the first one."""
        given = {**dict.fromkeys(test_spin.EVERY_FAULT, 0), "variant": case.variant, "most": 0, **case.faults}
        environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
        command = ["./pan", "-E", "-c1", "-n", "-w20", "-m100000"]
        begun = time.perf_counter()
        done = subprocess.run(command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        (stored,) = re.findall(r"(\d+) states, stored", done.stdout)
        (errors,) = re.findall(r"errors: (\d+)", done.stdout)
        return seconds, int(stored), int(errors) > 0


# Hypothesis


class Broken(Exception):
    """A run has broken a property."""


def by_hypothesis(case: Case, seed: int) -> tuple[float, float, int]:
    """How long until the first run that breaks a property, and until it has been made small; and how many runs until
    the first.
    """
    system, budget, runs, ended = case.system(), case.faults, [0], [0.0]

    class Interleaved(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            runs[0] += not ended[0]
            self.run = Run(system, budget)
            self.choices = self.run.choices()

        @rule(data=st.data())
        def next(self, data: Any) -> None:
            if not self.choices:
                return  # all is over
            self.run.make(data.draw(st.sampled_from(self.choices)))
            self.choices = self.run.choices()
            if self.run.wrong(self.choices) is not None:
                ended[0] = ended[0] or time.perf_counter()
                raise Broken

        def teardown(self) -> None:
            self.run.close()

    Interleaved.TestCase.settings = settings(
        max_examples=MOST_RUNS, stateful_step_count=60, deadline=None, database=None,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    begun = time.perf_counter()
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            run_state_machine_as_test(seeded(seed)(Interleaved))
    except Broken:
        pass
    over = time.perf_counter()
    return (ended[0] or over) - begun, over - begun, runs[0]


# frontrun


def by_frontrun(case: Case) -> list[float] | None:
    """How long it took to its verdict, and how many schedules it ran. It has to be the program that starts Python."""
    if not case.threads or not FRONTRUN.exists():
        return None
    command = [str(FRONTRUN), sys.executable, str(Path(__file__).parent / "with_frontrun.py"), str(case.threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(figure) for figure in done.stdout.split()]


# The floor


def floor(case: Case) -> Callable[[], int]:
    """Visits the same states, as tuples in a dictionary, and gives the number of transitions."""
    question = Question.about(case.system(), Budget(case.faults), Limits(10**7, 600), anonymous=True)
    with case.system().watchdog:
        proof = Reachability(question)
        proof.run()
        rules = proof._successors
        layout = rules.encoding
        states = [
            (*layout.nodes(state), *layout.numbers(layout.world(state)), state >> layout.budget)
            for state in rules.states
        ]
        changes = {
            state: [
                [(place, new) for place, (new, old) in enumerate(zip(states[target], state)) if new != old]
                for target in rules.of(rules.states[number])[0]
            ]
            for number, state in enumerate(states)
        }
    question.local_states.close()

    def bare() -> int:
        numbers, waiting, taken = {states[0]: 0}, [states[0]], 0
        for state in waiting:
            for change in changes[state]:
                after = list(state)
                for place, new in change:
                    after[place] = new
                taken += 1
                reached = tuple(after)
                if reached not in numbers:
                    numbers[reached] = len(waiting)
                    waiting.append(reached)
        return taken

    return bare
