"""A job needs nodes that have all it asks for; tests/slurm asks a real cluster the rest."""

from dataclasses import replace
from pathlib import Path

from limaflow.scheduler import Cluster, NodeKind
from limaflow.tools.cluster.check import problems
from limaflow.tools.cluster.profile import Profile, Request


def kind(nodes: int, cpus: int, memory_mb: int, gpus: int) -> NodeKind:
    gres = {"gpu": gpus} if gpus else {}
    return NodeKind(
        partition="mixed", minutes=None, nodes=nodes, cpus=cpus, memory_mb=memory_mb, gres=gres
    )


def found(*kinds: NodeKind, nodes: int = 1) -> list[str]:
    request = Request(
        rule="fine_tune", partition="mixed", gres="gpu:8", nodes=nodes, cpus=8, memory_mb=150_000
    )
    profile = Profile(
        path=Path("profile.yaml"),
        requests=(request,),
        status_command="squeue",
        first_poll_seconds=20,
    )
    cluster = Cluster(
        kinds=kinds,
        accounts=None,
        qos=frozenset(),
        min_job_age_seconds=300,
    )
    return problems(profile, cluster)


def test_more_than_the_cluster_lets_wait_or_run_is_said() -> None:
    requests = (
        Request(rule="default-resources", partition="mixed", account="lab"),
        Request(rule="fine_tune", partition="mixed", account="lab", minutes=5, warning_seconds=300),
    )
    profile = Profile(
        path=Path("profile.yaml"),
        requests=requests,
        status_command="squeue",
        first_poll_seconds=20,
        jobs=50,
        group_minutes={"reading": 1120, "analysis": 60},
    )
    cluster = Cluster(
        kinds=(replace(kind(4, 64, 500_000, 0), minutes=720),),
        accounts=frozenset({"lab"}),
        qos=frozenset(),
        min_job_age_seconds=300,
        submit_limits={"lab": 20, "other": 5},
    )
    assert problems(profile, cluster) == [
        "fine_tune: runtime: 5 minutes, and the warning of slurm_extra comes 300 s before the "
        "end: at once",
        "group-components: the members of 'reading' may take 1120 minutes together, and partition "
        "'mixed' allows 720: lower 'reading' there, or the times",
        "jobs: 50 at once, and you may have 20 submitted (MaxSubmitJobs); what is more waits",
    ]


def test_memory_on_one_kind_of_node_and_gpus_on_another_are_no_node() -> None:
    assert found(kind(4, 64, 500_000, 0), kind(4, 64, 64_000, 8)) == [
        "fine_tune: partition 'mixed' has each of gpu:8, 150000 MB and 8 CPUs, "
        "but only 0 node(s) with all of them"
    ]


def test_all_of_the_nodes_must_have_it() -> None:
    one_large = (kind(1, 64, 500_000, 8), kind(3, 64, 64_000, 8))
    assert found(*one_large) == []
    assert "150000 MB at the last attempt on 2 node(s)" in found(*one_large, nodes=2)[0]
    assert "8 CPUs on 1 node(s), and partition 'mixed' has 0" in found(kind(4, 4, 500_000, 8))[0]
