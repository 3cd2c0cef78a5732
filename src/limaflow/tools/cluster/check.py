"""Compare what a profile asks for with what the cluster has, before anything is submitted."""

from collections.abc import Iterator

from limaflow.scheduler import Cluster, NodeKind
from limaflow.tools.cluster.profile import DEFAULTS, Profile, Request

LONGEST_POLL_SECONDS = 180
"""Between two status queries of snakemake-executor-plugin-slurm 2.8 (`max_sleep_time`)."""


def problems(profile: Profile, cluster: Cluster) -> list[str]:
    """One line for each thing that would be refused or would hang; none where all is there."""
    rules: dict[str, list[str]] = {}
    for request in profile.requests:
        for line in _of_request(request, cluster):
            rules.setdefault(line, []).append(request.rule)
    # What the defaults lack, every other rule lacks as well.
    found = [
        f"{DEFAULTS if DEFAULTS in named else ', '.join(named)}: {line}"
        for line, named in rules.items()
    ]
    return [
        *found,
        *_of_groups(profile, cluster),
        *_of_jobs(profile, cluster),
        *_of_status(profile, cluster),
    ]


def _of_request(request: Request, cluster: Cluster) -> Iterator[str]:
    yield from _of_account(request, cluster)
    if request.qos and cluster.accounts is not None and request.qos not in cluster.qos:
        yield f"qos: you may not use '{request.qos}'{_those(cluster.qos)}"
    if request.partition is None:
        return
    kinds = [kind for kind in cluster.kinds if kind.partition == request.partition]
    if not kinds:
        yield (
            f"slurm_partition: no partition is named '{request.partition}'"
            f"{_those(cluster.partitions)}"
        )
        return
    yield from _of_size(request, kinds)


def _of_account(request: Request, cluster: Cluster) -> Iterator[str]:
    if request.account is None:
        if cluster.accounts is not None and request.rule == DEFAULTS:
            yield f"slurm_account: name one{_those(cluster.accounts)}"
    elif cluster.accounts is None:
        yield (
            f"slurm_account: '{request.account}', but this cluster keeps no "
            "accounts: use profiles/slurm-no-accounting"
        )
    elif request.account.lower() not in {name.lower() for name in cluster.accounts}:
        yield (f"slurm_account: you have no account '{request.account}'{_those(cluster.accounts)}")


def _of_size(request: Request, kinds: list[NodeKind]) -> Iterator[str]:
    where = f"partition '{request.partition}'"
    if (
        request.minutes
        and request.warning_seconds
        and 60 * request.minutes <= request.warning_seconds
    ):
        yield (
            f"runtime: {request.minutes} minutes, and the warning of slurm_extra comes "
            f"{request.warning_seconds} s before the end: at once"
        )
    if request.minutes and kinds[0].minutes and request.minutes > kinds[0].minutes:
        yield (
            f"runtime: {request.minutes} minutes at the last attempt, "
            f"and {where} allows {kinds[0].minutes}"
        )
    name, count = _gres(request.gres)
    memory = [kind for kind in kinds if kind.memory_mb >= (request.memory_mb or 0)]
    cpus = [kind for kind in kinds if kind.cpus >= request.cpus]
    gres = [kind for kind in kinds if not name or kind.gres.get(name, 0) >= count]
    enough = True
    for key, asked, having, there in (
        (
            "mem_mb",
            f"{request.memory_mb} MB at the last attempt",
            memory,
            f" (the largest node has {max(kind.memory_mb for kind in kinds)})",
        ),
        (
            "set-threads",
            f"{request.cpus} CPUs",
            cpus,
            f" (the largest node has {max(kind.cpus for kind in kinds)})",
        ),
        ("gres", request.gres, gres, _those({key for kind in kinds for key in kind.gres})),
    ):
        if _nodes(having) < request.nodes:
            enough = False
            yield (
                f"{key}: {asked} on {request.nodes} node(s), and {where} "
                f"has {_nodes(having)} such node(s){there}"
            )
    together = _nodes([kind for kind in memory if kind in cpus and kind in gres])
    if enough and together < request.nodes:
        yield (
            f"{where} has each of {request.gres}, {request.memory_mb} MB and {request.cpus} CPUs, "
            f"but only {together} node(s) with all of them"
        )


def _of_groups(profile: Profile, cluster: Cluster) -> Iterator[str]:
    """The partition is that of the defaults, where groups usually run."""
    partition = next((r.partition for r in profile.requests if r.rule == DEFAULTS), None)
    limits = [kind.minutes for kind in cluster.kinds if kind.partition == partition]
    limit = limits[0] if limits else None
    for group, minutes in profile.group_minutes.items():
        if limit is not None and minutes > limit:
            yield (
                f"group-components: the members of '{group}' may take {minutes} minutes together, "
                f"and partition '{partition}' allows {limit}: lower '{group}' there, or the times"
            )


def _of_jobs(profile: Profile, cluster: Cluster) -> Iterator[str]:
    accounts = {request.account for request in profile.requests if request.account}
    limits = {
        limit
        for name, limit in cluster.submit_limits.items()
        if name.lower() in {account.lower() for account in accounts}
    }
    if limits and profile.jobs and profile.jobs > min(limits):
        yield (
            f"jobs: {profile.jobs} at once, and you may have {min(limits)} submitted "
            "(MaxSubmitJobs); what is more waits"
        )


def _of_status(profile: Profile, cluster: Cluster) -> Iterator[str]:
    if profile.status_command != "squeue":
        if cluster.accounts is None:
            yield "slurm-status-command: this cluster has no accounting, so it must be squeue"
        return
    needed = max(LONGEST_POLL_SECONDS, 3 * profile.first_poll_seconds)
    if cluster.min_job_age_seconds < needed:
        yield (
            f"slurm-status-command: squeue forgets a job {cluster.min_job_age_seconds} s after its "
            f"end (MinJobAge), and Snakemake may ask only every {needed} s"
        )


def _nodes(kinds: list[NodeKind]) -> int:
    return sum(kind.nodes for kind in kinds)


def _gres(text: str | None) -> tuple[str, int]:
    """`gpu:a100:4` → (`gpu:a100`, 4); a missing number is 1."""
    *names, last = (text or "").split(":")
    return (":".join(names), int(last)) if names and last.isdigit() else (text or "", 1)


def _those(names: "list[str] | set[str] | frozenset[str]") -> str:
    return f" (there is: {', '.join(sorted(names))})" if names else ""
