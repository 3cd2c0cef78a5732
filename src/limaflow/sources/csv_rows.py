"""Rows of CSV that others wrote, with one clear error for whatever is wrong in it."""

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

from limaflow.errors import InputError, refuse

MAX_FIELD_CHARS = 16 * 1024 * 1024
Places = Callable[[list[str]], dict[str, int]]
"""From the names in the header to the number of each wanted field's column."""


def csv_rows(
    path: Path, places: Places, bad: Callable[[InputError], None]
) -> Iterator[tuple[int, int, dict[str, str]]]:
    """Number of each row from 1, the line on which it begins, and its fields by their name.

    Args:
        bad: what to do with the error of a single row; the next row follows.

    Raises:
        InputError: a column is missing, the CSV is broken, a field is too long, not UTF-8.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file, strict=True)
            header = _header(table, path)
            columns = places(header)
            for number in count(1):
                # A quote that is never closed swallows lines: the row's first one is the place.
                line = table.line_num + 1
                try:
                    fields = next(table, None)
                except csv.Error as error:
                    fault = InputError(f"broken CSV: {error}", path=path, line=line)
                    # A quote that swallowed lines took other rows with it: not one row's loss.
                    (bad if table.line_num == line else refuse)(fault)
                    continue
                except UnicodeDecodeError:
                    raise InputError(
                        "not UTF-8, here or soon after", path=path, line=line
                    ) from None
                if fields is None:
                    return
                if len(fields) != len(header):
                    message = f"{len(fields)} fields under {len(header)} columns"
                    bad(InputError(message, path=path, line=line))
                    continue
                yield number, line, {field: fields[place] for field, place in columns.items()}
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path) from None
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", path=path) from None


def lower_case(header: list[str]) -> dict[str, int]:
    """Every column, by its name in lower case; of two with one name the first."""
    names = [name.strip().lower() for name in header]
    return {name: names.index(name) for name in names}


def having(columns: Sequence[str], path: Path) -> Places:
    """Every column by its name in lower case, of a file that has all of `columns`.

    Raises:
        InputError: by the function that is returned: a column is missing.
    """

    def places(header: list[str]) -> dict[str, int]:
        found = lower_case(header)
        if missing := [name for name in columns if name not in found]:
            has = ", ".join(found) or "none"
            raise InputError(
                f"lacks the columns {', '.join(missing)}; has {has}", path=path, line=1
            )
        return found

    return places


def _header(table: Iterator[list[str]], path: Path) -> list[str]:
    try:
        return next(table, [])
    except csv.Error as error:
        raise InputError(f"broken CSV: {error}", path=path, line=1) from None
