"""What SLURM reports: partitions, accounts, the nodes of a job."""

import getpass
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.errors import InputError


@dataclass(frozen=True, kw_only=True)
class NodeKind:
    """Nodes of one partition that are alike."""

    partition: str
    minutes: int | None
    """The partition's time limit; None is none."""
    nodes: int
    cpus: int
    memory_mb: int
    gres: dict[str, int]
    """Number of each on a node, under its name and, if typed, under `name:type` too."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What jobs can be asked of."""

    kinds: tuple[NodeKind, ...]
    accounts: frozenset[str] | None
    """Of the user; None where SLURM keeps no accounts."""
    qos: frozenset[str]
    min_job_age_seconds: int
    """How long squeue remembers an ended job."""
    submit_limits: Mapping[str, int] = field(default_factory=dict)
    """Account → how many jobs of the user it lets wait and run at once, where that is bounded."""

    @property
    def partitions(self) -> list[str]:
        return sorted({kind.partition for kind in self.kinds})


def program(name: str, stand_ins: Path) -> str | None:
    """The first program of that name on PATH that does not lie in the folder of stand-ins."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    others = [folder for folder in folders if folder.resolve() != stand_ins.resolve()]
    return shutil.which(name, path=os.pathsep.join(map(str, others)))


def option(words: Sequence[str], *names: str) -> str | None:
    """What a command line gives an option, as `-p gpu` or `--partition=gpu`; None without it."""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else next(iter(words[number + 1 :]), None)
    return None


def ask(*command: str) -> str:
    """The output of one of SLURM's commands.

    Raises:
        InputError: there is no such command here, or it failed.
    """
    if shutil.which(command[0]) is None:
        raise InputError(f"no {command[0]} on this machine: is it a login node of a SLURM cluster?")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(
            f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}", may_pass=True
        )
    return done.stdout


def inspect_cluster() -> Cluster:
    """Ask sinfo, scontrol and sacctmgr.

    Raises:
        InputError: SLURM does not answer.
    """
    lines = ask("sinfo", "--noheader", "--format=%R|%l|%D|%c|%m|%G").splitlines()
    settings = dict(
        re.findall(r"^(\w+)\s*=\s*(.*?)\s*$", ask("scontrol", "show", "config"), re.MULTILINE)
    )
    keeps_accounts = settings["AccountingStorageType"].endswith("slurmdbd")
    associations = _associations() if keeps_accounts else []
    return Cluster(
        kinds=tuple(_kind(line) for line in lines),
        accounts=frozenset(a.account for a in associations) if keeps_accounts else None,
        qos=frozenset(q for a in associations for q in a.qos),
        submit_limits=_submit_limits(associations),
        min_job_age_seconds=int(settings["MinJobAge"].split()[0]),
    )


def hosts_of(job: str) -> list[str]:
    """The names of a running job's nodes, in SLURM's order.

    Raises:
        InputError: SLURM knows no such job.
    """
    nodes = ask("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
    return ask("scontrol", "show", "hostnames", nodes).split()


@dataclass(frozen=True)
class _Association:
    account: str
    qos: tuple[str, ...]
    most_submitted: int | None


def _associations() -> list[_Association]:
    """The user's own."""
    text = ask(
        *("sacctmgr", "--noheader", "--parsable2", "show", "associations"),
        *(f"user={getpass.getuser()}", "format=account,qos,maxsubmitjobs"),
    )
    rows = (line.split("|") for line in text.splitlines() if line.strip())
    return [
        _Association(account, tuple(q for q in qos.split(",") if q), _count(most))
        for account, qos, most in rows
    ]


def _submit_limits(associations: Iterable[_Association]) -> dict[str, int]:
    """Of the association and of what its QOS says."""
    associations = list(associations)
    if not associations:
        return {}
    text = ask(
        *("sacctmgr", "--noheader", "--parsable2", "show", "qos"),
        "format=name,maxsubmitjobsperuser",
    )
    of_qos = dict(line.split("|") for line in text.splitlines() if "|" in line)
    found: dict[str, int] = {}
    for one in associations:
        limits = [one.most_submitted, *(_count(of_qos.get(q, "")) for q in one.qos[:1])]
        bounds = [limit for limit in limits if limit is not None]
        if bounds:
            found[one.account] = min([*bounds, found.get(one.account, min(bounds))])
    return found


def _count(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _kind(line: str) -> NodeKind:
    partition, limit, nodes, cpus, memory, gres = line.split("|")
    return NodeKind(
        partition=partition,
        minutes=minutes_of(limit),
        nodes=int(nodes),
        cpus=int(cpus.rstrip("+")),
        memory_mb=int(memory.rstrip("+")),
        gres=_counted(gres),
    )


def minutes_of(limit: str) -> int | None:
    """`1-02:30:00`, `30:00` or `infinite`."""
    if not limit[0].isdigit():
        return None
    days, _, clock = limit.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    hours, minutes = (parts[-3] if len(parts) > 2 else 0), parts[-2]
    return int(days or 0) * 1440 + hours * 60 + minutes


def _counted(gres: str) -> dict[str, int]:
    """`gpu:a100:4(S:0-1),shard:8` → counts by name and by name:type."""
    counts: dict[str, int] = {}
    for entry in re.sub(r"\([^)]*\)", "", gres).split(","):
        *names, last = entry.split(":")
        if not names or not last.isdigit():
            continue
        for key in {names[0], ":".join(names)}:
            counts[key] = counts.get(key, 0) + int(last)
    return counts
