"""A test suite in somebody's own repository: one file, run by pytest in a process of its own."""

import os
import subprocess
import sys


def pytest_says(folder, program, *options):
    """What pytest prints of this program, as lines."""
    (folder / "test_own.py").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", *options, "test_own.py"]
    quiet = {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, cwd=folder, env=os.environ | quiet, capture_output=True, text=True, encoding="utf-8")
    return ran.stdout.splitlines()


def failure(lines):
    """The one failure among them: the test's source and what is said of it, without the place at its end."""
    first = next(place for place, line in enumerate(lines) if line.startswith("    def test_"))
    last = max(place for place, line in enumerate(lines) if line.startswith("E "))
    return "\n".join(line.rstrip() for line in lines[first : last + 1]) + "\n"
