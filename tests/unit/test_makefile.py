"""What `make` leaves alone."""

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    shutil.copy2(root / "Makefile", tmp_path / "Makefile")
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/requirements.lock").touch()
    return tmp_path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["env", "clean"])
def test_an_environment_that_it_did_not_make_stays(folder: Path, target: str) -> None:
    (folder / ".venv").mkdir()
    (folder / ".venv/mine").touch()
    done = make(folder, target)
    assert done.returncode != 0
    assert "was not made by `make`" in done.stdout
    assert (folder / ".venv/mine").exists()


@pytest.mark.parametrize("target", ["env", "clean"])
def test_an_environment_behind_a_link_stays(folder: Path, target: str) -> None:
    (folder / "other").mkdir()
    (folder / "other/mine").touch()
    (folder / ".venv").symlink_to(folder / "other")
    done = make(folder, target)
    assert done.returncode != 0
    assert ".venv is a link to" in done.stdout
    assert (folder / "other/mine").exists()


def test_its_own_environment_is_removed_by_clean(folder: Path) -> None:
    (folder / ".venv").mkdir()
    (folder / ".venv/.made-by-limaflow").touch()
    assert make(folder, "clean").returncode == 0
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("python", ["", "/nowhere/python"])
def test_a_python_that_is_missing_is_told(folder: Path, python: str) -> None:
    done = make(folder, "env", f"PYTHON={python}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stdout
    assert not (folder / ".venv").exists()
