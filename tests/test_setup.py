"""There are three lists of what Midflight needs. Nothing but these tests makes them agree."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

CONDA_ONLY = {"python", "pip"}
CONDA_NAMES = {"matplotlib-base": "matplotlib", "redis-py": "redis"}


def bounds(lines: list[str]) -> dict[str, SpecifierSet]:
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in requirements}


def asked_by_pyproject() -> dict[str, SpecifierSet]:
    extras = PROJECT["optional-dependencies"].values()
    everything = bounds(PROJECT["dependencies"] + [line for extra in extras for line in extra])
    del everything["midflight"]  # an extra that takes in another one
    return everything


def from_pip() -> list[str]:
    (part,) = [part for part in ENVIRONMENT["dependencies"] if isinstance(part, dict)]
    return part["pip"]


def asked_by_conda() -> dict[str, SpecifierSet]:
    lines = [line.replace(" =3", " ==3") for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
    asked = bounds([*lines, *(line for line in from_pip() if line != "-e .")])
    return {CONDA_NAMES.get(name, name): specifier for name, specifier in asked.items()}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def test_the_core_depends_on_simpy_alone():
    assert list(bounds(PROJECT["dependencies"])) == ["simpy"]


def test_environment_yml_asks_for_what_pyproject_asks_for():
    conda = {name: bound for name, bound in asked_by_conda().items() if name not in CONDA_ONLY}
    assert conda == asked_by_pyproject()


def test_environment_yml_names_one_python_that_pyproject_allows_as_repo2docker_reads_it():
    (python,) = (line for line in ENVIRONMENT["dependencies"] if str(line).startswith("python "))
    assert re.fullmatch(r"python =3\.\d+", python)
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.partition("=")[2])


def test_environment_yml_takes_all_but_the_browser_s_driver_from_conda_forge_and_simlib_from_the_clone():
    assert ENVIRONMENT["channels"] == ["conda-forge"]
    assert [line.split()[0] for line in from_pip()] == ["playwright", "-e"]


def test_every_requirement_has_a_lower_bound():
    unbounded = [name for name, bound in asked_by_pyproject().items() if ">=" not in str(bound)]
    assert unbounded == []


def test_every_requirement_is_pinned():
    assert asked_by_pyproject().keys() - pins().keys() == set()


def test_every_pin_is_within_the_bounds():
    pinned = pins()
    outside = [name for name, bound in asked_by_pyproject().items() if not bound.contains(pinned[name])]
    assert outside == []
