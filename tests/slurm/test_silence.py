"""A job that is to be submitted while the scheduler is silent waits for it."""

import subprocess
from pathlib import Path

import pytest
from slurm_cluster import PATIENCE, Cluster, wait_until

pytestmark = pytest.mark.slow


def submit(
    cluster: Cluster, root: Path, account: str, wrapped: str = "true"
) -> "subprocess.Popen[str]":
    options = (f"--account={account}", "--parsable", "--mem=100", "--output=/dev/null")
    sbatch = str(root / "profiles/slurm/bin/sbatch")
    command = cluster.inside(sbatch, *options, "-t", "600", "-p", "cpu", f"--wrap={wrapped}")
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


def test_a_limit_on_submitted_jobs_is_waited_out(
    cluster: Cluster, root: Path, tmp_path: Path
) -> None:
    limit = ("sacctmgr", "--immediate", "modify", "user", "root", "set")
    cluster.ask(*limit, "maxsubmitjobs=1")
    try:
        running = submit(cluster, root, "lab", "sleep 600")
        first, _ = running.communicate(timeout=PATIENCE)
        waiting = submit(cluster, root, "lab")
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=25)
        cluster.ask("scancel", first.strip())
        printed, said = waiting.communicate(timeout=PATIENCE)
        assert waiting.returncode == 0
        assert printed.strip().isdigit()
        assert said.count("waits to be submitted: AssocMaxSubmitJobLimit") == 1
        (tmp_path / "profile.yaml").write_text(
            "jobs: 50\nslurm-status-command: squeue\n"
            "default-resources: {slurm_account: lab, slurm_partition: cpu}\n"
        )
        check = cluster.inside("limaflow", "cluster", "check", str(tmp_path), cwd=root)
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "jobs: 50 at once, and you may have 1 submitted" in done.stderr
    finally:
        cluster.ask(*limit, "maxsubmitjobs=-1")


def test_more_time_than_the_partition_allows_is_lowered_and_keys_stay_here(
    cluster: Cluster, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMAFLOW_SECRETS", "JUDGES_KEY")
    monkeypatch.setenv("JUDGES_KEY", "sk-1")
    monkeypatch.setenv("OTHER", "kept")
    cluster.ask("scontrol", "update", "PartitionName=cpu", "MaxTime=120")
    try:
        sent = submit(cluster, root, "lab", f"env > {tmp_path}/env")
        job, said = sent.communicate(timeout=PATIENCE)
        assert "asks for 600 minutes, and partition 'cpu' allows 120" in said
        shown = cluster.ask("scontrol", "show", "job", job.strip())
        assert "TimeLimit=02:00:00" in shown
        wait_until((tmp_path / "env").exists, PATIENCE, "the job")
    finally:
        cluster.ask("scontrol", "update", "PartitionName=cpu", "MaxTime=1-00:00:00")
    found = (tmp_path / "env").read_text(encoding="utf-8")
    assert "OTHER=kept" in found
    assert "sk-1" not in found
