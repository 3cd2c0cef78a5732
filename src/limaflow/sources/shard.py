"""One shard of a source, as every reader receives it, and what all readers do with its rows."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from pydantic import Field, TypeAdapter
from tqdm import tqdm

from limaflow.errors import InputError
from limaflow.records import Candidate
from limaflow.settings import Settings

BEST = "best response, kept with its prompt"
OTHER = "response that is not the best, or to no prompt"
BAD = "bad row"
"""Rows that readers count as passed over, so that all rows of a raw file are accounted for."""

_ADAPTER = TypeAdapter(Candidate)


class ReadingOptions(Settings):
    """Options of every reader; a kind with more of them has a subclass."""

    licence: str = ""
    """Licence of the texts, where the raw file names none."""
    max_bad_rows: int = Field(default=0, ge=0)
    """Unreadable rows that each shard may pass over; they are counted."""

    instead_of_shards: ClassVar[str] = ""
    """The option that lists a source's shards, if the kind has one: a block with `shards()`."""


Options_co = TypeVar("Options_co", bound=ReadingOptions, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Shard(Generic[Options_co]):
    """One shard of a source: raw files of one kind, read into one file of candidates."""

    kind: str
    source: str
    name: str
    files: tuple[Path, ...]
    scratch: Path
    """Existing folder for temporary files, as large as the raw text."""
    options: Options_co

    def id(self, native: str) -> str:
        """Identity of a candidate: where it stands in the raw source."""
        return f"{self.source}/{self.name}/{native}"


def pass_over(shard: Shard[ReadingOptions], passed_over: Counter[str], error: InputError) -> None:
    """Count a bad row and print its error.

    Raises:
        InputError: the row's own, where the shard has passed over `max_bad_rows` already.
    """
    if passed_over[BAD] >= shard.options.max_bad_rows:
        raise error
    passed_over[BAD] += 1
    tqdm.write(f"passed over: {error}")


def line_of(candidate: Candidate) -> bytes:
    """A candidate as one line of JSON, four times as fast as other records."""
    return _ADAPTER.dump_json(candidate) + b"\n"
