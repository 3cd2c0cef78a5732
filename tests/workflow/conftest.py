"""A finished study to look at and to change: the tiny miniature, run to its end, for real."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from workspace import Workspace, checkout


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Workspace:
    """The tiny miniature, run to its report once for all workers of pytest. Tests take copies."""
    own = tmp_path_factory.getbasetemp()
    place = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, done = place / "workspace" / "limaflow", place / "workspace" / "done"
    with (place / "workspace.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder.parent, ignore_errors=True)
            folder.parent.mkdir()
            ran = Workspace(checkout(root, folder)).run()
            assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-6000:]
            done.touch()
    return Workspace(folder)


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished workspace that a test may change."""
    return copied(finished, tmp_path)


@pytest.fixture(scope="session")
def empty_files(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Workspace:
    """The tiny miniature as if finished, with empty files for its results: enough for plans."""
    workspace = Workspace(checkout(root, tmp_path_factory.mktemp("empty") / "limaflow"))
    workspace.touch()
    return workspace


@pytest.fixture
def plans(empty_files: Workspace, tmp_path: Path) -> Workspace:
    """A copy of that which a test may change."""
    return copied(empty_files, tmp_path)


def copied(workspace: Workspace, place: Path) -> Workspace:
    target = place / "limaflow"
    shutil.copytree(workspace.folder, target, symlinks=True)
    return Workspace(target, workspace.configfiles)
