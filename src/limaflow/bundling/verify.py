"""A bundle against its own sums, and its numbers against what they are made of."""

import contextlib
import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limaflow.bundling.archive import Bundle, opened
from limaflow.bundling.crate import METADATA
from limaflow.bundling.not_here import NOT_HERE, NotHere, read_not_here
from limaflow.bundling.reading_chain import described, is_record, moved_by, reads_of
from limaflow.bundling.rebuild import Rebuilt, Run, rebuild
from limaflow.bundling.sums import SUMS, Difference, differences, read_sums, sha256_of_stream
from limaflow.bundling.withholding import MARK
from limaflow.errors import InputError
from limaflow.recording.surroundings import code_now


@dataclass
class Verified:
    """What is wrong with a bundle, and what is right."""

    files: int = 0
    sums: str = ""
    """SHA-256 of the list of sums, which stands for the whole bundle."""
    differences: list[Difference] = field(default_factory=list)
    moved: dict[str, list[str]] = field(default_factory=dict)
    """Changed file → the numbers that were made of it."""
    contradictions: dict[str, str] = field(default_factory=dict)
    """File → what its record, the metadata or its own words say otherwise."""
    by_hash: int = 0
    without_texts: dict[str, int] = field(default_factory=dict)
    """Member → rows whose texts are withheld."""
    rebuilt: Rebuilt | None = None
    other_code: bool = False
    """Whether other code than this made the numbers."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        rebuilt = self.rebuilt or Rebuilt()
        return not (self.differences or self.contradictions or rebuilt.different or rebuilt.failed)


def verify(path: Path, run: Run | None) -> Verified:
    """Check a bundle.

    Args:
        path: the ZIP, or a folder that it was unpacked into.
        run: runs a command line of limaflow; None checks hashes alone.

    Raises:
        InputError: it is no bundle.
    """
    with opened(path) as bundle:
        if SUMS not in bundle.sizes:
            raise InputError(f"holds no {SUMS}: not a bundle of limaflow", path=path)
        hashes = {name: _sha256(bundle, name) for name in sorted(bundle.sizes) if name != SUMS}
        records = {name: bundle.read(name) for name in bundle.sizes if is_record(name)}
        found = checked(bundle.read(SUMS), hashes, records)
        _told(bundle, hashes, found)
        results = _results_of(bundle, path)
        found.other_code = _is_other_code(records)
        if run is not None:
            found.rebuilt = rebuild(bundle, results, run, frozenset(found.without_texts))
        return found


def checked(sums: bytes, hashes: Mapping[str, str], records: Mapping[str, bytes]) -> Verified:
    """The files' hashes against the list of sums and against the records of the jobs.

    Args:
        sums: the list of sums.
        hashes: SHA-256 of every other file.
        records: those files that are records of jobs.
    """
    found = Verified(files=len(hashes), sums=hashlib.sha256(sums).hexdigest())
    try:
        found.differences = differences(read_sums(sums), hashes)
    except InputError as error:
        found.contradictions[SUMS] = str(error).partition(": ")[2]
    reads = reads_of(records)
    for difference in found.differences:
        name = described(difference.name) if is_record(difference.name) else difference.name
        found.moved[difference.name] = moved_by([name], reads)
    return found


def _told(bundle: Bundle, hashes: Mapping[str, str], found: Verified) -> None:
    """Take in what is not here, and compare records and metadata with the files."""
    told = NotHere()
    if NOT_HERE in hashes:
        try:
            told = read_not_here(bundle.read(NOT_HERE))
        except InputError as error:
            found.contradictions[NOT_HERE] = str(error)
    found.by_hash = len(told.by_hash)
    for name, known in told.texts_withheld.items():
        if name in hashes:
            found.without_texts[name] = sum(known.rows.values())
            if bundle.read(name).count(MARK) < found.without_texts[name]:
                found.contradictions[name] = f"{NOT_HERE} says that it lacks texts which it has"
    for name, sha256, said_by in _said_of(bundle, hashes):
        differs = {difference.name for difference in found.differences}
        whole = told.texts_withheld.get(name)
        known_hashes = {hashes[name], whole.sha256 if whole else ""}
        if name not in differs and sha256 not in known_hashes:
            found.contradictions.setdefault(name, f"is not what {said_by} says")


def _said_of(bundle: Bundle, hashes: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Members with the hash that something else than the sums gives them, and what that is."""
    for place in sorted(filter(is_record, hashes)):
        content = _object(_json(bundle, place).get("content"))
        if described(place) in hashes and content:
            yield described(place), str(content.get("sha256")), "the record of its job"
    graph = _json(bundle, METADATA).get("@graph") if METADATA in hashes else []
    for entity in map(_object, graph if isinstance(graph, list) else []):
        name, said = str(entity.get("@id")), entity.get("sha256")
        if said and name in hashes:
            yield name, str(said), METADATA


def _json(bundle: Bundle, name: str) -> dict[str, Any]:
    """An object of a member; nothing of one that is broken, which its hash tells."""
    with contextlib.suppress(ValueError, RecursionError):
        return _object(json.loads(bundle.read(name)))
    return {}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _results_of(bundle: Bundle, path: Path) -> str:
    found = [
        posixpath.dirname(name)
        for name in bundle.sizes
        if name.startswith("results/") and name.count("/") == 2 and name.endswith("/config.json")
    ]
    if len(found) != 1:
        raise InputError(
            f"holds {len(found)} studies (results/NAME/config.json), not one", path=path
        )
    return found[0]


def _is_other_code(records: Mapping[str, bytes]) -> bool:
    """Whether the newest record of numbers names other sources of the package."""
    named = set()
    for text in records.values():
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            record = json.loads(text)
            named.add((str(record["started"]), str(record["code"]["source"])))
    return bool(named) and max(named)[1] != code_now().source


def _sha256(bundle: Bundle, name: str) -> str:
    with bundle.open(name) as file:
        return sha256_of_stream(file)
