"""What is installed elsewhere is all of it, and works from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built of a copy: setuptools leaves its files beside the sources."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "skbci", source / "skbci",
                    ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(folder), str(source)],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("skbci-*.whl")
    return built


def run(wheel: Path, folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Run Python far from the checkout, with the wheel as the only place that has skbci."""
    environment = os.environ | {"PYTHONPATH": str(wheel), "MPLBACKEND": "Agg"}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment,
                          capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_wheel_holds_every_file_and_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "skbci = skbci.cli:main" in archive.read(entry).decode()
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "skbci").rglob("*")
               if path.suffix in (".py", ".typed")}
    assert {name for name in names if name.startswith("skbci/")} == sources
    assert {name.split("/")[0].split("-")[0] for name in names} == {"skbci"}


@pytest.mark.slow
def test_the_source_distribution_can_be_tested(tmp_path):
    pytest.importorskip("setuptools", minversion="77")
    source = tmp_path / "source"
    rooms = ("skbci", "tests", "examples", "benchmarks", "docs")
    made = shutil.ignore_patterns("__pycache__", "_build", "auto_examples", "generated", "results")
    for room in (*rooms, ".ci"):
        shutil.copytree(ROOT / room, source / room, ignore=made)
    for file in ROOT.glob("*.*"):
        if file.is_file():
            shutil.copy(file, source)
    shutil.copy(ROOT / "LICENSE", source)
    code = f"from setuptools import build_meta; build_meta.build_sdist({str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": ""}, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = tmp_path.glob("skbci-*.tar.gz")
    with tarfile.open(built) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {path.relative_to(source).as_posix()
              for room in rooms for path in (source / room).rglob("*.*") if path.is_file()}
    wanted |= {"conftest.py", "constraints.txt", "constraints-lowest.txt", "LICENSE",
               "CHANGELOG.md", ".ci/run"}
    assert wanted <= held
    assert not [name for name in held if name.endswith(".pyc")]


def test_the_lowest_versions_are_those_that_are_required():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = project["dependencies"] + project["optional-dependencies"]["test"]
    bounds = [Requirement(line) for line in required]
    text = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8")
    pins = [Requirement(line) for line in text.splitlines() if not line.startswith("#")]
    lowest = {one.name: Version(next(iter(one.specifier)).version) for one in pins}
    assert lowest == {one.name: Version(next(iter(one.specifier)).version) for one in bounds}
    assert {next(iter(one.specifier)).operator for one in pins} == {"=="}
    assert {next(iter(one.specifier)).operator for one in bounds} == {">="}


@pytest.mark.slow
def test_command_line_and_quickstart_run_from_it(wheel, tmp_path):
    said = run(wheel, tmp_path, "-c", "import skbci; print(skbci.__file__)")
    assert said.stdout.startswith(str(wheel))
    said = run(wheel, tmp_path, "-m", "skbci", "pipelines")
    assert said.returncode == 0, said.stderr
    assert "csp-lda" in said.stdout
    script = shutil.copy(ROOT / "examples" / "quickstart.py", tmp_path)
    said = run(wheel, tmp_path, str(script), "--subjects", "3", "--trials", "8", "--n-jobs", "1")
    assert said.returncode == 0, said.stderr
    assert "Confounds: " in said.stdout
    assert (tmp_path / "outputs" / "quickstart_imagery.png").is_file()
