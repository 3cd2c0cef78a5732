"""`limaflow cluster check` on a real SLURM: what is missing is said before it is asked for."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from slurm_cluster import Cluster, missing, running

pytestmark = pytest.mark.slow
Check = Callable[..., subprocess.CompletedProcess[str]]
GPUS = {"slurm_partition": "gpu", "gres": "gpu:a100:2", "nodes": 2, "mem_mb": 4000}


@pytest.fixture
def check(cluster: Cluster, root: Path, tmp_path: Path) -> Check:
    return checker(cluster, root, tmp_path)


def checker(cluster: Cluster, root: Path, place: Path) -> Check:
    def check(
        resources: dict[str, object] | None = None, **profile: object
    ) -> subprocess.CompletedProcess[str]:
        keys = {
            "slurm-status-command": "squeue",
            "default-resources": {"slurm_account": "lab", "slurm_partition": "cpu"},
            "set-resources": {"fine_tune": {**GPUS, **(resources or {})}},
            **profile,
        }
        (place / "profile.yaml").write_text(yaml.safe_dump(keys), encoding="utf-8")
        command = cluster.inside("limaflow", "cluster", "check", str(place), cwd=root)
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return check


def test_what_is_there_is_listed(check: Check) -> None:
    done = check()
    assert done.returncode == 0, done.stderr
    assert "fine_tune: lab, 2 node(s) of gpu, gpu:a100:2, 4000 MB: there" in done.stdout


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"slurm_partition": "gpux"}, "no partition is named 'gpux' (there is: cpu, gpu, spare)"),
        ({"slurm_account": "CHANGE_ME"}, "you have no account 'CHANGE_ME'"),
        ({"gres": "gpu:h100:1"}, "partition 'gpu' has 0 such node(s) (there is: gpu, gpu:a100)"),
        ({"gres": "gpu:4"}, "gpu:4 on 2 node(s)"),
        ({"nodes": 3}, "gpu:a100:2 on 3 node(s), and partition 'gpu' has 2 such"),
        ({"mem_mb": "20000 * attempt"}, "80000 MB at the last attempt on 2 node(s)"),
        ({"cpus_per_task": 8}, "8 CPUs on 2 node(s), and partition 'gpu' has 0 such node(s)"),
        ({"runtime": "20h * attempt"}, "is no number"),
        ({"runtime": "3d"}, "4320 minutes at the last attempt, and partition 'gpu' allows 2880"),
        ({"qos": "express"}, "you may not use 'express' (there is: normal)"),
    ],
)
def test_what_is_missing_is_named(check: Check, resources: dict[str, object], message: str) -> None:
    done = check(resources, retries=3)
    assert done.returncode == 1
    assert message in done.stderr
    assert "fine_tune" in done.stderr


def test_what_all_rules_lack_is_said_once(check: Check) -> None:
    done = check(**{"default-resources": {"slurm_account": "CHANGE_ME", "slurm_partition": "cpu"}})
    assert done.stderr.count("CHANGE_ME") == 1


def test_squeue_that_forgets_too_early_is_refused(check: Check) -> None:
    done = check(**{"slurm-init-seconds-before-status-checks": 4000})
    assert "squeue forgets a job 7200 s after its end (MinJobAge)" in done.stderr


def test_a_cluster_without_accounts_is_told_from_one_with(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if lacking := missing():
        pytest.skip(f"no SLURM can be started here; missing: {', '.join(lacking)} (make debian)")
    with running(tmp_path_factory.mktemp("bare") / "c", accounts=False) as bare:
        check = checker(bare, root, tmp_path_factory.mktemp("profile"))
        refused = check(**{"slurm-status-command": "sacct"})
        assert "use profiles/slurm-no-accounting" in refused.stderr
        assert "it must be squeue" in refused.stderr
        without = check(**{"default-resources": {"slurm_partition": "cpu"}})
        assert without.returncode == 0, without.stderr
        # In an outage the executor turns to sacct, of which ours asks squeue.
        job = bare.ask("sbatch", "--parsable", "--job-name=run", "--wrap=sleep 600").strip()
        states = bare.ask(str(root / "profiles/slurm/bin/sacct"), "-X", "--name", "run")
        assert states.split("|")[0] == job


def test_a_machine_without_slurm_is_told(root: Path) -> None:
    environment = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(root / "src")}
    done = subprocess.run(
        ["limaflow", "cluster", "check", "profiles/slurm"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no sinfo on this machine" in done.stderr
