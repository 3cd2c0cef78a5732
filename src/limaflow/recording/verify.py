"""All records of a folder against its files: what was changed, lost, or made of something else."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import read_json
from limaflow.manifests import sha256_of
from limaflow.recording.job import MANIFESTS
from limaflow.recording.record import FOLDER, JobRecord, file_of, read_record
from limaflow.records import ModelManifest

Progress = Callable[[int, int], object]
KEPT = ("runs", "answered")
"""Folders of what commands keep for a next attempt; models in them stand by their manifests."""


@dataclass(kw_only=True)
class Found:
    """What a folder holds, beside what its records say."""

    records: dict[Path, JobRecord] = field(default_factory=dict)
    """By the file that each describes."""
    problems: list[tuple[Path, str]] = field(default_factory=list)
    """Files that are not what was made, with the reason."""
    accepted: list[Path] = field(default_factory=list)
    """Changed by hand, and accepted."""
    unrecorded: list[Path] = field(default_factory=list)
    """Files that no record describes and no job of this folder read."""
    files: int = 0
    """Those that were hashed."""

    @property
    def jobs(self) -> int:
        return len({record.job for record in self.records.values()})

    @property
    def digest(self) -> str:
        """Hash over all records: one line that stands for the whole folder."""
        digests = sorted(record.digest for record in self.records.values())
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()


@dataclass(frozen=True)
class _Expected:
    sha256: str
    otherwise: str
    """What to say where the file holds something else."""


def verify(
    folder: Path, *, models: bool = True, progress: Progress = lambda size, total: None
) -> Found:
    """Compare every file below `folder` that a job made with its record.

    Args:
        models: whether weights are hashed too, by the checksums of their manifests.
        progress: is given the bytes of each file once it was hashed, and those of all.

    Raises:
        InputError: no such folder, or it holds no record.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise InputError("no such folder", path=folder)
    found = Found()
    for place in sorted(folder.rglob(f"{FOLDER}/*.json")):
        path = file_of(place)
        try:
            record = read_record(path)
        except InputError as error:
            found.problems.append((place, str(error).partition(": ")[2]))
            continue
        if record is not None:
            found.records[path] = record
            if record.accepted_in_place_of:
                found.accepted.append(path)
    if not found.records and not found.problems:
        raise InputError("holds no records of jobs", path=folder)
    expected = _expected(found, folder, models=models)
    hashes = _hashes(expected, progress)
    found.files = len(hashes)
    for path, wanted in expected.items():
        if path not in hashes:
            found.problems.append((path, "is gone"))
        elif hashes[path] != wanted.sha256:
            found.problems.append((path, wanted.otherwise))
    found.problems += _broken_chains(found, hashes, folder)
    known = {*expected, *(file_of(place) for place, _ in found.problems)}
    found.unrecorded = [path for path in _results_in(folder) if path not in known]
    found.problems.sort()
    return found


def _expected(found: Found, folder: Path, *, models: bool) -> dict[Path, _Expected]:
    """What each file should hold: by its record, its model's manifest, or a job that read it."""
    expected = {
        path: _Expected(record.content.sha256, f"changed after {record.made_by} made it")
        for path, record in found.records.items()
    }
    for path, record in found.records.items():
        for name, read in record.inputs.items():
            source = _normal(path.parent / name)
            if source.is_relative_to(folder):
                said = f"changed after {record.made_by} had read it"
                expected.setdefault(source, _Expected(read.sha256, said))
    if models:
        for path in [path for path in expected if path.name in MANIFESTS and path.is_file()]:
            expected = dict(_weights(path)) | expected
    return expected


def _weights(manifest_path: Path) -> Iterator[tuple[Path, _Expected]]:
    try:
        manifest = read_json(manifest_path, ModelManifest)
    except InputError:
        # Its own record says that it was changed.
        return
    for name, sha256 in manifest.sha256.items():
        path = _normal(manifest_path.parent / manifest.path / name)
        yield path, _Expected(sha256, f"differs from the checksum in {manifest_path}")


def _hashes(expected: Iterable[Path], progress: Progress) -> dict[Path, str]:
    files = [path for path in expected if path.is_file()]
    total = sum(path.stat().st_size for path in files)

    def hashed(path: Path) -> str:
        sha256 = sha256_of(path)
        progress(path.stat().st_size, total)
        return sha256

    # Hashing leaves Python's lock, so that threads share the work.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(files, pool.map(hashed, files), strict=True))


def _broken_chains(
    found: Found, hashes: Mapping[Path, str], folder: Path
) -> Iterator[tuple[Path, str]]:
    """Files made of something else than what lies there now, and inputs whose record is gone."""
    for path, record in found.records.items():
        for name, read in record.inputs.items():
            source = _normal(path.parent / name)
            own = found.records.get(source)
            if own is None and read.record and source in hashes:
                yield source, f"its record is gone; {record.made_by} had read it"
            elif own is not None and own.content.sha256 != read.sha256:
                shown = os.path.relpath(source, folder)
                yield path, f"made of an earlier {shown}, which was made again since"


def _results_in(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in KEPT)
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(place, name)


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))
