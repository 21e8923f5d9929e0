"""The README's programs run, and print what it says they print. `python -m tests.test_readme` writes that anew."""

import linecache
import re
import tempfile
from pathlib import Path

import pytest

from tests.own_suite import failure, pytest_says

README = Path(__file__).parent.parent / "README.md"
PICTURES = README.parent / "notebooks" / "pictures"


def programs():
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)


def result_of(*programs):
    """What Jupyter would show of the last program's last expression."""
    program = "\n".join(programs)
    *lines, last = program.rstrip().splitlines()
    program = "\n".join([*lines, f"result = {last}"]) + "\n"
    linecache.cache["<README>"] = (len(program), None, program.splitlines(keepends=True), "<README>")
    names = {}
    exec(compile(program, "<README>", "exec"), names)
    return names["result"]


def shown(which=0):
    return re.findall(r"```text\n(.*?)```", README.read_text(encoding="utf-8"), re.S)[which]


def own_test(folder):
    """What pytest shows of the program for one's own code and its test, in one file."""
    return failure(pytest_says(folder, "\n".join(programs()[2:4])))


def test_the_sample_prints_what_the_readme_shows():
    assert f"{result_of(programs()[0])!r}\n" == shown()


def test_the_sample_for_real_ends_as_its_model_did():
    one, real, careful = str(result_of(*programs()[:2])).split("\n\n")[:3]
    assert real.splitlines()[1:] == one.splitlines()[1:]
    assert careful.startswith("charge_once, for real: the same crash, and it holds")


@pytest.mark.parametrize("name", ["compare", "live"])
def test_the_sample_has_its_pictures(name):
    assert (PICTURES / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_program_for_ones_own_code_finds_the_lost_update(capsys):
    exec(compile(programs()[2], "<README, own code>", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("violated: no_money_from_nowhere, with no fault at all")


def test_its_test_fails_as_the_readme_shows(tmp_path):
    assert own_test(tmp_path) == shown(1)


def test_the_sweep_prints_what_the_readme_shows():
    assert f"{result_of(programs()[0], programs()[4])!r}\n" == shown(2)


def test_every_lesson_is_in_the_table():
    for notebook in README.parent.glob("notebooks/[0-9]*.ipynb"):
        assert f"(notebooks/{notebook.name})" in README.read_text(encoding="utf-8")


def write(which, after):
    """Put this into a text block."""
    text = README.read_text(encoding="utf-8")
    block = [*re.finditer(r"```text\n(.*?)```", text, re.S)][which]
    README.write_text(text[: block.start(1)] + after + text[block.end(1) :], encoding="utf-8")


if __name__ == "__main__":
    result = result_of(programs()[0])
    write(0, f"{result!r}\n")
    with tempfile.TemporaryDirectory() as own:
        write(1, own_test(Path(own)))
    write(2, f"{result_of(programs()[0], programs()[4])!r}\n")
    PICTURES.mkdir(exist_ok=True)
    result.save(str(PICTURES / "compare.png"))
    result_of(*programs()[:2]).save(str(PICTURES / "live.png"))
