"""Which runs a sweep consists of. Each has a place: seeds outermost, then parameter sets, then workers.

So whatever has been run when it is interrupted has been run for nearly as many seeds everywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simlib.arguments import unknown, whole_number
from simlib.errors import Mistake
from simlib.files import Odd
from simlib.model.resource import Resource
from simlib.model.system import by_name, roles_of
from simlib.scenario import CONDITIONS, Scenario, Workers, system_of
from simlib.simulate.conditions import MEASURED
from simlib.sweep.identity import describe
from simlib.sweep.record import FIGURES, Record, Types
from simlib.text import listed, show

Parameters = Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]
Named = dict[str, Any]
SWEEP = ("seeds", "parameters", "executor", "to")
NOT_SWEPT = {
    "seed": "give seeds=range(100).",
    "trace": "a sweep keeps figures. For the events of one run: scenario.simulate(worker, seed=..., trace=True).",
}


@dataclass(frozen=True)
class Plan:
    """All runs of a sweep, by place."""

    scenario: Scenario
    workers: Mapping[str, Workers]  # by what they are called
    seeds: Sequence[int]
    cells: Sequence[Named]  # the parameter sets
    conditions: Named  # of all runs

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        workers: Sequence[Workers],
        seeds: Iterable[int],
        parameters: Parameters,
        conditions: Named,
    ) -> Plan:
        """The plan that is asked for. Raises Mistake."""
        cells = _cells(parameters)
        _check_names(scenario, cells[0], conditions)
        for cell in cells:
            changed, rest = split(scenario, {**conditions, **cell})
            for worker in workers:
                system_of(changed, worker, rest.get("workers"))
        plan = cls(scenario, by_name(workers), _seeds(seeds), cells, conditions)
        if len(plan.cell_of) < len(cells):
            raise Mistake("two parameter sets read alike in a table. Leave one out; name functions with `def`.")
        return plan

    def __len__(self) -> int:
        return len(self.seeds) * self.row

    @property
    def row(self) -> int:
        """How many runs there are of each seed."""
        return len(self.cells) * len(self.workers)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.workers)

    @cached_property
    def shown(self) -> list[Record]:
        """The parameter sets as a table shows them."""
        columns = {name: _column([cell[name] for cell in self.cells]) for name in self.cells[0]}
        return [dict(zip(columns, row)) for row in zip(*columns.values())] or [{}]

    @cached_property
    def cell_of(self) -> dict[tuple[Any, ...], int]:
        """Which parameter set it is, by what a table shows."""
        return {_cell_key(cell.values()): number for number, cell in enumerate(self.shown)}

    @cached_property
    def types(self) -> Types:
        """Of each field of a record of this plan, in order."""
        return {"worker": str, "seed": int, **{name: type(value) for name, value in self.shown[0].items()}, **FIGURES}

    @cached_property
    def _seed_numbers(self) -> dict[int, int]:
        return {seed: number for number, seed in enumerate(self.seeds)}

    def parts(self, place: int) -> tuple[int, int, str]:
        """The seed, the number of the parameter set, and the worker's name."""
        number, rest = divmod(place, self.row)
        cell, worker = divmod(rest, len(self.workers))
        return self.seeds[number], cell, self.names[worker]

    def head(self, place: int) -> Record:
        """How its record begins."""
        seed, cell, worker = self.parts(place)
        return {"worker": worker, "seed": seed, **self.shown[cell]}

    def place(self, record: Record) -> int | None:
        """Where this record belongs; None for a seed that was not asked for. Raises Odd where it is of another plan."""
        shown = {name: record[name] for name in self.shown[0]}
        cell = self.cell_of.get(_cell_key(shown.values()))
        if cell is None:
            raise Odd(f"{_given(shown)} is none of the parameter sets")
        if record["worker"] not in self.names:
            raise Odd(f"`worker` is {show(record['worker'])}, which is not in this sweep")
        number = self._seed_numbers.get(record["seed"])  # type: ignore[arg-type]
        if number is None:
            return None
        return number * self.row + cell * len(self.workers) + self.names.index(str(record["worker"]))

    def call(self, place: int) -> str:
        """How to make this run alone."""
        seed, cell, worker = self.parts(place)
        named = {**self.conditions, **self.cells[cell]}
        changed = _of_scenario(self.scenario, named)
        but = f".but({_given(changed)})" if changed else ""
        rest = {name: value for name, value in named.items() if name not in changed}
        who = f"[{worker.replace(' and ', ', ')}]" if len(roles_of(self.workers[worker])) > 1 else worker
        return f"scenario{but}.simulate({', '.join(filter(None, [who, f'seed={seed}', _given(rest)]))})"


def _cell_key(values: Iterable[Any]) -> tuple[Any, ...]:
    """Equal for values that a table shows alike: nan too, which equals nothing."""
    return tuple(None if value != value else value for value in values)


def _given(named: Named) -> str:
    return ", ".join(f"{name}={_text(value)}" for name, value in named.items())


def _column(values: list[Any]) -> list[Any]:
    """As a table shows them: of one type, for polars settles on that of the first ones."""
    kinds = {*map(type, values)}
    if kinds <= {int, float}:
        return values if len(kinds) == 1 else [float(value) for value in values]
    return values if kinds in ({str}, {bool}) else [_text(value) for value in values]


def _text(value: Any) -> str:
    return describe(value) if isinstance(value, Resource) else show(value, 200)


def _of_scenario(scenario: Scenario, named: Named) -> Named:
    return {name: value for name, value in named.items() if name in scenario.resources or name in scenario.values}


def split(scenario: Scenario, named: Named) -> tuple[Scenario, Named]:
    """The scenario with what of this is its own, and the conditions."""
    own = _of_scenario(scenario, named)
    return scenario.but(**own), {name: value for name, value in named.items() if name not in own}


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


def _seeds(seeds: Iterable[int]) -> Sequence[int]:
    if isinstance(seeds, (str, bytes)) or not isinstance(seeds, Iterable):
        example = f"range({seeds})" if isinstance(seeds, int) and not isinstance(seeds, bool) else "range(100)"
        raise Mistake(f"seeds={show(seeds)}: give the seeds themselves, such as seeds={example}.")
    numbers = seeds if isinstance(seeds, range) else tuple(whole_number("seeds", seed) for seed in seeds)
    if isinstance(numbers, range):
        for seed in (*numbers[:1], *numbers[-1:]):
            whole_number("seeds", seed)
    elif len({*numbers}) < len(numbers):
        raise Mistake("seeds: one is there twice, and would count twice.")
    if not numbers:
        raise Mistake("seeds: there are none.")
    return numbers
