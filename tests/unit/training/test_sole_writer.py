"""Two jobs cannot write one model, also where a file system does not pass locks between nodes."""

import contextlib
import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from limaflow.errors import InputError
from limaflow.training import sole_writer as module
from limaflow.training.sole_writer import sole_writer

PROGRAM = (
    "import sys, pathlib; from limaflow.training.sole_writer import sole_writer\n"
    "with sole_writer(pathlib.Path(sys.argv[1])): print('held', flush=True); input()"
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_TO_WAIT", 0.3)


def squeue_that_says(state: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squeue_that(f'[ "$2" = --jobs=77 ] && echo {state}', folder, monkeypatch)


def squeue_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/slurm asks a real one the same."""
    command = folder / "bin" / "squeue"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    run = tmp_path / "run"
    holder = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    refused = pytest.raises(InputError, match=f"another job .*: process {holder.pid} on ")
    with refused, sole_writer(run):
        pass
    holder.kill()
    holder.communicate()
    with sole_writer(run):
        pass


def test_a_job_that_still_runs_elsewhere_is_respected_without_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock").write_text("SLURM job 77, process 5 on gpu9", encoding="utf-8")
    squeue_that_says("RUNNING", tmp_path, monkeypatch)
    with pytest.raises(InputError, match="SLURM job 77"), sole_writer(tmp_path):
        pass
    # The same job, requeued.
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    with sole_writer(tmp_path):
        pass


def test_a_stale_lock_of_an_ended_job_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock").write_text("SLURM job 77, process 5 on gpu9", encoding="utf-8")
    squeue_that_says("NODE_FAIL", tmp_path, monkeypatch)
    monkeypatch.setenv("SLURM_JOB_ID", "78")
    with sole_writer(tmp_path):
        assert (tmp_path / "lock").read_text(encoding="utf-8").startswith("SLURM job 78, ")


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        ("slurm_load_jobs error: Invalid job id specified", True),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", False),
    ],
)
def test_a_job_that_slurm_forgot_is_over_and_one_it_cannot_tell_of_is_not(
    error: str, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock").write_text("SLURM job 77, process 5 on gpu9", encoding="utf-8")
    squeue_that(f"echo '{error}' >&2; exit 1", tmp_path, monkeypatch)
    outcome = contextlib.nullcontext() if taken else pytest.raises(InputError, match="job 77")
    with outcome, sole_writer(tmp_path):
        pass


def test_a_file_system_without_locks_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with sole_writer(tmp_path):
        pass
