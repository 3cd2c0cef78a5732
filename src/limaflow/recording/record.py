"""The record of one file: its hash, what it was made from, by which command, code and machine.

It lies beside the file, in `.records/<name>.json`, so that it moves with it. A command that writes
several files leaves one record for each; they share `job`. A record names each input by its path
from the file's folder, its hash, and the digest of its own record: the chain can be followed.
"""

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import line_of, read_json, replacing
from limaflow.manifests import sha256_of

FOLDER = ".records"


@dataclass(frozen=True, kw_only=True)
class Content:
    """The bytes of a file, and when it was written, which tells whether it may be another now."""

    sha256: str
    size: int
    modified_ns: int


@dataclass(frozen=True, kw_only=True)
class Input:
    """A file that was read."""

    sha256: str
    record: str | None = None
    """Digest of its own record; None where it had none that fits it."""


@dataclass(frozen=True, kw_only=True)
class Code:
    """The code that ran."""

    revision: str = ""
    """Commit of the checkout, with `-dirty` where tracked files differ; "" outside a checkout."""
    source: str = ""
    """Hash of the package's own files, which tells two dirty checkouts apart."""
    lock: str = ""
    """SHA-256 of envs/requirements.lock; "" outside a checkout."""
    packages: dict[str, str] = field(default_factory=dict)
    """Version of each package that shapes a result."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where it ran; no name of a host or user."""

    system: str = ""
    processor: str = ""
    cpus: int = 0
    """Those that the process may use."""
    memory_gib: float = 0.0
    gpus: tuple[str, ...] = ()
    processes: int = 1
    """Of one job, as torchrun started them."""


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """How one file came to be."""

    content: Content
    job: str
    """Shared by the files of one command."""
    command: tuple[str, ...]
    inputs: dict[str, Input]
    """By path from the folder of the file."""
    started: str
    """ISO 8601, UTC."""
    seconds: float
    cost: float | None = None
    """Of its calls to endpoints, in the currency of their prices; None where it made none."""
    code: Code = Code()
    machine: Machine = Machine()
    accepted_in_place_of: str = ""
    """SHA-256 of what a command had made, where somebody changed the file and said so."""

    @property
    def digest(self) -> str:
        """SHA-256 over all that the record says."""
        return hashlib.sha256(line_of(self).encode()).hexdigest()

    @property
    def made_by(self) -> str:
        """For messages: the command without its options, and the day."""
        words = [word for word in self.command[:3] if not word.startswith("-")]
        return f"`limaflow {' '.join(words[:2])}` of {self.started[:16].replace('T', ' ')}"


def record_of(path: str | Path) -> Path:
    """Where the record of a file lies, there or not."""
    folder, name = os.path.split(path)
    return Path(folder, FOLDER, f"{name}.json")


def file_of(record: Path) -> Path:
    """The file that a record describes."""
    return record.parent.parent / record.name.removesuffix(".json")


def rendered(record: JobRecord) -> str:
    """The text of a record's file, with the digest that shows a change of any byte."""
    plain = {**dataclasses.asdict(record), "digest": record.digest}
    return json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_record(path: Path, record: JobRecord) -> None:
    """Leave the record of the file at `path`."""
    with replacing(record_of(path)) as file:
        file.write(rendered(record))


def read_record(path: Path) -> JobRecord | None:
    """The record of the file at `path`; None where there is none.

    Raises:
        InputError: it is no record, or was changed.
    """
    place = record_of(path)
    if not place.is_file():
        return None
    record = read_json(place, JobRecord)
    if place.read_bytes() != rendered(record).encode("utf-8", "replace"):
        raise InputError("this record was changed after it was written", path=place)
    return record


def content_of(path: Path) -> Content:
    """What a file holds now; all its bytes are read."""
    facts = path.stat()
    return Content(sha256=sha256_of(path), size=facts.st_size, modified_ns=facts.st_mtime_ns)


def input_of(path: Path) -> Input:
    """A file that was read; by its record, without hashing, where size and time still fit."""
    try:
        record = read_record(path)
    except InputError:
        record = None
    if record is None:
        return Input(sha256=sha256_of(path))
    facts = path.stat()
    known = record.content
    if (facts.st_size, facts.st_mtime_ns) == (known.size, known.modified_ns):
        return Input(sha256=known.sha256, record=record.digest)
    found = sha256_of(path)
    return Input(sha256=found, record=record.digest if found == known.sha256 else None)
