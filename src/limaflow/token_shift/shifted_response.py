"""The record of one response beside one reference model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.errors import InputError
from limaflow.jsonl import read_records
from limaflow.records import FinishReason
from limaflow.token_shift.token_classes import TokenClass

MARGINAL, SHIFTED = 2, 4
"""The least rank of each; a token of rank 1 is unshifted (arXiv 2312.01552)."""


@dataclass(frozen=True, kw_only=True)
class ShiftedResponse:
    """A response of `model` and, for each of its tokens, where it stands in `reference`."""

    prompt_id: str
    sample: int
    model: str
    reference: str
    role: str
    """What the reference is: `base`, `seed` (the same arm of another training seed) or `itself`."""
    finish_reason: FinishReason
    tokens: list[int]
    texts: list[str]
    """What each token adds to the text."""
    classes: list[TokenClass]
    ranks: list[int]
    """In the reference, from 1; the fields that follow are as those of `scoring.Scores`."""
    own_ranks: list[int]
    choice_ranks: list[int]
    log_probabilities: list[float]
    own_log_probabilities: list[float]
    divergences: list[float]
    instead: list[str]
    """The reference's most probable token where it is another; else empty."""


def read_shifted(paths: Sequence[Path]) -> list[ShiftedResponse]:
    """The records of files of `limaflow shift run`.

    Raises:
        InputError: a file is missing, empty or holds something else, or a response whose lists are
            not equally long, or stands twice.
    """
    found: dict[tuple[str, str, str, int], ShiftedResponse] = {}
    for path in paths:
        records = list(read_records(path, ShiftedResponse))
        if not records:
            raise InputError("no responses", path=path)
        for line, record in enumerate(records, start=1):
            if {len(value) for value in vars(record).values() if isinstance(value, list)} != {
                len(record.tokens)
            }:
                raise InputError("not as many of each as of tokens", path=path, line=line)
            key = (record.model, record.reference, record.prompt_id, record.sample)
            if key in found:
                raise InputError(
                    f"the response of {record.model} to {record.prompt_id} stands twice beside "
                    f"{record.reference}",
                    path=path,
                    line=line,
                )
            found[key] = record
    return list(found.values())
