"""JupyterLite with every lesson: Python itself, simlib and all that they need are files of the site.

Pyodide (CPython for WebAssembly) comes from npm, wheels from PyPI, simlib from this clone. What was fetched once stays
in `build`, so that the site can be built again without a network. Pyodide finds packages in its lock file: those that
are here are written into it as files beside it. The others, numpy and matplotlib among them, are machine code that
only Pyodide's own host has; their entries point there, and nobody asks for them before a cell imports them.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL, PYODIDE_PYTHON_VERSION, PYODIDE_VERSION

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "build" / "parts"
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
# What the kernel is made of: wheels from PyPI, in the versions of Pyodide's lock, and what comes with the kernel.
KERNEL = ("micropip", "ipython", "jedi")
OF_THE_KERNEL = ("piplite", "pyodide_kernel", "ipykernel")
# What the lessons need, in the versions of this environment, with what it depends on when it runs.
LESSONS = {
    "comm": ["traitlets"],
    "ipywidgets": ["comm", "ipython", "traitlets"],
    "simpy": [],
    "pytest": ["iniconfig", "packaging", "pluggy", "pygments"],
}
OURS = "midflight"  # simlib's wheel
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"
LEFT_OUT = "JupyterLite is left out, the lessons to read are there."

Package = dict[str, Any]


class Missing(Exception):
    """A part of the site that cannot be had here; says what to do."""


def build(folder: Path, lessons: Path) -> None:
    """JupyterLite in this folder, with the files of another one as its contents. Raises Missing."""
    source = PARTS / "lite"
    shutil.rmtree(source, ignore_errors=True)
    packages = lay_out_pyodide(source / "static" / "pyodide")
    kernel = {"loadPyodideOptions": {"packages": packages}}
    config = {"appName": "Midflight", "litePluginSettings": {PLUGIN: kernel}}
    write(source / "jupyter-lite.json", {"jupyter-config-data": config})
    write(source / "overrides.json", settings())
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--apps=lab", "--no-sourcemaps", "--force"]
    places = [f"--lite-dir={source}", f"--output-dir={folder}", f"--contents={lessons}"]
    # It notes beside where it runs what it has done, and would leave that out of a folder that is new.
    run([*command, "--no-unused-shared-packages", *places], "It could not be put together.", source)


def settings() -> dict[str, Any]:
    """JupyterLab's, as the course wants them: no news, and light or dark as the reader's system and the other pages."""
    extension = "@jupyterlab/apputils-extension"
    return {f"{extension}:notification": {"fetchNews": "false"}, f"{extension}:themes": {"adaptive-theme": True}}


def lay_out_pyodide(folder: Path) -> list[str]:
    """Pyodide, the wheels and the lock that names them, in this folder. Returns what to load before the first cell."""
    from npm import NotFetched, fetch  # beside this script

    folder.mkdir(parents=True)
    try:
        pyodide = fetch("pyodide", PYODIDE_VERSION)
    except NotFetched as error:
        raise Missing(f"{LEFT_OUT} {error}") from None
    for name in PYODIDE:
        shutil.copyfile(pyodide / name, folder / name)
    path = folder / "pyodide-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    known: dict[str, Package] = lock["packages"]
    for package in known.values():
        package["file_name"] = f"{PYODIDE_CDN_URL}/{package['file_name']}"
    for name, depends in LESSONS.items():
        known[name] = entry(wheel(name, version(name)), folder, depends)
    for name in OF_THE_KERNEL:
        known[name.replace("_", "-")] = entry(beside_the_kernel(name), folder, [])
    known[OURS] = entry(own_wheel(), folder, ["simpy", "ipywidgets"])
    for name in closure(known, [*KERNEL, *LESSONS]):
        if name not in LESSONS:
            known[name] |= file_of(wheel(name, known[name]["version"]), folder)
    write(path, lock)
    return closure(known, [*KERNEL, *OF_THE_KERNEL, OURS])


def closure(known: dict[str, Package], names: Sequence[str]) -> list[str]:
    """These packages and all that they depend on."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name not in found:
            found[name] = None
            waiting += known[name]["depends"]
    return sorted(found)


def entry(path: Path, folder: Path, depends: list[str]) -> Package:
    """A wheel as Pyodide's lock has it, copied into its folder."""
    name, number = path.name.split("-")[:2]
    with zipfile.ZipFile(path) as archive:
        tops = {re.sub(r"\.py$", "", file.split("/")[0]) for file in archive.namelist() if file.endswith(".py")}
    about = {"name": name.replace("_", "-"), "version": number, "depends": depends, "imports": sorted(tops)}
    return {**about, "install_dir": "site", "package_type": "package", "unvendored_tests": False} | file_of(
        path, folder
    )


def file_of(path: Path, folder: Path) -> Package:
    """Where the lock finds the wheel, and what it may check it by."""
    shutil.copyfile(path, folder / path.name)
    return {"file_name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def wheel(name: str, number: str) -> Path:
    """A wheel of pure Python, from PyPI. Raises Missing."""
    folder = PARTS / "wheels"
    pattern = f"{name.replace('-', '[-_.]')}-{number}-*.whl"
    if not any(folder.glob(pattern)):
        pure = ["--only-binary=:all:", "--platform=any", f"--python-version={PYODIDE_PYTHON_VERSION}"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        run([*command, *pure, f"--dest={folder}", f"{name}=={number}"], "A wheel of it could not be fetched.")
    return next(folder.glob(pattern))


def beside_the_kernel(name: str) -> Path:
    """A wheel that the kernel's package brings along."""
    extension = Path(sys.prefix, "share/jupyter/labextensions", PLUGIN.split(":")[0], "static", "pypi")
    return next(extension.glob(f"{name}-*.whl"))


def own_wheel() -> Path:
    """simlib's, of this clone."""
    folder = PARTS / "own"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*command, "--no-build-isolation", f"--wheel-dir={folder}", str(ROOT)], "simlib's wheel could not be built.")
    return next(folder.glob("*.whl"))


def run(command: Sequence[str], otherwise: str, folder: Path = ROOT) -> None:
    """Run a program that says nothing unless it fails. Raises Missing with what it said."""
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    if ran.returncode:
        raise Missing(f"{LEFT_OUT} {otherwise} {Path(command[0]).name} says:\n\n{ran.stdout.strip()[-2000:]}")


def write(path: Path, what: dict[str, Any]) -> None:
    path.write_text(json.dumps(what, indent=1, sort_keys=True) + "\n", encoding="utf-8")
