"""A finished study to look at and to change: the tiny miniature, run to its end, for real."""

import shutil
from pathlib import Path

import pytest
from workspace import TINY, TRACKED, Workspace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Workspace:
    """The tiny miniature, run to its report. Tests take copies of it."""
    folder = tmp_path_factory.mktemp("workspace") / "limaflow"
    folder.mkdir()
    for name in TRACKED:
        source = root / name
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy2(source, folder / name)
    (folder / "tests" / "workflow").mkdir(parents=True)
    shutil.copy2(root / TINY[1], folder / TINY[1])
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
