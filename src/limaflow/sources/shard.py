"""What every reader is told about the shard it reads."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError
from tqdm import tqdm

from limaflow import jsonl
from limaflow.errors import InputError
from limaflow.records import Candidate

BEST = "best response, kept with its prompt"
OTHER = "response that is not the best, or to no prompt"
BAD = "bad row"
"""Rows that readers count as passed over, so that all rows of a raw file are accounted for."""

_ADAPTER = TypeAdapter(Candidate)


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One shard of a source: raw files of one kind, read into one file of candidates."""

    source: str
    name: str
    files: tuple[Path, ...]
    scratch: Path
    """Existing folder for temporary files, as large as the raw text."""
    licence: str = ""
    subreddit: str = ""
    prompt_field: str = "prompt"
    response_field: str = "response"
    max_bad_rows: int = 0

    def id(self, native: str) -> str:
        """Identity of a candidate: where it stands in the raw source."""
        return f"{self.source}/{self.name}/{native}"


def pass_over(shard: Shard, passed_over: Counter[str], error: InputError) -> None:
    """Count a bad row and say so, or raise its error where the shard has had its share of them."""
    if passed_over[BAD] >= shard.max_bad_rows:
        raise error
    passed_over[BAD] += 1
    tqdm.write(f"passed over: {error}")


def lossless(text: str) -> str:
    """`text` with lone surrogates replaced, which no UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode()


def line_of(candidate: Candidate) -> bytes:
    """A candidate as one line of JSON, four times as fast as other records."""
    try:
        return _ADAPTER.dump_json(candidate) + b"\n"
    except PydanticSerializationError:
        # A lone surrogate: `jsonl.line_of` replaces it.
        return f"{jsonl.line_of(candidate)}\n".encode()
