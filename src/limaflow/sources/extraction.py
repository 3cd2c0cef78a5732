"""Candidates of one shard, read as the kind of its source declares."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limaflow.errors import InputError
from limaflow.jsonl import replacing
from limaflow.mistakes import nearest
from limaflow.records import Candidate
from limaflow.sources.kind import Reader
from limaflow.sources.kinds import READERS
from limaflow.sources.shard import ReadingOptions, Shard, line_of


def reader_of(kind: str) -> Reader[Any]:
    """How sources of this kind are read.

    Raises:
        InputError: no such kind.
    """
    if kind not in READERS:
        raise InputError(f"--kind {kind}: unknown{nearest(kind, list(READERS))}")
    return READERS[kind]


def candidates(shard: Shard[ReadingOptions], passed_over: Counter[str]) -> Iterator[Candidate]:
    """The shard's candidates; counts in `passed_over` what is no candidate.

    Raises:
        InputError: unknown kind, no or missing or broken raw files, two candidates of one id.
    """
    reader = reader_of(shard.kind)
    _check_files(shard)
    before = ""
    for candidate in reader.read(shard, passed_over):
        if candidate.id == before:
            raise InputError(f"two candidates have the id {candidate.id}", path=shard.files[0])
        before = candidate.id
        yield candidate


def extract(
    shard: Shard[ReadingOptions], output: Path, passed_over: Counter[str], processes: int = 1
) -> int:
    """Write the shard's candidates as JSON lines and return their number.

    Raises:
        InputError: as `candidates`, or there is not a single row; nothing is left under the
            output's name then.
    """
    write = reader_of(shard.kind).write
    count = 0
    if write is not None:
        _check_files(shard)
        count = write(shard, passed_over, output, processes)
    else:
        with replacing(output) as file:
            for count, candidate in enumerate(candidates(shard, passed_over), start=1):  # noqa: B007
                file.buffer.write(line_of(candidate))
    if not count and not passed_over.total():
        output.unlink(missing_ok=True)
        what = f"{shard.source}/{shard.name} has not a single row"
        raise InputError(what, path=", ".join(map(str, shard.files)))
    return count


def _check_files(shard: Shard[ReadingOptions]) -> None:
    for path in shard.files:
        if not path.is_file():
            raise InputError("no such file", path=path)
