"""JSON that others wrote: lines, or an array, with one clear error for whatever is wrong in it."""

import json
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from limaflow.errors import InputError, refuse

MAX_LINE_BYTES = 16 * 1024 * 1024
"""No conversation is this long; a longer line is a broken or hostile file. As JSON a line may take
over 20 times its size of memory."""
MAX_FILE_BYTES = 1024**3
"""A file that is read whole takes some ten times its size of memory."""
PACKED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "a 7z archive",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
}
"""First bytes of what is brought in place of JSON."""
HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


def json_rows(
    path: Path, bad: Callable[[InputError], None] = refuse
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line of a JSON-lines file; of an array, each entry's number.

    Args:
        bad: what to do with the error of a row that is no JSON object; the next row follows.

    Raises:
        InputError: the file is missing or packed, or a row is too long, not UTF-8 or no object.
    """
    if not path.is_file():
        raise InputError("no such file", path=path)
    with path.open("rb") as file:
        head = file.read(16)
        _check_packed(head, path)
        if path.suffix == ".json" and head.removeprefix(BOM_UTF8).lstrip()[:1] == b"[":
            yield from _entries(path, bad)
            return
        file.seek(0)
        lines = enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1)
        yield from objects_in(lines, path, bad)


def objects_in(
    lines: Iterable[tuple[int, bytes]], path: Path, bad: Callable[[InputError], None]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and object of each numbered line that is not empty; `bad` as in `json_rows`."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = _object_in(line, path, number)
        except InputError as error:
            bad(error)
            continue
        yield number, row


def _object_in(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """The JSON object that one line holds.

    Raises:
        InputError: the line is cut at its limit, not UTF-8 or not a JSON object.
    """
    if len(line) >= MAX_LINE_BYTES:
        raise InputError(f"line of over {MAX_LINE_BYTES} bytes", path=path, line=number)
    if line.strip() == b"{":
        raise InputError(
            "one object over several lines",
            path=path,
            line=number,
            fix="write one object a line, or a list of objects in a .json file",
        )
    row = _parsed(line, path, number)
    if not isinstance(row, dict):
        raise InputError("not a JSON object", path=path, line=number)
    return row


def json_file(path: Path) -> Any:
    """The value of a whole JSON file.

    Raises:
        InputError: the file is missing, packed, too large, not UTF-8 or not JSON.
    """
    if not path.is_file():
        raise InputError("no such file", path=path)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"over {MAX_FILE_BYTES} bytes", path=path, fix="use JSON lines")
    raw = path.read_bytes()
    _check_packed(raw[:16], path)
    return _parsed(raw, path)


def _entries(path: Path, bad: Callable[[InputError], None]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, entry in enumerate(json_file(path), start=1):
        if isinstance(entry, dict):
            yield number, entry
        else:
            bad(InputError(f"entry {number} is not a JSON object", path=path))


def _parsed(raw: bytes, path: Path, line: int | None = None) -> Any:
    """The value of a JSON text; errors name `line`, or else the line on which they are."""
    try:
        value = json.loads(raw.removeprefix(BOM_UTF8).decode())
        # An emoji that was cut in half comes as a lone surrogate, which no UTF-8 file can hold.
        return _encodable(value) if HALF_PAIR.search(raw) else value
    except UnicodeDecodeError:
        raise InputError("not UTF-8", path=path, line=line) from None
    except json.JSONDecodeError as error:
        place = f"{error.msg}, column {error.colno}"
        raise InputError(f"not JSON: {place}", path=path, line=line or error.lineno) from None
    except RecursionError:
        raise InputError("not JSON: nested too deep", path=path, line=line) from None
    except ValueError:
        digits = sys.get_int_max_str_digits()
        raise InputError(f"holds a number of over {digits} digits", path=path, line=line) from None


def _encodable(value: Any) -> Any:
    """`value` with `?` for every lone surrogate in its texts."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(entry) for entry in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(entry) for key, entry in value.items()}
    return value


def _check_packed(head: bytes, path: Path) -> None:
    for magic, name in PACKED.items():
        if head.startswith(magic):
            raise InputError(f"this is {name}, not JSON", path=path, fix="unpack or convert it")
