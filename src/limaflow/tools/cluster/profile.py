"""What a Snakemake profile asks of a cluster, rule by rule."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.config.experiment import Config
from limaflow.config.job_sizes import idle_rules, job_sizes
from limaflow.config.merge_configs import merged
from limaflow.errors import InputError
from limaflow.tools.cluster.group_times import group_minutes

DEFAULTS = "default-resources"
MINUTES = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the jobs of one rule ask for; None where the profile leaves it to the cluster."""

    rule: str
    """`default-resources` for all rules that the profile does not name."""
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    gres: str | None = None
    nodes: int = 1
    cpus: int = 1
    """Of each node."""
    memory_mb: int | None = None
    """Of each node, at the last attempt."""
    minutes: int | None = None
    """Time limit at the last attempt."""
    warning_seconds: int | None = None
    """How long before the end SLURM's signal comes (`slurm_extra: --signal=TERM@300`)."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile's file, and what of it a cluster must have."""

    path: Path
    requests: tuple[Request, ...]
    status_command: str | None
    first_poll_seconds: int
    jobs: int | None = None
    """Submitted at once."""
    group_minutes: Mapping[str, int] = field(default_factory=dict)
    """Group → the times of all its members, where the experiment is known."""


def read_profile(path: Path, config: Config | None = None) -> Profile:
    """Read a profile's folder or file.

    Args:
        config: the experiment, from which the jobs that run a model take their size, and groups
            the number of their members.

    Raises:
        InputError: no such file, not YAML, or a resource that cannot be computed.
    """
    file = _file_of(path)
    keys = merged([file])
    attempts = int(keys.get("retries", 0)) + 1
    defaults = keys.get(DEFAULTS) or {}
    by_rule: dict[str, dict[str, Any]] = {DEFAULTS: defaults}
    for rule, size in job_sizes(config).items() if config is not None else ():
        by_rule[rule] = {
            **defaults,
            "nodes": size.nodes,
            "gres": size.gres,
            "cpus_per_task": size.cpus,
            "mem_mb": size.memory_at(attempts),
            "runtime": size.minutes_at(attempts),
        }
    for rule, resources in (keys.get("set-resources") or {}).items():
        by_rule[rule] = {**by_rule.get(rule, defaults), **resources}
    for rule, threads in (keys.get("set-threads") or {}).items():
        by_rule[rule] = {**by_rule.get(rule, defaults), "cpus_per_task": threads}
    for rule in set() if config is None else idle_rules(config):
        by_rule.pop(rule, None)
    requests = tuple(_request(file, r, found, attempts) for r, found in by_rule.items())
    jobs = str(keys.get("jobs", ""))
    return Profile(
        path=file,
        requests=requests,
        jobs=int(jobs) if jobs.isdigit() else None,
        group_minutes={} if config is None else _group_minutes(config, keys, requests),
        status_command=keys.get("slurm-status-command"),
        first_poll_seconds=int(keys.get("slurm-init-seconds-before-status-checks", 40)),
    )


def _group_minutes(
    config: Config, keys: Mapping[str, Any], requests: Iterable[Request]
) -> dict[str, int]:
    known = {request.rule: request.minutes or 0 for request in requests}
    groups: dict[str, str] = keys.get("groups") or {}
    minutes = {rule: known.get(rule, known[DEFAULTS]) for rule in groups}
    return group_minutes(config, groups, keys.get("group-components") or {}, minutes)


def _file_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in ("profile.yaml", "config.yaml"):
        if (path / name).is_file():
            return path / name
    raise InputError("holds no profile.yaml", path=path)


def _request(file: Path, rule: str, resources: dict[str, Any], attempts: int) -> Request:
    def number(key: str) -> int | None:
        if resources.get(key) is None:
            return None
        try:
            return _number(resources[key], attempts)
        except Exception as error:
            raise InputError(
                f"{rule}.{key}: {resources[key]!r} is no number: {error}", path=file
            ) from None

    gpus = resources.get("gpu")
    model = f"{resources['gpu_model']}:" if resources.get("gpu_model") else ""
    return Request(
        rule=rule,
        partition=_text(resources.get("slurm_partition")),
        account=_text(resources.get("slurm_account")),
        qos=_text(resources.get("qos")),
        gres=_text(resources.get("gres")) or (f"gpu:{model}{gpus}" if gpus else None),
        nodes=number("nodes") or 1,
        cpus=number("cpus_per_task") or 1,
        memory_mb=number("mem_mb"),
        minutes=number("runtime"),
        warning_seconds=_warning(str(resources.get("slurm_extra") or "")),
    )


def _warning(extra: str) -> int | None:
    found = re.search(r"--signal=\S*@(\d+)", extra)
    return int(found[1]) if found else None


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _number(value: Any, attempt: int) -> int:
    """An integer, a time such as `12h` in minutes, or an expression as Snakemake reads it."""
    if isinstance(value, int):
        return value
    if re.fullmatch(r"(\d+\s*[dhms]\s*)+", value):
        parts = re.findall(r"(\d+)\s*([dhms])", value)
        return round(sum(int(count) * MINUTES[unit] for count, unit in parts))
    names = {"__builtins__": {}, "attempt": attempt, "min": min, "max": max}
    return int(eval(value, names))
