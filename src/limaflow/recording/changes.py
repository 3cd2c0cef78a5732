"""Files that were changed after a job made them: refused where numbers are made, or accepted."""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from limaflow.errors import InputError
from limaflow.manifests import sha256_of
from limaflow.recording.job import named_paths
from limaflow.recording.record import (
    FOLDER,
    JobRecord,
    content_of,
    file_of,
    input_of,
    read_record,
    write_record,
)

READERS = {
    "analyze": (),
    "report": (),
    "train": ("choose",),
    "judge": ("summarize", "agreement", "summarize-grades", "agreement-of-grades"),
}
"""Commands that make numbers of results, by group; () is all of a group."""
SMALL = ("analysis", "benchmarks", "figures", "grades", "responses", "tables", "verdicts")
"""Folders of an experiment that the report reads."""


def refuse_changed(words: Sequence[str]) -> None:
    """See that what a command of statistics reads is as it was made.

    Raises:
        InputError: a file differs from its record.
    """
    group, command = [*words, "", ""][:2]
    if group not in READERS or (READERS[group] and command not in READERS[group]):
        return
    for path in named_paths(words):
        for file in [path] if path.is_file() else _recorded_files(path):
            record = read_record(file)
            if record is not None and sha256_of(file) != record.content.sha256:
                raise changed(file, record)


def _recorded_files(folder: Path) -> Iterator[Path]:
    for stage in SMALL:
        for record in sorted((folder / stage).rglob(f"{FOLDER}/*.json")):
            if file_of(record).is_file():
                yield file_of(record)


def changed(path: Path, record: JobRecord) -> InputError:
    """The message for a file that is not what its record says."""
    return InputError(
        f"changed after {record.made_by} made it",
        path=path,
        fix=f"delete it and ask Snakemake for it: `snakemake … -- {path}`; if the change is meant, "
        f"`limaflow records accept {path}`",
    )


def accept(path: Path) -> str:
    """Take a file as it is now for the right one, and say for good that a job made another.

    Returns:
        SHA-256 of what the job had made.

    Raises:
        InputError: there is no such file or record, or the file is as it was made.
    """
    if not path.is_file():
        raise InputError("no such file", path=path)
    record = read_record(path)
    if record is None:
        raise InputError("no job left a record of it, so that nothing is to be accepted", path=path)
    content = content_of(path)
    if content.sha256 == record.content.sha256:
        raise InputError(f"as {record.made_by} made it", path=path)
    accepted = dataclasses.replace(
        record,
        content=content,
        command=("records", "accept", str(path)),
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=0.0,
        cost=None,
        inputs={
            name: input_of(path.parent / name)
            for name in record.inputs
            if (path.parent / name).is_file()
        },
        accepted_in_place_of=record.accepted_in_place_of or record.content.sha256,
    )
    write_record(path, accepted)
    return record.content.sha256
