"""Responses cut by a rule after their first sentence or paragraph; no model is asked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from limaflow.jsonl import read_records, write_records
from limaflow.records import Response

Unit = Literal["sentence", "paragraph"]
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|\n")
"""A mark that ends a sentence, with closing quotes, before a space; or the end of a line."""
_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n")
_WORD = re.compile(r"[^\W\d_]{2}")
"""Two letters together: "1." and "A." end no sentence."""


def cut(text: str, at: Unit) -> str:
    """The first sentence or paragraph of a text, stripped; all of it where it has no more.

    A sentence ends at `.`, `!`, `?` or `…` before a space, or with its line, once it holds a word.
    An abbreviation before a space ends it as well.
    """
    return next(parts(text, at), "")


def parts(text: str, unit: Unit) -> Iterator[str]:
    """The sentences or paragraphs of a text in their order, stripped; none of an empty text."""
    end = _PARAGRAPH_END if unit == "paragraph" else _SENTENCE_END
    start = 0
    for found in end.finditer(text):
        part = text[start : found.end()].strip()
        if _WORD.search(part):
            yield part
            start = found.end()
    if rest := text[start:].strip():
        yield rest


def cut_responses(responses: Path, name: str, at: Unit, output: Path) -> tuple[int, int]:
    """Write the responses of another model, cut, as those of `name`.

    A response that was cut here counts as ended; the number of its tokens is not known and 0.

    Returns:
        The numbers of all responses and of those that were longer than their first part.

    Raises:
        InputError: the responses cannot be read.
    """
    rows = [_cut_response(row, name, at) for row in read_records(responses, Response)]
    write_records(output, rows)
    return len(rows), _shortened(rows)


def _cut_response(row: Response, name: str, at: Unit) -> Response:
    text = cut(row.text, at)
    is_shorter = text != row.text.strip()
    return replace(
        row,
        model=name,
        text=text,
        tokens=0 if is_shorter else row.tokens,
        finish_reason="stop" if is_shorter else row.finish_reason,
        decoding={**row.decoding, "cut": at, "cut_from": row.model, "shortened": is_shorter},
    )


def _shortened(rows: Sequence[Response]) -> int:
    return sum(bool(row.decoding["shortened"]) for row in rows)
