"""Which files were made of which, by the records of jobs."""

import json
import posixpath
from collections.abc import Iterable, Mapping

from limaflow.recording.record import FOLDER

NUMBERS = ("analysis", "tables", "figures")
"""Folders of an experiment that hold its numbers."""

Reads = Mapping[str, frozenset[str]]
"""File → the files that the job which made it had read."""


def reads_of(records: Mapping[str, bytes]) -> Reads:
    """What every file was made of, by its name in the bundle.

    Args:
        records: records of jobs, by their names in the bundle; one that cannot be read is left out.
    """
    chain = {}
    for place, text in records.items():
        try:
            inputs = dict(json.loads(text)["inputs"])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        folder = posixpath.dirname(posixpath.dirname(place))
        chain[described(place)] = frozenset(
            posixpath.normpath(posixpath.join(folder, str(name))) for name in inputs
        )
    return chain


def is_record(name: str) -> bool:
    return posixpath.basename(posixpath.dirname(name)) == FOLDER


def described(record: str) -> str:
    """The file that a record describes."""
    folder = posixpath.dirname(posixpath.dirname(record))
    return posixpath.join(folder, posixpath.basename(record).removesuffix(".json"))


def moved_by(names: Iterable[str], reads: Reads) -> list[str]:
    """The files of numbers that were made of these, however late, themselves included."""
    reached = set(names)
    grown = True
    while grown:
        further = {name for name, inputs in reads.items() if inputs & reached} - reached
        reached |= further
        grown = bool(further)
    return sorted(name for name in reached if holds_numbers(name))


def holds_numbers(name: str) -> bool:
    """Whether it is a file of statistics, a table or a figure."""
    parts = name.split("/")
    return len(parts) > 3 and parts[0] == "results" and parts[2] in NUMBERS and FOLDER not in parts
