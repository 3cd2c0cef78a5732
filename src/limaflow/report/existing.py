"""Files of a study that may be missing."""

import csv
from pathlib import Path

from limaflow.jsonl import Record, read_json


def optional(path: Path, kind: type[Record]) -> Record | None:
    """The file's content, or None if there is no such file."""
    return read_json(path, kind) if path.is_file() else None


def table(path: Path) -> list[dict[str, str]] | None:
    """The rows of a CSV file, or None if there is no such file."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
