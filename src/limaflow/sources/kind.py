"""What a kind of source declares: how it is read, and how curation treats its examples.

The two parts are apart so that a change of a reader repeats no curation, and the other way round.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal

from limaflow.records import Candidate
from limaflow.sources.shard import Options_co, Shard

Read = Callable[[Shard[Any], Counter[str]], Iterator[Candidate]]
"""Yields candidates, equal ids in a row, and counts the other rows by the reason."""
Write = Callable[[Shard[Any], Counter[str], Path, int], int]
"""Writes the lines of the same candidates with several processes, and returns their number."""


@dataclass(frozen=True, kw_only=True)
class Reader(Generic[Options_co]):
    """How raw files of a kind become candidates."""

    options: type[Options_co]
    """The options of its sources in the configuration, and of `limaflow source extract`."""
    read: Read
    write: Write | None = None
    """Faster than `read` in one process, where a kind has it."""
    processes: int = 1
    """Processes that read one shard in the workflow."""
    conversations: bool = False
    """Whether rows are finished conversations, which no selection rule reads."""


def unchanged(text: str) -> str:
    """The text itself."""
    return text


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How curation treats the examples of a kind; the defaults serve data without a kind too."""

    strata: Literal["by size", "even", "in rounds"] = "by size"
    """How training examples are spread over the strata: each with p ∝ n^(1/τ); each with the same
    probability; or one example of every stratum before a second of any."""
    best_first: bool = False
    """Whether a stratum gives its training examples by prompt score, highest first, or by lot."""
    best_prompts_first: bool = False
    """The same for the prompts of dev and test."""
    prompts_alone: bool = False
    """Whether a prompt without a response stays, for dev and test."""
    marks_of_no_prompt: re.Pattern[str] | None = None
    """What a title begins with that is no prompt of text."""
    repaired_title: Callable[[str], str] = unchanged
    """Takes the marks of the source from a rendered title."""
    repaired_response: Callable[[str], str] = unchanged
    """Takes the marks of the source from a rendered response."""
    not_redistributed: str = ""
    """Why a bundle for others holds no texts of the kind; "" where it may."""


PLAIN = Policy()
