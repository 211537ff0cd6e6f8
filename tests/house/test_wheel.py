"""The sdist and the wheel, built and installed into a clean environment: what they hold, and whether they work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, files, name
from tests.terminal.pty_harness import PtySession

BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "docs/farmtui.1")
CONFIG = "farm: {name: x}\nprometheus: {url: 'http://127.0.0.1:1'}\n"


def run(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run something that must not see this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FARMTUI", "XDG"))}
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**kept, "HOME": str(folder), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, each of its files by its path, and of what."""

    sdist: Path
    wheel: Path
    source: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built from a copy: what an earlier build has left in a checkout must not get in."""
    source = tmp_path_factory.mktemp("checkout")
    for path in (
        *(ROOT / file for file in BUILT_FROM),
        *(p for package in PACKAGES for p in files(below=ROOT / package)),
    ):
        (source / name(path)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, source / name(path))
    for stranger in ("tests/unit/test_x.py", "farmtui/__pycache__/x.pyc"):
        (source / stranger).parent.mkdir(parents=True, exist_ok=True)
        (source / stranger).write_text("")
    (source / "tests/__init__.py").write_text("")
    out = tmp_path_factory.mktemp("dist")
    # No network: the backend is the one that the tests' environment has. The wheel is built of the sdist.
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, folder=source)
    assert done.returncode == 0, done.stdout + done.stderr
    [sdist], [wheel] = out.glob("*.tar.gz"), out.glob("*.whl")
    return Built(sdist, wheel, source)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel, and with the dependencies of the tests' environment but not its farmtui."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, with_pip=False)
    [site] = place.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    done = run(
        sys.executable, "-m", "pip", "--python", place / "bin/python", "install", "--no-index", "--no-deps", "--quiet",
        "--ignore-installed", "--disable-pip-version-check", built.wheel, folder=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "farmtui.yaml").write_text(CONFIG)
    return tmp_path


def held(wheel: Path) -> set[str]:
    """The files of a wheel, without its own metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {file for file in archive.namelist() if ".dist-info/" not in file}


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(built: Built) -> None:
    ours = {name(path) for package in PACKAGES for path in files(below=ROOT / package) if path.suffix != ".md"}
    [page] = [file for file in held(built.wheel) if ".data/" in file]
    assert page.endswith(".data/data/share/man/man1/farmtui.1")
    assert held(built.wheel) - {page} == ours
    assert {Path(file).suffix for file in ours} >= {".py", ".tcss", ".yaml", ".html", ".bash"}


def test_the_sdist_holds_what_the_wheel_is_built_of(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        found = {file.partition("/")[2] for file in archive.getnames() if not archive.getmember(file).isdir()}
    found = {file for file in found if ".egg-info/" not in file}
    packages = {file for file in held(built.wheel) if ".data/" not in file}
    assert found == packages | set(BUILT_FROM) | {"PKG-INFO", "setup.cfg"}


def test_what_is_built_of_the_checkout_is_what_is_built_of_the_sdist(built: Built, tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, folder=built.source)
    assert done.returncode == 0, done.stderr
    [direct] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(direct) as one, zipfile.ZipFile(built.wheel) as other:
        assert {file: one.read(file) for file in one.namelist() if not file.endswith("RECORD")} == {
            file: other.read(file) for file in other.namelist() if not file.endswith("RECORD")
        }


def test_the_readme_is_its_long_description(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        [metadata] = [file for file in archive.namelist() if file.endswith("METADATA")]
        text = archive.read(metadata).decode()
    assert (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[0] in text
    assert "License-Expression: MIT" in text


def test_it_is_what_runs_and_not_the_checkout(installed: Path, home: Path) -> None:
    python = installed / "bin/python"
    code = "import farmtui, screens, widgets, themes; print([m.__file__ for m in (farmtui, screens, widgets, themes)])"
    done = run(python, "-c", code, folder=home)
    assert done.stderr == ""
    assert str(ROOT / "farmtui") not in done.stdout
    assert done.stdout.count(str(installed)) == 4


def test_its_commands_work_from_anywhere(installed: Path, home: Path) -> None:
    program = installed / "bin/farmtui"
    for words, code, said in (
        (("--version",), 0, f"farmtui {version('farmtui')}"),
        (("--help",), 0, "Usage: farmtui"),
        (("demo", "--list-faults"), 0, "cache-node-down"),
        (("runbooks", "list"), 0, "varnish-restart"),
        (("config", "schema"), 0, '"alertmanager"'),
        (("config", "keys"), 0, "ctrl+z"),
        (("completion", "zsh"), 0, "#compdef farmtui"),
        (("check",), 2, "prometheus"),
        (("status",), 3, "x: unknown"),
    ):
        done = run(program, *words, folder=home)
        assert (done.returncode, said in done.stdout) == (code, True), (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr


def test_its_man_page_is_where_man_looks(installed: Path) -> None:
    page = installed / "share/man/man1/farmtui.1"
    assert page.read_bytes() == (ROOT / "docs/farmtui.1").read_bytes()


def test_the_simulated_farm_opens_on_a_terminal(installed: Path, home: Path) -> None:
    environment = {"PYTHONPATH": "", "HOME": str(home), "PATH": os.defpath}
    program = installed / "bin/farmtui"
    with PtySession(["demo"], columns=120, lines=40, program=program, folder=home, environment=environment) as session:
        session.wait_for("overview")
        session.wait_for(lambda: re.search(r"cache +\d+/\d+|hit ratio", session.text) is not None)
        assert session.finish("\x03") == 0
