"""Killed with -9 in the middle of a stage, the same command goes on to the same result."""

import hashlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from workspace import Workspace

pytestmark = pytest.mark.slow
PATIENCE = 240


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def weights(workspace: Workspace, arm: str) -> dict[str, str]:
    return {
        str(path.relative_to(workspace.results)): sha256(path)
        for path in sorted(workspace.results.glob(f"models/{arm}/runs/**/*.safetensors"))
    }


def processes_in(folder: Path) -> list[psutil.Process]:
    """Every living process that works in `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_when(workspace: Workspace, target: str, ready: Callable[[], bool]) -> None:
    """Start Snakemake on `target`, wait until `ready`, then kill -9 it and all it started."""
    running = subprocess.Popen(
        workspace.command(target),
        cwd=workspace.folder,
        env=workspace.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline, "it never got to where it was to be killed"
        time.sleep(0.01)
    for process in processes_in(workspace.folder):
        process.send_signal(signal.SIGKILL)
    running.wait()
    deadline = time.monotonic() + 10
    while left := processes_in(workspace.folder):
        assert time.monotonic() < deadline, f"left running: {left}"
        time.sleep(0.1)


def run_again(workspace: Workspace, target: str) -> str:
    """The same command again; Snakemake, killed as well, has left its lock behind."""
    assert workspace.unlock().returncode == 0
    done = workspace.run(target)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_training_goes_on_from_its_last_checkpoint(workspace: Workspace) -> None:
    expected = weights(workspace, "lima")
    assert expected
    models = workspace.results / "models/lima"
    shutil.rmtree(models)
    target = "results/miniature/models/lima/training.json"
    kill_when(workspace, target, lambda: bool([*models.glob("runs/*/**/latest")]))
    assert not (workspace.folder / target).exists()
    text = run_again(workspace, target)
    assert "resum" in text.lower()
    assert weights(workspace, "lima") == expected


def test_generation_goes_on_where_it_was(workspace: Workspace) -> None:
    responses = workspace.results / "responses/test/lima.jsonl"
    expected = responses.read_bytes()
    responses.unlink()

    def kept() -> list[Path]:
        return [*responses.parent.glob(".lima.jsonl.*.kept")]

    for file in kept():
        file.unlink()

    def begun() -> bool:
        return any(file.stat().st_size for file in kept())

    kill_when(workspace, "results/miniature/responses/test/lima.jsonl", begun)
    run_again(workspace, "results/miniature/responses/test/lima.jsonl")
    assert responses.read_bytes() == expected


def test_judging_pays_nothing_twice(workspace: Workspace) -> None:
    verdicts = workspace.results / "verdicts/world-truth/lima-vs-few.jsonl"
    expected = verdicts.read_bytes()
    store = workspace.folder / "results/judgments.sqlite"
    verdicts.unlink()
    store.unlink()
    target = "results/miniature/verdicts/world-truth/lima-vs-few.jsonl"
    kill_when(workspace, target, lambda: store.exists() and store.stat().st_size > 0)
    run_again(workspace, target)
    assert verdicts.read_bytes() == expected


def test_a_lock_left_by_a_killed_run_does_not_stop_the_demo(
    workspace: Workspace, root: Path
) -> None:
    shutil.copy2(root / "Makefile", workspace.folder / "Makefile")
    (workspace.folder / ".venv").symlink_to(root / ".venv")
    verdicts = workspace.results / "verdicts/world-truth/lima-vs-few.jsonl"
    verdicts.unlink()
    locks = workspace.folder / ".snakemake/locks"
    kill_when(
        workspace, "all", lambda: locks.is_dir() and any(locks.iterdir()) and not verdicts.exists()
    )
    done = subprocess.run(
        ["make", "-o", ".venv/.complete", "demo", "OVERLAY=tests/workflow/tiny.yaml"],
        cwd=workspace.folder,
        env=workspace.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "report/index.html" in done.stdout
