"""Plans a sweep: its runs are each worker, under each set of parameters, with each seed."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from simlib.arguments import unknown, whole_number
from simlib.errors import Mistake
from simlib.files import Odd
from simlib.model.resource import Resource
from simlib.model.system import by_name, roles_of
from simlib.scenario import CONDITIONS, Scenario, Workers, system_of
from simlib.simulate.conditions import MEASURED
from simlib.sweep.chunk import FIGURES, Record, RunId, split
from simlib.sweep.identity import describe
from simlib.text import listed, show

Parameters = Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]
Named = dict[str, Any]
SWEEP = ("seeds", "parameters", "executor", "to")
NOT_SWEPT = {
    "seed": "give seeds=range(100).",
    "trace": "a sweep keeps figures. For the events of one run: scenario.simulate(worker, seed=..., trace=True).",
}


class Plan:
    """All runs of a sweep."""

    def __init__(
        self,
        scenario: Scenario,
        workers: Sequence[Workers],
        seeds: Iterable[int],
        parameters: Parameters,
        conditions: Named,
    ) -> None:
        """Raises Mistake for names and values that do not fit."""
        self.scenario, self.conditions = scenario, conditions
        self.cells = _cells(parameters)  # the parameter sets
        _check_names(scenario, self.cells[0], conditions)
        for cell in self.cells:
            own, rest = split(scenario, {**conditions, **cell})
            for worker in workers:
                system_of(scenario.but(**own), worker, rest.get("workers"))
        self.workers = by_name(workers)
        self.seeds = _seeds(seeds)
        self.shown = _shown(self.cells)
        self._cell_of = {repr(cell): number for number, cell in enumerate(self.shown)}  # as text: nan != nan
        if len(self._cell_of) < len(self.cells):
            raise Mistake("two parameter sets read alike in a table. Leave one out; name functions with `def`.")
        shown_types = {name: type(value) for name, value in self.shown[0].items()}
        self.types: Mapping[str, type] = {"worker": str, "seed": int, **shown_types, **FIGURES}  # of a record's fields

    def __len__(self) -> int:
        return len(self.seeds) * len(self.cells) * len(self.workers)

    def runs(self) -> Iterator[RunId]:
        """All runs. Seeds are outermost, so that an interrupted sweep has about equally many everywhere."""
        return (
            (seed, cell, worker) for seed in self.seeds for cell in range(len(self.cells)) for worker in self.workers
        )

    def in_order(self, some: Collection[RunId]) -> Iterator[RunId]:
        """These runs, in the order of `runs`. Stops after the last one, because there may be very many more."""
        return itertools.islice(filter(some.__contains__, self.runs()), len(some))

    def head(self, run: RunId) -> Record:
        """The first fields of this run's record."""
        seed, cell, worker = run
        return {"worker": worker, "seed": seed, **self.shown[cell]}

    def run_of(self, record: Record) -> RunId | None:
        """The run of this record; None for a seed that is not in the plan. Raises Odd if it belongs to another plan."""
        shown = {name: record[name] for name in self.shown[0]}
        cell = self._cell_of.get(repr(shown))
        if cell is None:
            raise Odd(f"{_given(shown)} is none of the parameter sets")
        if record["worker"] not in self.workers:
            raise Odd(f"`worker` is {show(record['worker'])}, which is not in this sweep")
        return (record["seed"], cell, record["worker"]) if record["seed"] in self.seeds else None

    def call(self, run: RunId) -> str:
        """The call that makes this run alone."""
        seed, cell, worker = run
        own, conditions = split(self.scenario, {**self.conditions, **self.cells[cell]})
        but = f".but({_given(own)})" if own else ""
        who = f"[{worker.replace(' and ', ', ')}]" if len(roles_of(self.workers[worker])) > 1 else worker
        return f"scenario{but}.simulate({', '.join(filter(None, [who, f'seed={seed}', _given(conditions)]))})"


def _given(named: Named) -> str:
    return ", ".join(f"{name}={_text(value)}" for name, value in named.items())


def _shown(cells: Sequence[Named]) -> list[Record]:
    """The parameter sets as the table shows them: one type per column, as polars infers it from the first values."""
    columns = {}
    for name in cells[0]:
        values = [cell[name] for cell in cells]
        kinds = {*map(type, values)}
        if kinds == {int, float}:
            values = [*map(float, values)]
        elif kinds not in ({str}, {bool}, {int}, {float}):
            values = [*map(_text, values)]
        columns[name] = values
    return [dict(zip(columns, row)) for row in zip(*columns.values())] or [{}]


def _text(value: Any) -> str:
    return describe(value) if isinstance(value, Resource) else show(value, 200)


def _cells(parameters: Parameters) -> list[Named]:
    """The parameter sets, all with the same names."""
    if isinstance(parameters, Mapping):
        for name, values in parameters.items():
            if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
                raise Mistake(f"parameters: {name}={show(values)}. Give a list of the values to try: [{show(values)}].")
        grid = {name: list(values) for name, values in parameters.items()}
        cells = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
        if not cells:
            raise Mistake(f"parameters: {listed([name for name in grid if not grid[name]])} has no value to try.")
        return cells
    sets: list[Any] = list(parameters) if isinstance(parameters, Iterable) else [parameters]
    for one in sets:
        if not isinstance(one, Mapping):
            raise Mistake(f"parameters: {show(one)}. Give {{'latency': [0.01, 0.1]}} or [{{'latency': 0.01}}, ...].")
        if [*one] != [*sets[0]]:
            raise Mistake(f"parameters: each set has the same names, in one order: {show(sets[0])}, {show(one)}.")
    return [dict(one) for one in sets] or [{}]


def _check_names(scenario: Scenario, cell: Named, conditions: Named) -> None:
    known = [name for name in CONDITIONS if name not in NOT_SWEPT]
    own = [*scenario.resources, *scenario.values]
    for name in (*conditions, *cell):
        if name in NOT_SWEPT:
            raise Mistake(f"`{name}`: {NOT_SWEPT[name]}")
        if name in known and name in own:
            raise Mistake(f"`{name}` is a condition of simulate, and a name of the scenario. Rename the latter.")
        if name not in known and name not in own:
            raise Mistake(unknown(name, "sweep", [*SWEEP, *known, *own], MEASURED))
    for name in cell:
        if name in conditions:
            raise Mistake(f"`{name}` is given twice: in parameters, and for all runs.")
        if name in (*FIGURES, "worker", "seed"):
            raise Mistake(f"`{name}` is also a column of the table. Give it another name in the scenario.")


def _seeds(seeds: Iterable[int]) -> Collection[int]:
    """The seeds, without duplicates and quick to look up. A range stays a range, however long it is."""
    if isinstance(seeds, (str, bytes)) or not isinstance(seeds, Iterable):
        example = f"range({seeds})" if isinstance(seeds, int) and not isinstance(seeds, bool) else "range(100)"
        raise Mistake(f"seeds={show(seeds)}: give the seeds themselves, such as seeds={example}.")
    given: Sequence[int] = seeds if isinstance(seeds, range) else [whole_number("seeds", seed) for seed in seeds]
    for end in (*given[:1], *given[-1:]):
        whole_number("seeds", end)
    found = given if isinstance(given, range) else dict.fromkeys(given)
    if len(found) < len(given):
        raise Mistake("seeds: one is there twice, and would count twice.")
    if not found:
        raise Mistake("seeds: there are none.")
    return found
