"""Records kept beside a job's output as they come, so that a kill loses no more than a line."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, Self

from limaflow.jsonl import Record, line_of, read_records


class KeptLines(Generic[Record]):
    """The records of a JSON-lines file so far, and its end; a torn last line is cut off."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
        self.records: list[Record] = list(read_records(path, kind))
        self._file = path.open("a", encoding="utf-8", newline="\n")

    def add(self, records: Sequence[Record]) -> None:
        """Keep records, at once."""
        self._file.write("".join(line_of(record) + "\n" for record in records))
        self._file.flush()
        self.records.extend(records)

    def close(self) -> None:
        """No more are added."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
