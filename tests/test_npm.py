"""A package of npm is fetched once and whole, or it is said what to do."""

import os
import stat

import pytest

from notebooks.npm import NotFetched, fetch

NPM = """\
#!/usr/bin/env python3
import io, sys, tarfile, pathlib
what, place = sys.argv[2], pathlib.Path(sys.argv[sys.argv.index("--pack-destination") + 1])
pathlib.Path({log!r}).open("a").write(what + "\\n")
if what.startswith("no-such"):
    sys.exit("npm error 404 no-such-package is not in this registry")
with tarfile.open(place / "package.tgz", "w:gz") as files:
    member = tarfile.TarInfo("package/dist/index.js")
    member.size = 2
    files.addfile(member, io.BytesIO(b"42"))
"""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """An npm that has every package but one, and the list of what it was asked for."""
    log = tmp_path / "log"
    log.touch()
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM.format(log=str(log)), encoding="utf-8")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    return lambda: log.read_text(encoding="utf-8").split()


def test_a_package_is_fetched_once(asked, tmp_path):
    first = fetch("reveal.js", "4.6.1", tmp_path / "npm")
    assert (first / "dist" / "index.js").read_text(encoding="utf-8") == "42"
    assert fetch("reveal.js", "4.6.1", tmp_path / "npm") == first
    assert fetch("@scope/name", "1.0.0", tmp_path / "npm") != first
    assert asked() == ["reveal.js@4.6.1", "@scope/name@1.0.0"]
    assert sorted(path.name for path in (tmp_path / "npm").iterdir()) == ["@scope+name-1.0.0", "reveal.js-4.6.1"]


def test_what_npm_says_is_said_and_nothing_half_is_left(asked, tmp_path):
    with pytest.raises(NotFetched, match=r"npm did not bring no-such-package@1\.0\.0\. It says:\nnpm error 404"):
        fetch("no-such-package", "1.0.0", tmp_path / "npm")
    assert list((tmp_path / "npm").iterdir()) == []


def test_without_npm_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFetched, match=r"there is none\. Do this: install Node.js"):
        fetch("reveal.js", "4.6.1", tmp_path / "npm")
