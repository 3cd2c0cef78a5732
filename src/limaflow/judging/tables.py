"""Verdicts from a file, whoever made it: our own JSON lines, or a table with the same columns.

    prompt_id   what was judged; verdicts on one prompt are not independent
    first       name of the model whose answer was shown first; `second` likewise
    choice      first, second or tie (neither); empty where the judge failed
    winner      instead of `choice`: a model's name, or tie
    annotator   who judged; the file's name where there is no such column
    sample      number of the response to this prompt, if there are several; 0
    first_chars, second_chars
                lengths of the two answers, for what length does

Other columns that our own records have (`error`, `cost`, `answered_by`, …) are read, the rest is
left alone.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limaflow.errors import InputError
from limaflow.records import Verdict

NEEDED = ("prompt_id", "first", "second")
NAMES = ("prompt_id", "first", "second", "annotator")
TIES = ("tie", "neither")
_ADAPTER = TypeAdapter(Verdict)
Row = dict[str, Any]


def read_verdicts(
    path: Path,
    columns: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
) -> tuple[list[Verdict], dict[str, int]]:
    """The verdicts of a .csv, .tsv or JSON-lines file, and response id → length in characters.

    Args:
        columns: our column → what this file calls it.
        words: what this file says in `choice` or `winner` → what we say.

    Raises:
        InputError: no such file, a column is missing, or a row makes no verdict; names the line.
    """
    if not path.is_file():
        raise InputError("no such file", path=path)
    verdicts: list[Verdict] = []
    chars: dict[str, int] = {}
    for line, raw in _rows(path):
        row = dict(raw)
        for ours, theirs in (columns or {}).items():
            if theirs not in raw:
                raise InputError(_absent(theirs, raw), path=path, line=line)
            row[ours] = raw[theirs]
        try:
            verdict = _verdict(row, path.stem, words or {})
            for response, key in (
                (verdict.first_response_id, "first_chars"),
                (verdict.second_response_id, "second_chars"),
            ):
                length = _length(row, key)
                if length is not None and chars.setdefault(response, length) != length:
                    raise InputError(f"{key} is {length}, before it was {chars[response]}")
        except InputError as error:
            raise InputError(str(error), path=path, line=line) from None
        verdicts.append(verdict)
    if not verdicts:
        raise InputError("holds no verdicts", path=path)
    return verdicts, chars


def named(options: Sequence[str] | None, flag: str) -> dict[str, str]:
    """`NAME=VALUE` options of a command line as a mapping.

    Raises:
        InputError: an option has no `=`.
    """
    pairs = [option.split("=", 1) for option in options or []]
    if wrong := [pair for pair in pairs if len(pair) != 2]:
        raise InputError(f"{flag} {wrong[0][0]}: not of the form NAME=VALUE")
    return dict(pairs)


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Line number and row of each line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix in {".csv", ".tsv"}:
                reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
                for row in reader:
                    if None in row:
                        raise InputError("more cells than columns", path=path, line=reader.line_num)
                    yield reader.line_num, {k: v.strip() for k, v in row.items() if v is not None}
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _parsed(line, path, number)
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path) from None
    except csv.Error as error:
        raise InputError(f"not a table: {error}", path=path) from None


def _parsed(line: str, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise InputError(
            "not a JSON object",
            path=path,
            line=number,
            fix="one verdict a line, or a table named .csv or .tsv",
        )
    return row


def _verdict(row: Row, stem: str, words: Mapping[str, str]) -> Verdict:
    if not row.keys() & {"choice", "winner", "error"}:
        raise InputError(_absent("choice", row))
    told = {key: value for key, value in row.items() if value not in (None, "")}
    for name in NEEDED:
        if name not in told:
            raise InputError(_absent(name, row))
    names = {name: str(told[name]) for name in NAMES if name in told}
    if names["first"] == names["second"]:
        raise InputError(f"'{names['first']}' is compared with itself")
    choice = _choice(told, names["first"], names["second"], words)
    place = f"{names['prompt_id']}/{told.get('sample', 0)}"
    filled = {
        "annotator": stem,
        "sample": 0,
        "first_response_id": f"{place}/{names['first']}",
        "second_response_id": f"{place}/{names['second']}",
        "error": None if choice else "no verdict",
        **told,
        **names,
        "choice": choice,
    }
    try:
        return _ADAPTER.validate_python(filled)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def _choice(row: Row, first: str, second: str, words: Mapping[str, str]) -> str | None:
    key = "choice" if "choice" in row else "winner"
    if key not in row:
        return None
    said = words.get(str(row[key]), str(row[key]))
    named = said if key == "choice" else {first: "first", second: "second"}.get(said, said)
    if named in TIES:
        return "tie"
    if named not in {"first", "second"}:
        known = "first, second or tie" if key == "choice" else f"'{first}', '{second}' or tie"
        raise InputError(f"{key} '{said}' is not {known}")
    return named


def _length(row: Row, key: str) -> int | None:
    value = row.get(key)
    if value in (None, ""):
        return None
    try:
        length = int(str(value))
    except ValueError:
        length = -1
    if length < 0:
        raise InputError(f"{key}: {value!r} is no length in characters")
    return length


def _absent(name: str, row: Row) -> str:
    return f"no '{name}'; this row has {', '.join(map(str, row)) or 'nothing'}"
