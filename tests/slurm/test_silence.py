"""A job that is to be submitted while the scheduler is silent waits for it."""

import subprocess
from pathlib import Path

import pytest
from slurm_cluster import PATIENCE, Cluster, wait_until

pytestmark = pytest.mark.slow


def submit(cluster: Cluster, root: Path, account: str) -> "subprocess.Popen[str]":
    options = (f"--account={account}", "--parsable", "--mem=100", "--output=/dev/null")
    command = cluster.inside(str(root / "profiles/slurm/bin/sbatch"), *options, "--wrap=true")
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def test_it_is_submitted_once_the_scheduler_answers(cluster: Cluster, root: Path) -> None:
    cluster.stop("slurmctld")
    waiting = submit(cluster, root, "lab")
    with pytest.raises(subprocess.TimeoutExpired):
        # Longer than a plain sbatch tries (MessageTimeout).
        waiting.wait(timeout=25)
    cluster.start_controller()
    wait_until(cluster.answers, PATIENCE, "slurmctld")
    printed, _ = waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == 0
    assert printed.strip().isdigit()


def test_any_other_refusal_is_passed_on_at_once(cluster: Cluster, root: Path) -> None:
    refused = submit(cluster, root, "nobody")
    _, said = refused.communicate(timeout=PATIENCE)
    assert refused.returncode == 1
    assert "Invalid account" in said
