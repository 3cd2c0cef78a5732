"""Tables in which people, or graders, labelled answers: CSV, TSV, Parquet, JSON lines."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limaflow.errors import InputError, listed
from limaflow.foreign_rows import Row, at, read_rows
from limaflow.judging.instrument import question_of
from limaflow.records import Example, Grade, Response
from limaflow.refusals.classes import Class, class_of, grade_of

COLUMNS = ("prompt", "answer", "label")
PEOPLE = "people"
"""Name of the annotator that labels of people are given to."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One row: a prompt and an answer as texts, and the class they were given."""

    line: int
    prompt: str
    answer: str
    label: Class | None
    """None where the cell is empty."""


def read_labelled(
    path: Path, columns: Mapping[str, str], words: Mapping[str, Class]
) -> list[Labelled]:
    """The rows of a table.

    Args:
        columns: what the file calls `prompt`, `answer` and `label`, where it differs.
        words: what it calls the classes, beside ours and XSTest's.

    Raises:
        InputError: names the line: a column is missing, a word names no class; the table is empty.
    """
    found = []
    unanswered = 0
    for line, row in read_rows(path):
        if row.get(columns.get("answer", "answer"), "") is None:
            unanswered += 1
            continue
        prompt, answer, word = (_text(row, columns.get(name, name), path, line) for name in COLUMNS)
        try:
            label = class_of(word, words) if word.strip() else None
        except ValueError as error:
            raise InputError(
                str(error), path=path, line=line, fix="--word THEIRS=OURS names it"
            ) from None
        found.append(Labelled(line=line, prompt=prompt, answer=answer, label=label))
    if not found:
        raise InputError("holds no rows", path=path)
    if unanswered:
        print(f"{path}: left out {unanswered} rows without an answer (null)", file=sys.stderr)
    return found


def labels_as_grades(
    path: Path,
    labelled: Sequence[Labelled],
    prompts: Mapping[str, Example],
    responses: Sequence[Response],
) -> list[Grade]:
    """The labels of these responses, found by the texts of prompt and answer, as grades.

    Space between words makes no difference. A label counts for every response of that text.

    Raises:
        InputError: two rows label one text differently, or no row is of one of the responses.
    """
    by_text: dict[tuple[str, str], tuple[int, Class]] = {}
    for row in labelled:
        if row.label is None:
            continue
        text = _plain(row.prompt), _plain(row.answer)
        line, label = by_text.setdefault(text, (row.line, row.label))
        if label != row.label:
            raise InputError(
                f"labels as {row.label} what line {line} labels as {label}",
                path=path,
                line=row.line,
                fix="keep one of the two",
            )
    grades = [
        grade_of(response, by_text[text][1], annotator=PEOPLE, kind="person")
        for response in responses
        if (text := _text_of(response, prompts)) in by_text
    ]
    if not grades:
        raise InputError(
            "none of its rows is one of the responses",
            path=path,
            fix="prompt and answer are compared as texts; --column answer=NAME names the column",
        )
    return grades


def _text_of(response: Response, prompts: Mapping[str, Example]) -> tuple[str, str]:
    return _plain(question_of(prompts[response.prompt_id])), _plain(response.text)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _text(row: Row, column: str, path: Path, line: int) -> str:
    try:
        value = at(row, column)
    except KeyError:
        raise InputError(
            f"lacks the column '{column}'; has {listed(row)}",
            path=path,
            line=line,
            fix="--column OURS=THEIRS names it",
        ) from None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def pairs_by_name(written: Sequence[str], option: str, known: Sequence[str]) -> dict[str, str]:
    """`OURS=THEIRS`, given again and again, as a mapping.

    Raises:
        InputError: an entry is not of that form, its first part is not in `known`, or comes twice.
    """
    found: dict[str, str] = {}
    for entry in written:
        ours, equal, theirs = entry.partition("=")
        if not (equal and theirs) or ours not in known:
            raise InputError(f"{option} {entry}: not {' or '.join(f'{name}=…' for name in known)}")
        if ours in found:
            raise InputError(f"{option} {entry}: '{ours}' is given twice")
        found[ours] = theirs
    return found


def words_by_class(written: Sequence[str]) -> Iterator[tuple[str, Class]]:
    """`THEIRS=OURS`, given again and again: a word of the file and the class it names.

    Raises:
        InputError: an entry is not of that form, or names no class.
    """
    for entry in written:
        theirs, _, ours = entry.rpartition("=")
        try:
            yield theirs, class_of(ours, {})
        except ValueError as error:
            raise InputError(f"--word {entry}: {error}", fix="--word THEIRS=OURS") from None
