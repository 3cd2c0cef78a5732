"""The jobs that made an experiment, by command, as their records have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from limaflow.errors import InputError
from limaflow.recording.record import FOLDER, JobRecord, file_of, read_record


@dataclass(frozen=True, kw_only=True)
class CommandJobs:
    """All jobs of one command."""

    command: str
    jobs: int
    hours: float
    """Summed over the jobs, whatever ran beside them."""
    cost: float | None
    """In the currency of the configured prices; None where none called an endpoint."""
    revisions: tuple[str, ...]
    machines: tuple[str, ...]
    accepted: int
    """Files of them that were changed by hand, and accepted."""


def jobs_by_command(root: Path) -> list[CommandJobs]:
    """The jobs on record below `root`, most time first, without records that cannot be read."""
    found: dict[str, list[JobRecord]] = {}
    for place in sorted(root.rglob(f"{FOLDER}/*.json")):
        try:
            record = read_record(file_of(place))
        except InputError:
            continue
        # Snakemake has removed the file of a job that it is about to repeat.
        if record is not None and file_of(place).is_file():
            found.setdefault(" ".join(record.command[:2]), []).append(record)
    rows = [_row(command, records) for command, records in found.items()]
    return sorted(rows, key=lambda row: (-row.hours, row.command))


def _row(command: str, records: Iterable[JobRecord]) -> CommandJobs:
    files = list(records)
    jobs = list({record.job: record for record in files}.values())
    costs = [job.cost for job in jobs if job.cost is not None]
    return CommandJobs(
        command=command,
        jobs=len(jobs),
        hours=sum(job.seconds for job in jobs) / 3600,
        cost=sum(costs) if costs else None,
        revisions=tuple(sorted({_revision(job) for job in jobs})),
        machines=tuple(sorted({_machine(job) for job in jobs})),
        accepted=sum(bool(record.accepted_in_place_of) for record in files),
    )


def _revision(job: JobRecord) -> str:
    commit, dirty, _ = job.code.revision.partition("-dirty")
    return f"{commit[:12] or 'source ' + job.code.source[:12]}{dirty}"


def _machine(job: JobRecord) -> str:
    machine = job.machine
    gpus = f", {len(machine.gpus)} × {machine.gpus[0]}" if machine.gpus else ""
    return f"{machine.cpus} CPUs of {machine.processor or 'unknown kind'}{gpus}"
