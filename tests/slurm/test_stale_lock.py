"""A lock left behind, where the file system passes none between nodes: SLURM knows who runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from slurm_cluster import PATIENCE, Cluster, wait_until

pytestmark = pytest.mark.slow
PROGRAM = """
import pathlib, sys
from limaflow.training import sole_writer
sole_writer.SECONDS_TO_WAIT = 1
with sole_writer.sole_writer(pathlib.Path(sys.argv[1])):
    print("held")
"""


def taken(cluster: Cluster, folder: Path, job: str) -> str:
    """What a second job says that finds the lock of `job`."""
    (folder / "lock").write_text(f"SLURM job {job}, process 5 on gpu9", encoding="utf-8")
    command = cluster.inside(sys.executable, "-c", PROGRAM, str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_it_is_kept_while_its_job_runs_or_may_and_taken_over_after(
    cluster: Cluster, tmp_path: Path
) -> None:
    assert taken(cluster, tmp_path, "999999") == "held"
    wrap = ("--account=lab", "--mem=100", "--output=/dev/null", "--wrap=sleep 600")
    job = cluster.ask("sbatch", "--parsable", *wrap).strip()
    show = ("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T")
    wait_until(lambda: cluster.ask(*show).strip() == "RUNNING", PATIENCE, "the job to run")
    assert f"another job is training this model: SLURM job {job}" in taken(cluster, tmp_path, job)
    cluster.stop("slurmctld")
    assert f"another job is training this model: SLURM job {job}" in taken(cluster, tmp_path, job)
    cluster.start_controller()
    wait_until(cluster.answers, PATIENCE, "slurmctld")
    cluster.ask("scancel", job)
    wait_until(lambda: cluster.ask(*show).strip() == "CANCELLED", PATIENCE, "the job to end")
    assert taken(cluster, tmp_path, job) == "held"
