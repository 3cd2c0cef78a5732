"""Rows of somebody's file: .csv, .tsv, .parquet, JSON lines, or one JSON document.

A document is an array of objects, or an object that holds one: `{"data": [{…}, …]}`.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limaflow.errors import InputError, listed

Row = dict[str, Any]
BATCH_ROWS = 1000
ARRAY_HEAD = 4096
"""Bytes in which an array's opening bracket stands."""


def read_rows(path: Path, rows: str = "") -> Iterator[tuple[int, Row]]:
    """Line and row; of a document or Parquet, the number of the row in place of the line.

    Args:
        rows: where a document's rows are, as in `at`; by default in the one array that it holds.

    Raises:
        InputError: no such file, or not of these formats; names the line.
    """
    if not path.is_file():
        raise InputError("no such file", path=path)
    try:
        if path.suffix in {".csv", ".tsv"}:
            yield from _table(path)
        elif path.suffix == ".parquet":
            yield from _parquet(path)
        elif rows or path.suffix == ".json" or _is_array(path):
            yield from _document(path, rows)
        else:
            yield from _lines(path)
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path) from None
    except csv.Error as error:
        raise InputError(f"not a table: {error}", path=path) from None


def at(row: Row, name: str) -> Any:
    """The value of a column, or of a part within nested JSON: `games.0.score`.

    Raises:
        KeyError: there is none.
    """
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise KeyError(name) from None
    return value


def _table(path: Path) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(max(csv.field_size_limit(), path.stat().st_size))
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        for row in reader:
            if None in row:
                raise InputError("more cells than columns", path=path, line=reader.line_num)
            yield reader.line_num, {k: v.strip() for k, v in row.items() if v is not None}


def _parquet(path: Path) -> Iterator[tuple[int, Row]]:
    import pyarrow
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        for batch in ParquetFile(path).iter_batches(BATCH_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"not a Parquet file: {error}", path=path) from None


def _lines(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _row(_parsed(line), path, number)


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(ARRAY_HEAD).removeprefix(b"\xef\xbb\xbf").split()
    return b"".join(head[:2]).startswith(b"[{") or head == [b"[]"]


def _document(path: Path, rows: str) -> Iterator[tuple[int, Row]]:
    whole = _parsed(path.read_text(encoding="utf-8-sig"))
    if whole is None and _is_array(path):
        raise InputError("begins as a JSON array and is none", path=path)
    if whole is None and not rows:
        yield from _lines(path)
        return
    for number, row in enumerate(_rows_in(whole, rows, path), start=1):
        yield number, _row(row, path, number)


def _rows_in(whole: Any, rows: str, path: Path) -> list[Any]:
    """The rows of a document; an object without an array of objects is a row itself."""
    if rows:
        try:
            found = at(whole, rows)
        except (KeyError, TypeError):
            found = None
        if not isinstance(found, list):
            raise InputError(f"holds no array at '{rows}'", path=path, fix="--rows names it")
        return found
    if isinstance(whole, list):
        return whole
    arrays = {key: value for key, value in whole.items() if _is_rows(value)} if whole else {}
    if len(arrays) > 1:
        raise InputError(
            f"holds several arrays of objects: {listed(arrays)}",
            path=path,
            fix="--rows=NAME says which are the rows",
        )
    return next(iter(arrays.values())) if arrays else [whole]


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _row(value: Any, path: Path, number: int) -> Row:
    if not isinstance(value, dict):
        raise InputError(
            "not a JSON object",
            path=path,
            line=number,
            fix="one object a line, an array of them, or a table named .csv, .tsv or .parquet",
        )
    return value


def joined(row: Row, columns: Sequence[str]) -> str:
    """The texts of some columns, an empty line between them; empty ones are left out.

    Raises:
        KeyError: a column is missing.
    """
    texts = (at(row, column) for column in columns)
    return "\n\n".join(str(text).strip() for text in texts if text not in (None, ""))


def chosen(
    rows: Iterable[tuple[int, Row]], where: Mapping[str, str], path: Path
) -> Iterator[tuple[int, Row]]:
    """The rows that hold these values, by column; all of them where none is asked for.

    Raises:
        InputError: a column is missing, or no row holds the values; names those that there are.
    """
    found, others = False, dict[str, None]()
    for line, row in rows:
        try:
            held = {column: str(at(row, column)) for column in where}
        except KeyError as absent:
            raise InputError(
                f"no '{absent.args[0]}'; this row has {listed(row)}", path=path, line=line
            ) from None
        if held == where:
            found = True
            yield line, row
        else:
            others[", ".join(held.values())] = None
    if where and not found:
        asked = ", ".join(f"{column} '{value}'" for column, value in where.items())
        raise InputError(f"no row has {asked}; there is {listed(others) or 'none'}", path=path)
