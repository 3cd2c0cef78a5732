"""A finished study to look at and to change: the tiny miniature, run to its end, for real."""

import shutil
from pathlib import Path

import pytest
from workspace import Workspace, checkout


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Workspace:
    """The tiny miniature, run to its report. Tests take copies of it."""
    folder = checkout(root, tmp_path_factory.mktemp("workspace") / "limaflow")
    workspace = Workspace(folder)
    done = workspace.run()
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return workspace


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished workspace that a test may change."""
    return copied(finished, tmp_path)


def copied(workspace: Workspace, place: Path) -> Workspace:
    target = place / "limaflow"
    shutil.copytree(workspace.folder, target, symlinks=True)
    return Workspace(target, workspace.configfiles)
